//! Holding what an order needs, releasing it, and delivery against payment.

use super::terms::{Intent, value_of};
use crate::event::Event;
use crate::ids::{CarbonDealId, CarbonOrderId, OrganisationId};
use crate::records::{AccountKind, CarbonDeal, CarbonMode, CarbonOrder, Counter};
use crate::state::{BrokenInvariant, State};
use duet_market::order::Side;
use duet_units::{Allowances, CarbonPrice};

/// A deal before it is booked. What it moves is free and available: released before.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewDeal {
    pub(super) mode: CarbonMode,
    pub(super) order: CarbonOrderId,
    pub(super) seller: OrganisationId,
    pub(super) buyer: OrganisationId,
    pub(super) allowances: Allowances,
    pub(super) price: CarbonPrice,
}

impl NewDeal {
    /// Names seller and buyer, given who does what.
    pub(super) const fn parties(
        side: Side,
        party: OrganisationId,
        other: OrganisationId,
    ) -> (OrganisationId, OrganisationId) {
        match side {
            Side::Sell => (party, other),
            Side::Buy => (other, party),
        }
    }
}

impl State {
    /// Holds what an order needs: allowances of a seller, money of a buyer.
    pub(super) fn hold(
        &mut self,
        owner: OrganisationId,
        intent: Intent,
    ) -> Result<(), BrokenInvariant> {
        let (allowances, value) = (intent.allowances, value_of(intent.allowances, intent.price));
        match intent.side {
            Side::Buy => {
                self.post((owner, AccountKind::Available), (owner, AccountKind::Escrow), value)
            }
            Side::Sell => {
                let mut account = self.carbon_account(owner);
                account.free = account.free.minus(allowances)?;
                account.locked = account.locked.plus(allowances)?;
                if account.free < Allowances::ZERO {
                    return Err(BrokenInvariant("allowances that are locked were free"));
                }
                self.carbon.insert(owner, account);
                Ok(())
            }
        }
    }

    /// Releases what [`Self::hold`] holds.
    pub(super) fn release(
        &mut self,
        owner: OrganisationId,
        intent: Intent,
    ) -> Result<(), BrokenInvariant> {
        let (allowances, value) = (intent.allowances, value_of(intent.allowances, intent.price));
        match intent.side {
            Side::Buy => {
                self.post((owner, AccountKind::Escrow), (owner, AccountKind::Available), value)
            }
            Side::Sell => {
                let mut account = self.carbon_account(owner);
                account.locked = account.locked.minus(allowances)?;
                account.free = account.free.plus(allowances)?;
                if account.locked < Allowances::ZERO {
                    return Err(BrokenInvariant("allowances that are released were locked"));
                }
                self.carbon.insert(owner, account);
                Ok(())
            }
        }
    }

    /// Takes an order off the book and holds what it needs no longer.
    pub(super) fn end_order(
        &mut self,
        id: CarbonOrderId,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        if let Some(order) = self.carbon_orders.remove(id) {
            self.release(order.owner, order.intent())?;
            events.push(Event::CarbonOrderEnded { order: id, owner: order.owner });
        }
        Ok(())
    }

    /// Releases a part of an order that is about to be dealt; a filled order leaves the book.
    pub(super) fn draw_on(
        &mut self,
        id: CarbonOrderId,
        allowances: Allowances,
    ) -> Result<(), BrokenInvariant> {
        let missing = BrokenInvariant("a picked order is in the book");
        let order = self.carbon_orders.get(id).cloned().ok_or(missing)?;
        self.release(order.owner, Intent { allowances, ..order.intent() })?;
        let rest = order.allowances.minus(allowances)?;
        if rest.is_zero() {
            self.carbon_orders.remove(id);
        } else {
            self.carbon_orders.insert(id, CarbonOrder { allowances: rest, ..order });
        }
        Ok(())
    }

