//! Certificates for sale. What is offered is a run of its own, so it cannot be sold twice.

use super::{Caller, Failure};
use crate::action::{OfferCertificates, TakeOffer, WithdrawOffer};
use crate::event::Event;
use crate::ids::CertificateOfferId;
use crate::records::{AccountKind, CertificateLot, CertificateOffer, Counter, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_units::Money;

/// The most offers of one seller at a time.
const OFFERS_MAX: usize = 256;
/// The highest price of one certificate: 10 million yuan, so that no product overflows.
const PRICE_MAX_FEN: i128 = 1_000_000_000;

impl State {
    pub(super) fn check_offer(
        &self,
        caller: &Caller,
        request: &OfferCertificates,
    ) -> Result<CertificateLot, Refusal> {
        caller.needs(&[Role::Generator])?;
        let part = (request.lot, request.count);
        self.check_own(caller, part)?;
        let price = request.price.fen();
        if price <= 0 {
            return Err(Rejection::AmountNotPositive.of("price", price, 0));
        }
        let known = |buyer| self.organisations.get(buyer).is_some();
        if let Some(buyer) = request.buyer.filter(|buyer| !known(*buyer)) {
            return Err(Rejection::UnknownOrganisation.of("buyer", buyer.0, 0));
        }
        if price > PRICE_MAX_FEN {
            return Err(Rejection::AmountTooLarge.of("price", price, PRICE_MAX_FEN));
        }
        if let Some(buyer) = request.buyer {
            self.check_other(caller, "buyer", buyer)?;
        }
        let lot = self.check_sale(part)?;
        let own = self.offers.rows().values().filter(|row| row.seller == caller.organisation);
        if own.count() >= OFFERS_MAX {
            return Err(Rejection::TableFull.of("offers", 0, 0));
        }
        Ok(lot.clone())
    }

    pub(super) fn offer(
        &mut self,
        caller: Caller,
        request: &OfferCertificates,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let lot = self.check_offer(&caller, request)?;
        let offer = CertificateOfferId(self.next_number(Counter::CertificateOffer));
        let (count, price) = (request.count, request.price);
        let offered = self.split_lot(request.lot, &lot, count);
        if let Some(row) = self.lots.get_mut(offered) {
            row.offer = Some(offer);
        }
        let (seller, buyer) = (caller.organisation, request.buyer);
        self.offers.insert(offer, CertificateOffer { lot: offered, seller, price, buyer });
        events.push(Event::CertificatesOffered { offer, lot: offered, count, price });
        Ok(offer.0)
    }

    fn known_offer(&self, id: CertificateOfferId) -> Result<&CertificateOffer, Refusal> {
        self.offers.get(id).ok_or(Rejection::UnknownOffer.of("offer", id.0, 0))
    }

    /// Returns the offer, its run and what the certificates cost.
    pub(super) fn check_offer_take(
        &self,
        caller: &Caller,
        request: &TakeOffer,
    ) -> Result<(CertificateOffer, CertificateLot, Money), Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let count = request.count;
        if count == 0 {
            return Err(Rejection::AmountNotPositive.of("count", count, 0));
        }
        let offer = self.known_offer(request.offer)?;
        let price = offer.price.fen().checked_mul(count.into());
        let amount = Money::from_fen(price.unwrap_or(i128::MAX));
        let available = self.balance(caller.organisation, AccountKind::Available);
        if amount > available {
            return Err(Rejection::InsufficientFunds.of("amount", amount.fen(), available.fen()));
        }
        self.check_other(caller, "seller", offer.seller)?;
        let lot = self.live_lot(offer.lot)?;
        if count > lot.count {
            return Err(Rejection::TooManyCertificates.of("count", count, lot.count));
        }
        if lot.is_frozen() {
            return Err(Rejection::CertificateFrozen.of("lot", offer.lot.0, 0));
        }
        if let Some(buyer) = offer.buyer.filter(|buyer| *buyer != caller.organisation) {
            return Err(Rejection::OfferedToAnother.of("buyer", caller.organisation.0, buyer.0));
        }
        Ok((offer.clone(), lot.clone(), amount))
    }

    /// Delivery against payment: both happen here or neither.
    pub(super) fn take_offer(
        &mut self,
        caller: Caller,
        request: &TakeOffer,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let (row, lot, amount) = self.check_offer_take(&caller, request)?;
        let (offer, to, count) = (request.offer, caller.organisation, request.count);
        self.post((to, AccountKind::Available), (row.seller, AccountKind::Available), amount)?;
        let moved = self.move_lot((row.lot, count), &lot, to);
        if moved == row.lot {
            self.offers.remove(offer);
        }
        events.push(Event::CertificatesSold { offer, lot: moved, to, count, amount });
        Ok(moved.0)
    }

    pub(super) fn check_withdraw(
        &self,
        caller: &Caller,
        request: &WithdrawOffer,
    ) -> Result<CertificateOffer, Refusal> {
        caller.needs(&[Role::Generator])?;
        let offer = self.known_offer(request.offer)?;
        if offer.seller != caller.organisation {
            return Err(Rejection::NotYours.of("offer", request.offer.0, 0));
        }
        Ok(offer.clone())
    }

    pub(super) fn withdraw_offer(
        &mut self,
        caller: Caller,
        request: &WithdrawOffer,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let row = self.check_withdraw(&caller, request)?;
        let offer = request.offer;
        self.offers.remove(offer);
        if let Some(lot) = self.lots.get_mut(row.lot) {
            lot.offer = None;
        }
        events.push(Event::CertificateOfferEnded { offer });
        Ok(offer.0)
    }
}
