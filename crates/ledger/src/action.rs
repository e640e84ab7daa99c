//! What a transaction can ask for.

mod auction;
mod carbon;
mod certificate;
mod compliance;
mod contract;
pub(crate) mod device;
mod green;
mod limit;
mod rule;
mod schedule;
mod statement;

pub use auction::{
    AuctionAction, CurveStep, LinkedRequest, MinimumRequest, PeriodSteps, StepCurve,
};
pub use carbon::{
    BlockConfirmation, BlockProposal, CarbonAction, CarbonBid, CarbonBiddingNotice, CarbonListing,
    CarbonTake, CarbonTermsNotice, CarbonWithdrawal,
};
pub use certificate::{
    CertificateAction, ClaimCertificates, FreezeCertificates, OfferCertificates, RegisterProject,
    RegisterReductions, SetCertificateKind, TakeOffer, WithdrawOffer, WithdrawProject,
};
pub use compliance::{
    Cover, CreditIssue, CreditRetirement, CreditTransfer, PeriodClosure, PeriodNotice, PreIssue,
    UnitOutput, Verification,
};
pub use contract::{ContractAction, ContractConfirmation, ListingTake};
pub use green::{ConfirmGreen, SettleGreen, WithdrawGreen};
pub use limit::{LimitAction, SetLimits, SetSessionLimits};
pub use rule::RuleAction;
pub use schedule::{Curtailment, PricePublication, ReadingSubstitution, ScheduleAction};
pub use statement::{
    LineCorrection, MonthReading, ObjectionAnswer, ProvedLine, StatementAction, StatementObjection,
};

use crate::codec::{Decode, DecodeError, Encode, coded, record};
use crate::ids::{
    CertificateLotId, DispatchId, OrderId, OrganisationId, PaymentId, RuleId, SessionId, UnitId,
};
use crate::records::{Mode, SessionTerms};
use device::DeviceAction;
use duet_market::order::Side;
use duet_market::rolling::TimeInForce;
use duet_units::{Allowances, BasisPoints, ClockTime, DeliveryDay, Energy, Money, Price};

record! {
    /// A new order.
    pub struct OrderRequest {
        /// The session.
        pub session: SessionId,
        /// The unit that delivers or uses the energy.
        pub unit: UnitId,
        /// Buy or sell.
        pub side: Side,
        /// The delivery period within the day.
        pub period: u8,
        /// The limit price; of a sell order, without carbon.
        pub limit: Price,
        /// The energy.
        pub quantity: Energy,
        /// The declared conductivity; zero for a buy order.
        pub conductivity: BasisPoints,
        /// The owner's own reference.
        pub reference: u64,
        /// How long it stands: until the session ends, or, where orders match on arrival, only for
        /// that moment.
        pub time_in_force: TimeInForce,
    }
}

record! {
    /// The notice of a session.
    pub struct SessionNotice {
        /// The rule of the market under which it runs.
        pub rule: RuleId,
        /// How orders are matched.
        pub mode: Mode,
        /// The first day of delivery.
        pub day: DeliveryDay,
        /// How many days in a row; one in a joint session.
        pub days: u16,
        /// When orders are taken from.
        pub gate_open: ClockTime,
        /// When the session clears.
        pub gate_close: ClockTime,
        /// The terms.
        pub terms: SessionTerms,
    }
}

coded! {
    /// How good a meter reading is.
    pub enum Quality ("quality") {
        /// Measured and within its limits.
        Good = 0,
        /// Measured, but the device doubts it.
        Questionable = 1,
        /// Not measured: a value by rule, flagged.
        Estimated = 2,
    }
}

record! {
    /// One period of a meter report.
    pub struct Reading {
        /// The energy of the period.
        pub energy: Energy,
        /// How good the reading is.
        pub quality: Quality,
    }
}

record! {
    /// Readings of one meter for consecutive periods of a day.
    pub struct MeterReport {
        /// The unit or point of consumption.
        pub unit: UnitId,
        /// The day.
        pub day: DeliveryDay,
        /// The first period.
        pub first_period: u8,
        /// The edition: a higher one replaces a lower one until the day is settled.
        pub version: u16,
        /// The readings, one a period.
        pub readings: Vec<Reading>,
    }
}

