//! One-way bidding: a notice, bids, and the award when the block's time passes the close.

use super::super::{Caller, Failure};
use super::deal::NewDeal;
use super::terms::{Intent, PRICE_MAX_FEN, TRADERS};
use crate::action::{CarbonBid, CarbonBiddingNotice};
use crate::event::Event;
use crate::ids::{CarbonBiddingId, CarbonOrderId};
use crate::records::{CarbonBidding, CarbonBiddingState, CarbonMode, CarbonOrder, Counter};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::allowance::bidding::{Bid, Notice, award};
use duet_market::order::Side;
use duet_units::Allowances;

/// The most open biddings of one member.
const OWN_BIDDINGS_MAX: usize = 8;
/// The most open biddings of all members.
const OPEN_BIDDINGS_MAX: usize = 256;
/// How long after its notice a bidding may close: 30 days.
const NOTICE_MAX_MS: i64 = 30 * 86_400_000;

impl State {
    pub(super) fn check_bidding(
        &self,
        caller: &Caller,
        notice: &CarbonBiddingNotice,
    ) -> Result<(), Refusal> {
        caller.needs(&TRADERS)?;
        let intent = notice_intent(notice);
        self.check_means(caller, intent)?;
        self.market()?;
        self.check_same_day(caller, intent)?;
        self.check_biddings_left(caller)?;
        let reserve = notice.reserve.fen_per_t();
        if !(1..=PRICE_MAX_FEN).contains(&reserve) {
            return Err(Rejection::BadBidding.of("reserve", reserve, PRICE_MAX_FEN));
        }
        let (opens, closes) = (notice.opens.unix_ms(), notice.closes.unix_ms());
        if notice.opens < caller.time {
            return Err(Rejection::BadBidding.of("opens", opens, caller.time.unix_ms()));
        }
        let latest = caller.time.plus_ms(NOTICE_MAX_MS);
        if notice.closes <= notice.opens || notice.closes > latest {
            return Err(Rejection::BadBidding.of("closes", closes, latest.unix_ms()));
        }
        Ok(())
    }

    /// Whether the caller may have one more open bidding.
    fn check_biddings_left(&self, caller: &Caller) -> Result<(), Refusal> {
        let open = || self.carbon_biddings.rows().values().filter(|bidding| bidding.is_open());
        let own = open().filter(|bidding| bidding.owner == caller.organisation).count();
        let counts = [
            ("open biddings of the member", own, OWN_BIDDINGS_MAX),
            ("open biddings", open().count(), OPEN_BIDDINGS_MAX),
        ];
        for (field, count, most) in counts {
            if count >= most {
                let whole = |count| i64::try_from(count).unwrap_or(i64::MAX);
                return Err(Rejection::TooManyCarbonOrders.of(field, whole(count), whole(most)));
            }
        }
        Ok(())
    }

    pub(super) fn open_bidding(
        &mut self,
        caller: Caller,
        notice: &CarbonBiddingNotice,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_bidding(&caller, notice)?;
        let owner = caller.organisation;
        self.hold(owner, notice_intent(notice))?;
        let id = CarbonBiddingId(self.next_number(Counter::CarbonBidding));
        let bidding = CarbonBidding {
            owner,
            side: notice.side,
            allowances: notice.allowances,
            reserve: notice.reserve,
            pricing: notice.pricing,
            opens: notice.opens,
            closes: notice.closes,
            state: CarbonBiddingState::Open,
            awarded: Allowances::ZERO,
        };
        self.carbon_biddings.insert(id, bidding);
        events.push(Event::CarbonBiddingAnnounced { bidding: id, owner });
        Ok(id.0)
    }

