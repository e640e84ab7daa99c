//! Listed and block agreements, the day, and its close.

use crate::common::carbon::{
    FIRST, allocate, at, carbon_market, confirm_block, list, propose, t, take, terms, withdraw,
};
use crate::common::chain::Chain;
use crate::common::market::{DAY, Who, deposit, yuan};
use duet_ledger::{AccountKind, CarbonAccount, CarbonTerms, Event, Level, Side};
use duet_units::{DeliveryDay, Money};

fn account(chain: &Chain, who: Who) -> CarbonAccount {
    chain.state.carbon()[&who.organisation()].clone()
}

fn available(chain: &Chain, who: Who) -> Money {
    chain.state.balance(who.organisation(), AccountKind::Available)
}

fn shown(levels: &[Level]) -> Vec<(i64, i64)> {
    levels.iter().map(|level| (level.price.fen_per_t(), level.quantity.t())).collect()
}

fn close(chain: &Chain) -> i64 {
    chain.state.carbon_market().unwrap().previous_close.fen_per_t()
}

#[test]
fn a_taker_deals_at_the_resting_prices_and_what_is_left_is_released() {
    let mut chain = carbon_market();
    chain.done(Who::Coal, list(Side::Sell, 100, 9_800));
    chain.done(Who::Wind, list(Side::Sell, 50, 9_700));
    chain.done(Who::Coal, list(Side::Sell, 50, 9_700));
    assert_eq!(shown(&chain.state.carbon_levels(Side::Sell)), [(9_700, 100), (9_800, 100)]);
    assert_eq!(
        (account(&chain, Who::Coal).locked, account(&chain, Who::Wind).locked),
        (t(150), t(50))
    );
    // 100 t at 97.00 and 20 t at 98.00: 9,700 + 1,960 yuan.
    assert_eq!(chain.done(Who::Retail, take(Side::Buy, 120, 9_800)), 1);
    assert_eq!(available(&chain, Who::Retail), yuan(30_000_000 - 11_660));
    assert_eq!(available(&chain, Who::Wind), yuan(4_850));
    assert_eq!(available(&chain, Who::Coal), yuan(4_850 + 1_960));
    assert_eq!(account(&chain, Who::Retail).free, t(120));
    assert_eq!(account(&chain, Who::Wind).net_sales, t(50));
    assert_eq!(shown(&chain.state.carbon_levels(Side::Sell)), [(9_800, 80)]);
    // More than there is at the limit: 80 t are dealt, nothing stands for the other 20 t.
    chain.done(Who::Factory, take(Side::Buy, 100, 9_900));
    assert!(chain.state.carbon_orders().is_empty());
    assert_eq!(chain.escrow(Who::Factory), Money::ZERO);
    let first = chain.state.carbon_market().unwrap().first.unwrap();
    assert_eq!(first.fen_per_t(), 9_700);
}

#[test]
fn a_buyers_listing_keeps_its_money_in_escrow_until_it_is_taken_or_withdrawn() {
    let mut chain = carbon_market();
    let listing = chain.done(Who::Retail, list(Side::Buy, 100, 9_000));
    assert_eq!(chain.escrow(Who::Retail), yuan(9_000));
    chain.done(Who::Coal, take(Side::Sell, 30, 9_000));
    assert_eq!(
        (chain.escrow(Who::Retail), available(&chain, Who::Coal)),
        (yuan(6_300), yuan(2_700))
    );
    chain.done(Who::Retail, withdraw(listing));
    assert_eq!(chain.escrow(Who::Retail), Money::ZERO);
    assert_eq!(available(&chain, Who::Retail), yuan(30_000_000 - 2_700));
}

#[test]
fn nobody_deals_with_itself() {
    let mut chain = carbon_market();
    chain.done(Who::Bank, deposit(Who::Coal, yuan(10_000), 99));
    chain.done(Who::Coal, list(Side::Sell, 10, 9_700));
    chain.done(Who::Coal, list(Side::Buy, 10, 9_700));
    assert_eq!(chain.send(Who::Coal, take(Side::Buy, 1, 9_700)), Err("nothing-listed"));
}

#[test]
fn what_was_bought_today_is_sold_tomorrow() {
    let mut chain = carbon_market();
    chain.done(Who::Coal, list(Side::Sell, 100, 9_700));
    chain.done(Who::Retail, take(Side::Buy, 100, 9_700));
    assert_eq!(chain.send(Who::Retail, list(Side::Sell, 1, 9_700)), Err("bought-today"));
    let give = duet_ledger::Action::TransferAllowances {
        to: Who::Factory.organisation(),
        allowances: t(1),
    };
    assert_eq!(chain.send(Who::Retail, give), Err("bought-today"));
    // What it had before can be sold today.
    chain.done(Who::Registry, allocate(Who::Retail, 10, 9));
    chain.done(Who::Retail, list(Side::Sell, 10, 9_700));
    assert_eq!(chain.send(Who::Retail, list(Side::Sell, 1, 9_700)), Err("bought-today"));
    chain.pass_to(at(DAY, 9, 30));
    chain.done(Who::Retail, list(Side::Sell, 110, 9_700));
}

