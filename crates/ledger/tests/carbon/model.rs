//! The allowance market against the naive one: every answer, every account, every close.
//! `DUET_OPERATIONS` sets how many transactions are compared.

use super::naive::{Bidding, Kind, Naive};
use crate::common::carbon::{allocate, bid, list, open_bidding, propose, take, terms, withdraw};
use crate::common::chain::draft;
use crate::common::market::{DAY, Who, deposit, gate_open, genesis};
use crate::common::random::Random;
use duet_ledger::{
    AccountKind, Action, BlockConfirmation, Body, CarbonAction, CarbonOrderId, CarbonTerms,
    Pricing, Side, State, Transaction, Unsigned,
};
use duet_units::{Allowances, ClockTime, Money};
use std::collections::BTreeMap;

const OPERATIONS: u64 = 100_000;
const MEMBERS: [Who; 4] = [Who::Coal, Who::Wind, Who::Retail, Who::Factory];
const UTC8_MINUTES: i64 = 480;

struct Run {
    state: State,
    naive: Naive,
    random: Random,
    nonces: BTreeMap<Who, u64>,
    reference: u64,
    accepted: u64,
    sent: u64,
}

const fn clock(minute: i64) -> ClockTime {
    ClockTime::from_unix_ms((minute - UTC8_MINUTES) * 60_000)
}

fn side(sells: bool) -> Side {
    if sells { Side::Sell } else { Side::Buy }
}

impl Run {
    fn new(seed: u64) -> Self {
        let state = State::genesis(&genesis()).unwrap();
        let start = gate_open(DAY).unix_ms() / 60_000 + UTC8_MINUTES;
        let mut run = Self {
            state,
            naive: Naive::new(MEMBERS.len(), start, 9_749),
            random: Random(seed),
            nonces: BTreeMap::new(),
            reference: 0,
            accepted: 0,
            sent: 0,
        };
        let announced = run.sign(Who::Exchange, terms(CarbonTerms::USUAL, Some(9_749)));
        run.apply(vec![(announced, true)]);
        run
    }

    fn sign(&mut self, who: Who, action: Action) -> Transaction {
        let nonce = self.nonces.entry(who).or_default();
        *nonce += 1;
        let (channel, signer) = (*self.state.channel(), who.public());
        draft(&Unsigned { channel, signer, nonce: *nonce, action })
    }

    /// Applies a block and compares every answer and every account.
    fn apply(&mut self, block: Vec<(Transaction, bool)>) {
        let (transactions, expected): (Vec<_>, Vec<_>) = block.into_iter().unzip();
        let body = Body { transactions };
        let time = clock(self.naive.now);
        let outcome = self.state.apply(self.state.height() + 1, time, &body).unwrap();
        for ((receipt, expected), sent) in
            outcome.receipts.iter().zip(expected).zip(&body.transactions)
        {
            let shown = (receipt.rejection(), sent.action());
            assert_eq!(receipt.is_accepted(), expected, "after {}: {shown:?}", self.sent);
            self.sent += 1;
            self.accepted += u64::from(expected);
        }
        self.state.take_delta();
        self.compare();
    }

    fn compare(&self) {
        for (at, who) in MEMBERS.iter().enumerate() {
            let (id, member) = (who.organisation(), &self.naive.members[at]);
            let balance = |kind| self.state.balance(id, kind).fen();
            assert_eq!(balance(AccountKind::Available), member.cash, "money of {who:?}");
            assert_eq!(balance(AccountKind::Escrow), self.naive.escrow(at), "escrow of {who:?}");
            let account = self.state.carbon().get(&id).cloned();
            let account = account.unwrap_or(duet_ledger::CarbonAccount::EMPTY);
            assert_eq!(account.free.t(), member.free, "free of {who:?}");
            assert_eq!(account.locked.t(), self.naive.locked(at), "locked of {who:?}");
            assert_eq!(account.net_sales.t(), member.sold, "net sales of {who:?}");
            assert_eq!(account.given.t(), member.given, "gifts of {who:?}");
        }
        let market = self.state.carbon_market().unwrap();
        assert_eq!(market.previous_close.fen_per_t(), self.naive.close);
        assert_eq!(self.state.carbon_orders().len(), self.naive.orders.len());
        let totals = self.state.totals().unwrap();
        assert_eq!((totals.money, totals.allocated), (Money::ZERO, totals.held));
    }

    fn price(&mut self, percent: i64) -> i64 {
        let width = self.naive.close * percent / 100 + 2;
        self.naive.close + self.random.between(-width, width)
    }

    fn operation(&mut self) -> (Transaction, bool) {
        let who = usize::try_from(self.random.below(4)).unwrap();
        let sells = self.random.one_in(2);
        let (action, good) = match self.random.below(100) {
            0..35 => self.listing(who, sells),
            35..62 => self.taking(who, sells),
            62..72 => self.withdrawal(who),
            72..80 => self.proposal(who, sells),
            80..86 => self.confirmation(who),
            86..88 => self.notice(who, sells),
            88..94 => self.bid(who),
            94..96 => self.gift(who),
            _ => return self.supply(who),
        };
        (self.sign(MEMBERS[who], action), good)
    }

    fn tonnes(&mut self) -> i64 {
        if self.random.one_in(60) {
            return self.random.pick(&[i64::MIN, -1, 0, 99_999, 100_000, i64::MAX]);
        }
        self.random.between(1, 400)
    }

