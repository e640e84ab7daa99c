//! Supply and demand of one hour, the same for the three platforms.

use duet_market::carbon::{CarbonTerms, offer};
use duet_market::game::GameOrder;
use duet_market::order::{Order, Side};
use duet_units::{
    BasisPoints, CarbonPrice, EmissionFactor, Energy, OverflowError, Price, div_half_away,
    largest_remainder,
};

use super::draws::{Draws, Encounters, TASTE_DEVIATION};
use super::parameters::{Documented, LoadShapes, Parameters};

/// The load at which the fitted willingness to pay holds, in thousandths.
const MEAN_LOAD: i64 = 950;

/// What does not change over the month.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    /// Each plant's cost without carbon, in milli-yuan/MWh.
    pub(super) costs: Vec<i64>,
    /// Each plant's one price for the month on the applet: its average ask, in milli-yuan/MWh.
    pub(super) flat_asks: Vec<i64>,
    /// Each plant's posted price: that with the mark-up, at most the ceiling.
    pub(super) posted: Vec<i64>,
    /// What each plant offers in an hour, in kWh.
    pub(super) capacities: Vec<i64>,
    /// Each plant's segments as sell orders of the joint session.
    pub(super) offers: Vec<SegmentOffer>,
}

/// A segment as it stands in the joint session.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentOffer {
    pub(super) plant: usize,
    pub(super) order: GameOrder,
}

/// One hour of one day type.
#[derive(Debug)]
pub(super) struct Hour<'a> {
    /// How many such days the month has.
    pub(super) days: i64,
    /// What each buyer wants, in kWh.
    pub(super) demands: Vec<i64>,
    /// What each buyer is willing to pay, in milli-yuan/MWh.
    pub(super) bids: Vec<i64>,
    /// Who comes when, and whom they meet.
    pub(super) encounters: &'a Encounters,
}

impl Documented {
    fn cost(&self, permille: i64) -> i64 {
        // g/kWh x fen/t is 1e-6 fen/kWh, that is 1e-2 milli-yuan/MWh.
        rounded(self.standard_coal_g_per_kwh * self.coal_fen_per_tce * permille, 100_000)
            + self.variable_om_milli_yuan_per_mwh
    }

    fn carbon(&self, permille: i64, conductivity_bp: i64) -> CarbonTerms {
        let g = rounded(
            self.standard_coal_g_per_kwh * self.co2_g_per_kg_standard_coal * permille,
            1_000_000,
        );
        CarbonTerms {
            emission_factor: EmissionFactor::from_g_per_kwh(g),
            benchmark: EmissionFactor::from_g_per_kwh(self.benchmark_g_per_kwh),
            conductivity: BasisPoints::from_bp(conductivity_bp),
            carbon_price: CarbonPrice::from_fen_per_t(self.carbon_price_fen_per_t),
        }
    }
}

impl Fleet {
    pub(super) fn of(parameters: &Parameters) -> Result<Self, OverflowError> {
        let (terms, design) = (&parameters.documented, &parameters.design);
        let ceiling = terms.price_ceiling_milli_yuan_per_mwh;
        let mut fleet = Self {
            costs: Vec::new(),
            flat_asks: Vec::new(),
            posted: Vec::new(),
            capacities: Vec::new(),
            offers: Vec::new(),
        };
        for (plant, rho) in parameters.given_by_paper.conductivity_bp.iter().enumerate() {
            let cost = terms.cost(1_000);
            let carbon = terms.carbon(1_000, *rho);
            let adder = carbon.carbon_price.adder(carbon.emission_factor, carbon.conductivity)?;
            let posted =
                (cost + adder.milli_yuan_per_mwh() + design.posted_markup_milli_yuan_per_mwh)
                    .min(ceiling);
            fleet.costs.push(cost);
            fleet.posted.push(posted);
            fleet.flat_asks.push((posted - design.posted_markup_milli_yuan_per_mwh).max(0));
            let mut capacity = 0;
            for (permille, share) in
                design.segment_cost_permille.iter().zip(&design.segment_share_permille)
            {
                let offered = design.plant_mw * 1_000 * parameters.fitted.offered_share_bp / 10_000;
                let kwh = offered * share / 1_000;
                capacity += kwh;
                let order = segment(parameters, (*permille, *rho), cost, kwh)?;
                fleet.offers.push(SegmentOffer { plant, order });
            }
            fleet.capacities.push(capacity);
        }
        Ok(fleet)
    }
}

/// A segment's sell order. Its ask is its own registered ask: plants are truthful here. The
/// compensation is allocated by the plant's average cost, as in the paper's equation (3).
fn segment(
    parameters: &Parameters,
    (permille, rho): (i64, i64),
    plant_cost: i64,
    kwh: i64,
) -> Result<GameOrder, OverflowError> {
    let terms = &parameters.documented;
    let limit = Price::from_milli_yuan_per_mwh(terms.cost(permille));
    let ceiling = Price::from_milli_yuan_per_mwh(terms.price_ceiling_milli_yuan_per_mwh);
    let carbon = terms.carbon(permille, rho);
    let offer = offer(limit, limit, ceiling, &carbon)?;
    Ok(GameOrder {
        order: Order {
            side: Side::Sell,
            limit: offer.ask,
            quantity: Energy::from_kwh(kwh),
            emission_factor: carbon.emission_factor,
        },
        registered_ask: offer.registered_ask,
        registered_cost: Price::from_milli_yuan_per_mwh(plant_cost),
        rent: offer.rent,
    })
}

impl<'a> Hour<'a> {
    pub(super) fn new(
        parameters: &Parameters,
        loads: &LoadShapes,
        draws: &'a Draws,
        fleet: &Fleet,
        (day, hour): (usize, usize),
    ) -> Result<Self, OverflowError> {
        let fitted = &parameters.fitted;
        let load = loads[day][hour];
        let offered: i64 = fleet.capacities.iter().sum();
        let demand =
            i128::from(offered) * i128::from(fitted.demand_bp) * i128::from(load) / 10_000_000;
        let demands = largest_remainder(demand, &draws.weights)?;
        let ceiling = parameters.documented.price_ceiling_milli_yuan_per_mwh;
        let mean = fitted.willingness_milli_yuan_per_mwh
            + fitted.willingness_load_slope_milli_yuan_per_mwh * (load - MEAN_LOAD) / 1_000;
        let spread = fitted.willingness_spread_milli_yuan_per_mwh;
        let bid = |taste: &i64| (mean + taste * spread / TASTE_DEVIATION).clamp(0, ceiling);
        Ok(Self {
            days: parameters.design.days[day],
            demands: demands.into_iter().map(|kwh| i64::try_from(kwh).unwrap_or(0)).collect(),
            bids: draws.tastes.iter().map(bid).collect(),
            encounters: &draws.hours[day * 24 + hour],
        })
    }
}

fn rounded(numerator: i64, denominator: i64) -> i64 {
    let quotient = div_half_away(numerator.into(), denominator.into()).unwrap_or(0);
    i64::try_from(quotient).unwrap_or(i64::MAX)
}
