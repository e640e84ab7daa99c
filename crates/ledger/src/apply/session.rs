//! Notices, gates, interventions, and the end of what is no longer needed.

use super::{Caller, Failure};
use crate::action::{Intervention, SessionNotice};
use crate::event::Event;
use crate::ids::{OrderId, OrganisationId, SessionId, TradeId};
use crate::records::{
    AccountKind, Counter, InterventionRecord, Mode, OrderStatus, Phase, Role, Session, SessionTerms,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_units::{BasisPoints, DeliveryDay, Energy, Money, Month};

/// The most sessions in progress at a time.
const LIVE_SESSIONS_MAX: usize = 64;
/// The most delivery days of one product: a year.
const PRODUCT_DAYS_MAX: u16 = 366;
/// How many ended sessions keep their orders, trades and lines in the state. Older ones live on in
/// the blocks, from which an index can be made again.
const ENDED_SESSIONS_KEPT: usize = 3;
/// How many interventions the log keeps.
const INTERVENTIONS_KEPT: usize = 10_000;
/// Limits of a session's terms: prices within 1,000 yuan/kWh, so that no product overflows.
const PRICE_MAX: i64 = 1_000_000_000;
const LOT_MAX_KWH: i64 = 1_000_000;
const CARBON_PRICE_MAX: i64 = 100_000_000;

impl State {
    pub(super) fn check_notice(
        &self,
        caller: &Caller,
        notice: &SessionNotice,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Exchange])?;
        let (open, close) = (notice.gate_open, notice.gate_close);
        let start = notice.day.start();
        let traded = open >= caller.time && open < close && close <= start;
        if !traded && !self.is_for_settlement(caller, notice) {
            return Err(Rejection::GateInPast.of(
                "gate_close",
                close.unix_ms(),
                caller.time.unix_ms(),
            ));
        }
        if let Some((field, value)) = bad_product(notice).or_else(|| bad_term(&notice.terms)) {
            return Err(Rejection::BadTerms.of(field, value, 0));
        }
        self.check_resolution(notice)?;
        let live = self.sessions.rows().values().filter(|s| s.phase.is_live()).count();
        if live >= LIVE_SESSIONS_MAX {
            let limit = i64::try_from(LIVE_SESSIONS_MAX).unwrap_or(i64::MAX);
            return Err(Rejection::TooManySessions.of("sessions", limit, limit));
        }
        self.check_days(notice)?;
        self.check_rule_of(notice)?;
        self.check_carbon_reference(&notice.terms)
    }

    /// Whether a notice is for a joint session without trading, of a day that has begun: its
    /// contracts of other sessions would never be settled if its joint session was called off, or
    /// forgotten. Both gates are then at the start of the day, so it clears at once.
    fn is_for_settlement(&self, caller: &Caller, notice: &SessionNotice) -> bool {
        let start = notice.day.start();
        let at_start = notice.gate_open == start && notice.gate_close == start;
        let begun = notice.mode.is_joint() && caller.time >= start;
        let contracts = || self.covering(notice.day).any(|(_, session)| session.phase.is_live());
        at_start && begun && contracts() && !self.is_sealed(notice.day)
    }

    fn is_sealed(&self, day: DeliveryDay) -> bool {
        self.seals.rows().values().any(|seal| seal.day == day)
    }

    /// A session with a delivery day of `month` that is not settled; of those ahead of the joint
    /// one, that has no joint session, too.
    pub(super) fn unsettled_of(&self, month: Month) -> Option<(SessionId, &Session)> {
        let of_month = |session: &Session| {
            let mut days = session.delivery_days().filter(|day| day.month() == month);
            if session.mode.is_joint() { days.next() } else { days.find(|d| !self.is_sealed(*d)) }
        };
        let mut rows = self.sessions.rows().iter().filter(|(_, row)| row.phase.is_live());
        rows.find(|(_, row)| of_month(row).is_some()).map(|(id, row)| (*id, row))
    }

    /// The sessions, called off ones left out, that share a delivery day with a product.
    fn sharing(&self, product: &Session) -> impl Iterator<Item = &Session> {
        self.sessions.rows().values().filter(move |session| {
            session.phase != Phase::Void && product.delivery_days().any(|day| session.covers(day))
        })
    }

    /// A day is settled in its shortest periods: those of its joint session are no longer than
    /// those of any other.
    fn check_resolution(&self, notice: &SessionNotice) -> Result<(), Refusal> {
        let product = notice.announced();
        for other in self.sharing(&product) {
            let periods = |joint: &Session, ahead: &Session| {
                let (of, least) = (joint.terms.resolution, ahead.terms.resolution);
                joint.mode.is_joint() && of.periods() < least.periods()
            };
            if periods(&product, other) || periods(other, &product) {
                let (own, least) = (product.terms.resolution, other.terms.resolution);
                return Err(Rejection::BadTerms.of("resolution", own.periods(), least.periods()));
            }
        }
        Ok(())
    }

    /// Holds a product to the sessions that share a day with it.
    fn check_days(&self, notice: &SessionNotice) -> Result<(), Refusal> {
        let product = notice.announced();
        for other in self.sharing(&product) {
            let joint = [other, &product].iter().filter(|session| session.mode.is_joint()).count();
            if joint == 2 {
                return Err(Rejection::DayTaken.of("day", notice.day.days(), 0));
            }
            if other.mode.is_joint() && (other.dispatched || other.phase == Phase::Settled) {
                return Err(Rejection::DayDispatched.of("day", other.day.days(), 0));
            }
        }
        Ok(())
    }

    pub(super) fn open_session(
        &mut self,
        caller: Caller,
        notice: &SessionNotice,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_notice(&caller, notice)?;
        let mut progress = self.progress();
        let id = progress.next_session;
        progress.next_session = id.next();
        self.progress.insert((), progress);
        self.sessions.insert(id, notice.announced());
        events.push(Event::SessionAnnounced { session: id, day: notice.day });
        self.forget_old_sessions();
        // The gate may open at this very block.
        self.open_gate(id, events);
        // Of a session for settlement only, it has closed, too.
        if self.sessions.get(id).is_some_and(|row| caller.time >= row.closes_at()) {
            self.clear_session(id, events)?;
        }
        Ok(u64::from(id.0))
    }

    /// What the block's time brings about: gates open, and gates close, which clears a session.
    pub(super) fn pass_gates(&mut self, events: &mut Vec<Event>) -> Result<(), BrokenInvariant> {
        let time = self.time();
        let live: Vec<SessionId> = self
            .sessions
            .rows()
            .iter()
            .filter(|(_, session)| session.phase.is_live())
            .map(|(id, _)| *id)
            .collect();
        for id in live {
            self.open_gate(id, events);
            let due = |session: &Session| {
                matches!(session.phase, Phase::Open | Phase::Continuous)
                    && time >= session.closes_at()
            };
            let calls = |session: &Session| matches!(session.mode, Mode::Continuous(_));
            if self.sessions.get(id).is_some_and(|s| due(s) && calls(s) && s.called.is_none()) {
                self.call(id, events)?;
            }
            if self.sessions.get(id).is_some_and(due) {
                self.clear_session(id, events)?;
            }
        }
        Ok(())
    }

    fn open_gate(&mut self, id: SessionId, events: &mut Vec<Event>) {
        let time = self.time();
        let due = |s: &Session| s.phase == Phase::Announced && time >= s.gate_open;
        if self.sessions.get(id).is_some_and(due) {
            self.set_phase(id, Phase::Open);
            events.push(Event::GateOpened { session: id });
            self.take_carbon_price(id, events);
        }
    }

    pub(super) fn set_phase(&mut self, id: SessionId, phase: Phase) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.phase = phase;
        }
    }

    pub(super) fn check_intervention(
        &self,
        caller: &Caller,
        id: SessionId,
        intervention: Intervention,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Exchange, Role::Regulator])?;
        let session =
            self.sessions.get(id).ok_or(Rejection::UnknownSession.of("session", id.0, 0))?;
        let fits = match intervention {
            Intervention::Halt => matches!(session.phase, Phase::Open | Phase::Continuous),
            Intervention::Resume => session.phase == Phase::Halted,
            Intervention::Void => session.phase < Phase::Cleared,
        };
        if fits {
            Ok(())
        } else {
            Err(Rejection::WrongPhase.of("session", id.0, session.phase.code()))
        }
    }

    pub(super) fn intervene(
        &mut self,
        caller: Caller,
        session: SessionId,
        (intervention, reason): (Intervention, &str),
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_intervention(&caller, session, intervention)?;
        self.log_intervention(&caller, session, (intervention, reason));
        let (by, reason) = (caller.signer, reason.to_owned());
        events.push(Event::Intervened { session, intervention, by, reason });
        match intervention {
            Intervention::Halt => self.set_phase(session, Phase::Halted),
            Intervention::Resume => {
                let called = self.sessions.get(session).is_some_and(|row| row.called.is_some());
                self.set_phase(session, if called { Phase::Continuous } else { Phase::Open });
            }
            Intervention::Void => self.void_session(session, events)?,
        }
        Ok(u64::from(session.0))
    }

    /// Writes an intervention into the log that everyone can read.
    fn log_intervention(
        &mut self,
        caller: &Caller,
        session: SessionId,
        (intervention, reason): (Intervention, &str),
    ) {
        let number = self.next_number(Counter::Intervention);
        let record = InterventionRecord {
            session,
            intervention,
            by: caller.signer,
            organisation: caller.organisation,
            time: caller.time,
            height: self.height(),
            reason: reason.to_owned(),
        };
        self.interventions.insert(number, record);
        self.interventions.keep_last(INTERVENTIONS_KEPT);
    }

    /// Takes back what was traded in a session that is called off before its gate closed.
    fn undo_trades(&mut self, session: SessionId) -> Result<(), BrokenInvariant> {
        for id in self.session_trades(session) {
            let Some(trade) = self.trades.remove(id) else { continue };
            if let Some(parties) = self.parties(trade.buy, trade.sell) {
                self.members.remove_trade(session, parties, id);
            }
            for order in [trade.buy, trade.sell] {
                let taken_back = trade.quantity.negated()?;
                self.add_position(order, taken_back)?;
                self.count_traded(order, taken_back)?;
                if let Some(row) = self.orders.get_mut(order) {
                    row.filled = row.filled.minus(trade.quantity)?;
                }
            }
        }
        Ok(())
    }

    /// Calls a session off: what it traded is taken back, every pending order expires, its money
    /// is released.
    pub(super) fn void_session(
        &mut self,
        session: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        self.undo_trades(session)?;
        self.expire_proposals(session);
        for id in self.session_orders(session) {
            let Some(order) = self.orders.get(id) else { continue };
            if !matches!(order.status, OrderStatus::Pending | OrderStatus::Matched) {
                continue;
            }
            let (owner, escrow) = (order.owner, order.escrow);
            self.post((owner, AccountKind::Escrow), (owner, AccountKind::Available), escrow)?;
            if let Some(order) = self.orders.get_mut(id) {
                order.status = OrderStatus::Expired;
                order.filled = Energy::ZERO;
                order.escrow = Money::ZERO;
            }
        }
        self.expire_linked(session, events);
        self.commitments.retain(|(other, _, _), _| *other != session);
        self.live.retain(|(other, _), _| *other != session);
        self.clearings.remove_where(|(other, _), _| *other == session);
        self.last_prices.remove_where(|(other, _), _| *other == session);
        self.set_phase(session, Phase::Void);
        events.push(Event::SessionVoided { session });
        Ok(())
    }

    /// The orders of a session that were not cancelled, by period and order of acceptance.
    pub(super) fn session_orders(&self, session: SessionId) -> Vec<OrderId> {
        self.books
            .range((session, 0)..=(session, u8::MAX))
            .flat_map(|(_, book)| book.iter().copied())
            .collect()
    }

    /// The trades of a session, in order.
    pub(super) fn session_trades(&self, session: SessionId) -> Vec<TradeId> {
        self.members.session_trades(session).into_iter().collect()
    }

    /// Who owns the orders of a trade.
    pub(crate) fn parties(&self, buy: OrderId, sell: OrderId) -> Option<[OrganisationId; 2]> {
        Some([self.orders.get(buy)?.owner, self.orders.get(sell)?.owner])
    }

    /// Drops the rows of ended sessions beyond the last few, so that the state does not grow with
    /// history.
    fn forget_old_sessions(&mut self) {
        let ended: Vec<SessionId> = self
            .sessions
            .rows()
            .iter()
            .filter(|(_, session)| !session.phase.is_live())
            .map(|(id, _)| *id)
            .collect();
        for id in ended.iter().rev().skip(ENDED_SESSIONS_KEPT) {
            self.forget_session(*id);
        }
    }

    fn forget_session(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(id) else { return };
        let orders = self.orders.rows().iter().filter(|(_, order)| order.session == id);
        for order in orders.map(|(order, _)| *order).collect::<Vec<OrderId>>() {
            self.takes.remove(order);
            self.taken.remove(&order);
            self.minimums.remove(order);
            self.links.remove(order);
        }
        self.orders.remove_where(|_, order| order.session == id);
        self.trades.remove_where(|_, trade| trade.session == id);
        self.payments.remove_where(|_, payment| payment.session == id);
        self.dispatches.remove_where(|_, dispatch| dispatch.session == id);
        self.lines.remove_where(|(of, _), _| *of == id);
        self.session_limits.remove(id);
        self.openings.remove_where(|(of, _), _| *of == id);
        self.clearings.remove_where(|(of, _), _| *of == id);
        self.intervals.remove_where(|(of, _), _| *of == id);
        self.linked_orders.remove_where(|_, row| row.session == id);
        self.pass_through.remove_where(|(of, _), _| *of == id);
        self.carbon_shares.remove_where(|(of, _), _| *of == id);
        if session.mode.is_joint() && session.phase == Phase::Settled {
            self.forget_schedule(id, session.day);
        }
        // A session that was called off may have a successor for its day.
        let day = session.day;
        let joint = |other: &Session| other.mode.is_joint() && other.day == day;
        if session.mode.is_joint() && !self.sessions.rows().values().any(joint) {
            self.readings.remove_where(|(_, of, _), _| *of == day);
        }
        self.proposals.remove_where(|_, proposal| proposal.terms.session == id);
        self.listing_roles.remove_where(|(of, _), _| *of == id);
        self.positions.retain(|(of, _, _), _| *of != id);
        self.books.retain(|(of, _), _| *of != id);
        self.live.retain(|(of, _), _| *of != id);
        self.commitments.retain(|(of, _, _), _| *of != id);
        self.members.forget(id);
    }
}

