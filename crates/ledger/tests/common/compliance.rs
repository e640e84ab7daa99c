//! Short names for what is asked about compliance.

use super::carbon::t;
use super::chain::Chain;
use super::market::{COAL, DAY, Who, gate_close, open, whole_day};
use duet_ledger::{
    Action, BenchmarkClass, CarbonAction, ClassBenchmark, CompliancePeriod, Cover, CreditIssue,
    CreditLotId, CreditRetirement, CreditTransfer, OrganisationId, PeriodClosure, PeriodNotice,
    PreIssue, SessionId, State, Technology, UnitId, UnitOutput, Verification,
};
use duet_units::{BasisPoints, DeliveryDay, Emissions, Energy};

/// The year of the first delivery day.
pub(crate) const YEAR: u16 = 2026;

pub(crate) fn day(text: &str) -> DeliveryDay {
    DeliveryDay::parse(text).unwrap()
}

/// The benchmark of vector V8 for large coal units and that of 2022 for gas; a shortage of coal
/// counts up to 20 %, credits cover 5 %, and 10,000 t and 1.5 times net sales may be banked.
pub(crate) fn period() -> CompliancePeriod {
    let class = |class, electricity, heat| ClassBenchmark { class, electricity, heat };
    CompliancePeriod {
        benchmarks: vec![
            class(BenchmarkClass::LargeCoal, 8_460, 1_105),
            class(BenchmarkClass::Gas, 3_901, 557),
        ],
        pre_issued: BasisPoints::from_bp(7_000),
        coal_shortage_cap: Some(BasisPoints::from_bp(2_000)),
        gas_shortage_waived: true,
        offset_cap: BasisPoints::from_bp(500),
        bank_base: t(10_000),
        bank_per_net_sale: BasisPoints::from_bp(15_000),
        due_day: day("2027-12-31"),
    }
}

fn carbon(action: CarbonAction) -> Action {
    Action::Carbon(action)
}

pub(crate) fn publish(year: u16, period: CompliancePeriod) -> Action {
    carbon(CarbonAction::PublishPeriod(PeriodNotice { year, period }))
}

/// So many MWh of a large coal unit.
pub(crate) fn output(unit: UnitId, mwh: i64) -> UnitOutput {
    UnitOutput {
        unit,
        class: BenchmarkClass::LargeCoal,
        electricity: Energy::from_kwh(mwh * 1_000),
        heat: 0,
        correction: BasisPoints::ONE,
    }
}

pub(crate) fn pre_issue(who: Who, outputs: Vec<UnitOutput>, reference: u64) -> Action {
    let organisation = who.organisation();
    carbon(CarbonAction::PreIssue(PreIssue { year: YEAR, organisation, outputs, reference }))
}

/// Verifies with so many tonnes on top of what was metered of coal units.
pub(crate) fn verify(who: Who, outputs: Vec<UnitOutput>, tonnes: i64, reference: u64) -> Action {
    carbon(CarbonAction::Verify(Verification {
        year: YEAR,
        organisation: who.organisation(),
        outputs,
        coal_correction: Emissions::from_g(i128::from(tonnes) * 1_000_000),
        gas_correction: Emissions::ZERO,
        reference,
    }))
}

pub(crate) fn cover(tonnes: i64) -> Action {
    carbon(CarbonAction::Cover(Cover { year: YEAR, allowances: t(tonnes) }))
}

pub(crate) fn close_period(organisation: OrganisationId) -> Action {
    carbon(CarbonAction::ClosePeriod(PeriodClosure { year: YEAR, organisation }))
}

pub(crate) fn issue_credits(who: Who, count: u64, outside_id: &str) -> Action {
    carbon(CarbonAction::IssueCredits(CreditIssue {
        organisation: who.organisation(),
        count,
        project: "offshore wind".to_owned(),
        vintage: 2025,
        outside_id: outside_id.to_owned(),
    }))
}

pub(crate) fn transfer_credits(lot: u64, count: u64, to: Who) -> Action {
    let (lot, to) = (CreditLotId(lot), to.organisation());
    carbon(CarbonAction::TransferCredits(CreditTransfer { lot, count, to }))
}

pub(crate) fn retire_credits(lot: u64, count: u64) -> Action {
    let lot = CreditLotId(lot);
    carbon(CarbonAction::RetireCredits(CreditRetirement { lot, count, year: YEAR }))
}

/// The first delivery day, on which the coal plant made 50 MWh, is settled: 50 t emitted, 40 t
/// of them within its registered benchmark.
pub(crate) fn metered_year() -> Chain {
    meter_a_day(Chain::new())
}

/// The same with a plant that burns gas.
pub(crate) fn metered_year_of_gas() -> Chain {
    let mut chain = Chain::new();
    chain.genesis.units[0].technology = Technology::Gas;
    chain.state = State::genesis(&chain.genesis).unwrap();
    let rows = chain.state.take_delta();
    chain.rows = rows.into_iter().map(|(key, row)| (key, row.unwrap())).collect();
    meter_a_day(chain)
}

fn meter_a_day(mut chain: Chain) -> Chain {
    let session = SessionId(1);
    chain.done(Who::Exchange, open(DAY));
    chain.pass_to(gate_close(DAY));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    chain.pass_to(DAY.next().start());
    chain.done(Who::CoalMeter, whole_day(COAL, DAY, &[50]));
    chain.others_used_nothing(DAY);
    chain.done(Who::Exchange, Action::SettleSession { session });
    chain.done(Who::Registry, publish(YEAR, period()));
    chain
}
