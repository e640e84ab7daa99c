//! Allowances and certificates around a delivery day.
//!
//! ```text
//! day before  13:05 allowances are dealt, from day to day in another way; the market closes 15:00
//! day after   00:10 allowances are surrendered, certificates are sold, users retire half of them
//! ```

use crate::{
    ahead::{Party, Request},
    day::{DayError, Tally, TradingDay},
};
use duet_ledger::{
    Action, BlockConfirmation, BlockProposal, CarbonAction, CarbonBid, CarbonBiddingId,
    CarbonBiddingNotice, CarbonListing, CarbonOrderId, CarbonTake, CarbonTerms, CarbonTermsNotice,
    CertificateAction, CertificateOfferId, CertificateState, OfferCertificates, Pricing,
    RetirementPurpose, Side, State, TakeOffer,
};
use duet_units::{Allowances, CarbonPrice, ClockTime, DeliveryDay, Money};

const MINUTE_MS: i64 = 60_000;
/// From the start of the day before delivery to the afternoon of the allowance market.
const AFTERNOON_MS: i64 = (13 * 60 + 5) * MINUTE_MS;
/// What is dealt, in tonnes; a block is the smallest there is.
const LISTED: Allowances = Allowances::from_t(5_000);
const BLOCK: Allowances = Allowances::from_t(100_000);
/// The price of a certificate: synthetic.
const CERTIFICATE_PRICE: Money = Money::from_fen(500);

impl TradingDay {
    /// Deals allowances on the day before a delivery day: listed, as a block, or by bidding.
    ///
    /// # Errors
    ///
    /// Returns [`DayError`] if the ledger refuses what the simulated members and institutions do.
    pub async fn deal_allowances(
        &self,
        day: DeliveryDay,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let start = day.start().plus_ms(AFTERNOON_MS - 24 * 60 * MINUTE_MS);
        self.reach(start).await;
        self.open_carbon_market(tally).await?;
        let (sellers, buyers) = (self.parties(true), self.parties(false));
        let (Some(seller), [first, second, ..]) = (sellers.first(), buyers.as_slice()) else {
            return Ok(());
        };
        match day.days().saturating_sub(self.first_day().days()).rem_euclid(3) {
            0 => self.list_allowances(seller, first, tally).await,
            1 => self.agree_on_block(seller, first, tally).await,
            _ => self.auction_allowances(start, (seller, [first, second]), tally).await,
        }
    }

    /// The exchange announces the allowance market; once.
    async fn open_carbon_market(&self, tally: &mut Tally) -> Result<(), DayError> {
        if self.state(|state| state.carbon_market().is_some()) {
            return Ok(());
        }
        let opening_price = Some(self.scenario.market.carbon_price);
        let notice = CarbonTermsNotice { terms: CarbonTerms::USUAL, opening_price };
        let who = "EXCHANGE".to_owned();
        let action = Action::Carbon(CarbonAction::AnnounceTerms(notice));
        self.done(Request { what: "allowance market", who, action }, tally).await.map(drop)
    }

    /// The last close of allowances, this share above it.
    fn carbon_price(&self, above_percent: i64) -> CarbonPrice {
        let close = self.state(|state| state.carbon_market().map(|market| market.previous_close));
        let fen = close.unwrap_or(self.scenario.market.carbon_price).fen_per_t();
        CarbonPrice::from_fen_per_t(fen + fen * above_percent / 100)
    }

