//! Reading a scenario from its folder, strictly.

use std::collections::BTreeSet;
use std::path::Path;

use duet_market::order::Rationing;
use duet_units::{
    Allowances, BasisPoints, CarbonPrice, EmissionFactor, Energy, Money, Power, Price,
};

use super::file::{
    CoalFile, ConsumerFile, ConsumerRole, DemandFile, LoadRow, MarketFile, MeteringFile, PlantRow,
    RationingFile, RenewableFile, RenewableTechnology, ScenarioFile,
};
use super::{
    Check, Demand, MarketTerms, Member, MemberRole, RenewableDay, Scenario, ScenarioError, Supply,
    Technology, Unit, read_csv, read_toml,
};

/// No plant, price or load of this size exists; beyond it something was mistyped.
const MW_MAX: i64 = 100_000;
const PRICE_MAX: i64 = 10_000_000;

impl Scenario {
    /// Reads the scenario of the folder `dir`.
    ///
    /// # Errors
    ///
    /// Returns a [`ScenarioError`] if a file is missing or not well-formed, if it names an unknown
    /// field, or if a value is impossible: then with field, value and rule.
    pub fn load(dir: &Path) -> Result<Self, ScenarioError> {
        let path = dir.join("scenario.toml");
        let file: ScenarioFile = read_toml(&path)?;
        let check = Check::new(&path);
        let market = market_terms(check, &file.market)?;
        check_offers(check, &file.coal)?;
        check_metering(check, file.metering)?;
        let cash_per_mw = check.range(
            "cash.generator_yuan_per_mw",
            file.cash.generator_yuan_per_mw,
            (0, 1_000_000),
        )?;
        let (columns, renewable_days) = renewable_days(&dir.join("renewable_shapes.csv"))?;
        let mut members = plants(&dir.join("plants.csv"), &file.coal, market)?;
        for (index, renewable) in file.renewable.iter().enumerate() {
            let field = format!("renewable[{index}]");
            let column =
                columns.iter().position(|name| *name == renewable.shape).ok_or_else(|| {
                    let rule = "must be a column of renewable_shapes.csv";
                    check.refuse(&format!("{field}.shape"), &renewable.shape, &rule)
                })?;
            members.push(renewable_member(check, &field, (renewable, column), market)?);
        }
        for member in &mut members {
            let kw: i64 = member.units.iter().map(|unit| unit.capacity.kw()).sum();
            member.opening_cash = Money::from_fen(i128::from(kw / 1_000 * cash_per_mw) * 100);
        }
        for (index, consumer) in file.consumer.iter().enumerate() {
            members.push(consumer_member(check, &format!("consumer[{index}]"), consumer)?);
        }
        check_names(check, &members)?;
        let demand = demand(check, &file.demand, &dir.join(&file.demand.load_shape))?;
        Ok(Self {
            name: file.name,
            seed: file.seed,
            market,
            members,
            offers: file.coal.offers,
            demand,
            renewable_days,
            metering: file.metering,
        })
    }
}

fn market_terms(check: Check<'_>, file: &MarketFile) -> Result<MarketTerms, ScenarioError> {
    let floor = file.floor_milli_yuan_per_mwh;
    let ceiling = file.ceiling_milli_yuan_per_mwh;
    let tick = file.tick_milli_yuan_per_mwh;
    check.range("market.tick_milli_yuan_per_mwh", tick, (1, 100_000))?;
    check.range("market.floor_milli_yuan_per_mwh", floor, (-PRICE_MAX, PRICE_MAX))?;
    check.range("market.ceiling_milli_yuan_per_mwh", ceiling, (floor + 1, PRICE_MAX))?;
    for (field, price) in [("floor", floor), ("ceiling", ceiling)] {
        if price % tick != 0 {
            let field = format!("market.{field}_milli_yuan_per_mwh");
            return Err(check.refuse(&field, &price, &"must be a multiple of the tick"));
        }
    }
    let cap = file.compensation_cap_milli_yuan_per_mwh;
    let lot = check.range("market.lot_kwh", file.lot_kwh, (1, 1_000_000))?;
    let carbon = file.carbon_price_fen_per_t;
    Ok(MarketTerms {
        floor: Price::from_milli_yuan_per_mwh(floor),
        ceiling: Price::from_milli_yuan_per_mwh(ceiling),
        tick: Price::from_milli_yuan_per_mwh(tick),
        lot: Energy::from_kwh(lot),
        carbon_price: CarbonPrice::from_fen_per_t(check.range(
            "market.carbon_price_fen_per_t",
            carbon,
            (0, 100_000),
        )?),
        compensation_cap: Price::from_milli_yuan_per_mwh(check.range(
            "market.compensation_cap_milli_yuan_per_mwh",
            cap,
            (0, PRICE_MAX),
        )?),
        fund_share: BasisPoints::from_bp(check.share("market.fund_share_bp", file.fund_share_bp)?),
        rationing: match file.rationing {
            RationingFile::ProRata => Rationing::ProRata,
            RationingFile::Time => Rationing::Time,
            RationingFile::GreenFirst => Rationing::GreenFirst,
        },
    })
}

