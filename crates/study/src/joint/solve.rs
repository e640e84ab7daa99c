//! The search for the allowance price, and the filling of the cap.

use super::dispatch::{Among, Dispatch, Period};

/// An offer of allowances from outside the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowanceOffer {
    /// Price, in fen/t.
    pub price: i64,
    /// Amount, in g.
    pub grams: i64,
}

/// Periods under one allowance balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The periods.
    pub periods: Vec<Period>,
    /// Net emissions allowed without buying allowances, in g.
    pub cap: i128,
    /// Allowances on offer.
    pub allowances: Vec<AllowanceOffer>,
    /// The search's upper end, in fen/t.
    pub mu_max: i64,
}

/// What is published: quantities and prices, all integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The price of allowances, in fen/t.
    pub mu: i64,
    /// The price of each period, in 1e-6 fen/kWh.
    pub prices: Vec<i64>,
    /// Energy sold by each offer of each period, in kWh.
    pub sold: Vec<Vec<i64>>,
    /// Energy bought by each bid of each period, in kWh.
    pub bought: Vec<Vec<i64>>,
    /// Bought of each offer of allowances, in g.
    pub allowances: Vec<i64>,
}

impl Problem {
    /// Clears the problem; `None` if even `mu_max` does not keep the cap.
    #[must_use]
    pub fn solve(&self) -> Option<Solution> {
        let mu = self.least_price()?;
        let mut dispatches = self.dispatches(mu, Among::Least);
        let bought_up_to = |mu: i64| -> i128 { self.offered(|offer| offer.price <= mu) };
        if mu > 0 {
            self.fill(mu, self.cap + bought_up_to(mu), &mut dispatches);
        }
        let need = self.net_emissions(&dispatches) - self.cap;
        let allowances = self.cheapest(need)?;
        Some(Solution {
            mu,
            prices: dispatches.iter().map(|dispatch| dispatch.price).collect(),
            sold: dispatches.iter().map(|dispatch| dispatch.sold.clone()).collect(),
            bought: dispatches.into_iter().map(|dispatch| dispatch.bought).collect(),
            allowances,
        })
    }

    /// The least whole price of allowances at which the least-emitting dispatch keeps the cap.
    fn least_price(&self) -> Option<i64> {
        let keeps = |mu: i64| {
            let emissions = self.net_emissions(&self.dispatches(mu, Among::Least));
            emissions - self.offered(|offer| offer.price <= mu) <= self.cap
        };
        if keeps(0) {
            return Some(0);
        }
        if !keeps(self.mu_max) {
            return None;
        }
        let (mut too_low, mut enough) = (0, self.mu_max);
        while 1 < enough - too_low {
            let middle = too_low + (enough - too_low) / 2;
            if keeps(middle) {
                enough = middle;
            } else {
                too_low = middle;
            }
        }
        Some(enough)
    }

    fn dispatches(&self, mu: i64, among: Among) -> Vec<Dispatch> {
        self.periods.iter().map(|period| period.dispatch(mu, among)).collect()
    }

    fn net_emissions(&self, dispatches: &[Dispatch]) -> i128 {
        self.periods.iter().zip(dispatches).map(|(p, d)| p.net_emissions(d)).sum()
    }

    fn offered(&self, wanted: impl Fn(&AllowanceOffer) -> bool) -> i128 {
        let wanted = self.allowances.iter().filter(|offer| wanted(offer));
        wanted.map(|offer| i128::from(offer.grams)).sum()
    }

    /// The cheapest allowances for `need` g, by offer; `None` if there are not enough.
    fn cheapest(&self, need: i128) -> Option<Vec<i64>> {
        let mut order: Vec<usize> = (0..self.allowances.len()).collect();
        order.sort_by_key(|index| (self.allowances[*index].price, *index));
        let mut bought = vec![0; order.len()];
        let mut left = need.max(0);
        for index in order {
            let grams = left.min(self.allowances[index].grams.into());
            bought[index] = i64::try_from(grams).ok()?;
            left -= grams;
        }
        (left == 0).then_some(bought)
    }

    /// Moves period by period to the dispatch just above the cap, as far as the cap allows. The
    /// period prices stay: whether they still fit is what the certificate measures.
    fn fill(&self, mu: i64, allowed: i128, dispatches: &mut [Dispatch]) {
        let mut room = allowed - self.net_emissions(dispatches);
        for (period, dispatch) in self.periods.iter().zip(dispatches) {
            let above = period.dispatch(mu - 1, Among::Most);
            let more = period.net_emissions(&above) - period.net_emissions(dispatch);
            if more <= 0 {
                continue;
            }
            if more <= room {
                room -= more;
                (dispatch.sold, dispatch.bought) = (above.sold, above.bought);
                continue;
            }
            Swaps::between(period, dispatch, &above).apply(dispatch, room);
            return;
        }
    }
}

/// A way to change a dispatch by some kWh: more of one offer, or less of another, or of a bid.
#[derive(Clone, Copy, Debug)]
struct Move {
    place: Place,
    kwh: i64,
    /// What a kWh of it adds to net emissions, in g.
    net_factor: i64,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Sell(usize),
    Buy(usize),
}

/// The moves from one dispatch to another, by what they do to the balance: a move of each kind
/// together leave it unchanged.
#[derive(Debug, Default)]
struct Swaps {
    /// More sold or less bought.
    supply: Vec<Move>,
    /// Less sold or more bought.
    demand: Vec<Move>,
}

impl Swaps {
    fn between(period: &Period, from: &Dispatch, to: &Dispatch) -> Self {
        let mut swaps = Self::default();
        for (index, sell) in period.sells.iter().enumerate() {
            let change = to.sold[index] - from.sold[index];
            let (side, sign) = match change.signum() {
                1 => (&mut swaps.supply, 1),
                -1 => (&mut swaps.demand, -1),
                _ => continue,
            };
            let place = Place::Sell(index);
            side.push(Move { place, kwh: change.abs(), net_factor: sign * sell.net_factor });
        }
        for index in 0..period.buys.len() {
            let change = to.bought[index] - from.bought[index];
            let side = match change.signum() {
                1 => &mut swaps.demand,
                -1 => &mut swaps.supply,
                _ => continue,
            };
            side.push(Move { place: Place::Buy(index), kwh: change.abs(), net_factor: 0 });
        }
        swaps
    }

    /// Applies pairs of moves as long as the emissions they add fit into `room` g.
    fn apply(mut self, dispatch: &mut Dispatch, mut room: i128) {
        let (mut s, mut d) = (0, 0);
        while s < self.supply.len() && d < self.demand.len() {
            let per_kwh = i128::from(self.supply[s].net_factor + self.demand[d].net_factor);
            let mut kwh = self.supply[s].kwh.min(self.demand[d].kwh);
            if 0 < per_kwh {
                kwh = kwh.min(i64::try_from(room / per_kwh).unwrap_or(i64::MAX));
            }
            if kwh == 0 {
                return;
            }
            dispatch.change(self.supply[s].place, (kwh, -kwh));
            dispatch.change(self.demand[d].place, (-kwh, kwh));
            room -= per_kwh * i128::from(kwh);
            self.supply[s].kwh -= kwh;
            self.demand[d].kwh -= kwh;
            s += usize::from(self.supply[s].kwh == 0);
            d += usize::from(self.demand[d].kwh == 0);
        }
    }
}

impl Dispatch {
    fn change(&mut self, place: Place, (of_sell, of_buy): (i64, i64)) {
        match place {
            Place::Sell(index) => self.sold[index] += of_sell,
            Place::Buy(index) => self.bought[index] += of_buy,
        }
    }
}
