//! What can be asked of the allowance market, as JSON.

use super::ActionError;
use super::compliance::{
    Cover, CreditIssue, CreditRetirement, CreditTransfer, PeriodClosure, PeriodNotice, PreIssue,
    Verification,
};
use crate::wire::{CarbonTerms, Hex32, Pricing, Side, request};
use duet_ledger::{CarbonBiddingId, CarbonOrderId, OrganisationId};
use duet_units::{Allowances, CarbonPrice, ClockTime};
use serde::{Deserialize, Serialize};

request! {
    /// The terms of the allowance market from the next day on; the first ones hold at once.
    CarbonTermsNotice {
        /// The terms.
        terms: CarbonTerms = terms: CarbonTerms::into, CarbonTerms::from;
        /// The close before the first day; only with the first terms.
        opening_price_fen_per_t: Option<i64> = opening_price:
            |price: Option<i64>| price.map(CarbonPrice::from_fen_per_t),
            |price: Option<CarbonPrice>| price.map(CarbonPrice::fen_per_t);
    }
}

request! {
    /// A listing that others can take from until the day closes.
    CarbonListing {
        /// What its owner does.
        side: Side = side: Side::into, Side::from;
        /// How much.
        allowances_t: i64 = allowances: Allowances::from_t, Allowances::t;
        /// The price of a tonne.
        price_fen_per_t: i64 = price: CarbonPrice::from_fen_per_t, CarbonPrice::fen_per_t;
    }
}

request! {
    /// Takes from the listings of the other side.
    CarbonTake {
        /// What the taker does.
        side: Side = side: Side::into, Side::from;
        /// How much at most.
        allowances_t: i64 = allowances: Allowances::from_t, Allowances::t;
        /// The worst price of a tonne.
        limit_fen_per_t: i64 = limit: CarbonPrice::from_fen_per_t, CarbonPrice::fen_per_t;
    }
}

request! {
    /// Withdraws a listing or a bid, or calls the proposal of a block off.
    CarbonWithdrawal {
        /// Which.
        order: u64 = order: CarbonOrderId, |id: CarbonOrderId| id.0;
    }
}

request! {
    /// The first signature of a block agreement.
    BlockProposal {
        /// What the proposer does.
        side: Side = side: Side::into, Side::from;
        /// The other party.
        counterparty: u32 = counterparty: OrganisationId, |id: OrganisationId| id.0;
        /// How much.
        allowances_t: i64 = allowances: Allowances::from_t, Allowances::t;
        /// The price of a tonne.
        price_fen_per_t: i64 = price: CarbonPrice::from_fen_per_t, CarbonPrice::fen_per_t;
    }
}

request! {
    /// The second signature of a block agreement.
    BlockConfirmation {
        /// The proposal.
        order: u64 = order: CarbonOrderId, |id: CarbonOrderId| id.0;
        /// Its hash: both parties sign the same.
        proposal: Hex32 = proposal: |hash: Hex32| hash.0, Hex32;
    }
}

request! {
    /// The notice of a one-way bidding.
    CarbonBiddingNotice {
        /// What the announcing party does; the bidders do the opposite.
        side: Side = side: Side::into, Side::from;
        /// How much it offers or wants.
        allowances_t: i64 = allowances: Allowances::from_t, Allowances::t;
        /// The worst price it takes.
        reserve_fen_per_t: i64 = reserve: CarbonPrice::from_fen_per_t, CarbonPrice::fen_per_t;
        /// What winners pay or get.
        pricing: Pricing = pricing: Pricing::into, Pricing::from;
        /// When bids are taken from.
        opens_ms: i64 = opens: ClockTime::from_unix_ms, ClockTime::unix_ms;
        /// When it is awarded.
        closes_ms: i64 = closes: ClockTime::from_unix_ms, ClockTime::unix_ms;
    }
}

request! {
    /// A bid.
    CarbonBid {
        /// The bidding.
        bidding: u64 = bidding: CarbonBiddingId, |id: CarbonBiddingId| id.0;
        /// How much.
        allowances_t: i64 = allowances: Allowances::from_t, Allowances::t;
        /// The price of a tonne.
        price_fen_per_t: i64 = price: CarbonPrice::from_fen_per_t, CarbonPrice::fen_per_t;
    }
}

/// Defines the JSON form of the group: `carbon` says which action it is.
macro_rules! group {
    ($($(#[$doc:meta])* $case:ident($kind:ident),)*) => {
        /// An action of the allowance market, compliance or carbon credits; `carbon` says which.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(tag = "carbon", rename_all = "snake_case")]
        pub enum CarbonAction { $($(#[$doc])* $case($kind),)* }

        impl From<CarbonAction> for duet_ledger::CarbonAction {
            fn from(wire: CarbonAction) -> Self {
                match wire { $(CarbonAction::$case(action) => Self::$case(action.into()),)* }
            }
        }
        impl TryFrom<duet_ledger::CarbonAction> for CarbonAction {
            type Error = ActionError;

            fn try_from(action: duet_ledger::CarbonAction) -> Result<Self, ActionError> {
                Ok(match action {
                    $(duet_ledger::CarbonAction::$case(action) => Self::$case(action.into()),)*
                    _ => return Err(ActionError),
                })
            }
        }
    };
}

group! {
    /// The exchange announces terms.
    AnnounceTerms(CarbonTermsNotice),
    /// Lists allowances for sale or wanted.
    List(CarbonListing),
    /// Takes from listings.
    Take(CarbonTake),
    /// Withdraws.
    Withdraw(CarbonWithdrawal),
    /// Proposes a block agreement.
    ProposeBlock(BlockProposal),
    /// Confirms a block agreement.
    ConfirmBlock(BlockConfirmation),
    /// Announces a one-way bidding.
    OpenBidding(CarbonBiddingNotice),
    /// Bids.
    Bid(CarbonBid),
    /// The registry publishes a compliance period.
    PublishPeriod(PeriodNotice),
    /// The registry issues allowances ahead.
    PreIssue(PreIssue),
    /// The registry verifies a year.
    Verify(Verification),
    /// Surrenders allowances for a year.
    Cover(Cover),
    /// The registry closes a year.
    ClosePeriod(PeriodClosure),
    /// The registry issues carbon credits.
    IssueCredits(CreditIssue),
    /// Transfers carbon credits.
    TransferCredits(CreditTransfer),
    /// Retires carbon credits.
    RetireCredits(CreditRetirement),
}
