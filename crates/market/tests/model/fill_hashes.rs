//! The fills of generated books, as one hash per mode and size: the same in debug and release, on
//! every machine, and after every change that is not meant to change them.
//!
//! `DUET_UPDATE_VECTORS=1 cargo test -p duet-market --test model fill_hashes` writes the fixture
//! anew. Two of the call auctions were also computed by an independent program; see
//! `properties/replay.rs`.

use std::collections::BTreeMap;

use duet_market::allowance::bidding::{Bid, Notice, award};
use duet_market::allowance::{bidding, listed};
use duet_market::auction::pairwise::match_pairs;
use duet_market::auction::uniform::{MarginalPrice, UniformRule, clear_uniform};
use duet_market::auction::{CallRule, Clearing, clear};
use duet_market::game::{Design, GameOrder, GameRule, clear_joint};
use duet_market::joint::{Demand, Market, Period, Unit, solve};
use duet_market::linked::{LinkedBook, MultiPeriodOrder, PriceRule, clear_linked};
use duet_market::listing::{Sharing, Source, Take, share};
use duet_market::order::{Order, Rationing, Side};
use duet_market::pairing::pair;
use duet_market::rolling::{Book, Grid, Incoming, Pricing, TimeInForce};
use duet_units::{Allowances, BasisPoints, CarbonPrice, EmissionFactor, Emissions, Energy, Price};

use crate::random::Random;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fill_hashes.json");

/// FNV-1a over numbers of sixteen bytes, low byte first.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, number: impl Into<i128>) {
        for byte in number.into().to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn add_place(&mut self, place: usize) {
        self.add(i128::try_from(place).unwrap());
    }

    fn add_price(&mut self, price: Option<Price>) {
        self.add(price.map_or(i64::MIN, Price::milli_yuan_per_mwh));
    }

    fn add_clearing(&mut self, clearing: &Clearing) {
        self.add_price(clearing.price);
        self.add_price(clearing.interval.map(|ends| ends.0));
        self.add_price(clearing.interval.map(|ends| ends.1));
        clearing.fills.iter().for_each(|fill| self.add(fill.kwh()));
    }
}

/// Books of a size: many small ones, few large ones, prices that tie and prices that do not.
fn books(random: &mut Random, size: usize) -> Vec<Vec<Order>> {
    let count = (20_000 / size).clamp(6, 200);
    (0..count).map(|index| random.book(size, [12, 60_000][index % 2])).collect()
}

fn auctions(size: usize, hashes: &mut BTreeMap<String, String>) {
    let mut keep = |name: &str, hash: Hash| {
        hashes.insert(format!("{name} orders={size}"), format!("{:016x}", hash.0));
    };
    let books = books(&mut Random::new(6), size);
    for rationing in [Rationing::ProRata, Rationing::Time, Rationing::GreenFirst] {
        let mut hash = Hash::new();
        for book in &books {
            let rule = CallRule { rationing, ..CallRule::MIDPOINT };
            let clearing = clear(book, &rule).unwrap();
            hash.add_clearing(&clearing);
            for pair in pair(book, &clearing.fills).unwrap() {
                hash.add_place(pair.buy);
                hash.add_place(pair.sell);
                hash.add(pair.quantity.kwh());
            }
        }
        keep(&format!("call auction {rationing:?}"), hash);
    }
    for marginal in [MarginalPrice::LastPair, MarginalPrice::CrossingPoint] {
        let mut hash = Hash::new();
        let k1 = BasisPoints::from_bp(3_000);
        let rule = UniformRule { marginal, k1, rationing: Rationing::ProRata };
        books.iter().for_each(|book| hash.add_clearing(&clear_uniform(book, &rule).unwrap()));
        keep(&format!("uniform price {marginal:?}"), hash);
    }
    let mut hash = Hash::new();
    for pair in
        books.iter().flat_map(|book| match_pairs(book, BasisPoints::from_bp(5_000)).unwrap())
    {
        hash.add_place(pair.buy);
        hash.add_place(pair.sell);
        hash.add(pair.quantity.kwh());
        hash.add_price(Some(pair.price));
    }
    keep("pair matching", hash);
    keep("joint session", joint_sessions(&books, Design::Compensation));
    keep("joint session, uplift", joint_sessions(&books, Design::Uplift));
}

