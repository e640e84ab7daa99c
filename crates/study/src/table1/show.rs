//! The table for people: text, CSV and a report.

use std::fmt::Write as _;

use duet_units::OverflowError;

use super::report::{TableReport, TableRow, TableScenario};
use crate::report::{Bars, Line, LinePlot, Page, Shape, csv};

const CSV_HEADS: [&str; 20] = [
    "plant",
    "rho_bp",
    "php_paper",
    "php_model",
    "wechat_paper",
    "wechat_model",
    "ours_paper",
    "calibrated_model",
    "no_second_stage_model",
    "duet_model",
    "ratio_to_php_paper",
    "ratio_to_php_model",
    "ratio_to_wechat_paper",
    "ratio_to_wechat_model",
    "calibrated_fees",
    "calibrated_compensation",
    "calibrated_unmatched",
    "calibrated_sold_gwh",
    "duet_fees",
    "literal_m",
];

impl TableReport {
    /// The table as text, with what it takes to read it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from(
            "Transaction cost of a month, 10,000 yuan (paper / model)\n\
             plant  rho %       [1] php       [2] wechat     calibrated  no 2nd   duet   \
             this/[1]      this/[2]\n",
        );
        for row in &self.rows {
            let _infallible = writeln!(text, "{}", line(row));
        }
        let _infallible = writeln!(text, "{}", self.sums());
        let error = &self.rms_log_error_by_column;
        let _infallible = writeln!(
            text,
            "\nrms log error {:.4} over all cells; [1] {:.4}, [2] {:.4}, calibrated {:.4}",
            self.rms_log_error, error.php, error.wechat, error.calibrated
        );
        let second = &self.second_stage;
        let _infallible = writeln!(
            text,
            "second stage: {:.1} of {:.1} GWh, paid {:.1} of a fund of {:.1}: a transfer, no saving",
            second.second_stage_gwh,
            second.first_stage_gwh + second.second_stage_gwh,
            second.compensation,
            second.fund
        );
        let ledger = &self.ledger_cost;
        let _infallible = writeln!(
            text,
            "ledger: {} orders cost {:.4} yuan, machines and operations {:.0} yuan, transfers {:.0} yuan",
            ledger.orders, ledger.orders_yuan, ledger.standing_yuan, ledger.transfers_yuan
        );
        text.push_str(&self.duet_statement());
        text.push_str(&self.spread());
        text
    }

    fn duet_statement(&self) -> String {
        if self.duet_above_paper.is_empty() {
            return "duet column: every plant at or below the paper's figure for its platform\n"
                .to_owned();
        }
        format!(
            "duet column: above the paper's figure for {}: there M_j and R_j alone exceed it, \
             whatever the ledger costs, or the ledger's fee is too high\n",
            self.duet_above_paper.join(", ")
        )
    }

    fn spread(&self) -> String {
        self.error_range().map_or_else(String::new, |(lo, median, hi)| {
            let seeds = self.seeds.len();
            format!(
                "{seeds} other seeds, same parameters: rms log error {lo:.4} to {hi:.4}, \
                 median {median:.4}\n"
            )
        })
    }

    /// The least, the median and the largest error of the other seeds.
    fn error_range(&self) -> Option<(f64, f64, f64)> {
        let mut errors: Vec<f64> = self.seeds.iter().map(|seed| seed.rms_log_error).collect();
        errors.sort_by(f64::total_cmp);
        Some((*errors.first()?, *errors.get(errors.len() / 2)?, *errors.last()?))
    }

    fn sums(&self) -> String {
        let sum = |of: fn(&TableRow) -> f64| self.rows.iter().map(of).sum::<f64>();
        format!(
            "sum          {:7.2} /{:7.2}  {:6.2} /{:6.2}  {:6.2} /{:6.2}  {:6.2}  {:6.2}",
            sum(|r| r.php.paper),
            sum(|r| r.php.model),
            sum(|r| r.wechat.paper),
            sum(|r| r.wechat.model),
            sum(|r| r.calibrated.paper),
            sum(|r| r.calibrated.model),
            sum(|r| r.no_second_stage.model),
            sum(|r| r.duet.model)
        )
    }

    /// The files of the report: name and content.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded parameters it always does.
    pub fn files(&self, scenario: &TableScenario) -> Result<Vec<(String, String)>, OverflowError> {
        let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
        let seeds: Vec<Vec<String>> = self
            .seeds
            .iter()
            .map(|seed| {
                let (php, wechat) = (seed.ratio_to_php, seed.ratio_to_wechat);
                [
                    seed.seed.to_string(),
                    seed.rms_log_error.to_string(),
                    php.to_string(),
                    wechat.to_string(),
                ]
                .to_vec()
            })
            .collect();
        let seed_heads = ["seed", "rms_log_error", "ratio_to_php", "ratio_to_wechat"];
        Ok(vec![
            ("table1.html".to_owned(), self.html(scenario)?),
            ("table1.csv".to_owned(), csv(&CSV_HEADS, &rows)),
            ("table1-seeds.csv".to_owned(), csv(&seed_heads, &seeds)),
        ])
    }

    fn html(&self, scenario: &TableScenario) -> Result<String, OverflowError> {
        let mut page = Page::new("table1.title");
        page.paragraph("table1.lead");
        page.heading("table1.table");
        page.table(
            &[
                "plant",
                "rho",
                "php.paper",
                "php.model",
                "wechat.paper",
                "wechat.model",
                "ours.paper",
                "calibrated",
                "no_second_stage",
                "duet",
            ],
            &self.rows.iter().map(|row| html_cells(row).to_vec()).collect::<Vec<_>>(),
        );
        page.figure_line("table1.rms", &format!("{:.4}", self.rms_log_error));
        page.paragraph("table1.columns");
        page.plot("table1.bars", &self.bars());
        page.heading("table1.ratios");
        page.plot("table1.ratios.caption", &self.ratios());
        page.heading("table1.stages");
        page.plot("table1.stages.caption", &stages(scenario)?);
        page.heading("table1.honest");
        for key in ["table1.transfer", "table1.mechanisms", "table1.conductivity"] {
            page.paragraph(key);
        }
        let second = &self.second_stage;
        page.figure_line("table1.compensation", &format!("{:.1}", second.compensation));
        if let Some((lo, median, hi)) = self.error_range() {
            let seeds = self.seeds.len();
            page.figure_line(
                "table1.spread",
                &format!("{lo:.4} < {median:.4} < {hi:.4} ({seeds})"),
            );
        }
        self.parameter_tables(&mut page);
        Ok(page.html())
    }

    fn parameter_tables(&self, page: &mut Page) {
        page.heading("table1.parameters");
        let Ok(serde_json::Value::Object(groups)) = serde_json::to_value(&self.parameters) else {
            return;
        };
        for (group, values) in groups {
            let serde_json::Value::Object(values) = values else { continue };
            page.paragraph(&format!("parameters.{group}"));
            let rows: Vec<Vec<String>> =
                values.into_iter().map(|(name, value)| vec![name, value.to_string()]).collect();
            page.table(&["parameter", "value"], &rows);
        }
    }

    fn bars(&self) -> String {
        let series = |key: &str, of: fn(&TableRow) -> f64| {
            (key.to_owned(), self.rows.iter().map(of).collect::<Vec<_>>())
        };
        Bars {
            groups: self.rows.iter().map(|row| row.plant.clone()).collect(),
            series: vec![
                series("php", |row| row.php.model),
                series("wechat", |row| row.wechat.model),
                series("no_second_stage", |row| row.no_second_stage.model),
                series("calibrated", |row| row.calibrated.model),
                series("duet", |row| row.duet.model),
                series("ours.paper", |row| row.calibrated.paper),
            ],
            y_label: "ten_thousand_yuan".to_owned(),
        }
        .svg()
    }

    fn ratios(&self) -> String {
        let line = |label: &str, shape, of: fn(&TableRow) -> f64| Line {
            label: label.to_owned(),
            points: self.rows.iter().map(|row| (percent(row.rho_bp), of(row))).collect(),
            shape,
        };
        LinePlot {
            lines: vec![
                line("ratio.php.model", Shape::Straight, |row| row.ratio_to_php.model),
                line("ratio.php.paper", Shape::Dashed, |row| row.ratio_to_php.paper),
                line("ratio.wechat.model", Shape::Straight, |row| row.ratio_to_wechat.model),
                line("ratio.wechat.paper", Shape::Dashed, |row| row.ratio_to_wechat.paper),
            ],
            x_label: "rho".to_owned(),
            y_label: "ratio".to_owned(),
            from_zero: true,
        }
        .svg()
    }
}