record! {
    /// A device's answer to a dispatch.
    pub struct Acknowledgement {
        /// The dispatch.
        pub dispatch: DispatchId,
        /// Whether the unit will follow it.
        pub accepted: bool,
        /// Why not; zero if it will.
        pub cause: u16,
    }
}

coded! {
    /// What an operator does to a session outside the normal course.
    pub enum Intervention ("intervention") {
        /// Stop taking orders.
        Halt = 0,
        /// Take orders again.
        Resume = 1,
        /// Call the session off.
        Void = 2,
    }
}

coded! {
    /// Why certificates are retired.
    pub enum RetirementPurpose ("purpose") {
        /// The beneficiary claims the use of the energy.
        Claim = 0,
        /// They have expired.
        Expiry = 1,
        /// The account is closed.
        AccountClosed = 2,
    }
}

/// What a transaction asks for. The number before each case is its tag in canonical bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// 1: Places an order.
    SubmitOrder(OrderRequest),
    /// 2: Withdraws an order.
    CancelOrder {
        /// The order.
        order: OrderId,
    },
    /// 3: Announces a session.
    OpenSession(SessionNotice),
    /// 4: Brings money in.
    Deposit {
        /// For whom.
        organisation: OrganisationId,
        /// How much.
        amount: Money,
        /// The bank's reference; one counts once.
        reference: u64,
    },
    /// 5: The bank confirms or refuses a payment instruction.
    ConfirmPayment {
        /// The instruction.
        payment: PaymentId,
        /// Whether it was carried out.
        confirmed: bool,
    },
    /// 6: Issues the dispatch of a paid session.
    IssueDispatch {
        /// The session.
        session: SessionId,
    },
    /// 7: A device answers a dispatch.
    AckDispatch(Acknowledgement),
    /// 8: A device reports readings.
    ReportMeter(MeterReport),
    /// 9: Settles a delivered session.
    SettleSession {
        /// The session.
        session: SessionId,
    },
    /// 10: Allocates allowances.
    AllocateAllowances {
        /// To whom.
        organisation: OrganisationId,
        /// How many.
        allowances: Allowances,
        /// The registry's reference; one counts once.
        reference: u64,
    },
    /// 11: Transfers allowances.
    TransferAllowances {
        /// To whom.
        to: OrganisationId,
        /// How many.
        allowances: Allowances,
    },
    /// 12: Surrenders allowances against emissions to date.
    SurrenderAllowances {
        /// How many.
        allowances: Allowances,
    },
    /// 13: Transfers certificates, once.
    TransferCertificates {
        /// The run.
        lot: CertificateLotId,
        /// How many of it, from its start.
        count: u64,
        /// To whom.
        to: OrganisationId,
    },
    /// 14: Retires certificates.
    RetireCertificates {
        /// The run.
        lot: CertificateLotId,
        /// How many of it, from its start.
        count: u64,
        /// Why.
        purpose: RetirementPurpose,
        /// For whom.
        beneficiary: String,
    },
    /// 15: Intervenes in a session; the person is the signer, the time is the block's.
    Intervene {
        /// The session.
        session: SessionId,
        /// What is done.
        intervention: Intervention,
        /// Why, for the public log.
        reason: String,
    },
    /// 16: Batches, enrolment and health of devices.
    Device(DeviceAction),
    /// 17: Publishes rules of the market.
    Rule(RuleAction),
    /// 19: Of the allowance market, compliance and carbon credits.
    Carbon(CarbonAction),
    /// 18: Acts in a bilateral or listing session.
    Contract(ContractAction),
    /// 20: Certificates: sale, claims, freezing, projects.
    Certificate(CertificateAction),
    /// 21: What is done with statements.
    Statement(StatementAction),
    /// 23: What the dispatcher does with the schedule of a day.
    Schedule(ScheduleAction),
    /// 22: Sets limits and moves guarantees.
    Limit(LimitAction),
    /// 24: Curves, orders over several periods, orders with a minimum.
    Auction(AuctionAction),
}

