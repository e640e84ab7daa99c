//! A naive allowance market, written from the rules in whole numbers of tonnes and fen: slow,
//! plain, and without a line of the ledger.

use std::collections::BTreeSet;

/// Minutes since 1970-01-01 00:00 in UTC+8.
pub(crate) type Minute = i64;
const DAY: i64 = 1_440;

#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    pub(crate) free: i64,
    pub(crate) cash: i128,
    pub(crate) sold: i64,
    pub(crate) given: i64,
    bought: i64,
    bought_on: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Listing,
    Block { to: usize },
    Bid { bidding: usize },
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) owner: usize,
    pub(crate) sells: bool,
    pub(crate) t: i64,
    pub(crate) fen: i64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) struct Bidding {
    pub(crate) owner: usize,
    pub(crate) sells: bool,
    pub(crate) t: i64,
    pub(crate) reserve: i64,
    pub(crate) uniform: bool,
    pub(crate) opens: Minute,
    pub(crate) closes: Minute,
    pub(crate) open: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Naive {
    pub(crate) members: Vec<Member>,
    pub(crate) orders: Vec<Order>,
    pub(crate) biddings: Vec<Bidding>,
    /// All biddings before this one are awarded.
    live_from: usize,
    pub(crate) now: Minute,
    pub(crate) close: i64,
    pub(crate) deals: u64,
    pub(crate) issued: u64,
    day: i64,
    of_day: Vec<(i64, i64)>,
}

impl Naive {
    pub(crate) fn new(members: usize, now: Minute, close: i64) -> Self {
        Self {
            members: vec![Member::default(); members],
            orders: Vec::new(),
            biddings: Vec::new(),
            live_from: 0,
            now,
            close,
            deals: 0,
            issued: 0,
            day: now.div_euclid(DAY),
            of_day: Vec::new(),
        }
    }

    /// The biddings that may be open.
    fn live(&self) -> &[Bidding] {
        &self.biddings[self.live_from..]
    }

    /// Tonnes held of a member for its orders.
    pub(crate) fn locked(&self, who: usize) -> i64 {
        let orders = self.orders.iter().filter(|o| o.owner == who && o.sells).map(|o| o.t);
        let sales = self.live().iter().filter(|b| b.owner == who && b.sells && b.open);
        orders.chain(sales.map(|b| b.t)).sum()
    }

    /// Fen held of a member for its orders.
    pub(crate) fn escrow(&self, who: usize) -> i128 {
        let value = |t: i64, fen: i64| i128::from(t) * i128::from(fen);
        let orders = self.orders.iter().filter(|o| o.owner == who && !o.sells);
        let wanted = self.live().iter().filter(|b| b.owner == who && !b.sells && b.open);
        let wanted = wanted.map(|b| value(b.t, b.reserve));
        orders.map(|o| value(o.t, o.fen)).chain(wanted).sum()
    }

    fn minute(&self) -> i64 {
        self.now.rem_euclid(DAY)
    }

    fn sellable(&self, who: usize) -> i64 {
        let member = &self.members[who];
        let today = if member.bought_on == self.now.div_euclid(DAY) { member.bought } else { 0 };
        member.free - today
    }

    /// Whether a member has what it offers.
    fn can(&self, who: usize, sells: bool, (t, fen): (i64, i64)) -> bool {
        let covered = if sells {
            t <= self.members[who].free && t <= self.sellable(who)
        } else {
            i128::from(t) * i128::from(fen) <= self.members[who].cash
        };
        0 < t && covered
    }

    fn in_band(&self, fen: i64, percent: i64) -> bool {
        (fen - self.close).abs() * 100 <= self.close * percent
    }

    fn has_room(&self, who: usize) -> bool {
        self.orders.iter().filter(|order| order.owner == who).count() < 64
    }

    fn hold(&mut self, who: usize, sells: bool, (t, fen): (i64, i64)) {
        if sells {
            self.members[who].free -= t;
        } else {
            self.members[who].cash -= i128::from(t) * i128::from(fen);
        }
    }

    fn give_back(&mut self, who: usize, sells: bool, (t, fen): (i64, i64)) {
        self.hold(who, sells, (-t, fen));
    }

    fn put(&mut self, owner: usize, sells: bool, (t, fen): (i64, i64), kind: Kind) {
        self.hold(owner, sells, (t, fen));
        self.issued += 1;
        self.orders.push(Order { id: self.issued, owner, sells, t, fen, kind });
    }

    /// Tonnes one way, money the other.
    fn trade(&mut self, seller: usize, buyer: usize, (t, fen): (i64, i64)) {
        let today = self.now.div_euclid(DAY);
        let value = i128::from(t) * i128::from(fen);
        self.members[seller].free -= t;
        self.members[seller].cash += value;
        self.members[seller].sold += t;
        let buyer = &mut self.members[buyer];
        buyer.free += t;
        buyer.cash -= value;
        buyer.sold -= t;
        if buyer.bought_on != today {
            (buyer.bought, buyer.bought_on) = (0, today);
        }
        buyer.bought += t;
        self.deals += 1;
    }

    fn in_listed_hours(&self) -> bool {
        (570..690).contains(&self.minute()) || (780..900).contains(&self.minute())
    }

    pub(crate) fn list(&mut self, who: usize, sells: bool, (t, fen): (i64, i64)) -> bool {
        let good = self.can(who, sells, (t, fen))
            && self.in_listed_hours()
            && t < 100_000
            && self.in_band(fen, 10)
            && self.has_room(who);
        if good {
            self.put(who, sells, (t, fen), Kind::Listing);
        }
        good
    }

    pub(crate) fn take(&mut self, who: usize, sells: bool, (t, limit): (i64, i64)) -> bool {
        let good = self.can(who, sells, (t, limit)) && self.in_listed_hours() && t < 100_000;
        if !good {
            return false;
        }
        // Prices as costs: lower is better for the taker.
        let cost = |fen: i64| if sells { -fen } else { fen };
        let mine = |o: &Order| o.kind == Kind::Listing && o.sells != sells && o.owner != who;
        let best: BTreeSet<i64> =
            self.orders.iter().filter(|o| mine(o)).map(|o| cost(o.fen)).collect();
        let five: Vec<i64> = best.into_iter().take(5).collect();
        let (mut left, mut dealt) = (t, false);
        while left > 0 {
            let open = self.orders.iter().enumerate();
            let open = open.filter(|(_, o)| mine(o) && five.contains(&cost(o.fen)));
            let open = open.filter(|(_, o)| cost(o.fen) <= cost(limit));
            let Some((at, _)) = open.min_by_key(|(_, o)| (cost(o.fen), o.id)) else { break };
            let Order { owner, fen, .. } = self.orders[at];
            let part = left.min(self.orders[at].t);
            self.orders[at].t -= part;
            self.give_back(owner, !sells, (part, fen));
            let (seller, buyer) = if sells { (who, owner) } else { (owner, who) };
            self.trade(seller, buyer, (part, fen));
            self.of_day.push((part, fen));
            self.orders.retain(|order| order.t > 0);
            left -= part;
            dealt = true;
        }
        dealt
    }

    pub(crate) fn withdraw(&mut self, who: usize, id: u64) -> bool {
        let may = |o: &Order| o.owner == who || o.kind == Kind::Block { to: who };
        let Some(at) = self.orders.iter().position(|o| o.id == id && may(o)) else { return false };
        let order = self.orders.remove(at);
        self.give_back(order.owner, order.sells, (order.t, order.fen));
        true
    }

    pub(crate) fn propose(
        &mut self,
        (who, to): (usize, usize),
        sells: bool,
        (t, fen): (i64, i64),
    ) -> bool {
        let good = self.can(who, sells, (t, fen))
            && who != to
            && (780..900).contains(&self.minute())
            && t >= 100_000
            && self.in_band(fen, 30)
            && self.has_room(who);
        if good {
            self.put(who, sells, (t, fen), Kind::Block { to });
        }
        good
    }

    pub(crate) fn confirm(&mut self, who: usize, id: u64) -> bool {
        let found =
            self.orders.iter().position(|o| o.id == id && o.kind == Kind::Block { to: who });
        let Some(at) = found else { return false };
        let Order { owner, sells, t, fen, .. } = self.orders[at];
        if !self.can(who, !sells, (t, fen)) || !(780..900).contains(&self.minute()) {
            return false;
        }
        self.orders.remove(at);
        self.give_back(owner, sells, (t, fen));
        let (seller, buyer) = if sells { (owner, who) } else { (who, owner) };
        self.trade(seller, buyer, (t, fen));
        true
    }

    pub(crate) fn announce(&mut self, bidding: Bidding) -> bool {
        let Bidding { owner, sells, t, reserve, opens, closes, .. } = bidding;
        let good = self.can(owner, sells, (t, reserve))
            && self.live().iter().filter(|b| b.open).count() < 256
            && self.live().iter().filter(|b| b.open && b.owner == owner).count() < 8
            && (1..=100_000_000).contains(&reserve)
            && self.now <= opens
            && opens < closes
            && closes <= self.now + 30 * DAY;
        if good {
            self.hold(owner, sells, (t, reserve));
            self.biddings.push(bidding);
        }
        good
    }

    pub(crate) fn bid(&mut self, who: usize, bidding: usize, (t, fen): (i64, i64)) -> bool {
        let Some(row) = self.biddings.get(bidding) else { return false };
        let sells = !row.sells;
        let is_better = if sells { 0 < fen && fen <= row.reserve } else { row.reserve <= fen };
        let good = self.can(who, sells, (t, fen))
            && row.owner != who
            && row.open
            && (row.opens..row.closes).contains(&self.now)
            && is_better
            && self.has_room(who);
        if good {
            self.put(who, sells, (t, fen), Kind::Bid { bidding });
        }
        good
    }

    pub(crate) fn give(&mut self, from: usize, to: usize, t: i64) -> bool {
        let good = from != to && 0 < t && t <= self.members[from].free && t <= self.sellable(from);
        if good {
            self.members[from].free -= t;
            self.members[from].given += t;
            self.members[to].free += t;
            self.members[to].given -= t;
        }
        good
    }

    pub(crate) fn pass_to(&mut self, now: Minute) {
        self.now = now;
        let today = now.div_euclid(DAY);
        if today > self.day || self.day * DAY + 900 <= now {
            let (bids, ended) = std::mem::take(&mut self.orders)
                .into_iter()
                .partition(|order| matches!(order.kind, Kind::Bid { .. }));
            self.orders = bids;
            let ended: Vec<Order> = ended;
            for order in ended {
                self.give_back(order.owner, order.sells, (order.t, order.fen));
            }
        }
        if today > self.day {
            let tonnes: i128 = self.of_day.iter().map(|(t, _)| i128::from(*t)).sum();
            let paid = self.of_day.iter().map(|(t, fen)| i128::from(*t) * i128::from(*fen));
            if tonnes > 0 {
                let rounded = (2 * paid.sum::<i128>() + tonnes) / (2 * tonnes);
                self.close = i64::try_from(rounded).unwrap();
            }
            self.of_day.clear();
            self.day = today;
        }
        while self.live().first().is_some_and(|bidding| !bidding.open) {
            self.live_from += 1;
        }
        for at in self.live_from..self.biddings.len() {
            if self.biddings[at].open && self.biddings[at].closes <= now {
                self.award(at);
            }
        }
    }

    fn award(&mut self, at: usize) {
        let Bidding { owner, sells, t, reserve, uniform, .. } = self.biddings[at];
        self.biddings[at].open = false;
        self.give_back(owner, sells, (t, reserve));
        let kind = Kind::Bid { bidding: at };
        let mut bids: Vec<Order> =
            self.orders.iter().filter(|order| order.kind == kind).cloned().collect();
        self.orders.retain(|order| order.kind != kind);
        for bid in &bids {
            self.give_back(bid.owner, bid.sells, (bid.t, bid.fen));
        }
        bids.sort_by_key(|bid| (if sells { -bid.fen } else { bid.fen }, bid.id));
        let (mut left, mut won) = (t, Vec::new());
        for bid in bids {
            let part = left.min(bid.t);
            if part > 0 {
                won.push((bid.owner, part, bid.fen));
                left -= part;
            }
        }
        let last = won.last().map_or(0, |(_, _, fen)| *fen);
        for (winner, part, fen) in won {
            let price = if uniform { last } else { fen };
            let (seller, buyer) = if sells { (owner, winner) } else { (winner, owner) };
            self.trade(seller, buyer, (part, price));
        }
    }
}
