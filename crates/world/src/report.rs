//! What a delivery day came to, as one JSON object.

use crate::{
    day::{DayError, Tally, TradingDay},
    verify::count_verified,
};
use duet_ledger::{
    DispatchState, LineItem, Order, OrderStatus, PaymentState, SecondStageDesign, Session,
    SessionId, State, Totals,
};
use duet_units::{DeliveryDay, Emissions, Energy};
use serde::Serialize;
use std::fmt::Write as _;

/// A validator at the end of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValidatorReport {
    /// What people call it.
    pub name: String,
    /// The height at which all of them were compared.
    pub height: u64,
    /// Its state root at that height.
    pub state_root: String,
}

/// The orders of the day. `accepted + rejected = submitted`, and
/// `filled + cancelled + expired + open = accepted`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OrderCounts {
    /// Sent by members.
    pub submitted: u64,
    /// Accepted.
    pub accepted: u64,
    /// Refused.
    pub rejected: u64,
    /// Filled, at least in part.
    pub filled: u64,
    /// Withdrawn.
    pub cancelled: u64,
    /// Not filled.
    pub expired: u64,
    /// Not ended.
    pub open: u64,
}

/// The first stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FirstStage {
    /// Energy traded.
    pub volume_kwh: i64,
    /// The price of each period; null where nothing traded.
    pub price_milli_yuan_per_mwh: Vec<Option<i64>>,
}

/// The second stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SecondStageSums {
    /// Whether it is by uplift.
    pub uplift: bool,
    /// In how many periods a lottery had it held; none without a lottery.
    pub held_periods: Option<u64>,
    /// Energy traded.
    pub volume_kwh: i64,
    /// Compensation paid.
    pub compensation_fen: i64,
    /// What could have been paid.
    pub fund_fen: i64,
}

/// Dispatch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DispatchCounts {
    /// Instructions issued.
    pub instructions: u64,
    /// Instructions that the device accepted.
    pub acknowledged: u64,
    /// Traded energy that the security check cut before.
    pub curtailed_kwh: i64,
}

/// Readings and where they came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MeterCounts {
    /// Readings of the day.
    pub readings: u64,
    /// Devices that have sent signed batches, on any day.
    pub devices: u64,
    /// Batches of theirs, on any day.
    pub batches: u64,
    /// Readings in them, on any day.
    pub batched_readings: u64,
}

/// Settlement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SettlementSums {
    /// Statement lines.
    pub lines: u64,
    /// Lines by item.
    pub contract_lines: u64,
    /// See `contract_lines`.
    pub deviation_lines: u64,
    /// Fees of the exchange.
    pub fees_fen: i64,
    /// The sum over all balances of the ledger: each posting has two ends, so it is 0.
    pub postings_sum_fen: i64,
}

/// Carbon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CarbonSums {
    /// Emissions of the settled deliveries.
    pub emissions_kg: i64,
    /// Free allowances before the surrender.
    pub allowances_before_t: i64,
    /// Free allowances after it.
    pub allowances_after_t: i64,
    /// Allowances surrendered.
    pub allowances_surrendered_t: i64,
    /// Certificates issued.
    pub certificates_issued: u64,
    /// Certificates retired.
    pub certificates_retired: u64,
}

/// What a delivery day came to. Meter readings and members are simulated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DayReport {
    /// The delivery day.
    pub day: String,
    /// The channel id.
    pub channel: String,
    /// The validators, compared at one height.
    pub validators: Vec<ValidatorReport>,
    /// The orders.
    pub orders: OrderCounts,
    /// The first stage.
    pub stage1: FirstStage,
    /// The second stage.
    pub stage2: SecondStageSums,
    /// What buyers paid through the bank.
    pub payments_fen: i64,
    /// Dispatch.
    pub dispatch: DispatchCounts,
    /// Energy metered at generating units.
    pub metered_kwh: i64,
    /// Readings.
    pub meters: MeterCounts,
    /// Settlement.
    pub settlement: SettlementSums,
    /// Carbon.
    pub carbon: CarbonSums,
    /// Transactions of the day that became final.
    pub receipts: u64,
    /// Receipts whose proof convinced an outsider who knows the channel id.
    pub receipts_verified: u64,
    /// The hash over clearings, trades, statement lines and certificates.
    pub result_hash: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

