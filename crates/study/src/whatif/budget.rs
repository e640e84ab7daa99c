//! A book cleared together with a budget of emissions.

use duet_market::auction::{CallRule, clear};
use duet_market::joint::certificate::{Certificate, certify};
use duet_market::joint::{Demand, Market, Period, Schedule, Solution, Unit, solve};
use duet_market::order::{Order, Side};
use duet_units::{
    BasisPoints, CarbonPrice, EmissionFactor, Emissions, Energy, OverflowError, Price,
};
use serde::Serialize;

use super::book::{Book, BookError, BookSide};
use super::replay::mean;

/// The highest price of allowances that is tried: 10,000 yuan/t.
const CEILING: CarbonPrice = CarbonPrice::from_fen_per_t(1_000_000);

/// Prices inside a joint clearing, in hundredths of a milli-yuan/MWh.
const HUNDREDTHS: i128 = 100;

/// The result of clearing energy and allowances together.
#[derive(Clone, Debug, Serialize)]
pub struct Budgeted {
    /// The budget of emissions above the benchmarks, in g.
    pub budget_g: i128,
    /// The price of allowances that keeps it, in fen/t.
    pub carbon_price_fen_per_t: i64,
    /// The price of each period, in milli-yuan/MWh, rounded down; none where nothing is used.
    pub prices: Vec<Option<i64>>,
    /// The energy of each period, in kWh.
    pub volumes_kwh: Vec<i64>,
    /// What it emits, in g.
    pub emissions_g: i128,
    /// What of it is above the benchmarks, as the certificate has it.
    pub net_emissions_g: i128,
    /// The measured pass-through of each period, in basis points of the full carbon cost of the
    /// marginal seller, against the same book without a budget.
    pub kappas_bp: Vec<Option<i64>>,
    /// What the schedule is worth, in 1e-8 yuan.
    pub worth: i128,
    /// The most that any schedule can be worth: the bound of its prices.
    pub bound: i128,
}

impl Budgeted {
    /// Clears the book with its net emissions cut by a share of what can be avoided. They are those
    /// without a budget; what can be avoided of them is what the highest price of allowances does.
    pub(super) fn of(book: &Book, cut: BasisPoints) -> Result<Option<Self>, BookError> {
        let mut market = market(book);
        // A budget for everything that is offered does not bind: its price of allowances is zero.
        market.cap = Emissions::from_g(most_emissions(&market));
        let Some(free) = solve(&market)? else { return Ok(None) };
        let net = certified(&market, &free)?.emissions.g();
        let avoidable = (net - least_emissions(&market)?).max(0);
        let budget = net - avoidable * i128::from(cut.bp()) / 10_000;
        market.cap = Emissions::from_g(budget);
        let Some(solution) = solve(&market)? else { return Ok(None) };
        let certificate = certified(&market, &solution)?;
        Ok(Some(Self::report(&market, (&solution, &free), (budget, &certificate))))
    }

    fn report(
        market: &Market,
        (solution, free): (&Solution, &Solution),
        (budget_g, certificate): (i128, &Certificate),
    ) -> Self {
        let fen = solution.carbon_price.fen_per_t();
        let mut all = Self {
            budget_g,
            carbon_price_fen_per_t: fen,
            prices: Vec::new(),
            volumes_kwh: Vec::new(),
            emissions_g: 0,
            net_emissions_g: certificate.emissions.g(),
            kappas_bp: Vec::new(),
            worth: certificate.worth,
            bound: certificate.bound,
        };
        let schedules = solution.schedules.iter().zip(&free.schedules);
        for (period, (schedule, free)) in market.periods.iter().zip(schedules) {
            let volume = volume(schedule);
            all.volumes_kwh.push(volume);
            all.prices.push((volume > 0).then(|| milli_yuan(schedule.price)).flatten());
            let generated = period.units.iter().zip(&schedule.generated);
            let emitted = generated
                .map(|(unit, energy)| emissions(unit.emission_factor.g_per_kwh(), *energy));
            all.emissions_g += emitted.sum::<i128>();
            all.kappas_bp.push(kappa(period, schedule, free, fen));
        }
        all
    }

    /// All energy, in kWh.
    #[must_use]
    pub fn volume_kwh(&self) -> i128 {
        self.volumes_kwh.iter().map(|kwh| i128::from(*kwh)).sum()
    }

    /// The mean price by energy, in yuan/MWh.
    #[must_use]
    pub fn mean_price(&self) -> Option<f64> {
        mean(self.prices.iter().copied().zip(self.volumes_kwh.iter().copied()), 1_000.0)
    }

