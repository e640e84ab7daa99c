//! Green power: contracts for environmental value, what their months came to, and what a user can
//! say of its emissions.

use super::{Big, CalendarMonth, Hex32, mirror, view};
use duet_ledger::{GreenContractId, OrganisationId, UnitId};
use duet_units::{BasisPoints, Energy, Price};

view! {
    /// What both sides of a green contract sign.
    GreenTerms(row: &duet_ledger::GreenTerms) {
        /// The unit that generates.
        unit: u32 = row.unit.0;
        /// The point of consumption that uses the energy.
        user: u32 = row.user.0;
        /// The first month of delivery.
        from: CalendarMonth = CalendarMonth(row.from);
        /// The last month.
        to: CalendarMonth = CalendarMonth(row.to);
        /// The energy of each month.
        energy_kwh: i64 = row.energy.kwh();
        /// The environmental value, on top of the price of energy.
        value_milli_yuan_per_mwh: i64 = row.value.milli_yuan_per_mwh();
        /// The share of the value that whoever causes a shortfall pays for it.
        shortfall_bp: i64 = row.shortfall.bp();
    }
}

impl From<GreenTerms> for duet_ledger::GreenTerms {
    fn from(wire: GreenTerms) -> Self {
        Self {
            unit: UnitId(wire.unit),
            user: UnitId(wire.user),
            from: wire.from.0,
            to: wire.to.0,
            energy: Energy::from_kwh(wire.energy_kwh),
            value: Price::from_milli_yuan_per_mwh(wire.value_milli_yuan_per_mwh),
            shortfall: BasisPoints::from_bp(wire.shortfall_bp),
        }
    }
}

mirror! {
    /// Where a green contract stands.
    GreenState {
        /// Proposed by one side.
        Proposed,
        /// Confirmed by the other.
        Active,
        /// Its last month is settled.
        Ended,
    }
}

mirror! {
    /// Who pays for a shortfall.
    ShortfallCause {
        /// Nobody: there is none, or both sides lack as much.
        Nobody,
        /// The generator generated less than the user used.
        Generator,
        /// The user used less than the generator generated.
        User,
    }
}

view! {
    /// What a month of a green contract came to.
    GreenMonth(row: &duet_ledger::GreenMonth) {
        /// The month.
        month: CalendarMonth = CalendarMonth(row.month);
        /// The part of the generator's energy that is for this contract.
        generated_kwh: i64 = row.generated.kwh();
        /// The part of the user's use that is for this contract.
        used_kwh: i64 = row.used.kwh();
        /// The certificates that went to the user.
        certificates: u64 = row.certificates;
        /// What the user paid for them.
        amount_fen: Big = Big(row.amount.fen());
        /// The energy that the contract lacks.
        shortfall_kwh: i64 = row.shortfall.kwh();
        /// Who caused that.
        cause: ShortfallCause = row.cause.into();
        /// What the cause paid the other side.
        compensation_fen: Big = Big(row.compensation.fen());
    }
}

view! {
    /// A green contract.
    GreenContract(id: GreenContractId, row: &duet_ledger::GreenContract) {
        /// Its number.
        id: u64 = id.0;
        /// What both sides sign.
        terms: GreenTerms = GreenTerms::new(&row.terms);
        /// The hash of the terms, which the other side confirms.
        hash: Hex32 = Hex32(row.terms.hash(id));
        /// The owner of the unit.
        generator: u32 = row.generator.0;
        /// The owner of the point of consumption.
        consumer: u32 = row.consumer.0;
        /// Which of the two proposed it.
        proposer: u32 = row.proposer.0;
        /// Where it stands.
        state: GreenState = row.state.into();
        /// Settled energy that has no certificate yet.
        carry_kwh: i64 = row.carry.kwh();
        /// The months settled.
        months: Vec<GreenMonth> = row.months.iter().map(GreenMonth::new).collect();
    }
}

/// Average emissions of the national grid by year, in g of CO2 per kWh with one decimal, and where
/// they were published.
const GRID_FACTORS: [(i32, i64, &str); 2] = [
    (2022, 5_366, "MEE and NBS, CO2 emission factors of electricity of 2022: national average"),
    (2023, 5_306, "MEE and NBS, CO2 emission factors of electricity of 2023: national average"),
];

/// What a user can say of the emissions of the electricity that it used in a year (scope 2).
///
/// The market-based figure leaves out the energy of its retired certificates, once. Certificates
/// of energy that became CCER are cancelled, so that no energy is subtracted as both.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ClaimReport {
    /// The user.
    pub organisation: u32,
    /// The year.
    pub year: i32,
    /// Energy drawn from the grid, by its settled days.
    pub drawn_kwh: i64,
    /// Its own energy that it used itself.
    pub self_used_kwh: i64,
    /// Certificates retired for its use of energy drawn from the grid.
    pub claimed: u64,
    /// Certificates retired for its own energy that it used itself.
    pub self_claimed: u64,
    /// Average emissions of the grid, in 0.1 g of CO2 per kWh.
    pub grid_factor_decigram_per_kwh: i64,
    /// The year of the factor: the latest published that is not after the year.
    pub factor_year: i32,
    /// Where the factor was published.
    pub factor_source: String,
    /// Drawn energy at the factor of the grid.
    pub location_based_g: Big,
    /// Drawn energy without that of certificates, at the same factor: there is no published
    /// factor of the residual mix.
    pub market_based_g: Big,
}

impl ClaimReport {
    /// The statement of an organisation for a year.
    ///
    /// # Errors
    ///
    /// Returns the overflow if a sum does not fit.
    pub fn new(
        state: &duet_ledger::State,
        organisation: OrganisationId,
        year: i32,
    ) -> Result<Self, duet_units::OverflowError> {
        let used = state.used(organisation, year)?;
        let claimed = state.claimed(organisation, year);
        let [oldest, ..] = GRID_FACTORS;
        let fits = |(of, ..): &&(i32, i64, &str)| *of <= year;
        let (factor_year, factor, source) =
            GRID_FACTORS.iter().rfind(fits).copied().unwrap_or(oldest);
        let grams = |kwh: i128| Big((kwh * i128::from(factor)) / 10);
        let drawn = i128::from(used.drawn.kwh());
        let proved = i128::from(claimed.drawn) * 1_000;
        Ok(Self {
            organisation: organisation.0,
            year,
            drawn_kwh: used.drawn.kwh(),
            self_used_kwh: used.own.kwh(),
            claimed: claimed.drawn,
            self_claimed: claimed.self_used,
            grid_factor_decigram_per_kwh: factor,
            factor_year,
            factor_source: source.to_owned(),
            location_based_g: grams(drawn),
            market_based_g: grams((drawn - proved).max(0)),
        })
    }
}
