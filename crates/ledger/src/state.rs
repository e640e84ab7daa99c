//! The state: every table of the ledger, in memory and in order.

mod tables;
mod totals;

use crate::book::{Book, Depth};
use crate::codec::{DecodeError, record};
use crate::genesis::{Genesis, GenesisError};
use crate::hash::Digest;
use crate::ids::{
    CertificateLotId, ChannelId, DispatchId, OrderId, OrganisationId, PaymentId, PublicKey,
    SessionId, TradeId, UnitId,
};
use crate::records::{
    AccountKey, AccountKind, CarbonMarket, CertificateLot, Counter, OrderStatus, ProposalState,
    Role,
};
use duet_units::{Allowances, ClockTime, Energy, Money, OverflowError};

pub use tables::State;
pub use totals::Totals;

/// The rows that a block changed, by key; `None` is a removed row.
pub type Delta = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// A rule that the ledger keeps by construction did not hold: the validator must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("broken invariant: {0}")]
pub struct BrokenInvariant(pub &'static str);

impl From<duet_units::OverflowError> for BrokenInvariant {
    fn from(error: duet_units::OverflowError) -> Self {
        Self(error.operation)
    }
}

record! {
    /// The one row that every block changes.
    pub struct Progress {
        /// The height of the last block applied.
        pub height: u64,
        /// Its time.
        pub time: ClockTime,
        /// The chain of receipts up to it.
        pub receipts_root: Digest,
        /// The next number of each kind.
        pub next_session: SessionId,
        /// See `next_session`.
        pub next_order: OrderId,
        /// See `next_session`.
        pub next_trade: TradeId,
        /// See `next_session`.
        pub next_payment: PaymentId,
        /// See `next_session`.
        pub next_dispatch: DispatchId,
        /// See `next_session`.
        pub next_lot: CertificateLotId,
        /// The number of the next certificate.
        pub next_certificate: u64,
        /// All allowances ever allocated.
        pub allocated: Allowances,
        /// All orders ever accepted.
        pub accepted: u64,
    }
}

impl Progress {
    /// Before the first block: numbers start at 1.
    const fn start(time: ClockTime, receipts_root: Digest) -> Self {
        Self {
            height: 0,
            time,
            receipts_root,
            next_session: SessionId(1),
            next_order: OrderId(1),
            next_trade: TradeId(1),
            next_payment: PaymentId(1),
            next_dispatch: DispatchId(1),
            next_lot: CertificateLotId(1),
            next_certificate: 1,
            allocated: Allowances::ZERO,
            accepted: 0,
        }
    }
}

impl State {
    fn empty(genesis: &Genesis) -> Result<Self, GenesisError> {
        genesis.check()?;
        let [exchange, grid, bank] = [Role::Exchange, Role::Dispatcher, Role::Bank];
        let operators = [genesis.holder(exchange)?, genesis.holder(grid)?, genesis.holder(bank)?];
        Ok(Self::bare(genesis.channel(), operators))
    }

    /// The state at height 0. Its delta holds every row of it.
    ///
    /// # Errors
    ///
    /// Returns [`GenesisError`] if the genesis cannot begin a channel.
    pub fn genesis(genesis: &Genesis) -> Result<Self, GenesisError> {
        let mut state = Self::empty(genesis)?;
        state.progress.insert((), Progress::start(genesis.time, genesis.channel()));
        let mut id = OrganisationId(0);
        for organisation in &genesis.organisations {
            state.organisations.insert(id, organisation.clone());
            id = id.next();
        }
        for registration in &genesis.identities {
            state.identities.insert(registration.key, registration.identity.clone());
        }
        let mut id = UnitId(0);
        for unit in &genesis.units {
            state.members.add_unit(unit.owner, id);
            state.units.insert(id, unit.clone());
            id = id.next();
        }
        for rule in &genesis.rules {
            state.add_rule(rule);
        }
        Ok(state)
    }

    /// The state whose rows a store holds.
    ///
    /// # Errors
    ///
    /// Returns [`DecodeError`] if a row is not canonical or of an unknown table, or if the
    /// genesis, which must be the channel's, cannot begin one.
    pub fn restore<'a>(
        genesis: &Genesis,
        rows: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, DecodeError> {
        let mut state = Self::empty(genesis)
            .map_err(|_| DecodeError::UnknownTag { field: "genesis", value: 0 })?;
        for (key, row) in rows {
            let (tag, key) = key.split_first().ok_or(DecodeError::Truncated("key"))?;
            state.restore_row(*tag, key, row)?;
        }
        state
            .rebuild_indexes()
            .map_err(|_| DecodeError::UnknownTag { field: "trade", value: 0 })?;
        Ok(state)
    }

    fn rebuild_indexes(&mut self) -> Result<(), OverflowError> {
        self.lot_index = self.lots.rows().iter().collect();
        self.rebuild_members();
        let orders: Vec<OrderId> = self.orders.rows().keys().copied().collect();
        for id in orders {
            let Some(order) = self.orders.get(id) else { continue };
            if order.status == OrderStatus::Cancelled {
                continue;
            }
            self.books.entry((order.session, order.period)).or_default().push(id);
            if order.status == OrderStatus::Pending {
                let (unit, side, left) = (order.unit, order.side, order.left()?);
                let key = (order.session, unit, order.period);
                self.commit(key, side, left)?;
                self.restore_standing(id)?;
            }
        }
        for (taker, listing) in self.takes.rows() {
            let quantity = self.orders.get(*taker).filter(|o| o.status != OrderStatus::Cancelled);
            if let Some(order) = quantity {
                let taken = self.taken.entry(*listing).or_default();
                *taken = taken.plus(order.quantity)?;
            }
        }
        let trades: Vec<(OrderId, OrderId, Energy)> = self
            .trades
            .rows()
            .values()
            .filter(|trade| !trade.defaulted)
            .map(|trade| (trade.buy, trade.sell, trade.quantity))
            .collect();
        for (buy, sell, energy) in trades {
            self.add_position(buy, energy)?;
            self.add_position(sell, energy)?;
        }
        Ok(())
    }

    fn rebuild_members(&mut self) {
        for (id, unit) in self.units.rows() {
            self.members.add_unit(unit.owner, *id);
        }
        for order in self.orders.rows().values() {
            self.members.add_order(order.session, order.owner);
        }
        for (id, trade) in self.trades.rows() {
            if let Some(parties) = self.parties(trade.buy, trade.sell) {
                self.members.add_trade(trade.session, parties, *id);
            }
        }
        for (id, proposal) in self.proposals.rows() {
            if proposal.state == ProposalState::Proposed {
                self.members.open(proposal.terms.session, proposal.proposer, *id);
            }
        }
    }

    /// The channel.
    #[must_use]
    pub const fn channel(&self) -> &ChannelId {
        &self.channel
    }

    /// How far the ledger has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        // The row is there from the genesis on.
        let nothing = || Progress::start(ClockTime::default(), [0; 32]);
        self.progress.get(()).cloned().unwrap_or_else(nothing)
    }

    /// Changes how far the ledger has come, in place.
    pub(crate) fn change_progress<T>(&mut self, change: impl FnOnce(&mut Progress) -> T) -> T {
        if let Some(progress) = self.progress.get_mut(()) {
            return change(progress);
        }
        let mut progress = self.progress();
        let result = change(&mut progress);
        self.progress.insert((), progress);
        result
    }

    /// Gives out the next number of a kind; the first is 1.
    pub(crate) fn next_number(&mut self, counter: Counter) -> u64 {
        let next = self.counters.get(counter).copied().unwrap_or(0).saturating_add(1);
        self.counters.insert(counter, next);
        next
    }

    /// The height of the last block applied.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.progress.get(()).map_or(0, |progress| progress.height)
    }

    /// The time of the last block applied.
    #[must_use]
    pub fn time(&self) -> ClockTime {
        self.progress.get(()).map_or_else(ClockTime::default, |progress| progress.time)
    }

    /// The last nonce that `signer` used; 0 before the first.
    #[must_use]
    pub fn nonce(&self, signer: PublicKey) -> u64 {
        self.nonces.get(signer).copied().unwrap_or(0)
    }

    /// The money on an account.
    #[must_use]
    pub fn balance(&self, organisation: OrganisationId, kind: AccountKind) -> Money {
        self.balances
            .get(AccountKey { organisation, kind })
            .map_or(Money::ZERO, |balance| balance.amount)
    }

    /// The best levels of the book of one period, without owners; of a session that does not match
    /// on arrival, none.
    #[must_use]
    pub fn depth(&self, session: SessionId, period: u8) -> Depth {
        self.live.get(&(session, period)).map_or_else(Depth::default, Book::depth)
    }

    /// The allowance market and its day; none before its first terms.
    #[must_use]
    pub fn carbon_market(&self) -> Option<&CarbonMarket> {
        self.carbon_market.get(())
    }

    /// The run that holds the certificate with this number.
    #[must_use]
    pub fn lot_of(&self, certificate: u64) -> Option<(CertificateLotId, &CertificateLot)> {
        let id = self.lot_index.holder(certificate)?;
        let lot = self.lots.get(id)?;
        (certificate.checked_sub(lot.first)? < lot.count).then_some((id, lot))
    }
}
