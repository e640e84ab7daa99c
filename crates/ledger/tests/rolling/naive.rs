//! Random orders and withdrawals against a book that searches all of its orders every time.

use super::common::chain::{assert_escrow, change_row, draft};
use super::common::market::*;
use super::common::random::Random;
use super::{cancel, market};
use duet_ledger::*;
use duet_units::{BasisPoints, Energy, Price};
use std::collections::{BTreeMap, BTreeSet};

/// Operations of one run; DUET_ROLLING_OPERATIONS sets another number.
const OPERATIONS: usize = 10_000;
const PERIODS: i64 = 4;
/// The table of sessions.
const SESSIONS: u8 = 7;
const TRADERS: [(UnitId, Side, Who); 4] = [
    (COAL, Side::Sell, Who::Coal),
    (WIND, Side::Sell, Who::Retail),
    (RETAIL, Side::Buy, Who::Retail),
    (FACTORY, Side::Buy, Who::Factory),
];

#[derive(Clone, Debug)]
struct Standing {
    id: u64,
    owner: Who,
    request: OrderRequest,
    left: i64,
}

/// Buy and sell order, milli-yuan/MWh, kWh.
type Made = (u64, u64, i64, i64);

#[derive(Default)]
struct Naive {
    standing: Vec<Standing>,
    trades: Vec<Made>,
    /// What each buyer owes in fen.
    owed: BTreeMap<Who, i128>,
    /// Who has bought, or sold, in which period.
    sides: BTreeSet<(Who, u8, bool)>,
    /// Refused as they would have met an order of their owner, or were against its direction.
    refused: [u64; 2],
    killed: u64,
}

fn limit(request: &OrderRequest) -> i64 {
    request.limit.milli_yuan_per_mwh()
}

impl Naive {
    /// The standing orders that could trade with this one, best first.
    fn opposite(&self, request: &OrderRequest) -> Vec<usize> {
        let crosses = |other: &Standing| match request.side {
            Side::Buy => limit(&other.request) <= limit(request),
            Side::Sell => limit(request) <= limit(&other.request),
        };
        let fits = |other: &Standing| {
            other.request.side != request.side
                && other.request.period == request.period
                && crosses(other)
        };
        let mut places: Vec<usize> =
            (0..self.standing.len()).filter(|place| fits(&self.standing[*place])).collect();
        places.sort_by_key(|place| {
            let other = &self.standing[*place];
            let price = limit(&other.request);
            (if request.side == Side::Buy { price } else { -price }, other.id)
        });
        places
    }

    fn would_meet_own(&self, owner: Who, request: &OrderRequest) -> bool {
        self.opposite(request).iter().any(|place| self.standing[*place].owner == owner)
    }

    /// Whether the owner does the opposite in the period.
    fn is_against_own(&self, owner: Who, request: &OrderRequest) -> bool {
        let (period, side) = (request.period, request.side.opposite());
        let stands = |order: &Standing| {
            order.owner == owner && order.request.period == period && order.request.side == side
        };
        self.sides.contains(&(owner, period, side == Side::Buy)) || self.standing.iter().any(stands)
    }

    fn submit(&mut self, id: u64, owner: Who, request: &OrderRequest) {
        let places = self.opposite(request);
        let offered: i64 = places.iter().map(|place| self.standing[*place].left).sum();
        let mut left = request.quantity.kwh();
        if request.time_in_force == TimeInForce::Fok && offered < left {
            self.killed += 1;
            return;
        }
        for place in places {
            let other = &mut self.standing[place];
            let traded = left.min(other.left);
            if traded == 0 {
                break;
            }
            let price = limit(&other.request);
            other.left -= traded;
            left -= traded;
            let (buy, sell, buyer) = match request.side {
                Side::Buy => (id, other.id, owner),
                Side::Sell => (other.id, id, other.owner),
            };
            self.trades.push((buy, sell, price, traded));
            *self.owed.entry(buyer).or_default() += half_up(price * traded).max(0);
            let (theirs, buys) = (other.owner, request.side == Side::Buy);
            let period = request.period;
            self.sides.extend([(owner, period, buys), (theirs, period, !buys)]);
        }
        self.standing.retain(|order| order.left > 0);
        match (left, request.time_in_force) {
            (0, _) => {}
            (_, TimeInForce::Gtc) => {
                self.standing.push(Standing { id, owner, request: request.clone(), left });
            }
            _ => self.killed += 1,
        }
    }