/// The evening hour of a workday, when the market is largest.
fn stages(scenario: &TableScenario) -> Result<String, OverflowError> {
    let curves = scenario.curves(19)?;
    let dots = |label: &str, points| Line { label: label.to_owned(), points, shape: Shape::Dots };
    let steps = |label: &str, points| Line { label: label.to_owned(), points, shape: Shape::Steps };
    let second = curves.second.map_or_else(Vec::new, |(energy, buyers, sellers)| {
        vec![(energy, buyers), (energy, sellers)]
    });
    Ok(LinePlot {
        lines: vec![
            steps("supply", curves.supply),
            steps("demand", curves.demand),
            dots("first_stage", curves.first.into_iter().collect()),
            dots("second_stage", second),
        ],
        x_label: "mwh".to_owned(),
        y_label: "yuan_per_mwh".to_owned(),
        from_zero: false,
    }
    .svg())
}

fn line(row: &TableRow) -> String {
    let pair = |paper: f64, model: f64| format!("{paper:6.2} /{model:6.2}");
    let ratio = |ratio: super::Ratio| format!("{:.3} / {:.3}", ratio.paper, ratio.model);
    format!(
        "{:6} {:5}  {:>15}  {}  {}  {:6.2}  {:6.2}  {}  {}",
        row.plant,
        percent(row.rho_bp),
        format!("{:7.2} /{:7.2}", row.php.paper, row.php.model),
        pair(row.wechat.paper, row.wechat.model),
        pair(row.calibrated.paper, row.calibrated.model),
        row.no_second_stage.model,
        row.duet.model,
        ratio(row.ratio_to_php),
        ratio(row.ratio_to_wechat)
    )
}