fn check_offers(check: Check<'_>, coal: &CoalFile) -> Result<(), ScenarioError> {
    check.range("coal.price_fen_per_t", coal.price_fen_per_t, (1, 1_000_000))?;
    check.range(
        "coal.heating_value_kcal_per_kg",
        coal.heating_value_kcal_per_kg,
        (1_000, 8_000),
    )?;
    let om = coal.variable_om_milli_yuan_per_mwh;
    check.range("coal.variable_om_milli_yuan_per_mwh", om, (0, PRICE_MAX))?;
    check.range("coal.calibration_bp", coal.calibration_bp, (1, 20_000))?;
    let offers = coal.offers;
    check.share("coal.offers.availability_bp_min", offers.availability_bp_min)?;
    check.range("coal.offers.segment_step_bp", offers.segment_step_bp, (0, 2_000))?;
    check.range("coal.offers.markdown_bp_max", offers.markdown_bp_max, (0, 2_000))?;
    check.range("coal.offers.preissue_hours", offers.preissue_hours, (0, 8_784))?;
    for (class, g) in [
        ("I", coal.benchmark_g_per_kwh.class_1),
        ("II", coal.benchmark_g_per_kwh.class_2),
        ("III", coal.benchmark_g_per_kwh.class_3),
    ] {
        check.range(&format!("coal.benchmark_g_per_kwh.{class}"), g, (0, 2_000))?;
    }
    Ok(())
}

fn check_metering(check: Check<'_>, file: MeteringFile) -> Result<(), ScenarioError> {
    check.share("metering.coal_bp", file.coal_bp)?;
    check.share("metering.wind_bp", file.wind_bp)?;
    check.share("metering.solar_bp", file.solar_bp)?;
    check.share("metering.load_bp", file.load_bp)?;
    Ok(())
}

/// Fuel and variable operation, without carbon.
///
/// Btu/kWh of heat from coal that is quoted by its heating value in kcal (4.1868 kJ): 1 Btu is
/// 1.05505585 kJ.
fn registered_cost(coal: &CoalFile, heat_rate_btu_kwh: i64) -> i64 {
    let fen_kj = i128::from(heat_rate_btu_kwh)
        * 105_505_585
        * i128::from(coal.calibration_bp)
        * i128::from(coal.price_fen_per_t);
    let scale = i128::from(coal.heating_value_kcal_per_kg) * 41_868 * 10_000_000;
    let fuel = (fen_kj + scale / 2) / scale;
    i64::try_from(fuel).unwrap_or(i64::MAX).saturating_add(coal.variable_om_milli_yuan_per_mwh)
}

/// Rounds a price down to the tick.
pub(super) fn on_tick(market: &MarketTerms, milli: i64) -> Price {
    let tick = market.tick.milli_yuan_per_mwh();
    Price::from_milli_yuan_per_mwh(milli.div_euclid(tick) * tick)
}

fn plants(path: &Path, coal: &CoalFile, market: MarketTerms) -> Result<Vec<Member>, ScenarioError> {
    let mut members: Vec<Member> = Vec::new();
    for (index, row) in read_csv::<PlantRow>(path)?.into_iter().enumerate() {
        let unit = coal_unit(Check::new(path), index + 2, &row, (coal, market))?;
        let kwh = i128::from(unit.capacity.kw()) * i128::from(coal.offers.preissue_hours);
        let t = kwh * i128::from(unit.benchmark.g_per_kwh()) / 1_000_000;
        if members.last().is_none_or(|last| last.name != row.member) {
            members.push(generator(row.member, row.name_zh));
        }
        if let Some(member) = members.last_mut() {
            let t = member.opening_allowances.t().saturating_add(i64::try_from(t).unwrap_or(0));
            member.opening_allowances = Allowances::from_t(t);
            member.units.push(unit);
        }
    }
    Ok(members)
}

