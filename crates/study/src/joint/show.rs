//! A joint clearing for people: text, CSV and a report.

use std::fmt::Write as _;

use super::case::{CaseResult, Cleared};
use crate::report::{Line, LinePlot, Page, Shape, csv};

impl CaseResult {
    /// The clearing as text, with its certificate.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "Joint clearing of {}: {} units, {} periods, {} offers and bids\n",
            self.name, self.units, self.periods, self.orders
        );
        for (name, cleared) in [("no cap", &self.free), ("capped", &self.capped)] {
            let _infallible = writeln!(
                text,
                "{name}: allowance {:.2} yuan/t, mean price {:.2} yuan/MWh, {:.3} GWh, {:.1} t, \
                 bought {:.1} t",
                cleared.allowance_price,
                mean(&cleared.prices),
                cleared.volume_gwh,
                cleared.net_emissions_t,
                cleared.allowances_bought_t
            );
            let certificate = &cleared.certificate;
            let _infallible = writeln!(
                text,
                "  certificate: welfare {} <= bound {} (1e-8 yuan), gap {}, relative {:.1e}",
                certificate.welfare,
                certificate.bound,
                certificate.gap(),
                cleared.relative_gap
            );
        }
        text
    }

    /// The files of the report: name and content.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String)> {
        let rows = self.free.prices.iter().zip(&self.capped.prices).enumerate();
        let rows: Vec<Vec<String>> = rows
            .map(|(period, (free, capped))| {
                vec![period.to_string(), free.to_string(), capped.to_string()]
            })
            .collect();
        let heads = ["period", "price_without_cap", "price_with_cap"];
        vec![
            (format!("clearing-{}.html", self.name), self.html()),
            (format!("clearing-{}.csv", self.name), csv(&heads, &rows)),
        ]
    }

    fn html(&self) -> String {
        let mut page = Page::new("clearing.title");
        page.paragraph("clearing.lead");
        let line = |label: &str, cleared: &Cleared| Line {
            label: label.to_owned(),
            points: (0_u32..).map(f64::from).zip(cleared.prices.iter().copied()).collect(),
            shape: Shape::Straight,
        };
        let plot = LinePlot {
            lines: vec![line("no_cap", &self.free), line("capped", &self.capped)],
            x_label: "period".to_owned(),
            y_label: "yuan_per_mwh".to_owned(),
            from_zero: false,
        };
        page.plot("clearing.prices", &plot.svg());
        let row = |name: &str, cleared: &Cleared| {
            vec![
                name.to_owned(),
                format!("{:.2}", cleared.allowance_price),
                format!("{:.3}", cleared.volume_gwh),
                format!("{:.1}", cleared.net_emissions_t),
                format!("{:.1}", cleared.allowances_bought_t),
                cleared.certificate.gap().to_string(),
                format!("{:.1e}", cleared.relative_gap),
            ]
        };
        page.table(
            &["case", "yuan_per_t", "gwh", "net_t", "bought_t", "gap", "relative_gap"],
            &[row("no_cap", &self.free), row("capped", &self.capped)],
        );
        page.paragraph("clearing.certificate");
        page.html()
    }
}

fn mean(values: &[f64]) -> f64 {
    let (sum, count) = values.iter().fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}
