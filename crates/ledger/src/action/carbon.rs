//! What can be asked of the allowance market.

use super::compliance::{
    Cover, CreditIssue, CreditRetirement, CreditTransfer, PeriodClosure, PeriodNotice, PreIssue,
    Verification,
};
use crate::codec::{cases, record};
use crate::hash::Digest;
use crate::ids::{CarbonBiddingId, CarbonOrderId, OrganisationId};
use crate::records::CarbonTerms;
use duet_market::allowance::bidding::Pricing;
use duet_market::order::Side;
use duet_units::{Allowances, CarbonPrice, ClockTime};

record! {
    /// The terms of the allowance market from the next day on; the first ones hold at once.
    pub struct CarbonTermsNotice {
        /// The terms.
        pub terms: CarbonTerms,
        /// The close before the first day; only with the first terms.
        pub opening_price: Option<CarbonPrice>,
    }
}

record! {
    /// A listing that others can take from until the day closes.
    pub struct CarbonListing {
        /// What its owner does.
        pub side: Side,
        /// How much.
        pub allowances: Allowances,
        /// The price of a tonne.
        pub price: CarbonPrice,
    }
}

record! {
    /// Takes from the listings of the other side.
    pub struct CarbonTake {
        /// What the taker does.
        pub side: Side,
        /// How much at most.
        pub allowances: Allowances,
        /// The worst price of a tonne.
        pub limit: CarbonPrice,
    }
}

record! {
    /// Withdraws a listing or a bid, or calls the proposal of a block off.
    pub struct CarbonWithdrawal {
        /// Which.
        pub order: CarbonOrderId,
    }
}

record! {
    /// The first signature of a block agreement.
    pub struct BlockProposal {
        /// What the proposer does.
        pub side: Side,
        /// The other party.
        pub counterparty: OrganisationId,
        /// How much.
        pub allowances: Allowances,
        /// The price of a tonne.
        pub price: CarbonPrice,
    }
}

record! {
    /// The second signature of a block agreement.
    pub struct BlockConfirmation {
        /// The proposal.
        pub order: CarbonOrderId,
        /// Its hash: both parties sign the same.
        pub proposal: Digest,
    }
}

record! {
    /// The notice of a one-way bidding.
    pub struct CarbonBiddingNotice {
        /// What the announcing party does; the bidders do the opposite.
        pub side: Side,
        /// How much it offers or wants.
        pub allowances: Allowances,
        /// The worst price it takes.
        pub reserve: CarbonPrice,
        /// What winners pay or get.
        pub pricing: Pricing,
        /// When bids are taken from.
        pub opens: ClockTime,
        /// When it is awarded.
        pub closes: ClockTime,
    }
}

record! {
    /// A bid.
    pub struct CarbonBid {
        /// The bidding.
        pub bidding: CarbonBiddingId,
        /// How much.
        pub allowances: Allowances,
        /// The price of a tonne.
        pub price: CarbonPrice,
    }
}

cases! {
    /// Actions of the allowance market, of compliance and of carbon credits.
    pub enum CarbonAction ("carbon action") {
        /// The exchange announces terms.
        AnnounceTerms(CarbonTermsNotice) = 1,
        /// Lists allowances for sale or wanted.
        List(CarbonListing) = 2,
        /// Takes from listings.
        Take(CarbonTake) = 3,
        /// Withdraws.
        Withdraw(CarbonWithdrawal) = 4,
        /// Proposes a block agreement.
        ProposeBlock(BlockProposal) = 5,
        /// Confirms a block agreement.
        ConfirmBlock(BlockConfirmation) = 6,
        /// Announces a one-way bidding.
        OpenBidding(CarbonBiddingNotice) = 7,
        /// Bids.
        Bid(CarbonBid) = 8,
        /// The registry publishes a compliance period.
        PublishPeriod(PeriodNotice) = 9,
        /// The registry issues allowances ahead.
        PreIssue(PreIssue) = 10,
        /// The registry verifies a year.
        Verify(Verification) = 11,
        /// Surrenders allowances for a year.
        Cover(Cover) = 12,
        /// The registry closes a year.
        ClosePeriod(PeriodClosure) = 13,
        /// The registry issues carbon credits.
        IssueCredits(CreditIssue) = 14,
        /// Transfers carbon credits.
        TransferCredits(CreditTransfer) = 15,
        /// Retires carbon credits.
        RetireCredits(CreditRetirement) = 16,
    }
}
