//! Platform \[1\]: a web shop with posted prices.
//!
//! Each plant posts one price for the month. Buyers come in random order, look at a few random
//! listings, and buy the cheapest that they are willing to pay, while stock lasts. The shop takes
//! a commission, the gateway its fee, and the money lies in escrow for some days. Nobody matches
//! what is left. The mechanism is our representation: the paper gives none for its literature.

use duet_units::{OverflowError, div_half_away};

use super::cost::{PlantCost, book_unmatched, share};
use super::hour::{Fleet, Hour};
use super::parameters::Parameters;

pub(super) fn play(
    parameters: &Parameters,
    fleet: &Fleet,
    hour: &Hour<'_>,
    costs: &mut [PlantCost],
) -> Result<(), OverflowError> {
    let mut stock = fleet.capacities.clone();
    let mut unserved = 0;
    for buyer in &hour.encounters.arrivals {
        let mut wanted = hour.demands[*buyer];
        let met = &hour.encounters.plants[*buyer];
        let mut listings: Vec<usize> =
            met.iter().take(parameters.design.listings_seen).copied().collect();
        listings.sort_by_key(|plant| (fleet.posted[*plant], *plant));
        for plant in listings {
            if fleet.posted[plant] > hour.bids[*buyer] {
                break;
            }
            let sold = wanted.min(stock[plant]);
            stock[plant] -= sold;
            wanted -= sold;
            let kwh = i128::from(sold * hour.days);
            let sales = kwh * i128::from(fleet.posted[plant]);
            costs[plant].sold += kwh;
            costs[plant].revenue += sales;
            costs[plant].fees += fees(parameters, sales);
        }
        unserved += wanted;
    }
    let cap = parameters.semi_fitted.compensation_cap_milli_yuan_per_mwh;
    book_unmatched(costs, (fleet, hour), (&stock, unserved), cap)
}

fn fees(parameters: &Parameters, sales: i128) -> i128 {
    let terms = &parameters.documented;
    let held = i128::from(terms.escrow_days * terms.escrow_rate_bp_per_year);
    let escrow = div_half_away(sales * held, 365 * 10_000).unwrap_or(0);
    share(sales, terms.gateway_fee_bp + parameters.design.commission_bp) + escrow
}
