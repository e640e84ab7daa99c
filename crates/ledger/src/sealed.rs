//! The sealed book of a session: everything that its result depends on, and the result.
//!
//! Anyone can run it again, without a node and without the rest of the chain:
//! [`SealedBook::replay`] builds a state from the book and lets the ledger's own rules clear, pay,
//! dispatch and settle it. The book of a settled day holds every session for that day; that of any
//! other session holds the session alone, up to its clearing.
//!
//! Orders are taken as accepted: what an order was held to on entry (funds, capacity, quota) is in
//! the receipt of its transaction. What follows from an order (the carbon adder, fills, money) is
//! computed again.
//!
//! # Source
//!
//! Sealing for five years and for re-running: market-rules.md 4.16.

use crate::action::Curtailment;
use crate::codec::{Encode, record};
use crate::hash::{Digest, hash};
use crate::ids::{
    LinkedOrderId, OrderId, OrganisationId, PublicKey, RuleId, SessionId, TradeId, UnitId,
};
use crate::records::{CertificateKind, Mode};
use crate::records::{
    InterventionRecord, MarketRule, MeterRecord, Order, OrderStatus, Organisation, PaymentState,
    PeriodClearing, Phase, Session, SessionTerms, StatementLine, Trade, Unit, Withdrawal,
};
use crate::rejection::Refusal;
use crate::state::{BrokenInvariant, State};
use duet_market::order::Side;
use duet_market::rolling::TimeInForce;
use duet_units::{BasisPoints, ClockTime, DeliveryDay, Energy, Money, Price};
use std::collections::{BTreeMap, BTreeSet};

const BOOK_DOMAIN: &[u8] = b"duet/sealed-book/v1";

record! {
    /// An accepted order.
    pub struct SealedOrder {
        /// Its number.
        pub id: OrderId,
        /// Its place in the session.
        pub sequence: u32,
        /// Whose it is.
        pub owner: OrganisationId,
        /// Who signed it.
        pub signer: PublicKey,
        /// The unit that delivers or uses the energy.
        pub unit: UnitId,
        /// Buy or sell.
        pub side: Side,
        /// The delivery period within the day.
        pub period: u8,
        /// The limit price as declared.
        pub limit: Price,
        /// The energy.
        pub quantity: Energy,
        /// The declared conductivity.
        pub conductivity: BasisPoints,
        /// The owner's own reference.
        pub reference: u64,
        /// When it was accepted.
        pub accepted_at: ClockTime,
        /// Whether it was withdrawn before the gate closed.
        pub cancelled: bool,
        /// The listing that it takes of.
        pub takes: Option<OrderId>,
        /// How long it stands.
        pub time_in_force: TimeInForce,
        /// When it was withdrawn, or the rest of it.
        pub withdrawn: Option<Withdrawal>,
        /// The least of it to fill, if it is filled at all.
        pub minimum: Option<Energy>,
        /// The order over several periods that it is a part of.
        pub linked: Option<LinkedOrderId>,
    }
}

record! {
    /// A trade that two parties made while their session was open: both signed it.
    pub struct AgreedTrade {
        /// The buy order.
        pub buy: OrderId,
        /// The sell order.
        pub sell: OrderId,
        /// The energy, on each delivery day.
        pub quantity: Energy,
        /// The price.
        pub price: Price,
    }
}

record! {
    /// What came of a payment instruction.
    pub struct SealedPayment {
        /// The buyer.
        pub payer: OrganisationId,
        /// Where it stands.
        pub state: PaymentState,
        /// What of it was drawn from the buyer's guarantee.
        pub drawn: Money,
    }
}

record! {
    /// One session with its orders.
    pub struct SealedSession {
        /// Its number.
        pub id: SessionId,
        /// The rule of the market under which it ran.
        pub rule: RuleId,
        /// How orders are matched.
        pub mode: Mode,
        /// The first day of delivery.
        pub day: DeliveryDay,
        /// How many days in a row.
        pub days: u16,
        /// When orders were taken from.
        pub gate_open: ClockTime,
        /// When the gate closed.
        pub gate_close: ClockTime,
        /// In the block of which height the call before its continuous phase cleared.
        pub called: Option<u64>,
        /// What the lottery of its second stage drew.
        pub draw: Option<Digest>,
        /// The terms.
        pub terms: SessionTerms,
        /// The orders, by number.
        pub orders: Vec<SealedOrder>,
        /// Of a session that trades while it is open: its trades, in order.
        pub agreed: Vec<AgreedTrade>,
        /// The payments, by number.
        pub payments: Vec<SealedPayment>,
        /// What operators did to it.
        pub interventions: Vec<InterventionRecord>,
    }
}

