//! Sealed books, seals of settled days, the log of interventions.

use super::CertificateKind;
use super::{
    Big, Curtailment, Day, Hex32, Intervention, MeterRecord, Mode, Organisation, PaymentState,
    PeriodClearing, PublishedRule, SessionTerms, Side, StatementLine, TimeInForce, Trade, Unit,
    shape, view,
};
use duet_ledger::{
    LinkedOrderId, OrderId, OrganisationId, PublicKey, RuleId, SessionId, TradeId, UnitId,
    sealed as ledger,
};
use duet_units::{BasisPoints, ClockTime, EmissionFactor, Energy, Money, Power, Price};

/// The form of the file.
pub const SEALED_VERSION: u32 = 1;

view! {
    /// What an operator did to a session outside the normal course.
    InterventionRecord(number: u64, row: &duet_ledger::InterventionRecord) {
        /// Its number.
        number: u64 = number;
        /// The session.
        session: u32 = row.session.0;
        /// What was done.
        intervention: Intervention = row.intervention.into();
        /// Who did it.
        by: Hex32 = row.by.into();
        /// For whom.
        organisation: u32 = row.organisation.0;
        /// When.
        time_ms: i64 = row.time.unix_ms();
        /// The height of the block.
        height: u64 = row.height;
        /// Why.
        reason: String = row.reason.clone();
    }
}

view! {
    /// The hashes that the sealed book and the statement lines of a settled day are held to.
    Seal(session: duet_ledger::SessionId, row: &duet_ledger::Seal) {
        /// The joint session of the day.
        session: u32 = session.0;
        /// The day.
        day: Day = Day(row.day);
        /// When it was settled.
        settled_at_ms: i64 = row.settled_at.unix_ms();
        /// The height of that block.
        height: u64 = row.height;
        /// The hash of the sealed book.
        book_hash: Hex32 = Hex32(row.book);
        /// The hash of the result.
        result_hash: Hex32 = Hex32(row.result);
        /// The Merkle root over the statement lines.
        lines_root: Hex32 = Hex32(row.lines_root);
        /// How many lines.
        lines: u32 = row.lines;
    }
}

view! {
    /// When an order was withdrawn.
    Withdrawal(row: &duet_ledger::Withdrawal) {
        /// In the block of this height ...
        height: u64 = row.height;
        /// ... before the order of this number was accepted.
        before: u64 = row.before.0;
    }
}

view! {
    /// An accepted order of a sealed book.
    SealedOrder(row: &ledger::SealedOrder) {
        /// Its number.
        id: u64 = row.id.0;
        /// Its place in the session.
        sequence: u32 = row.sequence;
        /// Whose it is.
        owner: u32 = row.owner.0;
        /// Who signed it.
        signer: Hex32 = row.signer.into();
        /// The unit.
        unit: u32 = row.unit.0;
        /// Buy or sell.
        side: Side = row.side.into();
        /// The delivery period within the day.
        period: u8 = row.period;
        /// The limit price as declared.
        limit_milli_yuan_per_mwh: i64 = row.limit.milli_yuan_per_mwh();
        /// The energy.
        quantity_kwh: i64 = row.quantity.kwh();
        /// The declared conductivity.
        conductivity_bp: i64 = row.conductivity.bp();
        /// The owner's own reference.
        reference: u64 = row.reference;
        /// When it was accepted.
        accepted_at_ms: i64 = row.accepted_at.unix_ms();
        /// Whether it was withdrawn.
        cancelled: bool = row.cancelled;
        /// The listing that it takes of.
        takes: Option<u64> = row.takes.map(|listing| listing.0);
        /// How long it stands.
        time_in_force: TimeInForce = row.time_in_force.into();
        /// When it was withdrawn, or the rest of it.
        withdrawn: Option<Withdrawal> = row.withdrawn.as_ref().map(Withdrawal::new);
        /// The least of it to fill, if it is filled at all.
        minimum_kwh: Option<i64> = row.minimum.map(Energy::kwh);
        /// The order over several periods that it is a part of.
        linked: Option<u64> = row.linked.map(|linked| linked.0);
    }
}

