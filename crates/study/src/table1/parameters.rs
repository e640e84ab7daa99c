//! The parameters of the table, by where they come from.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::scenario::{Check, ScenarioError, read_csv, read_toml};

/// All numbers that the model's columns depend on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The name of the scenario.
    pub name: String,
    /// What buyers, their order and their encounters are drawn from.
    pub seed: u64,
    /// What the paper states.
    pub given_by_paper: Given,
    /// What a source states.
    pub documented: Documented,
    /// What we chose when we wrote the mechanisms down.
    pub design: Design,
    /// What was fixed at a round value after a free fit came out near it.
    pub semi_fitted: SemiFitted,
    /// What was fitted to the paper's table.
    pub fitted: Fitted,
    /// What running the ledger costs.
    pub ledger: Ledger,
}

/// What the paper states.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The conductivity of each plant, in steps of 1e-4.
    pub conductivity_bp: Vec<i64>,
}

/// What a source states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Documented {
    /// Standard coal burnt per kWh.
    pub standard_coal_g_per_kwh: i64,
    /// Price of standard coal.
    pub coal_fen_per_tce: i64,
    /// Variable operation and maintenance.
    pub variable_om_milli_yuan_per_mwh: i64,
    /// Emissions of standard coal.
    pub co2_g_per_kg_standard_coal: i64,
    /// Price of allowances.
    pub carbon_price_fen_per_t: i64,
    /// Free allocation.
    pub benchmark_g_per_kwh: i64,
    /// The highest price.
    pub price_ceiling_milli_yuan_per_mwh: i64,
    /// What a payment gateway takes of a payment.
    pub gateway_fee_bp: i64,
    /// How long a shop holds a payment.
    pub escrow_days: i64,
    /// What that costs a year.
    pub escrow_rate_bp_per_year: i64,
}

/// What we chose when we wrote the mechanisms down.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// The capacity of each plant.
    pub plant_mw: i64,
    /// The incremental cost of each segment, in thousandths of the plant's.
    pub segment_cost_permille: Vec<i64>,
    /// The size of each segment, in thousandths of what is offered.
    pub segment_share_permille: Vec<i64>,
    /// How many days of each type the month has.
    pub days: [i64; 3],
    /// The number of buyers.
    pub buyers: usize,
    /// Posted price: how many listings a buyer compares.
    pub listings_seen: usize,
    /// Posted price: what a seller adds to its ask.
    pub posted_markup_milli_yuan_per_mwh: i64,
    /// Posted price: the shop's commission.
    pub commission_bp: i64,
    /// Bilateral search: how many sellers a buyer asks.
    pub contacts: usize,
    /// Bilateral search: the seller's share of the surplus.
    pub bargaining_bp: i64,
    /// Bilateral search: the cost of asking, per energy asked for and contact.
    pub contact_cost_milli_yuan_per_mwh: i64,
    /// Joint session: the share of the over-conduction rent that may be spent.
    pub fund_share_bp: i64,
    /// Joint session, calibrated column: fee per settled segment and hour.
    pub ledger_fee_fen_per_segment: i64,
}

/// What was fixed at a round value after a free fit came out near it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SemiFitted {
    /// The largest compensation, and the price of what both sides wanted and did not get.
    pub compensation_cap_milli_yuan_per_mwh: i64,
    /// The joint session's service fee, as a share of sellers' receipts.
    pub service_fee_bp: i64,
}

/// What was fitted to the paper's table: market data common to the three platforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// The share of capacity that is offered in this market.
    pub offered_share_bp: i64,
    /// Demand at mean load as a share of what is offered.
    pub demand_bp: i64,
    /// Mean willingness to pay at a load of 950 thousandths.
    pub willingness_milli_yuan_per_mwh: i64,
    /// Its standard deviation over buyers.
    pub willingness_spread_milli_yuan_per_mwh: i64,
    /// How much it rises per unit of load.
    pub willingness_load_slope_milli_yuan_per_mwh: i64,
}

