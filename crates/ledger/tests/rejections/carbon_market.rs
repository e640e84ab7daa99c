//! 810 to 822: the allowance market.

use crate::common::carbon::{
    FIRST, allocate, at, bid, carbon_market, confirm_block, list, open_bidding, propose, take,
    terms, withdraw,
};
use crate::common::chain::Chain;
use crate::common::market::{DAY, Who, deposit, yuan};
use duet_ledger::{
    Action, BlockConfirmation, CarbonAction, CarbonOrderId, CarbonTerms, Hours, Pricing, Side,
};
use duet_units::BasisPoints;
use std::collections::BTreeSet;

fn with(change: impl FnOnce(&mut CarbonTerms)) -> CarbonTerms {
    let mut terms = CarbonTerms::USUAL;
    change(&mut terms);
    terms
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    provoke_terms(&mut chain);
    let mut provoked = chain.provoked;
    let mut chain = carbon_market();
    provoke_listed(&mut chain);
    provoke_blocks(&mut chain);
    provoke_biddings(&mut chain);
    provoked.extend(chain.provoked);
    provoked.extend(provoke_limits());
    provoked
}

fn provoke_terms(chain: &mut Chain) {
    let hours = |from, until| Hours { from, until };
    let bad = "bad-carbon-terms";
    chain.table(vec![
        (Who::Retail, list(Side::Buy, 0, 0), "quantity-not-positive"),
        (Who::Retail, list(Side::Buy, 1, 1), "insufficient-funds"),
        (Who::Retail, list(Side::Sell, 1, 1), "insufficient-allowances"),
        (Who::Registry, allocate(Who::Coal, 100, 1), "ok"),
        (Who::Coal, list(Side::Sell, 1, 1), "no-carbon-market"),
        (Who::Registry, terms(CarbonTerms::USUAL, Some(9_749)), "wrong-role"),
        (Who::Exchange, terms(CarbonTerms::USUAL, None), bad),
        (Who::Exchange, terms(CarbonTerms::USUAL, Some(0)), bad),
        (Who::Exchange, terms(CarbonTerms::USUAL, Some(i64::MAX)), bad),
        (Who::Exchange, terms(with(|terms| terms.block = hours(2, 1)), Some(1)), bad),
        (Who::Exchange, terms(with(|terms| terms.block = hours(2, 1_441)), Some(1)), bad),
        (Who::Exchange, terms(with(|terms| terms.morning = hours(2, 781)), Some(1)), bad),
        (Who::Exchange, terms(with(|terms| terms.block_band = BasisPoints::ONE), Some(1)), bad),
        (
            Who::Exchange,
            terms(with(|terms| terms.listed_band = BasisPoints::from_bp(-1)), Some(1)),
            bad,
        ),
        (Who::Exchange, terms(CarbonTerms::USUAL, Some(9_749)), "ok"),
        (Who::Exchange, terms(CarbonTerms::USUAL, Some(9_749)), bad),
        (Who::Exchange, terms(CarbonTerms::USUAL, None), "ok"),
        // It is noon.
        (Who::Coal, list(Side::Sell, 1, 1), "outside-carbon-hours"),
        (Who::Coal, take(Side::Sell, 1, 1), "outside-carbon-hours"),
    ]);
}

