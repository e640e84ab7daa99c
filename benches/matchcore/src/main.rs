//! Our book of continuous trading and `matchcore` on the same operations.
//!
//! First both run side by side and every trade is compared; then each is timed alone, in turns,
//! on operations that were prepared before. The first argument is the number of operations
//! (default 1,000,000), the second the number of turns (default 15).
//!
//! `matchcore`, in every version up to 0.4.0, looks at the limit of an incoming order only once:
//! an order that meets the best price goes on to trade at prices beyond its limit. So that both
//! engines do the same work, no order of the first flow is larger than what it meets within its
//! limit. The second flow is that of the bench `rolling::mixed` as it is, in which the other
//! engine's trades beyond a limit are counted.

use std::hint::black_box;
use std::time::{Duration, Instant};

use duet_market::order::Side;
use duet_market::rolling::{Book, Grid, Incoming, Pricing, Ticket, TimeInForce};
use duet_units::{Energy, Price};
use matchcore::{
    CancelCmd, Command, CommandKind, CommandMeta, CommandOutcome, CommandReport, LimitOrder,
    NewOrder, OrderBook, OrderFlags, OrderId, OrderKind, Quantity, QuantityPolicy, SequenceNumber,
    SubmitCmd, Timestamp,
};

/// Milli-yuan per MWh: the step of the grid, and one unit of the other engine's prices.
const TICK: i64 = 10;

/// From 0 to 1,500 yuan/MWh.
const LEVELS: u32 = 150_000;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let count = numbers.next().unwrap_or(1_000_000);
    let turns = numbers.next().unwrap_or(15);

    let operations = within_limits(operations(count));
    let commands = commands_of(&operations);
    let trades = compare(&operations, &commands);
    println!("{count} operations, {trades} trades, the same from both engines:");
    race(&operations, &commands, turns);

    let operations = self::operations(count);
    let commands = commands_of(&operations);
    let beyond = trades_beyond_limits(&commands);
    println!("rolling::mixed, {count} operations; {beyond} of matchcore's trades beyond a limit:");
    race(&operations, &commands, turns);
}

/// Times each engine alone, in turns, and prints the fastest runs.
fn race(operations: &[Operation], commands: &[Command], turns: usize) {
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..turns {
        ours = ours.min(timed(|| run_ours(operations)));
        theirs = theirs.min(timed(|| run_theirs(commands)));
    }
    let rate = |took: Duration| operations.len() as f64 / took.as_secs_f64() / 1e6;
    println!("  duet-market     {:6.2} M operations/s, fastest of {turns}", rate(ours));
    println!("  matchcore 0.4.0 {:6.2} M operations/s, fastest of {turns}", rate(theirs));
    println!("  {:.2} times as fast", theirs.as_secs_f64() / ours.as_secs_f64());
}

#[expect(clippy::disallowed_methods, reason = "the one place where this bench reads the clock")]
fn timed<T>(run: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    let result = run();
    let took = started.elapsed();
    drop(black_box(result)); // Giving memory back is nobody's operation.
    took
}

/// The splitmix64 sequence.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound.unsigned_abs()).cast_signed()
    }
}

enum Operation {
    Submit(Incoming),
    /// Names the order by its number among the submissions.
    Withdraw(usize),
}

/// The flow of the bench `rolling::mixed`: seven submissions to three withdrawals, around one
/// price, so that about half of them trade.
fn operations(count: usize) -> Vec<Operation> {
    let mut random = Random(42);
    let mut submitted = 0_i64;
    let mut operation = |_| {
        if random.below(10) < 3 && submitted > 0 {
            let order = random.below(submitted);
            return Operation::Withdraw(usize::try_from(order).expect("not negative"));
        }
        submitted += 1;
        let (side, from) =
            if random.below(2) == 0 { (Side::Buy, 299_000) } else { (Side::Sell, 300_000) };
        Operation::Submit(Incoming {
            side,
            limit: Price::from_milli_yuan_per_mwh(from + TICK * random.below(1_000)),
            quantity: Energy::from_kwh(1_000 * (1 + random.below(20))),
            time_in_force: TimeInForce::Gtc,
        })
    };
    (0..count).map(&mut operation).collect()
}

/// Makes every order that trades as large as what it meets within its limit.
fn within_limits(mut operations: Vec<Operation>) -> Vec<Operation> {
    let (mut book, mut fills, mut tickets) = (book(), Vec::new(), Vec::new());
    for operation in &mut operations {
        match operation {
            Operation::Submit(incoming) => {
                fills.clear();
                let mut ticket = book.submit(*incoming, &mut fills).expect("the order is valid");
                if !fills.is_empty() {
                    ticket.take().map(|rest| book.withdraw(rest));
                    let met = fills.iter().map(|fill| fill.quantity.kwh()).sum();
                    incoming.quantity = Energy::from_kwh(met);
                }
                tickets.push(ticket);
            }
            Operation::Withdraw(order) => {
                tickets[*order].map(|ticket| book.withdraw(ticket));
            }
        }
    }
    operations
}

