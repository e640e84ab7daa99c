//! Fitting the five market parameters to the paper's table, by a seeded global search.

use duet_units::OverflowError;
use serde::Serialize;

use super::{Draws, FitError, Fitted, LoadShapes, Month, PaperRow, Parameters};
use crate::random::Random;

/// The fitted parameters as coordinates: bounds are generous, beyond them the market is empty or
/// the number means nothing.
const BOUNDS: [(i64, i64); 5] =
    [(300, 8_000), (6_000, 14_000), (330_000, 430_000), (200, 50_000), (0, 180_000)];

/// The plants that a search may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plants {
    /// All of them.
    All,
    /// The first, third, ... of them.
    Odd,
    /// The second, fourth, ... of them.
    Even,
}

impl Plants {
    /// Whether the plant at this position, from 0, is one of them.
    #[must_use]
    pub const fn contains(self, plant: usize) -> bool {
        match self {
            Self::All => true,
            Self::Odd => plant.is_multiple_of(2),
            Self::Even => !plant.is_multiple_of(2),
        }
    }
}

/// How to search.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// What the search's own random numbers are drawn from.
    pub seed: u64,
    /// How many months to play.
    pub evaluations: u64,
    /// The plants that the fit may look at.
    pub plants: Plants,
    /// How far around the given parameters to start, as a share of the bounds; from 1 on the
    /// start is anywhere.
    pub width: f64,
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// The plants it looked at.
    pub plants: Plants,
    /// The best parameters.
    pub fitted: Fitted,
    /// Their error over those plants.
    pub rms_log_error: FitError,
    /// Their error over the other plants; nothing if there are none.
    pub held_out: Option<FitError>,
    /// The months played.
    pub evaluations: u64,
}

/// The market whose parameters are sought.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// All other parameters, and the start of the search.
    pub parameters: &'a Parameters,
    /// The load.
    pub loads: &'a LoadShapes,
    /// The draws: common to all parameters, so that differences are not chance.
    pub draws: &'a Draws,
    /// The table to come near to.
    pub paper: &'a [PaperRow],
}

impl Target<'_> {
    /// The error of `fitted` over some plants.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded parameters it always does.
    pub fn error(&self, fitted: Fitted, plants: Plants) -> Result<FitError, OverflowError> {
        let parameters = Parameters { fitted, ..self.parameters.clone() };
        let month = Month::play_fitted(&parameters, self.loads, self.draws)?;
        Ok(FitError::of(&month, self.paper, |plant| plants.contains(plant)))
    }
}

type Point = [f64; 5];

/// Searches by differential evolution (current-to-best, after Storn and Price 1997) and then by
/// steps along single coordinates. The error is rugged: it moves when one buyer's bid crosses one
/// ask. So the search is global, and another seed may end elsewhere.
///
/// `played` is told the number of months played so far.
///
/// # Errors
///
/// Returns [`OverflowError`] if a sum does not fit; with loaded parameters it always does.
pub fn calibrate(
    target: &Target<'_>,
    search: &Search,
    played: &mut dyn FnMut(u64),
) -> Result<Calibration, OverflowError> {
    let mut run = Run { target, search, played, evaluations: 0 };
    let (point, error) = run.evolve()?;
    let point = run.step(point, error)?;
    let fitted = fitted_at(&point);
    let held_out = match search.plants {
        Plants::All => None,
        Plants::Odd => Some(target.error(fitted, Plants::Even)?),
        Plants::Even => Some(target.error(fitted, Plants::Odd)?),
    };
    Ok(Calibration {
        plants: search.plants,
        fitted,
        rms_log_error: target.error(fitted, search.plants)?,
        held_out,
        evaluations: run.evaluations,
    })
}

struct Run<'a> {
    target: &'a Target<'a>,
    search: &'a Search,
    played: &'a mut dyn FnMut(u64),
    evaluations: u64,
}

