//! Facts for readers, as JSON.

use super::{Big, CalendarMonth, CertificateKind, Day, Hex32, Intervention, LinkedState};
use serde::{Deserialize, Serialize};

/// A final fact; `kind` says which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are named by the glossary")]
pub enum Event {
    /// A transaction was refused; `code` is the number of the rejection.
    TransactionRefused { transaction: Hex32, code: u16 },
    /// A session was announced.
    SessionAnnounced { session: u32, day: Day },
    /// A gate opened: orders are taken.
    GateOpened { session: u32 },
    /// An order was accepted.
    OrderAccepted { order: u64, session: u32, owner: u32 },
    /// An order was withdrawn.
    OrderCancelled { order: u64, session: u32, owner: u32 },
    /// An order over several periods was taken into the book.
    LinkedPlaced { linked: u64, session: u32, owner: u32 },
    /// It was accepted or rejected when the gate closed, withdrawn, or its session called off.
    LinkedEnded { linked: u64, session: u32, state: LinkedState },
    /// A contract was proposed to a member.
    ContractProposed { proposal: u64, session: u32, to: u32 },
    /// Both have signed it.
    ContractConfirmed { proposal: u64, session: u32 },
    /// It was withdrawn or declined.
    ContractWithdrawn { proposal: u64, session: u32 },
    /// The call before a continuous phase cleared.
    CallCleared { session: u32, trades: u64, volume_kwh: i64 },
    /// An order matched on arrival.
    TradeMade {
        trade: u64,
        session: u32,
        period: u8,
        quantity_kwh: i64,
        price_milli_yuan_per_mwh: i64,
    },
    /// A gate closed and the session was cleared.
    SessionCleared { session: u32, trades: u64, first_kwh: i64, second_kwh: i64 },
    /// The price of allowances of a session was taken from the last close.
    CarbonPriceTaken { session: u32, price_fen_per_t: i64 },
    /// The lottery of a second stage was drawn: in so many periods it is held.
    SecondStageDrawn { session: u32, draw: Hex32, held: u8 },
    /// A session was called off.
    SessionVoided { session: u32 },
    /// An operator intervened.
    Intervened { session: u32, intervention: Intervention, by: Hex32, reason: String },
    /// A version of a province's rules was published.
    RulePublished { rule: u32, province: String, version: u32, effective_from: Day },
    /// The limits of an organisation in a month were set.
    LimitsSet { organisation: u32, month: CalendarMonth },
    /// The limits of a session were set.
    SessionLimitsSet { session: u32 },
    /// Money was set aside as a guarantee.
    GuaranteePledged { organisation: u32, amount_fen: Big },
    /// Money was taken out of a guarantee.
    GuaranteeReleased { organisation: u32, amount_fen: Big },
    /// A payment failed and money was drawn from the payer's guarantee.
    GuaranteeDrawn { organisation: u32, payment: u64, amount_fen: Big },
    /// After a failed payment the payer must hold this guarantee before it orders again.
    GuaranteeDemanded { organisation: u32, level_fen: Big },
    /// Money came in.
    Deposited { organisation: u32, amount_fen: Big },
    /// A payment instruction goes to the bank.
    PaymentProposed { payment: u64, payer: u32, amount_fen: Big },
    /// The bank confirmed or refused it.
    PaymentResolved { payment: u64, confirmed: bool },
    /// A unit is instructed.
    DispatchIssued { dispatch: u64, session: u32, unit: u32 },
    /// A device answered.
    DispatchAcknowledged { dispatch: u64, accepted: bool },
    /// A meter was read.
    MeterReported { unit: u32, day: Day, first_period: u8, periods: u8 },
    /// A batch that a device signed was recorded.
    BatchReported { device: Hex32, sequence: u64, readings: u16 },
    /// A unit has a new device.
    DeviceEnrolled { unit: u32, device: Hex32 },
    /// A device told how its board stands.
    HealthReported { device: Hex32, alarms: u16 },
    /// Real-time prices of a day were published.
    PricesPublished { session: u32, day: Day },
    /// Traded energy was cut to what the security check allows.
    Curtailed { session: u32, day: Day, period: u8, cut_kwh: i64, trades: u32, reason: String },
    /// The dispatcher put estimates in the place of readings that a meter did not report.
    ReadingsSubstituted {
        unit: u32,
        day: Day,
        first_period: u8,
        periods: u8,
        by: Hex32,
        reason: String,
    },
    /// A session was settled.
    SessionSettled { session: u32, lines: u32, emissions_g: Big, result_hash: Hex32 },
    /// A member objected to a line of its statement.
    StatementObjected { objection: u64, month: CalendarMonth, organisation: u32 },
    /// The exchange answered an objection.
    ObjectionAnswered { objection: u64, corrected: bool },
    /// A line was corrected by a new one.
    LineCorrected { correction: u64, session: u32, place: u32, amount_fen: Big },
    /// A month became final.
    MonthClosed { month: CalendarMonth, statements: u32 },
    /// Allowances were allocated.
    AllowancesAllocated { organisation: u32, allowances_t: i64 },
    /// Allowances changed hands.
    AllowancesTransferred { from: u32, to: u32, allowances_t: i64 },
    /// Allowances were surrendered.
    AllowancesSurrendered { organisation: u32, allowances_t: i64 },
    /// A listing, the proposal of a block or a bid was accepted; what it says stays in the book.
    CarbonOrderAccepted { order: u64, owner: u32 },
    /// What was left of one was withdrawn, or ended with its day or bidding, and is released.
    CarbonOrderEnded { order: u64, owner: u32 },
    /// Allowances were dealt: delivered and paid.
    AllowancesDealt { deal: u64, order: u64, allowances_t: i64, price_fen_per_t: i64 },
    /// A one-way bidding was announced.
    CarbonBiddingAnnounced { bidding: u64, owner: u32 },
    /// A one-way bidding was awarded.
    CarbonBiddingAwarded { bidding: u64, allowances_t: i64 },
    /// A day of the allowance market ended with this close.
    CarbonDayClosed { day: Day, close_fen_per_t: i64, dealt_t: i64 },
    /// The rules of a compliance period were published.
    CompliancePeriodPublished { year: u16 },
    /// A year of an organisation was verified.
    EmissionsVerified {
        year: u16,
        organisation: u32,
        verified_t: i64,
        allocated_t: i64,
        due_t: i64,
    },
    /// A year of an organisation was closed.
    CompliancePeriodClosed {
        year: u16,
        organisation: u32,
        banked_t: i64,
        expired_t: i64,
        outstanding_t: i64,
    },
    /// Carbon credits were issued.
    CreditsIssued { lot: u64, owner: u32, count: u64 },
    /// Carbon credits changed hands.
    CreditsTransferred { lot: u64, to: u32, count: u64 },
    /// Carbon credits were retired for a compliance period.
    CreditsRetired { lot: u64, owner: u32, year: u16, count: u64 },
    /// Certificates were issued.
    CertificatesIssued { lot: u64, unit: u32, count: u64 },
    /// Certificates changed hands.
    CertificatesTransferred { lot: u64, to: u32, count: u64 },
    /// Certificates were retired.
    CertificatesRetired { lot: u64, count: u64 },
    /// Certificates were offered for sale.
    CertificatesOffered { offer: u64, lot: u64, count: u64, price_fen: Big },
    /// Certificates of an offer were sold.
    CertificatesSold { offer: u64, lot: u64, to: u32, count: u64, amount_fen: Big },
    /// An offer of certificates ended unsold.
    CertificateOfferEnded { offer: u64 },
    /// Certificates reached the end of their validity and were retired.
    CertificatesExpired { lot: u64, count: u64 },
    /// A dispute over certificates began or ended.
    CertificatesFrozen { lot: u64, frozen: bool, by: Hex32, reason: String },
    /// Certificates were cancelled for registered reductions of their energy.
    CertificatesCancelled { lot: u64, count: u64 },
    /// A green contract was proposed.
    GreenProposed { contract: u64, generator: u32, consumer: u32 },
    /// A green contract was confirmed.
    GreenConfirmed { contract: u64 },
    /// The proposal of a green contract was withdrawn.
    GreenWithdrawn { contract: u64 },
    /// A month of a green contract was settled.
    GreenSettled {
        contract: u64,
        month: CalendarMonth,
        certificates: u64,
        amount_fen: Big,
        compensation_fen: Big,
    },
    /// What a unit's energy gets was registered.
    CertificateKindSet { unit: u32, certificates: CertificateKind },
    /// A CCER project was registered; the certificates of its period are frozen.
    ProjectRegistered { project: u64, unit: u32, frozen: u64 },
    /// A CCER project was withdrawn; its certificates are free.
    ProjectWithdrawn { project: u64, freed: u64 },
    /// Reductions of a CCER project were registered; certificates of their months are cancelled.
    ReductionsRegistered { project: u64, to: CalendarMonth, reductions_t: i64, cancelled: u64 },
    /// A fact that this release has no form for.
    #[serde(other)]
    Unknown,
}

