//! What a transaction can ask for, as JSON.

mod auction;
mod carbon;
mod compliance;
mod contract;
mod schedule;
mod statement;

pub use auction::{CurveStep, LinkedRequest, MinimumRequest, PeriodSteps, StepCurve};
pub use carbon::{
    BlockConfirmation, BlockProposal, CarbonAction, CarbonBid, CarbonBiddingNotice, CarbonListing,
    CarbonTake, CarbonTermsNotice, CarbonWithdrawal,
};
pub use compliance::{
    Cover, CreditIssue, CreditRetirement, CreditTransfer, PeriodClosure, PeriodNotice, PreIssue,
    UnitOutput, Verification,
};

pub use contract::{ContractConfirmation, ListingTake};
pub use schedule::{Curtailment, PricePublication, ReadingSubstitution};
pub use statement::{
    LineCorrection, MonthReading, ObjectionAnswer, ProvedLine, StatementObjection,
};

use super::CertificateAction;
use super::{
    Big, CalendarMonth, ContractTerms, Day, EnrolDevice, Health, MarketRule, Mode, ReportBatch,
    SessionTerms, SetLimits, SetSessionLimits, Side, TimeInForce, mirror, shape,
};
use duet_ledger::{
    CertificateLotId, DeviceAction, DispatchId, LimitAction, OrderId, OrganisationId, PaymentId,
    ProposalId, RuleAction, RuleId, SessionId, UnitId,
};
use duet_units::{Allowances, BasisPoints, ClockTime, Energy, Money, Price};
use serde::{Deserialize, Serialize};

mirror! {
    /// How good a meter reading is.
    Quality {
        /// Measured and within its limits.
        Good,
        /// Measured, but the device doubts it.
        Questionable,
        /// Not measured: a value by rule, flagged.
        Estimated,
    }
}

mirror! {
    /// What an operator does to a session outside the normal course.
    Intervention {
        /// Stop taking orders.
        Halt,
        /// Take orders again.
        Resume,
        /// Call the session off.
        Void,
    }
}

mirror! {
    /// Why certificates are retired.
    RetirementPurpose {
        /// The beneficiary claims the use of the energy.
        Claim,
        /// They have expired.
        Expiry,
        /// The account is closed.
        AccountClosed,
    }
}

/// The action is of a later release than this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this release has no JSON form for the action")]
pub struct ActionError;

shape! {
    /// A new order.
    OrderRequest {
        /// The session.
        session: u32,
        /// The unit that delivers or uses the energy.
        unit: u32,
        /// Buy or sell.
        side: Side,
        /// The delivery period within the day, from 0.
        period: u8,
        /// The limit price; of a sell order, without carbon.
        limit_milli_yuan_per_mwh: i64,
        /// The energy.
        quantity_kwh: i64,
        /// The declared conductivity; zero for a buy order.
        conductivity_bp: i64,
        /// The owner's own reference.
        reference: u64,
        /// How long it stands.
        #[serde(default)]
        time_in_force: TimeInForce,
    }
}

shape! {
    /// The notice of a session.
    SessionNotice {
        /// The rule of the market under which it runs.
        rule: u32,
        /// How orders are matched.
        mode: Mode,
        /// The first day of delivery.
        day: Day,
        /// How many days in a row; one in a joint session.
        days: u16,
        /// When orders are taken from.
        gate_open_ms: i64,
        /// When the session clears.
        gate_close_ms: i64,
        /// The terms.
        terms: SessionTerms,
    }
}

shape! {
    /// One period of a meter report.
    Reading {
        /// The energy of the period.
        energy_kwh: i64,
        /// How good the reading is.
        quality: Quality,
    }
}

shape! {
    /// Readings of one meter for consecutive periods of a day.
    MeterReport {
        /// The unit or point of consumption.
        unit: u32,
        /// The day.
        day: Day,
        /// The first period.
        first_period: u8,
        /// The edition: a higher one replaces a lower one until the day is settled.
        version: u16,
        /// The readings, one a period.
        readings: Vec<Reading>,
    }
}

