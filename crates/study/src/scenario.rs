//! A market to play with: members, units, terms, and delivery days drawn from a seed.
//!
//! A scenario is a folder of TOML and CSV files, read when the program runs. The units may be
//! real; bids, availability and meter readings are synthetic and drawn from the scenario's seed,
//! so the same folder gives the same days everywhere.

mod day;
mod error;
mod file;
mod load;
mod meter;
mod session;

use duet_units::{
    Allowances, BasisPoints, CarbonPrice, EmissionFactor, Energy, Money, Power, Price,
};

pub use day::{DayPlan, PlannedOrder};
pub use error::ScenarioError;
pub(crate) use error::{Check, read_csv, read_toml};
pub use meter::{MeterId, PeriodEnergy};

use duet_market::order::{Rationing, Side};

/// A market: its terms, its members, and how their days are drawn.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name of the scenario.
    pub name: String,
    /// The number that all synthetic data is drawn from.
    pub seed: u64,
    /// The terms of the joint session.
    pub market: MarketTerms,
    /// Generators first, in the order of the files, then consumers.
    pub members: Vec<Member>,
    offers: file::OffersFile,
    demand: Demand,
    renewable_days: Vec<RenewableDay>,
    metering: file::MeteringFile,
}

/// The terms of the joint session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketTerms {
    /// The lowest price that an order may name.
    pub floor: Price,
    /// The highest price that an order may name.
    pub ceiling: Price,
    /// The step of prices.
    pub tick: Price,
    /// The step of quantities.
    pub lot: Energy,
    /// The reference price of allowances.
    pub carbon_price: CarbonPrice,
    /// The largest price gap that the second stage may bridge.
    pub compensation_cap: Price,
    /// The share of the over-conduction rent that the second stage may spend.
    pub fund_share: BasisPoints,
    /// Who is filled first at the marginal price.
    pub rationing: Rationing,
}

/// What a member does in the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberRole {
    /// Sells what its units produce.
    Generator,
    /// Buys for customers.
    Retailer,
    /// Buys for itself.
    LargeUser,
}

/// A member of the market.
#[derive(Clone, Debug)]
pub struct Member {
    /// A short ASCII name, unique in the scenario.
    pub name: String,
    /// The name in Chinese.
    pub name_zh: String,
    /// What it does.
    pub role: MemberRole,
    /// Its money when the market opens.
    pub opening_cash: Money,
    /// Its allowances when the market opens.
    pub opening_allowances: Allowances,
    /// The units of a generator; empty for a consumer.
    pub units: Vec<Unit>,
    /// The load of a consumer, as its mean over a workday; nothing for a generator.
    pub load: Option<Power>,
}

/// What drives a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Technology {
    /// Coal.
    Coal,
    /// Wind.
    Wind,
    /// Photovoltaic.
    Solar,
}

/// A unit that is offered, dispatched and metered as one: like machines of one plant.
#[derive(Clone, Debug)]
pub struct Unit {
    /// A short ASCII name, unique in the scenario.
    pub name: String,
    /// What drives it.
    pub technology: Technology,
    /// Its capacity.
    pub capacity: Power,
    /// Its registered incremental cost without carbon; no offer of the unit lies above it.
    pub registered_cost: Price,
    /// What it emits.
    pub emission_factor: EmissionFactor,
    /// The emissions for which it is given allowances.
    pub benchmark: EmissionFactor,
    /// The share of its carbon cost that its offers pass on.
    pub conductivity: BasisPoints,
    supply: Supply,
}

/// How the offers of a unit are drawn.
#[derive(Clone, Copy, Debug)]
enum Supply {
    /// So many equal segments of what is available.
    Segments(u8),
    /// Whatever the column of the renewable shapes allows.
    Shape(usize),
}

/// How bids are drawn.
#[derive(Clone, Debug)]
struct Demand {
    price_noise: i64,
    volume_noise_bp: i64,
    steps: Vec<file::StepFile>,
    /// Thousandths of the base load by hour, on workdays and weekends.
    workday: [i64; 24],
    weekend: [i64; 24],
}

/// Output by shape column and hour, in thousandths of capacity.
type RenewableDay = Vec<[i64; 24]>;

impl Scenario {
    /// The unit of `member` at position `unit`, if there is one.
    #[must_use]
    pub fn unit(&self, member: usize, unit: usize) -> Option<&Unit> {
        self.members.get(member)?.units.get(unit)
    }
}

impl PlannedOrder {
    /// Whether the order sells.
    #[must_use]
    pub const fn sells(&self) -> bool {
        matches!(self.side, Side::Sell)
    }
}
