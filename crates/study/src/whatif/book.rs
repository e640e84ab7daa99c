//! The book of a session: drawn from a scenario or made by the caller, and changed.

use super::Change;
use crate::scenario::Scenario;
use duet_market::auction::CallRule;
use duet_market::carbon::{CarbonTerms, offer};
use duet_market::game::{Design, GameOrder, GameRule};
use duet_market::order::{Order, Rationing, Side};
use duet_units::{BasisPoints, CarbonPrice, EmissionFactor, Energy, OverflowError, Price};

/// What a session is cleared from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// What people call it.
    pub name: String,
    /// The periods of its day: 24 or 96.
    pub periods: u8,
    /// Its terms.
    pub terms: BookTerms,
    /// The orders that were in it when the gate closed, in order of acceptance.
    pub orders: Vec<BookOrder>,
    /// What the node says that it cleared at; empty if it did not.
    pub recorded: Vec<Recorded>,
}

/// The terms of a session as far as its clearing depends on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookTerms {
    /// The carbon price of the adder.
    pub carbon_price_fen_per_t: i64,
    /// The highest effective ask.
    pub ceiling_milli_yuan_per_mwh: i64,
    /// Where in the interval the price lies: numerator ...
    pub price_numerator: i64,
    /// ... and denominator.
    pub price_denominator: i64,
    /// Who is served first at the margin.
    pub rationing: BookRationing,
    /// The second stage.
    pub second_stage: Design,
    /// The highest compensation.
    pub compensation_cap_milli_yuan_per_mwh: i64,
    /// The share of the rent that funds it.
    pub fund_share_bp: i64,
}

/// Who is served first at the margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookRationing {
    /// In proportion to quantity.
    ProRata,
    /// The earlier order.
    Time,
    /// The lower emission factor.
    GreenFirst,
}

/// The side of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookSide {
    /// Takes energy.
    Buy,
    /// Gives energy.
    Sell,
}

/// An order, with what carbon needs to know of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookOrder {
    /// The delivery period.
    pub period: u8,
    /// Buy or sell.
    pub side: BookSide,
    /// The limit as declared: of a sell order, without carbon.
    pub limit_milli_yuan_per_mwh: i64,
    /// How much.
    pub quantity_kwh: i64,
    /// The declared conductivity; zero for a buy order.
    pub conductivity_bp: i64,
    /// The registered cost of the unit that sells.
    pub registered_cost_milli_yuan_per_mwh: i64,
    /// What it emits.
    pub emission_factor_g_per_kwh: i64,
    /// What it is allocated for free.
    pub benchmark_g_per_kwh: i64,
}

/// What a period cleared at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The period.
    pub period: u8,
    /// The price of the first stage.
    pub price_milli_yuan_per_mwh: Option<i64>,
    /// The energy of the first stage.
    pub volume_kwh: i64,
    /// The energy of the second stage.
    pub second_volume_kwh: i64,
}

