//! Supply and demand of one hour of the month, with both stages, for a plot.

use duet_market::game::{Design, clear_joint};
use duet_market::order::Side;
use duet_units::OverflowError;

use super::hour::{Fleet, Hour};
use super::report::TableScenario;
use super::session::{Session, orders};

/// The curves of one hour. Prices are in yuan/MWh, energy in MWh.
#[derive(Clone, Debug)]
pub struct Curves {
    /// Cumulated offers, cheapest first: (energy, ask).
    pub supply: Vec<(f64, f64)>,
    /// Cumulated bids, highest first: (energy, bid).
    pub demand: Vec<(f64, f64)>,
    /// The first stage: (energy, price).
    pub first: Option<(f64, f64)>,
    /// The second stage: total energy, buyers' price, highest seller's price.
    pub second: Option<(f64, f64, f64)>,
}

impl TableScenario {
    /// The curves of the hour `hour` of the first day type.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded parameters it always does.
    pub fn curves(&self, hour: usize) -> Result<Curves, OverflowError> {
        let draws = self.draws();
        let fleet = Fleet::of(&self.parameters)?;
        let hour = Hour::new(&self.parameters, &self.loads, &draws, &fleet, (0, hour))?;
        let orders = orders(&fleet, &hour);
        let session = Session::new(&self.parameters, Design::Compensation, true);
        let clearing = clear_joint(&orders, &session.rule)?;
        let steps = |side: Side| -> Vec<(i64, i64)> {
            let own = orders.iter().filter(|order| order.order.side == side);
            own.map(|order| (order.order.limit.milli_yuan_per_mwh(), order.order.quantity.kwh()))
                .collect()
        };
        let (mut asks, mut bids) = (steps(Side::Sell), steps(Side::Buy));
        asks.sort_unstable();
        bids.sort_unstable_by_key(|(price, _)| std::cmp::Reverse(*price));
        let first_mwh = thousandths(clearing.first.volume.kwh());
        Ok(Curves {
            supply: cumulated(&asks),
            demand: cumulated(&bids),
            first: clearing
                .first
                .price
                .map(|price| (first_mwh, thousandths(price.milli_yuan_per_mwh()))),
            second: clearing.second.map(|second| {
                (
                    first_mwh + thousandths(second.volume.kwh()),
                    thousandths(second.buyer_price.milli_yuan_per_mwh()),
                    thousandths(second.seller_price.milli_yuan_per_mwh()),
                )
            }),
        })
    }
}

/// Steps (price, energy) as points (cumulated energy, price) of a curve that starts at zero.
fn cumulated(steps: &[(i64, i64)]) -> Vec<(f64, f64)> {
    let first = steps.first().map(|(price, _)| (0.0, thousandths(*price)));
    let mut sum = 0;
    first
        .into_iter()
        .chain(steps.iter().map(|(price, kwh)| {
            sum += kwh;
            (thousandths(sum), thousandths(*price))
        }))
        .collect()
}

/// Milli-yuan as yuan, or kWh as MWh.
#[expect(clippy::cast_precision_loss, reason = "for a plot")]
fn thousandths(x: i64) -> f64 {
    x as f64 / 1_000.0
}