record! {
    /// What a reading said, at the edition that the day was settled with.
    pub struct SealedReading {
        /// The unit.
        pub unit: UnitId,
        /// The period.
        pub period: u8,
        /// The reading.
        pub record: MeterRecord,
    }
}

record! {
    /// What the result depends on.
    pub struct SealedInput {
        /// The session whose result it is.
        pub session: SessionId,
        /// Whether the day was settled; otherwise the session was cleared.
        pub settled: bool,
        /// The organisation that runs the exchange.
        pub exchange: OrganisationId,
        /// The counterparty of deviations.
        pub grid: OrganisationId,
        /// The bank.
        pub bank: OrganisationId,
        /// The organisations that the book names.
        pub organisations: Vec<(OrganisationId, Organisation)>,
        /// The units that the book names.
        pub units: Vec<(UnitId, Unit)>,
        /// The rules of the market that the sessions name.
        pub rules: Vec<(RuleId, MarketRule)>,
        /// The sessions, by number.
        pub sessions: Vec<SealedSession>,
        /// The readings of the day.
        pub readings: Vec<SealedReading>,
        /// What certificates units got, and their energy that was metered and not yet certified
        /// before the day; units that never were metered are not here.
        pub carries: Vec<(UnitId, (CertificateKind, Energy))>,
        /// The real-time prices of the day.
        pub prices: Option<Vec<Price>>,
        /// What the dispatcher limited before dispatch, in order.
        pub curtailments: Vec<Curtailment>,
    }
}

record! {
    /// What came of it.
    pub struct SealedResult {
        /// What each period cleared at.
        pub clearings: Vec<((SessionId, u8), PeriodClearing)>,
        /// The trades, by session and number.
        pub trades: Vec<Trade>,
        /// The statement lines, by place; each names its trade by its place among `trades`.
        pub lines: Vec<StatementLine>,
        /// The hash of the result.
        pub hash: Digest,
    }
}

record! {
    /// A sealed book.
    pub struct SealedBook {
        /// What the result depends on.
        pub input: SealedInput,
        /// What came of it on the chain.
        pub result: SealedResult,
    }
}

/// Where a replayed result is not the recorded one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// What a period cleared at.
    Clearing {
        /// The session.
        session: SessionId,
        /// The period.
        period: u8,
        /// What the file says.
        recorded: Option<PeriodClearing>,
        /// What its orders come to.
        replayed: Option<PeriodClearing>,
    },
    /// A trade.
    Trade {
        /// Its place among all trades.
        place: usize,
        /// What the file says.
        recorded: Option<Trade>,
        /// What the orders come to.
        replayed: Option<Trade>,
    },
    /// A statement line.
    Line {
        /// Its place.
        place: usize,
        /// What the file says.
        recorded: Option<StatementLine>,
        /// What contracts and readings come to.
        replayed: Option<StatementLine>,
    },
    /// The hash of the result.
    Hash {
        /// What the file says.
        recorded: Digest,
        /// What the book comes to.
        replayed: Digest,
    },
}