    /// Returns what the bidder does.
    pub(super) fn check_bid(&self, caller: &Caller, bid: &CarbonBid) -> Result<Side, Refusal> {
        caller.needs(&TRADERS)?;
        let unknown = Rejection::UnknownBidding.of("bidding", bid.bidding.0, 0);
        let Some(bidding) = self.carbon_biddings.get(bid.bidding) else {
            if bid.allowances <= Allowances::ZERO {
                let value = bid.allowances.t();
                return Err(Rejection::QuantityNotPositive.of("allowances", value, 0));
            }
            return Err(unknown);
        };
        let side = bidding.side.opposite();
        let intent = Intent { side, allowances: bid.allowances, price: bid.price };
        self.check_means(caller, intent)?;
        if bidding.owner == caller.organisation {
            return Err(Rejection::SameAccount.of("bidding", bid.bidding.0, 0));
        }
        self.check_same_day(caller, intent)?;
        self.check_room(caller)?;
        if !bidding.is_open() || caller.time < bidding.opens || bidding.closes <= caller.time {
            let (now, opens) = (caller.time.unix_ms(), bidding.opens.unix_ms());
            return Err(Rejection::BiddingNotOpen.of("time", now, opens));
        }
        let worse = match side {
            Side::Buy => bid.price < bidding.reserve,
            Side::Sell => bid.price > bidding.reserve || bid.price.fen_per_t() < 1,
        };
        if worse {
            let (price, reserve) = (bid.price.fen_per_t(), bidding.reserve.fen_per_t());
            return Err(Rejection::WorseThanReserve.of("price", price, reserve));
        }
        Ok(side)
    }

    pub(super) fn bid(
        &mut self,
        caller: Caller,
        bid: &CarbonBid,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let side = self.check_bid(&caller, bid)?;
        let order = CarbonOrder {
            owner: caller.organisation,
            side,
            allowances: bid.allowances,
            price: bid.price,
            counterparty: None,
            bidding: Some(bid.bidding),
        };
        self.accept_order(order, events)
    }

    /// Awards every bidding whose close has passed.
    pub(super) fn award_biddings(
        &mut self,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let time = self.time();
        let biddings = self.carbon_biddings.rows().iter();
        let due: Vec<CarbonBiddingId> = biddings
            .filter(|(_, bidding)| bidding.is_open() && bidding.closes <= time)
            .map(|(id, _)| *id)
            .collect();
        due.into_iter().try_for_each(|id| self.award_bidding(id, events))
    }

    /// Releases everything that was held for a bidding, deals the awards, and so leaves to each
    /// what was not used.
    fn award_bidding(
        &mut self,
        id: CarbonBiddingId,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let Some(bidding) = self.carbon_biddings.get(id).cloned() else { return Ok(()) };
        let orders = self.carbon_orders.rows().iter();
        let orders: Vec<(CarbonOrderId, CarbonOrder)> = orders
            .filter(|(_, order)| order.bidding == Some(id))
            .map(|(id, order)| (*id, order.clone()))
            .collect();
        let bids: Vec<Bid> = orders
            .iter()
            .map(|(_, order)| Bid { quantity: order.allowances, price: order.price })
            .collect();
        let awards = award(&bidding.notice(), &bids)?;
        self.release(bidding.owner, bidding.intent())?;
        for (id, _) in &orders {
            self.end_order(*id, events)?;
        }
        let mut awarded = Allowances::ZERO;
        for won in awards {
            let Some((order, bid)) = orders.get(won.bid) else { continue };
            let (seller, buyer) = NewDeal::parties(bidding.side, bidding.owner, bid.owner);
            let deal = NewDeal {
                mode: CarbonMode::Bidding,
                order: *order,
                seller,
                buyer,
                allowances: won.quantity,
                price: won.price,
            };
            self.deal(deal, events)?;
            awarded = awarded.plus(won.quantity)?;
        }
        let row = CarbonBidding { state: CarbonBiddingState::Awarded, awarded, ..bidding };
        self.carbon_biddings.insert(id, row);
        events.push(Event::CarbonBiddingAwarded { bidding: id, allowances: awarded });
        Ok(())
    }
}

const fn notice_intent(notice: &CarbonBiddingNotice) -> Intent {
    Intent { side: notice.side, allowances: notice.allowances, price: notice.reserve }
}

impl CarbonBidding {
    fn is_open(&self) -> bool {
        self.state == CarbonBiddingState::Open
    }

    const fn intent(&self) -> Intent {
        Intent { side: self.side, allowances: self.allowances, price: self.reserve }
    }

    const fn notice(&self) -> Notice {
        let Self { side, allowances: quantity, reserve, pricing, .. } = *self;
        Notice { side, quantity, reserve, pricing }
    }
}