fn small(value: impl TryInto<i64>) -> i64 {
    // Sums of one day; one that does not fit would show as the largest number there is.
    value.try_into().unwrap_or(i64::MAX)
}

impl TradingDay {
    /// What a settled day came to; the receipts of `tally` are checked by proof.
    ///
    /// # Errors
    ///
    /// Returns [`DayError`] if the day is not settled or the ledger's sums do not hold.
    pub async fn report(&self, day: DeliveryDay, tally: &Tally) -> Result<DayReport, DayError> {
        let (session, ..) =
            self.session_of(day).ok_or(DayError::Missing("the session was not announced"))?;
        let height = self.catch_up().await;
        // A receipt is provable once a later block's checkpoint covers it.
        let mut validators = Vec::new();
        for place in 0..self.nodes().count() {
            let node = self.reached(place, height + 4).await;
            let root = node.state_root_at(height).ok_or(DayError::Missing("a state root"))?;
            let name = node.status().name;
            validators.push(ValidatorReport { name, height, state_root: hex(&root) });
        }
        let receipts_verified = count_verified(&self.nodes().at(0), &tally.transactions).await;
        let sums = self.state(|state| -> Option<DayReport> {
            let row = state.sessions().get(&session)?;
            Some(DayReport {
                day: day.to_string(),
                channel: hex(state.channel()),
                validators: Vec::new(),
                orders: order_counts(state, session, tally),
                stage1: first_stage(state, session, row),
                stage2: second_stage(state, session),
                payments_fen: payments(state, session),
                dispatch: dispatches(state, session),
                metered_kwh: metered(state, day),
                meters: meters(state, day),
                settlement: settlement(state, session)?,
                carbon: carbon(state, day),
                receipts: u64::try_from(tally.transactions.len()).unwrap_or(u64::MAX),
                receipts_verified,
                result_hash: hex(&row.result_hash?),
            })
        });
        let sums = sums.ok_or(DayError::Missing("the day is not settled"))?;
        Ok(DayReport { validators, ..sums })
    }
}

fn order_counts(state: &State, session: SessionId, tally: &Tally) -> OrderCounts {
    let mut counts = OrderCounts {
        submitted: tally.submitted,
        accepted: tally.accepted,
        rejected: tally.rejected,
        ..OrderCounts::default()
    };
    let own = |order: &&Order| order.session == session;
    for order in state.orders().values().filter(own) {
        match order.status {
            OrderStatus::Pending => counts.open += 1,
            OrderStatus::Cancelled => counts.cancelled += 1,
            OrderStatus::Expired => counts.expired += 1,
            OrderStatus::Matched
            | OrderStatus::Paid
            | OrderStatus::Dispatched
            | OrderStatus::Delivered
            | OrderStatus::Settled
            | OrderStatus::Defaulted => counts.filled += 1,
        }
    }
    counts
}

fn first_stage(state: &State, session: SessionId, row: &Session) -> FirstStage {
    let mut sums = FirstStage::default();
    for period in 0..row.terms.resolution.periods() {
        let clearing = state.clearings().get(&(session, period));
        sums.volume_kwh += clearing.map_or(0, |clearing| clearing.volume.kwh());
        let price = clearing.and_then(|clearing| clearing.price);
        sums.price_milli_yuan_per_mwh.push(price.map(|price| price.milli_yuan_per_mwh()));
    }
    sums
}

