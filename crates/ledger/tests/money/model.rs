//! Money by the rules, in plain integers: fen, kWh and thousandths of a yuan per MWh.

use duet_ledger::CertificateAction;
use duet_ledger::{
    AccountKey, AccountKind, Action, FeeRule, Genesis, Intervention, LimitAction, MarketRule,
    MeterReport, OrderId, OrderRequest, OrganisationId, PublicKey, Receipt, RuleAction,
    SessionNotice, SessionTerms, Side, Stage, State, Technology, Unit, UnitId,
};
use duet_units::{ClockTime, DeliveryDay};
use std::collections::{BTreeMap, BTreeSet};

const EXCHANGE: OrganisationId = OrganisationId(0);
const GRID: OrganisationId = OrganisationId(1);
const BANK: OrganisationId = OrganisationId(4);
const NOT_THE_MODELS: [u16; 4] = [104, 201, 202, 203];

struct Order {
    session: u32,
    owner: OrganisationId,
    escrow: i128,
    pending: bool,
    request: OrderRequest,
}

#[derive(Clone)]
struct Trade {
    session: u32,
    period: u8,
    stage: Stage,
    buy: OrderId,
    sell: OrderId,
    kwh: i128,
    buyer_price: i128,
    seller_price: i128,
    defaulted: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Taking,
    Halted,
    Ended,
}

struct Term {
    notice: SessionNotice,
    phase: Phase,
}

struct Payment {
    session: u32,
    payer: OrganisationId,
    amount: i128,
    open: bool,
}

pub(crate) struct Model {
    units: Vec<Unit>,
    owners: BTreeMap<PublicKey, OrganisationId>,
    accounts: BTreeMap<(OrganisationId, AccountKind), i128>,
    references: BTreeSet<u64>,
    rules: Vec<MarketRule>,
    sessions: BTreeMap<u32, Term>,
    orders: BTreeMap<OrderId, Order>,
    trades: Vec<Trade>,
    payments: BTreeMap<u64, Payment>,
    readings: BTreeMap<(UnitId, DeliveryDay, u8), i128>,
    /// Seller and price of each offer of certificates.
    offers: BTreeMap<u64, (OrganisationId, i128)>,
    pub(crate) settled: u32,
    pub(crate) compensated: i128,
    pub(crate) fees: i128,
    pub(crate) drawn: i128,
    /// The guarantee asked for after a failed payment.
    levels: BTreeMap<OrganisationId, i128>,
}

