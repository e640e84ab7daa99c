//! What each member has: an index derived from the rows.

use crate::ids::{OrganisationId, ProposalId, SessionId, TradeId, UnitId};
use std::collections::{BTreeMap, BTreeSet};

/// Finds the units of a member, and what it has of what a session has room for.
#[derive(Clone, Debug)]
pub(crate) struct MemberIndex {
    units: BTreeSet<(OrganisationId, UnitId)>,
    orders: BTreeMap<(SessionId, OrganisationId), u32>,
    proposals: BTreeSet<(SessionId, OrganisationId, ProposalId)>,
    trades: BTreeSet<(SessionId, OrganisationId, TradeId)>,
}

impl MemberIndex {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self {
            units: BTreeSet::new(),
            orders: BTreeMap::new(),
            proposals: BTreeSet::new(),
            trades: BTreeSet::new(),
        }
    }

    /// Takes a unit in; it keeps its owner.
    pub(crate) fn add_unit(&mut self, owner: OrganisationId, unit: UnitId) {
        self.units.insert((owner, unit));
    }

    /// The units of a member.
    pub(crate) fn units(&self, owner: OrganisationId) -> impl Iterator<Item = UnitId> + '_ {
        self.units.range((owner, UnitId(0))..=(owner, UnitId(u32::MAX))).map(|(_, unit)| *unit)
    }

    /// Counts an order of a session.
    pub(crate) fn add_order(&mut self, session: SessionId, owner: OrganisationId) {
        let count = self.orders.entry((session, owner)).or_default();
        *count = count.saturating_add(1);
    }

    /// How many orders a member has placed in a session, those included that ended.
    pub(crate) fn orders(&self, session: SessionId, owner: OrganisationId) -> u32 {
        self.orders.get(&(session, owner)).copied().unwrap_or(0)
    }

    /// Takes in a trade of a session, of both its parties.
    pub(crate) fn add_trade(&mut self, of: SessionId, parties: [OrganisationId; 2], id: TradeId) {
        self.trades.extend(parties.map(|party| (of, party, id)));
    }

    /// Takes out a trade that was taken back.
    pub(crate) fn remove_trade(
        &mut self,
        of: SessionId,
        parties: [OrganisationId; 2],
        id: TradeId,
    ) {
        for party in parties {
            self.trades.remove(&(of, party, id));
        }
    }

    /// The trades of a member in a session, in order.
    pub(crate) fn trades(
        &self,
        session: SessionId,
        party: OrganisationId,
    ) -> impl Iterator<Item = TradeId> + '_ {
        let (first, last) = (TradeId(0), TradeId(u64::MAX));
        self.trades.range((session, party, first)..=(session, party, last)).map(|(_, _, id)| *id)
    }

    /// The trades of a session, in order.
    pub(crate) fn session_trades(&self, session: SessionId) -> BTreeSet<TradeId> {
        let first = (session, OrganisationId(0), TradeId(0));
        let last = (session, OrganisationId(u32::MAX), TradeId(u64::MAX));
        self.trades.range(first..=last).map(|(_, _, id)| *id).collect()
    }

    /// Takes in a proposal that is open.
    pub(crate) fn open(&mut self, session: SessionId, owner: OrganisationId, id: ProposalId) {
        self.proposals.insert((session, owner, id));
    }

    /// Takes out a proposal that ended.
    pub(crate) fn end(&mut self, session: SessionId, owner: OrganisationId, id: ProposalId) {
        self.proposals.remove(&(session, owner, id));
    }

    /// The open proposals of a session.
    pub(crate) fn proposals(&self, session: SessionId) -> impl Iterator<Item = ProposalId> + '_ {
        let (first, last) = (OrganisationId(0), OrganisationId(u32::MAX));
        self.range(session, (first, last))
    }

    /// The open proposals of a member in a session.
    pub(crate) fn own_proposals(
        &self,
        session: SessionId,
        owner: OrganisationId,
    ) -> impl Iterator<Item = ProposalId> + '_ {
        self.range(session, (owner, owner))
    }

    fn range(
        &self,
        session: SessionId,
        (first, last): (OrganisationId, OrganisationId),
    ) -> impl Iterator<Item = ProposalId> + '_ {
        let first = (session, first, ProposalId(0));
        let last = (session, last, ProposalId(u64::MAX));
        self.proposals.range(first..=last).map(|(_, _, id)| *id)
    }

    /// Drops what belongs to a session.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.orders.retain(|(of, _), _| *of != session);
        self.proposals.retain(|(of, _, _)| *of != session);
        self.trades.retain(|(of, _, _)| *of != session);
    }
}
