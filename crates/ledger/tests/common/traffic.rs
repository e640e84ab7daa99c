//! Random traffic: mostly sensible, so that days go all the way to settlement, with faults in it.

use super::chain::{ELSEWHERE, draft};
use super::market::{
    COAL, FACTORY, HOUR_MS, METERS, RETAIL, WIND, Who, gate_close, gate_open, terms,
};
use super::random::Random;
use duet_ledger::CertificateKind;
use duet_ledger::{
    AccountKind, Acknowledgement, Action, CertificateLotId, DispatchId, FeeRule, Intervention,
    LimitAction, MarketRule, MeterReport, Mode, OrderId, OrderRequest, OrganisationId, PaymentId,
    PaymentState, Phase, Quality, Reading, RetirementPurpose, RuleAction, RuleId, Session,
    SessionId, SessionNotice, SessionTerms, Side, State, TimeInForce, Transaction, UnitId,
    Unsigned,
};
use duet_units::{
    Allowances, BasisPoints, CarbonPrice, ClockTime, DeliveryDay, DeliveryPeriod, Energy, Money,
    Price, Resolution,
};
use std::collections::BTreeMap;

const OWNERS: [(UnitId, Who); 4] =
    [(COAL, Who::Coal), (WIND, Who::Wind), (RETAIL, Who::Retail), (FACTORY, Who::Factory)];
const EXTREMES: [i64; 8] = [i64::MIN, i64::MIN + 1, -1, 0, 1, 1_000, i64::MAX - 1, i64::MAX];

#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    pub(crate) random: Random,
    nonces: BTreeMap<Who, u64>,
    reference: u64,
    /// The modes of sessions.
    modes: &'static [Mode],
}

impl Traffic {
    pub(crate) const fn new(seed: u64) -> Self {
        Self::with_modes(seed, &[Mode::Joint])
    }

    /// Sessions ahead of the joint one, too.
    pub(crate) const fn of_all_modes(seed: u64) -> Self {
        let modes = &[Mode::Joint, Mode::Joint, Mode::Call, Mode::Rolling, Mode::Rolling];
        Self::with_modes(seed, modes)
    }

    const fn with_modes(seed: u64, modes: &'static [Mode]) -> Self {
        Self { random: Random(seed), nonces: BTreeMap::new(), reference: 0, modes }
    }

    /// The next transaction, with a signature of zeros.
    pub(crate) fn transaction(&mut self, state: &State) -> Transaction {
        let (mut who, action) = self.action(state);
        let mut channel = *state.channel();
        if self.random.one_in(30) {
            who = self.random.pick(&Who::ALL);
        }
        let last = self.nonces.entry(who).or_default();
        let nonce = match self.random.below(60) {
            0 => *last,
            1 => last.saturating_sub(1),
            2 => {
                channel = ELSEWHERE;
                *last + 1
            }
            3 => *last + 5,
            _ => *last + 1,
        };
        if channel != ELSEWHERE {
            *last = nonce.max(*last);
        }
        draft(&Unsigned { channel, signer: who.public(), nonce, action })
    }

    /// The time of the next block: mostly that of the last, now and then some hours later.
    pub(crate) fn time_after(&mut self, now: ClockTime) -> ClockTime {
        if self.random.one_in(8) { now.plus_ms(self.random.below(4 * 3_600_000)) } else { now }
    }

    pub(crate) fn action(&mut self, state: &State) -> (Who, Action) {
        match self.random.below(100) {
            0..46 => self.order(state),
            46..52 => self.withdrawal(state),
            52..56 => self.deposit(),
            56..63 => self.payment(state),
            63..66 => self.dispatch(state),
            66..68 => self.acknowledgement(state),
            68..82 => self.report(state),
            82..86 => self.settlement(state),
            86..89 => self.notice(state),
            89..93 => self.allowances(),
            93..96 => self.certificates(state),
            96 => self.pledge(state),
            97 if self.random.one_in(4) => self.publication(state),
            97 => self.intervention(state),
            _ => self.extreme(),
        }
    }

    fn id_below(&mut self, next: u64) -> u64 {
        self.random.below(i64::try_from(next).unwrap() + 1).unsigned_abs()
    }