/// Encodes a tag and the fields behind it.
macro_rules! tagged {
    ($out:ident, $tag:literal $(, $field:expr)*) => {{
        $out.push($tag);
        $($field.encode($out);)*
    }};
}

impl Encode for Action {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::SubmitOrder(request) => tagged!(out, 1, request),
            Self::CancelOrder { order } => tagged!(out, 2, order),
            Self::OpenSession(notice) => tagged!(out, 3, notice),
            Self::Deposit { organisation, amount, reference } => {
                tagged!(out, 4, organisation, amount, reference);
            }
            Self::ConfirmPayment { payment, confirmed } => tagged!(out, 5, payment, confirmed),
            Self::IssueDispatch { session } => tagged!(out, 6, session),
            Self::AckDispatch(acknowledgement) => tagged!(out, 7, acknowledgement),
            Self::ReportMeter(report) => tagged!(out, 8, report),
            Self::SettleSession { session } => tagged!(out, 9, session),
            Self::AllocateAllowances { organisation, allowances, reference } => {
                tagged!(out, 10, organisation, allowances, reference);
            }
            Self::TransferAllowances { to, allowances } => tagged!(out, 11, to, allowances),
            Self::SurrenderAllowances { allowances } => tagged!(out, 12, allowances),
            Self::TransferCertificates { lot, count, to } => tagged!(out, 13, lot, count, to),
            Self::RetireCertificates { lot, count, purpose, beneficiary } => {
                tagged!(out, 14, lot, count, purpose, beneficiary);
            }
            Self::Intervene { session, intervention, reason } => {
                tagged!(out, 15, session, intervention, reason);
            }
            Self::Device(action) => tagged!(out, 16, action),
            Self::Rule(action) => tagged!(out, 17, action),
            Self::Carbon(action) => tagged!(out, 19, action),
            Self::Contract(action) => tagged!(out, 18, action),
            Self::Certificate(action) => tagged!(out, 20, action),
            Self::Statement(action) => tagged!(out, 21, action),
            Self::Schedule(action) => tagged!(out, 23, action),
            Self::Limit(action) => tagged!(out, 22, action),
            Self::Auction(action) => tagged!(out, 24, action),
        }
    }
}

impl Decode for Action {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        fn next<T: Decode>(input: &mut &[u8]) -> Result<T, DecodeError> {
            T::decode(input)
        }
        Ok(match u8::decode(input)? {
            1 => Self::SubmitOrder(next(input)?),
            2 => Self::CancelOrder { order: next(input)? },
            3 => Self::OpenSession(next(input)?),
            4 => Self::Deposit {
                organisation: next(input)?,
                amount: next(input)?,
                reference: next(input)?,
            },
            5 => Self::ConfirmPayment { payment: next(input)?, confirmed: next(input)? },
            6 => Self::IssueDispatch { session: next(input)? },
            7 => Self::AckDispatch(next(input)?),
            8 => Self::ReportMeter(next(input)?),
            9 => Self::SettleSession { session: next(input)? },
            10 => Self::AllocateAllowances {
                organisation: next(input)?,
                allowances: next(input)?,
                reference: next(input)?,
            },
            11 => Self::TransferAllowances { to: next(input)?, allowances: next(input)? },
            12 => Self::SurrenderAllowances { allowances: next(input)? },
            13 => Self::TransferCertificates {
                lot: next(input)?,
                count: next(input)?,
                to: next(input)?,
            },
            14 => Self::RetireCertificates {
                lot: next(input)?,
                count: next(input)?,
                purpose: next(input)?,
                beneficiary: next(input)?,
            },
            15 => Self::Intervene {
                session: next(input)?,
                intervention: next(input)?,
                reason: next(input)?,
            },
            16 => Self::Device(next(input)?),
            17 => Self::Rule(next(input)?),
            19 => Self::Carbon(next(input)?),
            18 => Self::Contract(next(input)?),
            20 => Self::Certificate(next(input)?),
            21 => Self::Statement(next(input)?),
            23 => Self::Schedule(next(input)?),
            22 => Self::Limit(next(input)?),
            24 => Self::Auction(next(input)?),
            tag => return Err(DecodeError::UnknownTag { field: "action", value: tag.into() }),
        })
    }
}
