//! The terms of the allowance market, and what every order is held to.

use super::super::{Caller, Failure};
use crate::action::CarbonTermsNotice;
use crate::ids::OrganisationId;
use crate::records::{CarbonMarket, CarbonTerms, Hours, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_market::allowance::Band;
use duet_market::order::Side;
use duet_units::{Allowances, BasisPoints, CarbonPrice, Money};

/// The highest opening price or reserve: a million yuan a tonne.
pub(super) const PRICE_MAX_FEN: i64 = 100_000_000;
/// The most open orders of one member.
const OWN_ORDERS_MAX: usize = 64;
/// The most open orders of all members.
const ORDERS_MAX: usize = 8_192;
/// The widest band: prices stay above zero.
const BAND_MAX_BP: i64 = 9_999;
const MINUTES_OF_DAY: u16 = 1_440;
const MS_PER_MINUTE: i64 = 60_000;

/// Who trades allowances.
pub(super) const TRADERS: [Role; 3] = [Role::Generator, Role::Retailer, Role::LargeUser];

/// What a deal of `allowances` at `price` costs: fen/t times t is fen, so nothing is rounded.
pub(super) fn value_of(allowances: Allowances, price: CarbonPrice) -> Money {
    // The product of two numbers of 64 bits fits in 128.
    Money::from_fen(i128::from(allowances.t()).saturating_mul(price.fen_per_t().into()))
}

/// An order before it is checked: what it would hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intent {
    pub(super) side: Side,
    pub(super) allowances: Allowances,
    pub(super) price: CarbonPrice,
}

