//! Short names for what members do on the allowance market.

use super::chain::Chain;
use super::market::{DAY, HOUR_MS, Who, deposit, yuan};
use duet_ledger::{
    Action, BlockConfirmation, BlockProposal, CarbonAction, CarbonBid, CarbonBiddingId,
    CarbonBiddingNotice, CarbonListing, CarbonOrderId, CarbonTake, CarbonTerms, CarbonTermsNotice,
    CarbonWithdrawal, Pricing, Side,
};
use duet_units::{Allowances, CarbonPrice, ClockTime, DeliveryDay};

/// The day before the first delivery day: the channel begins at its noon.
pub(crate) const FIRST: DeliveryDay = DeliveryDay::from_days(DAY.days() - 1);

pub(crate) const fn t(t: i64) -> Allowances {
    Allowances::from_t(t)
}

pub(crate) const fn fen(fen: i64) -> CarbonPrice {
    CarbonPrice::from_fen_per_t(fen)
}

/// A minute of a day.
pub(crate) fn at(day: DeliveryDay, hour: i64, minute: i64) -> ClockTime {
    day.start().plus_ms(hour * HOUR_MS + minute * 60_000)
}

pub(crate) fn terms(terms: CarbonTerms, opening: Option<i64>) -> Action {
    let notice = CarbonTermsNotice { terms, opening_price: opening.map(fen) };
    Action::Carbon(CarbonAction::AnnounceTerms(notice))
}

pub(crate) fn list(side: Side, tonnes: i64, price: i64) -> Action {
    let listing = CarbonListing { side, allowances: t(tonnes), price: fen(price) };
    Action::Carbon(CarbonAction::List(listing))
}

pub(crate) fn take(side: Side, tonnes: i64, limit: i64) -> Action {
    let take = CarbonTake { side, allowances: t(tonnes), limit: fen(limit) };
    Action::Carbon(CarbonAction::Take(take))
}

pub(crate) fn withdraw(order: u64) -> Action {
    let order = CarbonOrderId(order);
    Action::Carbon(CarbonAction::Withdraw(CarbonWithdrawal { order }))
}

pub(crate) fn propose(side: Side, to: Who, tonnes: i64, price: i64) -> Action {
    let counterparty = to.organisation();
    let proposal = BlockProposal { side, counterparty, allowances: t(tonnes), price: fen(price) };
    Action::Carbon(CarbonAction::ProposeBlock(proposal))
}

/// Confirms what is in the book under this number.
pub(crate) fn confirm_block(chain: &Chain, order: u64) -> Action {
    let order = CarbonOrderId(order);
    let row = &chain.state.carbon_orders()[&order];
    let proposal = row.proposal_hash(chain.state.channel(), order);
    Action::Carbon(CarbonAction::ConfirmBlock(BlockConfirmation { order, proposal }))
}

pub(crate) fn open_bidding(
    side: Side,
    (tonnes, reserve): (i64, i64),
    pricing: Pricing,
    (opens, closes): (ClockTime, ClockTime),
) -> Action {
    let (allowances, reserve) = (t(tonnes), fen(reserve));
    let notice = CarbonBiddingNotice { side, allowances, reserve, pricing, opens, closes };
    Action::Carbon(CarbonAction::OpenBidding(notice))
}

pub(crate) fn bid(bidding: u64, tonnes: i64, price: i64) -> Action {
    let bidding = CarbonBiddingId(bidding);
    Action::Carbon(CarbonAction::Bid(CarbonBid {
        bidding,
        allowances: t(tonnes),
        price: fen(price),
    }))
}

pub(crate) fn allocate(who: Who, tonnes: i64, reference: u64) -> Action {
    let (organisation, allowances) = (who.organisation(), t(tonnes));
    Action::AllocateAllowances { organisation, allowances, reference }
}

/// A market at 97.49 yuan/t at 13:00 of its first day: the coal plant holds 300,000 t, the wind
/// farm 1,000 t, and each of both buyers has 30 million yuan.
pub(crate) fn carbon_market() -> Chain {
    let mut chain = Chain::new();
    chain.done(Who::Exchange, terms(CarbonTerms::USUAL, Some(9_749)));
    chain.done(Who::Registry, allocate(Who::Coal, 300_000, 1));
    chain.done(Who::Registry, allocate(Who::Wind, 1_000, 2));
    chain.done(Who::Bank, deposit(Who::Retail, yuan(30_000_000), 1));
    chain.done(Who::Bank, deposit(Who::Factory, yuan(30_000_000), 2));
    chain.pass_to(at(FIRST, 13, 0));
    chain
}
