//! From a line that was made after its day to everything that it comes from.

use super::{Wanted, find_all, of_line, price_source};
use crate::api::{Api, extract::InPath, problem::ApiProblem};
use axum::{Json, extract::State};
use duet_ledger as ledger;
use duet_ledger::{Action, CertificateAction, LineItem, StatementAction};
use duet_sdk::wire::{
    Formula, GreenContract, LaterLine, LaterTrace, MonthMeter, Objection, Problem, Session,
};
use duet_units::Energy;

/// A correction, or a line of the end of a month, with what it corrects or settles and the blocks
/// of the transactions behind it.
#[utoipa::path(get, path = "/v1/later-lines/{number}/trace", tag = "market",
    operation_id = "later_trace",
    params(("number" = u64, Path, description = "The number of the later line.")),
    responses((status = 200, body = LaterTrace), (status = 404, body = Problem)))]
pub(in crate::api) async fn later_trace(
    State(api): State<Api>,
    InPath(number): InPath<u64>,
) -> Result<Json<LaterTrace>, ApiProblem> {
    let gathered = api.node.read(|state| gather(state, number));
    let (mut trace, wanted) =
        gathered.ok_or_else(|| ApiProblem::not_found("later line", number.to_string()))?;
    if let Some(place) = trace.line.corrects {
        let session = ledger::SessionId(trace.line.line.session);
        trace.corrects = of_line(&api.node, session, place).await;
    }
    (trace.transactions, trace.not_found) = find_all(&api.node, wanted).await;
    Ok(Json(trace))
}

/// What the state knows of a line, and the transactions that it depends on.
fn gather(state: &ledger::State, number: u64) -> Option<(LaterTrace, Vec<Wanted>)> {
    let row = state.later_lines().get(&number)?;
    let line = &row.line;
    let objection = row.objection.and_then(|id| Some((id, state.objections().get(&id)?)));
    let of_unit = state.meter_months().get(&(row.month, line.unit));
    let meter = of_unit.filter(|_| line.item == LineItem::TrueUp);
    let green = row.green.and_then(|id| Some((id, state.green_contracts().get(&id)?)));
    let mut wanted = vec![of_making(number, row)];
    wanted.extend(objection.map(|(id, objection)| of_objection(id, objection)));
    let reported = meter.and_then(|meter| meter.reported);
    wanted.extend(reported.map(|energy| of_month_reading(row, energy)));
    let session = state.sessions().get(&line.session);
    let trace = LaterTrace {
        line: LaterLine::new(number, row),
        formula: Formula::of(line.item.into()),
        price_source: price_source(line, None),
        session: session.map(|session| Session::new(line.session, session)),
        corrects: None,
        objection: objection.map(|(id, objection)| Objection::new(id, objection)),
        meter: meter.map(MonthMeter::new),
        green_contract: green.map(|(id, contract)| GreenContract::new(id, contract)),
        transactions: Vec::new(),
        not_found: Vec::new(),
    };
    Some((trace, wanted))
}

/// The transaction that made the line.
fn of_making(number: u64, row: &ledger::LaterLine) -> Wanted {
    let (is_green, is_correction) = (row.green.is_some(), row.place.is_some());
    let (month, height) = (row.month, row.height);
    Wanted {
        what: format!("what made the line in block {height}"),
        from: row.time,
        matches: Box::new(move |action, subject| match action {
            Action::Statement(StatementAction::Correct(_)) => is_correction && subject == number,
            Action::Statement(StatementAction::CloseMonth(of)) => {
                !is_correction && !is_green && *of == month
            }
            // A month that was closed before is settled into the one after it.
            Action::Certificate(CertificateAction::SettleGreen(_)) => is_green,
            _ => false,
        }),
    }
}

fn of_objection(number: u64, row: &ledger::Objection) -> Wanted {
    Wanted {
        what: format!("objection {number}"),
        from: row.time,
        matches: Box::new(move |action, subject| {
            matches!(action, Action::Statement(StatementAction::Object(_))) && subject == number
        }),
    }
}

fn of_month_reading(row: &ledger::LaterLine, energy: Energy) -> Wanted {
    let (month, unit) = (row.month, row.line.unit);
    Wanted {
        what: format!("month reading of unit {}", unit.0),
        from: month.plus(1).start(),
        matches: Box::new(move |action, _| match action {
            Action::Statement(StatementAction::ReportMonth(reading)) => {
                (reading.month, reading.unit, reading.energy) == (month, unit, energy)
            }
            _ => false,
        }),
    }
}
