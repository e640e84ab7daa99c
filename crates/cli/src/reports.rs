//! The reports of the studies, as the demo's page shows them.

use axum::{
    Router,
    http::{HeaderName, header},
    response::{Html, IntoResponse},
    routing::get,
};
use duet_study::table1::TableScenario;
use std::path::Path;
use tracing::warn;

/// The scenario of the paper's table, where a checkout has it.
const TABLE1: &str = "scenarios/table1";
/// Seeds besides the scenario's own that the table is computed with.
const SEEDS: u64 = 20;
/// A report is one file: its plots and styles are in it, and it asks nobody for anything.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// Tells the page that this is a report and not the page itself, which answers unknown paths.
const MARK: HeaderName = HeaderName::from_static("duet-study");

/// `/study/table1.html`, computed now; no route where its scenario cannot be read.
pub(crate) fn routes() -> Router {
    match table1() {
        Ok(html) => Router::new()
            .route("/study/table1.html", get(move || std::future::ready(answer(html.clone())))),
        Err(reason) => {
            warn!(%reason, scenario = TABLE1, "the demo goes on without the study of the table");
            Router::new()
        }
    }
}

fn answer(html: String) -> impl IntoResponse {
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (MARK, "table1")];
    (headers, Html(html))
}

fn table1() -> anyhow::Result<String> {
    let scenario = TableScenario::load(Path::new(TABLE1))?;
    let report = scenario.play(SEEDS)?;
    let mut files = report.files(&scenario)?.into_iter();
    let html = files.find(|(name, _)| Path::new(name).extension().is_some_and(|e| e == "html"));
    html.map(|(_, html)| html).ok_or_else(|| anyhow::anyhow!("the study has no report"))
}
