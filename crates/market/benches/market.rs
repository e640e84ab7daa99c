//! How long the market functions take, by size. Orders come from a fixed seed.
//!
//! `cargo bench -p duet-market`; one line per `module::operation` and `key=value`.

use std::fmt;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use duet_market::auction::{CallRule, clear};
use duet_market::game::{Design, GameOrder, GameRule, clear_joint};
use duet_market::joint::certificate::certify;
use duet_market::joint::{Demand, Market, Period, Unit, solve};
use duet_market::order::{Order, Side};
use duet_market::pairing::pair;
use duet_market::rolling::{Book, Grid, Incoming, Pricing, TimeInForce};
use duet_market::settlement::spot::{Method, SpotEnergy, SpotPrices, settle_spot};
use duet_units::{BasisPoints, CarbonPrice, EmissionFactor, Emissions, Energy, Price};

fn main() {
    warm_heap();
    divan::main();
}

/// Gives the heap the shape of a process that has run for a while. The allocator keeps memory up
/// to twice the largest block it ever gave back, so after this the operating system is not asked
/// for the same pages again on every call.
fn warm_heap() {
    drop(black_box(Vec::<u8>::with_capacity(31 << 20)));
}

/// An argument of a bench, shown as `name=value`.
struct Size(&'static str, usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.0, self.1)
    }
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

/// Bids around 370 and asks around 350 yuan/MWh, 60 wide, in steps of 0.001.
fn orders(seed: u64, count: usize) -> Vec<Order> {
    let mut random = Random(seed);
    let mut order = |index: usize| {
        let (side, from) =
            if index.is_multiple_of(2) { (Side::Buy, 340_000) } else { (Side::Sell, 320_000) };
        Order {
            side,
            limit: Price::from_milli_yuan_per_mwh(from + random.below(60_000)),
            quantity: Energy::from_kwh(1 + random.below(2_000)),
            emission_factor: EmissionFactor::from_g_per_kwh(random.below(1_000)),
        }
    };
    (0..count).map(&mut order).collect()
}

#[divan::bench(name = "auction::clear", args = [Size("orders", 1_000), Size("orders", 100_000), Size("orders", 1_000_000)])]
fn auction_clear(bencher: Bencher<'_, '_>, size: &Size) {
    let orders = orders(42, size.1);
    bencher
        .counter(ItemsCount::new(size.1))
        .bench(|| clear(black_box(&orders), &CallRule::MIDPOINT).unwrap());
}

#[divan::bench(name = "auction::clear_day", args = [Size("periods=96 orders", 10_000)])]
fn auction_clear_day(bencher: Bencher<'_, '_>, size: &Size) {
    let day: Vec<Vec<Order>> = (0..96).map(|period| orders(period, size.1)).collect();
    let clear_day = || {
        let each = day.iter().map(|orders| clear(black_box(orders), &CallRule::MIDPOINT).unwrap());
        each.collect::<Vec<_>>()
    };
    bencher.counter(ItemsCount::new(96 * size.1)).bench(clear_day);
}

#[divan::bench(name = "pairing::pair", args = [Size("orders", 100_000)])]
fn pairing_pair(bencher: Bencher<'_, '_>, size: &Size) {
    let orders = orders(42, size.1);
    let fills = clear(&orders, &CallRule::MIDPOINT).unwrap().fills;
    bencher.bench(|| pair(black_box(&orders), black_box(&fills)).unwrap());
}

#[divan::bench(name = "game::clear_joint", args = [Size("orders", 1_000), Size("orders", 100_000)])]
fn game_clear_joint(bencher: Bencher<'_, '_>, size: &Size) {
    joint_session(bencher, size, Design::Compensation);
}

#[divan::bench(name = "game::clear_joint uplift", args = [Size("orders", 1_000), Size("orders", 100_000)])]
fn game_clear_joint_uplift(bencher: Bencher<'_, '_>, size: &Size) {
    joint_session(bencher, size, Design::Uplift);
}

fn joint_session(bencher: Bencher<'_, '_>, size: &Size, second_stage: Design) {
    let rule = GameRule {
        call: CallRule::MIDPOINT,
        second_stage,
        compensation_cap: Price::from_milli_yuan_per_mwh(36_440),
        fund_share: BasisPoints::from_bp(5_000),
    };
    let with_rent = |order: Order| GameOrder {
        order,
        registered_ask: order.limit,
        registered_cost: order.limit,
        rent: match order.side {
            Side::Buy => Price::ZERO,
            Side::Sell => Price::from_milli_yuan_per_mwh(order.emission_factor.g_per_kwh() * 50),
        },
    };
    let orders: Vec<GameOrder> = orders(42, size.1).into_iter().map(with_rent).collect();
    let joint = clear_joint(&orders, &rule).unwrap();
    assert!(joint.second.is_some(), "both stages are measured");
    bencher.bench(|| clear_joint(black_box(&orders), &rule).unwrap());
}

