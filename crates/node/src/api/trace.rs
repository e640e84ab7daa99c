//! From a statement line to everything that it comes from.

pub(super) mod later;

use super::{Api, extract::InPath, problem::ApiProblem};
use crate::{BlockView, Handle};
use axum::{Json, extract::State};
use duet_ledger as ledger;
use duet_ledger::{
    Action, AuctionAction, ContractAction, DeviceAction, LineItem, OrderId, ProposalId,
    ScheduleAction, SessionId,
};
use duet_sdk::wire::{
    self, Day, Formula, Hex32, LineTrace, MeterRecord, Order, PeriodClearing, PriceSource, Problem,
    Seal, Session, StatementLine, TracedTransaction, Trade,
};
use duet_units::{ClockTime, DeliveryPeriod};

/// How many blocks are searched for one transaction.
const BLOCKS_SEARCHED_MAX: u64 = 2_000;

/// A transaction to be found: from which time on, and how it is known.
struct Wanted {
    what: String,
    from: ClockTime,
    matches: Box<Matches>,
}

/// Whether an action with this subject in its receipt is the one.
type Matches = dyn Fn(&Action, u64) -> bool + Send + Sync;

/// A statement line with its trade, orders, terms, readings and the blocks of their transactions,
/// while the rows of its day are kept.
#[utoipa::path(get, path = "/v1/statement-lines/{session}/{place}/trace", tag = "market",
    operation_id = "trace",
    params(
        ("session" = u32, Path, description = "The joint session of the delivery day."),
        ("place" = u32, Path, description = "The place of the line in its statement.")
    ),
    responses((status = 200, body = LineTrace), (status = 404, body = Problem)))]
pub(super) async fn trace(
    State(api): State<Api>,
    InPath((session, place)): InPath<(u32, u32)>,
) -> Result<Json<LineTrace>, ApiProblem> {
    let name = || format!("{session}/{place}");
    let trace = of_line(&api.node, SessionId(session), place).await;
    trace.map(Json).ok_or_else(|| ApiProblem::not_found("statement line", name()))
}

async fn of_line(node: &Handle, session: SessionId, place: u32) -> Option<LineTrace> {
    let (mut trace, wanted) = node.read(|state| gather(state, session, place))?;
    (trace.transactions, trace.not_found) = find_all(node, wanted).await;
    Some(trace)
}

/// What the state knows of a line, and the transactions that it depends on.
fn gather(
    state: &ledger::State,
    session: SessionId,
    place: u32,
) -> Option<(LineTrace, Vec<Wanted>)> {
    let line = state.lines().get(&(session, place))?;
    let row = state.sessions().get(&session)?;
    let trade = line.trade.and_then(|id| state.trades().get(&id).map(|trade| (id, trade)));
    let orders: Vec<(OrderId, &ledger::Order)> = trade
        .iter()
        .flat_map(|(_, trade)| [trade.buy, trade.sell])
        .filter_map(|id| state.orders().get(&id).map(|order| (id, order)))
        .collect();
    let other = trade.map(|(_, trade)| trade.session).filter(|other| *other != session);
    let key = trade.map_or((session, line.period), |(_, trade)| (trade.session, trade.period));
    let clearing = state.clearings().get(&key);
    let readings = readings(state, line, row);
    let contract = trade.and_then(|(_, trade)| contract_of(state, trade));
    let mut wanted: Vec<Wanted> =
        orders.iter().map(|order| of_order(state, *order, contract)).collect();
    wanted.extend(readings.iter().map(|reading| of_reading(reading, row)));
    let seal = state.seals().get(&session);
    wanted.extend(seal.map(|seal| of_settlement(session, seal)));
    let trace = LineTrace {
        line: StatementLine::new(place, line),
        day: Day(row.day),
        formula: Formula::of(line.item.into()),
        price_source: price_source(line, clearing),
        session: Session::new(session, row),
        traded_in: other.and_then(|id| state.sessions().get(&id).map(|row| Session::new(id, row))),
        clearing: clearing.map(|row| PeriodClearing::new(key.0, key.1, row)),
        trade: trade.map(|(id, trade)| Trade::new(id, trade)),
        orders: orders.iter().map(|(id, order)| Order::new(*id, order)).collect(),
        readings,
        seal: seal.map(|row| Seal::new(session, row)),
        transactions: Vec::new(),
        not_found: Vec::new(),
    };
    Some((trace, wanted))
}