/// What running the ledger costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// Processor time of all validators together.
    pub cpu_seconds_per_million_orders: i64,
    /// Bytes stored by all validators together.
    pub bytes_per_order: i64,
    /// How many validators there are.
    pub validators: i64,
    /// Price of one virtual core.
    pub cpu_fen_per_hour: i64,
    /// Price of storage.
    pub storage_fen_per_gb_month: i64,
    /// How long orders are kept.
    pub retention_months: i64,
    /// Price of each validator's machine, busy or idle.
    pub machine_yuan_per_month: i64,
    /// Price of those who look after it.
    pub operations_yuan_per_month: i64,
    /// Price of one bank transfer.
    pub bank_transfer_fen: i64,
}

/// Load by day type and hour, in thousandths.
pub type LoadShapes = [[i64; 24]; 3];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadRow {
    hour: usize,
    workday: i64,
    weekend: i64,
    high_renewable: i64,
}

impl Parameters {
    /// Reads `scenario.toml` and `load_shapes.csv` of the folder `dir`. The paper's figures are
    /// not read: they take no part in the computation.
    ///
    /// # Errors
    ///
    /// Returns a [`ScenarioError`] if a file is missing or not well-formed, names an unknown
    /// field, or holds an impossible value.
    pub fn load(dir: &Path) -> Result<(Self, LoadShapes), ScenarioError> {
        let path = dir.join("scenario.toml");
        let parameters: Self = read_toml(&path)?;
        parameters.check(Check::new(&path))?;
        Ok((parameters, load_shapes(&dir.join("load_shapes.csv"))?))
    }

    fn check(&self, check: Check<'_>) -> Result<(), ScenarioError> {
        let plants = self.given_by_paper.conductivity_bp.len();
        if !(1..=100).contains(&plants) {
            let rule = "must name 1 to 100 plants";
            return Err(check.refuse("given_by_paper.conductivity_bp", &plants, &rule));
        }
        for rho in &self.given_by_paper.conductivity_bp {
            check.share("given_by_paper.conductivity_bp", *rho)?;
        }
        for (field, value, range) in self.ranges() {
            check.range(field, value, range)?;
        }
        let design = &self.design;
        let (costs, shares) = (&design.segment_cost_permille, &design.segment_share_permille);
        if costs.is_empty() || costs.len() != shares.len() {
            let rule = "must be as many as segment_cost_permille, and at least one";
            return Err(check.refuse("design.segment_share_permille", &shares.len(), &rule));
        }
        for (cost, share) in costs.iter().zip(shares) {
            check.range("design.segment_cost_permille", *cost, (1, 10_000))?;
            check.range("design.segment_share_permille", *share, (1, 1_000))?;
        }
        let total: i64 = shares.iter().sum();
        if total != 1_000 {
            let rule = "must add up to 1000";
            return Err(check.refuse("design.segment_share_permille", &total, &rule));
        }
        Ok(())
    }

