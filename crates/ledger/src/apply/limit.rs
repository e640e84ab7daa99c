//! Limits before trading: set by the exchange, held to at every order. Open orders count as done
//! until they are released.

use super::hours::hour_of;
use super::position::Period;
use super::{Caller, Failure};
use crate::action::{LimitAction, OrderRequest, SetLimits, SetSessionLimits};
use crate::event::Event;
use crate::ids::{OrderId, OrganisationId, SessionId, UnitId};
use crate::records::{MemberLimits, MonthTraded, Phase, Role, Session, Unit};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::order::Side;
use duet_market::quota::{self, Account, Limits, Position};
use duet_units::{BasisPoints, DeliveryDay, Energy, Month, OverflowError, Resolution};
use std::collections::{BTreeMap, BTreeSet};

/// How many months before and after the current one limits can be set for: a year of products.
const MONTHS_AHEAD: i32 = 13;
/// How many months back traded volumes and limits are kept.
const MONTHS_KEPT: i32 = 2;
/// The largest limit: a unit's largest output over a year, for a hundred units.
const LIMIT_MAX_KWH: i64 = 100_000_000_000_000;

impl State {
    pub(super) fn check_limit(&self, caller: &Caller, action: &LimitAction) -> Result<(), Refusal> {
        match action {
            LimitAction::Set(set) => self.check_set_limits(caller, set),
            LimitAction::SetSession(set) => self.check_set_session_limits(caller, set),
            LimitAction::Pledge(amount) => self.check_pledge(caller, *amount),
            LimitAction::Release(amount) => self.check_release(caller, *amount),
        }
    }

    pub(super) fn apply_limit(
        &mut self,
        caller: Caller,
        action: &LimitAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_limit(&caller, action)?;
        match action {
            LimitAction::Set(set) => {
                let (organisation, month) = (set.organisation, set.month);
                self.forget_months();
                self.member_limits.insert((organisation, month), set.limits.clone());
                events.push(Event::LimitsSet { organisation, month });
                Ok(u64::from(organisation.0))
            }
            LimitAction::SetSession(set) => {
                let session = set.session;
                self.session_limits.insert(session, set.limits.clone());
                events.push(Event::SessionLimitsSet { session });
                Ok(u64::from(session.0))
            }
            LimitAction::Pledge(amount) => Ok(self.pledge(&caller, *amount, events)?),
            LimitAction::Release(amount) => Ok(self.release_guarantee(&caller, *amount, events)?),
        }
    }

    fn check_set_limits(&self, caller: &Caller, set: &SetLimits) -> Result<(), Refusal> {
        caller.needs(&[Role::Exchange])?;
        let limits = &set.limits;
        let kwh = [
            ("net", limits.net.kwh()),
            ("cumulative", limits.cumulative.kwh()),
            ("hourly", limits.hourly.unwrap_or_default().kwh()),
        ];
        in_range(&kwh, limits.back)?;
        let (now, month) = (caller.time.day().month().months(), set.month.months());
        let ahead = now.saturating_add(MONTHS_AHEAD);
        if !(now..=ahead).contains(&month) {
            return Err(Rejection::MonthOutOfRange.of("month", month, ahead));
        }
        if self.organisations.get(set.organisation).is_none() {
            let organisation = set.organisation.0;
            return Err(Rejection::UnknownOrganisation.of("organisation", organisation, 0));
        }
        Ok(())
    }

