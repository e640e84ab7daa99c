//! One period at a given price of allowances.

use super::FINE_PER_MILLI_YUAN;

/// An offer of energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sell {
    /// Cost without carbon, in milli-yuan/MWh.
    pub cost: i64,
    /// Energy, in kWh.
    pub kwh: i64,
    /// Emissions less free allocation, in g/kWh; negative for a unit below its benchmark.
    pub net_factor: i64,
}

/// A bid for energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buy {
    /// Limit, in milli-yuan/MWh.
    pub limit: i64,
    /// Energy, in kWh.
    pub kwh: i64,
}

/// The offers and bids of one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The offers.
    pub sells: Vec<Sell>,
    /// The bids.
    pub buys: Vec<Buy>,
}

/// Which of several best dispatches is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Among {
    /// The one that emits least: clean units first at equal price, no trade without surplus.
    Least,
    /// The one that emits most: dirty units first, trades without surplus too.
    Most,
}

/// The dispatch of one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dispatch {
    pub(super) sold: Vec<i64>,
    pub(super) bought: Vec<i64>,
    /// A price that clears the period, in fine units.
    pub(super) price: i64,
}

impl Sell {
    /// The ask at an allowance price of `mu` fen/t, in fine units.
    pub(super) const fn ask(&self, mu: i64) -> i64 {
        self.cost * FINE_PER_MILLI_YUAN + self.net_factor * mu
    }
}

impl Buy {
    pub(super) const fn bid(&self) -> i64 {
        self.limit * FINE_PER_MILLI_YUAN
    }
}

impl Period {
    /// Clears the period at an allowance price of `mu` fen/t.
    pub(super) fn dispatch(&self, mu: i64, among: Among) -> Dispatch {
        let mut sells: Vec<usize> = (0..self.sells.len()).collect();
        let mut buys: Vec<usize> = (0..self.buys.len()).collect();
        sells.sort_by_key(|index| {
            let sell = &self.sells[*index];
            let tie = match among {
                Among::Least => sell.net_factor,
                Among::Most => -sell.net_factor,
            };
            (sell.ask(mu), tie, *index)
        });
        buys.sort_by_key(|index| (-self.buys[*index].limit, *index));
        let mut dispatch =
            Dispatch { sold: vec![0; sells.len()], bought: vec![0; buys.len()], price: 0 };
        let (mut s, mut b) = (0, 0);
        // The dearest accepted ask and the lowest accepted bid.
        let mut accepted: Option<(i64, i64)> = None;
        while s < sells.len() && b < buys.len() {
            let (sell, buy) = (&self.sells[sells[s]], &self.buys[buys[b]]);
            let (ask, bid) = (sell.ask(mu), buy.bid());
            if bid < ask || (bid == ask && among == Among::Least) {
                break;
            }
            let (sold, bought) = (&mut dispatch.sold[sells[s]], &mut dispatch.bought[buys[b]]);
            let kwh = (sell.kwh - *sold).min(buy.kwh - *bought);
            *sold += kwh;
            *bought += kwh;
            accepted = Some((ask, bid));
            s += usize::from(*sold == sell.kwh);
            b += usize::from(*bought == buy.kwh);
        }
        let next_ask = sells.get(s).map(|index| self.sells[*index].ask(mu));
        let next_bid = buys.get(b).map(|index| self.buys[*index].bid());
        dispatch.price = price(accepted, next_ask, next_bid);
        dispatch
    }

    /// Net emissions of what was sold, in g.
    pub(super) fn net_emissions(&self, dispatch: &Dispatch) -> i128 {
        let emit = |(sell, kwh): (&Sell, &i64)| i128::from(sell.net_factor) * i128::from(*kwh);
        self.sells.iter().zip(&dispatch.sold).map(emit).sum()
    }
}

/// The middle of the prices at which nobody wants another dispatch: no lower than an accepted ask
/// or a refused bid, no higher than an accepted bid or a refused ask.
fn price(accepted: Option<(i64, i64)>, next_ask: Option<i64>, next_bid: Option<i64>) -> i64 {
    let low = accepted.map(|(ask, _)| ask).into_iter().chain(next_bid).max();
    let high = accepted.map(|(_, bid)| bid).into_iter().chain(next_ask).min();
    match (low, high) {
        (Some(low), Some(high)) => low + (high - low).div_euclid(2),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => 0,
    }
}