    /// The fields with one bound below and above: beyond it something was mistyped.
    fn ranges(&self) -> Vec<(&'static str, i64, (i64, i64))> {
        const PRICE: (i64, i64) = (0, 10_000_000);
        const SHARE: (i64, i64) = (0, 10_000);
        let (d, g, s, f) = (&self.documented, &self.design, &self.semi_fitted, &self.fitted);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut ranges = vec![
            ("documented.standard_coal_g_per_kwh", d.standard_coal_g_per_kwh, (123, 1_000)),
            ("documented.coal_fen_per_tce", d.coal_fen_per_tce, (1, 1_000_000)),
            ("documented.variable_om_milli_yuan_per_mwh", d.variable_om_milli_yuan_per_mwh, PRICE),
            ("documented.co2_g_per_kg_standard_coal", d.co2_g_per_kg_standard_coal, (1, 3_667)),
            ("documented.carbon_price_fen_per_t", d.carbon_price_fen_per_t, (0, 100_000)),
            ("documented.benchmark_g_per_kwh", d.benchmark_g_per_kwh, (0, 3_000)),
            (
                "documented.price_ceiling_milli_yuan_per_mwh",
                d.price_ceiling_milli_yuan_per_mwh,
                (1, 10_000_000),
            ),
            ("documented.gateway_fee_bp", d.gateway_fee_bp, SHARE),
            ("documented.escrow_days", d.escrow_days, (0, 365)),
            ("documented.escrow_rate_bp_per_year", d.escrow_rate_bp_per_year, SHARE),
            ("design.plant_mw", g.plant_mw, (1, 100_000)),
            ("design.buyers", count(g.buyers), (1, 10_000)),
            ("design.listings_seen", count(g.listings_seen), (1, 100)),
            ("design.posted_markup_milli_yuan_per_mwh", g.posted_markup_milli_yuan_per_mwh, PRICE),
            ("design.commission_bp", g.commission_bp, SHARE),
            ("design.contacts", count(g.contacts), (1, 100)),
            ("design.bargaining_bp", g.bargaining_bp, SHARE),
            ("design.contact_cost_milli_yuan_per_mwh", g.contact_cost_milli_yuan_per_mwh, PRICE),
            ("design.fund_share_bp", g.fund_share_bp, SHARE),
            ("design.ledger_fee_fen_per_segment", g.ledger_fee_fen_per_segment, (0, 1_000_000)),
            (
                "semi_fitted.compensation_cap_milli_yuan_per_mwh",
                s.compensation_cap_milli_yuan_per_mwh,
                PRICE,
            ),
            ("semi_fitted.service_fee_bp", s.service_fee_bp, SHARE),
            ("fitted.offered_share_bp", f.offered_share_bp, (1, 10_000)),
            ("fitted.demand_bp", f.demand_bp, (1, 100_000)),
            ("fitted.willingness_milli_yuan_per_mwh", f.willingness_milli_yuan_per_mwh, PRICE),
            (
                "fitted.willingness_spread_milli_yuan_per_mwh",
                f.willingness_spread_milli_yuan_per_mwh,
                PRICE,
            ),
            (
                "fitted.willingness_load_slope_milli_yuan_per_mwh",
                f.willingness_load_slope_milli_yuan_per_mwh,
                PRICE,
            ),
        ];
        ranges.extend(g.days.iter().map(|days| ("design.days", *days, (0, 31))));
        ranges.extend(self.ledger.ranges());
        ranges
    }

    /// The parameters with another number to draw from.
    #[must_use]
    pub fn with_seed(&self, seed: u64) -> Self {
        Self { seed, ..self.clone() }
    }
}

impl Ledger {
    fn ranges(&self) -> [(&'static str, i64, (i64, i64)); 9] {
        const MANY: (i64, i64) = (0, 1_000_000_000);
        [
            ("ledger.cpu_seconds_per_million_orders", self.cpu_seconds_per_million_orders, MANY),
            ("ledger.bytes_per_order", self.bytes_per_order, MANY),
            ("ledger.validators", self.validators, (1, 1_000)),
            ("ledger.cpu_fen_per_hour", self.cpu_fen_per_hour, MANY),
            ("ledger.storage_fen_per_gb_month", self.storage_fen_per_gb_month, MANY),
            ("ledger.retention_months", self.retention_months, (0, 1_200)),
            ("ledger.machine_yuan_per_month", self.machine_yuan_per_month, MANY),
            ("ledger.operations_yuan_per_month", self.operations_yuan_per_month, MANY),
            ("ledger.bank_transfer_fen", self.bank_transfer_fen, MANY),
        ]
    }
}

fn load_shapes(path: &Path) -> Result<LoadShapes, ScenarioError> {
    let rows: Vec<LoadRow> = read_csv(path)?;
    let check = Check::new(path);
    if rows.len() != 24 {
        return Err(check.refuse("rows", &rows.len(), &"must be 24, one for each hour"));
    }
    let mut shapes = [[0; 24]; 3];
    for (hour, row) in rows.iter().enumerate() {
        if row.hour != hour {
            return Err(check.refuse("hour", &row.hour, &format_args!("must be {hour} here")));
        }
        shapes[0][hour] = check.range("workday", row.workday, (0, 5_000))?;
        shapes[1][hour] = check.range("weekend", row.weekend, (0, 5_000))?;
        shapes[2][hour] = check.range("high_renewable", row.high_renewable, (0, 5_000))?;
    }
    Ok(shapes)
}
