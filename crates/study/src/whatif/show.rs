//! The study for people: text, CSV and a report.

use std::fmt::Write as _;

use super::{Budgeted, Cleared, WhatIf};
use crate::report::{Line, LinePlot, Page, Shape, csv};

/// The heads of the summary, as names of columns and of messages.
const HEADS: [&str; 12] = [
    "case",
    "yuan_per_t",
    "rho",
    "demand_gwh",
    "yuan_per_mwh",
    "first_gwh",
    "second_gwh",
    "gross_t",
    "net_t",
    "kappa",
    "at_ceiling",
    "offers_cut",
];

impl WhatIf {
    /// The study as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("What if: {}, {} orders\n", self.name, self.orders);
        let (periods, same) = (self.periods_recorded, self.periods_reproduced);
        if periods > 0 {
            let _infallible = writeln!(
                text,
                "cleared again as it was, {same} of {periods} periods come to what the node has"
            );
        }
        let rows = self.rows();
        let heads = HEADS.map(str::to_owned).to_vec();
        for row in std::iter::once(&heads).chain(&rows) {
            for (column, cell) in row.iter().enumerate() {
                let _infallible = if column == 0 {
                    write!(text, "{cell:8}")
                } else {
                    write!(text, " {cell:>12}")
                };
            }
            text.push('\n');
        }
        match &self.budgeted {
            Some(budgeted) => {
                let _infallible = writeln!(
                    text,
                    "budget {:.1} t above the benchmarks; certificate: worth {} <= bound {} \
                     (1e-8 yuan), gap {}, relative {:.1e}",
                    tonnes(budgeted.budget_g),
                    budgeted.worth,
                    budgeted.bound,
                    budgeted.bound - budgeted.worth,
                    budgeted.relative_gap()
                );
            }
            None => text.push_str("no price of allowances up to 10,000 yuan/t keeps the budget\n"),
        }
        text
    }

    /// The summary, a row for each way of clearing.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![session("before", &self.before), session("after", &self.after)];
        if let Some(budgeted) = &self.budgeted {
            rows.push(joint(budgeted, self.after.demand_kwh));
        }
        rows
    }

    /// The files of the report: name and content.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String)> {
        let heads = [
            "period",
            "before_yuan_per_mwh",
            "after_yuan_per_mwh",
            "joint_yuan_per_mwh",
            "before_kwh",
            "after_kwh",
            "joint_kwh",
            "before_second_kwh",
            "after_second_kwh",
            "before_emissions_t",
            "after_emissions_t",
            "before_kappa",
            "after_kappa",
            "before_offers_cut",
            "after_offers_cut",
        ];
        let rows: Vec<Vec<String>> =
            (0..self.before.periods.len()).filter_map(|period| self.period(period)).collect();
        vec![
            ("whatif.html".to_owned(), self.html()),
            ("whatif.csv".to_owned(), csv(&heads, &rows)),
            ("whatif-summary.csv".to_owned(), csv(&HEADS, &self.rows())),
        ]
    }

    fn period(&self, period: usize) -> Option<Vec<String>> {
        let (before, after) = (self.before.periods.get(period)?, self.after.periods.get(period)?);
        let budgeted = self.budgeted.as_ref();
        let joint_price = budgeted.and_then(|b| b.prices.get(period).copied().flatten());
        let joint_kwh = budgeted.and_then(|b| b.volumes_kwh.get(period).copied());
        let kwh = |kwh: Option<i64>| kwh.map_or_else(String::new, |kwh| kwh.to_string());
        Some(vec![
            period.to_string(),
            thousandths(before.price),
            thousandths(after.price),
            thousandths(joint_price),
            before.volume_kwh.to_string(),
            after.volume_kwh.to_string(),
            kwh(joint_kwh),
            before.second_volume_kwh.to_string(),
            after.second_volume_kwh.to_string(),
            format!("{:.3}", tonnes(before.emissions_g)),
            format!("{:.3}", tonnes(after.emissions_g)),
            share(before.kappa_bp),
            share(after.kappa_bp),
            before.offers_cut.to_string(),
            after.offers_cut.to_string(),
        ])
    }

    fn html(&self) -> String {
        let mut page = Page::new("whatif.title");
        page.figure_line("session", &self.name);
        page.paragraph("whatif.lead");
        let line = |label: &str, prices: Vec<Option<i64>>| Line {
            label: label.to_owned(),
            points: (0_u32..)
                .map(f64::from)
                .zip(prices)
                .filter_map(|(period, price)| Some((period, price? as f64 / 1_000.0)))
                .collect(),
            shape: Shape::Straight,
        };
        let prices = |cleared: &Cleared| cleared.periods.iter().map(|p| p.price).collect();
        let mut lines =
            vec![line("before", prices(&self.before)), line("after", prices(&self.after))];
        lines.extend(self.budgeted.iter().map(|joint| line("joint", joint.prices.clone())));
        let (x_label, y_label) = ("period".to_owned(), "yuan_per_mwh".to_owned());
        let plot = LinePlot { lines, x_label, y_label, from_zero: false };
        page.plot("whatif.prices", &plot.svg());
        page.table(&HEADS, &self.rows());
        page.paragraph("whatif.columns");
        if let Some(budgeted) = &self.budgeted {
            page.heading("whatif.certificate");
            page.paragraph("clearing.certificate");
            page.figure_line("gap", &(budgeted.bound - budgeted.worth).to_string());
            page.figure_line("relative_gap", &format!("{:.1e}", budgeted.relative_gap()));
        }
        page.html()
    }
}

fn session(name: &str, cleared: &Cleared) -> Vec<String> {
    let second: i128 = cleared.periods.iter().map(|p| i128::from(p.second_volume_kwh)).sum();
    let (gross, net) = cleared.emissions_g();
    vec![
        name.to_owned(),
        format!("{:.2}", cleared.carbon_price_fen_per_t as f64 / 100.0),
        format!("{:.1}", 100.0 * cleared.conductivity),
        gwh(cleared.demand_kwh),
        optional(cleared.mean_price(), 2),
        gwh(cleared.volume_kwh() - second),
        gwh(second),
        format!("{:.1}", tonnes(gross)),
        format!("{:.1}", tonnes(net)),
        optional(cleared.mean_kappa(), 3),
        cleared.periods.iter().filter(|period| period.at_ceiling).count().to_string(),
        cleared.periods.iter().map(|period| period.offers_cut).sum::<usize>().to_string(),
    ]
}

fn joint(budgeted: &Budgeted, demand_kwh: i128) -> Vec<String> {
    vec![
        "joint".to_owned(),
        format!("{:.2}", budgeted.carbon_price_fen_per_t as f64 / 100.0),
        String::new(),
        gwh(demand_kwh),
        optional(budgeted.mean_price(), 2),
        gwh(budgeted.volume_kwh()),
        String::new(),
        format!("{:.1}", tonnes(budgeted.emissions_g)),
        format!("{:.1}", tonnes(budgeted.net_emissions_g)),
        optional(budgeted.mean_kappa(), 3),
        String::new(),
        String::new(),
    ]
}

fn optional(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.decimals$}"))
}

fn thousandths(milli: Option<i64>) -> String {
    optional(milli.map(|milli| milli as f64 / 1_000.0), 3)
}

fn share(bp: Option<i64>) -> String {
    optional(bp.map(|bp| bp as f64 / 10_000.0), 4)
}

fn gwh(kwh: i128) -> String {
    format!("{:.3}", kwh as f64 / 1e6)
}

fn tonnes(g: i128) -> f64 {
    g as f64 / 1e6
}
