//! The state: every table of the ledger, in memory and in order.

use crate::book::{Book, Depth};
use crate::codec::{DecodeError, record};
use crate::genesis::{Genesis, GenesisError};
use crate::hash::Digest;
use crate::ids::GreenContractId;
use crate::ids::{
    CarbonBiddingId, CarbonDealId, CarbonOrderId, CcerProjectId, CertificateLotId,
    CertificateOfferId, ChannelId, CreditLotId, DispatchId, OrderId, OrganisationId, PaymentId,
    ProposalId, PublicKey, RuleId, SessionId, TradeId, UnitId,
};
use crate::lots::LotIndex;
use crate::records::GreenContract;
use crate::records::PublishedPrices;
use crate::records::{
    AccountKey, AccountKind, Balance, CarbonAccount, CarbonBidding, CarbonDeal, CarbonMarket,
    CarbonOrder, CarbonShare, CcerProject, CertificateKind, CertificateLot, CertificateOffer,
    CertifiedUnit, ClaimedUse, CompliancePeriod, Counter, CreditLot, CurtailmentRecord, Cut,
    Device, Dispatch, Enrolment, Identity, InterventionRecord, LaterLine, ListingRole, MarketRule,
    MeterMonth, MeterRecord, MonthStatement, Objection, Obligation, Order, OrderStatus,
    Organisation, PassThrough, Payment, PeriodClearing, Proposal, Role, Seal, Session,
    StatementLine, Trade, Unit, UnitMonth,
};
use crate::records::{MemberLimits, MonthTraded, SessionLimits};
use crate::table::Table;
use duet_units::{Allowances, ClockTime, DeliveryDay, Energy, Money, Month, OverflowError, Price};
use std::collections::BTreeMap;

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

/// Sums over the whole state, for the conservation of money, allowances and certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The sum of all balances: always zero.
    pub money: Money,
    /// Allowances ever allocated.
    pub allocated: Allowances,
    /// Allowances free, locked, surrendered and expired, over all accounts: always the same as
    /// allocated.
    pub held: Allowances,
    /// Certificates ever issued.
    pub certificates_issued: u64,
    /// Certificates in all runs, retired ones included: always the same as issued.
    pub certificates_held: u64,
    /// Carbon credits ever issued.
    pub credits_issued: u64,
    /// Carbon credits in all runs, retired ones included: always the same as issued.
    pub credits_held: u64,
}