    /// Delivers and pays in one: the only place where allowances change hands for money.
    pub(super) fn deal(
        &mut self,
        deal: NewDeal,
        events: &mut Vec<Event>,
    ) -> Result<CarbonDealId, BrokenInvariant> {
        let NewDeal { mode, order, seller, buyer, allowances, price } = deal;
        if seller == buyer || allowances <= Allowances::ZERO {
            return Err(BrokenInvariant("a deal is between two and moves something"));
        }
        let (time, amount) = (self.time(), value_of(allowances, price));
        let (mut from, mut to) = (self.carbon_account(seller), self.carbon_account(buyer));
        let held = from.held()?.plus(to.held()?)?;
        from.free = from.free.minus(allowances)?;
        to.free = to.free.plus(allowances)?;
        if from.free < Allowances::ZERO || from.held()?.plus(to.held()?)? != held {
            return Err(BrokenInvariant("a deal moves allowances that are there"));
        }
        self.carbon.insert(seller, from);
        self.carbon.insert(buyer, to);
        self.count_sale((seller, buyer), allowances)?;
        self.count_bought(buyer, allowances)?;
        self.post((buyer, AccountKind::Available), (seller, AccountKind::Available), amount)?;
        let id = CarbonDealId(self.next_number(Counter::CarbonDeal));
        let row = CarbonDeal { time, mode, order, seller, buyer, allowances, price, amount };
        self.count_for_close(&row)?;
        self.carbon_deals.insert(id, row);
        events.push(Event::AllowancesDealt { deal: id, order, allowances, price });
        Ok(id)
    }

    /// Whether what goes with a contract at this price is sold: at a price of block agreements,
    /// so that a nominal one does not count for banking.
    pub(in crate::apply) fn is_sale(&self, price: CarbonPrice) -> bool {
        self.market().is_ok_and(|market| self.check_band(price, market.terms.block_band).is_ok())
    }

    /// Counts what was sold for the banking of both.
    pub(in crate::apply) fn count_sale(
        &mut self,
        (seller, buyer): (OrganisationId, OrganisationId),
        allowances: Allowances,
    ) -> Result<(), BrokenInvariant> {
        let (mut from, mut to) = (self.carbon_account(seller), self.carbon_account(buyer));
        from.net_sales = from.net_sales.plus(allowances)?;
        to.net_sales = to.net_sales.minus(allowances)?;
        self.carbon.insert(seller, from);
        self.carbon.insert(buyer, to);
        Ok(())
    }

    /// Counts what was given for nothing, or nearly so, for the banking of both.
    pub(in crate::apply) fn count_gift(
        &mut self,
        (giver, taker): (OrganisationId, OrganisationId),
        allowances: Allowances,
    ) -> Result<(), BrokenInvariant> {
        let (mut from, mut to) = (self.carbon_account(giver), self.carbon_account(taker));
        from.given = from.given.plus(allowances)?;
        to.given = to.given.minus(allowances)?;
        self.carbon.insert(giver, from);
        self.carbon.insert(taker, to);
        Ok(())
    }

    /// Counts what was bought for the same-day rule of the buyer.
    pub(in crate::apply) fn count_bought(
        &mut self,
        buyer: OrganisationId,
        allowances: Allowances,
    ) -> Result<(), BrokenInvariant> {
        let day = self.time().day();
        let mut to = self.carbon_account(buyer);
        let before = if to.bought_on == day { to.bought } else { Allowances::ZERO };
        (to.bought, to.bought_on) = (before.plus(allowances)?, day);
        self.carbon.insert(buyer, to);
        Ok(())
    }

    fn count_for_close(&mut self, deal: &CarbonDeal) -> Result<(), BrokenInvariant> {
        let Some(market) = self.carbon_market.get_mut(()) else { return Ok(()) };
        let counts = match deal.mode {
            CarbonMode::Listed => true,
            CarbonMode::Block => market.terms.blocks_count,
            CarbonMode::Bidding => false,
        };
        if counts {
            market.first.get_or_insert(deal.price);
            market.dealt = market.dealt.plus(deal.allowances)?;
            market.paid = market.paid.plus(deal.amount)?;
        }
        Ok(())
    }
}

impl CarbonOrder {
    /// What the order holds.
    pub(super) const fn intent(&self) -> Intent {
        Intent { side: self.side, allowances: self.allowances, price: self.price }
    }
}