impl Run<'_> {
    fn error(&mut self, point: &Point) -> Result<f64, OverflowError> {
        self.evaluations += 1;
        (self.played)(self.evaluations);
        Ok(self.target.error(fitted_at(point), self.search.plants)?.objective())
    }

    fn evolve(&mut self) -> Result<(Point, f64), OverflowError> {
        const POPULATION: usize = 40;
        let mut random = Random::new(self.search.seed);
        let start = point_of(&self.target.parameters.fitted);
        let mut population = Vec::with_capacity(POPULATION);
        for member in 0..POPULATION {
            let point = if member == 0 && self.search.width < 1.0 {
                start
            } else {
                self.initial(&start, &mut random)
            };
            population.push((point, self.error(&point)?));
        }
        // The last fifth is left for the steps.
        while self.evaluations < self.search.evaluations / 5 * 4 {
            for member in 0..POPULATION {
                let trial = trial(&population, member, &mut random);
                let error = self.error(&trial)?;
                if error <= population[member].1 {
                    population[member] = (trial, error);
                }
            }
        }
        Ok(*best(&population))
    }

    fn initial(&self, start: &Point, random: &mut Random) -> Point {
        let width = self.search.width;
        start.map(|x| {
            if width < 1.0 {
                (x + width * (2.0 * random.unit() - 1.0)).clamp(0.0, 1.0)
            } else {
                random.unit()
            }
        })
    }

    /// Steps along one coordinate at a time, halving the step when none helps.
    fn step(&mut self, point: Point, error: f64) -> Result<Point, OverflowError> {
        let (mut point, mut error, mut size) = (point, error, 0.02);
        while self.evaluations < self.search.evaluations && 1e-6 < size {
            let before = error;
            for axis in 0..point.len() {
                for sign in [size, -size] {
                    let mut trial = point;
                    trial[axis] = (trial[axis] + sign).clamp(0.0, 1.0);
                    let found = self.error(&trial)?;
                    if found < error {
                        (point, error) = (trial, found);
                    }
                }
            }
            if before <= error {
                size /= 2.0;
            }
        }
        Ok(point)
    }
}

fn best(population: &[(Point, f64)]) -> &(Point, f64) {
    let mut best = &population[0];
    for member in population {
        if member.1 < best.1 {
            best = member;
        }
    }
    best
}

/// A new point: the member, half of the time drawn towards the best, plus a scaled difference of
/// two others; most coordinates are taken from it, at least one. Coordinates are mirrored back at
/// the bounds.
fn trial(population: &[(Point, f64)], member: usize, random: &mut Random) -> Point {
    let n = u64::try_from(population.len()).unwrap_or(1);
    let mut pick = || usize::try_from(random.below(n)).unwrap_or(0);
    let (one, two) = (pick(), pick());
    let (own, best) = (&population[member].0, &best(population).0);
    let scale = 0.4 + 0.5 * random.unit();
    let always = usize::try_from(random.below(5)).unwrap_or(0);
    let mut point = *own;
    for axis in 0..point.len() {
        if axis != always && 0.85 <= random.unit() {
            continue;
        }
        let pull = if random.unit() < 0.5 { 0.5 * (best[axis] - own[axis]) } else { 0.0 };
        let x = own[axis] + pull + scale * (population[one].0[axis] - population[two].0[axis]);
        let mirrored = if x < 0.0 {
            -x
        } else if 1.0 < x {
            2.0 - x
        } else {
            x
        };
        point[axis] = mirrored.clamp(0.0, 1.0);
    }
    point
}

#[expect(clippy::cast_possible_truncation, reason = "inside the bounds, far below 2^53")]
#[expect(clippy::cast_precision_loss, reason = "inside the bounds, far below 2^53")]
fn fitted_at(point: &Point) -> Fitted {
    let at = |axis: usize| {
        let (lo, hi) = BOUNDS[axis];
        lo + ((hi - lo) as f64 * point[axis]).round() as i64
    };
    Fitted {
        offered_share_bp: at(0),
        demand_bp: at(1),
        willingness_milli_yuan_per_mwh: at(2),
        willingness_spread_milli_yuan_per_mwh: at(3),
        willingness_load_slope_milli_yuan_per_mwh: at(4),
    }
}

#[expect(clippy::cast_precision_loss, reason = "inside the bounds, far below 2^53")]
fn point_of(fitted: &Fitted) -> Point {
    let values = [
        fitted.offered_share_bp,
        fitted.demand_bp,
        fitted.willingness_milli_yuan_per_mwh,
        fitted.willingness_spread_milli_yuan_per_mwh,
        fitted.willingness_load_slope_milli_yuan_per_mwh,
    ];
    let mut point = [0.0; 5];
    for (axis, value) in values.into_iter().enumerate() {
        let (lo, hi) = BOUNDS[axis];
        point[axis] = ((value - lo) as f64 / (hi - lo) as f64).clamp(0.0, 1.0);
    }
    point
}