    /// A session, mostly one in this phase.
    fn session(&mut self, state: &State, phase: Phase) -> Option<(SessionId, Session)> {
        let fits = |s: &Session| s.phase == phase;
        let ids: Vec<SessionId> = match self.random.below(12) {
            0 => state.sessions().keys().copied().collect(),
            _ => {
                let rows = state.sessions().iter();
                rows.filter(|(_, s)| fits(s)).map(|(id, _)| *id).collect()
            }
        };
        let id = if ids.is_empty() { return None } else { self.random.pick(&ids) };
        Some((id, state.sessions()[&id].clone()))
    }

    fn order(&mut self, state: &State) -> (Who, Action) {
        let (unit, owner) = self.random.pick(&OWNERS);
        let buys = [RETAIL, FACTORY].contains(&unit) != self.random.one_in(50);
        let (id, mode, session) = match self.session(state, Phase::Open) {
            Some((id, session)) => (id, session.mode, session.terms),
            None if !self.random.one_in(8) => return self.notice(state),
            None => (SessionId(1), Mode::Joint, terms()),
        };
        // Ahead of the joint session units buy back what they sold.
        let buys = buys != (!mode.is_joint() && self.random.one_in(5));
        let (tick, lot) = (session.tick.milli_yuan_per_mwh(), session.lot.kwh());
        // Asks from -60 on, bids up to 560 yuan/MWh, so that they meet and leave a rest.
        let limit = if buys { (-100_000, 560_000) } else { (-60_000, 450_000) };
        let limit = self.random.between(limit.0, limit.1) / tick * tick;
        let quantity = self.random.between(lot, 6_000) / lot * lot;
        let slip = i64::from(self.random.one_in(40));
        let conductivity = if buys || !mode.is_joint() {
            0
        } else {
            self.random.pick(&[0, 5_000, 8_765, 10_000, 10_000])
        };
        let rolls = mode == Mode::Rolling || (self.modes.len() > 1 && self.random.one_in(50));
        let at_once = [TimeInForce::Gtc, TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok];
        let time_in_force = if rolls { self.random.pick(&at_once) } else { TimeInForce::Gtc };
        let request = OrderRequest {
            session: id,
            unit,
            side: if buys { Side::Buy } else { Side::Sell },
            period: u8::try_from(self.random.below(4)).unwrap(),
            limit: Price::from_milli_yuan_per_mwh(limit + slip),
            quantity: Energy::from_kwh(quantity + slip),
            conductivity: BasisPoints::from_bp(conductivity),
            reference: 0,
            time_in_force,
        };
        (owner, Action::SubmitOrder(request))
    }

    fn withdrawal(&mut self, state: &State) -> (Who, Action) {
        let order = OrderId(self.id_below(state.progress().next_order.0));
        let owner = state.orders().get(&order).map(|order| order.owner);
        let who = OWNERS.iter().map(|(_, who)| *who).find(|w| Some(w.organisation()) == owner);
        (who.unwrap_or(Who::Coal), Action::CancelOrder { order })
    }

    fn deposit(&mut self) -> (Who, Action) {
        if !self.random.one_in(10) {
            self.reference += 1;
        }
        let organisation = OrganisationId(u32::try_from(self.random.between(5, 9)).unwrap());
        let amount = Money::from_fen(self.random.between(-1, 300_000_000).into());
        (Who::Bank, Action::Deposit { organisation, amount, reference: self.reference })
    }

    fn payment(&mut self, state: &State) -> (Who, Action) {
        let rows = state.payments().iter();
        let open: Vec<_> =
            rows.filter(|(_, p)| p.state == PaymentState::Proposed).map(|(id, _)| *id).collect();
        let payment = if open.is_empty() || self.random.one_in(20) {
            PaymentId(self.id_below(state.progress().next_payment.0))
        } else {
            self.random.pick(&open)
        };
        (Who::Bank, Action::ConfirmPayment { payment, confirmed: !self.random.one_in(6) })
    }