shape! {
    /// A device's answer to a dispatch.
    Acknowledgement {
        /// The dispatch.
        dispatch: u64,
        /// Whether the unit will follow it.
        accepted: bool,
        /// Why not; zero if it will.
        cause: u16,
    }
}

/// What a transaction asks for; `kind` says which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Places an order.
    SubmitOrder(OrderRequest),
    /// Withdraws an order.
    CancelOrder {
        /// The order.
        order: u64,
    },
    /// Announces a session.
    OpenSession(SessionNotice),
    /// Brings money in.
    Deposit {
        /// For whom.
        organisation: u32,
        /// How much.
        amount_fen: Big,
        /// The bank's reference; one counts once.
        reference: u64,
    },
    /// The bank confirms or refuses a payment instruction.
    ConfirmPayment {
        /// The instruction.
        payment: u64,
        /// Whether it was carried out.
        confirmed: bool,
    },
    /// Issues the dispatch of a paid session.
    IssueDispatch {
        /// The session.
        session: u32,
    },
    /// A device answers a dispatch.
    AckDispatch(Acknowledgement),
    /// A device reports readings.
    ReportMeter(MeterReport),
    /// Settles a delivered session.
    SettleSession {
        /// The session.
        session: u32,
    },
    /// Allocates allowances.
    AllocateAllowances {
        /// To whom.
        organisation: u32,
        /// How many.
        allowances_t: i64,
        /// The registry's reference; one counts once.
        reference: u64,
    },
    /// Transfers allowances.
    TransferAllowances {
        /// To whom.
        to: u32,
        /// How many.
        allowances_t: i64,
    },
    /// Surrenders allowances against emissions to date.
    SurrenderAllowances {
        /// How many.
        allowances_t: i64,
    },
    /// Transfers certificates, once.
    TransferCertificates {
        /// The run.
        lot: u64,
        /// How many of it, from its start.
        count: u64,
        /// To whom.
        to: u32,
    },
    /// Retires certificates.
    RetireCertificates {
        /// The run.
        lot: u64,
        /// How many of it, from its start.
        count: u64,
        /// Why.
        purpose: RetirementPurpose,
        /// For whom.
        beneficiary: String,
    },
    /// Intervenes in a session.
    Intervene {
        /// The session.
        session: u32,
        /// What is done.
        intervention: Intervention,
        /// Why, for the public log.
        reason: String,
    },
    /// Reports readings that a device signed as one batch.
    ReportBatch(ReportBatch),
    /// Gives a unit a new device.
    EnrolDevice(EnrolDevice),
    /// A device tells how its board stands.
    ReportHealth(Health),
    /// Publishes a version of a province's rules.
    PublishRule(Box<MarketRule>),
    /// Of the allowance market, compliance and carbon credits; `carbon` says what.
    /// Sets the limits of an organisation in a month of delivery.
    SetLimits(SetLimits),
    /// Sets the limits of a session.
    SetSessionLimits(SetSessionLimits),
    /// Puts available money into one's guarantee.
    PledgeGuarantee {
        /// How much.
        amount_fen: Big,
    },
    /// Takes money out of one's guarantee.
    ReleaseGuarantee {
        /// How much.
        amount_fen: Big,
    },
    /// Of the allowance market; `carbon` says what.
    Carbon(CarbonAction),
    /// Proposes a contract to another member.
    ProposeContract(ContractTerms),
    /// Signs a proposed contract.
    ConfirmContract(ContractConfirmation),
    /// Takes a proposal back, or declines it.
    WithdrawContract {
        /// The proposal.
        proposal: u64,
    },
    /// Takes of a listing at its price.
    TakeListing(ListingTake),
    /// Places a step curve: one order a step, all or none accepted.
    SubmitCurve(StepCurve),
    /// Places an order over several periods.
    SubmitLinked(LinkedRequest),
    /// Places an order that is filled to a minimum or not at all.
    SubmitMinimum(MinimumRequest),
    /// Withdraws an order over several periods.
    WithdrawLinked {
        /// The linked order.
        linked: u64,
    },
    /// Certificates: sale, claims, freezing, projects; `action` says which.
    Certificate(CertificateAction),
    /// Publishes the real-time prices of a day.
    PublishPrices(PricePublication),
    /// Cuts traded energy to what the security check allows.
    Curtail(Curtailment),
    /// Substitutes readings that a meter did not report by estimates.
    SubstituteReadings(ReadingSubstitution),
    /// Objects to a line of one's statement.
    ObjectStatement(StatementObjection),
    /// Corrects a statement line by a new one.
    CorrectLine(Box<LineCorrection>),
    /// Does not follow an objection.
    DismissObjection(ObjectionAnswer),
    /// Reports a meter's month.
    ReportMonth(MonthReading),
    /// Makes a month's statements final.
    CloseMonth {
        /// The month.
        month: CalendarMonth,
    },
}