fn cells(row: &TableRow) -> Vec<String> {
    let numbers = [
        row.php.paper,
        row.php.model,
        row.wechat.paper,
        row.wechat.model,
        row.calibrated.paper,
        row.calibrated.model,
        row.no_second_stage.model,
        row.duet.model,
        row.ratio_to_php.paper,
        row.ratio_to_php.model,
        row.ratio_to_wechat.paper,
        row.ratio_to_wechat.model,
        row.calibrated.parts.fees,
        row.calibrated.parts.compensation,
        row.calibrated.parts.unmatched,
        row.calibrated.parts.sold_gwh,
        row.duet.parts.fees,
        row.literal_m,
    ];
    let names = [row.plant.clone(), row.rho_bp.to_string()];
    names.into_iter().chain(numbers.map(|x| x.to_string())).collect()
}

fn html_cells(row: &TableRow) -> [String; 10] {
    let cost = |x: f64| format!("{x:.2}");
    [
        row.plant.clone(),
        percent(row.rho_bp).to_string(),
        cost(row.php.paper),
        cost(row.php.model),
        cost(row.wechat.paper),
        cost(row.wechat.model),
        cost(row.calibrated.paper),
        cost(row.calibrated.model),
        cost(row.no_second_stage.model),
        cost(row.duet.model),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "a conductivity is at most 10,000 bp")]
fn percent(bp: i64) -> f64 {
    bp as f64 / 100.0
}