    /// What is asked for after a failed payment, else a little; now and then some of it back.
    fn pledge(&mut self, state: &State) -> (Who, Action) {
        let (_, who) = self.random.pick(&OWNERS);
        let held = state.balance(who.organisation(), AccountKind::Guarantee);
        let asked = state.dunning(who.organisation()).map_or(Money::ZERO, |row| row.level);
        let missing = asked.minus(held).unwrap();
        if missing > Money::ZERO {
            return (who, Action::Limit(LimitAction::Pledge(missing)));
        }
        let amount = Money::from_fen(self.random.between(-1, 5_000_000).into());
        if self.random.one_in(3) {
            return (who, Action::Limit(LimitAction::Release(amount)));
        }
        (who, Action::Limit(LimitAction::Pledge(amount)))
    }

    fn dispatch(&mut self, state: &State) -> (Who, Action) {
        let session = self.session(state, Phase::Cleared).map_or(SessionId(1), |(id, _)| id);
        (Who::Dispatcher, Action::IssueDispatch { session })
    }

    fn acknowledgement(&mut self, state: &State) -> (Who, Action) {
        let dispatch = DispatchId(self.id_below(state.progress().next_dispatch.0));
        let unit = state.dispatches().get(&dispatch).map_or(COAL, |dispatch| dispatch.unit);
        let device = METERS.iter().find(|(of, _)| *of == unit).map_or(Who::CoalMeter, |m| m.1);
        let accepted = !self.random.one_in(4);
        (device, Action::AckDispatch(Acknowledgement { dispatch, accepted, cause: 0 }))
    }

    /// What a meter has not told yet of a day, as far as it has passed.
    fn report(&mut self, state: &State) -> (Who, Action) {
        let (unit, device) = self.random.pick(&METERS);
        let session = self.session(state, Phase::Cleared).map(|(_, session)| session);
        let day = session.as_ref().map_or(state.time().day(), |session| session.day);
        let resolution = session.map_or(Resolution::Hour, |session| session.terms.resolution);
        let known = state.readings().range((unit, day, 0)..=(unit, day, u8::MAX)).count();
        let ended = |period: &u8| {
            DeliveryPeriod::new(day, resolution, *period).is_some_and(|p| p.end() <= state.time())
        };
        let due = (0..resolution.periods()).filter(ended).count();
        let (first, version) = if known < due { (known, 1) } else { (0, 2) };
        let count = due.saturating_sub(first).max(1);
        let readings = (0..count).map(|_| {
            let most = if self.random.one_in(3_000) { i64::MAX } else { 20_000 };
            Reading { energy: Energy::from_kwh(self.random.below(most)), quality: Quality::Good }
        });
        let readings = readings.collect();
        let first_period = u8::try_from(first).unwrap();
        (device, Action::ReportMeter(MeterReport { unit, day, first_period, version, readings }))
    }

    fn settlement(&mut self, state: &State) -> (Who, Action) {
        let session = self.session(state, Phase::Cleared).map_or(SessionId(1), |(id, _)| id);
        (Who::Exchange, Action::SettleSession { session })
    }

    fn notice(&mut self, state: &State) -> (Who, Action) {
        let now = state.time();
        let ahead = i32::try_from(self.random.between(1, 4)).unwrap();
        let day = DeliveryDay::from_days(now.day().days() + ahead);
        let ids: Vec<RuleId> = plain_rules(state);
        let named = self.random.pick(&ids);
        let province = &state.rules()[&named].province;
        let in_effect = state.rule_in_effect(province, day).map_or(named, |(id, _)| id);
        let rule = if self.random.one_in(20) { named } else { in_effect };
        let trading = &state.rules()[&rule].trading;
        let slip = i64::from(self.random.one_in(40));
        let terms = SessionTerms {
            resolution: self.random.pick(&[Resolution::Hour, Resolution::Quarter]),
            tick: Price::from_milli_yuan_per_mwh(trading.tick.milli_yuan_per_mwh() + slip),
            lot: trading.lot,
            carbon_price: CarbonPrice::from_fen_per_t(self.random.between(0, 20_000)),
            rationing: trading.rationing,
            second_stage: trading.second_stage,
            fund_share: trading.fund_share,
            second_stage_chance: trading.second_stage_chance,
            ..terms()
        };
        let gate_open = if self.random.one_in(4) { gate_open(day).max(now) } else { now };
        let mode = if let [only] = self.modes { *only } else { self.random.pick(self.modes) };
        // Sessions ahead of the joint one may have several days, and end after others of the day.
        let (days, later) = if mode.is_joint() {
            (1, 0)
        } else {
            (self.random.pick(&[1, 1, 2, 3]), self.random.pick(&[0, 3, 6]))
        };
        let gate_close = gate_close(day).plus_ms(later * HOUR_MS);
        let notice = SessionNotice { rule, mode, day, days, gate_open, gate_close, terms };
        (Who::Exchange, Action::OpenSession(notice))
    }