impl From<SealedOrder> for ledger::SealedOrder {
    fn from(wire: SealedOrder) -> Self {
        Self {
            id: OrderId(wire.id),
            sequence: wire.sequence,
            owner: OrganisationId(wire.owner),
            signer: PublicKey::from_bytes(wire.signer.0),
            unit: UnitId(wire.unit),
            side: wire.side.into(),
            period: wire.period,
            limit: Price::from_milli_yuan_per_mwh(wire.limit_milli_yuan_per_mwh),
            quantity: Energy::from_kwh(wire.quantity_kwh),
            conductivity: BasisPoints::from_bp(wire.conductivity_bp),
            reference: wire.reference,
            accepted_at: ClockTime::from_unix_ms(wire.accepted_at_ms),
            cancelled: wire.cancelled,
            takes: wire.takes.map(OrderId),
            time_in_force: wire.time_in_force.into(),
            withdrawn: wire.withdrawn.map(|row| duet_ledger::Withdrawal {
                height: row.height,
                before: OrderId(row.before),
            }),
            minimum: wire.minimum_kwh.map(Energy::from_kwh),
            linked: wire.linked.map(LinkedOrderId),
        }
    }
}

view! {
    /// A trade that two parties made while their session was open.
    AgreedTrade(row: &ledger::AgreedTrade) {
        /// The buy order.
        buy: u64 = row.buy.0;
        /// The sell order.
        sell: u64 = row.sell.0;
        /// The energy, on each delivery day.
        quantity_kwh: i64 = row.quantity.kwh();
        /// The price.
        price_milli_yuan_per_mwh: i64 = row.price.milli_yuan_per_mwh();
    }
}

impl From<AgreedTrade> for ledger::AgreedTrade {
    fn from(wire: AgreedTrade) -> Self {
        Self {
            buy: OrderId(wire.buy),
            sell: OrderId(wire.sell),
            quantity: Energy::from_kwh(wire.quantity_kwh),
            price: Price::from_milli_yuan_per_mwh(wire.price_milli_yuan_per_mwh),
        }
    }
}

view! {
    /// What came of a payment instruction.
    SealedPayment(row: &ledger::SealedPayment) {
        /// The buyer.
        payer: u32 = row.payer.0;
        /// Where it stands.
        state: PaymentState = row.state.into();
        /// What of it was drawn from the buyer's guarantee.
        drawn_fen: Big = Big(row.drawn.fen());
    }
}

view! {
    /// One session of a sealed book.
    SealedSession(row: &ledger::SealedSession) {
        /// Its number.
        id: u32 = row.id.0;
        /// The rule of the market under which it ran.
        rule: u32 = row.rule.0;
        /// How orders are matched.
        mode: Mode = row.mode.into();
        /// The first day of delivery.
        day: Day = Day(row.day);
        /// How many days in a row.
        days: u16 = row.days;
        /// When orders were taken from.
        gate_open_ms: i64 = row.gate_open.unix_ms();
        /// When the gate closed.
        gate_close_ms: i64 = row.gate_close.unix_ms();
        /// In the block of which height the call before its continuous phase cleared.
        called: Option<u64> = row.called;
        /// What the lottery of its second stage drew.
        draw: Option<Hex32> = row.draw.map(Hex32);
        /// The terms.
        terms: SessionTerms = SessionTerms::new(&row.terms);
        /// The orders, by number.
        orders: Vec<SealedOrder> = row.orders.iter().map(SealedOrder::new).collect();
        /// Of a session that trades while it is open: its trades, in order.
        agreed: Vec<AgreedTrade> = row.agreed.iter().map(AgreedTrade::new).collect();
        /// The payments, by number.
        payments: Vec<SealedPayment> = row.payments.iter().map(SealedPayment::new).collect();
        /// What operators did to it; numbered from 1 here.
        interventions: Vec<InterventionRecord> =
            (1..).zip(&row.interventions).map(|(n, row)| InterventionRecord::new(n, row)).collect();
    }
}

