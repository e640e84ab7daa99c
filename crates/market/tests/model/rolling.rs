//! Continuous trading against a list of standing orders that is searched from end to end.

use duet_market::order::Side;
use duet_market::rolling::{Book, Grid, Incoming, Level, Pricing, Ticket, TimeInForce};
use duet_units::{Energy, Price};

use crate::random::Random;
use crate::{done, operations};

const GRID: Grid = Grid {
    floor: Price::from_milli_yuan_per_mwh(-100),
    tick: Price::from_milli_yuan_per_mwh(50),
    levels: 40,
};

/// An order that stands, by the number of its submission.
#[derive(Clone, Copy)]
struct Standing {
    name: usize,
    side: Side,
    limit: i64,
    left: i64,
}

/// The rules, written for a list in order of time.
struct Model {
    standing: Vec<Standing>,
    /// The previous price of the median rule; `None` for the maker's price.
    median: Option<Option<i64>>,
}

impl Model {
    /// The place of the best opposite order that meets the limit: best price, then earliest.
    fn best(&self, side: Side, limit: i64) -> Option<usize> {
        let mut best: Option<(i64, usize)> = None;
        for (place, order) in self.standing.iter().enumerate() {
            let (meets, badness) = match side {
                Side::Buy => (order.limit <= limit, order.limit),
                Side::Sell => (limit <= order.limit, -order.limit),
            };
            if order.side != side && meets && best.is_none_or(|(worse, _)| badness < worse) {
                best = Some((badness, place));
            }
        }
        best.map(|(_, place)| place)
    }

    fn within_reach(&self, side: Side, limit: i64) -> i64 {
        let meets = |order: &&Standing| match side {
            Side::Buy => order.side == Side::Sell && order.limit <= limit,
            Side::Sell => order.side == Side::Buy && limit <= order.limit,
        };
        self.standing.iter().filter(meets).map(|order| order.left).sum()
    }

    /// Trades and lets the rest stand; the trades as (name, kWh, price).
    fn submit(&mut self, name: usize, incoming: &Incoming) -> Vec<(usize, i64, i64)> {
        let (side, limit) = (incoming.side, incoming.limit.milli_yuan_per_mwh());
        let mut left = incoming.quantity.kwh();
        let fills_whole = left <= self.within_reach(side, limit);
        if incoming.time_in_force == TimeInForce::Fok && !fills_whole {
            return Vec::new();
        }
        let mut trades = Vec::new();
        while left > 0
            && let Some(place) = self.best(side, limit)
        {
            let maker = self.standing[place];
            let kwh = left.min(maker.left);
            trades.push((maker.name, kwh, self.price(side, limit, maker.limit)));
            left -= kwh;
            self.standing[place].left -= kwh;
            if maker.left == kwh {
                self.standing.remove(place);
            }
        }
        if left > 0 && incoming.time_in_force == TimeInForce::Gtc {
            self.standing.push(Standing { name, side, limit, left });
        }
        trades
    }

    fn price(&mut self, side: Side, limit: i64, maker: i64) -> i64 {
        let Some(previous) = self.median else { return maker };
        let (bid, ask) = if side == Side::Buy { (limit, maker) } else { (maker, limit) };
        let price = match previous {
            Some(previous) => {
                let mut three = [previous, bid, ask];
                three.sort_unstable();
                three[1]
            }
            // Half away from zero.
            None => (bid + ask + (bid + ask).signum()) / 2,
        };
        self.median = Some(Some(price));
        price
    }

    fn withdraw(&mut self, name: usize) -> Option<i64> {
        let place = self.standing.iter().position(|order| order.name == name)?;
        Some(self.standing.remove(place).left)
    }

    fn depth(&self, side: Side) -> Vec<(i64, i64)> {
        let of_side = || self.standing.iter().filter(|order| order.side == side);
        let mut prices: Vec<i64> = of_side().map(|order| order.limit).collect();
        prices.sort_unstable_by_key(|price| if side == Side::Buy { -price } else { *price });
        prices.dedup();
        let energy = |at: i64| of_side().filter(|order| order.limit == at).map(|o| o.left).sum();
        prices.into_iter().take(5).map(|price| (price, energy(price))).collect()
    }
}

/// One session of a book and its model.
struct Session {
    book: Book,
    model: Model,
    tickets: Vec<Option<Ticket>>,
}

impl Session {
    fn new(random: &mut Random) -> Self {
        let previous = (random.below(2) == 0).then(|| random.below(1_000));
        let median = (random.below(2) == 0).then_some(previous);
        let price = |previous: i64| Price::from_milli_yuan_per_mwh(previous);
        let pricing = median
            .map_or(Pricing::Maker, |previous| Pricing::Median { previous: previous.map(price) });
        let book = Book::new(GRID, pricing).unwrap();
        Self { book, model: Model { standing: Vec::new(), median }, tickets: Vec::new() }
    }

    fn submit(&mut self, random: &mut Random) -> u64 {
        let time_in_force = match random.below(8) {
            0 => TimeInForce::Ioc,
            1 => TimeInForce::Fok,
            _ => TimeInForce::Gtc,
        };
        let incoming = Incoming {
            side: random.side(),
            limit: Price::from_milli_yuan_per_mwh(-100 + 50 * random.below(40)),
            quantity: Energy::from_kwh(1 + random.below(9)),
            time_in_force,
        };
        let mut fills = Vec::new();
        let ticket = self.book.submit(incoming, &mut fills).unwrap();
        let trades = self.model.submit(self.tickets.len(), &incoming);
        assert_eq!(fills.len(), trades.len(), "{incoming:?}: {fills:?} against {trades:?}");
        for (fill, (name, kwh, price)) in fills.iter().zip(&trades) {
            assert_eq!(Some(fill.resting), self.tickets[*name], "{incoming:?}");
            assert_eq!((fill.quantity.kwh(), fill.price.milli_yuan_per_mwh()), (*kwh, *price));
        }
        self.tickets.push(ticket);
        u64::try_from(fills.len()).unwrap()
    }

    fn withdraw(&mut self, random: &mut Random) {
        if self.tickets.is_empty() {
            return;
        }
        let name = random.index(self.tickets.len());
        let withdrawn = self.tickets[name].and_then(|ticket| self.book.withdraw(ticket));
        assert_eq!(withdrawn.map(Energy::kwh), self.model.withdraw(name));
    }

    fn look(&self) {
        for side in [Side::Buy, Side::Sell] {
            let short = |level: &Level| (level.price.milli_yuan_per_mwh(), level.quantity.kwh());
            let depth: Vec<_> = self.book.depth(side).iter().map(short).collect();
            assert_eq!(depth, self.model.depth(side));
        }
        // No two orders that could trade stand opposite each other.
        let best = |side| self.model.depth(side).first().map(|level| level.0);
        assert!(best(Side::Buy).zip(best(Side::Sell)).is_none_or(|(bid, ask)| bid < ask));
    }
}

#[test]
fn continuous_trading_equals_a_searched_list() {
    let mut random = Random::new(1);
    let (mut done_so_far, mut deals) = (0, 0);
    while done_so_far < operations() {
        let mut session = Session::new(&mut random);
        for step in 0..300 {
            if random.below(4) == 0 {
                session.withdraw(&mut random);
            } else {
                deals += session.submit(&mut random);
            }
            if step % 10 == 0 {
                session.look();
            }
        }
        done_so_far += 300;
    }
    done("rolling", done_so_far, deals);
}