impl Model {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let owners = genesis.identities.iter().map(|r| (r.key, r.identity.organisation)).collect();
        Self {
            units: genesis.units.clone(),
            owners,
            accounts: BTreeMap::new(),
            references: BTreeSet::new(),
            rules: genesis.rules.clone(),
            sessions: BTreeMap::new(),
            orders: BTreeMap::new(),
            trades: Vec::new(),
            payments: BTreeMap::new(),
            readings: BTreeMap::new(),
            offers: BTreeMap::new(),
            settled: 0,
            compensated: 0,
            fees: 0,
            drawn: 0,
            levels: BTreeMap::new(),
        }
    }

    fn account(&mut self, of: OrganisationId, kind: AccountKind) -> &mut i128 {
        self.accounts.entry((of, kind)).or_default()
    }

    fn available(&mut self, of: OrganisationId) -> &mut i128 {
        self.account(of, AccountKind::Available)
    }

    fn escrow(&mut self, of: OrganisationId) -> &mut i128 {
        self.account(of, AccountKind::Escrow)
    }

    fn trust(&mut self) -> &mut i128 {
        self.account(EXCHANGE, AccountKind::Clearing)
    }

    /// Gates that close; who trades with whom is the market's business, and read from `state`.
    pub(crate) fn pass_to(&mut self, time: ClockTime, state: &State) {
        let due = |term: &Term| term.phase == Phase::Taking && term.notice.gate_close <= time;
        let due: Vec<u32> =
            self.sessions.iter().filter(|(_, term)| due(term)).map(|(id, _)| *id).collect();
        for session in due {
            self.sessions.get_mut(&session).unwrap().phase = Phase::Ended;
            let trades = state.trades().values().filter(|t| t.session.0 == session);
            let trades: Vec<Trade> = trades
                .map(|t| Trade {
                    session,
                    period: t.period,
                    stage: t.stage,
                    buy: t.buy,
                    sell: t.sell,
                    kwh: t.quantity.kwh().into(),
                    buyer_price: t.buyer_price.milli_yuan_per_mwh().into(),
                    seller_price: t.seller_price.milli_yuan_per_mwh().into(),
                    defaulted: false,
                })
                .collect();
            self.close(session, &trades);
            self.trades.extend(trades);
        }
    }

    /// All escrow is given back, then what was bought is held.
    fn close(&mut self, session: u32, trades: &[Trade]) {
        self.release(session);
        let mut owed: BTreeMap<OrganisationId, i128> = BTreeMap::new();
        for trade in trades {
            let buyer = self.orders[&trade.buy].owner;
            *owed.entry(buyer).or_default() += cost(trade.buyer_price, trade.kwh).max(0);
        }
        for (payer, amount) in owed.into_iter().filter(|(_, amount)| *amount != 0) {
            *self.available(payer) -= amount;
            *self.escrow(payer) += amount;
            let id = u64::try_from(self.payments.len()).unwrap() + 1;
            self.payments.insert(id, Payment { session, payer, amount, open: true });
        }
    }

    fn release(&mut self, session: u32) {
        let ids: Vec<OrderId> =
            self.orders.iter().filter(|(_, o)| o.session == session).map(|(id, _)| *id).collect();
        for id in ids {
            self.give_back(id);
        }
    }

    fn give_back(&mut self, id: OrderId) {
        let order = self.orders.get_mut(&id).unwrap();
        if std::mem::take(&mut order.pending) {
            let (owner, amount) = (order.owner, order.escrow);
            *self.escrow(owner) -= amount;
            *self.available(owner) += amount;
        }
    }

    pub(crate) fn see(&mut self, signer: &PublicKey, action: &Action, receipt: &Receipt) {
        let code = receipt.code;
        if NOT_THE_MODELS.contains(&code) {
            return;
        }
        assert_ne!(code, 901, "nothing overflows: {action:?}");
        match action {
            Action::SubmitOrder(request) => self.order(self.owners[signer], request, receipt),
            Action::Deposit { organisation, amount, reference } => {
                let expected = self.deposit(*organisation, amount.fen(), *reference);
                assert_eq!(code, expected, "{action:?}");
            }
            Action::ConfirmPayment { payment, confirmed } => {
                let expected = self.confirm(payment.0, *confirmed);
                // The rows of a forgotten session are gone.
                assert!(code == expected || (code, expected) == (504, 505), "{action:?}");
            }
            _ if code != 0 => {}
            Action::CancelOrder { order } => {
                assert!(self.orders[order].pending);
                self.give_back(*order);
            }
            Action::OpenSession(notice) => {
                let id = u32::try_from(receipt.subject).unwrap();
                let term = Term { notice: notice.clone(), phase: Phase::Taking };
                self.sessions.insert(id, term);
            }
            Action::Rule(RuleAction::Publish(rule)) => self.rules.push((**rule).clone()),
            Action::Intervene { session, intervention, .. } => {
                self.intervene(session.0, *intervention);
            }
            Action::Limit(LimitAction::Pledge(amount)) => {
                self.pledge(self.owners[signer], amount.fen());
            }
            Action::Limit(LimitAction::Release(amount)) => {
                self.pledge(self.owners[signer], -amount.fen());
            }
            Action::ReportMeter(report) => self.report(report),
            Action::SettleSession { session } => self.settle(session.0),
            Action::Certificate(action) => self.certificates(self.owners[signer], action, receipt),
            _ => {}
        }
    }

    fn certificates(&mut self, who: OrganisationId, action: &CertificateAction, receipt: &Receipt) {
        match action {
            CertificateAction::Offer(offer) => {
                self.offers.insert(receipt.subject, (who, offer.price.fen()));
            }
            CertificateAction::Take(part) => {
                let (seller, price) = self.offers[&part.offer.0];
                let amount = price * i128::from(part.count);
                assert!(*self.available(who) >= amount && price > 0);
                *self.available(who) -= amount;
                *self.available(seller) += amount;
            }
            _ => {}
        }
    }

    fn order(&mut self, owner: OrganisationId, request: &OrderRequest, receipt: &Receipt) {
        let limit = i128::from(request.limit.milli_yuan_per_mwh());
        let value = limit.saturating_mul(request.quantity.kwh().into());
        // Rounded up to the fen.
        let escrow =
            if request.side == Side::Buy { -(-value).div_euclid(10_000) } else { 0 }.max(0);
        let available = *self.available(owner);
        if receipt.code == 502 {
            assert!(request.side == Side::Buy && available < escrow, "{request:?}");
        }
        if receipt.code != 0 {
            return;
        }
        assert!(request.side == Side::Sell || escrow <= available, "{request:?}");
        let held = *self.account(owner, AccountKind::Guarantee);
        assert!(held >= self.levels.get(&owner).copied().unwrap_or(0), "{request:?}");
        *self.available(owner) -= escrow;
        *self.escrow(owner) += escrow;
        let (session, request) = (request.session.0, request.clone());
        let order = Order { session, owner, escrow, pending: true, request };
        assert!(self.orders.insert(OrderId(receipt.subject), order).is_none());
    }

    fn pledge(&mut self, who: OrganisationId, amount: i128) {
        *self.available(who) -= amount;
        *self.account(who, AccountKind::Guarantee) += amount;
    }

    fn deposit(&mut self, to: OrganisationId, amount: i128, reference: u64) -> u16 {
        if amount <= 0 {
            501
        } else if to.0 > 8 {
            503
        } else if amount > 1_000_000_000_000_000 {
            506
        } else if !self.references.insert(reference) {
            507
        } else {
            *self.account(BANK, AccountKind::External) -= amount;
            *self.available(to) += amount;
            0
        }
    }

    fn confirm(&mut self, id: u64, confirmed: bool) -> u16 {
        let Some(payment) = self.payments.get_mut(&id) else { return 504 };
        if !std::mem::take(&mut payment.open) {
            return 505;
        }
        let (session, payer, amount) = (payment.session, payment.payer, payment.amount);
        *self.escrow(payer) -= amount;
        if confirmed {
            *self.trust() += amount;
            return 0;
        }
        *self.available(payer) += amount;
        let held = *self.account(payer, AccountKind::Guarantee);
        let mut drawn = if held >= amount { amount } else { 0 };
        for trade in self.trades.iter_mut().filter(|_| held < amount) {
            if trade.session == session && self.orders[&trade.buy].owner == payer {
                let cost = cost(trade.buyer_price, trade.kwh);
                trade.defaulted = cost <= 0 || held < drawn + cost;
                drawn += if trade.defaulted { 0 } else { cost };
            }
        }
        *self.account(payer, AccountKind::Guarantee) -= drawn;
        *self.trust() += drawn;
        self.drawn += drawn;
        let level = self.levels.entry(payer).or_default();
        *level = held.max(amount).max(*level);
        0
    }

    fn intervene(&mut self, session: u32, intervention: Intervention) {
        let term = self.sessions.get_mut(&session).unwrap();
        match intervention {
            Intervention::Halt => term.phase = Phase::Halted,
            Intervention::Resume => term.phase = Phase::Taking,
            Intervention::Void => {
                term.phase = Phase::Ended;
                self.release(session);
            }
        }
    }

    fn report(&mut self, report: &MeterReport) {
        for (period, reading) in (report.first_period..).zip(&report.readings) {
            self.readings.insert((report.unit, report.day, period), reading.energy.kwh().into());
        }
    }

    fn settle(&mut self, session: u32) {
        let notice = self.sessions[&session].notice.clone();
        let all: Vec<Trade> =
            self.trades.iter().filter(|t| t.session == session).cloned().collect();
        let kept: Vec<&Trade> = all.iter().filter(|trade| !trade.defaulted).collect();
        for trade in &kept {
            let (buyer, seller) = (self.orders[&trade.buy].owner, self.orders[&trade.sell].owner);
            let amount = cost(trade.buyer_price, trade.kwh);
            // A positive amount is in trust; a negative one the seller pays now.
            if amount >= 0 {
                *self.trust() -= amount;
            } else {
                *self.available(buyer) -= amount;
            }
            *self.available(seller) += amount;
            let rule = self.rules[usize::try_from(notice.rule.0).unwrap() - 1].clone();
            for (payer, fee) in [(buyer, rule.buyer_fee), (seller, rule.seller_fee)] {
                let fee = fee_of(&fee, trade.kwh, amount);
                *self.available(payer) -= fee;
                *self.available(EXCHANGE) += fee;
                self.fees += fee;
            }
        }
        for period in 0..96 {
            let trades: Vec<&Trade> =
                kept.iter().copied().filter(|trade| trade.period == period).collect();
            self.compensate(&notice.terms, &trades);
        }
        self.deviate(&notice, &all);
        self.trades.retain(|trade| trade.session != session);
        self.orders.retain(|_, order| order.session != session);
        self.readings.retain(|(_, day, _), _| *day != notice.day);
        self.settled += 1;
    }

    fn compensate(&mut self, terms: &SessionTerms, trades: &[&Trade]) {
        let mut rents: BTreeMap<(OrganisationId, UnitId, OrderId), i128> = BTreeMap::new();
        let mut wants = Vec::new();
        for trade in trades {
            let order = &self.orders[&trade.sell];
            if trade.stage == Stage::First {
                let rent = rent(terms, &self.units, &order.request) * trade.kwh;
                let key = (order.owner, order.request.unit, trade.sell);
                *rents.entry(key).or_default() += rent;
            } else {
                let gap = trade.seller_price - trade.buyer_price;
                wants.push((order.owner, (gap * trade.kwh).div_euclid(10_000)));
            }
        }
        let rent: i128 = rents.values().sum();
        let fund = (rent * i128::from(terms.fund_share.bp())).div_euclid(100_000_000);
        let total = fund.min(wants.iter().map(|want| want.1).sum());
        self.compensated += total;
        for ((owner, ..), part) in rents.keys().zip(shares(total, rents.values())) {
            *self.available(*owner) -= part;
        }
        for ((owner, _), part) in wants.iter().zip(shares(total, wants.iter().map(|w| &w.1))) {
            *self.available(*owner) += part;
        }
    }

    fn deviate(&mut self, notice: &SessionNotice, trades: &[Trade]) {
        let readings: Vec<(UnitId, u8, i128)> = self
            .readings
            .iter()
            .filter(|((_, day, _), _)| *day == notice.day)
            .map(|((unit, _, period), kwh)| (*unit, *period, *kwh))
            .collect();
        for (unit, period, metered) in readings {
            let of_unit = |id: &OrderId| self.orders[id].request.unit == unit;
            let contracted: i128 = trades
                .iter()
                .filter(|t| t.period == period && !t.defaulted)
                .filter(|t| of_unit(&t.buy) || of_unit(&t.sell))
                .map(|t| t.kwh)
                .sum();
            let first = trades.iter().find(|t| t.period == period && t.stage == Stage::First);
            let reference = notice.terms.reference_price.milli_yuan_per_mwh().into();
            let amount = cost(first.map_or(reference, |t| t.buyer_price), metered - contracted);
            let meter = &self.units[usize::try_from(unit.0).unwrap()];
            let earned = if meter.technology == Technology::Load { -amount } else { amount };
            let owner = meter.owner;
            *self.available(owner) += earned;
            *self.available(GRID) -= earned;
        }
    }

    pub(crate) fn assert_agrees(&self, state: &State) {
        for organisation in state.organisations().keys() {
            for kind in AccountKind::ALL {
                let expected = self.accounts.get(&(*organisation, *kind)).copied().unwrap_or(0);
                let key = AccountKey { organisation: *organisation, kind: *kind };
                let balance = state.balances().get(&key).map_or(0, |row| row.amount.fen());
                assert_eq!(balance, expected, "{key:?} at height {}", state.height());
            }
        }
    }
}

