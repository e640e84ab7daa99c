//! Green power: the least of contract, generation and use, its certificates, its value.

use super::{Caller, Failure};
use crate::action::{ConfirmGreen, SettleGreen, WithdrawGreen};
use crate::event::Event;
use crate::ids::{CertificateLotId, GreenContractId, OrganisationId, UnitId};
use crate::records::{
    CertificateKind, CertificateLot, CertificateState, Counter, GreenContract, GreenMonth,
    GreenState, GreenTerms, LaterLine, LineItem, Role, ShortfallCause, StatementLine,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::certificate::ENERGY_OF_ONE;
use duet_market::green::{
    self, Month as GreenInput, ShortfallTerms, certificates_backed, share_over_contracts,
    shortfall_charge,
};
use duet_units::{BasisPoints, Energy, Money, Month, Price};
use std::collections::BTreeMap;

/// The most green contracts on a channel, and the longest.
const CONTRACTS_MAX: usize = 1_024;
const MONTHS_MAX: i32 = 36;
/// The most open proposals of one member, and how many months ahead they begin.
const OWN_PROPOSALS_MAX: usize = 32;
const MONTHS_AHEAD: i32 = 36;
/// How many months an ended contract is kept.
const MONTHS_KEPT: i32 = 24;
/// The highest environmental value: 1,000 yuan/kWh, so that no product overflows.
const VALUE_MAX: i64 = 1_000_000_000;
/// Hours of the longest month.
const HOURS_OF_MONTH: i64 = 744;

/// The parts of the scarce energy of each contract.
type Shares = BTreeMap<GreenContractId, Energy>;

impl State {
    /// The two owners, generator first.
    fn green_parties(
        &self,
        terms: &GreenTerms,
    ) -> Result<(crate::records::Unit, crate::records::Unit), Refusal> {
        let unit = |id: UnitId| {
            self.units.get(id).cloned().ok_or(Rejection::UnknownUnit.of("unit", id.0, 0))
        };
        Ok((unit(terms.unit)?, unit(terms.user)?))
    }

    pub(super) fn check_green(
        &self,
        caller: &Caller,
        terms: &GreenTerms,
    ) -> Result<GreenContract, Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let (unit, user) = self.green_parties(terms)?;
        let (generator, consumer) = (unit.owner, user.owner);
        if caller.organisation != generator && caller.organisation != consumer {
            return Err(Rejection::NotYours.of("unit", terms.unit.0, 0));
        }
        if terms.energy <= Energy::ZERO {
            return Err(Rejection::QuantityNotPositive.of("energy", terms.energy.kwh(), 0));
        }
        let value = terms.value.milli_yuan_per_mwh();
        if value <= 0 || terms.shortfall < BasisPoints::ZERO {
            return Err(Rejection::AmountNotPositive.of("value", value, 0));
        }
        if value > VALUE_MAX || terms.shortfall > BasisPoints::ONE {
            return Err(Rejection::AmountTooLarge.of("value", value, VALUE_MAX));
        }
        if self.kind_of(terms.unit) != CertificateKind::Tradable {
            return Err(Rejection::NotRenewable.of("unit", terms.unit.0, 0));
        }
        let months = terms.to.months().saturating_sub(terms.from.months());
        let now = self.time().day().month();
        if !(0..MONTHS_MAX).contains(&months) || terms.from < now {
            return Err(Rejection::BadPeriod.of("months", months, MONTHS_MAX));
        }
        if terms.from > now.plus(MONTHS_AHEAD) {
            let from = terms.from.months();
            return Err(Rejection::BadPeriod.of("from", from, now.plus(MONTHS_AHEAD).months()));
        }
        if !user.technology.consumes() || generator == consumer {
            return Err(Rejection::NotAPair.of("user", terms.user.0, 0));
        }
        let most = user.capacity.kw().saturating_mul(HOURS_OF_MONTH);
        if terms.energy.kwh() > most {
            return Err(Rejection::OverConnection.of("energy", terms.energy.kwh(), most));
        }
        self.check_green_left(caller)?;
        Ok(GreenContract {
            terms: terms.clone(),
            generator,
            consumer,
            proposer: caller.organisation,
            state: GreenState::Proposed,
            carry: Energy::ZERO,
            months: Vec::new(),
        })
    }

    /// Whether one more proposal of the caller fits.
    fn check_green_left(&self, caller: &Caller) -> Result<(), Refusal> {
        let (mut all, mut own) = (0_usize, 0_usize);
        for row in self.green_contracts.rows().values().filter(|row| !self.has_lapsed(row)) {
            let open = row.state == GreenState::Proposed && row.proposer == caller.organisation;
            all = all.saturating_add(1);
            own = own.saturating_add(usize::from(open));
        }
        if all >= CONTRACTS_MAX || own >= OWN_PROPOSALS_MAX {
            let whole = |count| i64::try_from(count).unwrap_or(i64::MAX);
            return Err(Rejection::TableFull.of("contracts", whole(all), whole(own)));
        }
        Ok(())
    }

    /// Whether a contract is of no use any more: not confirmed in time, or long ended.
    fn has_lapsed(&self, row: &GreenContract) -> bool {
        let now = self.time().day().month();
        match row.state {
            GreenState::Proposed => row.terms.from < now,
            GreenState::Active => false,
            GreenState::Ended => row.terms.to.plus(MONTHS_KEPT) < now,
        }
    }

    pub(super) fn propose_green(
        &mut self,
        caller: Caller,
        terms: &GreenTerms,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let row = self.check_green(&caller, terms)?;
        let old = self.green_contracts.rows().iter().filter(|(_, row)| self.has_lapsed(row));
        let old: Vec<GreenContractId> = old.map(|(id, _)| *id).collect();
        for id in old {
            self.green_contracts.remove(id);
        }
        let contract = GreenContractId(self.next_number(Counter::GreenContract));
        let (generator, consumer) = (row.generator, row.consumer);
        self.green_contracts.insert(contract, row);
        events.push(Event::GreenProposed { contract, generator, consumer });
        Ok(contract.0)
    }

    /// A contract to which the caller is a party, and whether it is the one that proposed it.
    fn own_green(
        &self,
        caller: &Caller,
        id: GreenContractId,
    ) -> Result<(&GreenContract, bool), Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let row = self.green_contracts.get(id);
        let row = row.ok_or(Rejection::UnknownGreenContract.of("contract", id.0, 0))?;
        if ![row.generator, row.consumer].contains(&caller.organisation) {
            return Err(Rejection::NotYours.of("contract", id.0, 0));
        }
        Ok((row, caller.organisation == row.proposer))
    }

    fn still_proposed(&self, id: GreenContractId, row: &GreenContract) -> Result<(), Refusal> {
        if row.state != GreenState::Proposed || self.has_lapsed(row) {
            return Err(Rejection::GreenNotProposed.of("contract", id.0, row.state.code()));
        }
        Ok(())
    }

    pub(super) fn check_green_confirmation(
        &self,
        caller: &Caller,
        request: &ConfirmGreen,
    ) -> Result<(), Refusal> {
        let id = request.contract;
        let (row, proposed) = self.own_green(caller, id)?;
        if proposed {
            return Err(Rejection::NotYours.of("contract", id.0, 0));
        }
        if row.terms.hash(id) != request.hash {
            return Err(Rejection::WrongProposal.of("hash", 0, 0));
        }
        self.still_proposed(id, row)
    }

    pub(super) fn confirm_green(
        &mut self,
        caller: Caller,
        request: &ConfirmGreen,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_green_confirmation(&caller, request)?;
        let contract = request.contract;
        if let Some(row) = self.green_contracts.get_mut(contract) {
            row.state = GreenState::Active;
        }
        events.push(Event::GreenConfirmed { contract });
        Ok(contract.0)
    }

    pub(super) fn check_green_withdrawal(
        &self,
        caller: &Caller,
        request: &WithdrawGreen,
    ) -> Result<(), Refusal> {
        // The proposer takes it back, the other side declines it.
        let (row, _) = self.own_green(caller, request.contract)?;
        self.still_proposed(request.contract, row)
    }

    pub(super) fn withdraw_green(
        &mut self,
        caller: Caller,
        request: &WithdrawGreen,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_green_withdrawal(&caller, request)?;
        let contract = request.contract;
        self.green_contracts.remove(contract);
        events.push(Event::GreenWithdrawn { contract });
        Ok(contract.0)
    }

    /// Refuses to let certificates go that green contracts of the unit and month need.
    pub(super) fn check_unreserved(&self, lot: &CertificateLot, count: u64) -> Result<(), Refusal> {
        let month = lot.day.month();
        let mut needed = 0_i64;
        for row in self.green_contracts.rows().values() {
            let open = row.due().is_some_and(|due| due <= month);
            if open && row.terms.unit == lot.unit && row.terms.covers(month) {
                let energy = row.terms.energy.plus(row.carry)?;
                needed = needed.saturating_add(certificates_backed(energy));
            }
        }
        if needed == 0 {
            return Ok(());
        }
        let free: u64 = self
            .free_lots(lot.unit, month, month)
            .filter_map(|id| self.lots.get(id))
            .fold(0, |sum, lot| sum.saturating_add(lot.count));
        let left = i128::from(free).saturating_sub(count.into());
        if left < needed.into() {
            return Err(Rejection::ReservedForGreen.of("count", count, free));
        }
        Ok(())
    }

    /// Runs of a unit's months that can go to a green contract.
    fn free_lots(
        &self,
        unit: UnitId,
        from: Month,
        to: Month,
    ) -> impl Iterator<Item = CertificateLotId> {
        let days = (from.first_day(), super::project::last_day(to));
        self.lot_index.of_unit(unit, days).filter(|id| {
            self.lots.get(*id).is_some_and(|lot| {
                lot.state == CertificateState::Issued
                    && lot.kind == CertificateKind::Tradable
                    && lot.offer.is_none()
                    && !lot.is_frozen()
            })
        })
    }

    pub(super) fn check_green_settlement(
        &self,
        caller: &Caller,
        request: &SettleGreen,
    ) -> Result<Vec<GreenContractId>, Refusal> {
        caller.needs(&[Role::Exchange])?;
        self.check_month_over(request.month)?;
        let due = self.green_contracts.rows().values().filter_map(GreenContract::due).min();
        if due != Some(request.month) {
            let next = due.map_or(0, Month::months);
            return Err(Rejection::NothingGreen.of("month", request.month.months(), next));
        }
        let rows = self.green_contracts.rows().iter();
        let due = rows.filter(|(_, row)| row.due() == Some(request.month));
        Ok(due.map(|(id, _)| *id).collect())
    }

    /// Shares what a unit generated or used over the contracts that name it.
    fn green_shares(
        &self,
        ids: &[GreenContractId],
        month: Month,
        unit_of: impl Fn(&GreenTerms) -> UnitId,
    ) -> Result<Shares, BrokenInvariant> {
        let mut by_unit: BTreeMap<UnitId, Vec<(GreenContractId, Energy)>> = BTreeMap::new();
        for id in ids {
            let Some(row) = self.green_contracts.get(*id) else { continue };
            by_unit.entry(unit_of(&row.terms)).or_default().push((*id, row.terms.energy));
        }
        let mut shares = Shares::new();
        for (unit, contracts) in by_unit {
            let energy = self.unit_months.get((unit, month)).map(|row| row.energy);
            let contracted: Vec<Energy> = contracts.iter().map(|(_, energy)| *energy).collect();
            let parts = share_over_contracts(energy.unwrap_or_default(), &contracted)?;
            shares.extend(contracts.iter().map(|(id, _)| *id).zip(parts));
        }
        Ok(shares)
    }

    pub(super) fn settle_green(
        &mut self,
        caller: Caller,
        request: &SettleGreen,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let ids = self.check_green_settlement(&caller, request)?;
        let month = request.month;
        let generated = self.green_shares(&ids, month, |terms| terms.unit)?;
        let used = self.green_shares(&ids, month, |terms| terms.user)?;
        for id in &ids {
            let share = |of: &Shares| of.get(id).copied().unwrap_or_default();
            let shares = (share(&generated), share(&used));
            self.settle_contract(&caller, (*id, month), shares, events)?;
        }
        Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
    }

    fn settle_contract(
        &mut self,
        caller: &Caller,
        (id, month): (GreenContractId, Month),
        (generated, used): (Energy, Energy),
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let Some(mut row) = self.green_contracts.get(id).cloned() else { return Ok(()) };
        let carry = row.carry;
        let input = GreenInput { contracted: row.terms.energy, generated, used, carry };
        let settled = green::settle(&input)?;
        let due =
            u64::try_from(settled.certificates).map_err(|_| BrokenInvariant("certificates"))?;
        let moved = self.hand_over(&row, month, due, events);
        // What was generated but has no free certificate yet waits for one, as the tail does.
        let late = energy_of(due.saturating_sub(moved))?;
        row.carry = settled.carry.plus(late)?;
        let amount = row.terms.value.cost_of(energy_of(moved)?)?;
        let of = (id, month, &row);
        let parties = (row.consumer, row.generator);
        self.green_line(caller, of, parties, (LineItem::GreenValue, energy_of(moved)?, amount))?;
        let cause = match generated.cmp(&used) {
            _ if settled.shortfall.is_zero() => ShortfallCause::Nobody,
            std::cmp::Ordering::Less => ShortfallCause::Generator,
            std::cmp::Ordering::Greater => ShortfallCause::User,
            std::cmp::Ordering::Equal => ShortfallCause::Nobody,
        };
        let shortfall = settled.shortfall;
        let compensation = self.compensate(caller, (id, month, &row), shortfall, cause)?;
        let certificates = moved;
        row.months.push(GreenMonth {
            month,
            generated,
            used,
            certificates,
            amount,
            shortfall,
            cause,
            compensation,
        });
        if month >= row.terms.to {
            row.state = GreenState::Ended;
        }
        self.green_contracts.insert(id, row);
        events.push(Event::GreenSettled {
            contract: id,
            month,
            certificates,
            amount,
            compensation,
        });
        Ok(())
    }

    /// Posts a line of a month's settlement, into the statements of that month, or of the current
    /// one if that is closed.
    fn green_line(
        &mut self,
        caller: &Caller,
        (id, month, row): (GreenContractId, Month, &GreenContract),
        (payer, payee): (OrganisationId, OrganisationId),
        (item, energy, amount): (LineItem, Energy, Money),
    ) -> Result<(), BrokenInvariant> {
        if amount.is_zero() {
            return Ok(());
        }
        let line = StatementLine {
            session: self.last_settled(month),
            period: 0,
            item,
            unit: row.terms.unit,
            trade: None,
            payer,
            payee,
            energy,
            price: Some(row.terms.value),
            amount,
        };
        let stated = if self.is_closed(month) { caller.time.day().month() } else { month };
        self.add_later_line(LaterLine {
            month: stated,
            line,
            place: None,
            objection: None,
            green: Some(id),
            by: caller.signer,
            time: caller.time,
            height: self.height(),
            reason: String::new(),
        })?;
        Ok(())
    }

    fn compensate(
        &mut self,
        caller: &Caller,
        (id, month, row): (GreenContractId, Month, &GreenContract),
        shortfall: Energy,
        cause: ShortfallCause,
    ) -> Result<Money, BrokenInvariant> {
        let (value, share): (Price, BasisPoints) = (row.terms.value, row.terms.shortfall);
        let parties = match cause {
            ShortfallCause::Nobody => return Ok(Money::ZERO),
            ShortfallCause::Generator => (row.generator, row.consumer),
            ShortfallCause::User => (row.consumer, row.generator),
        };
        let amount = shortfall_charge(shortfall, &ShortfallTerms { value, share })?;
        let what = (LineItem::GreenShortfall, shortfall, amount);
        self.green_line(caller, (id, month, row), parties, what)?;
        Ok(amount)
    }

    /// Moves up to `due` free certificates of the contract's unit and months to the user, oldest
    /// first, and returns how many there were.
    fn hand_over(
        &mut self,
        row: &GreenContract,
        month: Month,
        due: u64,
        events: &mut Vec<Event>,
    ) -> u64 {
        let lots: Vec<CertificateLotId> =
            self.free_lots(row.terms.unit, row.terms.from, month).collect();
        let mut moved = 0_u64;
        for id in lots {
            let Some(lot) = self.lots.get(id).cloned() else { continue };
            let count = lot.count.min(due.saturating_sub(moved));
            if count == 0 {
                break;
            }
            let lot = self.move_lot((id, count), &lot, row.consumer);
            events.push(Event::CertificatesTransferred { lot, to: row.consumer, count });
            moved = moved.saturating_add(count);
        }
        moved
    }
}

/// The energy that certificates prove.
fn energy_of(certificates: u64) -> Result<Energy, BrokenInvariant> {
    i64::try_from(certificates)
        .ok()
        .and_then(|count| count.checked_mul(ENERGY_OF_ONE.kwh()))
        .map(Energy::from_kwh)
        .ok_or(BrokenInvariant("energy of certificates"))
}