/// The state of a channel after a block.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) channel: ChannelId,
    pub(crate) exchange: OrganisationId,
    pub(crate) grid: OrganisationId,
    pub(crate) bank: OrganisationId,
    pub(crate) progress: Table<(), Progress>,
    pub(crate) organisations: Table<OrganisationId, Organisation>,
    pub(crate) identities: Table<PublicKey, Identity>,
    pub(crate) nonces: Table<PublicKey, u64>,
    pub(crate) units: Table<UnitId, Unit>,
    pub(crate) balances: Table<AccountKey, Balance>,
    pub(crate) sessions: Table<SessionId, Session>,
    pub(crate) orders: Table<OrderId, Order>,
    pub(crate) trades: Table<TradeId, Trade>,
    pub(crate) clearings: Table<(SessionId, u8), PeriodClearing>,
    pub(crate) payments: Table<PaymentId, Payment>,
    pub(crate) dispatches: Table<DispatchId, Dispatch>,
    pub(crate) readings: Table<(UnitId, DeliveryDay, u8), MeterRecord>,
    pub(crate) lines: Table<(SessionId, u32), StatementLine>,
    pub(crate) carbon: Table<OrganisationId, CarbonAccount>,
    /// How the certificates of a unit come about, once it was metered or registered.
    pub(crate) certified: Table<UnitId, CertifiedUnit>,
    pub(crate) lots: Table<CertificateLotId, CertificateLot>,
    /// References of deposits and allocations that have counted, by the organisation that gave
    /// them.
    pub(crate) references: Table<(OrganisationId, u64), ()>,
    /// The last number given out of each kind that `progress` does not count.
    pub(crate) counters: Table<Counter, u64>,
    /// What devices have sent: no more rows than identities.
    pub(crate) devices: Table<PublicKey, Device>,
    /// Since when units have the devices that they have: no more rows than units.
    pub(crate) enrolments: Table<UnitId, Enrolment>,
    pub(crate) rules: Table<RuleId, MarketRule>,
    /// What carbon did to the price of each period of a joint session.
    pub(crate) pass_through: Table<(SessionId, u8), PassThrough>,
    /// Who answers for the emissions of a settled joint session.
    pub(crate) carbon_shares: Table<(SessionId, OrganisationId), CarbonShare>,
    pub(crate) carbon_market: Table<(), CarbonMarket>,
    pub(crate) carbon_orders: Table<CarbonOrderId, CarbonOrder>,
    pub(crate) carbon_biddings: Table<CarbonBiddingId, CarbonBidding>,
    pub(crate) carbon_deals: Table<CarbonDealId, CarbonDeal>,
    pub(crate) credits: Table<CreditLotId, CreditLot>,
    /// Hashes of the outside ids of credits that have counted.
    pub(crate) outside_ids: Table<Digest, ()>,
    pub(crate) obligations: Table<(u16, OrganisationId), Obligation>,
    pub(crate) compliance_periods: Table<u16, CompliancePeriod>,
    /// What operators did to sessions, the latest ones.
    pub(crate) interventions: Table<u64, InterventionRecord>,
    /// Seals of settled days, the latest ones.
    pub(crate) seals: Table<SessionId, Seal>,
    /// Proposed contracts of the sessions that are kept.
    pub(crate) proposals: Table<ProposalId, Proposal>,
    /// What each taker's order takes of.
    pub(crate) takes: Table<OrderId, OrderId>,
    /// What members do in listing sessions.
    pub(crate) listing_roles: Table<(SessionId, OrganisationId), ListingRole>,
    /// Of a settled session: what each unit's energy got, and what it had metered and not
    /// certified before it.
    pub(crate) openings: Table<(SessionId, UnitId), (CertificateKind, Energy)>,
    /// Energy by unit and month of the last four years.
    pub(crate) unit_months: Table<(UnitId, Month), UnitMonth>,
    /// Green use claimed, by organisation and year.
    pub(crate) claims: Table<(OrganisationId, i32), ClaimedUse>,
    pub(crate) projects: Table<CcerProjectId, CcerProject>,
    pub(crate) offers: Table<CertificateOfferId, CertificateOffer>,
    /// Monthly statements of organisations.
    pub(crate) months: Table<(Month, OrganisationId), MonthStatement>,
    /// Objections to statement lines.
    pub(crate) objections: Table<u64, Objection>,
    /// Lines made after the settlement of their day.
    pub(crate) later_lines: Table<u64, LaterLine>,
    /// Meters over a month.
    pub(crate) meter_months: Table<(Month, UnitId), MeterMonth>,
    /// Real-time prices of days.
    pub(crate) prices: Table<DeliveryDay, PublishedPrices>,
    /// What was cut of trades, by day and period of its settlement.
    pub(crate) cuts: Table<(DeliveryDay, TradeId, u8), Cut>,
    /// Curtailments.
    pub(crate) curtailments: Table<u64, CurtailmentRecord>,
    /// The limits of organisations by month: of months that are not long past.
    pub(crate) member_limits: Table<(OrganisationId, Month), MemberLimits>,
    /// What organisations have traded by month: of months that are not long past.
    pub(crate) traded: Table<(OrganisationId, Month), MonthTraded>,
    /// The limits of the sessions that are kept.
    pub(crate) session_limits: Table<SessionId, SessionLimits>,
    pub(crate) green: Table<GreenContractId, GreenContract>,
    /// Derived: pending and filled orders by session and period, in order of acceptance.
    pub(crate) books: BTreeMap<(SessionId, u8), Vec<OrderId>>,
    /// The last price of each period in a continuous phase after a call.
    pub(crate) last_prices: Table<(SessionId, u8), Price>,
    /// Derived: the books of sessions that match on arrival, by session and period.
    pub(crate) live: BTreeMap<(SessionId, u8), Book>,
    /// Derived: energy of pending orders by session, unit and period; of orders that would take
    /// from the unit's position, negative.
    pub(crate) commitments: BTreeMap<(SessionId, UnitId, u8), Energy>,
    /// Derived: how much of each listing is taken.
    pub(crate) taken: BTreeMap<OrderId, Energy>,
    /// Derived: what each unit sold less what it bought by session and period, of a point of
    /// consumption the reverse; trades in default left out.
    pub(crate) positions: BTreeMap<(SessionId, UnitId, u8), Energy>,
    /// Derived: where the runs of certificates are.
    pub(crate) lot_index: LotIndex,
}

