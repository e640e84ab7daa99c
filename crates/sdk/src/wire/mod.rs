//! The JSON shapes of the API: one for each record, action and event of the ledger.
//!
//! Every quantity carries its unit in the field's name. Integers of at most 64 bits are JSON
//! numbers, integers of 128 bits (money, emissions) are decimal strings, because readers in many
//! languages hold numbers as doubles. Keys, hashes and signatures are lower-case hex, days are
//! `YYYY-MM-DD` in UTC+8, instants are milliseconds since the Unix epoch. Nothing is rounded here.

mod action;
mod auction;
mod carbon;
mod carbon_market;
mod certificate;
mod chain;
mod compliance;
mod contract;
mod delivery;
mod device;
mod event;
mod green;
mod limit;
mod mode;
mod money;
mod order;
mod participant;
mod passthrough;
mod rule;
mod scalar;
mod schedule;
mod sealed;
mod session;
mod statement;
mod trace;

pub use action::{
    Acknowledgement, Action, ActionError, BlockConfirmation, BlockProposal, CarbonAction,
    CarbonBid, CarbonBiddingNotice, CarbonListing, CarbonTake, CarbonTermsNotice, CarbonWithdrawal,
    ContractConfirmation, Curtailment, Intervention, LineCorrection, ListingTake, MeterReport,
    MonthReading, ObjectionAnswer, OrderRequest, PricePublication, ProvedLine, Quality, Reading,
    ReadingSubstitution, RetirementPurpose, SessionNotice, StatementObjection,
};
pub use action::{
    Cover, CreditIssue, CreditRetirement, CreditTransfer, PeriodClosure, PeriodNotice, PreIssue,
    UnitOutput, Verification,
};
pub use action::{CurveStep, LinkedRequest, MinimumRequest, PeriodSteps, StepCurve};
pub use auction::{Auction, AuctionPeriod, LinkedOrder, LinkedPart, LinkedState, MinimumOrder};
pub use carbon::CarbonAccount;
pub use carbon_market::{
    CarbonAccountDetail, CarbonBidding, CarbonBiddingState, CarbonBook, CarbonDeal, CarbonLevel,
    CarbonMarket, CarbonMode, CarbonOrder, CarbonTerms, Hours, Pricing,
};
pub use certificate::{
    CcerProject, Certificate, CertificateAction, CertificateKind, CertificateLot, CertificateOffer,
    CertificateState, Retirement,
};
pub use chain::{
    Block, BlockTransaction, Channel, Page, Problem, Receipt, Status, SubmitRequest, Submitted,
};
pub use compliance::{
    BenchmarkClass, ClassBenchmark, CompliancePeriod, CreditLot, GapForecast, Obligation,
    ObligationState,
};
pub use contract::{
    AllowanceLeg, CertificateLeg, ContractTerms, CurvePoint, Proposal, ProposalState,
};
pub use delivery::{Dispatch, DispatchCurve, DispatchPoint, DispatchState, MeterRecord};
pub use device::{
    ChannelKind, Device, EnrolDevice, Health, HealthChannel, HealthLevel, Light, Link,
    PeriodReading, ReportBatch,
};
pub use event::{Event, FinalEvent};
pub use green::{ClaimReport, GreenContract, GreenMonth, GreenState, GreenTerms, ShortfallCause};
pub use limit::{Dunning, Limits, MonthLimits, SetLimits, SetSessionLimits, SettlementRisk};
pub use mode::Mode;
pub use money::{AccountKind, Balance, LineItem, Payment, PaymentState, StatementLine};
pub use order::{Order, OrderStatus, Side, Stage, TimeInForce, Trade};
pub use participant::{Identity, Organisation, OrganisationDetail, Role, Technology, Unit};
pub use passthrough::{CarbonShare, PassThrough};
pub use rule::{
    Clawback, CostBasis, Deviation, DeviationPeriod, Fee, GuaranteeRule, MarketRule, PublishedRule,
    ReferencePrice, SettlementMethod, Sharing, StatementCalendar, TradingRule,
};
pub use scalar::CalendarMonth;
pub use scalar::{Big, Bytes, Day, Hex32, Period, Signature};
pub use schedule::{CurtailmentRecord, PublishedPrices};
pub use sealed::{
    AgreedTrade, InterventionRecord, SEALED_VERSION, Seal, SealedBook, SealedCarry, SealedInput,
    SealedOrder, SealedPayment, SealedResult, SealedSession,
};
pub use session::{
    CarbonReference, Depth, DepthLevel, PeriodClearing, Phase, Rationing, Resolution,
    SecondStageDesign, Session, SessionTerms,
};
pub use statement::{
    ItemSum, LaterLine, MonthStatement, Objection, ObjectionState, StatementState,
};
pub use trace::{Formula, LaterTrace, LineTrace, MonthMeter, PriceSource, TracedTransaction};

/// Defines the JSON form of an enum of the ledger: the same cases, in snake case.
macro_rules! mirror {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $case:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$doc])* $case,)* }

        impl From<duet_ledger::$name> for $name {
            fn from(value: duet_ledger::$name) -> Self {
                match value { $(duet_ledger::$name::$case => Self::$case,)* }
            }
        }
        impl From<$name> for duet_ledger::$name {
            fn from(value: $name) -> Self {
                match value { $($name::$case => Self::$case,)* }
            }
        }
    };
}
pub(crate) use mirror;

/// Defines the JSON form of a row of the ledger, and how it is made from the row.
macro_rules! view {
    ($(#[$meta:meta])* $name:ident($($arg:ident: $from:ty),*) {
        $($(#[$doc:meta])* $field:ident: $kind:ty = $value:expr;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $name { $($(#[$doc])* pub $field: $kind,)* }

        impl $name {
            /// The JSON form of this row.
            #[must_use]
            pub fn new($($arg: $from),*) -> Self {
                Self { $($field: $value,)* }
            }
        }
    };
}
pub(crate) use view;

/// Derives what every JSON shape has that is read as well as written.
macro_rules! shape {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$doc])* pub $field: $kind,)* }
    };
}
pub(crate) use shape;

/// Defines the JSON form of a record of an action, and both ways between them: of each field its
/// JSON type, the record's field, how it is made from JSON, and JSON from it.
macro_rules! request {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$doc:meta])* $field:ident: $kind:ty = $row:ident: $read:expr, $write:expr;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$doc])* pub $field: $kind,)* }

        impl From<$name> for duet_ledger::$name {
            fn from(wire: $name) -> Self {
                Self { $($row: ($read)(wire.$field),)* }
            }
        }
        impl From<duet_ledger::$name> for $name {
            fn from(row: duet_ledger::$name) -> Self {
                Self { $($field: ($write)(row.$row),)* }
            }
        }
    };
}
pub(crate) use request;