fn provoke_listed(chain: &mut Chain) {
    let band = "outside-carbon-band";
    chain.table(vec![
        (Who::Bank, list(Side::Sell, 0, 0), "wrong-role"),
        (Who::Coal, list(Side::Sell, 0, 0), "quantity-not-positive"),
        (Who::Coal, list(Side::Sell, i64::MIN, 0), "quantity-not-positive"),
        (Who::Coal, list(Side::Sell, i64::MAX, i64::MAX), "insufficient-allowances"),
        (Who::Retail, list(Side::Buy, i64::MAX, i64::MAX), "insufficient-funds"),
        (Who::Coal, list(Side::Sell, 100_000, 0), "block-size"),
        (Who::Retail, list(Side::Buy, i64::MAX, i64::MIN), "block-size"),
        (Who::Coal, list(Side::Sell, 99_999, 8_774), band),
        (Who::Coal, list(Side::Sell, 99_999, 10_724), band),
        (Who::Retail, list(Side::Buy, 1, i64::MIN), band),
        (Who::Coal, list(Side::Sell, 99_999, 10_723), "ok"),
        (Who::Wind, list(Side::Sell, 10, 8_775), "ok"),
        (Who::Bank, take(Side::Buy, 0, 0), "wrong-role"),
        (Who::Factory, take(Side::Buy, 0, 0), "quantity-not-positive"),
        (Who::Factory, take(Side::Buy, 99_999, 100_000), "insufficient-funds"),
        (Who::Factory, take(Side::Buy, 100_000, 1), "block-size"),
        (Who::Factory, take(Side::Buy, 1, 8_774), "nothing-listed"),
        (Who::Factory, take(Side::Sell, 1, 8_774), "insufficient-allowances"),
        (Who::Coal, take(Side::Sell, 1, 8_774), "nothing-listed"),
        (Who::Factory, take(Side::Buy, 10, 8_775), "ok"),
        (Who::Factory, take(Side::Sell, 1, 1), "bought-today"),
        (Who::Bank, withdraw(1), "wrong-role"),
        (Who::Wind, withdraw(1), "not-yours"),
        (Who::Wind, withdraw(9), "unknown-order"),
        (Who::Coal, withdraw(1), "ok"),
        (Who::Coal, withdraw(1), "unknown-order"),
    ]);
}

fn provoke_blocks(chain: &mut Chain) {
    let confirm = |order, proposal| {
        let order = CarbonOrderId(order);
        Action::Carbon(CarbonAction::ConfirmBlock(BlockConfirmation { order, proposal }))
    };
    let band = "outside-carbon-band";
    chain.table(vec![
        (Who::Bank, propose(Side::Sell, Who::Stranger, 0, 0), "wrong-role"),
        (Who::Coal, propose(Side::Sell, Who::Stranger, 0, 0), "quantity-not-positive"),
        (Who::Retail, propose(Side::Buy, Who::Stranger, 1, i64::MAX), "insufficient-funds"),
        (Who::Coal, propose(Side::Sell, Who::Stranger, i64::MAX, 0), "unknown-organisation"),
        (Who::Coal, propose(Side::Sell, Who::Coal, i64::MAX, 0), "insufficient-allowances"),
        (Who::Coal, propose(Side::Sell, Who::Coal, 1, 0), "same-account"),
        (Who::Coal, propose(Side::Sell, Who::Retail, 99_999, 0), "block-size"),
        (Who::Coal, propose(Side::Sell, Who::Retail, 100_000, 6_824), band),
        (Who::Coal, propose(Side::Sell, Who::Retail, 100_000, 12_674), band),
        (Who::Coal, propose(Side::Sell, Who::Retail, 100_000, 12_673), "ok"),
        (Who::Retail, confirm(3, [0; 32]), "wrong-proposal"),
        (Who::Bank, confirm(3, [0; 32]), "wrong-role"),
        (Who::Coal, confirm(3, [0; 32]), "not-yours"),
        (Who::Retail, confirm(4, [0; 32]), "unknown-order"),
        (Who::Coal, propose(Side::Sell, Who::Retail, 200_000, 12_673), "ok"),
        (Who::Factory, propose(Side::Buy, Who::Wind, 100_000, 12_673), "ok"),
        (Who::Wind, confirm(5, [0; 32]), "insufficient-allowances"),
    ]);
    let first = confirm_block(chain, 3);
    chain.done(Who::Retail, first);
    let second = confirm_block(chain, 4);
    chain.table(vec![
        (Who::Retail, second, "insufficient-funds"),
        (Who::Retail, propose(Side::Sell, Who::Coal, 100_000, 9_749), "bought-today"),
    ]);
    // A seller that bought today can confirm no sale, and nobody can after the hours.
    chain.done(Who::Bank, deposit(Who::Wind, yuan(10_000_000), 3));
    chain.done(Who::Wind, propose(Side::Buy, Who::Retail, 100_000, 9_749));
    let sale = confirm_block(chain, 6);
    chain.table(vec![(Who::Retail, sale, "bought-today")]);
    chain.pass_to(at(FIRST, 15, 0));
    chain.table(vec![(
        Who::Coal,
        propose(Side::Sell, Who::Retail, 100_000, 9_749),
        "outside-carbon-hours",
    )]);
}

