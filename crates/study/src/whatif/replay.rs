//! A book cleared again by the market's code.

use duet_market::carbon::passthrough::{Observation, measured};
use duet_market::game::{GameOrder, JointClearing, clear_joint};
use duet_market::order::Side;
use duet_units::{CarbonPrice, EmissionFactor, Energy, OverflowError, Price};
use serde::Serialize;

use super::book::{Book, BookOrder, Recorded};

/// A book cleared.
#[derive(Clone, Debug, Serialize)]
pub struct Cleared {
    /// The carbon price of the offers, in fen/t.
    pub carbon_price_fen_per_t: i64,
    /// The mean declared conductivity of what was offered, by energy.
    pub conductivity: f64,
    /// Energy that was asked for, in kWh.
    pub demand_kwh: i128,
    /// The periods.
    pub periods: Vec<PeriodCleared>,
}

/// What one period came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PeriodCleared {
    /// The price of the first stage, in milli-yuan/MWh.
    pub price: Option<i64>,
    /// The energy of the first stage, in kWh.
    pub volume_kwh: i64,
    /// The energy of the second stage.
    pub second_volume_kwh: i64,
    /// What buyers pay in the second stage.
    pub buyer_price: Option<i64>,
    /// What all energy sold emits, in g.
    pub emissions_g: i128,
    /// What of it is above the benchmarks; negative if the sellers are below them.
    pub net_emissions_g: i128,
    /// The measured pass-through of the carbon price, in basis points: against the same book at a
    /// carbon price of zero; none if nothing trades or the marginal seller emits nothing.
    pub kappa_bp: Option<i64>,
    /// How many offers the ceiling cut.
    pub offers_cut: usize,
    /// Whether the price is the ceiling.
    pub at_ceiling: bool,
}

impl Cleared {
    /// Clears every period of a book.
    pub(super) fn of(book: &Book) -> Result<Self, OverflowError> {
        let mut periods = Vec::new();
        for period in 0..book.periods {
            periods.push(clear_period(book, &book.of_period(period))?);
        }
        let (mut offered, mut passed_on, mut demand) = (0.0, 0.0, 0_i128);
        for order in &book.orders {
            let kwh = i128::from(order.quantity_kwh);
            if order.side == super::BookSide::Buy {
                demand += kwh;
            } else {
                offered += kwh as f64;
                passed_on += kwh as f64 * order.conductivity_bp as f64 / 10_000.0;
            }
        }
        Ok(Self {
            carbon_price_fen_per_t: book.terms.carbon_price_fen_per_t,
            conductivity: if offered > 0.0 { passed_on / offered } else { 0.0 },
            demand_kwh: demand,
            periods,
        })
    }

    /// How many of the recorded periods came out the same.
    pub(super) fn like(&self, recorded: &[Recorded]) -> usize {
        let same = recorded.iter().filter(|recorded| {
            self.periods.get(usize::from(recorded.period)).is_some_and(|period| {
                period.price == recorded.price_milli_yuan_per_mwh
                    && period.volume_kwh == recorded.volume_kwh
                    && period.second_volume_kwh == recorded.second_volume_kwh
            })
        });
        same.count()
    }

    /// All energy traded, in kWh, of both stages.
    #[must_use]
    pub fn volume_kwh(&self) -> i128 {
        let both = |period: &PeriodCleared| {
            i128::from(period.volume_kwh) + i128::from(period.second_volume_kwh)
        };
        self.periods.iter().map(both).sum()
    }

    /// The mean price of the first stage by energy, in yuan/MWh.
    #[must_use]
    pub fn mean_price(&self) -> Option<f64> {
        mean(self.periods.iter().map(|period| (period.price, period.volume_kwh)), 1_000.0)
    }

    /// The mean measured pass-through by energy.
    #[must_use]
    pub fn mean_kappa(&self) -> Option<f64> {
        mean(self.periods.iter().map(|period| (period.kappa_bp, period.volume_kwh)), 10_000.0)
    }

