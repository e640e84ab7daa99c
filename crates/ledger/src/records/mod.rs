//! The rows of the state: what the ledger knows of each thing. Canonical bytes are their fields in
//! order.

mod auction;
mod carbon;
mod carbon_market;
mod certificate;
mod compliance;
mod contract;
mod counter;
mod delivery;
mod device;
mod green;
mod intervention;
mod limit;
mod money;
mod order;
mod participant;
mod passthrough;
mod rule;
mod schedule;
mod seal;
mod session;
mod statement;

pub use auction::{LinkedOrder, LinkedState, PriceInterval};
pub use carbon::CarbonAccount;
pub use carbon_market::{
    CarbonBidding, CarbonBiddingState, CarbonDeal, CarbonMarket, CarbonMode, CarbonOrder,
    CarbonTerms, Hours,
};
pub use certificate::{
    CcerProject, CertificateKind, CertificateLot, CertificateOffer, CertificateState,
    CertifiedUnit, ClaimedUse, Retirement, UnitMonth,
};
pub use compliance::{
    BenchmarkClass, ClassBenchmark, CompliancePeriod, CreditLot, Obligation, ObligationState,
    YearMeter,
};
pub use contract::{
    AllowanceLeg, CertificateLeg, ContractTerms, CurvePoint, ListingRole, Proposal, ProposalState,
};
pub use counter::Counter;
pub use delivery::{Dispatch, DispatchState, MeterRecord};
pub use device::{Device, Enrolment};
pub use green::{GreenContract, GreenMonth, GreenState, GreenTerms, ShortfallCause};
pub use intervention::InterventionRecord;
pub use limit::{MemberLimits, MonthTraded, SessionLimits};
pub use money::{
    AccountKey, AccountKind, Balance, Dunning, LineItem, Payment, PaymentState, StatementLine,
};
pub use order::{Order, OrderStatus, Trade, Withdrawal};
pub use participant::{Identity, Organisation, Role, Roles, Technology, Unit};
pub use passthrough::{CarbonShare, PassThrough};
pub use rule::{
    ContractingTerms, DeviationPeriod, DeviationScheme, FreeBandTerms, GuaranteeRule, MarketRule,
    ReferencePrice, SettlementMethod, StatementCalendar, TradingRule,
};
pub use schedule::{CurtailmentRecord, Cut, PublishedPrices};
pub use seal::Seal;
pub use session::{
    CarbonReference, ContinuousTerms, ListingTerms, Mode, PeriodClearing, Phase, Session,
    SessionTerms,
};
pub use statement::{
    DeviationMonth, ItemSum, LaterLine, MeterMonth, MonthStatement, Objection, ObjectionState,
    StatementState, UnitDeviation, working_day,
};