    /// The next version of a rule, with other fees, mostly in time.
    fn publication(&mut self, state: &State) -> (Who, Action) {
        let ids: Vec<RuleId> = plain_rules(state);
        let last = &state.rules()[&self.random.pick(&ids)];
        let (first, slip) = (self.random.between(1, 5), u32::from(self.random.one_in(20)));
        let first = i32::try_from(first).unwrap();
        let effective_from = DeliveryDay::from_days(state.time().day().days() + first);
        let last_day = i32::try_from(self.random.between(-1, 9)).unwrap();
        let last_day = DeliveryDay::from_days(effective_from.days() + last_day);
        let mut fee = || FeeRule {
            per_energy: Price::from_milli_yuan_per_mwh(self.random.below(2_000)),
            of_value_ppm: self.random.below(2_000),
            ..FeeRule::FREE
        };
        let (buyer_fee, seller_fee) = (fee(), fee());
        let rule = MarketRule {
            version: last.version + 1 + slip,
            effective_from,
            effective_until: self.random.one_in(2).then_some(last_day),
            buyer_fee,
            seller_fee,
            ..last.clone()
        };
        (Who::Exchange, Action::Rule(RuleAction::Publish(Box::new(rule))))
    }

    fn allowances(&mut self) -> (Who, Action) {
        let allowances = Allowances::from_t(self.random.between(0, 50));
        let to = OrganisationId(u32::try_from(self.random.between(5, 9)).unwrap());
        let (_, who) = self.random.pick(&OWNERS);
        match self.random.below(3) {
            0 => {
                self.reference += 1;
                let reference = self.reference;
                let organisation = to;
                (Who::Registry, Action::AllocateAllowances { organisation, allowances, reference })
            }
            1 => (who, Action::TransferAllowances { to, allowances }),
            _ => (Who::Coal, Action::SurrenderAllowances { allowances }),
        }
    }

    fn certificates(&mut self, state: &State) -> (Who, Action) {
        let lot = CertificateLotId(self.id_below(state.progress().next_lot.0));
        let row = state.lots().get(&lot);
        let owner = row.map(|row| row.owner);
        let who = OWNERS.iter().map(|(_, who)| *who).find(|w| Some(w.organisation()) == owner);
        let who = who.unwrap_or(Who::Wind);
        let count = self.id_below(row.map_or(1, |row| row.count));
        let to = OrganisationId(u32::try_from(self.random.between(5, 8)).unwrap());
        match self.random.below(3) {
            0 => return (who, Action::TransferCertificates { lot, count, to }),
            1 => return self.certificate_action((who, lot, count), state),
            _ => {}
        }
        let (purpose, beneficiary) = (RetirementPurpose::Claim, "a bakery".to_owned());
        (who, Action::RetireCertificates { lot, count, purpose, beneficiary })
    }

