//! The incentives study for people: text, CSV and a report.

use std::fmt::Write as _;

use super::{DesignResult, Incentives};
use crate::report::{Bars, Page, csv};

impl Incentives {
    /// The study as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "Best single deviation, {} markets, up to {:.1} yuan/MWh\n\
             design             buyers gain  yuan/MWh  of surplus   sellers gain  yuan/MWh  \
             of surplus   2nd stage MWh\n",
            self.markets,
            self.deviations.last().unwrap_or(&0.0)
        );
        for result in &self.designs {
            let (b, s) = (result.buyers, result.sellers);
            let _infallible = writeln!(
                text,
                "{:18} {:>10}  {:8.2}  {:>10}  {:>13}  {:8.2}  {:>10}  {:14.1}",
                result.design.name(),
                percent(Some(b.can_gain)),
                b.gain,
                percent(b.of_surplus),
                percent(Some(s.can_gain)),
                s.gain,
                percent(s.of_surplus),
                result.second_stage_mwh
            );
        }
        text
    }

    /// The files of the report: name and content.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String)> {
        let heads = [
            "design",
            "buyers_can_gain",
            "buyers_gain_yuan_per_mwh",
            "buyers_of_surplus",
            "sellers_can_gain",
            "sellers_gain_yuan_per_mwh",
            "sellers_of_surplus",
            "second_stage_mwh",
        ];
        let rows: Vec<Vec<String>> = self.designs.iter().map(cells).collect();
        vec![
            ("incentives.html".to_owned(), self.html()),
            ("incentives.csv".to_owned(), csv(&heads, &rows)),
        ]
    }

    fn html(&self) -> String {
        let mut page = Page::new("incentives.title");
        page.paragraph("incentives.lead");
        let series = |key: &str, of: fn(&DesignResult) -> f64| {
            (key.to_owned(), self.designs.iter().map(of).collect::<Vec<_>>())
        };
        let bars = Bars {
            groups: self.designs.iter().map(|r| r.design.name().to_owned()).collect(),
            series: vec![
                series("buyers", |r| r.buyers.gain),
                series("sellers", |r| r.sellers.gain),
            ],
            y_label: "yuan_per_mwh".to_owned(),
        };
        page.plot("incentives.gain", &bars.svg());
        page.table(
            &[
                "design",
                "buyers.can_gain",
                "buyers.gain",
                "sellers.can_gain",
                "sellers.gain",
                "second_stage.mwh",
            ],
            &self.designs.iter().map(html_cells).collect::<Vec<_>>(),
        );
        page.paragraph("incentives.advice");
        page.html()
    }
}

fn cells(result: &DesignResult) -> Vec<String> {
    let optional = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
    vec![
        result.design.name().to_owned(),
        result.buyers.can_gain.to_string(),
        result.buyers.gain.to_string(),
        optional(result.buyers.of_surplus),
        result.sellers.can_gain.to_string(),
        result.sellers.gain.to_string(),
        optional(result.sellers.of_surplus),
        result.second_stage_mwh.to_string(),
    ]
}

fn html_cells(result: &DesignResult) -> Vec<String> {
    vec![
        result.design.name().to_owned(),
        percent(Some(result.buyers.can_gain)),
        format!("{:.2}", result.buyers.gain),
        percent(Some(result.sellers.can_gain)),
        format!("{:.2}", result.sellers.gain),
        format!("{:.1}", result.second_stage_mwh),
    ]
}

fn percent(x: Option<f64>) -> String {
    x.map_or_else(|| "-".to_owned(), |x| format!("{:.1} %", x * 100.0))
}