fn coal_unit(
    check: Check<'_>,
    line: usize,
    row: &PlantRow,
    (coal, market): (&CoalFile, MarketTerms),
) -> Result<Unit, ScenarioError> {
    let field = |name: &str| format!("line {line}: {name}");
    let benchmark = match row.benchmark_class.as_str() {
        "I" => coal.benchmark_g_per_kwh.class_1,
        "II" => coal.benchmark_g_per_kwh.class_2,
        "III" => coal.benchmark_g_per_kwh.class_3,
        other => {
            return Err(check.refuse(&field("benchmark_class"), &other, &"must be I, II or III"));
        }
    };
    let mw = check.range(&field("capacity_mw"), row.capacity_mw, (1, MW_MAX))?;
    let heat = check.range(&field("heat_rate_btu_kwh"), row.heat_rate_btu_kwh, (3_413, 30_000))?;
    let factor = check.range(&field("gem_ef_g_kwh"), row.gem_ef_g_kwh, (0, 3_000))?;
    let rho = check.share(&field("conductivity_bp"), row.conductivity_bp)?;
    check.range(&field("segments"), row.segments.into(), (1, 9))?;
    let cost = registered_cost(coal, heat);
    let (floor, ceiling) = (market.floor.milli_yuan_per_mwh(), market.ceiling.milli_yuan_per_mwh());
    check.range(&field("cost of heat_rate_btu_kwh"), cost, (floor, ceiling))?;
    Ok(Unit {
        name: row.unit.clone(),
        technology: Technology::Coal,
        capacity: Power::from_kw(mw * 1_000),
        registered_cost: on_tick(&market, cost),
        emission_factor: EmissionFactor::from_g_per_kwh(
            (factor * coal.calibration_bp + 5_000) / 10_000,
        ),
        benchmark: EmissionFactor::from_g_per_kwh(benchmark),
        conductivity: BasisPoints::from_bp(rho),
        supply: Supply::Segments(row.segments),
    })
}

fn generator(name: String, name_zh: String) -> Member {
    Member {
        name,
        name_zh,
        role: MemberRole::Generator,
        opening_cash: Money::ZERO,
        opening_allowances: Allowances::ZERO,
        units: Vec::new(),
        load: None,
    }
}

fn renewable_member(
    check: Check<'_>,
    field: &str,
    (file, column): (&RenewableFile, usize),
    market: MarketTerms,
) -> Result<Member, ScenarioError> {
    let mw = check.range(&format!("{field}.capacity_mw"), file.capacity_mw, (1, MW_MAX))?;
    let mut member = generator(file.member.clone(), file.name_zh.clone());
    member.units.push(Unit {
        name: format!("{}.A", file.member),
        technology: match file.technology {
            RenewableTechnology::Wind => Technology::Wind,
            RenewableTechnology::Solar => Technology::Solar,
        },
        capacity: Power::from_kw(mw * 1_000),
        // Its cost is near zero; the floor is the lowest price that may be asked.
        registered_cost: market.floor,
        emission_factor: EmissionFactor::ZERO,
        benchmark: EmissionFactor::ZERO,
        conductivity: BasisPoints::ZERO,
        supply: Supply::Shape(column),
    });
    Ok(member)
}

fn consumer_member(
    check: Check<'_>,
    field: &str,
    file: &ConsumerFile,
) -> Result<Member, ScenarioError> {
    let mw = check.range(&format!("{field}.base_load_mw"), file.base_load_mw, (1, MW_MAX))?;
    let cash = file.opening_cash_yuan;
    check.range(&format!("{field}.opening_cash_yuan"), cash, (0, 1_000_000_000_000))?;
    Ok(Member {
        name: file.member.clone(),
        name_zh: file.name_zh.clone(),
        role: match file.role {
            ConsumerRole::Retailer => MemberRole::Retailer,
            ConsumerRole::LargeUser => MemberRole::LargeUser,
        },
        opening_cash: Money::from_fen(i128::from(cash) * 100),
        opening_allowances: Allowances::ZERO,
        units: Vec::new(),
        load: Some(Power::from_kw(mw * 1_000)),
    })
}