impl From<SealedSession> for ledger::SealedSession {
    fn from(wire: SealedSession) -> Self {
        let payment = |payment: SealedPayment| ledger::SealedPayment {
            payer: OrganisationId(payment.payer),
            state: payment.state.into(),
            drawn: Money::from_fen(payment.drawn_fen.0),
        };
        Self {
            id: SessionId(wire.id),
            rule: RuleId(wire.rule),
            mode: wire.mode.into(),
            day: wire.day.0,
            days: wire.days,
            gate_open: ClockTime::from_unix_ms(wire.gate_open_ms),
            gate_close: ClockTime::from_unix_ms(wire.gate_close_ms),
            called: wire.called,
            draw: wire.draw.map(|draw| draw.0),
            terms: wire.terms.into(),
            orders: wire.orders.into_iter().map(Into::into).collect(),
            agreed: wire.agreed.into_iter().map(Into::into).collect(),
            payments: wire.payments.into_iter().map(payment).collect(),
            interventions: wire.interventions.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<InterventionRecord> for duet_ledger::InterventionRecord {
    fn from(wire: InterventionRecord) -> Self {
        Self {
            session: SessionId(wire.session),
            intervention: wire.intervention.into(),
            by: PublicKey::from_bytes(wire.by.0),
            organisation: OrganisationId(wire.organisation),
            time: ClockTime::from_unix_ms(wire.time_ms),
            height: wire.height,
            reason: wire.reason,
        }
    }
}

shape! {
    /// What a unit's energy got, and the part that was metered and not yet certified before the
    /// day.
    SealedCarry {
        /// The unit.
        unit: u32,
        /// What its energy got.
        certificates: CertificateKind,
        /// The energy.
        energy_kwh: i64,
    }
}

view! {
    /// What the result of a sealed book depends on.
    SealedInput(row: &ledger::SealedInput) {
        /// The session whose result it is.
        session: u32 = row.session.0;
        /// Whether the day was settled; otherwise the session was cleared.
        settled: bool = row.settled;
        /// The organisation that runs the exchange.
        exchange: u32 = row.exchange.0;
        /// The counterparty of deviations.
        grid: u32 = row.grid.0;
        /// The bank.
        bank: u32 = row.bank.0;
        /// The organisations that the book names.
        organisations: Vec<Organisation> =
            row.organisations.iter().map(|(id, row)| Organisation::new(*id, row)).collect();
        /// The units that the book names.
        units: Vec<Unit> = row.units.iter().map(|(id, row)| Unit::new(*id, row)).collect();
        /// The rules of the market that the sessions name.
        rules: Vec<PublishedRule> =
            row.rules.iter().map(|(id, row)| PublishedRule::new(*id, row)).collect();
        /// The sessions, by number.
        sessions: Vec<SealedSession> = row.sessions.iter().map(SealedSession::new).collect();
        /// The readings of the day.
        readings: Vec<MeterRecord> = readings(row);
        /// What renewable units had metered and not certified before.
        carries: Vec<SealedCarry> = row
            .carries
            .iter()
            .map(|(unit, (kind, energy))| SealedCarry {
                unit: unit.0,
                certificates: (*kind).into(),
                energy_kwh: energy.kwh(),
            })
            .collect();
        /// The real-time prices of the day.
        prices_milli_yuan_per_mwh: Option<Vec<i64>> = row
            .prices
            .as_ref()
            .map(|prices| prices.iter().copied().map(Price::milli_yuan_per_mwh).collect());
        /// What the dispatcher limited before dispatch, in order.
        curtailments: Vec<Curtailment> = row.curtailments.iter().map(Curtailment::from).collect();
    }
}

fn readings(row: &ledger::SealedInput) -> Vec<MeterRecord> {
    let session = row.sessions.iter().find(|session| session.id == row.session);
    let day = session.map_or_else(Default::default, |session| session.day);
    let readings = row.readings.iter();
    readings.map(|of| MeterRecord::new(of.unit, day, of.period, &of.record)).collect()
}

impl From<SealedInput> for ledger::SealedInput {
    fn from(wire: SealedInput) -> Self {
        let reading = |reading: MeterRecord| ledger::SealedReading {
            unit: UnitId(reading.unit),
            period: reading.period,
            record: duet_ledger::MeterRecord {
                energy: Energy::from_kwh(reading.energy_kwh),
                quality: reading.quality.into(),
                version: reading.version,
            },
        };
        let organisation = |row: Organisation| {
            let (name, name_zh) = (row.name, row.name_zh);
            (OrganisationId(row.id), duet_ledger::Organisation { name, name_zh })
        };
        let carry = |carry: SealedCarry| {
            let opening = (carry.certificates.into(), Energy::from_kwh(carry.energy_kwh));
            (UnitId(carry.unit), opening)
        };
        Self {
            session: SessionId(wire.session),
            settled: wire.settled,
            exchange: OrganisationId(wire.exchange),
            grid: OrganisationId(wire.grid),
            bank: OrganisationId(wire.bank),
            organisations: wire.organisations.into_iter().map(organisation).collect(),
            units: wire.units.into_iter().map(|unit| (UnitId(unit.id), unit.into())).collect(),
            rules: wire.rules.into_iter().map(|row| (RuleId(row.id), row.rule.into())).collect(),
            sessions: wire.sessions.into_iter().map(Into::into).collect(),
            readings: wire.readings.into_iter().map(reading).collect(),
            carries: wire.carries.into_iter().map(carry).collect(),
            prices: wire
                .prices_milli_yuan_per_mwh
                .map(|prices| prices.into_iter().map(Price::from_milli_yuan_per_mwh).collect()),
            curtailments: wire.curtailments.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Unit> for duet_ledger::Unit {
    fn from(wire: Unit) -> Self {
        let factor = EmissionFactor::from_g_per_kwh;
        Self {
            owner: OrganisationId(wire.owner),
            name: wire.name,
            technology: wire.technology.into(),
            capacity: Power::from_kw(wire.capacity_kw),
            registered_cost: Price::from_milli_yuan_per_mwh(
                wire.registered_cost_milli_yuan_per_mwh,
            ),
            emission_factor: factor(wire.emission_factor_g_per_kwh),
            benchmark: factor(wire.benchmark_g_per_kwh),
            device: PublicKey::from_bytes(wire.device.0),
        }
    }
}

view! {
    /// What came of a sealed book on the chain.
    SealedResult(row: &ledger::SealedResult) {
        /// What each period cleared at.
        clearings: Vec<PeriodClearing> = row
            .clearings
            .iter()
            .map(|((session, period), row)| PeriodClearing::new(*session, *period, row))
            .collect();
        /// The trades, numbered from 0 by session and order.
        trades: Vec<Trade> =
            (0..).zip(&row.trades).map(|(place, row)| Trade::new(TradeId(place), row)).collect();
        /// The statement lines, by place; `trade` is a number in the list above.
        lines: Vec<StatementLine> =
            (0..).zip(&row.lines).map(|(place, row)| StatementLine::new(place, row)).collect();
        /// The hash of the result.
        hash: Hex32 = Hex32(row.hash);
    }
}

impl From<SealedResult> for ledger::SealedResult {
    fn from(wire: SealedResult) -> Self {
        let clearing = |row: PeriodClearing| ((SessionId(row.session), row.period), row.into());
        Self {
            clearings: wire.clearings.into_iter().map(clearing).collect(),
            trades: wire.trades.into_iter().map(Into::into).collect(),
            lines: wire.lines.into_iter().map(Into::into).collect(),
            hash: wire.hash.0,
        }
    }
}

impl From<PeriodClearing> for duet_ledger::PeriodClearing {
    fn from(wire: PeriodClearing) -> Self {
        let price = |milli: Option<i64>| milli.map(Price::from_milli_yuan_per_mwh);
        let Big(compensation) = wire.compensation_fen;
        Self {
            price: price(wire.price_milli_yuan_per_mwh),
            volume: Energy::from_kwh(wire.volume_kwh),
            buyer_price: price(wire.buyer_price_milli_yuan_per_mwh),
            seller_price: price(wire.seller_price_milli_yuan_per_mwh),
            second_volume: Energy::from_kwh(wire.second_volume_kwh),
            compensation: Money::from_fen(compensation),
            fund: Money::from_fen(wire.fund_fen.0),
            drawn: wire.drawn,
        }
    }
}

impl From<Trade> for duet_ledger::Trade {
    fn from(wire: Trade) -> Self {
        let price = Price::from_milli_yuan_per_mwh;
        Self {
            session: SessionId(wire.session),
            period: wire.period,
            stage: wire.stage.into(),
            buy: OrderId(wire.buy),
            sell: OrderId(wire.sell),
            quantity: Energy::from_kwh(wire.quantity_kwh),
            buyer_price: price(wire.buyer_price_milli_yuan_per_mwh),
            seller_price: price(wire.seller_price_milli_yuan_per_mwh),
            paid: Money::from_fen(wire.paid_fen.0),
            received: Money::from_fen(wire.received_fen.0),
            defaulted: wire.defaulted,
        }
    }
}

impl From<StatementLine> for duet_ledger::StatementLine {
    fn from(wire: StatementLine) -> Self {
        Self {
            session: SessionId(wire.session),
            period: wire.period,
            item: wire.item.into(),
            unit: UnitId(wire.unit),
            trade: wire.trade.map(TradeId),
            payer: OrganisationId(wire.payer),
            payee: OrganisationId(wire.payee),
            energy: Energy::from_kwh(wire.energy_kwh),
            price: wire.price_milli_yuan_per_mwh.map(Price::from_milli_yuan_per_mwh),
            amount: Money::from_fen(wire.amount_fen.0),
        }
    }
}

view! {
    /// A sealed book: everything that the result of a session depends on, and the result.
    SealedBook(channel: &duet_ledger::ChannelId, row: &ledger::SealedBook) {
        /// The form of the file: 1.
        version: u32 = SEALED_VERSION;
        /// The channel that it is from.
        channel: Hex32 = Hex32(*channel);
        /// What the result depends on.
        input: SealedInput = SealedInput::new(&row.input);
        /// What came of it on the chain.
        result: SealedResult = SealedResult::new(&row.result);
    }
}

impl From<SealedBook> for ledger::SealedBook {
    fn from(wire: SealedBook) -> Self {
        Self { input: wire.input.into(), result: wire.result.into() }
    }
}
