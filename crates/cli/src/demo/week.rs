//! A week of the demo: ahead of each day's joint session, a session of another mode.

use super::{DemoArgs, METER_ROUNDS, check, text, write_json};
use crate::remote::{name, yuan, yuan_per_mwh};
use duet_ledger::{ProposalState, SessionId, State};
use duet_sdk::wire;
use duet_world::{DayReport, Tally, TradingDay};
use serde::Serialize;

/// Delivery days of the week.
const DAYS: usize = 7;

/// What a week came to.
#[derive(Debug, Serialize)]
struct WeekReport {
    /// The sessions ahead of the joint ones, in order.
    ahead: Vec<AheadReport>,
    /// Deals in allowances, in order.
    allowances: Vec<wire::CarbonDeal>,
    /// The days.
    days: Vec<DayReport>,
}

/// What a session ahead of a joint one came to.
#[derive(Debug, Serialize)]
struct AheadReport {
    session: u32,
    mode: wire::Mode,
    /// The first delivery day, and how many.
    day: String,
    days: u16,
    trades: usize,
    /// Energy of each delivery day.
    volume_kwh: i64,
    /// The mean price, weighted by energy; none without a trade.
    price_milli_yuan_per_mwh: Option<i64>,
    /// Allowances that went with contracts.
    allowances_t: i64,
    result_hash: Option<String>,
}

pub(super) async fn run(args: &DemoArgs, world: &TradingDay) -> anyhow::Result<()> {
    let mut report = WeekReport { ahead: Vec::new(), allowances: Vec::new(), days: Vec::new() };
    let (mut day, mut tally) = (world.first_day(), Tally::default());
    text::step("accounts are opened");
    world.open_accounts(&mut tally).await?;
    trade(world, day, &mut tally).await?;
    for number in 1..=DAYS {
        text::step(&format!("day {number} of {DAYS}: {day}"));
        // While a day is delivered, the next is traded.
        world.deliver(day, METER_ROUNDS[0], &mut tally).await?;
        let (next, mut later) = (day.next(), Tally::default());
        if number < DAYS {
            trade(world, next, &mut later).await?;
        }
        world.deliver(day, METER_ROUNDS[3], &mut tally).await?;
        world.settle(day, &mut tally).await?;
        report.ahead.extend(ahead(world, day));
        let today = world.report(day, &tally).await?;
        text::day(&today);
        check(&today)?;
        report.days.push(today);
        (day, tally) = (next, later);
    }
    report.allowances = world.nodes().at(0).read(|state| {
        state.carbon_deals().iter().map(|(id, deal)| wire::CarbonDeal::new(*id, deal)).collect()
    });
    text::ahead(&report.ahead.iter().map(AheadReport::row).collect::<Vec<_>>());
    text::allowances(&report.allowances.iter().map(deal_row).collect::<Vec<_>>());
    args.json.as_ref().map_or(Ok(()), |file| write_json(file, &report))
}

async fn trade(
    world: &TradingDay,
    day: duet_units::DeliveryDay,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    world.trade_ahead(day, tally).await?;
    world.trade(day, None, tally).await?;
    Ok(world.deal_allowances(day, tally).await?)
}

/// The sessions that were traded ahead of a delivery day.
fn ahead(world: &TradingDay, day: duet_units::DeliveryDay) -> Vec<AheadReport> {
    world.nodes().at(0).read(|state| {
        let sessions = state.sessions().iter();
        sessions
            .filter(|(_, session)| !session.mode.is_joint() && session.day == day)
            .map(|(id, session)| {
                let trades = state.trades().values().filter(|trade| trade.session == *id);
                let (mut count, mut kwh, mut value) = (0, 0_i64, 0_i128);
                for trade in trades {
                    count += 1;
                    kwh += trade.quantity.kwh();
                    let price = i128::from(trade.buyer_price.milli_yuan_per_mwh());
                    value += price * i128::from(trade.quantity.kwh());
                }
                let mean = duet_units::div_half_away(value, kwh.into());
                AheadReport {
                    session: id.0,
                    mode: session.mode.into(),
                    day: session.day.to_string(),
                    days: session.days,
                    trades: count,
                    volume_kwh: kwh,
                    price_milli_yuan_per_mwh: mean.and_then(|price| price.try_into().ok()),
                    allowances_t: along(state, *id),
                    result_hash: session.result_hash.map(|hash| wire::Hex32(hash).to_string()),
                }
            })
            .collect()
    })
}

/// The allowances that went with the contracts of a session.
fn along(state: &State, session: SessionId) -> i64 {
    let proposals = state.proposals().values().filter(|row| row.terms.session == session);
    let signed = proposals.filter(|row| row.state == ProposalState::Confirmed);
    signed.filter_map(|row| Some(row.terms.allowances.as_ref()?.allowances.t())).sum()
}

impl AheadReport {
    fn row(&self) -> Vec<String> {
        vec![
            self.session.to_string(),
            name(&self.mode),
            self.day.clone(),
            self.days.to_string(),
            self.trades.to_string(),
            format!("{}.{:03}", self.volume_kwh / 1_000, self.volume_kwh % 1_000),
            self.price_milli_yuan_per_mwh.map(yuan_per_mwh).unwrap_or_default(),
            self.allowances_t.to_string(),
            self.result_hash.clone().unwrap_or_default().chars().take(16).collect(),
        ]
    }
}

fn deal_row(deal: &wire::CarbonDeal) -> Vec<String> {
    vec![
        deal.id.to_string(),
        name(&deal.mode),
        deal.allowances_t.to_string(),
        yuan(deal.price_fen_per_t.into()),
        yuan(deal.amount_fen.0),
    ]
}