/// Why a book cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// A sum or product does not fit.
    #[error(transparent)]
    Overflow(#[from] OverflowError),
    /// An order is impossible.
    #[error("order {0} of the book: {1}")]
    Order(usize, &'static str),
    /// The terms are impossible.
    #[error("the terms of the book: {0}")]
    Terms(&'static str),
    /// What is to be changed makes no sense.
    #[error("the change: {0}")]
    Change(&'static str),
}

impl Book {
    /// The book of one period-wise day of a scenario.
    #[must_use]
    pub fn of_scenario(scenario: &Scenario, day: u32) -> Self {
        let market = &scenario.market;
        let rationing = match market.rationing {
            Rationing::ProRata => BookRationing::ProRata,
            Rationing::Time => BookRationing::Time,
            Rationing::GreenFirst => BookRationing::GreenFirst,
        };
        let plan = scenario.day(day);
        let orders = plan.orders.iter().map(|planned| {
            let unit = planned.unit.and_then(|unit| scenario.unit(planned.member, unit));
            BookOrder {
                period: planned.period,
                side: if planned.side == Side::Buy { BookSide::Buy } else { BookSide::Sell },
                limit_milli_yuan_per_mwh: planned.limit.milli_yuan_per_mwh(),
                quantity_kwh: planned.quantity.kwh(),
                conductivity_bp: unit.map_or(0, |unit| unit.conductivity.bp()),
                registered_cost_milli_yuan_per_mwh: unit
                    .map_or(0, |unit| unit.registered_cost.milli_yuan_per_mwh()),
                emission_factor_g_per_kwh: unit.map_or(0, |unit| unit.emission_factor.g_per_kwh()),
                benchmark_g_per_kwh: unit.map_or(0, |unit| unit.benchmark.g_per_kwh()),
            }
        });
        let call = CallRule::MIDPOINT;
        Self {
            name: format!("{}, day {day}", scenario.name),
            periods: 24,
            terms: BookTerms {
                carbon_price_fen_per_t: market.carbon_price.fen_per_t(),
                ceiling_milli_yuan_per_mwh: market.ceiling.milli_yuan_per_mwh(),
                price_numerator: call.numerator,
                price_denominator: call.denominator,
                rationing,
                second_stage: Design::Compensation,
                compensation_cap_milli_yuan_per_mwh: market.compensation_cap.milli_yuan_per_mwh(),
                fund_share_bp: market.fund_share.bp(),
            },
            orders: orders.collect(),
            recorded: Vec::new(),
        }
    }

    /// Checks what its maker could have got wrong.
    ///
    /// # Errors
    ///
    /// Returns the first [`BookError`].
    pub fn check(&self) -> Result<(), BookError> {
        if self.periods != 24 && self.periods != 96 {
            return Err(BookError::Terms("a day has 24 or 96 periods"));
        }
        if self.terms.carbon_price_fen_per_t < 0 {
            return Err(BookError::Terms("the carbon price is negative"));
        }
        for (place, order) in self.orders.iter().enumerate() {
            let fault = if self.periods <= order.period {
                "its period is not one of the day"
            } else if order.quantity_kwh < 0 {
                "its quantity is negative"
            } else if !(0..=10_000).contains(&order.conductivity_bp) {
                "its conductivity does not lie between 0 and 1"
            } else if order.emission_factor_g_per_kwh < 0 || order.benchmark_g_per_kwh < 0 {
                "a factor is negative"
            } else {
                continue;
            };
            return Err(BookError::Order(place, fault));
        }
        Ok(())
    }

    /// The book under changed terms.
    pub(super) fn changed(&self, change: &Change) -> Result<Self, BookError> {
        if change.carbon_price.is_some_and(|price| price < CarbonPrice::ZERO) {
            return Err(BookError::Change("the carbon price is negative"));
        }
        let is_share = |share: BasisPoints| (0..=10_000).contains(&share.bp());
        if !change.conductivity.is_none_or(is_share) || !is_share(change.cut) {
            return Err(BookError::Change("a share does not lie between 0 and 1"));
        }
        if change.demand < BasisPoints::ZERO {
            return Err(BookError::Change("the demand is negative"));
        }
        let mut book = self.clone();
        if let Some(price) = change.carbon_price {
            book.terms.carbon_price_fen_per_t = price.fen_per_t();
        }
        for order in &mut book.orders {
            match (order.side, change.conductivity) {
                (BookSide::Buy, _) => {
                    order.quantity_kwh = share(order.quantity_kwh, change.demand)?
                }
                (BookSide::Sell, Some(rho)) => order.conductivity_bp = rho.bp(),
                (BookSide::Sell, None) => {}
            }
        }
        Ok(book)
    }

    /// The rule that it is cleared by.
    pub(super) fn rule(&self) -> GameRule {
        let terms = &self.terms;
        GameRule {
            call: CallRule {
                numerator: terms.price_numerator,
                denominator: terms.price_denominator,
                rationing: match terms.rationing {
                    BookRationing::ProRata => Rationing::ProRata,
                    BookRationing::Time => Rationing::Time,
                    BookRationing::GreenFirst => Rationing::GreenFirst,
                },
            },
            second_stage: terms.second_stage,
            compensation_cap: Price::from_milli_yuan_per_mwh(
                terms.compensation_cap_milli_yuan_per_mwh,
            ),
            fund_share: BasisPoints::from_bp(terms.fund_share_bp),
        }
    }

    /// The ceiling of effective asks.
    pub(super) const fn ceiling(&self) -> Price {
        Price::from_milli_yuan_per_mwh(self.terms.ceiling_milli_yuan_per_mwh)
    }

    /// The orders of a period, in order of acceptance.
    pub(super) fn of_period(&self, period: u8) -> Vec<&BookOrder> {
        self.orders.iter().filter(|order| order.period == period).collect()
    }

    /// The order as it stands in a session at a carbon price, and whether the ceiling has cut it.
    pub(super) fn game_order(
        &self,
        order: &BookOrder,
        carbon_price: CarbonPrice,
    ) -> Result<(GameOrder, bool), OverflowError> {
        let limit = Price::from_milli_yuan_per_mwh(order.limit_milli_yuan_per_mwh);
        let plain = |side, limit| Order {
            side,
            limit,
            quantity: Energy::from_kwh(order.quantity_kwh),
            emission_factor: EmissionFactor::from_g_per_kwh(order.emission_factor_g_per_kwh),
        };
        if order.side == BookSide::Buy {
            let order = plain(Side::Buy, limit);
            let (registered_ask, registered_cost, rent) = (Price::ZERO, Price::ZERO, Price::ZERO);
            return Ok((GameOrder { order, registered_ask, registered_cost, rent }, false));
        }
        let registered_cost =
            Price::from_milli_yuan_per_mwh(order.registered_cost_milli_yuan_per_mwh);
        let terms = CarbonTerms {
            emission_factor: EmissionFactor::from_g_per_kwh(order.emission_factor_g_per_kwh),
            benchmark: EmissionFactor::from_g_per_kwh(order.benchmark_g_per_kwh),
            conductivity: BasisPoints::from_bp(order.conductivity_bp),
            carbon_price,
        };
        let offer = offer(limit, registered_cost, self.ceiling(), &terms)?;
        let adder = carbon_price.adder(terms.emission_factor, terms.conductivity)?;
        let cut = offer.ask < limit.plus(adder)?;
        let order = plain(Side::Sell, offer.ask);
        let (registered_ask, rent) = (offer.registered_ask, offer.rent);
        Ok((GameOrder { order, registered_ask, registered_cost, rent }, cut))
    }
}

/// A share of a quantity, rounded down.
fn share(kwh: i64, share: BasisPoints) -> Result<i64, OverflowError> {
    let part = (i128::from(kwh) * i128::from(share.bp())).div_euclid(10_000);
    i64::try_from(part).map_err(|_| super::NOT_FITTING)
}