fn joint_sessions(books: &[Vec<Order>], second_stage: Design) -> Hash {
    let rule = GameRule {
        call: CallRule::MIDPOINT,
        second_stage,
        compensation_cap: Price::from_milli_yuan_per_mwh(36_440),
        fund_share: BasisPoints::from_bp(5_000),
    };
    let mut hash = Hash::new();
    for book in books {
        let with_rent = |order: &Order| GameOrder {
            order: *order,
            registered_ask: order.limit,
            registered_cost: order.limit,
            rent: match order.side {
                Side::Buy => Price::ZERO,
                Side::Sell => {
                    Price::from_milli_yuan_per_mwh(50 * order.emission_factor.g_per_kwh())
                }
            },
        };
        let orders: Vec<GameOrder> = book.iter().map(with_rent).collect();
        let joint = clear_joint(&orders, &rule).unwrap();
        hash.add_clearing(&joint.first);
        for trade in &joint.trades {
            hash.add_place(trade.buy);
            hash.add_place(trade.sell);
            hash.add(trade.quantity.kwh());
            hash.add(trade.paid.fen());
            hash.add(trade.received.fen());
        }
        joint.levies.iter().for_each(|levy| hash.add(levy.amount.fen()));
        let allocations = joint.second.iter().flat_map(|second| &second.allocations);
        allocations.for_each(|allocation| hash.add(allocation.cost.fen()));
    }
    hash
}

fn continuous(pricing: Pricing) -> Hash {
    let mut random = Random::new(7);
    let tick = Price::from_milli_yuan_per_mwh(10);
    let grid = Grid { floor: Price::ZERO, tick, levels: 150_000 };
    let (mut book, mut fills, mut tickets) =
        (Book::new(grid, pricing).unwrap(), Vec::new(), Vec::new());
    let mut hash = Hash::new();
    for _ in 0..20_000 {
        if random.below(10) < 3 && !tickets.is_empty() {
            let at: usize = random.index(tickets.len());
            hash.add(book.withdraw(tickets[at]).map_or(-1, Energy::kwh));
            continue;
        }
        let incoming = Incoming {
            side: random.side(),
            limit: Price::from_milli_yuan_per_mwh(300_000 + 10 * random.below(1_000)),
            quantity: Energy::from_kwh(1 + random.below(20_000)),
            time_in_force: [TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok]
                [random.index(30).saturating_sub(27)],
        };
        fills.clear();
        tickets.extend(book.submit(incoming, &mut fills).unwrap());
        for fill in &fills {
            hash.add_place(tickets.binary_search(&fill.resting).unwrap());
            hash.add(fill.quantity.kwh());
            hash.add_price(Some(fill.price));
        }
    }
    hash
}

fn listings(sharing: Sharing) -> Hash {
    let mut random = Random::new(8);
    let mut hash = Hash::new();
    for _ in 0..500 {
        let mut take = |_| Take {
            quantity: Energy::from_kwh(random.below(100_000)),
            window: u32::try_from(random.below(16)).unwrap(),
            source: if random.below(3) == 0 { Source::Clean } else { Source::Other },
        };
        let takes: Vec<Take> = (0..40).map(&mut take).collect();
        let shares = share(Energy::from_kwh(1_234_567), &takes, sharing).unwrap();
        shares.iter().for_each(|share| hash.add(share.kwh()));
    }
    hash
}

fn allowances() -> [Hash; 2] {
    let mut random = Random::new(9);
    let (mut bidding, mut listed) = (Hash::new(), Hash::new());
    for round in 0..500 {
        let mut both = |_| {
            (
                Allowances::from_t(random.below(90_000)),
                CarbonPrice::from_fen_per_t(random.below(30)),
            )
        };
        let rows: Vec<_> = (0..40).map(&mut both).collect();
        let bids: Vec<Bid> = rows
            .iter()
            .map(|(quantity, price)| Bid { quantity: *quantity, price: *price })
            .collect();
        let side = if round % 2 == 0 { Side::Buy } else { Side::Sell };
        let reserve = CarbonPrice::from_fen_per_t(15);
        let pricing = [bidding::Pricing::PayAsBid, bidding::Pricing::Uniform][round % 3 % 2];
        let notice = Notice { side, quantity: Allowances::from_t(400_000), reserve, pricing };
        for award in award(&notice, &bids).unwrap() {
            bidding.add_place(award.bid);
            bidding.add(award.quantity.t());
            bidding.add(award.price.fen_per_t());
        }
        let listings: Vec<listed::Listing> = rows
            .iter()
            .map(|(quantity, price)| listed::Listing { quantity: *quantity, price: *price })
            .collect();
        let take = listed::Take { side, quantity: Allowances::from_t(99_999), limit: reserve };
        for pick in listed::take(&listings, &take).unwrap() {
            listed.add_place(pick.listing);
            listed.add(pick.quantity.t());
            listed.add(pick.price.fen_per_t());
        }
    }
    [bidding, listed]
}