    /// What buyers owe and offer, in fen.
    fn escrow(&self, who: Who) -> i128 {
        let open = |order: &&Standing| order.owner == who && order.request.side == Side::Buy;
        let value = |order: &Standing| {
            let micro = i128::from(limit(&order.request)) * i128::from(order.left);
            (micro + 9_999).div_euclid(10_000).max(0)
        };
        let held: i128 = self.standing.iter().filter(open).map(value).sum();
        held + self.owed.get(&who).copied().unwrap_or(0)
    }
}

/// Micro-yuan in fen, half away from zero.
fn half_up(micro: i64) -> i128 {
    let micro = i128::from(micro);
    micro.signum() * ((micro.abs() + 5_000) / 10_000)
}

struct Run {
    random: Random,
    naive: Naive,
    state: State,
    nonces: BTreeMap<Who, u64>,
    read: usize,
}

impl Run {
    fn act(&mut self, who: Who, action: Action) -> Body {
        let nonce = self.state.nonce(who.public()) + 1;
        self.nonces.insert(who, nonce);
        let (channel, signer) = (*self.state.channel(), who.public());
        let transaction = draft(&Unsigned { channel, signer, nonce, action });
        Body { transactions: vec![transaction] }
    }

    fn apply(&mut self, body: &Body) -> Outcome {
        let (height, time) = (self.state.height() + 1, self.state.time());
        self.state.apply(height, time, body).unwrap()
    }

    fn order(&mut self) -> (Who, OrderRequest) {
        let (unit, side, who) = self.random.pick(&TRADERS);
        let around = if side == Side::Buy { 299_000 } else { 301_000 };
        let limit = around + self.random.between(-6, 6) * 1_000;
        let tif = [TimeInForce::Gtc, TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok];
        let request = OrderRequest {
            session: SessionId(1),
            unit,
            side,
            period: u8::try_from(self.random.below(PERIODS)).unwrap(),
            limit: Price::from_milli_yuan_per_mwh(limit),
            quantity: Energy::from_kwh(self.random.between(1, 20)),
            conductivity: BasisPoints::ZERO,
            reference: 0,
            time_in_force: self.random.pick(&tif),
        };
        (who, request)
    }

    fn step(&mut self) -> Body {
        let stands = !self.naive.standing.is_empty();
        if stands && self.random.one_in(4) {
            let place = self.random.below(self.naive.standing.len().try_into().unwrap());
            let order = self.naive.standing.remove(usize::try_from(place).unwrap());
            let body = self.act(order.owner, cancel(order.id));
            assert_eq!(self.apply(&body).receipts[0].code, 0);
            return body;
        }
        let (who, request) = self.order();
        let body = self.act(who, Action::SubmitOrder(request.clone()));
        let meets = self.naive.would_meet_own(who, &request);
        let against = self.naive.is_against_own(who, &request);
        let receipt = self.apply(&body).receipts[0].clone();
        let code = match (meets, against) {
            (true, _) => 414,
            (false, true) => 450,
            (false, false) => 0,
        };
        assert_eq!(receipt.code, code, "{request:?}");
        match code {
            0 => self.naive.submit(receipt.subject, who, &request),
            414 => self.naive.refused[0] += 1,
            _ => self.naive.refused[1] += 1,
        }
        body
    }

    /// The new trades are those of the naive book.
    fn compare_trades(&mut self) {
        let from = TradeId(u64::try_from(self.read).unwrap() + 1);
        let row =
            |t: &Trade| (t.buy.0, t.sell.0, t.buyer_price.milli_yuan_per_mwh(), t.quantity.kwh());
        let made: Vec<Made> = self.state.trades().range(from..).map(|(_, t)| row(t)).collect();
        assert_eq!(made, self.naive.trades[self.read..]);
        self.read = self.naive.trades.len();
    }