/// Runs `$body` with `$table` standing for each table in turn, in the order of their tags.
macro_rules! each_table {
    ($state:ident, $table:ident => $body:expr) => {
        each_table!($state, $table => $body;
            progress organisations identities nonces units balances sessions orders trades
            clearings payments dispatches readings lines carbon certified lots references counters
            // One group of actions a line.
            devices enrolments
            rules pass_through carbon_shares
            proposals takes listing_roles
            carbon_market carbon_orders carbon_biddings carbon_deals
            credits outside_ids obligations
            unit_months claims projects offers green
            interventions seals openings months objections
            member_limits traded session_limits
            prices cuts
            later_lines
            compliance_periods
            meter_months
            curtailments
            last_prices
        )
    };
    ($state:ident, $table:ident => $body:expr; $($field:ident)*) => {{
        $({
            let $table = &mut $state.$field;
            $body
        })*
    }};
}

impl State {
    fn empty(genesis: &Genesis) -> Result<Self, GenesisError> {
        genesis.check()?;
        let [exchange, grid, bank] = [Role::Exchange, Role::Dispatcher, Role::Bank];
        let operators = [genesis.holder(exchange)?, genesis.holder(grid)?, genesis.holder(bank)?];
        Ok(Self::bare(genesis.channel(), operators))
    }