#[test]
fn the_day_ends_with_its_orders_and_the_next_begins_with_its_close() {
    let mut chain = carbon_market();
    chain.done(Who::Coal, list(Side::Sell, 300, 9_800));
    chain.done(Who::Retail, take(Side::Buy, 300, 9_800));
    chain.done(Who::Coal, list(Side::Sell, 200, 9_000));
    chain.done(Who::Factory, take(Side::Buy, 100, 9_000));
    let buy = chain.done(Who::Retail, list(Side::Buy, 100, 8_800));
    let outcome = chain.pass_to(at(FIRST, 15, 0));
    assert_eq!(outcome.events.len(), 2, "{:?}", outcome.events);
    assert!(chain.state.carbon_orders().is_empty());
    assert_eq!(chain.escrow(Who::Retail), Money::ZERO);
    assert_eq!(account(&chain, Who::Coal).locked, t(0));
    assert_eq!(chain.send(Who::Retail, withdraw(buy)), Err("unknown-order"));
    assert_eq!(close(&chain), 9_749);
    // (300 * 98.00 + 100 * 90.00) / 400 = 96.00.
    let outcome = chain.pass_to(DAY.start());
    let closed = Event::CarbonDayClosed {
        day: FIRST,
        close: crate::common::carbon::fen(9_600),
        dealt: t(400),
    };
    assert_eq!(outcome.events, [closed]);
    assert_eq!(close(&chain), 9_600);
    // The band follows: 86.40 to 105.60.
    chain.pass_to(at(DAY, 11, 29));
    assert_eq!(chain.send(Who::Coal, list(Side::Sell, 1, 10_561)), Err("outside-carbon-band"));
    chain.done(Who::Coal, list(Side::Sell, 1, 10_560));
    // Days without deals keep the close, also when no block came on them.
    chain.pass_to(at(DeliveryDay::from_days(DAY.days() + 5), 10, 0));
    assert_eq!(close(&chain), 9_600);
}

#[test]
fn deals_are_kept_for_a_week() {
    let mut chain = carbon_market();
    chain.done(Who::Coal, list(Side::Sell, 1, 9_800));
    chain.done(Who::Retail, take(Side::Buy, 1, 9_800));
    let later = |days| DeliveryDay::from_days(FIRST.days() + days).start();
    chain.pass_to(later(7));
    assert_eq!(chain.state.carbon_deals().len(), 1);
    chain.pass_to(later(8));
    assert!(chain.state.carbon_deals().is_empty());
}

#[test]
fn a_block_needs_both_signatures_over_one_proposal() {
    let mut chain = carbon_market();
    let block = chain.done(Who::Coal, propose(Side::Sell, Who::Retail, 100_000, 12_673));
    assert_eq!(account(&chain, Who::Coal).locked, t(100_000));
    let confirmation = confirm_block(&chain, block);
    assert_eq!(chain.send(Who::Factory, confirmation.clone()), Err("not-yours"));
    chain.done(Who::Retail, confirmation.clone());
    assert_eq!(available(&chain, Who::Coal), yuan(12_673_000));
    assert_eq!(account(&chain, Who::Retail).free, t(100_000));
    assert_eq!(chain.send(Who::Retail, confirmation), Err("unknown-order"));
    // A buyer may propose, too, and the seller may decline.
    let block = chain.done(Who::Factory, propose(Side::Buy, Who::Coal, 100_000, 6_825));
    assert_eq!(chain.escrow(Who::Factory), yuan(6_825_000));
    chain.done(Who::Coal, withdraw(block));
    assert_eq!(chain.escrow(Who::Factory), Money::ZERO);
    // Blocks do not count for the close by the usual terms.
    chain.pass_to(DAY.start());
    assert_eq!(close(&chain), 9_749);
}

#[test]
fn new_terms_hold_from_the_next_day() {
    let mut chain = carbon_market();
    let wide = CarbonTerms {
        listed_band: duet_units::BasisPoints::from_bp(2_000),
        blocks_count: true,
        ..CarbonTerms::USUAL
    };
    chain.done(Who::Exchange, terms(wide, None));
    assert_eq!(chain.send(Who::Coal, list(Side::Sell, 1, 11_000)), Err("outside-carbon-band"));
    chain.pass_to(at(DAY, 13, 0));
    chain.done(Who::Coal, list(Side::Sell, 1, 11_000));
    let block = chain.done(Who::Coal, propose(Side::Sell, Who::Retail, 100_000, 10_000));
    let confirmation = confirm_block(&chain, block);
    chain.done(Who::Retail, confirmation);
    chain.pass_to(DAY.next().start());
    assert_eq!(close(&chain), 10_000);
}

#[test]
fn a_restart_goes_on_with_the_same_market() {
    let mut chain = carbon_market();
    chain.done(Who::Coal, list(Side::Sell, 300, 9_800));
    chain.done(Who::Retail, take(Side::Buy, 100, 9_800));
    let mut restored = chain.restored();
    let body = duet_ledger::Body::default();
    let height = chain.state.height() + 1;
    let time = DAY.start();
    let a = chain.state.clone().apply(height, time, &body).unwrap();
    let b = restored.apply(height, time, &body).unwrap();
    assert_eq!((a.events, a.receipts_root), (b.events, b.receipts_root));
}