fn linked_periods() -> Hash {
    let mut random = Random::new(10);
    let mut hash = Hash::new();
    for _ in 0..100 {
        let periods: Vec<Vec<Order>> = (0..4).map(|_| random.book(20, 40)).collect();
        let mut linked = |_| MultiPeriodOrder {
            side: random.side(),
            limit: Price::from_milli_yuan_per_mwh(random.below(40)),
            quantities: (0..4).map(|_| Energy::from_kwh(random.below(2_000))).collect(),
        };
        let linked: Vec<MultiPeriodOrder> = (0..6).map(&mut linked).collect();
        let book = LinkedBook { periods: &periods, linked: &linked, minimums: &[] };
        let result = clear_linked(&book, &PriceRule::Call(CallRule::MIDPOINT)).unwrap();
        result.accepted.iter().for_each(|position| hash.add_place(*position));
        for period in &result.periods {
            hash.add_price(period.price);
            period.fills.iter().for_each(|fill| hash.add(fill.kwh()));
        }
    }
    hash
}

fn energy_and_allowances() -> Hash {
    let mut random = Random::new(11);
    let price = Price::from_milli_yuan_per_mwh;
    let mut hash = Hash::new();
    for _ in 0..50 {
        let mut period = |_| Period {
            units: (0..8)
                .map(|_| Unit {
                    cost: price(250_000 + random.below(150_000)),
                    quantity: Energy::from_kwh(random.below(300_000)),
                    emission_factor: EmissionFactor::from_g_per_kwh(350 + random.below(650)),
                    benchmark: EmissionFactor::from_g_per_kwh(791),
                })
                .collect(),
            demands: (0..30)
                .map(|_| Demand {
                    limit: price(300_000 + random.below(200_000)),
                    quantity: Energy::from_kwh(random.below(60_000)),
                })
                .collect(),
        };
        let periods = (0..6).map(&mut period).collect();
        let (cap, ceiling) =
            (Emissions::from_g(-200_000_000), CarbonPrice::from_fen_per_t(100_000));
        let solution = solve(&Market { periods, cap, offers: Vec::new(), ceiling }).unwrap();
        hash.add(solution.as_ref().map_or(-1, |solution| solution.carbon_price.fen_per_t()));
        for schedule in solution.iter().flat_map(|solution| &solution.schedules) {
            hash.add(schedule.price);
            schedule.generated.iter().chain(&schedule.consumed).for_each(|kwh| hash.add(kwh.kwh()));
        }
    }
    hash
}

fn hashes() -> BTreeMap<String, String> {
    let mut hashes = BTreeMap::new();
    for size in [6, 40, 1_000, 10_000] {
        auctions(size, &mut hashes);
    }
    let previous = Some(Price::from_milli_yuan_per_mwh(305_000));
    let [bidding, listed] = allowances();
    for (name, hash) in [
        ("rolling match, maker's price", continuous(Pricing::Maker)),
        ("continuous phase, median price", continuous(Pricing::Median { previous })),
        ("listing by time", listings(Sharing::Time)),
        ("listing pro rata", listings(Sharing::ProRata)),
        ("listing by windows", listings(Sharing::Windows)),
        ("one-way bidding of allowances", bidding),
        ("listed agreements of allowances", listed),
        ("multi-period orders", linked_periods()),
        ("energy and allowances together", energy_and_allowances()),
    ] {
        hashes.insert(name.to_owned(), format!("{:016x}", hash.0));
    }
    hashes
}

#[test]
fn generated_books_have_the_same_fills_in_every_build() {
    let hashes = hashes();
    if std::env::var_os("DUET_UPDATE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&hashes).unwrap();
        std::fs::write(FIXTURE, text + "\n").unwrap();
    }
    let text = std::fs::read_to_string(FIXTURE).unwrap();
    let expected: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    assert_eq!(hashes, expected);
    let distinct: std::collections::BTreeSet<&String> = hashes.values().collect();
    assert!(distinct.len() > hashes.len() / 2, "the modes hardly differ: {hashes:#?}");
}