impl SessionNotice {
    /// The session that it announces.
    pub(super) fn announced(&self) -> Session {
        Session {
            rule: self.rule,
            mode: self.mode,
            day: self.day,
            days: self.days,
            gate_open: self.gate_open,
            gate_close: self.gate_close,
            terms: self.terms.clone(),
            phase: Phase::Announced,
            called: None,
            draw: None,
            orders: 0,
            dispatched: false,
            settled_days: 0,
            result_hash: None,
        }
    }
}

/// The first part of the product or mode that is outside its limits.
pub(super) fn bad_product(notice: &SessionNotice) -> Option<(&'static str, i64)> {
    let most = if notice.mode.is_joint() { 1 } else { PRODUCT_DAYS_MAX };
    if !(1..=most).contains(&notice.days) {
        return Some(("days", notice.days.into()));
    }
    let share = match notice.mode {
        Mode::Uniform(share) | Mode::Pairwise(share) => share,
        Mode::Joint | Mode::Call | Mode::Listing(_) | Mode::Bilateral | Mode::Rolling => {
            BasisPoints::ZERO
        }
        Mode::Continuous(phase) => {
            let (call, until) = (notice.gate_close, phase.until);
            if until <= call || until > notice.day.start() {
                return Some(("until", until.unix_ms()));
            }
            BasisPoints::ZERO
        }
    };
    let holds = (BasisPoints::ZERO..=BasisPoints::ONE).contains(&share);
    (!holds).then_some(("mode", share.bp()))
}

