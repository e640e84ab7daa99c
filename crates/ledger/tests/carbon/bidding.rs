//! One-way bidding, from the notice to the award.

use crate::common::carbon::{FIRST, at, bid, carbon_market, open_bidding, t, withdraw};
use crate::common::chain::Chain;
use crate::common::market::{DAY, Who, yuan};
use duet_ledger::{AccountKind, CarbonBiddingId, CarbonBiddingState, CarbonMode, Pricing, Side};
use duet_units::{ClockTime, Money};

fn hours() -> (ClockTime, ClockTime) {
    (at(FIRST, 14, 0), at(FIRST, 20, 0))
}

fn free(chain: &Chain, who: Who) -> i64 {
    chain.state.carbon()[&who.organisation()].free.t()
}

fn spent(chain: &Chain, who: Who) -> Money {
    let now = chain.state.balance(who.organisation(), AccountKind::Available);
    yuan(30_000_000).minus(now).unwrap()
}

#[test]
fn a_sale_goes_to_the_best_bids_when_a_block_passes_its_close() {
    let mut chain = carbon_market();
    let bidding =
        chain.done(Who::Coal, open_bidding(Side::Sell, (1_000, 9_000), Pricing::Uniform, hours()));
    assert_eq!(chain.send(Who::Retail, bid(bidding, 1, 9_000)), Err("bidding-not-open"));
    chain.pass_to(at(FIRST, 14, 0));
    chain.done(Who::Retail, bid(bidding, 600, 9_500));
    chain.done(Who::Factory, bid(bidding, 600, 9_400));
    let worst = chain.done(Who::Factory, bid(bidding, 600, 9_300));
    assert_eq!(chain.escrow(Who::Retail), yuan(57_000));
    chain.done(Who::Factory, withdraw(worst));
    // The close of the day does not end a bid.
    chain.pass_to(at(FIRST, 15, 30));
    assert_eq!(chain.state.carbon_orders().len(), 2);
    let outcome = chain.pass_to(at(FIRST, 20, 0));
    assert_eq!((free(&chain, Who::Retail), free(&chain, Who::Factory)), (600, 400));
    // Both pay the worst price that won, 94.00; the rest of what was held is released.
    assert_eq!(
        (spent(&chain, Who::Retail), spent(&chain, Who::Factory)),
        (yuan(56_400), yuan(37_600))
    );
    assert_eq!(chain.escrow(Who::Factory), Money::ZERO);
    let row = &chain.state.carbon_biddings()[&CarbonBiddingId(bidding)];
    assert_eq!((row.state, row.awarded), (CarbonBiddingState::Awarded, t(1_000)));
    assert!(chain.state.carbon_deals().values().all(|deal| deal.mode == CarbonMode::Bidding));
    assert_eq!(outcome.events.len(), 5);
    // It does not count for the close.
    chain.pass_to(DAY.start());
    let market = chain.state.carbon_market().unwrap();
    assert_eq!(market.previous_close.fen_per_t(), 9_749);
}

#[test]
fn a_purchase_pays_each_winner_its_own_bid_and_keeps_the_rest() {
    let mut chain = carbon_market();
    chain.done(Who::Retail, open_bidding(Side::Buy, (500, 9_800), Pricing::PayAsBid, hours()));
    assert_eq!(chain.escrow(Who::Retail), yuan(49_000));
    chain.pass_to(at(FIRST, 14, 0));
    chain.done(Who::Coal, bid(1, 200, 9_700));
    chain.done(Who::Wind, bid(1, 200, 9_600));
    chain.pass_to(at(DAY, 10, 0));
    assert_eq!(spent(&chain, Who::Retail), yuan(19_400 + 19_200));
    assert_eq!((free(&chain, Who::Coal), free(&chain, Who::Wind)), (299_800, 800));
    assert_eq!(chain.escrow(Who::Retail), Money::ZERO);
}

#[test]
fn a_bidding_without_bids_ends_and_is_forgotten() {
    let mut chain = carbon_market();
    chain.done(Who::Coal, open_bidding(Side::Sell, (300_000, 9_000), Pricing::PayAsBid, hours()));
    assert_eq!(free(&chain, Who::Coal), 0);
    chain.pass_to(at(FIRST, 20, 1));
    assert_eq!(free(&chain, Who::Coal), 300_000);
    chain.pass_to(duet_units::DeliveryDay::from_days(FIRST.days() + 8).start());
    assert!(chain.state.carbon_biddings().is_empty());
}

#[test]
fn of_many_awarded_biddings_the_oldest_are_forgotten() {
    let mut chain = carbon_market();
    for round in 0..127 {
        let opens = at(FIRST, 14, 0).plus_ms(1_000 * round);
        chain.pass_to(opens);
        let span = (opens, opens.plus_ms(1));
        let sale = open_bidding(Side::Sell, (1, 1), Pricing::Uniform, span);
        let notices = (0..8).map(|_| chain.draft(Who::Coal, sale.clone())).collect();
        chain.block(notices);
    }
    chain.pass_to(at(FIRST, 15, 0));
    assert_eq!(chain.state.carbon_biddings().len(), 1_000);
    let oldest = chain.state.carbon_biddings().keys().next();
    assert_eq!(oldest, Some(&CarbonBiddingId(127 * 8 - 999)));
}
