//! Carbon in the power market: what it adds to an offer, and who answers for the emissions.

pub mod passthrough;

use passthrough::{CostBasis, declared_adder};

use duet_units::{
    BasisPoints, CarbonPrice, EmissionFactor, Emissions, Energy, OverflowError, Price,
    div_half_away, largest_remainder,
};

/// What the carbon part of an offer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarbonTerms {
    /// What the unit emits.
    pub emission_factor: EmissionFactor,
    /// What it is allocated for free.
    pub benchmark: EmissionFactor,
    /// The share of its full carbon cost that it adds to its offer (conductivity, rho).
    pub conductivity: BasisPoints,
    /// The reference price of allowances.
    pub carbon_price: CarbonPrice,
}

/// The offer of a seller in a joint session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The effective ask: limit plus carbon adder, at most the ceiling.
    pub ask: Price,
    /// The same with the registered cost in place of the limit.
    pub registered_ask: Price,
    /// What a further kWh costs the seller in allowances, net of free allocation; not negative.
    pub net_carbon_cost: Price,
    /// The over-conduction rent: how much of the adder is above the net carbon cost.
    pub rent: Price,
}

/// Puts the price of carbon into a seller's offer, once, at order entry.
///
/// With `adder = rho * EF * Pc` the ask is `min(ceiling, limit + adder)`, the net carbon cost is
/// `max(EF - BM, 0) * Pc`, and the rent is what the ask collects above limit and net carbon cost:
/// `max(0, adder - net)` where the ceiling does not bind, less by what the ceiling cuts where it
/// does. Because of that cut no seller is ever levied more than the first stage left it.
///
/// # Errors
///
/// Returns [`OverflowError`] if a sum or product does not fit.
///
/// # Source
///
/// trading-game.md 1.2.
pub fn offer(
    limit: Price,
    registered_cost: Price,
    ceiling: Price,
    terms: &CarbonTerms,
) -> Result<Offer, OverflowError> {
    offer_on(CostBasis::Full, (limit, registered_cost), ceiling, terms)
}

/// As [`offer`], with the carbon cost on another basis: what a market's rule says that offers
/// reckon with. `(limit, registered_cost)` are without carbon.
///
/// # Errors
///
/// Returns [`OverflowError`] if a product or sum does not fit.
///
/// # Source
///
/// market-rules.md 5.
pub fn offer_on(
    basis: CostBasis,
    (limit, registered_cost): (Price, Price),
    ceiling: Price,
    terms: &CarbonTerms,
) -> Result<Offer, OverflowError> {
    let adder = declared_adder(terms, basis)?;
    let above_benchmark = terms.emission_factor.minus(terms.benchmark)?.max(EmissionFactor::ZERO);
    let net_carbon_cost = terms.carbon_price.adder(above_benchmark, BasisPoints::ONE)?;
    let ask = limit.plus(adder)?.min(ceiling);
    let registered_ask = registered_cost.plus(adder)?.min(ceiling);
    let rent = ask.minus(limit)?.minus(net_carbon_cost)?.max(Price::ZERO);
    Ok(Offer { ask, registered_ask, net_carbon_cost, rent })
}

/// What a seller delivered, for the split of responsibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Metered energy.
    pub metered: Energy,
    /// What the unit emits.
    pub emission_factor: EmissionFactor,
    /// The share of the carbon cost that went into its offer, and so to the buyers.
    pub conductivity: BasisPoints,
}

/// Who answers for the emissions of a session. All entries together are the emissions, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responsibility {
    /// What stays with each seller.
    pub sellers: Vec<Emissions>,
    /// What each buyer takes over.
    pub buyers: Vec<Emissions>,
}

/// Splits the emissions of metered energy between sellers and buyers.
///
/// The share of a seller's emissions given by its conductivity goes into a pool, rounded half away
/// from zero to the gram; the rest stays with the seller. Buyers share the pool by largest
/// remainder in proportion to the energy they bought: at one price all buy one average mix. If
/// nobody bought anything the sellers keep their emissions.
///
/// # Errors
///
/// Returns [`OverflowError`] if an energy is negative, if a conductivity does not lie between 0
/// and 1, or if a product does not fit.
///
/// # Source
///
/// trading-game.md 1.2.
pub fn split_responsibility(
    sellers: &[Generation],
    bought: &[Energy],
) -> Result<Responsibility, OverflowError> {
    let overflow = OverflowError { operation: "split of emissions", unit: "g CO2e" };
    let nobody_bought = bought.iter().all(|energy| energy.is_zero());
    let mut kept = Vec::with_capacity(sellers.len());
    let mut pool = Emissions::ZERO;
    for seller in sellers {
        let rho = seller.conductivity;
        if seller.metered < Energy::ZERO || rho < BasisPoints::ZERO || BasisPoints::ONE < rho {
            return Err(overflow);
        }
        let emitted = seller.emission_factor.emissions_of(seller.metered)?;
        let passed = if nobody_bought {
            Emissions::ZERO
        } else {
            let product = emitted.g().checked_mul(rho.bp().into()).ok_or(overflow)?;
            let passed = div_half_away(product, BasisPoints::ONE.bp().into());
            Emissions::from_g(passed.ok_or(overflow)?)
        };
        kept.push(emitted.minus(passed)?);
        pool = pool.plus(passed)?;
    }
    let weights: Vec<i128> = bought.iter().map(|energy| energy.kwh().into()).collect();
    let buyers = largest_remainder(pool.g(), &weights)?.into_iter().map(Emissions::from_g);
    Ok(Responsibility { sellers: kept, buyers: buyers.collect() })
}
