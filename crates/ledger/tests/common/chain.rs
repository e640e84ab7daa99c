//! A chain of blocks that checks after each of them what must always hold.

use super::market::{DAY, METERS, Who, gate_open, genesis, whole_day};
use duet_ledger::{
    AccountKind, Action, Body, Decode, Digest, Encode, Genesis, Outcome, Progress, Rejection,
    State, Transaction, Unsigned, admission, decode_all,
};
use duet_units::{ClockTime, DeliveryDay, Money};
use std::collections::{BTreeMap, BTreeSet};

/// The tags of the two tables that a refused transaction changes.
const PROGRESS: u8 = 1;
const NONCES: u8 = 4;

#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) genesis: Genesis,
    pub(crate) state: State,
    /// What a store that took every delta holds.
    pub(crate) rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The time of the next block.
    pub(crate) time: ClockTime,
    /// The names of all rejections so far.
    pub(crate) provoked: BTreeSet<&'static str>,
    nonces: BTreeMap<Who, u64>,
}

/// What became of a transaction: the number of what it made, or the name of its rejection.
pub(crate) type Answer = Result<u64, &'static str>;

impl Chain {
    pub(crate) fn new() -> Self {
        Self::founded_on(genesis())
    }

    pub(crate) fn founded_on(genesis: Genesis) -> Self {
        let mut state = State::genesis(&genesis).unwrap();
        let mut rows = BTreeMap::new();
        store(&mut rows, state.take_delta());
        let (provoked, nonces) = (BTreeSet::new(), BTreeMap::new());
        Self { genesis, state, rows, time: gate_open(DAY), provoked, nonces }
    }

    /// The chain that goes on from changed rows.
    pub(crate) fn with_rows(mut self, change: impl Fn(&mut BTreeMap<Vec<u8>, Vec<u8>>)) -> Self {
        change(&mut self.rows);
        self.state = self.restored();
        self
    }

    /// The state that a restart would begin from.
    pub(crate) fn restored(&self) -> State {
        let rows = self.rows.iter().map(|(key, row)| (&key[..], &row[..]));
        State::restore(&self.genesis, rows).unwrap()
    }

    pub(crate) fn unsigned(&mut self, who: Who, action: Action) -> Unsigned {
        let nonce = self.nonces.entry(who).or_default();
        *nonce += 1;
        let (channel, signer) = (*self.state.channel(), who.public());
        Unsigned { channel, signer, nonce: *nonce, action }
    }

    pub(crate) fn sign(&mut self, who: Who, action: Action) -> Transaction {
        self.unsigned(who, action).sign(&who.key())
    }

    /// A transaction with a signature of zeros: good enough for [`State::apply`], which leaves
    /// signatures to the agreement on a block, and much faster.
    pub(crate) fn draft(&mut self, who: Who, action: Action) -> Transaction {
        draft(&self.unsigned(who, action))
    }

    pub(crate) fn block(&mut self, transactions: Vec<Transaction>) -> Outcome {
        let body = Body { transactions };
        let outcome = self.state.apply(self.state.height() + 1, self.time, &body).unwrap();
        assert_eq!(outcome.receipts.len(), body.transactions.len());
        self.assert_sound();
        store(&mut self.rows, self.state.take_delta());
        outcome
    }

    /// An empty block at `time`.
    pub(crate) fn pass_to(&mut self, time: ClockTime) -> Outcome {
        self.time = time;
        self.block(Vec::new())
    }

    /// Sends one transaction in a block of its own. Admission must give the same answer as the
    /// block, and a refusal must change nothing but the nonce and the receipts.
    pub(crate) fn send(&mut self, who: Who, action: Action) -> Answer {
        let transaction = self.sign(who, action);
        self.send_signed(&transaction)
    }

    pub(crate) fn send_signed(&mut self, transaction: &Transaction) -> Answer {
        if self.state.time() != self.time {
            self.pass_to(self.time);
        }
        let channel = *self.state.channel();
        let admitted = admission::stateless(transaction.bytes(), &channel, true)
            .and_then(|read| admission::against(&self.state, &read))
            .map_err(|refusal| refusal.rejection);
        let (before, rows) = (self.state.clone(), self.rows.clone());
        let outcome = self.block(vec![transaction.clone()]);
        let receipt = &outcome.receipts[0];
        assert_eq!(receipt.transaction, *transaction.hash());
        assert_eq!(receipt.rejection(), admitted.err(), "admission and block differ");
        let Some(rejection) = receipt.rejection() else { return Ok(receipt.subject) };
        assert_eq!(receipt.subject, 0);
        self.assert_untouched(&before, &rows, transaction, rejection);
        self.provoked.insert(rejection.name());
        Err(rejection.name())
    }

