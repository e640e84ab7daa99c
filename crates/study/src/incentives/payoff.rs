//! What every trader has from a session, at its true value.

use duet_market::game::{self, GameOrder, GameRule, JointClearing, Stage, clear_joint};
use duet_market::order::Side;
use duet_units::{OverflowError, Price};

use super::{Design, Setting, uplift};

/// The outcome of a session. Numbers are times four, so that a lottery's expectation is exact.
pub(super) struct Table {
    /// Each trader's payoff, in quarters of a micro-yuan.
    pub(super) payoff_quarters: Vec<i128>,
    /// The energy of the second stage, in quarters of a kWh.
    pub(super) second_stage_quarters: i128,
}

impl Table {
    /// Plays a session of `orders` whose traders value energy as in `truthful`.
    pub(super) fn play(
        design: Design,
        setting: &Setting,
        (orders, truthful): (&[GameOrder], &[GameOrder]),
    ) -> Result<Self, OverflowError> {
        let outcome = |second_stage| {
            let rule = GameRule { second_stage, ..setting.rule };
            Outcome::of(&clear_joint(orders, &rule)?, truthful)
        };
        match design {
            Design::FirstStageOnly => Ok(Self::mixed(&outcome(game::Design::None)?, None, design)),
            Design::RegisteredAsk => {
                Ok(Self::mixed(&outcome(game::Design::Compensation)?, None, design))
            }
            Design::LotteryHalf | Design::LotteryQuarter => Ok(Self::mixed(
                &outcome(game::Design::Compensation)?,
                Some(&outcome(game::Design::None)?),
                design,
            )),
            Design::Uniform => {
                let mut unguarded = orders.to_vec();
                for order in &mut unguarded {
                    // No cap: deviations may go beyond the price ceiling.
                    order.registered_ask = Price::MAX;
                }
                let clearing = clear_joint(&unguarded, &setting.rule)?;
                Ok(Self::mixed(&Outcome::of(&clearing, truthful)?, None, design))
            }
            Design::Uplift => {
                Ok(Self::mixed(&uplift::play(setting, (orders, truthful))?, None, design))
            }
        }
    }

    /// The expectation: the second stage takes place in so many of four sessions.
    fn mixed(with: &Outcome, without: Option<&Outcome>, design: Design) -> Self {
        let quarters = design.quarters();
        let expectation = |(trader, payoff): (usize, &i128)| {
            let otherwise = without.map_or(*payoff, |without| without.payoffs[trader]);
            payoff * quarters + otherwise * (4 - quarters)
        };
        Self {
            payoff_quarters: with.payoffs.iter().enumerate().map(expectation).collect(),
            second_stage_quarters: with.second_stage_kwh * quarters,
        }
    }
}

/// The outcome of one session without chance.
pub(super) struct Outcome {
    /// Each trader's payoff in micro-yuan.
    pub(super) payoffs: Vec<i128>,
    pub(super) second_stage_kwh: i128,
}

impl Outcome {
    pub(super) fn of(
        clearing: &JointClearing,
        truthful: &[GameOrder],
    ) -> Result<Self, OverflowError> {
        let mut outcome = Self { payoffs: vec![0; truthful.len()], second_stage_kwh: 0 };
        for trade in &clearing.trades {
            let gain = |trader: usize, price: Price| {
                let value = truthful[trader].order.limit;
                let per_mwh = match truthful[trader].order.side {
                    Side::Buy => value.minus(price)?,
                    Side::Sell => price.minus(value)?,
                };
                Ok::<_, OverflowError>(per_mwh.value_of(trade.quantity)?.micro_yuan())
            };
            outcome.payoffs[trade.buy] += gain(trade.buy, trade.buyer_price)?;
            outcome.payoffs[trade.sell] += gain(trade.sell, trade.seller_price)?;
            if trade.stage == Stage::Second {
                outcome.second_stage_kwh += i128::from(trade.quantity.kwh());
            }
        }
        Ok(outcome)
    }
}