impl From<&duet_ledger::Event> for Event {
    #[expect(clippy::too_many_lines, reason = "one short arm for each case")]
    fn from(event: &duet_ledger::Event) -> Self {
        use duet_ledger::Event as L;
        match event {
            L::TransactionRefused { transaction, code } => {
                Self::TransactionRefused { transaction: Hex32(*transaction), code: *code }
            }
            L::SessionAnnounced { session, day } => {
                Self::SessionAnnounced { session: session.0, day: Day(*day) }
            }
            L::GateOpened { session } => Self::GateOpened { session: session.0 },
            L::OrderAccepted { order, session, owner } => {
                Self::OrderAccepted { order: order.0, session: session.0, owner: owner.0 }
            }
            L::OrderCancelled { order, session, owner } => {
                Self::OrderCancelled { order: order.0, session: session.0, owner: owner.0 }
            }
            L::LinkedPlaced { linked, session, owner } => {
                Self::LinkedPlaced { linked: linked.0, session: session.0, owner: owner.0 }
            }
            L::LinkedEnded { linked, session, state } => {
                Self::LinkedEnded { linked: linked.0, session: session.0, state: (*state).into() }
            }
            L::ContractProposed { proposal, session, to } => {
                Self::ContractProposed { proposal: proposal.0, session: session.0, to: to.0 }
            }
            L::ContractConfirmed { proposal, session } => {
                Self::ContractConfirmed { proposal: proposal.0, session: session.0 }
            }
            L::ContractWithdrawn { proposal, session } => {
                Self::ContractWithdrawn { proposal: proposal.0, session: session.0 }
            }
            L::CallCleared { session, trades, volume } => {
                Self::CallCleared { session: session.0, trades: *trades, volume_kwh: volume.kwh() }
            }
            L::TradeMade { trade, session, period, quantity, price } => Self::TradeMade {
                trade: trade.0,
                session: session.0,
                period: *period,
                quantity_kwh: quantity.kwh(),
                price_milli_yuan_per_mwh: price.milli_yuan_per_mwh(),
            },
            L::SessionCleared { session, trades, first, second } => Self::SessionCleared {
                session: session.0,
                trades: *trades,
                first_kwh: first.kwh(),
                second_kwh: second.kwh(),
            },
            L::CarbonPriceTaken { session, price } => {
                Self::CarbonPriceTaken { session: session.0, price_fen_per_t: price.fen_per_t() }
            }
            L::SecondStageDrawn { session, draw, held } => {
                Self::SecondStageDrawn { session: session.0, draw: Hex32(*draw), held: *held }
            }
            L::SessionVoided { session } => Self::SessionVoided { session: session.0 },
            L::Intervened { session, intervention, by, reason } => Self::Intervened {
                session: session.0,
                intervention: (*intervention).into(),
                by: (*by).into(),
                reason: reason.clone(),
            },
            L::RulePublished { rule, province, version, effective_from } => Self::RulePublished {
                rule: rule.0,
                province: province.clone(),
                version: *version,
                effective_from: Day(*effective_from),
            },
            L::LimitsSet { organisation, month } => {
                Self::LimitsSet { organisation: organisation.0, month: CalendarMonth(*month) }
            }
            L::SessionLimitsSet { session } => Self::SessionLimitsSet { session: session.0 },
            L::GuaranteePledged { organisation, amount } => Self::GuaranteePledged {
                organisation: organisation.0,
                amount_fen: Big(amount.fen()),
            },
            L::GuaranteeReleased { organisation, amount } => Self::GuaranteeReleased {
                organisation: organisation.0,
                amount_fen: Big(amount.fen()),
            },
            L::GuaranteeDrawn { organisation, payment, amount } => Self::GuaranteeDrawn {
                organisation: organisation.0,
                payment: payment.0,
                amount_fen: Big(amount.fen()),
            },
            L::GuaranteeDemanded { organisation, level } => Self::GuaranteeDemanded {
                organisation: organisation.0,
                level_fen: Big(level.fen()),
            },
            L::Deposited { organisation, amount } => {
                Self::Deposited { organisation: organisation.0, amount_fen: Big(amount.fen()) }
            }
            L::PaymentProposed { payment, payer, amount } => Self::PaymentProposed {
                payment: payment.0,
                payer: payer.0,
                amount_fen: Big(amount.fen()),
            },
            L::PaymentResolved { payment, confirmed } => {
                Self::PaymentResolved { payment: payment.0, confirmed: *confirmed }
            }
            L::DispatchIssued { dispatch, session, unit } => {
                Self::DispatchIssued { dispatch: dispatch.0, session: session.0, unit: unit.0 }
            }
            L::DispatchAcknowledged { dispatch, accepted } => {
                Self::DispatchAcknowledged { dispatch: dispatch.0, accepted: *accepted }
            }
            L::MeterReported { unit, day, first_period, periods } => Self::MeterReported {
                unit: unit.0,
                day: Day(*day),
                first_period: *first_period,
                periods: *periods,
            },
            L::BatchReported { device, sequence, readings } => Self::BatchReported {
                device: (*device).into(),
                sequence: *sequence,
                readings: *readings,
            },
            L::DeviceEnrolled { unit, device } => {
                Self::DeviceEnrolled { unit: unit.0, device: (*device).into() }
            }
            L::HealthReported { device, alarms } => {
                Self::HealthReported { device: (*device).into(), alarms: *alarms }
            }
            L::PricesPublished { session, day } => {
                Self::PricesPublished { session: session.0, day: Day(*day) }
            }
            L::Curtailed { session, day, period, cut, trades, reason } => Self::Curtailed {
                session: session.0,
                day: Day(*day),
                period: *period,
                cut_kwh: cut.kwh(),
                trades: *trades,
                reason: reason.clone(),
            },
            L::ReadingsSubstituted { unit, day, first_period, periods, by, reason } => {
                Self::ReadingsSubstituted {
                    unit: unit.0,
                    day: Day(*day),
                    first_period: *first_period,
                    periods: *periods,
                    by: (*by).into(),
                    reason: reason.clone(),
                }
            }
            L::SessionSettled { session, lines, emissions, result_hash } => Self::SessionSettled {
                session: session.0,
                lines: *lines,
                emissions_g: Big(emissions.g()),
                result_hash: Hex32(*result_hash),
            },
            L::StatementObjected { objection, month, organisation } => Self::StatementObjected {
                objection: *objection,
                month: CalendarMonth(*month),
                organisation: organisation.0,
            },
            L::ObjectionAnswered { objection, corrected } => {
                Self::ObjectionAnswered { objection: *objection, corrected: *corrected }
            }
            L::LineCorrected { correction, session, place, amount } => Self::LineCorrected {
                correction: *correction,
                session: session.0,
                place: *place,
                amount_fen: Big(amount.fen()),
            },
            L::MonthClosed { month, statements } => {
                Self::MonthClosed { month: CalendarMonth(*month), statements: *statements }
            }
            L::AllowancesAllocated { organisation, allowances } => Self::AllowancesAllocated {
                organisation: organisation.0,
                allowances_t: allowances.t(),
            },
            L::AllowancesTransferred { from, to, allowances } => {
                Self::AllowancesTransferred { from: from.0, to: to.0, allowances_t: allowances.t() }
            }
            L::AllowancesSurrendered { organisation, allowances } => Self::AllowancesSurrendered {
                organisation: organisation.0,
                allowances_t: allowances.t(),
            },
            L::CarbonOrderAccepted { order, owner } => {
                Self::CarbonOrderAccepted { order: order.0, owner: owner.0 }
            }
            L::CarbonOrderEnded { order, owner } => {
                Self::CarbonOrderEnded { order: order.0, owner: owner.0 }
            }
            L::AllowancesDealt { deal, order, allowances, price } => Self::AllowancesDealt {
                deal: deal.0,
                order: order.0,
                allowances_t: allowances.t(),
                price_fen_per_t: price.fen_per_t(),
            },
            L::CarbonBiddingAnnounced { bidding, owner } => {
                Self::CarbonBiddingAnnounced { bidding: bidding.0, owner: owner.0 }
            }
            L::CarbonBiddingAwarded { bidding, allowances } => {
                Self::CarbonBiddingAwarded { bidding: bidding.0, allowances_t: allowances.t() }
            }
            L::CarbonDayClosed { day, close, dealt } => Self::CarbonDayClosed {
                day: Day(*day),
                close_fen_per_t: close.fen_per_t(),
                dealt_t: dealt.t(),
            },
            L::CompliancePeriodPublished { year } => {
                Self::CompliancePeriodPublished { year: *year }
            }
            L::EmissionsVerified { year, organisation, verified, allocated, due } => {
                Self::EmissionsVerified {
                    year: *year,
                    organisation: organisation.0,
                    verified_t: verified.t(),
                    allocated_t: allocated.t(),
                    due_t: due.t(),
                }
            }
            L::CompliancePeriodClosed { year, organisation, banked, expired, outstanding } => {
                Self::CompliancePeriodClosed {
                    year: *year,
                    organisation: organisation.0,
                    banked_t: banked.t(),
                    expired_t: expired.t(),
                    outstanding_t: outstanding.t(),
                }
            }
            L::CreditsIssued { lot, owner, count } => {
                Self::CreditsIssued { lot: lot.0, owner: owner.0, count: *count }
            }
            L::CreditsTransferred { lot, to, count } => {
                Self::CreditsTransferred { lot: lot.0, to: to.0, count: *count }
            }
            L::CreditsRetired { lot, owner, year, count } => {
                Self::CreditsRetired { lot: lot.0, owner: owner.0, year: *year, count: *count }
            }
            L::CertificatesIssued { lot, unit, count } => {
                Self::CertificatesIssued { lot: lot.0, unit: unit.0, count: *count }
            }
            L::CertificatesTransferred { lot, to, count } => {
                Self::CertificatesTransferred { lot: lot.0, to: to.0, count: *count }
            }
            L::CertificatesRetired { lot, count } => {
                Self::CertificatesRetired { lot: lot.0, count: *count }
            }
            other => Self::of_certificates(other),
        }
    }
}