    /// The mean measured pass-through by energy.
    #[must_use]
    pub fn mean_kappa(&self) -> Option<f64> {
        mean(self.kappas_bp.iter().copied().zip(self.volumes_kwh.iter().copied()), 10_000.0)
    }

    /// How far the schedule may be from the best, as a share of its worth.
    #[must_use]
    pub fn relative_gap(&self) -> f64 {
        (self.bound - self.worth) as f64 / (self.worth as f64).abs().max(1.0)
    }
}

/// The certificate of a solution; that there is none would be a fault of the solver.
fn certified(market: &Market, solution: &Solution) -> Result<Certificate, BookError> {
    certify(market, solution)
        .map_err(|_| BookError::Terms("the joint clearing has no valid certificate"))
}

fn market(book: &Book) -> Market {
    let mut periods = vec![Period::default(); usize::from(book.periods)];
    for order in &book.orders {
        let Some(period) = periods.get_mut(usize::from(order.period)) else { continue };
        let limit = Price::from_milli_yuan_per_mwh(order.limit_milli_yuan_per_mwh);
        let quantity = Energy::from_kwh(order.quantity_kwh);
        match order.side {
            BookSide::Buy => period.demands.push(Demand { limit, quantity }),
            BookSide::Sell => period.units.push(Unit {
                cost: limit,
                quantity,
                emission_factor: EmissionFactor::from_g_per_kwh(order.emission_factor_g_per_kwh),
                benchmark: EmissionFactor::from_g_per_kwh(order.benchmark_g_per_kwh),
            }),
        }
    }
    Market { periods, cap: Emissions::ZERO, offers: Vec::new(), ceiling: CEILING }
}

/// Net emissions at the highest price of allowances.
fn least_emissions(market: &Market) -> Result<i128, OverflowError> {
    let mut net = 0;
    for period in &market.periods {
        let order = |side, limit, quantity| Order {
            side,
            limit,
            quantity,
            emission_factor: EmissionFactor::ZERO,
        };
        let mut orders = Vec::new();
        for unit in &period.units {
            let above = EmissionFactor::from_g_per_kwh(net_factor(unit));
            let limit = unit.cost.plus(CEILING.adder(above, BasisPoints::ONE)?)?;
            orders.push(order(Side::Sell, limit, unit.quantity));
        }
        let demands = period.demands.iter();
        orders.extend(demands.map(|demand| order(Side::Buy, demand.limit, demand.quantity)));
        let cleared = clear(&orders, &CallRule::MIDPOINT)?;
        let generated = period.units.iter().zip(&cleared.fills);
        net += generated.map(|(unit, energy)| emissions(net_factor(unit), *energy)).sum::<i128>();
    }
    Ok(net)
}

fn emissions(factor: i64, energy: Energy) -> i128 {
    i128::from(factor) * i128::from(energy.kwh())
}

/// What all units above their benchmark emit above it if they generate all they offer.
fn most_emissions(market: &Market) -> i128 {
    let units = market.periods.iter().flat_map(|period| &period.units);
    units.map(|unit| emissions(net_factor(unit).max(0), unit.quantity)).sum()
}

const fn net_factor(unit: &Unit) -> i64 {
    unit.emission_factor.g_per_kwh() - unit.benchmark.g_per_kwh()
}

fn volume(schedule: &Schedule) -> i64 {
    schedule.consumed.iter().map(|energy| energy.kwh()).sum()
}

fn milli_yuan(hundredths: i128) -> Option<i64> {
    i64::try_from(hundredths.div_euclid(HUNDREDTHS)).ok()
}

/// What of the full carbon cost of the dearest unit that runs is in the price.
fn kappa(period: &Period, schedule: &Schedule, free: &Schedule, fen: i64) -> Option<i64> {
    let running = period.units.iter().zip(&schedule.generated);
    let running = running.filter(|(_, energy)| !energy.is_zero()).map(|(unit, _)| unit);
    let ask = |unit: &&Unit| {
        let carbon = i128::from(net_factor(unit)) * i128::from(fen);
        i128::from(unit.cost.milli_yuan_per_mwh()) * HUNDREDTHS + carbon
    };
    let factor = running.max_by_key(ask)?.emission_factor.g_per_kwh();
    let cost = i128::from(factor) * i128::from(fen);
    if cost <= 0 || volume(free) == 0 {
        return None;
    }
    i64::try_from((schedule.price - free.price) * 10_000 / cost).ok()
}