    fn check_set_session_limits(
        &self,
        caller: &Caller,
        set: &SetSessionLimits,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Exchange])?;
        let id = set.session;
        let session =
            self.sessions.get(id).ok_or(Rejection::UnknownSession.of("session", id.0, 0))?;
        if !matches!(session.phase, Phase::Announced | Phase::Open | Phase::Halted) {
            return Err(Rejection::WrongPhase.of("session", id.0, session.phase.code()));
        }
        let limits = &set.limits;
        let kwh = [("volume", limits.volume.kwh()), ("position", limits.position.kwh())];
        in_range(&kwh, limits.share)
    }

    /// Drops what is kept of months that have passed.
    fn forget_months(&mut self) {
        let first = self.time().day().month().plus(MONTHS_KEPT.saturating_neg());
        self.member_limits.remove_where(|(_, month), _| *month < first);
        self.traded.remove_where(|(_, month), _| *month < first);
    }

    /// Counts a trade of an order in the months of its delivery days; one that is taken out again
    /// is negative.
    pub(super) fn count_traded(
        &mut self,
        order: OrderId,
        energy: Energy,
    ) -> Result<(), BrokenInvariant> {
        let Some(order) = self.orders.get(order) else { return Ok(()) };
        let Some(session) = self.sessions.get(order.session) else { return Ok(()) };
        let (owner, opens) = (order.owner, self.opens(order.unit, order.side));
        for (month, days) in months(session) {
            let all = over(energy, days)?;
            let row = (owner, month);
            if self.traded.get(row).is_none() {
                self.forget_months();
            }
            let mut traded = self.traded_of(owner, month);
            let net = if opens { all } else { all.negated()? };
            traded.net = traded.net.plus(net)?;
            traded.cumulative = traded.cumulative.plus(all)?;
            self.traded.insert(row, traded);
        }
        Ok(())
    }

    /// What an organisation has traded of a month.
    #[must_use]
    pub fn traded_of(&self, organisation: OrganisationId, month: Month) -> MonthTraded {
        let nothing = MonthTraded { net: Energy::ZERO, cumulative: Energy::ZERO };
        self.traded.get((organisation, month)).cloned().unwrap_or(nothing)
    }

    /// What an organisation has traded of a month and what it has open, over all its units.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit.
    pub fn month_position(
        &self,
        organisation: OrganisationId,
        month: Month,
    ) -> Result<Position, OverflowError> {
        let MonthTraded { net, cumulative } = self.traded_of(organisation, month);
        let (mut enlarging, mut reducing) = (Energy::ZERO, Energy::ZERO);
        for (id, session) in self.sessions.rows() {
            let days = months(session).get(&month).copied().unwrap_or(0);
            if days == 0 {
                continue;
            }
            for energy in self.of_organisation(&self.commitments, organisation, *id) {
                if energy < Energy::ZERO {
                    reducing = reducing.plus(over(energy.negated()?, days)?)?;
                } else {
                    enlarging = enlarging.plus(over(energy, days)?)?;
                }
            }
        }
        Ok(Position {
            net,
            cumulative: cumulative.plus(enlarging)?.plus(reducing)?,
            open_enlarging: enlarging,
            open_reducing: reducing,
        })
    }

    /// The limits of an organisation in a month, if the exchange has set any.
    #[must_use]
    pub fn limits_of(&self, organisation: OrganisationId, month: Month) -> Option<&MemberLimits> {
        self.member_limits.get((organisation, month))
    }

    /// The months for which an organisation has limits or trades.
    #[must_use]
    pub fn months_of(&self, organisation: OrganisationId) -> BTreeSet<Month> {
        let limits = self.member_limits.rows().keys().copied();
        let traded = self.traded.rows().keys().copied();
        limits.chain(traded).filter(|(of, _)| *of == organisation).map(|(_, month)| month).collect()
    }

    /// The energies of an organisation's units in a session.
    pub(super) fn of_organisation<'a>(
        &'a self,
        rows: &'a BTreeMap<(SessionId, UnitId, u8), Energy>,
        organisation: OrganisationId,
        session: SessionId,
    ) -> impl Iterator<Item = Energy> + 'a {
        self.owned(organisation).flat_map(move |unit| {
            rows.range((session, unit, 0)..=(session, unit, u8::MAX)).map(|(_, energy)| *energy)
        })
    }

    /// The units of an organisation.
    pub(super) fn owned(&self, organisation: OrganisationId) -> impl Iterator<Item = UnitId> + '_ {
        self.members.units(organisation)
    }

    /// Holds an order, which keeps to its session's terms, to every limit, by their numbers.
    pub(super) fn check_limits(
        &self,
        request: &OrderRequest,
        unit: &Unit,
        session: &Session,
    ) -> Result<(), Refusal> {
        self.check_limits_of(std::slice::from_ref(request), unit, session)
    }

    /// As [`Self::check_limits`], for all orders of one unit and side that come together.
    pub(super) fn check_limits_of(
        &self,
        requests: &[OrderRequest],
        unit: &Unit,
        session: &Session,
    ) -> Result<(), Refusal> {
        let Some(first) = requests.first() else { return Ok(()) };
        for request in requests {
            self.check_own_side(request, unit)?;
        }
        let quantity = Energy::sum(requests.iter().map(|request| request.quantity))?;
        let total = OrderRequest { quantity, ..first.clone() };
        for (month, days) in months(session) {
            if let Some(limits) = self.member_limits.get((unit.owner, month)) {
                self.check_month(&total, unit, (month, days, limits))?;
                for hour in by_hour(requests, session.terms.resolution)? {
                    self.check_hour(&hour, unit, (session, month, limits))?;
                }
            }
        }
        self.check_session_limits(&total, unit, session)
    }

    /// In one period of a session the units of an organisation all buy or all sell, so that none of
    /// its orders meets another (Shandong rules 4.4.17(5)). `State::check_direction` sees to the
    /// unit itself. It takes as long as the organisation has units, however many its orders are.
    fn check_own_side(&self, request: &OrderRequest, unit: &Unit) -> Result<(), Refusal> {
        for other in self.owned(unit.owner) {
            if other == request.unit {
                continue;
            }
            let key = (request.session, other, request.period);
            for rows in [&self.commitments, &self.positions] {
                let energy = rows.get(&key).copied().unwrap_or_default();
                let opens = energy > Energy::ZERO;
                let buys = self.opens(other, Side::Buy) == opens;
                if !energy.is_zero() && buys != (request.side == Side::Buy) {
                    return Err(Rejection::OwnSide.of("unit", request.unit.0, other.0));
                }
            }
        }
        Ok(())
    }

    fn check_month(
        &self,
        request: &OrderRequest,
        unit: &Unit,
        (month, days, limits): (Month, i64, &MemberLimits),
    ) -> Result<(), Refusal> {
        let account = if unit.technology.consumes() { Account::User } else { Account::Generator };
        let wanted = over(request.quantity, days)?;
        let position = self.month_position(unit.owner, month)?;
        // The two bounds of a quota apart, so that the refusal names the one that holds.
        let by_net = Limits { net: limits.net, cumulative: Energy::MAX, back: limits.back };
        let free = quota::available(account, request.side, &position, &by_net)?;
        if wanted > free {
            let rejection = if request.side == account.opening() {
                Rejection::OverNetLimit
            } else {
                Rejection::OverBuyBack
            };
            return Err(rejection.of("quantity", wanted.kwh(), free.kwh()));
        }
        let free = limits.cumulative.minus(position.cumulative)?.max(Energy::ZERO);
        if wanted > free {
            return Err(Rejection::OverCumulative.of("quantity", wanted.kwh(), free.kwh()));
        }
        Ok(())
    }

    fn check_hour(
        &self,
        request: &OrderRequest,
        unit: &Unit,
        (session, month, limits): (&Session, Month, &MemberLimits),
    ) -> Result<(), Refusal> {
        let Some(most) = limits.hourly else { return Ok(()) };
        if !self.opens(request.unit, request.side) {
            return Ok(());
        }
        let index = hour_of(request.period, session.terms.resolution);
        let last = DeliveryDay::from_days(month.plus(1).first_day().days().saturating_sub(1));
        let days = (session.day.max(month.first_day()), session.last_day().min(last));
        let hour = Period { resolution: Resolution::Hour, index };
        let units: Vec<UnitId> = self.owned(unit.owner).collect();
        let held = request.quantity.plus(self.held(&units, days, hour)?.1)?;
        if held > most {
            return Err(Rejection::OverHourly.of("quantity", held.kwh(), most.kwh()));
        }
        Ok(())
    }

    fn check_session_limits(
        &self,
        request: &OrderRequest,
        unit: &Unit,
        session: &Session,
    ) -> Result<(), Refusal> {
        let Some(limits) = self.session_limits.get(request.session) else { return Ok(()) };
        let mut ordered = request.quantity;
        for rows in [&self.commitments, &self.positions] {
            for energy in self.of_organisation(rows, unit.owner, request.session) {
                ordered = ordered.plus(energy.max(energy.negated()?))?;
            }
        }
        let ordered = over(ordered, session.days.into())?;
        if ordered > limits.position {
            let most = limits.position.kwh();
            return Err(Rejection::OverPosition.of("quantity", ordered.kwh(), most));
        }
        let most = i128::from(limits.volume.kwh())
            .saturating_mul(limits.share.bp().into())
            .div_euclid(BasisPoints::ONE.bp().into());
        if i128::from(ordered.kwh()) > most {
            return Err(Rejection::OverMarketShare.of("quantity", ordered.kwh(), most));
        }
        Ok(())
    }
}

