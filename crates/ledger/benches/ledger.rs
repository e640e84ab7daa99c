//! How long the ledger takes, by size. Orders come from a fixed seed.
//!
//! `cargo bench -p duet-ledger`; one line per `module::operation` and `key=value`.

#[path = "../tests/common/mod.rs"]
mod common;

use common::chain::draft;
use common::market::{DAY, Who, gate_close, gate_open, genesis, open};
use common::random::Random;
use divan::Bencher;
use divan::counter::ItemsCount;
use duet_ledger::{
    Action, Body, OrderId, OrderRequest, PublicKey, SessionId, Side, State, TimeInForce,
    Transaction, UnitId, Unsigned,
};
use duet_units::{BasisPoints, Energy, Money, Power, Price};
use std::fmt;

fn main() {
    divan::main();
}

/// An argument of a bench, shown as `name=value`.
struct Size(&'static str, usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.0, self.1)
    }
}

const ORDERS: [Size; 3] = [Size("orders", 1_000), Size("orders", 10_000), Size("orders", 100_000)];
const SIDES: [(UnitId, Who, Side); 4] = [
    (UnitId(0), Who::Coal, Side::Sell),
    (UnitId(1), Who::Wind, Side::Sell),
    (UnitId(2), Who::Retail, Side::Buy),
    (UnitId(3), Who::Factory, Side::Buy),
];

struct Writer {
    state: State,
    nonces: [u64; 14],
}

impl Writer {
    /// The first session is open, units are large and buyers rich enough for every order.
    fn new() -> Self {
        let mut genesis = genesis();
        for unit in &mut genesis.units {
            unit.capacity = Power::from_kw(100_000_000);
        }
        let mut writer = Self { state: State::genesis(&genesis).unwrap(), nonces: [0; 14] };
        let deposit = |who: Who, reference| Action::Deposit {
            organisation: who.organisation(),
            amount: Money::from_fen(1_000_000_000_000_000),
            reference,
        };
        let start = vec![
            writer.write(Who::Exchange, open(DAY)),
            writer.write(Who::Bank, deposit(Who::Retail, 1)),
            writer.write(Who::Bank, deposit(Who::Factory, 2)),
        ];
        writer.apply(gate_open(DAY), &Body { transactions: start });
        writer
    }

    fn write(&mut self, who: Who, action: Action) -> Transaction {
        let nonce = &mut self.nonces[who as usize];
        *nonce += 1;
        let signer = KEYS.with(|keys| keys[who as usize]);
        draft(&Unsigned { channel: *self.state.channel(), signer, nonce: *nonce, action })
    }

    fn orders(&mut self, count: usize) -> Vec<Transaction> {
        let mut random = Random(42);
        (0..count).map(|_| self.order(&mut random)).collect()
    }

    fn order(&mut self, random: &mut Random) -> Transaction {
        let (unit, who, side) = random.pick(&SIDES);
        let sells = side == Side::Sell;
        let limit = if sells { (0, 400) } else { (150, 600) };
        let request = OrderRequest {
            session: SessionId(1),
            unit,
            side,
            period: u8::try_from(random.below(24)).unwrap(),
            limit: Price::from_milli_yuan_per_mwh(random.between(limit.0, limit.1) * 1_000),
            quantity: Energy::from_kwh(random.between(1, 5) * 1_000),
            conductivity: if sells { BasisPoints::ONE } else { BasisPoints::ZERO },
            reference: 0,
            time_in_force: TimeInForce::Gtc,
        };
        self.write(who, Action::SubmitOrder(request))
    }

    fn apply(&mut self, time: duet_units::ClockTime, body: &Body) {
        let outcome = self.state.apply(self.state.height() + 1, time, body).unwrap();
        assert!(outcome.receipts.iter().all(duet_ledger::Receipt::is_accepted));
        self.state.take_delta();
    }

    /// A session with so many orders in its books.
    fn with_orders(count: usize) -> Self {
        let mut writer = Self::new();
        let transactions = writer.orders(count);
        writer.apply(gate_open(DAY), &Body { transactions });
        writer
    }
}

thread_local! {
    /// Deriving a key takes longer than an order.
    static KEYS: [PublicKey; 14] = Who::ALL.map(Who::public);
}

/// One block of new orders, with its delta.
#[divan::bench(name = "apply::submit_order", args = ORDERS, max_time = 4)]
fn submit_order(bencher: Bencher<'_, '_>, size: &Size) {
    let mut writer = Writer::new();
    let body = Body { transactions: writer.orders(size.1) };
    bencher.counter(ItemsCount::new(size.1)).with_inputs(|| writer.state.clone()).bench_values(
        |mut state| {
            let outcome = state.apply(state.height() + 1, gate_open(DAY), &body).unwrap();
            (outcome, state.take_delta(), state)
        },
    );
}

/// One block that withdraws every order, newest first.
#[divan::bench(name = "apply::cancel_order", args = &ORDERS[..2], max_time = 4)]
fn cancel_order(bencher: Bencher<'_, '_>, size: &Size) {
    let mut writer = Writer::with_orders(size.1);
    let ids: Vec<_> = writer.state.orders().iter().map(|(id, o)| (*id, o.owner)).collect();
    let cancel = |(order, owner): &(OrderId, _)| {
        let who = SIDES.iter().map(|side| side.1).find(|who| who.organisation() == *owner);
        writer.write(who.unwrap(), Action::CancelOrder { order: *order })
    };
    let body = Body { transactions: ids.iter().map(cancel).collect() };
    bencher.counter(ItemsCount::new(size.1)).with_inputs(|| writer.state.clone()).bench_values(
        |mut state| (state.apply(state.height() + 1, gate_open(DAY), &body).unwrap(), state),
    );
}

/// The block that closes the gate of a session with 24 periods, with its delta.
#[divan::bench(name = "apply::clear_session", args = ORDERS, max_time = 4)]
fn clear_session(bencher: Bencher<'_, '_>, size: &Size) {
    let writer = Writer::with_orders(size.1);
    bencher.counter(ItemsCount::new(size.1)).with_inputs(|| writer.state.clone()).bench_values(
        |mut state| {
            let body = Body::default();
            let outcome = state.apply(state.height() + 1, gate_close(DAY), &body).unwrap();
            (outcome, state.take_delta(), state)
        },
    );
}

/// The payment, dispatch and settlement of a cleared session.
#[divan::bench(name = "apply::settle_session", args = &ORDERS[..2], max_time = 4)]
fn settle_session(bencher: Bencher<'_, '_>, size: &Size) {
    let mut writer = Writer::with_orders(size.1);
    writer.apply(gate_close(DAY), &Body::default());
    let mut after = vec![
        writer.write(Who::Bank, common::market::confirm(1, true)),
        writer.write(Who::Bank, common::market::confirm(2, true)),
        writer.write(Who::Dispatcher, Action::IssueDispatch { session: SessionId(1) }),
    ];
    for (unit, device) in common::market::METERS {
        after.push(writer.write(device, common::market::whole_day(unit, DAY, &[1; 24])));
    }
    after.push(writer.write(Who::Exchange, Action::SettleSession { session: SessionId(1) }));
    let body = Body { transactions: after };
    let time = DAY.next().start();
    bencher.counter(ItemsCount::new(size.1)).with_inputs(|| writer.state.clone()).bench_values(
        |mut state| {
            let outcome = state.apply(state.height() + 1, time, &body).unwrap();
            assert!(outcome.receipts.iter().all(duet_ledger::Receipt::is_accepted));
            (outcome, state)
        },
    );
}