fn check_names(check: Check<'_>, members: &[Member]) -> Result<(), ScenarioError> {
    let mut names = BTreeSet::new();
    for name in members.iter().flat_map(|member| {
        std::iter::once(&member.name).chain(member.units.iter().map(|unit| &unit.name))
    }) {
        let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_.".contains(c);
        if name.is_empty() || 32 < name.len() || !name.chars().all(allowed) {
            return Err(check.refuse("name", name, &"must be 1 to 32 of A-Z, 0-9, _ and ."));
        }
        if !names.insert(name) {
            return Err(check.refuse("name", name, &"must be unique"));
        }
    }
    Ok(())
}

fn demand(check: Check<'_>, file: &DemandFile, path: &Path) -> Result<Demand, ScenarioError> {
    let noise = file.price_noise_milli_yuan_per_mwh;
    check.range("demand.price_noise_milli_yuan_per_mwh", noise, (0, PRICE_MAX))?;
    check.range("demand.volume_noise_bp", file.volume_noise_bp, (0, 9_999))?;
    for (index, step) in file.step.iter().enumerate() {
        check.share(&format!("demand.step[{index}].share_bp"), step.share_bp)?;
        let limit = step.limit_milli_yuan_per_mwh;
        let field = format!("demand.step[{index}].limit_milli_yuan_per_mwh");
        check.range(&field, limit, (-PRICE_MAX, PRICE_MAX))?;
    }
    let total: i64 = file.step.iter().map(|step| step.share_bp).sum();
    if total != 10_000 {
        return Err(check.refuse("demand.step[..].share_bp", &total, &"must add up to 10000"));
    }
    let rows: Vec<LoadRow> = read_csv(path)?;
    let check = Check::new(path);
    if rows.len() != 24 {
        return Err(check.refuse("rows", &rows.len(), &"must be 24, one for each hour"));
    }
    let (mut workday, mut weekend) = ([0; 24], [0; 24]);
    for (hour, row) in rows.iter().enumerate() {
        if usize::from(row.hour) != hour {
            return Err(check.refuse("hour", &row.hour, &format_args!("must be {hour} here")));
        }
        workday[hour] = check.range("workday", row.workday, (0, 5_000))?;
        weekend[hour] = check.range("weekend", row.weekend, (0, 5_000))?;
    }
    Ok(Demand {
        price_noise: noise,
        volume_noise_bp: file.volume_noise_bp,
        steps: file.step.clone(),
        workday,
        weekend,
    })
}

/// Reads the shapes: the columns after `day` and `hour`, and for each day their 24 values.
fn renewable_days(path: &Path) -> Result<(Vec<String>, Vec<RenewableDay>), ScenarioError> {
    let text = super::error::read(path)?;
    let check = Check::new(path);
    let format = |error: csv::Error| ScenarioError::Format {
        path: path.to_owned(),
        message: error.to_string(),
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().map_err(format)?.iter().map(str::to_owned).collect();
    let columns = match header.as_slice() {
        [day, hour, columns @ ..] if day == "day" && hour == "hour" => columns.to_vec(),
        _ => return Err(check.refuse("header", &header.join(","), &"must start with day,hour")),
    };
    let mut days: Vec<RenewableDay> = Vec::new();
    for (row, record) in reader.deserialize::<Vec<i64>>().enumerate() {
        let record = record.map_err(format)?;
        let (day, hour) = (row / 24, row % 24);
        let place = [i64::try_from(day + 1).unwrap_or(0), i64::try_from(hour).unwrap_or(0)];
        let Some(values) = record.strip_prefix(&place) else {
            let rule = format!("must be day {} hour {hour} here: every hour of every day", day + 1);
            return Err(check.refuse("day,hour", &format_args!("{record:?}"), &rule));
        };
        if hour == 0 {
            days.push(vec![[0; 24]; columns.len()]);
        }
        for (column, value) in values.iter().enumerate() {
            days[day][column][hour] = check.range(&columns[column], *value, (0, 1_000))?;
        }
    }
    if days.is_empty() {
        return Err(check.refuse("rows", &0, &"must hold at least one day"));
    }
    Ok((columns, days))
}