impl From<Action> for duet_ledger::Action {
    #[expect(clippy::too_many_lines, reason = "one short arm for each case")]
    fn from(wire: Action) -> Self {
        match wire {
            Action::SubmitOrder(request) => Self::SubmitOrder(request.into()),
            Action::CancelOrder { order } => Self::CancelOrder { order: OrderId(order) },
            Action::OpenSession(notice) => Self::OpenSession(notice.into()),
            Action::Deposit { organisation, amount_fen, reference } => Self::Deposit {
                organisation: OrganisationId(organisation),
                amount: Money::from_fen(amount_fen.0),
                reference,
            },
            Action::ConfirmPayment { payment, confirmed } => {
                Self::ConfirmPayment { payment: PaymentId(payment), confirmed }
            }
            Action::IssueDispatch { session } => {
                Self::IssueDispatch { session: SessionId(session) }
            }
            Action::AckDispatch(answer) => Self::AckDispatch(answer.into()),
            Action::ReportMeter(report) => Self::ReportMeter(report.into()),
            Action::SettleSession { session } => {
                Self::SettleSession { session: SessionId(session) }
            }
            Action::AllocateAllowances { organisation, allowances_t, reference } => {
                Self::AllocateAllowances {
                    organisation: OrganisationId(organisation),
                    allowances: Allowances::from_t(allowances_t),
                    reference,
                }
            }
            Action::TransferAllowances { to, allowances_t } => Self::TransferAllowances {
                to: OrganisationId(to),
                allowances: Allowances::from_t(allowances_t),
            },
            Action::SurrenderAllowances { allowances_t } => {
                Self::SurrenderAllowances { allowances: Allowances::from_t(allowances_t) }
            }
            Action::TransferCertificates { lot, count, to } => Self::TransferCertificates {
                lot: CertificateLotId(lot),
                count,
                to: OrganisationId(to),
            },
            Action::RetireCertificates { lot, count, purpose, beneficiary } => {
                let (lot, purpose) = (CertificateLotId(lot), purpose.into());
                Self::RetireCertificates { lot, count, purpose, beneficiary }
            }
            Action::Intervene { session, intervention, reason } => Self::Intervene {
                session: SessionId(session),
                intervention: intervention.into(),
                reason,
            },
            Action::ReportBatch(batch) => Self::Device(DeviceAction::ReportBatch(batch.into())),
            Action::EnrolDevice(unit) => Self::Device(DeviceAction::EnrolDevice(unit.into())),
            Action::ReportHealth(health) => Self::Device(DeviceAction::ReportHealth(health.into())),
            Action::SetLimits(set) => Self::Limit(LimitAction::Set(set.into())),
            Action::SetSessionLimits(set) => Self::Limit(LimitAction::SetSession(set.into())),
            Action::PledgeGuarantee { amount_fen } => {
                Self::Limit(LimitAction::Pledge(Money::from_fen(amount_fen.0)))
            }
            Action::ReleaseGuarantee { amount_fen } => {
                Self::Limit(LimitAction::Release(Money::from_fen(amount_fen.0)))
            }
            Action::PublishRule(rule) => Self::Rule(RuleAction::Publish(Box::new((*rule).into()))),
            Action::Carbon(action) => Self::Carbon(action.into()),
            Action::ProposeContract(terms) => {
                Self::Contract(duet_ledger::ContractAction::Propose(terms.into()))
            }
            Action::ConfirmContract(signed) => Self::Contract(signed.into()),
            Action::WithdrawContract { proposal } => {
                Self::Contract(duet_ledger::ContractAction::Withdraw(ProposalId(proposal)))
            }
            Action::TakeListing(take) => Self::Contract(take.into()),
            Action::SubmitCurve(curve) => Self::Auction(curve.into()),
            Action::SubmitLinked(request) => Self::Auction(request.into()),
            Action::SubmitMinimum(request) => Self::Auction(request.into()),
            Action::WithdrawLinked { linked } => Self::Auction(auction::withdrawal(linked)),
            Action::Certificate(action) => Self::Certificate(action.into()),
            Action::PublishPrices(publication) => Self::Schedule(publication.into()),
            Action::Curtail(request) => Self::Schedule(request.into()),
            Action::SubstituteReadings(request) => Self::Schedule(request.into()),
            Action::ObjectStatement(objection) => Self::Statement(objection.into()),
            Action::CorrectLine(correction) => Self::Statement((*correction).into()),
            Action::DismissObjection(answer) => Self::Statement(answer.into()),
            Action::ReportMonth(reading) => Self::Statement(reading.into()),
            Action::CloseMonth { month } => Self::Statement(month.into()),
        }
    }
}

