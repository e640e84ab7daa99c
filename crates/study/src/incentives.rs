//! What a single trader gains by not being truthful, under several designs of the second stage.
//!
//! Each trader in turn shades its bid or raises its ask in steps while all others stay truthful;
//! the best step counts. A trader's value is its truthful order: the conductivity in an ask is
//! taken as policy, and rent and levy, which come with that policy, are left out. Only single
//! deviations are looked at, so a figure here is a lower bound of what strategy can do.

mod payoff;
mod show;
mod uplift;

use duet_market::auction::CallRule;
use duet_market::game::{self, GameOrder, GameRule};
use duet_market::order::Side;
use duet_units::{BasisPoints, OverflowError, Price};
use serde::Serialize;

use crate::table1::TableScenario;
use payoff::Table;

/// A design of the second stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// The call auction alone.
    FirstStageOnly,
    /// Every second-stage seller is paid the highest accepted ask.
    Uniform,
    /// A seller is paid at most its registered ask (safeguard A): what `duet-market` does.
    RegisteredAsk,
    /// A, but the second stage takes place in half of the sessions only, by lot.
    LotteryHalf,
    /// A, in a quarter of the sessions.
    LotteryQuarter,
    /// One buyers' price for both stages; sellers out of merit get their registered ask (D).
    Uplift,
}

impl Design {
    /// All designs.
    pub const ALL: [Self; 6] = [
        Self::FirstStageOnly,
        Self::Uniform,
        Self::RegisteredAsk,
        Self::LotteryHalf,
        Self::LotteryQuarter,
        Self::Uplift,
    ];

    /// Its name in tables, and the key of its label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstStageOnly => "first_stage_only",
            Self::Uniform => "uniform",
            Self::RegisteredAsk => "registered_ask",
            Self::LotteryHalf => "lottery_half",
            Self::LotteryQuarter => "lottery_quarter",
            Self::Uplift => "uplift",
        }
    }

    /// How often of four the second stage takes place.
    const fn quarters(self) -> i128 {
        match self {
            Self::FirstStageOnly => 0,
            Self::Uniform | Self::RegisteredAsk | Self::Uplift => 4,
            Self::LotteryHalf => 2,
            Self::LotteryQuarter => 1,
        }
    }
}

/// The incentives study.
#[derive(Clone, Debug, Serialize)]
pub struct Incentives {
    /// How many markets were played.
    pub markets: usize,
    /// The deviations tried, in yuan/MWh.
    pub deviations: Vec<f64>,
    /// One result per design.
    pub designs: Vec<DesignResult>,
}

/// What deviating brings under one design.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DesignResult {
    /// The design.
    pub design: Design,
    /// Buyers.
    pub buyers: SideResult,
    /// Sellers.
    pub sellers: SideResult,
    /// Energy of the second stage in a truthful session, in MWh.
    pub second_stage_mwh: f64,
}

/// What deviating brings to the traders of one side.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct SideResult {
    /// The share of traders who can gain.
    pub can_gain: f64,
    /// The mean gain over all energy of the side, in yuan/MWh.
    pub gain: f64,
    /// The gain as a share of the side's truthful surplus; nothing without a surplus.
    pub of_surplus: Option<f64>,
}

/// Deviations in milli-yuan/MWh: twelve steps of 1.2 yuan/MWh.
const STEP: i64 = 1_200;
const STEPS: i64 = 12;

/// The market and rule that deviations are tried in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    rule: GameRule,
    ceiling: Price,
}

impl Incentives {
    /// Plays all designs on hours of the calibrated market. `played` is told after each market of
    /// each design how many there have been.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded parameters it always does.
    pub fn run(
        scenario: &TableScenario,
        markets: usize,
        played: &mut dyn FnMut(usize),
    ) -> Result<Self, OverflowError> {
        let parameters = &scenario.parameters;
        let cap = parameters.semi_fitted.compensation_cap_milli_yuan_per_mwh;
        let ceiling = parameters.documented.price_ceiling_milli_yuan_per_mwh;
        let setting = Setting {
            rule: GameRule {
                call: CallRule::MIDPOINT,
                second_stage: game::Design::Compensation,
                compensation_cap: Price::from_milli_yuan_per_mwh(cap),
                fund_share: BasisPoints::from_bp(parameters.design.fund_share_bp),
            },
            ceiling: Price::from_milli_yuan_per_mwh(ceiling),
        };
        let markets = scenario.markets(markets)?;
        let (mut designs, mut count) = (Vec::new(), 0);
        for design in Design::ALL {
            let mut sums = Sums::default();
            for orders in &markets {
                sums.add(design, &setting, orders)?;
                count += 1;
                played(count);
            }
            designs.push(sums.result(design, markets.len()));
        }
        let deviations = (1..=STEPS).map(|step| yuan(i128::from(step * STEP)) / 1_000.0).collect();
        Ok(Self { markets: markets.len(), deviations, designs })
    }
}

/// Sums over markets, for buyers and sellers.
#[derive(Default)]
struct Sums {
    sides: [SideSums; 2],
    second_stage_kwh: i128,
}

#[derive(Clone, Copy, Default)]
struct SideSums {
    traders: usize,
    can_gain: usize,
    gain: i128,
    surplus: i128,
    kwh: i128,
}

impl Sums {
    fn add(
        &mut self,
        design: Design,
        setting: &Setting,
        truthful: &[GameOrder],
    ) -> Result<(), OverflowError> {
        let base = Table::play(design, setting, (truthful, truthful))?;
        self.second_stage_kwh += base.second_stage_quarters;
        for (trader, order) in truthful.iter().enumerate() {
            let sign = if order.order.side == Side::Buy { -1 } else { 1 };
            let surplus = base.payoff_quarters[trader];
            let mut best = surplus;
            let mut orders = truthful.to_vec();
            for step in 1..=STEPS {
                let shift = Price::from_milli_yuan_per_mwh(sign * step * STEP);
                orders[trader].order.limit = order.order.limit.plus(shift)?;
                let table = Table::play(design, setting, (&orders, truthful))?;
                best = best.max(table.payoff_quarters[trader]);
            }
            let side = &mut self.sides[usize::from(order.order.side == Side::Sell)];
            side.traders += 1;
            side.can_gain += usize::from(surplus < best);
            side.gain += best - surplus;
            side.surplus += surplus;
            side.kwh += i128::from(order.order.quantity.kwh());
        }
        Ok(())
    }

    fn result(&self, design: Design, markets: usize) -> DesignResult {
        let side = |sums: SideSums| SideResult {
            can_gain: ratio(sums.can_gain, sums.traders),
            // Quarters of micro-yuan over kWh are quarters of milli-yuan/MWh.
            gain: short(yuan(sums.gain) / yuan(sums.kwh.max(1)) / 4_000.0),
            of_surplus: (sums.surplus > 0).then(|| short(yuan(sums.gain) / yuan(sums.surplus))),
        };
        let hours = i128::try_from(markets.max(1)).unwrap_or(1);
        DesignResult {
            design,
            buyers: side(self.sides[0]),
            sellers: side(self.sides[1]),
            second_stage_mwh: short(yuan(self.second_stage_kwh) / yuan(hours) / 4_000.0),
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    let number = |n: usize| yuan(i128::try_from(n).unwrap_or(0));
    short(number(part) / number(whole.max(1)))
}

#[expect(clippy::cast_precision_loss, reason = "for statistics; payoffs are exact")]
const fn yuan(x: i128) -> f64 {
    x as f64
}

/// Four decimals.
fn short(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}