    /// No rows at all; the operators are exchange, grid company and bank.
    pub(crate) const fn bare(
        channel: ChannelId,
        [exchange, grid, bank]: [OrganisationId; 3],
    ) -> Self {
        Self {
            channel,
            exchange,
            grid,
            bank,
            progress: Table::new(1),
            organisations: Table::new(2),
            identities: Table::new(3),
            nonces: Table::new(4),
            units: Table::new(5),
            balances: Table::new(6),
            sessions: Table::new(7),
            orders: Table::new(8),
            trades: Table::new(9),
            clearings: Table::new(10),
            payments: Table::new(11),
            dispatches: Table::new(Dispatch::TABLE),
            readings: Table::new(13),
            lines: Table::new(14),
            carbon: Table::new(15),
            certified: Table::new(16),
            lots: Table::new(CertificateLot::TABLE),
            references: Table::new(18),
            counters: Table::new(19),
            devices: Table::new(20),
            enrolments: Table::new(21),
            rules: Table::new(24),
            pass_through: Table::new(25),
            carbon_shares: Table::new(26),
            carbon_market: Table::new(31),
            carbon_orders: Table::new(32),
            carbon_biddings: Table::new(33),
            carbon_deals: Table::new(34),
            proposals: Table::new(27),
            takes: Table::new(28),
            listing_roles: Table::new(29),
            credits: Table::new(35),
            outside_ids: Table::new(36),
            obligations: Table::new(37),
            interventions: Table::new(43),
            seals: Table::new(44),
            openings: Table::new(45),
            compliance_periods: Table::new(56),
            unit_months: Table::new(38),
            claims: Table::new(39),
            projects: Table::new(40),
            offers: Table::new(41),
            months: Table::new(46),
            objections: Table::new(47),
            later_lines: Table::new(55),
            meter_months: Table::new(57),
            prices: Table::new(53),
            cuts: Table::new(54),
            curtailments: Table::new(58),
            last_prices: Table::new(60),
            member_limits: Table::new(48),
            traded: Table::new(49),
            session_limits: Table::new(50),
            green: Table::new(42),
            books: BTreeMap::new(),
            live: BTreeMap::new(),
            commitments: BTreeMap::new(),
            positions: BTreeMap::new(),
            taken: BTreeMap::new(),
            lot_index: LotIndex::new(),
        }
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

    fn restore_row(&mut self, tag: u8, key: &[u8], row: &[u8]) -> Result<(), DecodeError> {
        each_table!(self, table => if table.tag() == tag {
            return table.restore(key, row);
        });
        Err(DecodeError::UnknownTag { field: "table", value: tag.into() })
    }

    fn rebuild_indexes(&mut self) -> Result<(), OverflowError> {
        self.lot_index = self.lots.rows().iter().collect();
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

    /// Takes the rows that changed since the last call.
    pub fn take_delta(&mut self) -> Delta {
        let mut delta = Vec::new();
        each_table!(self, table => table.drain_into(&mut delta));
        delta
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

    /// The organisations by number.
    #[must_use]
    pub const fn organisations(&self) -> &BTreeMap<OrganisationId, Organisation> {
        self.organisations.rows()
    }

    /// The identities by key.
    #[must_use]
    pub const fn identities(&self) -> &BTreeMap<PublicKey, Identity> {
        self.identities.rows()
    }

    /// The last nonce that `signer` used; 0 before the first.
    #[must_use]
    pub fn nonce(&self, signer: PublicKey) -> u64 {
        self.nonces.get(signer).copied().unwrap_or(0)
    }

    /// The units by number.
    #[must_use]
    pub const fn units(&self) -> &BTreeMap<UnitId, Unit> {
        self.units.rows()
    }

    /// The money on an account.
    #[must_use]
    pub fn balance(&self, organisation: OrganisationId, kind: AccountKind) -> Money {
        self.balances
            .get(AccountKey { organisation, kind })
            .map_or(Money::ZERO, |balance| balance.amount)
    }

    /// All balances by account.
    #[must_use]
    pub const fn balances(&self) -> &BTreeMap<AccountKey, Balance> {
        self.balances.rows()
    }

    /// The sessions by number: live ones and the last few that ended.
    #[must_use]
    pub const fn sessions(&self) -> &BTreeMap<SessionId, Session> {
        self.sessions.rows()
    }

    /// What carbon did to the price of each period of the joint sessions that are kept.
    #[must_use]
    pub const fn pass_through(&self) -> &BTreeMap<(SessionId, u8), PassThrough> {
        self.pass_through.rows()
    }

    /// Who answers for the emissions of the settled joint sessions that are kept.
    #[must_use]
    pub const fn carbon_shares(&self) -> &BTreeMap<(SessionId, OrganisationId), CarbonShare> {
        self.carbon_shares.rows()
    }

    /// The rules of the market by number; they are kept for ever.
    #[must_use]
    pub const fn rules(&self) -> &BTreeMap<RuleId, MarketRule> {
        self.rules.rows()
    }

    /// The orders of the sessions that are kept, by number.
    #[must_use]
    pub const fn orders(&self) -> &BTreeMap<OrderId, Order> {
        self.orders.rows()
    }

    /// The best levels of the book of one period, without owners; of a session that does not match
    /// on arrival, none.
    #[must_use]
    pub fn depth(&self, session: SessionId, period: u8) -> Depth {
        self.live.get(&(session, period)).map_or_else(Depth::default, Book::depth)
    }

    /// The trades of the sessions that are kept, by number.
    #[must_use]
    pub const fn trades(&self) -> &BTreeMap<TradeId, Trade> {
        self.trades.rows()
    }

    /// What each period of a session cleared at.
    #[must_use]
    pub const fn clearings(&self) -> &BTreeMap<(SessionId, u8), PeriodClearing> {
        self.clearings.rows()
    }

    /// The proposed contracts of the sessions that are kept, by number.
    #[must_use]
    pub const fn proposals(&self) -> &BTreeMap<ProposalId, Proposal> {
        self.proposals.rows()
    }

    /// What of the listings is taken: the taker's order, and the listing.
    #[must_use]
    pub const fn takes(&self) -> &BTreeMap<OrderId, OrderId> {
        self.takes.rows()
    }

    /// The payment instructions by number.
    #[must_use]
    pub const fn payments(&self) -> &BTreeMap<PaymentId, Payment> {
        self.payments.rows()
    }

    /// The dispatches by number.
    #[must_use]
    pub const fn dispatches(&self) -> &BTreeMap<DispatchId, Dispatch> {
        self.dispatches.rows()
    }

    /// The meter readings by unit, day and period.
    #[must_use]
    pub const fn readings(&self) -> &BTreeMap<(UnitId, DeliveryDay, u8), MeterRecord> {
        self.readings.rows()
    }

    /// What devices have sent, by their keys.
    #[must_use]
    pub const fn devices(&self) -> &BTreeMap<PublicKey, Device> {
        self.devices.rows()
    }

    /// Since when units have their devices, where that was changed.
    #[must_use]
    pub const fn enrolments(&self) -> &BTreeMap<UnitId, Enrolment> {
        self.enrolments.rows()
    }

    /// The statement lines by session and place.
    #[must_use]
    pub const fn lines(&self) -> &BTreeMap<(SessionId, u32), StatementLine> {
        self.lines.rows()
    }

    /// The carbon accounts by organisation.
    #[must_use]
    pub const fn carbon(&self) -> &BTreeMap<OrganisationId, CarbonAccount> {
        self.carbon.rows()
    }

    /// The allowance market and its day; none before its first terms.
    #[must_use]
    pub fn carbon_market(&self) -> Option<&CarbonMarket> {
        self.carbon_market.get(())
    }

    /// The open listings, block proposals and bids by number.
    #[must_use]
    pub const fn carbon_orders(&self) -> &BTreeMap<CarbonOrderId, CarbonOrder> {
        self.carbon_orders.rows()
    }

    /// The biddings by number: open ones, and those awarded in the last days.
    #[must_use]
    pub const fn carbon_biddings(&self) -> &BTreeMap<CarbonBiddingId, CarbonBidding> {
        self.carbon_biddings.rows()
    }

    /// The deals in allowances of the last days, by number.
    #[must_use]
    pub const fn carbon_deals(&self) -> &BTreeMap<CarbonDealId, CarbonDeal> {
        self.carbon_deals.rows()
    }

    /// The runs of carbon credits by number.
    #[must_use]
    pub const fn credits(&self) -> &BTreeMap<CreditLotId, CreditLot> {
        self.credits.rows()
    }

    /// The obligations by year and organisation.
    #[must_use]
    pub const fn obligations(&self) -> &BTreeMap<(u16, OrganisationId), Obligation> {
        self.obligations.rows()
    }

    /// The compliance periods by year.
    #[must_use]
    pub const fn compliance_periods(&self) -> &BTreeMap<u16, CompliancePeriod> {
        self.compliance_periods.rows()
    }

    /// The runs of certificates by number.
    #[must_use]
    pub const fn lots(&self) -> &BTreeMap<CertificateLotId, CertificateLot> {
        self.lots.rows()
    }

    /// What operators did to sessions, by number: the latest ones.
    #[must_use]
    pub const fn interventions(&self) -> &BTreeMap<u64, InterventionRecord> {
        self.interventions.rows()
    }

    /// Published real-time prices by day.
    #[must_use]
    pub const fn prices(&self) -> &BTreeMap<DeliveryDay, PublishedPrices> {
        self.prices.rows()
    }

    /// What was cut of trades: by day, trade, and period of the day's settlement.
    #[must_use]
    pub const fn cuts(&self) -> &BTreeMap<(DeliveryDay, TradeId, u8), Cut> {
        self.cuts.rows()
    }

    /// The curtailments by number.
    #[must_use]
    pub const fn curtailments(&self) -> &BTreeMap<u64, CurtailmentRecord> {
        self.curtailments.rows()
    }

    /// Monthly statements by month and organisation: those of the last 14 months.
    #[must_use]
    pub const fn months(&self) -> &BTreeMap<(Month, OrganisationId), MonthStatement> {
        self.months.rows()
    }

    /// Objections to lines of these months, by number.
    #[must_use]
    pub const fn objections(&self) -> &BTreeMap<u64, Objection> {
        self.objections.rows()
    }

    /// Corrections and month-end lines of these months, by number.
    #[must_use]
    pub const fn later_lines(&self) -> &BTreeMap<u64, LaterLine> {
        self.later_lines.rows()
    }

    /// What the meters of units say about these months.
    #[must_use]
    pub const fn meter_months(&self) -> &BTreeMap<(Month, UnitId), MeterMonth> {
        self.meter_months.rows()
    }

    /// The seals of settled days, by joint session: the latest ones.
    #[must_use]
    pub const fn seals(&self) -> &BTreeMap<SessionId, Seal> {
        self.seals.rows()
    }

    /// The run that holds the certificate with this number.
    #[must_use]
    pub fn lot_of(&self, certificate: u64) -> Option<(CertificateLotId, &CertificateLot)> {
        let id = self.lot_index.holder(certificate)?;
        let lot = self.lots.get(id)?;
        (certificate.checked_sub(lot.first)? < lot.count).then_some((id, lot))
    }

    /// How the certificates of units come about: those that were metered or registered.
    #[must_use]
    pub const fn certified(&self) -> &BTreeMap<UnitId, CertifiedUnit> {
        self.certified.rows()
    }

    /// Settled energy by unit and month, of the last four years.
    #[must_use]
    pub const fn unit_months(&self) -> &BTreeMap<(UnitId, Month), UnitMonth> {
        self.unit_months.rows()
    }

    /// Green use claimed, by organisation and year.
    #[must_use]
    pub const fn claims(&self) -> &BTreeMap<(OrganisationId, i32), ClaimedUse> {
        self.claims.rows()
    }

    /// The projects whose reductions become CCER, by number.
    #[must_use]
    pub const fn projects(&self) -> &BTreeMap<CcerProjectId, CcerProject> {
        self.projects.rows()
    }

    /// The green contracts by number: proposed, active, and those ended within two years.
    #[must_use]
    pub const fn green_contracts(&self) -> &BTreeMap<GreenContractId, GreenContract> {
        self.green.rows()
    }

    /// The offers of certificates by number.
    #[must_use]
    pub const fn offers(&self) -> &BTreeMap<CertificateOfferId, CertificateOffer> {
        self.offers.rows()
    }

    /// Sums over the whole state; takes time in proportion to its accounts and runs.
    ///
    /// # Errors
    ///
    /// Returns [`BrokenInvariant`] if a sum does not fit.
    pub fn totals(&self) -> Result<Totals, BrokenInvariant> {
        let progress = self.progress();
        let held = self
            .carbon
            .rows()
            .values()
            .try_fold(Allowances::ZERO, |sum, account| sum.plus(account.held()?))?;
        let certificates_held = self
            .lots
            .rows()
            .values()
            .try_fold(0_u64, |sum, lot| sum.checked_add(lot.count))
            .ok_or(BrokenInvariant("sum of certificates"))?;
        let credits_held = self
            .credits
            .rows()
            .values()
            .try_fold(0_u64, |sum, lot| sum.checked_add(lot.count))
            .ok_or(BrokenInvariant("sum of credits"))?;
        Ok(Totals {
            money: Money::sum(self.balances.rows().values().map(|balance| balance.amount))?,
            allocated: progress.allocated,
            held,
            certificates_issued: progress.next_certificate.saturating_sub(1),
            certificates_held,
            credits_issued: self.counters.get(Counter::Credit).copied().unwrap_or(0),
            credits_held,
        })
    }
}