    fn listing(&mut self, who: usize, sells: bool) -> (Action, bool) {
        let what = (self.tonnes(), self.price(10));
        (list(side(sells), what.0, what.1), self.naive.list(who, sells, what))
    }

    fn taking(&mut self, who: usize, sells: bool) -> (Action, bool) {
        let what = (self.tonnes(), self.price(12));
        (take(side(sells), what.0, what.1), self.naive.take(who, sells, what))
    }

    fn order_id(&mut self) -> u64 {
        if self.naive.orders.is_empty() || self.random.one_in(10) {
            return self.random.below(50).unsigned_abs();
        }
        let count = i64::try_from(self.naive.orders.len()).unwrap();
        let at = self.random.below(count);
        self.naive.orders[usize::try_from(at).unwrap()].id
    }

    fn withdrawal(&mut self, who: usize) -> (Action, bool) {
        let id = self.order_id();
        (withdraw(id), self.naive.withdraw(who, id))
    }

    fn proposal(&mut self, who: usize, sells: bool) -> (Action, bool) {
        let to = usize::try_from(self.random.below(4)).unwrap();
        let what = (100_000 + self.random.between(-1, 50), self.price(31));
        let action = propose(side(sells), MEMBERS[to], what.0, what.1);
        (action, self.naive.propose((who, to), sells, what))
    }

    /// Confirms a proposal to `who`, if there is one; the hash is taken from the ledger, which
    /// does not know the block's own proposals yet: those are refused, and so they are here.
    fn confirmation(&mut self, who: usize) -> (Action, bool) {
        let to = Kind::Block { to: who };
        let id = self.naive.orders.iter().find(|order| order.kind == to).map(|order| order.id);
        let order = CarbonOrderId(id.unwrap_or(0));
        let row = self.state.carbon_orders().get(&order);
        let channel = self.state.channel();
        let proposal = row.map_or([0; 32], |row| row.proposal_hash(channel, order));
        let action = CarbonAction::ConfirmBlock(BlockConfirmation { order, proposal });
        let good = row.is_some() && self.naive.confirm(who, order.0);
        (Action::Carbon(action), good)
    }

    fn notice(&mut self, who: usize, sells: bool) -> (Action, bool) {
        let now = self.naive.now;
        let opens = now + self.random.between(-1, 60);
        let closes = opens + self.random.between(0, 2_000);
        let uniform = self.random.one_in(2);
        let (t, reserve) = (self.tonnes(), self.price(20));
        let pricing = if uniform { Pricing::Uniform } else { Pricing::PayAsBid };
        let span = (clock(opens), clock(closes));
        let action = open_bidding(side(sells), (t, reserve), pricing, span);
        let row = Bidding { owner: who, sells, t, reserve, uniform, opens, closes, open: true };
        (action, self.naive.announce(row))
    }

    fn bid(&mut self, who: usize) -> (Action, bool) {
        let open = self.naive.biddings.iter().rposition(|bidding| bidding.open);
        let latest = open.unwrap_or(self.naive.biddings.len());
        let back = usize::try_from(self.random.below(3)).unwrap();
        let bidding = latest.saturating_sub(back);
        let what = (self.tonnes(), self.price(25));
        let number = u64::try_from(bidding).unwrap() + 1;
        (bid(number, what.0, what.1), self.naive.bid(who, bidding, what))
    }

    fn gift(&mut self, who: usize) -> (Action, bool) {
        let to = usize::try_from(self.random.below(4)).unwrap();
        let t = self.tonnes();
        let (receiver, allowances) = (MEMBERS[to].organisation(), Allowances::from_t(t));
        let action = Action::TransferAllowances { to: receiver, allowances };
        (action, self.naive.give(who, to, t))
    }

    /// Money from the bank and allowances from the registry.
    fn supply(&mut self, who: usize) -> (Transaction, bool) {
        self.reference += 1;
        if self.random.one_in(2) {
            let amount = i128::from(self.random.between(1, 400_000_000));
            self.naive.members[who].cash += amount;
            let action = deposit(MEMBERS[who], Money::from_fen(amount), self.reference);
            return (self.sign(Who::Bank, action), true);
        }
        let t = self.random.between(1, 30_000);
        self.naive.members[who].free += t;
        (self.sign(Who::Registry, allocate(MEMBERS[who], t, self.reference)), true)
    }

    /// Mostly some minutes, now and then over noon, over night, or some days.
    fn pass(&mut self) {
        let step = match self.random.below(60) {
            0 => self.random.between(60, 4_000),
            1 => 1_440 - self.naive.now.rem_euclid(1_440) + 570,
            _ => self.random.below(6),
        };
        let night = (self.naive.now + step).rem_euclid(1_440);
        let to_morning = if night >= 960 { 1_440 - night + 570 } else { 0 };
        self.naive.pass_to(self.naive.now + step + to_morning);
    }
}

#[test]
fn every_answer_and_account_is_what_the_naive_market_says() {
    let operations = std::env::var("DUET_OPERATIONS").ok();
    let operations = operations.map_or(OPERATIONS, |text| text.parse().unwrap());
    let mut run = Run::new(19);
    while run.sent < operations {
        run.pass();
        let count = run.random.between(0, 12);
        let block = (0..count).map(|_| run.operation()).collect();
        run.apply(block);
    }
    let (sent, accepted, deals) = (run.sent, run.accepted, run.naive.deals);
    assert!(accepted > operations / 4, "{accepted} of {sent} accepted");
    assert!(deals > operations / 20, "{deals} deals of {sent}");
}