/// The requests of one unit and side, those of an hour taken together.
fn by_hour(
    requests: &[OrderRequest],
    resolution: Resolution,
) -> Result<Vec<OrderRequest>, OverflowError> {
    let mut hours: BTreeMap<u8, OrderRequest> = BTreeMap::new();
    for request in requests {
        let hour = hour_of(request.period, resolution);
        let nothing = || OrderRequest { quantity: Energy::ZERO, ..request.clone() };
        let sum = hours.entry(hour).or_insert_with(nothing);
        sum.quantity = sum.quantity.plus(request.quantity)?;
    }
    Ok(hours.into_values().collect())
}

/// How many delivery days of a session each month has.
fn months(session: &Session) -> BTreeMap<Month, i64> {
    let mut months: BTreeMap<Month, i64> = BTreeMap::new();
    for day in session.delivery_days() {
        let days = months.entry(day.month()).or_default();
        *days = days.saturating_add(1);
    }
    months
}

/// The energy of one delivery day over all of `days`.
pub(super) fn over(energy: Energy, days: i64) -> Result<Energy, OverflowError> {
    let overflow = OverflowError { operation: "energy of all delivery days", unit: "kWh" };
    energy.kwh().checked_mul(days).map(Energy::from_kwh).ok_or(overflow)
}

fn in_range(kwh: &[(&'static str, i64)], share: BasisPoints) -> Result<(), Refusal> {
    for (field, kwh) in kwh {
        if !(0..=LIMIT_MAX_KWH).contains(kwh) {
            return Err(Rejection::BadLimits.of(field, *kwh, LIMIT_MAX_KWH));
        }
    }
    if !(BasisPoints::ZERO..=BasisPoints::ONE).contains(&share) {
        return Err(Rejection::BadLimits.of("share", share.bp(), BasisPoints::ONE.bp()));
    }
    Ok(())
}