fn second_stage(state: &State, session: SessionId) -> SecondStageSums {
    let mut sums = SecondStageSums::default();
    let row = state.sessions().get(&session);
    sums.uplift = row.is_some_and(|row| row.terms.second_stage == SecondStageDesign::Uplift);
    sums.held_periods = row.and_then(|row| row.draw).map(|_| 0);
    for (_, clearing) in state.clearings().range((session, 0)..=(session, u8::MAX)) {
        sums.volume_kwh += clearing.second_volume.kwh();
        sums.compensation_fen += small(clearing.compensation.fen());
        sums.fund_fen += small(clearing.fund.fen());
        if let Some(held) = &mut sums.held_periods {
            *held += u64::from(clearing.drawn == Some(true));
        }
    }
    sums
}

fn payments(state: &State, session: SessionId) -> i64 {
    let rows = state.payments().values();
    rows.filter(|p| p.session == session)
        .map(|payment| match payment.state {
            PaymentState::Confirmed => small(payment.amount.fen()),
            _ => small(payment.drawn.fen()),
        })
        .sum()
}

fn dispatches(state: &State, session: SessionId) -> DispatchCounts {
    let mut counts = DispatchCounts::default();
    for dispatch in state.dispatches().values().filter(|d| d.session == session) {
        counts.instructions += 1;
        counts.acknowledged += u64::from(dispatch.state == DispatchState::Accepted);
    }
    let cuts = state.curtailments().values().filter(|row| row.session == session);
    counts.curtailed_kwh = Energy::sum(cuts.map(|row| row.cut)).map_or(i64::MAX, Energy::kwh);
    counts
}

fn metered(state: &State, day: DeliveryDay) -> i64 {
    let generates = |unit| {
        state.units().get(unit).is_some_and(|unit: &duet_ledger::Unit| !unit.technology.consumes())
    };
    let rows = state.readings().iter();
    let energies =
        rows.filter(|((unit, of, _), _)| *of == day && generates(unit)).map(|(_, row)| row.energy);
    Energy::sum(energies).map_or(i64::MAX, Energy::kwh)
}

fn meters(state: &State, day: DeliveryDay) -> MeterCounts {
    let readings = state.readings().keys().filter(|(_, of, _)| *of == day).count();
    let mut counts = MeterCounts { readings: readings as u64, ..MeterCounts::default() };
    for device in state.devices().values().filter(|device| device.batches > 0) {
        counts.devices += 1;
        counts.batches += device.batches;
        counts.batched_readings += device.readings;
    }
    counts
}

fn settlement(state: &State, session: SessionId) -> Option<SettlementSums> {
    let Totals { money, .. } = state.totals().ok()?;
    let mut sums = SettlementSums { postings_sum_fen: small(money.fen()), ..Default::default() };
    for (_, line) in state.lines().range((session, 0)..=(session, u32::MAX)) {
        sums.lines += 1;
        sums.contract_lines += u64::from(line.item == LineItem::Contract);
        sums.deviation_lines += u64::from(line.item == LineItem::Deviation);
        if line.item == LineItem::Fee {
            sums.fees_fen += small(line.amount.fen());
        }
    }
    Some(sums)
}

fn carbon(state: &State, day: DeliveryDay) -> CarbonSums {
    let mut sums = CarbonSums::default();
    let mut emissions = Emissions::ZERO;
    for account in state.carbon().values() {
        emissions = emissions.plus(account.emissions).unwrap_or(emissions);
        sums.allowances_after_t += account.free.t();
        sums.allowances_surrendered_t += account.surrendered.t();
    }
    sums.emissions_kg = small(emissions.kg());
    sums.allowances_before_t = sums.allowances_after_t + sums.allowances_surrendered_t;
    for lot in state.lots().values().filter(|lot| lot.day == day) {
        sums.certificates_issued += lot.count;
        let retired = lot.state == duet_ledger::CertificateState::Retired;
        sums.certificates_retired += if retired { lot.count } else { 0 };
    }
    sums
}
