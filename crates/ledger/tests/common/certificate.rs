//! Short names for what is done with certificates.

use super::chain::Chain;
use super::market::{FACTORY, HOUR_MS, WIND, Who, gate_close, gate_open, open, whole_day};
use duet_ledger::{
    Action, CcerProjectId, CertificateAction, CertificateKind, CertificateLotId,
    CertificateOfferId, ClaimCertificates, FreezeCertificates, OfferCertificates, OrganisationId,
    RegisterProject, RegisterReductions, RetirementPurpose, SessionId, SetCertificateKind,
    TakeOffer, UnitId, WithdrawOffer, WithdrawProject,
};
use duet_ledger::{
    ConfirmGreen, GreenContractId, GreenTerms, MeterReport, Quality, Reading, SettleGreen,
    WithdrawGreen,
};
use duet_units::{Allowances, BasisPoints, DeliveryDay, Energy, Money, Month, Price};

pub(crate) fn day(text: &str) -> DeliveryDay {
    DeliveryDay::parse(text).unwrap()
}

pub(crate) fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

pub(crate) fn move_lot(lot: u64, count: u64, who: Who) -> Action {
    let (lot, to) = (CertificateLotId(lot), who.organisation());
    Action::TransferCertificates { lot, count, to }
}

pub(crate) fn retire(lot: u64, count: u64, purpose: RetirementPurpose, whom: &str) -> Action {
    let (lot, beneficiary) = (CertificateLotId(lot), whom.to_owned());
    Action::RetireCertificates { lot, count, purpose, beneficiary }
}

pub(crate) fn offer(lot: u64, count: u64, fen: i128, buyer: Option<Who>) -> Action {
    let (lot, price) = (CertificateLotId(lot), Money::from_fen(fen));
    let buyer = buyer.map(Who::organisation);
    Action::Certificate(CertificateAction::Offer(OfferCertificates { lot, count, price, buyer }))
}

pub(crate) fn take(offer: u64, count: u64) -> Action {
    let offer = CertificateOfferId(offer);
    Action::Certificate(CertificateAction::Take(TakeOffer { offer, count }))
}

pub(crate) fn withdraw(offer: u64) -> Action {
    let offer = CertificateOfferId(offer);
    Action::Certificate(CertificateAction::Withdraw(WithdrawOffer { offer }))
}

pub(crate) fn claim(lot: u64, count: u64, beneficiary: OrganisationId, year: i32) -> Action {
    let lot = CertificateLotId(lot);
    let request = ClaimCertificates { lot, count, beneficiary, year };
    Action::Certificate(CertificateAction::Claim(request))
}

pub(crate) fn freeze(lot: u64, frozen: bool) -> Action {
    let (lot, reason) = (CertificateLotId(lot), "a dispute".to_owned());
    Action::Certificate(CertificateAction::Freeze(FreezeCertificates { lot, frozen, reason }))
}

pub(crate) fn set_kind(unit: UnitId, kind: CertificateKind) -> Action {
    Action::Certificate(CertificateAction::SetKind(SetCertificateKind { unit, kind }))
}

pub(crate) fn project(unit: UnitId, from: &str, to: &str, reference: u64) -> Action {
    let (from, to) = (day(from), day(to));
    let request = RegisterProject { unit, from, to, reference };
    Action::Certificate(CertificateAction::RegisterProject(request))
}

pub(crate) fn withdraw_project(project: u64) -> Action {
    let project = CcerProjectId(project);
    Action::Certificate(CertificateAction::WithdrawProject(WithdrawProject { project }))
}

pub(crate) fn reductions(project: u64, to: &str, tonnes: i64, reference: u64) -> Action {
    let (project, to) = (CcerProjectId(project), month(to));
    let reductions = Allowances::from_t(tonnes);
    let request = RegisterReductions { project, to, reductions, reference };
    Action::Certificate(CertificateAction::RegisterReductions(request))
}

pub(crate) fn green_terms(
    (unit, user): (UnitId, UnitId),
    (from, to): (&str, &str),
    kwh: i64,
    value: i64,
) -> GreenTerms {
    GreenTerms {
        unit,
        user,
        from: month(from),
        to: month(to),
        energy: Energy::from_kwh(kwh),
        value: Price::from_milli_yuan_per_mwh(value),
        shortfall: BasisPoints::from_bp(2_500),
    }
}

pub(crate) fn propose_green(terms: &GreenTerms) -> Action {
    Action::Certificate(CertificateAction::ProposeGreen(terms.clone()))
}

pub(crate) fn confirm_green(contract: u64, terms: &GreenTerms) -> Action {
    let contract = GreenContractId(contract);
    let hash = terms.hash(contract);
    Action::Certificate(CertificateAction::ConfirmGreen(ConfirmGreen { contract, hash }))
}

pub(crate) fn withdraw_green(contract: u64) -> Action {
    let contract = GreenContractId(contract);
    Action::Certificate(CertificateAction::WithdrawGreen(WithdrawGreen { contract }))
}

pub(crate) fn settle_green(text: &str) -> Action {
    Action::Certificate(CertificateAction::SettleGreen(SettleGreen { month: month(text) }))
}

/// The readings of a whole day that sum to `kwh`, the rest of the division in the first hour.
fn spread(unit: UnitId, day: DeliveryDay, kwh: i64) -> Action {
    let reading = |kwh| Reading { energy: Energy::from_kwh(kwh), quality: Quality::Good };
    let mut readings = vec![reading(kwh / 24); 24];
    readings[0] = reading(kwh / 24 + kwh % 24);
    Action::ReportMeter(MeterReport { unit, day, first_period: 0, version: 1, readings })
}

/// Settles a day without trades with these kWh of each meter.
pub(crate) fn metered_day(chain: &mut Chain, day: DeliveryDay, meters: &[(UnitId, Who, i64)]) {
    chain.pass_to(gate_open(day).max(chain.time));
    let session = SessionId(u32::try_from(chain.done(Who::Exchange, open(day))).unwrap());
    chain.pass_to(gate_close(day));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    chain.pass_to(day.next().start().plus_ms(HOUR_MS));
    for (unit, who, kwh) in meters {
        chain.done(*who, spread(*unit, day, *kwh));
    }
    chain.others_used_nothing(day);
    chain.done(Who::Exchange, Action::SettleSession { session });
}

/// Settles a day without trades on which the wind farm and the factory are metered at these MWh,
/// at most 50 and 60.
pub(crate) fn settled_day(chain: &mut Chain, day: DeliveryDay, wind: i64, factory: i64) {
    chain.pass_to(gate_open(day).max(chain.time));
    let session = SessionId(u32::try_from(chain.done(Who::Exchange, open(day))).unwrap());
    chain.pass_to(gate_close(day));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    chain.pass_to(day.next().start().plus_ms(HOUR_MS));
    chain.done(Who::WindMeter, whole_day(WIND, day, &[wind]));
    chain.done(Who::FactoryMeter, whole_day(FACTORY, day, &[factory]));
    chain.others_used_nothing(day);
    chain.done(Who::Exchange, Action::SettleSession { session });
}