impl State {
    pub(super) fn check_carbon_terms(
        &self,
        caller: &Caller,
        notice: &CarbonTermsNotice,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Exchange])?;
        check_terms(&notice.terms)?;
        let bad = |value: i64| Rejection::BadCarbonTerms.of("opening price", value, PRICE_MAX_FEN);
        match (self.carbon_market(), notice.opening_price) {
            (None, Some(price)) if (1..=PRICE_MAX_FEN).contains(&price.fen_per_t()) => Ok(()),
            (Some(_), None) => Ok(()),
            (_, price) => Err(bad(price.unwrap_or_default().fen_per_t())),
        }
    }

    pub(super) fn announce_carbon_terms(
        &mut self,
        caller: Caller,
        notice: &CarbonTermsNotice,
    ) -> Result<u64, Failure> {
        self.check_carbon_terms(&caller, notice)?;
        let terms = notice.terms.clone();
        if let Some(market) = self.carbon_market.get_mut(()) {
            market.next_terms = Some(terms);
            return Ok(0);
        }
        let market = CarbonMarket {
            terms,
            next_terms: None,
            day: caller.time.day(),
            previous_close: notice.opening_price.unwrap_or_default(),
            first: None,
            dealt: Allowances::ZERO,
            paid: Money::ZERO,
        };
        self.carbon_market.insert((), market);
        Ok(0)
    }

    /// The allowance market, once there is one.
    pub(super) fn market(&self) -> Result<&CarbonMarket, Refusal> {
        self.carbon_market().ok_or(Rejection::NoCarbonMarket.of("market", 0, 0))
    }

    /// Whether the caller has what an order would hold: money to buy, free allowances to sell.
    pub(super) fn check_means(&self, caller: &Caller, intent: Intent) -> Result<(), Refusal> {
        let allowances = intent.allowances.t();
        if allowances <= 0 {
            return Err(Rejection::QuantityNotPositive.of("allowances", allowances, 0));
        }
        match intent.side {
            Side::Buy => {
                let available = self.available(caller.organisation);
                let needed = value_of(intent.allowances, intent.price);
                if needed > available {
                    let (needed, available) = (needed.fen(), available.fen());
                    return Err(Rejection::InsufficientFunds.of("value", needed, available));
                }
            }
            Side::Sell => {
                let free = self.carbon_account(caller.organisation).free.t();
                if allowances > free {
                    let field = "allowances";
                    return Err(Rejection::InsufficientAllowances.of(field, allowances, free));
                }
            }
        }
        Ok(())
    }

    fn available(&self, organisation: OrganisationId) -> Money {
        self.balance(organisation, crate::records::AccountKind::Available)
    }

    /// Whether the block's time lies in one of the spans.
    pub(super) fn check_hours(&self, caller: &Caller, spans: &[&Hours]) -> Result<(), Refusal> {
        let since = caller.time.unix_ms().saturating_sub(caller.time.day().start().unix_ms());
        let minute = u16::try_from(since.div_euclid(MS_PER_MINUTE)).unwrap_or(u16::MAX);
        if spans.iter().any(|span| span.hold(minute)) {
            return Ok(());
        }
        let from = spans.first().map_or(0, |span| span.from);
        Err(Rejection::OutsideCarbonHours.of("minute of the day", minute, from))
    }

    /// Whether a price is near enough to the previous close.
    pub(super) fn check_band(&self, price: CarbonPrice, width: BasisPoints) -> Result<(), Refusal> {
        let band = Band::around(self.market()?.previous_close, width)?;
        if band.holds(price) {
            return Ok(());
        }
        let bound = if price < band.lowest { band.lowest } else { band.highest };
        Err(Rejection::OutsideCarbonBand.of("price", price.fen_per_t(), bound.fen_per_t()))
    }

    /// Whether a seller would sell what it bought today.
    pub(super) fn check_same_day(&self, caller: &Caller, intent: Intent) -> Result<(), Refusal> {
        match intent.side {
            Side::Buy => Ok(()),
            Side::Sell => self.check_not_bought_today(caller, intent.allowances),
        }
    }

    pub(super) fn check_not_bought_today(
        &self,
        caller: &Caller,
        allowances: Allowances,
    ) -> Result<(), Refusal> {
        let account = self.carbon_account(caller.organisation);
        let sellable = account.sellable(caller.time.day())?;
        if allowances > sellable {
            let (value, bound) = (allowances.t(), sellable.t());
            return Err(Rejection::BoughtToday.of("allowances", value, bound));
        }
        Ok(())
    }

    /// Whether the caller may have one more open order.
    pub(super) fn check_room(&self, caller: &Caller) -> Result<(), Refusal> {
        let orders = self.carbon_orders.rows();
        let own = orders.values().filter(|order| order.owner == caller.organisation).count();
        let refused = |field, count: usize, bound: usize| {
            let whole = |count| i64::try_from(count).unwrap_or(i64::MAX);
            Rejection::TooManyCarbonOrders.of(field, whole(count), whole(bound))
        };
        if own >= OWN_ORDERS_MAX {
            return Err(refused("open orders of the member", own, OWN_ORDERS_MAX));
        }
        if orders.len() >= ORDERS_MAX {
            return Err(refused("open orders", orders.len(), ORDERS_MAX));
        }
        Ok(())
    }
}

fn check_terms(terms: &CarbonTerms) -> Result<(), Refusal> {
    let bad =
        |field, value: u16, bound: u16| Err(Rejection::BadCarbonTerms.of(field, value, bound));
    for hours in [&terms.morning, &terms.afternoon, &terms.block] {
        if hours.from > hours.until {
            return bad("hours", hours.from, hours.until);
        }
        if hours.until > MINUTES_OF_DAY {
            return bad("hours", hours.until, MINUTES_OF_DAY);
        }
    }
    if terms.morning.until > terms.afternoon.from {
        return bad("morning", terms.morning.until, terms.afternoon.from);
    }
    for width in [terms.listed_band.bp(), terms.block_band.bp()] {
        if !(0..=BAND_MAX_BP).contains(&width) {
            return Err(Rejection::BadCarbonTerms.of("band", width, BAND_MAX_BP));
        }
    }
    Ok(())
}