    /// Everything that can be seen is as the naive book says.
    fn compare_all(&self) {
        let open: Vec<(u64, i64)> = self
            .state
            .orders()
            .iter()
            .filter(|(_, order)| order.status == OrderStatus::Pending)
            .map(|(id, order)| (id.0, order.left().unwrap().kwh()))
            .collect();
        let mut expected: Vec<(u64, i64)> =
            self.naive.standing.iter().map(|order| (order.id, order.left)).collect();
        expected.sort_unstable();
        assert_eq!(open, expected);
        for who in [Who::Retail, Who::Factory] {
            let held = self.state.balance(who.organisation(), AccountKind::Escrow);
            assert_eq!(held.fen(), self.naive.escrow(who), "{who:?}");
        }
        assert_eq!(self.state.totals().unwrap().money.fen(), 0);
        assert_escrow(&self.state);
        for period in 0..u8::try_from(PERIODS).unwrap() {
            let depth = self.state.depth(SessionId(1), period);
            assert_eq!(depth.bids, self.levels(period, Side::Buy));
            assert_eq!(depth.asks, self.levels(period, Side::Sell));
        }
    }

    fn levels(&self, period: u8, side: Side) -> Vec<DepthLevel> {
        let mut levels: BTreeMap<i64, (i64, u32)> = BTreeMap::new();
        for order in &self.naive.standing {
            if order.request.period == period && order.request.side == side {
                let level = levels.entry(limit(&order.request)).or_default();
                *level = (level.0 + order.left, level.1 + 1);
            }
        }
        let row = |(price, (kwh, orders)): (i64, (i64, u32))| DepthLevel {
            price: Price::from_milli_yuan_per_mwh(price),
            quantity: Energy::from_kwh(kwh),
            orders,
        };
        let ascending: Vec<DepthLevel> = levels.into_iter().map(row).collect();
        match side {
            Side::Buy => ascending.into_iter().rev().take(5).collect(),
            Side::Sell => ascending.into_iter().take(5).collect(),
        }
    }
}

#[test]
fn random_operations_give_what_a_naive_book_gives_and_a_restored_state_goes_on_the_same() {
    let operations = std::env::var("DUET_ROLLING_OPERATIONS")
        .map_or(OPERATIONS, |number| number.parse().unwrap());
    // Lots of 1 kWh, so that capacities do not end the run.
    let chain = market(1).with_rows(|rows| {
        let key = [SESSIONS, 0, 0, 0, 1];
        change_row(rows, &key, |row: &mut Session| row.terms.lot = Energy::from_kwh(1));
    });
    let (random, nonces) = (Random(20_261_122), BTreeMap::new());
    let state = chain.state.clone();
    let mut run = Run { random, naive: Naive::default(), state, nonces, read: 0 };
    let mut other: Option<State> = None;
    let mut rows = chain.rows;
    for operation in 0..operations {
        let body = run.step();
        run.compare_trades();
        if operation % 500 == 0 {
            run.compare_all();
        }
        let delta = run.state.take_delta();
        if let Some(other) = &mut other {
            other.apply(other.height() + 1, other.time(), &body).unwrap();
            assert_eq!(other.take_delta(), delta);
            continue;
        }
        for (key, row) in delta {
            match row {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
        if operation >= operations / 2 {
            let rows = rows.iter().map(|(key, row)| (&key[..], &row[..]));
            other = Some(State::restore(&chain.genesis, rows).unwrap());
        }
    }
    run.compare_all();
    let Naive { trades, refused, killed, .. } = &run.naive;
    let share = operations / 20;
    let told = refused.iter().all(|count| 10 < *count) && 10 < *killed;
    assert!(share < trades.len() && told, "the run says something: {refused:?}, {killed}");
    // Everything is released at the gate.
    let gate = gate_close(DAY);
    let outcome = run.state.apply(run.state.height() + 1, gate, &Body::default()).unwrap();
    let other = other.as_mut().unwrap();
    assert_eq!(other.apply(other.height() + 1, gate, &Body::default()).unwrap(), outcome);
    assert_escrow(&run.state);
    let book = sealed::SealedBook::of(&run.state, SessionId(1)).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
}