/// The parts in millionths of a fen, rounded together.
fn fee_of(rule: &FeeRule, kwh: i128, value: i128) -> i128 {
    let of_energy = 100 * i128::from(rule.per_energy.milli_yuan_per_mwh()) * kwh;
    let of_value = i128::from(rule.of_value_ppm) * value.abs();
    let fee = round(of_energy + of_value + 1_000_000 * rule.fixed.fen(), 1_000_000);
    let least = rule.min.fen();
    rule.cap.map_or(fee.max(least), |cap| fee.max(least).min(cap.fen()))
}

/// Half a fen away from zero.
fn cost(milli_yuan_per_mwh: i128, kwh: i128) -> i128 {
    round(milli_yuan_per_mwh * kwh, 10_000)
}

fn round(value: i128, by: i128) -> i128 {
    let up = (2 * value.abs() + by) / (2 * by);
    if value < 0 { -up } else { up }
}

/// What a seller's carbon adder brings above what its emissions cost it.
fn rent(terms: &SessionTerms, units: &[Unit], request: &OrderRequest) -> i128 {
    let unit = &units[usize::try_from(request.unit.0).unwrap()];
    let price = i128::from(terms.carbon_price.fen_per_t());
    let factor = i128::from(unit.emission_factor.g_per_kwh());
    let net = (factor - i128::from(unit.benchmark.g_per_kwh())).max(0);
    let adder = round(i128::from(request.conductivity.bp()) * factor * price, 1_000_000);
    let cost = round(10_000 * net * price, 1_000_000);
    let limit = i128::from(request.limit.milli_yuan_per_mwh());
    let ask = (limit + adder).min(terms.ceiling.milli_yuan_per_mwh().into());
    (ask - limit - cost).max(0)
}

/// By largest remainder, ties to the earlier: one unit at a time.
fn shares<'a>(total: i128, weights: impl Iterator<Item = &'a i128>) -> Vec<i128> {
    let weights: Vec<i128> = weights.copied().collect();
    let sum: i128 = weights.iter().sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let mut parts: Vec<i128> = weights.iter().map(|weight| total * weight / sum).collect();
    let mut places: Vec<usize> = (0..weights.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(total * weights[*place] % sum));
    let left = usize::try_from(total - parts.iter().sum::<i128>()).unwrap();
    for place in &places[..left] {
        parts[*place] += 1;
    }
    parts
}
