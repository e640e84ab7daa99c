//! Limits before trading.

use super::{Big, CalendarMonth, shape};
use duet_ledger::{OrganisationId, SessionId};
use duet_units::{BasisPoints, Energy};

shape! {
    /// The limits of an organisation in a month of delivery.
    SetLimits {
        /// Whose.
        organisation: u32,
        /// The month of delivery.
        month: CalendarMonth,
        /// The highest net position.
        net_kwh: i64,
        /// The highest cumulative position: all that was bought and sold.
        cumulative_kwh: i64,
        /// The share of the net position that may be traded back (K1).
        back_bp: i64,
        /// The most of one hour, over all sessions; none if only the units' capacity counts.
        hourly_kwh: Option<i64>,
    }
}

shape! {
    /// The limits of every organisation in a session.
    SetSessionLimits {
        /// The session.
        session: u32,
        /// The declared volume of the session, over all its periods and days.
        volume_kwh: i64,
        /// The share of it that one organisation may order.
        share_bp: i64,
        /// The most that one organisation may order, whatever the volume.
        position_kwh: i64,
    }
}

shape! {
    /// An organisation's limits and what it has used of them in a month of delivery.
    MonthLimits {
        /// The month of delivery.
        month: CalendarMonth,
        /// The limits; none if the exchange has set none.
        limits: Option<SetLimits>,
        /// The net position that is traded.
        net_kwh: i64,
        /// All that is traded or open, regardless of direction.
        cumulative_kwh: i64,
        /// Open orders that would enlarge the net position.
        open_enlarging_kwh: i64,
        /// Open orders that would reduce it.
        open_reducing_kwh: i64,
    }
}

shape! {
    /// What an organisation is asked for whose payment failed.
    Dunning {
        /// The guarantee that it must hold before it orders again.
        level_fen: Big,
        /// What was drawn from its guarantee.
        drawn_fen: Big,
        /// What its trades that were unwound would have cost.
        unwound_fen: Big,
        /// How many payments failed.
        payments: u32,
        /// When the last one did.
        since_ms: i64,
    }
}

shape! {
    /// The settlement risk of an organisation, and what it comes from.
    SettlementRisk {
        /// What its account is overdrawn by.
        overdue_fen: Big,
        /// Payments proposed to the bank; held in escrow, so no risk.
        billed_fen: Big,
        /// Trades of sessions that have not cleared; held in escrow, so no risk.
        unbilled_fen: Big,
        /// The use of an average day of the month with the highest use.
        daily_use_kwh: i64,
        /// What a kWh of it is reckoned at.
        unit_charge_milli_yuan_per_mwh: i64,
        /// What the guarantee must cover: what is overdue and three days of use, at least 10,000
        /// yuan.
        risk_fen: Big,
    }
}

shape! {
    /// An organisation's limits and guarantee.
    Limits {
        /// The organisation.
        organisation: u32,
        /// By month of delivery: those with limits or trades.
        months: Vec<MonthLimits>,
        /// What it has set aside as a guarantee.
        guarantee_fen: Big,
        /// What of it its orders, contracts and settlement risk need.
        guarantee_needed_fen: Big,
        /// Its settlement risk; none without a live session whose rule asks for a guarantee.
        settlement_risk: Option<SettlementRisk>,
        /// What is asked of it after a failed payment; none if nothing is, or no more.
        dunning: Option<Dunning>,
    }
}

impl From<SetLimits> for duet_ledger::SetLimits {
    fn from(wire: SetLimits) -> Self {
        Self {
            organisation: OrganisationId(wire.organisation),
            month: wire.month.0,
            limits: duet_ledger::MemberLimits {
                net: Energy::from_kwh(wire.net_kwh),
                cumulative: Energy::from_kwh(wire.cumulative_kwh),
                back: BasisPoints::from_bp(wire.back_bp),
                hourly: wire.hourly_kwh.map(Energy::from_kwh),
            },
        }
    }
}

