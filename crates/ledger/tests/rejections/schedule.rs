//! Published prices and curtailment.

use super::common::chain::Chain;
use super::common::market::*;
use duet_ledger::*;
use duet_units::{DeliveryDay, Energy, Price};
use std::collections::BTreeSet;

fn prices(day: DeliveryDay, count: usize, milli: i64) -> Action {
    let prices = vec![Price::from_milli_yuan_per_mwh(milli); count];
    Action::Schedule(ScheduleAction::PublishPrices(PricePublication { day, prices }))
}

fn curtail(period: u8, units: &[UnitId], kwh: i64) -> Action {
    let (units, limit, reason) = (units.to_vec(), Energy::from_kwh(kwh), "a line".to_owned());
    let request = Curtailment { day: DAY, period, units, limit, reason };
    Action::Schedule(ScheduleAction::Curtail(request))
}

/// Meets every rejection of published prices and of curtailment.
pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, prices(DAY, 24, 1), "wrong-role"),
        (Who::Dispatcher, prices(DAY, 24, 1), "unknown-session"),
        (Who::Dispatcher, curtail(0, &[COAL], 0), "unknown-session"),
        (Who::Exchange, open(DAY), "ok"),
        (Who::Dispatcher, prices(DAY, 23, 1), "bad-prices"),
        (Who::Dispatcher, prices(DAY, 96, 1), "bad-prices"),
        (Who::Dispatcher, prices(DAY, 24, 1_000_000_001), "bad-prices"),
        (Who::Dispatcher, prices(DAY, 24, 1), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Coal, sell(COAL, 0, 300, 10), "ok"),
        (Who::Retail, buy(RETAIL, 0, 500, 10), "ok"),
        (Who::Exchange, curtail(0, &[COAL], 0), "wrong-role"),
        (Who::Dispatcher, curtail(24, &[], -1), "unknown-period"),
        (Who::Dispatcher, curtail(0, &[], -1), "wrong-phase"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Dispatcher, curtail(0, &[UnitId(9)], -1), "unknown-unit"),
        (Who::Dispatcher, curtail(0, &[], -1), "payments-open"),
        (Who::Bank, confirm(1, true), "ok"),
        (Who::Dispatcher, curtail(0, &[], 0), "bad-limit"),
        (Who::Dispatcher, curtail(0, &[WIND, COAL], 0), "bad-limit"),
        (Who::Dispatcher, curtail(0, &[COAL, COAL], 0), "bad-limit"),
        (Who::Dispatcher, curtail(0, &[COAL], -1), "bad-limit"),
        (Who::Dispatcher, curtail(0, &[COAL], 10_000), "nothing-to-cut"),
        (Who::Dispatcher, curtail(1, &[COAL], 0), "nothing-to-cut"),
        (Who::Dispatcher, curtail(0, &[COAL], 9_999), "ok"),
        (Who::Dispatcher, Action::IssueDispatch { session: SessionId(1) }, "ok"),
        (Who::Dispatcher, curtail(0, &[COAL], 0), "wrong-phase"),
    ]);
    chain.pass_to(DAY.next().start().plus_ms(1));
    chain.table(vec![
        (Who::CoalMeter, whole_day(COAL, DAY, &[10]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[]), "ok"),
    ]);
    let mut spot = under_method_one(&chain);
    spot.table(vec![(
        Who::Exchange,
        Action::SettleSession { session: SessionId(1) },
        "prices-missing",
    )]);
    chain.table(vec![
        (Who::Exchange, Action::SettleSession { session: SessionId(1) }, "ok"),
        (Who::Dispatcher, prices(DAY, 24, 1), "day-settled"),
    ]);
    chain.provoked.extend(spot.provoked);
    chain.provoked
}

/// The same chain, as if its rule settled by method 1 and no prices were published.
fn under_method_one(chain: &Chain) -> Chain {
    chain.clone().with_rows(|rows| {
        rows.retain(|key, _| key[0] != 53);
        let key = rows.keys().find(|key| key[0] == 24).unwrap().clone();
        super::common::chain::change_row::<MarketRule>(rows, &key, |rule| {
            rule.settlement = SettlementMethod::One;
        });
    })
}
