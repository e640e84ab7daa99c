//! Platform \[2\]: an applet for bilateral search.
//!
//! Buyers come in random order and ask a few random sellers one after the other. They trade if the
//! ask is at most what the buyer is willing to pay, at a price that shares the surplus. Asking
//! costs, whether or not it leads to a trade; the gateway takes its fee. Nobody matches what is
//! left. The mechanism is our representation: the paper gives none for its literature.

use duet_units::OverflowError;

use super::cost::{PlantCost, book_unmatched, share};
use super::hour::{Fleet, Hour};
use super::parameters::Parameters;

pub(super) fn play(
    parameters: &Parameters,
    fleet: &Fleet,
    hour: &Hour<'_>,
    costs: &mut [PlantCost],
) -> Result<(), OverflowError> {
    let design = &parameters.design;
    let days = i128::from(hour.days);
    let mut stock = fleet.capacities.clone();
    let mut unserved = 0;
    for buyer in &hour.encounters.arrivals {
        let mut wanted = hour.demands[*buyer];
        let bid = hour.bids[*buyer];
        for plant in hour.encounters.plants[*buyer].iter().take(design.contacts).copied() {
            if wanted == 0 {
                break;
            }
            let asked_for = i128::from(design.contact_cost_milli_yuan_per_mwh);
            costs[plant].search += asked_for * i128::from(wanted) * days;
            let ask = fleet.flat_asks[plant];
            if ask > bid {
                continue;
            }
            let sold = wanted.min(stock[plant]);
            stock[plant] -= sold;
            wanted -= sold;
            let price = ask + (bid - ask) * design.bargaining_bp / 10_000;
            let sales = i128::from(sold) * i128::from(price) * days;
            costs[plant].sold += i128::from(sold) * days;
            costs[plant].revenue += sales;
            costs[plant].fees += share(sales, parameters.documented.gateway_fee_bp);
        }
        unserved += wanted;
    }
    let cap = parameters.semi_fitted.compensation_cap_milli_yuan_per_mwh;
    book_unmatched(costs, (fleet, hour), (&stock, unserved), cap)
}
