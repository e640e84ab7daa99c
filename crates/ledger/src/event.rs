//! Facts for readers: what a block did, in the order in which it happened.

use crate::action::Intervention;
use crate::hash::Digest;
use crate::ids::GreenContractId;
use crate::ids::{
    CarbonBiddingId, CarbonDealId, CarbonOrderId, CcerProjectId, CertificateLotId,
    CertificateOfferId, CreditLotId, DispatchId, LinkedOrderId, OrderId, OrganisationId, PaymentId,
    ProposalId, PublicKey, RuleId, SessionId, TradeId, UnitId,
};
use crate::records::{CertificateKind, LinkedState};
use duet_units::{Allowances, CarbonPrice, DeliveryDay, Emissions, Energy, Money, Month, Price};

/// A fact. Events are derived from blocks: they are for readers and no part of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named by the glossary")]
pub enum Event {
    /// A transaction was refused; `code` is the number of the rejection.
    TransactionRefused { transaction: Digest, code: u16 },
    /// A session was announced.
    SessionAnnounced { session: SessionId, day: DeliveryDay },
    /// A gate opened: orders are taken.
    GateOpened { session: SessionId },
    /// An order was accepted.
    OrderAccepted { order: OrderId, session: SessionId, owner: OrganisationId },
    /// An order was withdrawn.
    OrderCancelled { order: OrderId, session: SessionId, owner: OrganisationId },
    /// An order over several periods was taken into the book.
    LinkedPlaced { linked: LinkedOrderId, session: SessionId, owner: OrganisationId },
    /// It was accepted or rejected when the gate closed, withdrawn, or its session called off.
    LinkedEnded { linked: LinkedOrderId, session: SessionId, state: LinkedState },
    /// A contract was proposed to a member.
    ContractProposed { proposal: ProposalId, session: SessionId, to: OrganisationId },
    /// Both have signed it.
    ContractConfirmed { proposal: ProposalId, session: SessionId },
    /// It was withdrawn or declined.
    ContractWithdrawn { proposal: ProposalId, session: SessionId },
    /// The call before a continuous phase cleared.
    CallCleared { session: SessionId, trades: u64, volume: Energy },
    /// An order matched on arrival.
    TradeMade { trade: TradeId, session: SessionId, period: u8, quantity: Energy, price: Price },
    /// A gate closed and the session was cleared.
    SessionCleared { session: SessionId, trades: u64, first: Energy, second: Energy },
    /// The price of allowances of a session was taken from the last close.
    CarbonPriceTaken { session: SessionId, price: CarbonPrice },
    /// The lottery of a second stage was drawn: in so many periods it is held.
    SecondStageDrawn { session: SessionId, draw: Digest, held: u8 },
    /// A session was called off.
    SessionVoided { session: SessionId },
    /// An operator intervened.
    Intervened { session: SessionId, intervention: Intervention, by: PublicKey, reason: String },
    /// A version of a province's rules was published.
    RulePublished { rule: RuleId, province: String, version: u32, effective_from: DeliveryDay },
    /// The limits of an organisation in a month were set.
    LimitsSet { organisation: OrganisationId, month: Month },
    /// The limits of a session were set.
    SessionLimitsSet { session: SessionId },
    /// Money was set aside as a guarantee.
    GuaranteePledged { organisation: OrganisationId, amount: Money },
    /// Money was taken out of a guarantee.
    GuaranteeReleased { organisation: OrganisationId, amount: Money },
    /// A payment failed and money was drawn from the payer's guarantee.
    GuaranteeDrawn { organisation: OrganisationId, payment: PaymentId, amount: Money },
    /// After a failed payment the payer must hold this guarantee before it orders again.
    GuaranteeDemanded { organisation: OrganisationId, level: Money },
    /// Money came in.
    Deposited { organisation: OrganisationId, amount: Money },
    /// A payment instruction goes to the bank.
    PaymentProposed { payment: PaymentId, payer: OrganisationId, amount: Money },
    /// The bank confirmed or refused it.
    PaymentResolved { payment: PaymentId, confirmed: bool },
    /// A unit is instructed.
    DispatchIssued { dispatch: DispatchId, session: SessionId, unit: UnitId },
    /// A device answered.
    DispatchAcknowledged { dispatch: DispatchId, accepted: bool },
    /// A meter was read.
    MeterReported { unit: UnitId, day: DeliveryDay, first_period: u8, periods: u8 },
    /// A batch that a device signed was recorded.
    BatchReported { device: PublicKey, sequence: u64, readings: u16 },
    /// A unit has a new device.
    DeviceEnrolled { unit: UnitId, device: PublicKey },
    /// A device told how its board stands; `alarms` are the bits of [`Health`](crate::Health).
    HealthReported { device: PublicKey, alarms: u16 },
    /// Real-time prices of a day were published.
    PricesPublished { session: SessionId, day: DeliveryDay },
    /// Traded energy was cut to what the security check allows.
    Curtailed {
        session: SessionId,
        day: DeliveryDay,
        period: u8,
        cut: Energy,
        trades: u32,
        reason: String,
    },
    /// The dispatcher put estimates in the place of readings that a meter did not report.
    ReadingsSubstituted {
        unit: UnitId,
        day: DeliveryDay,
        first_period: u8,
        periods: u8,
        by: PublicKey,
        reason: String,
    },
    /// A session was settled.
    SessionSettled { session: SessionId, lines: u32, emissions: Emissions, result_hash: Digest },
    /// A member objected to a line of its statement.
    StatementObjected { objection: u64, month: Month, organisation: OrganisationId },
    /// The exchange answered an objection.
    ObjectionAnswered { objection: u64, corrected: bool },
    /// A line was corrected by a new one.
    LineCorrected { correction: u64, session: SessionId, place: u32, amount: Money },
    /// A month became final.
    MonthClosed { month: Month, statements: u32 },
    /// Allowances were allocated.
    AllowancesAllocated { organisation: OrganisationId, allowances: Allowances },
    /// Allowances changed hands.
    AllowancesTransferred { from: OrganisationId, to: OrganisationId, allowances: Allowances },
    /// Allowances were surrendered.
    AllowancesSurrendered { organisation: OrganisationId, allowances: Allowances },
    /// A listing, the proposal of a block or a bid was accepted; what it says stays in the book.
    CarbonOrderAccepted { order: CarbonOrderId, owner: OrganisationId },
    /// What was left of one was withdrawn, or ended with its day or bidding, and is released.
    CarbonOrderEnded { order: CarbonOrderId, owner: OrganisationId },
    /// Allowances were dealt: delivered and paid.
    AllowancesDealt {
        deal: CarbonDealId,
        order: CarbonOrderId,
        allowances: Allowances,
        price: CarbonPrice,
    },
    /// A one-way bidding was announced.
    CarbonBiddingAnnounced { bidding: CarbonBiddingId, owner: OrganisationId },
    /// A one-way bidding was awarded.
    CarbonBiddingAwarded { bidding: CarbonBiddingId, allowances: Allowances },
    /// A day of the allowance market ended with this close.
    CarbonDayClosed { day: DeliveryDay, close: CarbonPrice, dealt: Allowances },
    /// The rules of a compliance period were published.
    CompliancePeriodPublished { year: u16 },
    /// A year of an organisation was verified.
    EmissionsVerified {
        year: u16,
        organisation: OrganisationId,
        verified: Allowances,
        allocated: Allowances,
        due: Allowances,
    },
    /// A year of an organisation was closed; `expired` could not be banked, `outstanding` is
    /// still due.
    CompliancePeriodClosed {
        year: u16,
        organisation: OrganisationId,
        banked: Allowances,
        expired: Allowances,
        outstanding: Allowances,
    },
    /// Carbon credits were issued.
    CreditsIssued { lot: CreditLotId, owner: OrganisationId, count: u64 },
    /// Carbon credits changed hands.
    CreditsTransferred { lot: CreditLotId, to: OrganisationId, count: u64 },
    /// Carbon credits were retired for a compliance period.
    CreditsRetired { lot: CreditLotId, owner: OrganisationId, year: u16, count: u64 },
    /// Certificates were issued.
    CertificatesIssued { lot: CertificateLotId, unit: UnitId, count: u64 },
    /// Certificates changed hands.
    CertificatesTransferred { lot: CertificateLotId, to: OrganisationId, count: u64 },
    /// Certificates were retired.
    CertificatesRetired { lot: CertificateLotId, count: u64 },
    /// Certificates were offered for sale.
    CertificatesOffered {
        offer: CertificateOfferId,
        lot: CertificateLotId,
        count: u64,
        price: Money,
    },
    /// Certificates of an offer were sold.
    CertificatesSold {
        offer: CertificateOfferId,
        lot: CertificateLotId,
        to: OrganisationId,
        count: u64,
        amount: Money,
    },
    /// An offer of certificates ended unsold.
    CertificateOfferEnded { offer: CertificateOfferId },
    /// Certificates reached the end of their validity and were retired.
    CertificatesExpired { lot: CertificateLotId, count: u64 },
    /// A dispute over certificates began or ended.
    CertificatesFrozen { lot: CertificateLotId, frozen: bool, by: PublicKey, reason: String },
    /// Certificates were cancelled for registered reductions of their energy.
    CertificatesCancelled { lot: CertificateLotId, count: u64 },
    /// A green contract was proposed.
    GreenProposed { contract: GreenContractId, generator: OrganisationId, consumer: OrganisationId },
    /// A green contract was confirmed.
    GreenConfirmed { contract: GreenContractId },
    /// The proposal of a green contract was withdrawn.
    GreenWithdrawn { contract: GreenContractId },
    /// A month of a green contract was settled.
    GreenSettled {
        contract: GreenContractId,
        month: Month,
        certificates: u64,
        amount: Money,
        compensation: Money,
    },
    /// What a unit's energy gets was registered.
    CertificateKindSet { unit: UnitId, kind: CertificateKind },
    /// A CCER project was registered; the certificates of its period are frozen.
    ProjectRegistered { project: CcerProjectId, unit: UnitId, frozen: u64 },
    /// A CCER project was withdrawn; its certificates are free.
    ProjectWithdrawn { project: CcerProjectId, freed: u64 },
    /// Reductions of a CCER project were registered; certificates of their months are cancelled.
    ReductionsRegistered {
        project: CcerProjectId,
        to: Month,
        reductions: Allowances,
        cancelled: u64,
    },
}