/// The same operations for the other engine, which names an order by its command's number.
fn commands_of(operations: &[Operation]) -> Vec<Command> {
    let mut names = Vec::new();
    let mut commands = Vec::with_capacity(operations.len());
    for (number, operation) in (0_u64..).zip(operations) {
        let kind = match operation {
            Operation::Submit(incoming) => {
                names.push(OrderId(number));
                CommandKind::Submit(SubmitCmd { order: NewOrder::Limit(limit_order(incoming)) })
            }
            Operation::Withdraw(order) => CommandKind::Cancel(CancelCmd {
                order_id: names[*order],
                order_kind: OrderKind::Limit,
            }),
        };
        let (sequence_number, timestamp) = (SequenceNumber(number), Timestamp(number));
        commands.push(Command { meta: CommandMeta { sequence_number, timestamp }, kind });
    }
    commands
}

fn limit_order(incoming: &Incoming) -> LimitOrder {
    let side = match incoming.side {
        Side::Buy => matchcore::Side::Buy,
        Side::Sell => matchcore::Side::Sell,
    };
    let ticks = incoming.limit.milli_yuan_per_mwh() / TICK;
    let quantity = Quantity(incoming.quantity.kwh().unsigned_abs());
    LimitOrder::new(
        matchcore::Price(ticks.unsigned_abs()),
        QuantityPolicy::Standard { quantity },
        OrderFlags::new(side, false, matchcore::TimeInForce::Gtc),
    )
}

fn book() -> Book {
    let tick = Price::from_milli_yuan_per_mwh(TICK);
    Book::new(Grid { floor: Price::ZERO, tick, levels: LEVELS }, Pricing::Maker)
        .expect("the grid fits")
}

fn run_ours(operations: &[Operation]) -> (Book, usize) {
    let (mut book, mut fills, mut tickets) = (book(), Vec::new(), Vec::new());
    let mut trades = 0;
    for operation in operations {
        match operation {
            Operation::Submit(incoming) => {
                fills.clear();
                tickets.push(book.submit(*incoming, &mut fills).expect("the order is valid"));
                trades += fills.len();
            }
            Operation::Withdraw(order) => {
                if let Some(ticket) = tickets[*order] {
                    black_box(book.withdraw(ticket));
                }
            }
        }
    }
    (book, trades)
}

fn run_theirs(commands: &[Command]) -> (OrderBook, usize) {
    let mut book = OrderBook::new("duet");
    let mut trades = 0;
    for command in commands {
        trades += trades_of(&book.execute(command)).len();
    }
    (book, trades)
}

fn trades_of(outcome: &CommandOutcome) -> &[matchcore::Trade] {
    match outcome {
        CommandOutcome::Applied(CommandReport::Submit(effects)) => {
            effects.target_order().match_result().map_or(&[], |result| result.trades())
        }
        CommandOutcome::Applied(_) | CommandOutcome::Rejected(_) => &[],
    }
}

/// Runs both engines, compares every trade and withdrawal, and returns the number of trades.
fn compare(operations: &[Operation], commands: &[Command]) -> usize {
    let (mut ours, mut theirs) = (book(), OrderBook::new("duet"));
    let (mut fills, mut tickets) = (Vec::new(), Vec::new());
    // The command that made each ticket; tickets are given in the order of the orders that stand.
    let mut makers: std::collections::BTreeMap<Ticket, u64> = std::collections::BTreeMap::new();
    let mut trades = 0;
    for ((number, operation), command) in (0_u64..).zip(operations).zip(commands) {
        let outcome = theirs.execute(command);
        match operation {
            Operation::Submit(incoming) => {
                fills.clear();
                let ticket = ours.submit(*incoming, &mut fills).expect("the order is valid");
                tickets.push(ticket);
                makers.extend(ticket.map(|ticket| (ticket, number)));
                let mine = fills.iter().map(|fill| {
                    let ticks = fill.price.milli_yuan_per_mwh() / TICK;
                    (
                        makers[&fill.resting],
                        ticks.unsigned_abs(),
                        fill.quantity.kwh().unsigned_abs(),
                    )
                });
                let other = trades_of(&outcome).iter();
                let other = other.map(|t| (t.maker_order_id().0, t.price().0, t.quantity().0));
                assert!(mine.eq(other), "operation {number}: {fills:?} against {outcome:?}");
                trades += fills.len();
            }
            Operation::Withdraw(order) => {
                let stood = tickets[*order].and_then(|ticket| ours.withdraw(ticket)).is_some();
                let applied = matches!(outcome, CommandOutcome::Applied(_));
                assert_eq!(stood, applied, "operation {number}");
            }
        }
    }
    trades
}

/// How many trades the other engine makes at a price worse than the limit of the incoming order.
fn trades_beyond_limits(commands: &[Command]) -> usize {
    let mut book = OrderBook::new("duet");
    let mut beyond = 0;
    for command in commands {
        let outcome = book.execute(command);
        if let CommandKind::Submit(SubmitCmd { order: NewOrder::Limit(order) }) = &command.kind {
            let is_beyond = |trade: &&matchcore::Trade| match order.side() {
                matchcore::Side::Buy => order.price() < trade.price(),
                matchcore::Side::Sell => trade.price() < order.price(),
            };
            beyond += trades_of(&outcome).iter().filter(is_beyond).count();
        }
    }
    beyond
}