    /// All emissions and all above the benchmarks, in g.
    #[must_use]
    pub fn emissions_g(&self) -> (i128, i128) {
        let gross = self.periods.iter().map(|period| period.emissions_g).sum();
        (gross, self.periods.iter().map(|period| period.net_emissions_g).sum())
    }
}

/// The mean by energy of what is there, in units of `scale`.
pub(super) fn mean(values: impl Iterator<Item = (Option<i64>, i64)>, scale: f64) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (value, kwh) in values {
        if let Some(value) = value {
            sum += value as f64 * kwh as f64;
            weight += kwh as f64;
        }
    }
    (weight > 0.0).then(|| sum / weight / scale)
}

fn game_orders(
    book: &Book,
    orders: &[&BookOrder],
    carbon_price: CarbonPrice,
) -> Result<(Vec<GameOrder>, usize), OverflowError> {
    let (mut game_orders, mut cut) = (Vec::with_capacity(orders.len()), 0);
    for order in orders {
        let (order, is_cut) = book.game_order(order, carbon_price)?;
        game_orders.push(order);
        cut += usize::from(is_cut);
    }
    Ok((game_orders, cut))
}

fn clear_period(book: &Book, orders: &[&BookOrder]) -> Result<PeriodCleared, OverflowError> {
    let carbon_price = CarbonPrice::from_fen_per_t(book.terms.carbon_price_fen_per_t);
    let (game, offers_cut) = game_orders(book, orders, carbon_price)?;
    let joint = clear_joint(&game, &book.rule())?;
    let (emissions_g, net_emissions_g) = emissions(orders, &joint)?;
    let (without, _) = game_orders(book, orders, CarbonPrice::ZERO)?;
    let without = clear_joint(&without, &book.rule())?;
    let kappa = match (without.first.price, joint.first.price, marginal(&game, &joint)) {
        (Some(without), Some(with), Some(marginal_factor)) => {
            measured(&Observation { without, with, marginal_factor, carbon_price })?
        }
        _ => None,
    };
    Ok(PeriodCleared {
        price: joint.first.price.map(Price::milli_yuan_per_mwh),
        volume_kwh: joint.first.volume.kwh(),
        second_volume_kwh: joint.second.as_ref().map_or(0, |second| second.volume.kwh()),
        buyer_price: joint.second.as_ref().map(|second| second.buyer_price.milli_yuan_per_mwh()),
        emissions_g,
        net_emissions_g,
        kappa_bp: kappa.map(|kappa| kappa.bp()),
        offers_cut,
        at_ceiling: joint.first.price == Some(book.ceiling()),
    })
}

/// What the energy sold in both stages emits, and what of it is above the benchmarks.
fn emissions(orders: &[&BookOrder], joint: &JointClearing) -> Result<(i128, i128), OverflowError> {
    let (mut gross, mut net) = (0_i128, 0_i128);
    for (place, order) in orders.iter().enumerate() {
        if order.side == super::BookSide::Buy {
            continue;
        }
        let second = joint.second.as_ref().and_then(|second| second.fills.get(place));
        let first = joint.first.fills.get(place).copied().unwrap_or(Energy::ZERO);
        let sold = first.plus(second.copied().unwrap_or(Energy::ZERO))?;
        let factor = EmissionFactor::from_g_per_kwh(order.emission_factor_g_per_kwh);
        let benchmark = EmissionFactor::from_g_per_kwh(order.benchmark_g_per_kwh);
        gross += factor.emissions_of(sold)?.g();
        net += factor.minus(benchmark)?.emissions_of(sold)?.g();
    }
    Ok((gross, net))
}

/// What the dearest seller that sold in the first stage emits.
fn marginal(orders: &[GameOrder], joint: &JointClearing) -> Option<EmissionFactor> {
    let sold = orders.iter().zip(&joint.first.fills);
    let sold = sold.filter(|(order, fill)| order.order.side == Side::Sell && !fill.is_zero());
    let dearest = sold.max_by_key(|(order, _)| order.order.limit)?;
    Some(dearest.0.order.emission_factor)
}