impl From<duet_ledger::SetLimits> for SetLimits {
    fn from(row: duet_ledger::SetLimits) -> Self {
        Self {
            organisation: row.organisation.0,
            month: CalendarMonth(row.month),
            net_kwh: row.limits.net.kwh(),
            cumulative_kwh: row.limits.cumulative.kwh(),
            back_bp: row.limits.back.bp(),
            hourly_kwh: row.limits.hourly.map(Energy::kwh),
        }
    }
}

impl From<SetSessionLimits> for duet_ledger::SetSessionLimits {
    fn from(wire: SetSessionLimits) -> Self {
        Self {
            session: SessionId(wire.session),
            limits: duet_ledger::SessionLimits {
                volume: Energy::from_kwh(wire.volume_kwh),
                share: BasisPoints::from_bp(wire.share_bp),
                position: Energy::from_kwh(wire.position_kwh),
            },
        }
    }
}

impl From<duet_ledger::SetSessionLimits> for SetSessionLimits {
    fn from(row: duet_ledger::SetSessionLimits) -> Self {
        Self {
            session: row.session.0,
            volume_kwh: row.limits.volume.kwh(),
            share_bp: row.limits.share.bp(),
            position_kwh: row.limits.position.kwh(),
        }
    }
}

impl Limits {
    /// An organisation's limits in a state.
    ///
    /// # Errors
    ///
    /// Returns [`duet_units::OverflowError`] if a sum does not fit.
    pub fn new(
        state: &duet_ledger::State,
        organisation: OrganisationId,
    ) -> Result<Self, duet_units::OverflowError> {
        let kind = duet_ledger::AccountKind::Guarantee;
        let months = state.months_of(organisation).into_iter();
        Ok(Self {
            organisation: organisation.0,
            months: months
                .map(|month| MonthLimits::new(state, organisation, month))
                .collect::<Result<_, _>>()?,
            guarantee_fen: Big(state.balance(organisation, kind).fen()),
            guarantee_needed_fen: Big(state.guarantee_needed(organisation)?.fen()),
            settlement_risk: state.settlement_risk(organisation)?.map(Into::into),
            dunning: state.dunning(organisation).map(Dunning::new),
        })
    }
}

impl From<duet_ledger::SettlementRisk> for SettlementRisk {
    fn from(row: duet_ledger::SettlementRisk) -> Self {
        Self {
            overdue_fen: Big(row.overdue.fen()),
            billed_fen: Big(row.billed.fen()),
            unbilled_fen: Big(row.unbilled.fen()),
            daily_use_kwh: row.daily_use.kwh(),
            unit_charge_milli_yuan_per_mwh: row.unit_charge.milli_yuan_per_mwh(),
            risk_fen: Big(row.risk.fen()),
        }
    }
}

impl Dunning {
    fn new(row: &duet_ledger::Dunning) -> Self {
        Self {
            level_fen: Big(row.level.fen()),
            drawn_fen: Big(row.drawn.fen()),
            unwound_fen: Big(row.unwound.fen()),
            payments: row.payments,
            since_ms: row.since.unix_ms(),
        }
    }
}

impl MonthLimits {
    fn new(
        state: &duet_ledger::State,
        organisation: OrganisationId,
        month: duet_units::Month,
    ) -> Result<Self, duet_units::OverflowError> {
        let position = state.month_position(organisation, month)?;
        let limits = state.limits_of(organisation, month).cloned();
        let limits = limits.map(|limits| duet_ledger::SetLimits { organisation, month, limits });
        Ok(Self {
            month: CalendarMonth(month),
            limits: limits.map(Into::into),
            net_kwh: position.net.kwh(),
            cumulative_kwh: position.cumulative.kwh(),
            open_enlarging_kwh: position.open_enlarging.kwh(),
            open_reducing_kwh: position.open_reducing.kwh(),
        })
    }
}
