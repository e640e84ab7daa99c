//! Monthly statements: lines are summed up, members object, the exchange corrects and closes.

use super::money::AMOUNT_MAX_FEN;
use super::settle::spot_method;
use super::{Caller, Failure};
use crate::action::{
    LineCorrection, MonthReading, ObjectionAnswer, StatementAction, StatementObjection,
};
use crate::codec::Encode;
use crate::event::Event;
use crate::hash::{Digest, hash, merkle_root, merkle_root_from_path};
use crate::ids::{OrganisationId, SessionId, UnitId};
use crate::records::{
    AccountKind, Counter, ItemSum, LaterLine, LineItem, MeterMonth, MonthStatement, Objection,
    ObjectionState, Role, Session, StatementCalendar, StatementLine, StatementState, Unit,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::settlement::spot::true_up;
use duet_units::{Energy, MicroYuan, Money, Month, Resolution};
use std::collections::{BTreeMap, BTreeSet};

const STATEMENT_DOMAIN: &[u8] = b"duet/statement/v1";
/// How many months of statements are kept: those that can be corrected, and this one.
const MONTHS_KEPT: i32 = 14;
/// How far back a line can be corrected, in months (NDRC/NEA 2025-976 art. 51).
const CORRECTED_BACK_MAX: i32 = 12;
/// The most objections of one organisation to one month.
const OBJECTIONS_MAX: usize = 100;

impl State {
    pub(super) fn check_statement(
        &self,
        caller: &Caller,
        action: &StatementAction,
    ) -> Result<(), Refusal> {
        match action {
            StatementAction::Object(objection) => self.check_objection(caller, objection),
            StatementAction::Correct(correction) => {
                self.check_correction(caller, correction).map(drop)
            }
            StatementAction::Dismiss(answer) => {
                caller.needs(&[Role::Exchange])?;
                self.open_objection(answer.objection).map(drop)
            }
            StatementAction::ReportMonth(reading) => self.check_month_reading(caller, reading),
            StatementAction::CloseMonth(month) => self.check_close(caller, *month).map(drop),
        }
    }

    pub(super) fn apply_statement(
        &mut self,
        caller: Caller,
        action: &StatementAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        match action {
            StatementAction::Object(objection) => self.object(caller, objection, events),
            StatementAction::Correct(correction) => self.correct(caller, correction, events),
            StatementAction::Dismiss(answer) => self.dismiss(caller, answer, events),
            StatementAction::ReportMonth(reading) => self.report_month(caller, reading),
            StatementAction::CloseMonth(month) => self.close_month(caller, *month, events),
        }
    }

    /// Adds the lines of a settled day to the statements of their parties.
    pub(super) fn state_lines(
        &mut self,
        month: Month,
        calendar: &StatementCalendar,
        lines: &[StatementLine],
    ) -> Result<(), BrokenInvariant> {
        let mut by_party: BTreeMap<OrganisationId, Vec<&StatementLine>> = BTreeMap::new();
        for line in lines {
            for party in BTreeSet::from([line.payer, line.payee]) {
                by_party.entry(party).or_default().push(line);
            }
        }
        for (party, lines) in by_party {
            let row = self.months.get((month, party)).cloned();
            let mut row = row.unwrap_or_else(|| MonthStatement::empty(calendar.clone()));
            for line in lines {
                add_line(&mut row, party, line)?;
            }
            self.months.insert((month, party), row);
        }
        self.forget_old_months(month);
        Ok(())
    }

    /// Adds a day's metered energy, at the price of each period, to the months of its units: the
    /// published real-time price where the rule settles by it, else what a deviation costs.
    pub(super) fn meter_month(
        &mut self,
        (id, session): (SessionId, &Session),
        metered: &BTreeMap<(UnitId, u8), Energy>,
    ) -> Result<(), BrokenInvariant> {
        let month = session.day.month();
        let by_spot = spot_method(self.rule_of(session)?).is_some();
        for ((unit, period), energy) in metered {
            let real_time = self.real_time_price(session, *period).filter(|_| by_spot);
            let price = real_time.unwrap_or_else(|| self.deviation_price((id, session), *period));
            let key = (month, *unit);
            let row = self.meter_months.get(key).cloned();
            let mut row =
                row.unwrap_or(MeterMonth { metered: Energy::ZERO, value: 0, reported: None });
            row.metered = row.metered.plus(*energy)?;
            let value = price.value_of(*energy)?.micro_yuan();
            row.value = row.value.checked_add(value).ok_or(BrokenInvariant("value of a month"))?;
            self.meter_months.insert(key, row);
        }
        Ok(())
    }

    fn forget_old_months(&mut self, month: Month) {
        let first = month.plus(MONTHS_KEPT.saturating_sub(1).saturating_neg());
        self.months.remove_where(|(of, _), _| *of < first);
        self.meter_months.remove_where(|(of, _), _| *of < first);
        self.deviation_months.remove_where(|of, _| *of < first);
        self.unit_deviations.remove_where(|(of, _), _| *of < first);
        self.objections.remove_where(|_, row| row.month < first);
        self.later_lines.remove_where(|_, row| row.month < first);
    }

    /// The line of a kept day; none if the day's rows are gone but its seal is kept.
    fn sealed_line(
        &self,
        (session, place): (SessionId, u32),
    ) -> Result<(Month, Option<&StatementLine>), Refusal> {
        let unknown = Rejection::UnknownLine.of("line", place, 0);
        let seal = self.seals.get(session).filter(|seal| place < seal.lines).ok_or(unknown)?;
        Ok((seal.day.month(), self.lines.get((session, place))))
    }

    fn check_objection(
        &self,
        caller: &Caller,
        objection: &StatementObjection,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let month = objection.month;
        let statement = self
            .months
            .get((month, caller.organisation))
            .ok_or(Rejection::UnknownStatement.of("month", month.months(), 0))?;
        let (time, until) = (caller.time, statement.objections_until(month));
        let state = statement.state(month, time);
        if state != StatementState::Objection || until <= time {
            let (time, until) = (time.unix_ms(), until.unix_ms());
            return Err(Rejection::NotForObjection.of("time", time, until));
        }
        let (of, line) = self.sealed_line((objection.session, objection.place))?;
        let ours = |line: &StatementLine| {
            line.payer == caller.organisation || line.payee == caller.organisation
        };
        if of != month || line.is_some_and(|line| !ours(line)) {
            return Err(Rejection::UnknownLine.of("line", objection.place, 0));
        }
        let made = self.objections.rows().values();
        let made = made.filter(|row| row.month == month && row.organisation == caller.organisation);
        if made.count() >= OBJECTIONS_MAX {
            let most = i64::try_from(OBJECTIONS_MAX).unwrap_or(i64::MAX);
            return Err(Rejection::TooManyObjections.of("objections", most, most));
        }
        Ok(())
    }

    fn object(
        &mut self,
        caller: Caller,
        request: &StatementObjection,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_objection(&caller, request)?;
        let number = self.next_number(Counter::Objection);
        let row = Objection {
            month: request.month,
            session: request.session,
            place: request.place,
            organisation: caller.organisation,
            signer: caller.signer,
            reason: request.reason.clone(),
            time: caller.time,
            state: ObjectionState::Open,
            answer: String::new(),
        };
        self.objections.insert(number, row);
        let (month, organisation) = (request.month, caller.organisation);
        events.push(Event::StatementObjected { objection: number, month, organisation });
        Ok(number)
    }

    fn open_objection(&self, number: u64) -> Result<&Objection, Refusal> {
        self.objections
            .get(number)
            .filter(|row| row.state == ObjectionState::Open)
            .ok_or(Rejection::UnknownObjection.of("objection", number, 0))
    }

    fn dismiss(
        &mut self,
        caller: Caller,
        answer: &ObjectionAnswer,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        caller.needs(&[Role::Exchange])?;
        self.open_objection(answer.objection)?;
        self.answer(answer.objection, ObjectionState::Dismissed, &answer.reason);
        events.push(Event::ObjectionAnswered { objection: answer.objection, corrected: false });
        Ok(answer.objection)
    }

    fn answer(&mut self, number: u64, state: ObjectionState, reason: &str) {
        if let Some(row) = self.objections.get_mut(number) {
            row.state = state;
            reason.clone_into(&mut row.answer);
        }
    }

    /// Returns the old line.
    fn check_correction(
        &self,
        caller: &Caller,
        correction: &LineCorrection,
    ) -> Result<StatementLine, Refusal> {
        caller.needs(&[Role::Exchange])?;
        if correction.amount <= Money::ZERO {
            return Err(Rejection::AmountNotPositive.of("amount", correction.amount.fen(), 0));
        }
        if correction.amount.fen() > AMOUNT_MAX_FEN {
            let (amount, most) = (correction.amount.fen(), AMOUNT_MAX_FEN);
            return Err(Rejection::AmountTooLarge.of("amount", amount, most));
        }
        let (session, place) = (correction.session, correction.place);
        let (month, kept) = self.sealed_line((session, place))?;
        if let Some(number) = correction.objection {
            let objection = self.open_objection(number)?;
            if (objection.session, objection.place) != (session, place) {
                return Err(Rejection::UnknownObjection.of("objection", number, 0));
            }
        }
        let line = match kept {
            Some(line) => line.clone(),
            None => self.proved_line(correction)?,
        };
        if correction.payer != line.payer && correction.payer != line.payee {
            return Err(Rejection::NotAParty.of("payer", correction.payer.0, 0));
        }
        let first = caller.time.day().month().plus(CORRECTED_BACK_MAX.saturating_neg());
        if month < first {
            return Err(Rejection::TooLongAgo.of("month", month.months(), first.months()));
        }
        Ok(line)
    }

    /// The line that the correction brings along, if the seal of its day proves it.
    fn proved_line(&self, correction: &LineCorrection) -> Result<StatementLine, Refusal> {
        let refused = Rejection::LineNotProved.of("line", correction.place, 0);
        let proved = correction.proved.as_ref().ok_or(refused)?;
        let seal = self.seals.get(correction.session).ok_or(refused)?;
        let place = usize::try_from(correction.place).map_err(|_| refused)?;
        let count = usize::try_from(seal.lines).map_err(|_| refused)?;
        let root = merkle_root_from_path(&proved.line.to_bytes(), place, count, &proved.path);
        if root == Some(seal.lines_root) { Ok(proved.line.clone()) } else { Err(refused) }
    }

    fn correct(
        &mut self,
        caller: Caller,
        correction: &LineCorrection,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let old = self.check_correction(&caller, correction)?;
        let (payer, amount) = (correction.payer, correction.amount);
        let payee = if payer == old.payer { old.payee } else { old.payer };
        let line = StatementLine {
            item: LineItem::Correction,
            payer,
            payee,
            energy: Energy::ZERO,
            price: None,
            amount,
            ..old
        };
        if let Some(number) = correction.objection {
            self.answer(number, ObjectionState::Corrected, &correction.reason);
            events.push(Event::ObjectionAnswered { objection: number, corrected: true });
        }
        let row = LaterLine {
            month: caller.time.day().month(),
            line,
            place: Some(correction.place),
            objection: correction.objection,
            green: None,
            by: caller.signer,
            time: caller.time,
            height: self.height(),
            reason: correction.reason.clone(),
        };
        let number = self.add_later_line(row)?;
        let (session, place) = (correction.session, correction.place);
        events.push(Event::LineCorrected { correction: number, session, place, amount });
        Ok(number)
    }

    /// Posts a line that was made after its day, into the statements of its month.
    pub(in crate::apply) fn add_later_line(
        &mut self,
        row: LaterLine,
    ) -> Result<u64, BrokenInvariant> {
        let line = &row.line;
        let available = AccountKind::Available;
        self.post((line.payer, available), (line.payee, available), line.amount)?;
        let calendar = self.calendar_of(line.session);
        self.state_lines(row.month, &calendar, std::slice::from_ref(&row.line))?;
        let number = self.next_number(Counter::LaterLine);
        self.later_lines.insert(number, row);
        Ok(number)
    }

    /// The calendar of the rule under which a day was settled.
    pub(super) fn calendar_of(&self, session: SessionId) -> StatementCalendar {
        let rule = self.sessions.get(session).and_then(|session| self.rules.get(session.rule));
        rule.map_or(StatementCalendar::NATIONAL, |rule| rule.calendar.clone())
    }

    fn check_month_reading(&self, caller: &Caller, reading: &MonthReading) -> Result<(), Refusal> {
        caller.needs(&[Role::Device])?;
        let unit = self.device_of(caller, reading.unit)?;
        let (energy, end) = (reading.energy.kwh(), reading.month.plus(1).start());
        let most = month_energy(unit, reading.month).kwh().saturating_mul(2);
        if energy < 0 || energy > most {
            return Err(Rejection::BadReading.of("energy", energy, most));
        }
        if caller.time < end {
            let (time, end) = (caller.time.unix_ms(), end.unix_ms());
            return Err(Rejection::NotDelivered.of("time", time, end));
        }
        if self.meter_months.get((reading.month, reading.unit)).is_none() {
            return Err(Rejection::UnknownStatement.of("month", reading.month.months(), 0));
        }
        if self.is_closed(reading.month) {
            return Err(Rejection::MonthClosed.of("month", reading.month.months(), 0));
        }
        Ok(())
    }

    fn report_month(&mut self, caller: Caller, reading: &MonthReading) -> Result<u64, Failure> {
        self.check_month_reading(&caller, reading)?;
        if let Some(row) = self.meter_months.get_mut((reading.month, reading.unit)) {
            row.reported = Some(reading.energy);
        }
        Ok(u64::from(reading.unit.0))
    }

    fn statements_of(
        &self,
        month: Month,
    ) -> impl Iterator<Item = (OrganisationId, &MonthStatement)> {
        let keys = (month, OrganisationId(0))..=(month, OrganisationId(u32::MAX));
        self.months.rows().range(keys).map(|((_, organisation), row)| (*organisation, row))
    }

    pub(in crate::apply) fn is_closed(&self, month: Month) -> bool {
        self.statements_of(month).any(|(_, row)| row.closed)
    }

    /// Returns the month-end lines: what each meter's month has above its days, and the charges of
    /// a deviation scheme that compares months.
    fn check_close(&self, caller: &Caller, month: Month) -> Result<Vec<StatementLine>, Refusal> {
        caller.needs(&[Role::Exchange])?;
        let Some((_, statement)) = self.statements_of(month).next() else {
            return Err(Rejection::UnknownStatement.of("month", month.months(), 0));
        };
        let until = statement.objections_until(month);
        if caller.time < until {
            let (time, until) = (caller.time.unix_ms(), until.unix_ms());
            return Err(Rejection::ClosedTooEarly.of("time", time, until));
        }
        if let Some((id, session)) = self.unsettled_of(month) {
            return Err(Rejection::DaysOpen.of("session", id.0, session.phase.code()));
        }
        if self.is_closed(month) {
            return Err(Rejection::MonthClosed.of("month", month.months(), 0));
        }
        let mut lines = self.month_end_lines(month)?;
        self.month_scheme_lines(month, &mut lines)
            .map_err(|broken| Rejection::OutOfRange.of(broken.0, 0, 0))?;
        Ok(lines)
    }

    /// The joint session of the last settled day of a month.
    pub(in crate::apply) fn last_settled(&self, month: Month) -> SessionId {
        let of_month = self.seals.rows().iter().filter(|(_, seal)| seal.day.month() == month);
        let last = of_month.max_by_key(|(_, seal)| seal.day);
        last.map(|(session, _)| *session).unwrap_or_default()
    }

    fn month_end_lines(&self, month: Month) -> Result<Vec<StatementLine>, Refusal> {
        let mut lines = Vec::new();
        let keys = (month, UnitId(0))..=(month, UnitId(u32::MAX));
        let session = self.last_settled(month);
        for ((_, id), row) in self.meter_months.rows().range(keys) {
            let Some(total) = row.reported else { continue };
            let value = MicroYuan::from_micro_yuan(row.value);
            let price = value.mean_price(row.metered).unwrap_or_default();
            let line = true_up(total, &[row.metered], price)?;
            if line.quantity.is_zero() {
                continue;
            }
            let what = (line.quantity, Some(line.price), line.amount);
            lines.extend(self.against_grid((session, 0), (*id, LineItem::TrueUp), what)?);
        }
        Ok(lines)
    }

    fn close_month(
        &mut self,
        caller: Caller,
        month: Month,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let lines = self.check_close(&caller, month)?;
        for line in lines {
            let row = LaterLine {
                month,
                line,
                place: None,
                objection: None,
                green: None,
                by: caller.signer,
                time: caller.time,
                height: self.height(),
                reason: String::new(),
            };
            self.add_later_line(row)?;
        }
        let parties: Vec<OrganisationId> = self.statements_of(month).map(|(id, _)| id).collect();
        for party in &parties {
            if let Some(row) = self.months.get_mut((month, *party)) {
                row.closed = true;
            }
        }
        let statements = u32::try_from(parties.len()).unwrap_or(u32::MAX);
        events.push(Event::MonthClosed { month, statements });
        Ok(u64::from(statements))
    }

    /// The Merkle root over the lines of a settled day.
    pub(super) fn lines_root(&self, session: SessionId) -> (Digest, u32) {
        let rows = self.lines.rows().range((session, 0)..=(session, u32::MAX));
        let leaves: Vec<Vec<u8>> = rows.map(|(_, line)| line.to_bytes()).collect();
        (merkle_root(&leaves), u32::try_from(leaves.len()).unwrap_or(u32::MAX))
    }
}

/// What `unit` can deliver or use in a month at its capacity.
fn month_energy(unit: &Unit, month: Month) -> Energy {
    let (from, end) = (month.start().unix_ms(), month.plus(1).start().unix_ms());
    let hours = end.saturating_sub(from).div_euclid(Resolution::Hour.period_ms());
    Energy::from_kwh(unit.capacity.kw().saturating_mul(hours))
}

fn add_line(
    row: &mut MonthStatement,
    party: OrganisationId,
    line: &StatementLine,
) -> Result<(), BrokenInvariant> {
    row.hash = hash(STATEMENT_DOMAIN, &[&row.hash, &line.to_bytes()]);
    row.lines = row.lines.saturating_add(1);
    let place = match row.items.binary_search_by_key(&line.item, |sum| sum.item) {
        Ok(place) => place,
        Err(place) => {
            let none = (Energy::ZERO, Money::ZERO);
            let item = line.item;
            let sum = ItemSum { item, lines: 0, energy: none.0, paid: none.1, received: none.1 };
            row.items.insert(place, sum);
            place
        }
    };
    let Some(sum) = row.items.get_mut(place) else { return Ok(()) };
    sum.lines = sum.lines.saturating_add(1);
    sum.energy = sum.energy.plus(line.energy)?;
    if line.payer == party {
        sum.paid = sum.paid.plus(line.amount)?;
    }
    if line.payee == party {
        sum.received = sum.received.plus(line.amount)?;
    }
    Ok(())
}