/// The readings that a line depends on: of a line about metered energy, those of its unit and
/// period.
fn readings(
    state: &ledger::State,
    line: &ledger::StatementLine,
    session: &ledger::Session,
) -> Vec<MeterRecord> {
    let day = session.day;
    let periods = match line.item {
        LineItem::Deviation | LineItem::DayAhead | LineItem::RealTime => line.period..=line.period,
        LineItem::DeviationCharge | LineItem::Recovery => {
            0..=session.terms.resolution.periods().saturating_sub(1)
        }
        LineItem::Contract
        | LineItem::Compensation
        | LineItem::Levy
        | LineItem::Fee
        | LineItem::Difference
        | LineItem::SpotContract
        | LineItem::Prepayment
        | LineItem::TrueUp
        | LineItem::GreenValue
        | LineItem::GreenShortfall
        | LineItem::Correction => return Vec::new(),
    };
    let rows = state
        .readings()
        .range((line.unit, day, *periods.start())..=(line.unit, day, *periods.end()));
    rows.map(|((unit, day, period), row)| MeterRecord::new(*unit, *day, *period, row)).collect()
}

fn price_source(
    line: &ledger::StatementLine,
    clearing: Option<&ledger::PeriodClearing>,
) -> PriceSource {
    match line.item {
        LineItem::Contract
        | LineItem::Prepayment
        | LineItem::Difference
        | LineItem::SpotContract => PriceSource::Trade,
        LineItem::RealTime => PriceSource::Published,
        LineItem::DayAhead => PriceSource::Clearing,
        LineItem::Deviation if clearing.is_some_and(|c| c.price.is_some()) => PriceSource::Clearing,
        LineItem::Deviation => PriceSource::Reference,
        LineItem::Compensation
        | LineItem::Levy
        | LineItem::Fee
        | LineItem::DeviationCharge
        | LineItem::Recovery
        | LineItem::Correction => PriceSource::Rule,
        LineItem::TrueUp => PriceSource::Month,
        LineItem::GreenValue | LineItem::GreenShortfall => PriceSource::Contract,
    }
}

/// The contract that a trade of two orders comes from: its proposer's orders have rising numbers.
fn contract_of(state: &ledger::State, trade: &ledger::Trade) -> Option<(ProposalId, OrderId, u64)> {
    state.proposals().iter().find_map(|(id, proposal)| {
        let (first, count) = (proposal.first_order, proposal.terms.curve.len() as u64);
        let own = |order: OrderId| order.0.checked_sub(first.0).is_some_and(|at| at < count);
        let is_here = proposal.terms.session == trade.session;
        (is_here && (own(trade.buy) || own(trade.sell))).then_some((*id, first, count))
    })
}

fn of_order(
    state: &ledger::State,
    (id, order): (OrderId, &ledger::Order),
    contract: Option<(ProposalId, OrderId, u64)>,
) -> Wanted {
    let matches: Box<Matches> = match contract {
        Some((proposal, first, count)) => {
            let proposed = id.0.checked_sub(first.0).is_some_and(|at| at < count);
            Box::new(move |action, subject| match action {
                Action::Contract(ContractAction::Propose(_)) => proposed && subject == proposal.0,
                Action::Contract(ContractAction::Confirm(_)) => !proposed && subject == proposal.0,
                _ => false,
            })
        }
        None => {
            let mut linked = state.linked_orders().iter();
            let linked = linked.find(|(_, row)| row.orders().any(|part| part == id));
            let linked = linked.map(|(linked, _)| linked.0);
            Box::new(move |action, subject| match action {
                Action::SubmitOrder(_)
                | Action::Contract(ContractAction::Take(_))
                | Action::Auction(AuctionAction::SubmitMinimum(_)) => subject == id.0,
                Action::Auction(AuctionAction::SubmitLinked(_)) => linked == Some(subject),
                // The steps of a curve have numbers that rise from the one in its receipt.
                Action::Auction(AuctionAction::SubmitCurve(curve)) => {
                    let steps: usize = curve.periods.iter().map(|period| period.steps.len()).sum();
                    id.0.checked_sub(subject).is_some_and(|at| at < steps as u64)
                }
                _ => false,
            })
        }
    };
    Wanted { what: format!("order {id}"), from: order.accepted_at, matches }
}