enum Operation {
    Submit(Incoming),
    Withdraw(usize),
}

/// Seven submissions to three withdrawals, around one price, so that about half of them trade.
fn operations(count: usize) -> Vec<Operation> {
    let mut random = Random(42);
    let mut submitted = 0_i64;
    let mut operation = |_| {
        if random.below(10) < 3 && submitted > 0 {
            return Operation::Withdraw(usize::try_from(random.below(submitted)).unwrap());
        }
        submitted += 1;
        let (side, from) =
            if random.below(2) == 0 { (Side::Buy, 299_000) } else { (Side::Sell, 300_000) };
        Operation::Submit(Incoming {
            side,
            limit: Price::from_milli_yuan_per_mwh(from + 10 * random.below(1_000)),
            quantity: Energy::from_kwh(1_000 * (1 + random.below(20))),
            time_in_force: TimeInForce::Gtc,
        })
    };
    (0..count).map(&mut operation).collect()
}

#[divan::bench(name = "rolling::mixed", args = [Size("operations", 1_000_000)])]
fn rolling_mixed(bencher: Bencher<'_, '_>, size: &Size) {
    let operations = operations(size.1);
    let grid =
        Grid { floor: Price::ZERO, tick: Price::from_milli_yuan_per_mwh(10), levels: 150_000 };
    let run = |mut book: Book| {
        let (mut fills, mut tickets) = (Vec::new(), Vec::new());
        let mut traded = 0;
        for operation in &operations {
            match operation {
                Operation::Submit(incoming) => {
                    fills.clear();
                    tickets.push(book.submit(*incoming, &mut fills).unwrap());
                    traded += fills.len();
                }
                Operation::Withdraw(index) => {
                    if let Some(Some(ticket)) = tickets.get(*index) {
                        black_box(book.withdraw(*ticket));
                    }
                }
            }
        }
        (book, traded)
    };
    bencher
        .counter(ItemsCount::new(size.1))
        .with_inputs(|| Book::new(grid, Pricing::Maker).unwrap())
        .bench_values(run);
}

#[divan::bench(name = "settlement::settle_spot", args = [Size("participants=10000 periods", 96)])]
fn settlement_day(bencher: Bencher<'_, '_>, size: &Size) {
    let mut random = Random(42);
    let mut kwh = || Energy::from_kwh(random.below(100_000));
    let mut one = |_| {
        let contracted = kwh();
        let price = Price::from_milli_yuan_per_mwh(380_000);
        SpotEnergy {
            contracted,
            contract_value: price.value_of(contracted).unwrap(),
            day_ahead: Some(kwh()),
            metered: kwh(),
        }
    };
    let energies: Vec<SpotEnergy> = (0..10_000 * size.1).map(&mut one).collect();
    let price = Price::from_milli_yuan_per_mwh;
    let prices = SpotPrices {
        day_ahead: price(410_000),
        real_time: price(455_000),
        reference: price(400_000),
    };
    let settle_all = || {
        for energy in &energies {
            black_box(settle_spot(energy, &prices, Method::Two).unwrap());
        }
    };
    bencher.counter(ItemsCount::new(energies.len())).bench(settle_all);
}

fn joint_market(periods: usize) -> Market {
    let mut random = Random(42);
    let price = Price::from_milli_yuan_per_mwh;
    let mut period = |_| Period {
        units: (0..100)
            .map(|_| Unit {
                cost: price(250_000 + random.below(150_000)),
                quantity: Energy::from_kwh(100_000 + random.below(200_000)),
                emission_factor: EmissionFactor::from_g_per_kwh(350 + random.below(650)),
                benchmark: EmissionFactor::from_g_per_kwh(791),
            })
            .collect(),
        demands: (0..1_000)
            .map(|_| Demand {
                limit: price(300_000 + random.below(200_000)),
                quantity: Energy::from_kwh(1_000 + random.below(20_000)),
            })
            .collect(),
    };
    Market {
        periods: (0..periods).map(&mut period).collect(),
        cap: Emissions::from_g(-200_000_000_000),
        offers: Vec::new(),
        ceiling: CarbonPrice::from_fen_per_t(100_000),
    }
}

#[divan::bench(name = "joint::solve", args = [Size("units=100 demands=1000 periods", 96)])]
fn joint_solve(bencher: Bencher<'_, '_>, size: &Size) {
    let market = joint_market(size.1);
    let solution = solve(&market).unwrap().unwrap();
    assert!(!solution.carbon_price.is_zero(), "the budget binds");
    bencher.bench(|| solve(black_box(&market)).unwrap());
}

#[divan::bench(name = "joint::certify", args = [Size("units=100 demands=1000 periods", 96)])]
fn joint_certify(bencher: Bencher<'_, '_>, size: &Size) {
    let market = joint_market(size.1);
    let solution = solve(&market).unwrap().unwrap();
    bencher.bench(|| certify(black_box(&market), black_box(&solution)).unwrap());
}