/// The first term that contradicts another or a limit.
pub(super) fn bad_term(terms: &SessionTerms) -> Option<(&'static str, i64)> {
    let price = |p: duet_units::Price| p.milli_yuan_per_mwh();
    let (floor, ceiling, reference) =
        (price(terms.floor), price(terms.ceiling), price(terms.reference_price));
    let checks = [
        ("floor", floor, (-PRICE_MAX..=PRICE_MAX).contains(&floor)),
        ("ceiling", ceiling, floor <= ceiling && ceiling <= PRICE_MAX),
        ("tick", price(terms.tick), (1..=PRICE_MAX).contains(&price(terms.tick))),
        ("lot", terms.lot.kwh(), (1..=LOT_MAX_KWH).contains(&terms.lot.kwh())),
        ("reference_price", reference, (-PRICE_MAX..=PRICE_MAX).contains(&reference)),
        (
            "carbon_price",
            terms.carbon_price.fen_per_t(),
            (0..=CARBON_PRICE_MAX).contains(&terms.carbon_price.fen_per_t()),
        ),
        (
            "price_denominator",
            terms.price_denominator.into(),
            terms.price_denominator > 0 && terms.price_numerator <= terms.price_denominator,
        ),
        (
            "compensation_cap",
            price(terms.compensation_cap),
            (0..=PRICE_MAX).contains(&price(terms.compensation_cap)),
        ),
        (
            "fund_share",
            terms.fund_share.bp(),
            BasisPoints::ZERO <= terms.fund_share && terms.fund_share <= BasisPoints::ONE,
        ),
        (
            "second_stage_chance",
            terms.second_stage_chance.bp(),
            (BasisPoints::ZERO..=BasisPoints::ONE).contains(&terms.second_stage_chance),
        ),
    ];
    checks.into_iter().find(|(_, _, holds)| !holds).map(|(field, value, _)| (field, value))
}
