//! What the fund can still pay, as the walk of the second stage goes on.

use duet_units::{Energy, MicroYuan, Price};

use super::{Design, GameOrder};
use crate::order::Side;

/// The fund, and what the volume so far takes of it.
pub(super) enum Budget {
    /// Design A: all volume so far at the gap between the highest ask and the last bid.
    Gap {
        /// The fund, in micro-yuan.
        fund: i128,
        /// The energy so far.
        volume: i64,
        /// The highest ask so far.
        highest: Option<Price>,
    },
    /// Design D: each seller above the last bid at its own gap.
    Uplift(Uplift),
}

/// The uplift at the last bid. As the bid falls, sellers of the first stage come to stand above
/// it: their asks are met once, from the highest.
pub(super) struct Uplift {
    fund: i128,
    /// Asks and fills of the first stage, the highest ask last, for it is met first.
    first: Vec<(i64, i64)>,
    /// The last bid that the rest was reckoned at.
    bid: Option<i64>,
    /// The energy of sellers above it.
    above: i128,
    /// What they are lifted by in all, in micro-yuan.
    spent: i128,
}

impl Budget {
    pub(super) fn of(
        design: Design,
        orders: &[GameOrder],
        filled: &[Energy],
        fund: MicroYuan,
    ) -> Self {
        let fund = fund.micro_yuan();
        if design != Design::Uplift {
            return Self::Gap { fund, volume: 0, highest: None };
        }
        let sold = orders.iter().zip(filled);
        let sold = sold.filter(|(row, fill)| row.order.side == Side::Sell && !fill.is_zero());
        let mut first: Vec<(i64, i64)> =
            sold.map(|(row, fill)| (row.order.limit.milli_yuan_per_mwh(), fill.kwh())).collect();
        first.sort_unstable();
        Self::Uplift(Uplift { fund, first, bid: None, above: 0, spent: 0 })
    }

    /// The energy that can still be compensated from `bid` up to `ask`. Bids do not rise from one
    /// call to the next; energies and gaps are far below where a sum saturates, and one that does
    /// ends the walk.
    pub(super) fn room(&mut self, bid: Price, ask: Price) -> i64 {
        let volume = match self {
            Self::Gap { fund, volume, highest } => {
                let ask = highest.map_or(ask, |highest| highest.max(ask));
                let most = fund.checked_div(gap(bid, ask)).unwrap_or(i128::MAX);
                i128::from(short(most)).saturating_sub((*volume).into())
            }
            Self::Uplift(uplift) => {
                uplift.fall_to(bid.milli_yuan_per_mwh());
                let left = uplift.fund.saturating_sub(uplift.spent);
                if left < 0 { 0 } else { left.checked_div(gap(bid, ask)).unwrap_or(i128::MAX) }
            }
        };
        short(volume)
    }

    /// Takes `step` kWh more, from `bid` up to `ask`.
    pub(super) fn spend(&mut self, step: i64, bid: Price, ask: Price) {
        match self {
            Self::Gap { volume, highest, .. } => {
                *volume = volume.saturating_add(step);
                *highest = Some(highest.map_or(ask, |highest| highest.max(ask)));
            }
            Self::Uplift(uplift) => {
                let step = i128::from(step);
                uplift.above = uplift.above.saturating_add(step);
                uplift.spent = uplift.spent.saturating_add(step.saturating_mul(gap(bid, ask)));
            }
        }
    }
}

impl Uplift {
    fn fall_to(&mut self, bid: i64) {
        let fall = self.bid.map_or(0, |last| i128::from(last).saturating_sub(bid.into()));
        self.spent = self.spent.saturating_add(self.above.saturating_mul(fall));
        self.bid = Some(bid);
        while let Some((ask, fill)) = self.first.pop_if(|(ask, _)| bid < *ask) {
            let gap = i128::from(ask).saturating_sub(bid.into());
            self.above = self.above.saturating_add(fill.into());
            self.spent = self.spent.saturating_add(gap.saturating_mul(fill.into()));
        }
    }
}

fn gap(bid: Price, ask: Price) -> i128 {
    i128::from(ask.milli_yuan_per_mwh()).saturating_sub(bid.milli_yuan_per_mwh().into()).max(0)
}

fn short(volume: i128) -> i64 {
    i64::try_from(volume).unwrap_or(if volume < 0 { 0 } else { i64::MAX })
}