fn provoke_biddings(chain: &mut Chain) {
    let span = (at(FIRST, 15, 0), at(FIRST, 16, 0));
    let late = (span.0, at(duet_units::DeliveryDay::from_days(DAY.days() + 40), 0, 0));
    let sale = |what, span| open_bidding(Side::Sell, what, Pricing::Uniform, span);
    let bad = "bad-bidding";
    chain.table(vec![
        (Who::Bank, sale((0, 0), late), "wrong-role"),
        (Who::Coal, sale((0, 0), late), "quantity-not-positive"),
        (
            Who::Retail,
            open_bidding(Side::Buy, (1, i64::MAX), Pricing::Uniform, late),
            "insufficient-funds",
        ),
        (Who::Coal, sale((i64::MAX, 0), late), "insufficient-allowances"),
        (Who::Retail, sale((1, 0), late), "bought-today"),
        (Who::Coal, sale((1, 0), late), bad),
        (Who::Coal, sale((1, i64::MAX), span), bad),
        (Who::Coal, sale((1, 9_000), late), bad),
        (Who::Coal, sale((1, 9_000), (span.0, span.0)), bad),
        (Who::Coal, sale((1, 9_000), (span.0.plus_ms(-1), span.1)), bad),
        (Who::Coal, sale((1, 9_000), span), "ok"),
        (Who::Bank, bid(2, 0, 0), "wrong-role"),
        (Who::Factory, bid(2, 0, 0), "quantity-not-positive"),
        (Who::Factory, bid(1, 0, 0), "quantity-not-positive"),
        (Who::Factory, bid(2, 1, 0), "unknown-bidding"),
        (Who::Factory, bid(1, 1, i64::MAX), "insufficient-funds"),
        (Who::Coal, bid(1, 1, 0), "same-account"),
        (Who::Factory, bid(1, 1, 8_999), "worse-than-reserve"),
        (Who::Factory, bid(1, 1, 9_000), "ok"),
        (Who::Factory, open_bidding(Side::Buy, (1, 9_000), Pricing::Uniform, span), "ok"),
        (Who::Retail, bid(2, 1, 9_000), "bought-today"),
        (Who::Wind, bid(2, i64::MAX, 9_000), "insufficient-allowances"),
        (Who::Coal, bid(2, 1, 9_001), "worse-than-reserve"),
        (Who::Coal, bid(2, 1, 0), "worse-than-reserve"),
    ]);
    chain.pass_to(span.1);
    chain.table(vec![(Who::Factory, bid(1, 1, 9_000), "bidding-not-open")]);
}

fn provoke_limits() -> BTreeSet<&'static str> {
    let mut chain = carbon_market();
    for _ in 0..64 {
        chain.done(Who::Coal, list(Side::Sell, 1, 9_749));
    }
    let span = (at(FIRST, 13, 0), at(FIRST, 14, 0));
    let sale = || open_bidding(Side::Sell, (1, 1), Pricing::Uniform, span);
    for _ in 0..8 {
        chain.done(Who::Coal, sale());
    }
    chain.table(vec![
        (Who::Coal, list(Side::Sell, 1, 9_749), "too-many-carbon-orders"),
        (Who::Wind, list(Side::Sell, 1, 9_749), "ok"),
        (Who::Coal, sale(), "too-many-carbon-orders"),
        (Who::Wind, sale(), "ok"),
    ]);
    chain.pass_to(span.1);
    chain.table(vec![(Who::Coal, sale(), "bad-bidding")]);
    chain.provoked
}

#[test]
fn the_allowance_market_refuses_for_the_first_fault() {
    provoke();
}