impl TryFrom<duet_ledger::Action> for Action {
    type Error = ActionError;

    fn try_from(action: duet_ledger::Action) -> Result<Self, ActionError> {
        use duet_ledger::Action as L;
        Ok(match action {
            L::SubmitOrder(request) => Self::SubmitOrder(request.into()),
            L::CancelOrder { order } => Self::CancelOrder { order: order.0 },
            L::OpenSession(notice) => Self::OpenSession(notice.into()),
            L::Deposit { organisation, amount, reference } => Self::Deposit {
                organisation: organisation.0,
                amount_fen: Big(amount.fen()),
                reference,
            },
            L::ConfirmPayment { payment, confirmed } => {
                Self::ConfirmPayment { payment: payment.0, confirmed }
            }
            L::IssueDispatch { session } => Self::IssueDispatch { session: session.0 },
            L::AckDispatch(answer) => Self::AckDispatch(answer.into()),
            L::ReportMeter(report) => Self::ReportMeter(report.into()),
            L::SettleSession { session } => Self::SettleSession { session: session.0 },
            L::AllocateAllowances { organisation, allowances, reference } => {
                let (organisation, allowances_t) = (organisation.0, allowances.t());
                Self::AllocateAllowances { organisation, allowances_t, reference }
            }
            L::TransferAllowances { to, allowances } => {
                Self::TransferAllowances { to: to.0, allowances_t: allowances.t() }
            }
            L::SurrenderAllowances { allowances } => {
                Self::SurrenderAllowances { allowances_t: allowances.t() }
            }
            L::TransferCertificates { lot, count, to } => {
                Self::TransferCertificates { lot: lot.0, count, to: to.0 }
            }
            L::RetireCertificates { lot, count, purpose, beneficiary } => {
                let (lot, purpose) = (lot.0, purpose.into());
                Self::RetireCertificates { lot, count, purpose, beneficiary }
            }
            L::Intervene { session, intervention, reason } => {
                let (session, intervention) = (session.0, intervention.into());
                Self::Intervene { session, intervention, reason }
            }
            L::Device(DeviceAction::ReportBatch(batch)) => Self::ReportBatch(batch.into()),
            L::Device(DeviceAction::EnrolDevice(unit)) => Self::EnrolDevice(unit.into()),
            L::Device(DeviceAction::ReportHealth(health)) => Self::ReportHealth(health.into()),
            L::Limit(LimitAction::Set(set)) => Self::SetLimits(set.into()),
            L::Limit(LimitAction::SetSession(set)) => Self::SetSessionLimits(set.into()),
            L::Limit(LimitAction::Pledge(amount)) => {
                Self::PledgeGuarantee { amount_fen: Big(amount.fen()) }
            }
            L::Limit(LimitAction::Release(amount)) => {
                Self::ReleaseGuarantee { amount_fen: Big(amount.fen()) }
            }
            L::Rule(RuleAction::Publish(rule)) => Self::PublishRule(Box::new((*rule).into())),
            L::Carbon(action) => Self::Carbon(action.try_into()?),
            L::Contract(action) => action.try_into()?,
            L::Certificate(action) => Self::Certificate(action.try_into()?),
            L::Statement(action) => action.try_into()?,
            L::Schedule(action) => action.try_into()?,
            L::Auction(action) => action.try_into()?,
            _ => return Err(ActionError),
        })
    }
}

