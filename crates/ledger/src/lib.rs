//! The deterministic ledger of Duet: one state in which orders, money, dispatch, meter readings,
//! allowances and certificates move together.
//!
//! The way of a transaction: canonical bytes ([`Transaction`]), [`admission`] in two steps
//! (stateless, then against the state), and [`State::apply`], which checks again and acts. Nothing
//! else changes the state. Every transaction of a block gets one [`Receipt`]: accepted, or refused
//! by a numbered [`Rejection`]. The first rule that fails, in the documented order, is the one
//! reported, on every validator.
//!
//! Only integers, ordered maps and the block's own time: the same bytes in give the same bytes out.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::as_conversions))]
#![cfg_attr(not(test), deny(clippy::float_arithmetic, clippy::indexing_slicing))]
#![cfg_attr(not(test), deny(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

mod action;
pub mod admission;
mod apply;
mod block;
mod book;
mod codec;
mod event;
mod genesis;
mod hash;
mod ids;
mod lots;
mod members;
mod receipt;
mod records;
mod rejection;
pub mod sealed;
mod state;
mod table;
mod transaction;

pub use action::device::{
    BATCH_MAX, BatchHeader, ChannelKind, DeviceAction, EnrolDevice, Health, HealthChannel,
    HealthLevel, Light, Link, PeriodReading, ReadingFlags, ReportBatch,
};
pub use action::{
    Acknowledgement, Action, AuctionAction, BlockConfirmation, BlockProposal, CarbonAction,
    CarbonBid, CarbonBiddingNotice, CarbonListing, CarbonTake, CarbonTermsNotice, CarbonWithdrawal,
    CertificateAction, ClaimCertificates, ContractAction, ContractConfirmation, Cover, CreditIssue,
    CreditRetirement, CreditTransfer, Curtailment, CurveStep, FreezeCertificates, Intervention,
    LimitAction, LineCorrection, LinkedRequest, ListingTake, MeterReport, MinimumRequest,
    MonthReading, ObjectionAnswer, OfferCertificates, OrderRequest, PeriodClosure, PeriodNotice,
    PeriodSteps, PreIssue, PricePublication, ProvedLine, Quality, Reading, ReadingSubstitution,
    RegisterProject, RegisterReductions, RetirementPurpose, RuleAction, ScheduleAction,
    SessionNotice, SetCertificateKind, SetLimits, SetSessionLimits, StatementAction,
    StatementObjection, StepCurve, TakeOffer, UnitOutput, Verification, WithdrawOffer,
    WithdrawProject,
};
pub use apply::{Outcome, SettlementRisk, YearUse};
pub use block::{Body, MAX_BLOCK_TRANSACTIONS};
pub use book::{Depth, DepthLevel};
pub use codec::{Decode, DecodeError, Encode, decode_all};
// Types of the market that are fields of orders, trades and terms.
pub use action::{ConfirmGreen, SettleGreen, WithdrawGreen};
pub use duet_market::allowance::{Band, bidding::Pricing, forecast::Forecast, listed::Level};
pub use duet_market::{
    carbon::passthrough::CostBasis,
    curve::Point as PowerPoint,
    deviation::Clawback,
    fee::FeeRule,
    game::{Design as SecondStageDesign, Stage},
    listing::Sharing,
    order::{Rationing, Side},
    rolling::TimeInForce,
};
pub use event::Event;
pub use genesis::{Genesis, GenesisError, Registration, Validator};
pub use hash::{Digest, hash, merkle_path, merkle_root, merkle_root_from_path};
pub use ids::{
    CarbonBiddingId, CarbonDealId, CarbonOrderId, CcerProjectId, CertificateLotId,
    CertificateOfferId, ChannelId, CreditLotId, DispatchId, GreenContractId, LinkedOrderId,
    OrderId, OrganisationId, PaymentId, ProposalId, PublicKey, RuleId, SessionId, TradeId, UnitId,
};
pub use receipt::{Receipt, block_receipts, block_receipts_from_path, chain_receipts};
pub use records::{
    AccountKey, AccountKind, AllowanceLeg, Balance, BenchmarkClass, CarbonAccount, CarbonBidding,
    CarbonBiddingState, CarbonDeal, CarbonMarket, CarbonMode, CarbonOrder, CarbonReference,
    CarbonShare, CarbonTerms, CcerProject, CertificateKind, CertificateLeg, CertificateLot,
    CertificateOffer, CertificateState, CertifiedUnit, ClaimedUse, ClassBenchmark,
    CompliancePeriod, ContinuousTerms, ContractTerms, ContractingTerms, Counter, CreditLot,
    CurtailmentRecord, CurvePoint, Cut, DeviationMonth, DeviationPeriod, DeviationScheme, Device,
    Dispatch, DispatchState, Dunning, Enrolment, FreeBandTerms, GuaranteeRule, Hours, Identity,
    InterventionRecord, ItemSum, LaterLine, LineItem, LinkedOrder, LinkedState, ListingRole,
    ListingTerms, MarketRule, MemberLimits, MeterMonth, MeterRecord, Mode, MonthStatement,
    MonthTraded, Objection, ObjectionState, Obligation, ObligationState, Order, OrderStatus,
    Organisation, PassThrough, Payment, PaymentState, PeriodClearing, Phase, PriceInterval,
    Proposal, ProposalState, PublishedPrices, ReferencePrice, Retirement, Role, Roles, Seal,
    Session, SessionLimits, SessionTerms, SettlementMethod, StatementCalendar, StatementLine,
    StatementState, Technology, Trade, TradingRule, Unit, UnitDeviation, UnitMonth, Withdrawal,
    YearMeter, working_day,
};
pub use records::{GreenContract, GreenMonth, GreenState, GreenTerms, ShortfallCause};
pub use rejection::{Refusal, Rejection};
pub use state::{BrokenInvariant, Delta, Progress, State, Totals};
pub use transaction::{MAX_TRANSACTION_BYTES, SUITE_ED25519, Transaction, Unsigned};