    async fn deal(
        &self,
        (what, who): (&'static str, &Party),
        action: CarbonAction,
        tally: &mut Tally,
    ) -> Result<u64, DayError> {
        let (who, action) = (who.name.clone(), Action::Carbon(action));
        self.done(Request { what, who, action }, tally).await
    }

    async fn list_allowances(
        &self,
        seller: &Party,
        buyer: &Party,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let price = self.carbon_price(1);
        let listing = CarbonListing { side: Side::Sell, allowances: LISTED, price };
        self.deal(("listed allowances", seller), CarbonAction::List(listing), tally).await?;
        let take = CarbonTake { side: Side::Buy, allowances: LISTED, limit: price };
        self.deal(("taken allowances", buyer), CarbonAction::Take(take), tally).await.map(drop)
    }

    async fn agree_on_block(
        &self,
        seller: &Party,
        buyer: &Party,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let (counterparty, price) = (buyer.organisation, self.carbon_price(-2));
        let proposal = BlockProposal { side: Side::Sell, counterparty, allowances: BLOCK, price };
        let action = CarbonAction::ProposeBlock(proposal);
        let order = CarbonOrderId(self.deal(("proposed block", seller), action, tally).await?);
        let proposal = self.state(|state| {
            let row = state.carbon_orders().get(&order)?;
            Some(row.proposal_hash(state.channel(), order))
        });
        let proposal = proposal.ok_or(DayError::Missing("a proposed block is open"))?;
        let action = CarbonAction::ConfirmBlock(BlockConfirmation { order, proposal });
        self.deal(("confirmed block", buyer), action, tally).await.map(drop)
    }

    /// One sells, two bid for more than there is.
    async fn auction_allowances(
        &self,
        start: ClockTime,
        (seller, bidders): (&Party, [&Party; 2]),
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let (opens, closes) = (start.plus_ms(5 * MINUTE_MS), start.plus_ms(15 * MINUTE_MS));
        let notice = CarbonBiddingNotice {
            side: Side::Sell,
            allowances: LISTED,
            reserve: self.carbon_price(0),
            pricing: Pricing::Uniform,
            opens,
            closes,
        };
        let action = CarbonAction::OpenBidding(notice);
        let bidding = CarbonBiddingId(self.deal(("bidding", seller), action, tally).await?);
        self.reach(opens).await;
        for (bidder, percent) in bidders.into_iter().zip([3, 2]) {
            let price = self.carbon_price(percent);
            let bid = CarbonBid { bidding, allowances: LISTED, price };
            self.deal(("bid for allowances", bidder), CarbonAction::Bid(bid), tally).await?;
        }
        self.reach(closes).await;
        Ok(())
    }

    /// Generators surrender allowances for the whole tonnes that they emitted.
    pub(crate) async fn surrender(&self, tally: &mut Tally) -> Result<(), DayError> {
        for (member, place) in self.scenario.members.iter().zip(&self.founding.members) {
            let due = self.state(|state| {
                let account = state.carbon().get(&place.organisation)?;
                let (tonnes, _) = account.emissions.tonnes_and_rest();
                let open = i64::try_from(tonnes).ok()? - account.surrendered.t();
                (0 < open).then(|| Allowances::from_t(open).min(account.free))
            });
            if let Some(allowances) = due.filter(|allowances| !allowances.is_zero()) {
                let action = Action::SurrenderAllowances { allowances };
                tally.note("surrender", self.actor(&member.name).act(action).await)?;
            }
        }
        Ok(())
    }

    /// Fresh certificates are sold to users in turn, delivery against payment; each retires half.
    pub(crate) async fn sell_certificates(&self, tally: &mut Tally) -> Result<(), DayError> {
        let members = || self.scenario.members.iter().zip(&self.founding.members);
        let users: Vec<_> = members().filter(|(member, _)| member.load.is_some()).collect();
        let fresh: Vec<_> = self.state(|state: &State| {
            let lots = state.lots().iter();
            lots.filter(|(_, lot)| lot.state == CertificateState::Issued && lot.offer.is_none())
                .map(|(id, lot)| (*id, lot.count, lot.owner))
                .collect()
        });
        for ((lot, count, owner), (user, place)) in fresh.into_iter().zip(users.iter().cycle()) {
            let Some((seller, _)) = members().find(|(_, place)| place.organisation == owner) else {
                continue;
            };
            let buyer = Some(place.organisation);
            let offer = OfferCertificates { lot, count, price: CERTIFICATE_PRICE, buyer };
            let action = Action::Certificate(CertificateAction::Offer(offer));
            let (what, who) = ("offer of certificates", seller.name.clone());
            let offer = self.done(Request { what, who, action }, tally).await?;
            let take = TakeOffer { offer: CertificateOfferId(offer), count };
            let action = Action::Certificate(CertificateAction::Take(take));
            let (what, who) = ("purchase of certificates", user.name.clone());
            self.done(Request { what, who, action }, tally).await?;
            let (count, purpose) = (count.div_ceil(2), RetirementPurpose::Claim);
            let beneficiary = user.name.clone();
            let action = Action::RetireCertificates { lot, count, purpose, beneficiary };
            let (what, who) = ("retirement of certificates", user.name.clone());
            self.done(Request { what, who, action }, tally).await?;
        }
        Ok(())
    }
}