impl Event {
    fn of_certificates(event: &duet_ledger::Event) -> Self {
        use duet_ledger::Event as L;
        match event {
            L::CertificatesOffered { offer, lot, count, price } => Self::CertificatesOffered {
                offer: offer.0,
                lot: lot.0,
                count: *count,
                price_fen: Big(price.fen()),
            },
            L::CertificatesSold { offer, lot, to, count, amount } => Self::CertificatesSold {
                offer: offer.0,
                lot: lot.0,
                to: to.0,
                count: *count,
                amount_fen: Big(amount.fen()),
            },
            L::CertificateOfferEnded { offer } => Self::CertificateOfferEnded { offer: offer.0 },
            L::CertificatesExpired { lot, count } => {
                Self::CertificatesExpired { lot: lot.0, count: *count }
            }
            L::CertificatesFrozen { lot, frozen, by, reason } => Self::CertificatesFrozen {
                lot: lot.0,
                frozen: *frozen,
                by: (*by).into(),
                reason: reason.clone(),
            },
            L::CertificatesCancelled { lot, count } => {
                Self::CertificatesCancelled { lot: lot.0, count: *count }
            }
            L::GreenProposed { contract, generator, consumer } => Self::GreenProposed {
                contract: contract.0,
                generator: generator.0,
                consumer: consumer.0,
            },
            L::GreenConfirmed { contract } => Self::GreenConfirmed { contract: contract.0 },
            L::GreenWithdrawn { contract } => Self::GreenWithdrawn { contract: contract.0 },
            L::GreenSettled { contract, month, certificates, amount, compensation } => {
                Self::GreenSettled {
                    contract: contract.0,
                    month: CalendarMonth(*month),
                    certificates: *certificates,
                    amount_fen: Big(amount.fen()),
                    compensation_fen: Big(compensation.fen()),
                }
            }
            L::CertificateKindSet { unit, kind } => {
                Self::CertificateKindSet { unit: unit.0, certificates: (*kind).into() }
            }
            L::ProjectRegistered { project, unit, frozen } => {
                Self::ProjectRegistered { project: project.0, unit: unit.0, frozen: *frozen }
            }
            L::ProjectWithdrawn { project, freed } => {
                Self::ProjectWithdrawn { project: project.0, freed: *freed }
            }
            L::ReductionsRegistered { project, to, reductions, cancelled } => {
                Self::ReductionsRegistered {
                    project: project.0,
                    to: CalendarMonth(*to),
                    reductions_t: reductions.t(),
                    cancelled: *cancelled,
                }
            }
            _ => Self::Unknown,
        }
    }
}

/// A final fact and its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FinalEvent {
    /// The height of its block.
    pub height: u64,
    /// Its place in the block, from 0.
    pub index: u32,
    /// The time of the block.
    pub time_ms: i64,
    /// What happened; none if the block became final without any event.
    pub event: Option<Event>,
}