    /// Sends what must be accepted.
    pub(crate) fn done(&mut self, who: Who, action: Action) -> u64 {
        let shown = format!("{who:?}: {action:?}");
        self.send(who, action).unwrap_or_else(|name| panic!("{name}: {shown}"))
    }

    /// Points of consumption that have reported nothing of `day` used nothing: settlement needs
    /// the readings of all of them.
    pub(crate) fn others_used_nothing(&mut self, day: DeliveryDay) {
        for (unit, meter) in METERS {
            let consumes = self.state.units()[&unit].technology.consumes();
            let mut known = self.state.readings().range((unit, day, 0)..=(unit, day, u8::MAX));
            if consumes && known.next().is_none() {
                self.done(meter, whole_day(unit, day, &[]));
            }
        }
    }

    /// A table of transactions in order: who, what, and `ok` or the name of the rejection.
    pub(crate) fn table(&mut self, lines: Vec<(Who, Action, &'static str)>) {
        for (place, (who, action, expected)) in lines.into_iter().enumerate() {
            let shown = format!("line {place}, {who:?}: {action:?}");
            let answer = self.send(who, action);
            assert_eq!(answer.err().unwrap_or("ok"), expected, "{shown}");
        }
    }

    fn assert_untouched(
        &self,
        before: &State,
        rows: &BTreeMap<Vec<u8>, Vec<u8>>,
        transaction: &Transaction,
        rejection: Rejection,
    ) {
        let nonce = [vec![NONCES], transaction.signer().to_bytes()].concat();
        let known = ["wrong-channel", "unknown-identity", "stale-nonce"];
        for key in self.rows.keys().chain(rows.keys()) {
            let changed = self.rows.get(key) != rows.get(key);
            let allowed = key == &nonce && !known.contains(&rejection.name());
            assert!(!changed || allowed || key[0] == PROGRESS, "{rejection:?} changed {key:?}");
        }
        let (old, new) = (before.progress(), self.state.progress());
        let expected = Progress { height: old.height + 1, receipts_root: new.receipts_root, ..old };
        assert_eq!(new, expected);
        assert_ne!(new.receipts_root, before.progress().receipts_root);
    }

    /// What holds after every block, by the rules and not by the code under test.
    pub(crate) fn assert_sound(&self) {
        let totals = self.state.totals().unwrap();
        assert_eq!(totals.money, Money::ZERO, "money is conserved");
        assert_eq!(totals.allocated, totals.held, "allowances are conserved");
        assert_eq!(totals.certificates_issued, totals.certificates_held);
        assert_eq!(totals.credits_issued, totals.credits_held, "credits are conserved");
        super::chain::assert_escrow(&self.state);
        assert_locked(&self.state);
    }

    pub(crate) fn available(&self, who: Who) -> Money {
        self.state.balance(who.organisation(), AccountKind::Available)
    }

    pub(crate) fn escrow(&self, who: Who) -> Money {
        self.state.balance(who.organisation(), AccountKind::Escrow)
    }

    pub(crate) fn trust(&self) -> Money {
        self.state.balance(Who::Exchange.organisation(), AccountKind::Clearing)
    }
}

/// What orders that wait hold: open ones, and what matched on arrival until the gate closes.
fn hold_orders(state: &State, escrow: &mut BTreeMap<duet_ledger::OrganisationId, i128>) {
    use duet_ledger::OrderStatus;
    for order in state.orders().values() {
        // What matched on arrival is held without an instruction until the gate closes.
        let trades = state.sessions()[&order.session].phase < duet_ledger::Phase::Cleared;
        if order.status == OrderStatus::Pending || (order.status == OrderStatus::Matched && trades)
        {
            *escrow.entry(order.owner).or_default() += order.escrow.fen();
        }
    }
}

/// Escrow is what open orders and proposed payments need; trust is what was paid for sessions
/// that are not settled.
pub(crate) fn assert_escrow(state: &State) {
    use duet_ledger::{PaymentState, Side};
    let mut escrow: BTreeMap<_, i128> = BTreeMap::new();
    let mut trust = 0;
    hold_orders(state, &mut escrow);
    for payment in state.payments().values() {
        let session = &state.sessions()[&payment.session];
        match payment.state {
            PaymentState::Proposed => {
                *escrow.entry(payment.payer).or_default() += payment.amount.fen();
            }
            state if session.phase.is_live() => {
                let confirmed = state == PaymentState::Confirmed;
                let paid = if confirmed { payment.amount } else { payment.drawn };
                let (days, left) = (session.days, session.days - session.settled_days);
                trust += paid.fen() * i128::from(left) / i128::from(days);
            }
            PaymentState::Confirmed | PaymentState::Failed | PaymentState::Drawn => {}
        }
    }
    for (owner, allowances, fen) in open_carbon(state, Side::Buy) {
        *escrow.entry(owner).or_default() += i128::from(allowances) * i128::from(fen);
    }
    // What was cut of a day that is not settled has gone back to its buyers.
    for ((day, _, _), cut) in state.cuts() {
        let settled = state.seals().values().any(|seal| seal.day == *day);
        trust -= if settled { 0 } else { cut.released.fen() };
    }
    for organisation in state.organisations().keys() {
        let held = state.balance(*organisation, AccountKind::Escrow).fen();
        assert_eq!(held, escrow.get(organisation).copied().unwrap_or(0), "escrow {organisation}");
        let held = state.balance(*organisation, AccountKind::Clearing).fen();
        let expected = if *organisation == Who::Exchange.organisation() { trust } else { 0 };
        assert_eq!(held, expected, "trust of {organisation}");
    }
    assert_ended(state);
}

/// No order of a settled session is between two steps.
fn assert_ended(state: &State) {
    use duet_ledger::OrderStatus;
    for (id, order) in state.orders() {
        let phase = state.sessions()[&order.session].phase;
        let ended = matches!(
            order.status,
            OrderStatus::Settled
                | OrderStatus::Cancelled
                | OrderStatus::Expired
                | OrderStatus::Defaulted
        );
        assert!(ended || phase.is_live(), "order {id} is {:?} in a {phase:?}", order.status);
    }
}

/// Owner, tonnes and fen/t of each open order and bidding of a side of the allowance market.
fn open_carbon(
    state: &State,
    side: duet_ledger::Side,
) -> Vec<(duet_ledger::OrganisationId, i64, i64)> {
    use duet_ledger::CarbonBiddingState;
    let orders = state.carbon_orders().values().filter(|order| order.side == side);
    let orders = orders.map(|row| (row.owner, row.allowances.t(), row.price.fen_per_t()));
    let biddings = state.carbon_biddings().values();
    let open = biddings.filter(|row| row.side == side && row.state == CarbonBiddingState::Open);
    let open = open.map(|row| (row.owner, row.allowances.t(), row.reserve.fen_per_t()));
    orders.chain(open).collect()
}

/// Locked allowances are what open sell orders and sales by bidding need, and nothing is negative.
fn assert_locked(state: &State) {
    let mut locked: BTreeMap<_, i64> = BTreeMap::new();
    for (owner, allowances, _) in open_carbon(state, duet_ledger::Side::Sell) {
        *locked.entry(owner).or_default() += allowances;
    }
    for (organisation, account) in state.carbon() {
        let expected = locked.remove(organisation).unwrap_or(0);
        assert_eq!(account.locked.t(), expected, "locked by {organisation}");
        let parts = [account.free, account.locked, account.surrendered, account.expired];
        assert!(parts.iter().all(|part| part.t() >= 0), "{organisation}: {account:?}");
    }
    assert!(locked.is_empty(), "{locked:?}");
}

/// The transaction with a signature of zeros.
pub(crate) fn draft(unsigned: &Unsigned) -> Transaction {
    let mut bytes = unsigned.bytes();
    bytes.extend_from_slice(&[0; 64]);
    Transaction::from_bytes(&bytes).unwrap()
}

fn store(rows: &mut BTreeMap<Vec<u8>, Vec<u8>>, delta: duet_ledger::Delta) {
    for (key, row) in delta {
        match row {
            Some(row) => rows.insert(key, row),
            None => rows.remove(&key),
        };
    }
}

/// Changes the row with this key, which begins with the tag of its table.
pub(crate) fn change_row<T: Encode + Decode>(
    rows: &mut BTreeMap<Vec<u8>, Vec<u8>>,
    key: &[u8],
    change: impl Fn(&mut T),
) {
    let mut row: T = decode_all(&rows[key]).unwrap();
    change(&mut row);
    rows.insert(key.to_vec(), row.to_bytes());
}

/// A channel that is not the test channel.
pub(crate) const ELSEWHERE: Digest = [7; 32];
