//! The pass-through study for people: text, CSV and a report.

use std::fmt::Write as _;

use super::hour::{Basis, Fleet};
use super::sweep::{PassThrough, SweepPoint};
use crate::report::{Line, LinePlot, Page, Shape, csv};

/// The carbon price at which conductivity is compared with pass-through: the close of 2022.
const REFERENCE: f64 = 55.0;

const CASES: [(Basis, Fleet, &str); 4] = [
    (Basis::Full, Fleet::CoalOnly, "full.coal"),
    (Basis::Full, Fleet::WithWindAndSun, "full.all"),
    (Basis::NetOfBenchmark, Fleet::CoalOnly, "net.coal"),
    (Basis::NetOfBenchmark, Fleet::WithWindAndSun, "net.all"),
];

impl Basis {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::NetOfBenchmark => "net_of_benchmark",
        }
    }
}

impl Fleet {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CoalOnly => "coal_only",
            Self::WithWindAndSun => "with_wind_and_sun",
        }
    }
}

impl PassThrough {
    /// The study as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "Pass-through on {}, day {}, first stage, at {REFERENCE} yuan/t\n\
             basis             fleet               rho %   price    kappa  emissions kt  at cap  \
             buyers +  allowances\n",
            self.scenario, self.day
        );
        for point in self.points.iter().filter(|point| is(point.carbon_price, REFERENCE)) {
            if point.rho_bp % 2_000 != 0 {
                continue;
            }
            let kappa = point.kappa.map_or_else(String::new, |kappa| format!("{kappa:.3}"));
            let _infallible = writeln!(
                text,
                "{:17} {:18} {:5}  {:7.2}  {kappa:>7}  {:12.2}  {:6}  {:8.1}  {:10.1}",
                point.basis.name(),
                point.fleet.name(),
                point.rho_bp / 100,
                point.price,
                point.emissions_kt,
                point.hours_at_cap,
                point.buyers_pay_more,
                point.sellers_allowances
            );
        }
        text.push_str("\nEstimated from simulated days (95 % interval, clustered by day)\n");
        for e in &self.estimates {
            let _infallible = writeln!(
                text,
                "{:17} {:18} declared {:.3}  kappa {:.3} [{:.3}, {:.3}]  {} hours, {} at cap",
                e.basis.name(),
                e.fleet.name(),
                e.declared,
                e.kappa,
                e.kappa_low,
                e.kappa_high,
                e.hours,
                e.hours_at_cap
            );
        }
        text
    }

    /// The files of the report: name and content.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String)> {
        let heads = [
            "basis",
            "fleet",
            "rho_bp",
            "carbon_price",
            "price",
            "kappa",
            "volume_gwh",
            "emissions_kt",
            "hours_at_cap",
            "buyers_pay_more_1e4_yuan",
            "sellers_allowances_1e4_yuan",
            "full_carbon_cost_1e4_yuan",
        ];
        let rows: Vec<Vec<String>> = self.points.iter().map(cells).collect();
        vec![
            ("passthrough.html".to_owned(), self.html()),
            ("passthrough.csv".to_owned(), csv(&heads, &rows)),
        ]
    }

    fn html(&self) -> String {
        let mut page = Page::new("passthrough.title");
        page.paragraph("passthrough.lead");
        page.heading("passthrough.kappa");
        page.plot(
            "passthrough.kappa.caption",
            &self.plot(("rho", "kappa"), |point| {
                is(point.carbon_price, REFERENCE)
                    .then_some((percent(point.rho_bp), point.kappa.unwrap_or(0.0)))
            }),
        );
        page.heading("passthrough.price");
        page.plot(
            "passthrough.price.caption",
            &self.plot(("yuan_per_t", "yuan_per_mwh"), |point| {
                (point.rho_bp == 10_000).then_some((point.carbon_price, point.price))
            }),
        );
        page.heading("passthrough.emissions");
        page.plot(
            "passthrough.emissions.caption",
            &self.plot(("yuan_per_t", "kt"), |point| {
                (point.rho_bp == 10_000).then_some((point.carbon_price, point.emissions_kt))
            }),
        );
        page.heading("passthrough.pays");
        page.paragraph("passthrough.pays.text");
        let rows = self.points.iter().filter(|p| is(p.carbon_price, REFERENCE)).map(|point| {
            let kappa = point.kappa.map_or_else(String::new, |kappa| format!("{kappa:.3}"));
            vec![
                format!("{} / {}", point.basis.name(), point.fleet.name()),
                percent(point.rho_bp).to_string(),
                format!("{:.2}", point.price),
                kappa,
                point.hours_at_cap.to_string(),
                format!("{:.1}", point.buyers_pay_more),
                format!("{:.1}", point.sellers_allowances),
                format!("{:.1}", point.full_carbon_cost),
            ]
        });
        page.table(
            &[
                "case",
                "rho",
                "yuan_per_mwh",
                "kappa",
                "hours_at_cap",
                "buyers_pay_more",
                "sellers_allowances",
                "full_carbon_cost",
            ],
            &rows.collect::<Vec<_>>(),
        );
        self.estimate_table(&mut page);
        page.html()
    }

    fn estimate_table(&self, page: &mut Page) {
        page.heading("passthrough.estimate");
        page.paragraph("passthrough.estimate.text");
        let rows = self.estimates.iter().map(|e| {
            vec![
                format!("{} / {}", e.basis.name(), e.fleet.name()),
                format!("{:.3}", e.declared),
                format!("{:.3}", e.kappa),
                format!("[{:.3}, {:.3}]", e.kappa_low, e.kappa_high),
                e.hours.to_string(),
                e.hours_at_cap.to_string(),
            ]
        });
        page.table(
            &["case", "declared", "kappa", "interval", "hours", "hours_at_cap"],
            &rows.collect::<Vec<_>>(),
        );
    }

    /// One line for each case, through the points that `at` places.
    fn plot(&self, (x, y): (&str, &str), at: impl Fn(&SweepPoint) -> Option<(f64, f64)>) -> String {
        let line = |(basis, fleet, label): (Basis, Fleet, &str)| {
            let own = self.points.iter().filter(|p| p.basis == basis && p.fleet == fleet);
            let shape = match fleet {
                Fleet::CoalOnly => Shape::Dashed,
                Fleet::WithWindAndSun => Shape::Straight,
            };
            Line { label: label.to_owned(), points: own.filter_map(&at).collect(), shape }
        };
        LinePlot {
            lines: CASES.into_iter().map(line).collect(),
            x_label: x.to_owned(),
            y_label: y.to_owned(),
            from_zero: false,
        }
        .svg()
    }
}

fn cells(point: &SweepPoint) -> Vec<String> {
    vec![
        point.basis.name().to_owned(),
        point.fleet.name().to_owned(),
        point.rho_bp.to_string(),
        point.carbon_price.to_string(),
        point.price.to_string(),
        point.kappa.map_or_else(String::new, |kappa| kappa.to_string()),
        point.volume_gwh.to_string(),
        point.emissions_kt.to_string(),
        point.hours_at_cap.to_string(),
        point.buyers_pay_more.to_string(),
        point.sellers_allowances.to_string(),
        point.full_carbon_cost.to_string(),
    ]
}

fn is(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

fn percent(bp: i64) -> f64 {
    super::sweep::float(bp.into()) / 100.0
}
