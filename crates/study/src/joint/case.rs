//! Cases on file: a day of a test system, cleared with and without a cap.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::dispatch::{Buy, Period, Sell};
use super::solve::{AllowanceOffer, Problem, Solution};
use super::{Certificate, FINE_PER_MILLI_YUAN};
use crate::scenario::{Check, ScenarioError, read_csv, read_toml};

/// A case: a day of a test system with its cap.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Its generators, as far as they have offers.
    pub units: usize,
    /// The cap, in thousandths of what is emitted without one.
    pub cap_permille: i64,
    /// The problem without a cap; see [`Case::capped`].
    problem: Problem,
}

/// A case cleared.
#[derive(Clone, Debug, Serialize)]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// Its generators.
    pub units: usize,
    /// Its periods.
    pub periods: usize,
    /// Its offers and bids over all periods.
    pub orders: usize,
    /// Without a cap.
    pub free: Cleared,
    /// With the cap.
    pub capped: Cleared,
}

/// One clearing of a case.
#[derive(Clone, Debug, Serialize)]
pub struct Cleared {
    /// The price of allowances, in yuan/t.
    pub allowance_price: f64,
    /// The prices of the periods, in yuan/MWh.
    pub prices: Vec<f64>,
    /// Energy traded, in GWh.
    pub volume_gwh: f64,
    /// Net emissions, in t.
    pub net_emissions_t: f64,
    /// Allowances bought from outside, in t.
    pub allowances_bought_t: f64,
    /// The certificate.
    pub certificate: Certificate,
    /// Its gap as a share of the welfare.
    pub relative_gap: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    name: String,
    fen_per_usd: i64,
    benchmark_g_per_kwh: i64,
    cap_permille: i64,
    allowance_price_fen_per_t_max: i64,
    renewable_milli_usd_per_mwh: i64,
    demand_step: Vec<StepFile>,
    #[serde(default)]
    allowance: Vec<AllowanceFile>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFile {
    share_bp: i64,
    milli_usd_per_mwh: i64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowanceFile {
    price_fen_per_t: i64,
    t: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferRow {
    unit: String,
    #[serde(rename = "block")]
    _block: u32,
    kw: i64,
    milli_usd_per_mwh: i64,
    ef_g_kwh: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeriodRow {
    period: usize,
    demand_kw: i64,
    wind_kw: i64,
    solar_kw: i64,
}

/// No offer, bid or load of this size exists; beyond it something was mistyped.
const KW_MAX: i64 = 1_000_000_000;
const MILLI_USD_MAX: i64 = 1_000_000_000;

impl Case {
    /// Reads a case from its folder: `case.toml`, `offers.csv`, `periods.csv`.
    ///
    /// # Errors
    ///
    /// Returns a [`ScenarioError`] if a file is missing or not well-formed, names an unknown
    /// field, or holds an impossible value.
    pub fn load(dir: &Path) -> Result<Self, ScenarioError> {
        let path = dir.join("case.toml");
        let file: CaseFile = read_toml(&path)?;
        check_case(Check::new(&path), &file)?;
        let path = dir.join("offers.csv");
        let rows: Vec<OfferRow> = read_csv(&path)?;
        let check = Check::new(&path);
        let mut offers = Vec::with_capacity(rows.len());
        for row in &rows {
            offers.push(Sell {
                cost: milli_yuan(
                    check.range("milli_usd_per_mwh", row.milli_usd_per_mwh, (0, MILLI_USD_MAX))?,
                    file.fen_per_usd,
                ),
                kwh: check.range("kw", row.kw, (1, KW_MAX))?,
                net_factor: check.range("ef_g_kwh", row.ef_g_kwh, (0, 3_000))?
                    - file.benchmark_g_per_kwh,
            });
        }
        let units = rows.chunk_by(|a, b| a.unit == b.unit).count();
        let periods = periods(&dir.join("periods.csv"), &file, &offers)?;
        let allowances = file.allowance.iter().map(|offer| AllowanceOffer {
            price: offer.price_fen_per_t,
            grams: offer.t * 1_000_000,
        });
        let problem = Problem {
            periods,
            cap: i128::MAX / 4,
            allowances: allowances.collect(),
            mu_max: file.allowance_price_fen_per_t_max,
        };
        Ok(Self { name: file.name, units, cap_permille: file.cap_permille, problem })
    }

    /// Clears the case without a cap, then with one of so much of what was emitted. `None` if the
    /// cap cannot be kept at any admitted price, or a published solution fails its own check.
    #[must_use]
    pub fn run(&self) -> Option<CaseResult> {
        let solution = self.problem.solve()?;
        let uncapped = Certificate::of(&self.problem, &solution).ok()?;
        let capped = self.capped(uncapped.net_emissions);
        let free = cleared(&self.problem, &solution)?;
        let capped = cleared(&capped, &capped.solve()?)?;
        let orders = |period: &Period| period.sells.len() + period.buys.len();
        Some(CaseResult {
            name: self.name.clone(),
            units: self.units,
            periods: self.problem.periods.len(),
            orders: self.problem.periods.iter().map(orders).sum(),
            free,
            capped,
        })
    }

    /// The problem with a cap of `cap_permille` of `emissions` g.
    #[must_use]
    pub fn capped(&self, emissions: i128) -> Problem {
        let cap = emissions * i128::from(self.cap_permille) / 1_000;
        Problem { cap, ..self.problem.clone() }
    }
}

fn check_case(check: Check<'_>, file: &CaseFile) -> Result<(), ScenarioError> {
    check.range("fen_per_usd", file.fen_per_usd, (1, 100_000))?;
    check.range("benchmark_g_per_kwh", file.benchmark_g_per_kwh, (0, 3_000))?;
    check.range("cap_permille", file.cap_permille, (0, 1_000))?;
    let mu_max = file.allowance_price_fen_per_t_max;
    check.range("allowance_price_fen_per_t_max", mu_max, (1, 10_000_000))?;
    let renewable = file.renewable_milli_usd_per_mwh;
    check.range("renewable_milli_usd_per_mwh", renewable, (0, MILLI_USD_MAX))?;
    for step in &file.demand_step {
        check.share("demand_step.share_bp", step.share_bp)?;
        let limit = step.milli_usd_per_mwh;
        check.range("demand_step.milli_usd_per_mwh", limit, (0, MILLI_USD_MAX))?;
    }
    let total: i64 = file.demand_step.iter().map(|step| step.share_bp).sum();
    if total != 10_000 {
        return Err(check.refuse("demand_step.share_bp", &total, &"must add up to 10000"));
    }
    for offer in &file.allowance {
        check.range("allowance.price_fen_per_t", offer.price_fen_per_t, (0, 10_000_000))?;
        check.range("allowance.t", offer.t, (1, 1_000_000_000))?;
    }
    Ok(())
}

fn periods(path: &Path, file: &CaseFile, offers: &[Sell]) -> Result<Vec<Period>, ScenarioError> {
    let check = Check::new(path);
    let renewable = milli_yuan(file.renewable_milli_usd_per_mwh, file.fen_per_usd);
    let mut periods = Vec::new();
    for (index, row) in read_csv::<PeriodRow>(path)?.into_iter().enumerate() {
        if row.period != index {
            return Err(check.refuse("period", &row.period, &format_args!("must be {index} here")));
        }
        let mut period = Period { sells: offers.to_vec(), buys: Vec::new() };
        for (field, kw) in [("wind_kw", row.wind_kw), ("solar_kw", row.solar_kw)] {
            let kwh = check.range(field, kw, (0, KW_MAX))?;
            // No benchmark and so no allocation for wind and sun.
            period.sells.push(Sell { cost: renewable, kwh, net_factor: 0 });
        }
        let demand = check.range("demand_kw", row.demand_kw, (0, KW_MAX))?;
        for step in &file.demand_step {
            let limit = milli_yuan(step.milli_usd_per_mwh, file.fen_per_usd);
            period.buys.push(Buy { limit, kwh: demand * step.share_bp / 10_000 });
        }
        periods.push(period);
    }
    Ok(periods)
}

/// 1e-3 USD as milli-yuan, at fen per USD.
const fn milli_yuan(milli_usd: i64, fen_per_usd: i64) -> i64 {
    milli_usd * fen_per_usd / 100
}

fn cleared(problem: &Problem, solution: &Solution) -> Option<Cleared> {
    let certificate = Certificate::of(problem, solution).ok()?;
    let kwh: i64 = solution.sold.iter().flatten().sum();
    let fine_per_yuan = float(FINE_PER_MILLI_YUAN) * 1_000.0;
    let grams: i64 = solution.allowances.iter().sum();
    Some(Cleared {
        allowance_price: float(solution.mu) / 100.0,
        prices: solution.prices.iter().map(|price| float(*price) / fine_per_yuan).collect(),
        volume_gwh: float(kwh) / 1e6,
        net_emissions_t: float(i64::try_from(certificate.net_emissions).ok()?) / 1e6,
        allowances_bought_t: float(grams) / 1e6,
        certificate,
        relative_gap: certificate.relative_gap(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "for display; the clearing is exact")]
const fn float(x: i64) -> f64 {
    x as f64
}