/// Why a book cannot be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It names something that it does not hold.
    #[error("the book names {0} that it does not hold")]
    Missing(&'static str),
    /// A rule refuses a step of it.
    #[error("the ledger refuses: {0}")]
    Refused(#[from] Refusal),
    /// A sum of it does not fit, or it contradicts itself.
    #[error(transparent)]
    Broken(#[from] BrokenInvariant),
}

/// What running a book again came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The hash of what the result depends on, as the seal of the day on the chain has it.
    pub book: Digest,
    /// The result.
    pub result: SealedResult,
    /// Where it is not the recorded one; empty if the book holds.
    pub differences: Vec<Difference>,
}

impl SealedInput {
    /// The hash over all of it, as it is kept in the seal of a settled day.
    #[must_use]
    pub fn hash(&self) -> Digest {
        hash(BOOK_DOMAIN, &[&self.to_bytes()])
    }

    /// What the result of a session depends on; none before it is cleared, or once its rows are
    /// no longer kept.
    #[must_use]
    pub fn of(state: &State, id: SessionId) -> Option<Self> {
        let session = state.sessions.get(id)?;
        if !matches!(session.phase, Phase::Cleared | Phase::Settled) {
            return None;
        }
        let settled = session.mode.is_joint() && session.phase == Phase::Settled;
        let covering = |(other, row): &(&SessionId, &Session)| {
            **other == id || (settled && row.phase != Phase::Void && row.covers(session.day))
        };
        let rows: Vec<_> = state.sessions.rows().iter().filter(covering).collect();
        let sessions: Vec<SealedSession> =
            rows.into_iter().map(|(id, row)| SealedSession::of(state, *id, row)).collect();
        let readings = if settled { SealedReading::of_day(state, session.day) } else { Vec::new() };
        let carries = state.openings.rows().range((id, UnitId(0))..=(id, UnitId(u32::MAX)));
        let carries = carries.map(|((_, unit), opening)| (*unit, *opening)).collect();
        let curtailments = state.curtailments.rows().values();
        let curtailments =
            curtailments.filter(|row| settled && row.session == id).map(|row| &row.curtailment);
        let (exchange, grid, bank) = (state.exchange, state.grid, state.bank);
        let mut input = Self {
            session: id,
            settled,
            exchange,
            grid,
            bank,
            organisations: Vec::new(),
            units: Vec::new(),
            rules: Vec::new(),
            sessions,
            readings,
            carries,
            prices: state.prices.get(session.day).filter(|_| settled).map(|row| row.prices.clone()),
            curtailments: curtailments.cloned().collect(),
        };
        input.take_parties(state);
        Some(input)
    }

    /// Takes in the rules, organisations and units that the rest names.
    fn take_parties(&mut self, state: &State) {
        let orders = || self.sessions.iter().flat_map(|session| &session.orders);
        let mut units: BTreeSet<UnitId> = orders().map(|order| order.unit).collect();
        units.extend(self.readings.iter().map(|reading| reading.unit));
        units.extend(self.carries.iter().map(|(unit, _)| *unit));
        let mut organisations = BTreeSet::from([self.exchange, self.grid, self.bank]);
        organisations.extend(orders().map(|order| order.owner));
        for id in self.sessions.iter().map(|row| row.rule).collect::<BTreeSet<RuleId>>() {
            let Some(rule) = state.rules.get(id) else { continue };
            self.rules.push((id, rule.clone()));
        }
        for id in units {
            let Some(unit) = state.units.get(id) else { continue };
            organisations.insert(unit.owner);
            self.units.push((id, unit.clone()));
        }
        for id in organisations {
            let Some(row) = state.organisations.get(id) else { continue };
            self.organisations.push((id, row.clone()));
        }
    }
}

impl SealedReading {
    fn of_day(state: &State, day: DeliveryDay) -> Vec<Self> {
        let rows = state.readings.rows().iter().filter(|((_, of, _), _)| *of == day);
        rows.map(|((unit, _, period), record)| Self {
            unit: *unit,
            period: *period,
            record: record.clone(),
        })
        .collect()
    }
}

impl SealedSession {
    fn of(state: &State, id: SessionId, row: &Session) -> Self {
        let orders = state.orders.rows().iter().filter(|(_, order)| order.session == id);
        let payments = state.payments.rows().values().filter(|payment| payment.session == id);
        let interventions =
            state.interventions.rows().values().filter(|record| record.session == id);
        Self {
            id,
            rule: row.rule,
            mode: row.mode,
            day: row.day,
            days: row.days,
            gate_open: row.gate_open,
            gate_close: row.gate_close,
            called: row.called,
            draw: row.draw,
            terms: row.terms.clone(),
            orders: orders
                .map(|(id, order)| SealedOrder {
                    takes: state.takes.get(*id).copied(),
                    minimum: state.minimums.get(*id).copied(),
                    linked: state.links.get(*id).copied(),
                    ..SealedOrder::of(*id, order)
                })
                .collect(),
            agreed: AgreedTrade::of(state, id, row.mode),
            payments: payments
                .map(|payment| SealedPayment {
                    payer: payment.payer,
                    state: payment.state,
                    drawn: payment.drawn,
                })
                .collect(),
            interventions: interventions.cloned().collect(),
        }
    }
}

impl AgreedTrade {
    fn of(state: &State, id: SessionId, mode: Mode) -> Vec<Self> {
        if !mode.trades_while_open() {
            return Vec::new();
        }
        let trades = state.trades.rows().values().filter(|trade| trade.session == id);
        trades
            .map(|trade| Self {
                buy: trade.buy,
                sell: trade.sell,
                quantity: trade.quantity,
                price: trade.buyer_price,
            })
            .collect()
    }
}

impl SealedOrder {
    fn of(id: OrderId, order: &Order) -> Self {
        Self {
            id,
            sequence: order.sequence,
            owner: order.owner,
            signer: order.signer,
            unit: order.unit,
            side: order.side,
            period: order.period,
            limit: order.limit,
            quantity: order.quantity,
            conductivity: order.conductivity,
            reference: order.reference,
            accepted_at: order.accepted_at,
            cancelled: order.status == OrderStatus::Cancelled,
            takes: None,
            time_in_force: order.time_in_force,
            withdrawn: order.withdrawn.clone(),
            minimum: None,
            linked: None,
        }
    }
}

impl SealedResult {
    /// What came of the sessions of `input`.
    pub(crate) fn of(state: &State, input: &SealedInput) -> Self {
        let id = input.session;
        let sessions: BTreeSet<SessionId> = input.sessions.iter().map(|row| row.id).collect();
        let clearings = state.clearings.rows().iter().filter(|((of, _), _)| sessions.contains(of));
        let mut trades: Vec<(SessionId, TradeId, &Trade)> = state
            .trades
            .rows()
            .iter()
            .filter(|(_, trade)| sessions.contains(&trade.session))
            .map(|(id, trade)| (trade.session, *id, trade))
            .collect();
        trades.sort_by_key(|(session, id, _)| (*session, *id));
        let places: BTreeMap<TradeId, TradeId> =
            (0..).zip(&trades).map(|(place, (_, id, _))| (*id, TradeId(place))).collect();
        let lines = state.lines.rows().range((id, 0)..=(id, u32::MAX));
        let lines: Vec<StatementLine> = lines
            .map(|(_, line)| StatementLine {
                trade: line.trade.and_then(|id| places.get(&id).copied()),
                ..line.clone()
            })
            .collect();
        let recorded = state.sessions.get(id).and_then(|session| session.result_hash);
        Self {
            clearings: clearings.map(|(key, row)| (*key, row.clone())).collect(),
            trades: trades.iter().map(|(_, _, trade)| (*trade).clone()).collect(),
            lines,
            hash: recorded.unwrap_or_else(|| state.clearing_hash(id)),
        }
    }

    /// Where `replayed` is another result than this one.
    fn differences(&self, replayed: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        let keys: BTreeSet<(SessionId, u8)> =
            self.clearings.iter().chain(&replayed.clearings).map(|(key, _)| *key).collect();
        let at = |rows: &[((SessionId, u8), PeriodClearing)], key| {
            rows.iter().find(|(of, _)| *of == key).map(|(_, row)| row.clone())
        };
        for (session, period) in keys {
            let recorded = at(&self.clearings, (session, period));
            let replayed = at(&replayed.clearings, (session, period));
            if recorded != replayed {
                found.push(Difference::Clearing { session, period, recorded, replayed });
            }
        }
        for (place, recorded, replayed) in unlike(&self.trades, &replayed.trades) {
            found.push(Difference::Trade { place, recorded, replayed });
        }
        for (place, recorded, replayed) in unlike(&self.lines, &replayed.lines) {
            found.push(Difference::Line { place, recorded, replayed });
        }
        if self.hash != replayed.hash {
            found.push(Difference::Hash { recorded: self.hash, replayed: replayed.hash });
        }
        found
    }
}

/// Where two lists differ, by place.
fn unlike<T: Clone + PartialEq>(a: &[T], b: &[T]) -> Vec<(usize, Option<T>, Option<T>)> {
    (0..a.len().max(b.len()))
        .map(|place| (place, a.get(place).cloned(), b.get(place).cloned()))
        .filter(|(_, a, b)| a != b)
        .collect()
}

impl SealedBook {
    /// The book of a session; none before it is cleared, or once its rows are no longer kept.
    #[must_use]
    pub fn of(state: &State, session: SessionId) -> Option<Self> {
        let input = SealedInput::of(state, session)?;
        let result = SealedResult::of(state, &input);
        Some(Self { input, result })
    }

    /// Runs the book again by the ledger's own rules and compares the results.
    ///
    /// # Errors
    ///
    /// Returns [`ReplayError`] if the book cannot be run to its end.
    pub fn replay(&self) -> Result<Replay, ReplayError> {
        let state = State::replayed(&self.input)?;
        let result = SealedResult::of(&state, &self.input);
        let differences = self.result.differences(&result);
        Ok(Replay { book: self.input.hash(), result, differences })
    }
}