impl From<OrderRequest> for duet_ledger::OrderRequest {
    fn from(wire: OrderRequest) -> Self {
        Self {
            session: SessionId(wire.session),
            unit: UnitId(wire.unit),
            side: wire.side.into(),
            period: wire.period,
            limit: Price::from_milli_yuan_per_mwh(wire.limit_milli_yuan_per_mwh),
            quantity: Energy::from_kwh(wire.quantity_kwh),
            conductivity: BasisPoints::from_bp(wire.conductivity_bp),
            reference: wire.reference,
            time_in_force: wire.time_in_force.into(),
        }
    }
}

impl From<duet_ledger::OrderRequest> for OrderRequest {
    fn from(row: duet_ledger::OrderRequest) -> Self {
        Self {
            session: row.session.0,
            unit: row.unit.0,
            side: row.side.into(),
            period: row.period,
            limit_milli_yuan_per_mwh: row.limit.milli_yuan_per_mwh(),
            quantity_kwh: row.quantity.kwh(),
            conductivity_bp: row.conductivity.bp(),
            reference: row.reference,
            time_in_force: row.time_in_force.into(),
        }
    }
}

impl From<SessionNotice> for duet_ledger::SessionNotice {
    fn from(wire: SessionNotice) -> Self {
        Self {
            rule: RuleId(wire.rule),
            mode: wire.mode.into(),
            day: wire.day.0,
            days: wire.days,
            gate_open: ClockTime::from_unix_ms(wire.gate_open_ms),
            gate_close: ClockTime::from_unix_ms(wire.gate_close_ms),
            terms: wire.terms.into(),
        }
    }
}

impl From<duet_ledger::SessionNotice> for SessionNotice {
    fn from(row: duet_ledger::SessionNotice) -> Self {
        Self {
            rule: row.rule.0,
            mode: row.mode.into(),
            day: Day(row.day),
            days: row.days,
            gate_open_ms: row.gate_open.unix_ms(),
            gate_close_ms: row.gate_close.unix_ms(),
            terms: SessionTerms::new(&row.terms),
        }
    }
}

impl From<MeterReport> for duet_ledger::MeterReport {
    fn from(wire: MeterReport) -> Self {
        let reading = |reading: Reading| duet_ledger::Reading {
            energy: Energy::from_kwh(reading.energy_kwh),
            quality: reading.quality.into(),
        };
        Self {
            unit: UnitId(wire.unit),
            day: wire.day.0,
            first_period: wire.first_period,
            version: wire.version,
            readings: wire.readings.into_iter().map(reading).collect(),
        }
    }
}

impl From<duet_ledger::MeterReport> for MeterReport {
    fn from(row: duet_ledger::MeterReport) -> Self {
        let reading = |reading: duet_ledger::Reading| Reading {
            energy_kwh: reading.energy.kwh(),
            quality: reading.quality.into(),
        };
        Self {
            unit: row.unit.0,
            day: Day(row.day),
            first_period: row.first_period,
            version: row.version,
            readings: row.readings.into_iter().map(reading).collect(),
        }
    }
}

impl From<Acknowledgement> for duet_ledger::Acknowledgement {
    fn from(wire: Acknowledgement) -> Self {
        Self { dispatch: DispatchId(wire.dispatch), accepted: wire.accepted, cause: wire.cause }
    }
}

impl From<duet_ledger::Acknowledgement> for Acknowledgement {
    fn from(row: duet_ledger::Acknowledgement) -> Self {
        Self { dispatch: row.dispatch.0, accepted: row.accepted, cause: row.cause }
    }
}