fn of_reading(reading: &MeterRecord, session: &ledger::Session) -> Wanted {
    let (unit, period, version) = (reading.unit, reading.period, reading.version);
    let energy_kwh = reading.energy_kwh;
    let Day(day) = reading.day;
    let over = DeliveryPeriod::new(day, session.terms.resolution, period);
    Wanted {
        what: format!("reading of unit {unit} in period {period}"),
        // A substitute comes later than any other reading may.
        from: if version == ledger::MeterRecord::SUBSTITUTE {
            day.next().next().start()
        } else {
            over.map_or_else(|| day.start(), DeliveryPeriod::end)
        },
        matches: Box::new(move |action, _| match action {
            Action::ReportMeter(report) => {
                let index = period.checked_sub(report.first_period).map(usize::from);
                (report.unit.0, report.day, report.version) == (unit, day, version)
                    && index.is_some_and(|index| index < report.readings.len())
            }
            Action::Device(DeviceAction::ReportBatch(batch)) => {
                batch.readings.iter().any(|reading| {
                    let at = (reading.period.day(), reading.period.index(), reading.version);
                    reading.unit.0 == unit && at == (day, period, version)
                })
            }
            Action::Schedule(ScheduleAction::Substitute(request)) => {
                let index = period.checked_sub(request.first_period).map(usize::from);
                let energy = index.and_then(|index| request.energies.get(index));
                (request.unit.0, request.day, ledger::MeterRecord::SUBSTITUTE)
                    == (unit, day, version)
                    && energy.is_some_and(|of| of.kwh() == energy_kwh)
            }
            _ => false,
        }),
    }
}

fn of_settlement(session: SessionId, seal: &ledger::Seal) -> Wanted {
    Wanted {
        what: format!("settlement of session {session}"),
        from: seal.settled_at,
        matches: Box::new(
            move |action, _| matches!(action, Action::SettleSession { session: of } if *of == session),
        ),
    }
}

/// The transactions that were found, by height, and what was not.
async fn find_all(node: &Handle, wanted: Vec<Wanted>) -> (Vec<TracedTransaction>, Vec<String>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for wanted in wanted {
        match find(node, &wanted).await {
            Some(transaction) => found.push(transaction),
            None => missing.push(wanted.what),
        }
    }
    found.sort_by_key(|transaction| (transaction.height, transaction.index));
    found.dedup();
    (found, missing)
}

/// Finds an accepted transaction in the blocks from its time on.
async fn find(node: &Handle, wanted: &Wanted) -> Option<TracedTransaction> {
    let last = node.status().height;
    let first = first_at(node, wanted.from, last).await?;
    for height in first..=last.min(first.saturating_add(BLOCKS_SEARCHED_MAX)) {
        let view = node.block(height).await?;
        if let Some(found) = found_in(&view, height, wanted) {
            return Some(found);
        }
    }
    None
}

/// The first height whose block is not before `time`; block times never run backwards.
async fn first_at(node: &Handle, time: ClockTime, last: u64) -> Option<u64> {
    let (mut low, mut high) = (1, last);
    while low < high {
        let middle = low + (high - low) / 2;
        let block = node.mailbox().block(middle).await?;
        if block.header.time_ms < time.unix_ms() {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    (low <= last).then_some(low)
}

fn found_in(view: &BlockView, height: u64, wanted: &Wanted) -> Option<TracedTransaction> {
    let pairs = (0_u32..).zip(view.body.transactions.iter().zip(&view.receipts));
    let mut fitting = pairs.filter(|(_, (transaction, receipt))| {
        receipt.is_accepted() && (wanted.matches)(transaction.action(), receipt.subject)
    });
    fitting.next().map(|(index, (transaction, _))| TracedTransaction {
        kind: kind(transaction.action()),
        height,
        time_ms: view.block.header.time_ms,
        index,
        transaction: Hex32(*transaction.hash()),
    })
}

/// The name of an action in the API.
fn kind(action: &Action) -> String {
    let view = wire::Action::try_from(action.clone()).ok();
    let json = view.and_then(|view| serde_json::to_value(&view).ok());
    json.and_then(|json| json["kind"].as_str().map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned())
}