    /// An action of the group of certificates; a project lasts a day, so that most are not frozen.
    fn certificate_action(
        &mut self,
        (who, lot, count): (Who, CertificateLotId, u64),
        state: &State,
    ) -> (Who, Action) {
        use super::certificate as short;
        self.reference += 1;
        let (reference, day) = (self.reference, state.time().day());
        let any = |keys: Vec<u64>, random: &mut Random| {
            if keys.is_empty() { 1 } else { random.pick(&keys) }
        };
        let offer = any(state.offers().keys().map(|id| id.0).collect(), &mut self.random);
        let project = any(state.projects().keys().map(|id| id.0).collect(), &mut self.random);
        let (_, buyer) = self.random.pick(&OWNERS);
        match self.random.below(16) {
            12.. => {
                let user = self.random.pick(&[Who::Retail, Who::Factory]).organisation();
                (who, short::claim(lot.0, count.min(2), user, day.month().year()))
            }
            0..3 => {
                let price = self.random.between(0, 9_000).into();
                (who, short::offer(lot.0, count, price, self.random.one_in(4).then_some(buyer)))
            }
            3..6 => (buyer, short::take(offer, self.random.between(0, 5).unsigned_abs())),
            6..8 => (Who::Wind, short::withdraw(offer)),
            8 => (Who::Registry, short::freeze(lot.0, self.random.one_in(2))),
            9 => {
                (Who::Registry, short::project(WIND, &day.to_string(), &day.to_string(), reference))
            }
            10 if self.random.one_in(2) => (Who::Registry, short::withdraw_project(project)),
            10 => {
                let month = day.month().plus(-1).to_string();
                (Who::Registry, short::reductions(project, &month, 5, reference))
            }
            _ => {
                let kinds = [
                    CertificateKind::Tradable,
                    CertificateKind::Tradable,
                    CertificateKind::SelfUse,
                ];
                (Who::Registry, short::set_kind(WIND, self.random.pick(&kinds)))
            }
        }
    }

    fn intervention(&mut self, state: &State) -> (Who, Action) {
        // Mostly one that is halted, so that it goes on.
        let halted = self.session(state, Phase::Halted);
        let resumes = halted.is_some() && !self.random.one_in(20);
        let session = halted.or_else(|| self.session(state, Phase::Open));
        let intervention = match (resumes, self.random.below(6)) {
            (true, _) => Intervention::Resume,
            (false, 0) if self.random.one_in(4) => Intervention::Void,
            (false, _) => Intervention::Halt,
        };
        let session = session.map_or(SessionId(0), |(id, _)| id);
        let reason = "traffic".to_owned();
        (Who::Regulator, Action::Intervene { session, intervention, reason })
    }

    /// Numbers from the ends of their ranges.
    fn extreme(&mut self) -> (Who, Action) {
        let mut number = || self.random.pick(&EXTREMES);
        let (a, b, c) = (number(), number(), number());
        let to = OrganisationId(5);
        let request = OrderRequest {
            session: SessionId(1),
            unit: COAL,
            side: Side::Sell,
            period: 0,
            limit: Price::from_milli_yuan_per_mwh(a),
            quantity: Energy::from_kwh(b),
            conductivity: BasisPoints::from_bp(c),
            reference: 0,
            time_in_force: TimeInForce::Gtc,
        };
        let (session, reference) = (SessionId(1), a.unsigned_abs());
        let amount = Money::from_fen(i128::from(a) * i128::from(b));
        let allowances = Allowances::from_t(a);
        let reading = Reading { energy: Energy::from_kwh(a), quality: Quality::Estimated };
        let day = DeliveryDay::from_days(i32::try_from(b).unwrap_or(i32::MAX));
        let lot = CertificateLotId(1);
        match self.random.below(7) {
            0 => (Who::Coal, Action::SubmitOrder(OrderRequest { session, ..request })),
            1 => (Who::Bank, Action::Deposit { organisation: to, amount, reference }),
            2 => {
                let organisation = to;
                (Who::Registry, Action::AllocateAllowances { organisation, allowances, reference })
            }
            3 => (Who::Wind, Action::TransferAllowances { to, allowances }),
            4 => {
                let (first_period, version, readings) = (u8::MAX, u16::MAX, vec![reading; 2]);
                let report = MeterReport { unit: COAL, day, first_period, version, readings };
                (Who::CoalMeter, Action::ReportMeter(report))
            }
            5 => (Who::Wind, Action::TransferCertificates { lot, count: reference, to }),
            _ => {
                let (gate_open, gate_close) =
                    (ClockTime::from_unix_ms(a), ClockTime::from_unix_ms(c));
                let notice = SessionNotice {
                    rule: RuleId(u32::MAX),
                    mode: Mode::Joint,
                    day,
                    days: 1,
                    gate_open,
                    gate_close,
                    terms: terms(),
                };
                (Who::Exchange, Action::OpenSession(notice))
            }
        }
    }
}

/// The rules that ask for no guarantee.
fn plain_rules(state: &State) -> Vec<RuleId> {
    let rules = state.rules().iter();
    rules.filter(|(_, rule)| rule.guarantee.is_none()).map(|(id, _)| *id).collect()
}
