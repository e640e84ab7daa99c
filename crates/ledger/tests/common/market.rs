//! Who is on the test channel, and short names for what they do.

use duet_ledger::{
    Acknowledgement, Action, CarbonReference, DispatchId, Genesis, GuaranteeRule, Identity,
    MarketRule, MeterReport, Mode, OrderRequest, Organisation, OrganisationId, PaymentId,
    PublicKey, Quality, Rationing, Reading, ReadingSubstitution, Registration, Role, Roles, RuleId,
    ScheduleAction, SecondStageDesign, SessionId, SessionNotice, SessionTerms, Sharing, Side,
    Technology, TimeInForce, Unit, UnitId, Validator,
};
use duet_units::{
    BasisPoints, CarbonPrice, ClockTime, DeliveryDay, EmissionFactor, Energy, Money, Power, Price,
    Resolution,
};
use ed25519_zebra::{SigningKey, VerificationKeyBytes};

/// A key of the test channel, by its place in the list of identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Exchange,
    Dispatcher,
    Registry,
    Regulator,
    Bank,
    Coal,
    Wind,
    Retail,
    Factory,
    CoalMeter,
    WindMeter,
    RetailMeter,
    FactoryMeter,
    /// Not registered.
    Stranger,
}

use Who::{
    Bank, Coal, CoalMeter, Dispatcher, Exchange, Factory, FactoryMeter, Registry, Regulator,
    Retail, RetailMeter, Stranger, Wind, WindMeter,
};

impl Who {
    pub(crate) const ALL: [Self; 14] = [
        Exchange,
        Dispatcher,
        Registry,
        Regulator,
        Bank,
        Coal,
        Wind,
        Retail,
        Factory,
        CoalMeter,
        WindMeter,
        RetailMeter,
        FactoryMeter,
        Stranger,
    ];

    pub(crate) fn key(self) -> SigningKey {
        SigningKey::try_from(&[self as u8 + 1; 32][..]).unwrap()
    }

    pub(crate) fn public(self) -> PublicKey {
        PublicKey::from_bytes(VerificationKeyBytes::from(&self.key()).into())
    }

    /// The organisation that the key acts for.
    pub(crate) const fn organisation(self) -> OrganisationId {
        OrganisationId(match self {
            CoalMeter => 5,
            WindMeter => 6,
            RetailMeter => 7,
            FactoryMeter => 8,
            Stranger => 99,
            other => other as u32,
        })
    }

    const fn role(self) -> Option<Role> {
        Some(match self {
            Exchange => Role::Exchange,
            Dispatcher => Role::Dispatcher,
            Registry => Role::Registry,
            Regulator => Role::Regulator,
            Bank => Role::Bank,
            Coal | Wind => Role::Generator,
            Retail => Role::Retailer,
            Factory => Role::LargeUser,
            CoalMeter | WindMeter | RetailMeter | FactoryMeter => Role::Device,
            Stranger => return None,
        })
    }
}

/// 100 MW, 300 yuan/MWh, 1 t/MWh of which 0.8 t is allocated for free.
pub(crate) const COAL: UnitId = UnitId(0);
/// 50 MW, no cost, no emissions.
pub(crate) const WIND: UnitId = UnitId(1);
/// A connection of 100 MW.
pub(crate) const RETAIL: UnitId = UnitId(2);
/// A connection of 60 MW.
pub(crate) const FACTORY: UnitId = UnitId(3);
/// The units with the keys of their meters.
pub(crate) const METERS: [(UnitId, Who); 4] =
    [(COAL, CoalMeter), (WIND, WindMeter), (RETAIL, RetailMeter), (FACTORY, FactoryMeter)];

/// The first delivery day; the channel begins at noon of the day before it.
pub(crate) const DAY: DeliveryDay = DeliveryDay::from_days(20_640);
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Noon of the day before `day`: its gate opens.
pub(crate) fn gate_open(day: DeliveryDay) -> ClockTime {
    day.start().plus_ms(-12 * HOUR_MS)
}

/// 14:00 of the day before `day`: its gate closes.
pub(crate) fn gate_close(day: DeliveryDay) -> ClockTime {
    day.start().plus_ms(-10 * HOUR_MS)
}

pub(crate) fn yuan_per_mwh(yuan: i64) -> Price {
    Price::from_milli_yuan_per_mwh(yuan * 1_000)
}

pub(crate) fn mwh(mwh: i64) -> Energy {
    Energy::from_kwh(mwh * 1_000)
}

pub(crate) fn yuan(yuan: i64) -> Money {
    Money::from_fen(i128::from(yuan) * 100)
}

fn unit(owner: Who, name: &str, technology: Technology, device: Who) -> Unit {
    Unit {
        owner: owner.organisation(),
        name: name.to_owned(),
        technology,
        capacity: Power::from_kw(100_000),
        registered_cost: Price::ZERO,
        emission_factor: EmissionFactor::ZERO,
        benchmark: EmissionFactor::ZERO,
        device: device.public(),
    }
}

pub(crate) fn genesis() -> Genesis {
    let named = |who: &Who| Organisation { name: format!("{who:?}"), name_zh: String::new() };
    let registered = |who: &Who| {
        let roles = Roles::of(&[who.role()?]);
        let identity =
            Identity { organisation: who.organisation(), roles, label: format!("{who:?}") };
        Some(Registration { key: who.public(), identity })
    };
    let validator = |who: &Who| Validator { name: format!("{who:?}"), key: who.public() };
    let coal = Unit {
        registered_cost: yuan_per_mwh(300),
        emission_factor: EmissionFactor::from_g_per_kwh(1_000),
        benchmark: EmissionFactor::from_g_per_kwh(800),
        ..unit(Coal, "COAL_1", Technology::Coal, CoalMeter)
    };
    let wind = Unit {
        capacity: Power::from_kw(50_000),
        ..unit(Wind, "WIND_1", Technology::Wind, WindMeter)
    };
    let retail = unit(Retail, "RETAIL_1", Technology::Load, RetailMeter);
    let factory = Unit {
        capacity: Power::from_kw(60_000),
        ..unit(Factory, "FACTORY_1", Technology::Load, FactoryMeter)
    };
    Genesis {
        name: "test".to_owned(),
        time: gate_open(DAY),
        validators: Who::ALL[..4].iter().map(validator).collect(),
        organisations: Who::ALL[..9].iter().map(named).collect(),
        identities: Who::ALL.iter().filter_map(registered).collect(),
        units: vec![coal, wind, retail, factory],
        rules: rules(),
    }
}

/// The rule of the test terms that shares listings like this.
pub(crate) const fn sharing_rule(sharing: Sharing) -> RuleId {
    match sharing {
        Sharing::Time => RuleId(1),
        Sharing::ProRata => RuleId(7),
        Sharing::Windows => RuleId(8),
    }
}

/// The rule of the test terms that asks for a guarantee: 80 % of it count, at 25 % above the
/// reference price.
pub(crate) const GUARANTEE_RULE: RuleId = RuleId(9);

/// The rule of the test sessions, and one for each other kind of terms that traffic uses.
fn rules() -> Vec<MarketRule> {
    let other = |(place, (tick, lot, rationing)): (i64, (i64, i64, Rationing))| {
        let fund_share = BasisPoints::from_bp(10_000 - place * 1_234);
        let (tick, lot) = (Price::from_milli_yuan_per_mwh(tick), Energy::from_kwh(lot));
        let second_stage = match place {
            3 => SecondStageDesign::Uplift,
            4 => SecondStageDesign::None,
            _ => SecondStageDesign::Compensation,
        };
        let second_stage_chance = BasisPoints::from_bp(if place < 2 { 10_000 } else { 6_000 });
        let terms = SessionTerms { tick, lot, rationing, second_stage, fund_share, ..terms() };
        let terms = SessionTerms { second_stage_chance, ..terms };
        let mut rule = MarketRule::plain(&format!("T{place}"), &terms);
        rule.trading.k1 = BasisPoints::from_bp(5_000);
        rule
    };
    let kinds = [
        (1_000, 1_000, Rationing::ProRata),
        (1, 1, Rationing::Time),
        (10, 7, Rationing::GreenFirst),
        (1, 1_000, Rationing::ProRata),
        (1_000, 7, Rationing::ProRata),
        (10, 1, Rationing::GreenFirst),
    ];
    let sharing = |(place, sharing)| {
        let mut rule = MarketRule::plain(&format!("S{place}"), &terms());
        rule.trading.sharing = sharing;
        rule
    };
    let shared = (1..).zip([Sharing::ProRata, Sharing::Windows]).map(sharing);
    let mut guarded = MarketRule::plain("G", &terms());
    guarded.guarantee = Some(GuaranteeRule {
        usable: BasisPoints::from_bp(8_000),
        margin: BasisPoints::from_bp(2_500),
        unit_charge: yuan_per_mwh(400),
    });
    (0..).zip(kinds).map(other).chain(shared).chain([guarded]).collect()
}

/// Hours, lots of 1 MWh, ticks of 1 yuan, -100 to 1,000 yuan/MWh, allowances at 100 yuan/t, the
/// midpoint, and a second stage that may pay the whole rent, at most 100 yuan/MWh.
pub(crate) fn terms() -> SessionTerms {
    SessionTerms {
        resolution: Resolution::Hour,
        floor: yuan_per_mwh(-100),
        ceiling: yuan_per_mwh(1_000),
        tick: yuan_per_mwh(1),
        lot: mwh(1),
        reference_price: yuan_per_mwh(300),
        carbon_price: CarbonPrice::from_fen_per_t(10_000),
        price_numerator: 1,
        price_denominator: 2,
        rationing: Rationing::ProRata,
        second_stage: SecondStageDesign::Compensation,
        compensation_cap: yuan_per_mwh(100),
        fund_share: BasisPoints::ONE,
        second_stage_chance: BasisPoints::ONE,
        carbon_reference: CarbonReference::Notice,
    }
}

pub(crate) fn notice(day: DeliveryDay) -> SessionNotice {
    SessionNotice {
        rule: RuleId(1),
        mode: Mode::Joint,
        day,
        days: 1,
        gate_open: gate_open(day),
        gate_close: gate_close(day),
        terms: terms(),
    }
}

pub(crate) fn open(day: DeliveryDay) -> Action {
    Action::OpenSession(notice(day))
}

/// An order for the first session, with full conductivity of a sell order.
pub(crate) fn request(
    (unit, side): (UnitId, Side),
    period: u8,
    limit: i64,
    quantity: i64,
) -> OrderRequest {
    let conductivity = if side == Side::Sell { BasisPoints::ONE } else { BasisPoints::ZERO };
    OrderRequest {
        session: SessionId(1),
        unit,
        side,
        period,
        limit: yuan_per_mwh(limit),
        quantity: mwh(quantity),
        conductivity,
        reference: 0,
        time_in_force: TimeInForce::Gtc,
    }
}

/// Sells `quantity` MWh at `limit` yuan/MWh, in the first session.
pub(crate) fn sell(unit: UnitId, period: u8, limit: i64, quantity: i64) -> Action {
    Action::SubmitOrder(request((unit, Side::Sell), period, limit, quantity))
}

/// Buys `quantity` MWh at `limit` yuan/MWh, in the first session.
pub(crate) fn buy(unit: UnitId, period: u8, limit: i64, quantity: i64) -> Action {
    Action::SubmitOrder(request((unit, Side::Buy), period, limit, quantity))
}

pub(crate) fn deposit(who: Who, amount: Money, reference: u64) -> Action {
    Action::Deposit { organisation: who.organisation(), amount, reference }
}

pub(crate) fn confirm(payment: u64, confirmed: bool) -> Action {
    Action::ConfirmPayment { payment: PaymentId(payment), confirmed }
}

pub(crate) fn acknowledge(dispatch: u64, accepted: bool) -> Action {
    let cause = if accepted { 0 } else { 7 };
    Action::AckDispatch(Acknowledgement { dispatch: DispatchId(dispatch), accepted, cause })
}

/// Readings of a meter in MWh from `first_period` on.
pub(crate) fn meter(
    unit: UnitId,
    day: DeliveryDay,
    (first_period, version): (u8, u16),
    readings: &[i64],
) -> Action {
    let reading = |value: &i64| Reading { energy: mwh(*value), quality: Quality::Good };
    let readings = readings.iter().map(reading).collect();
    Action::ReportMeter(MeterReport { unit, day, first_period, version, readings })
}

/// The readings of a whole day: these first, then nothing.
pub(crate) fn whole_day(unit: UnitId, day: DeliveryDay, first: &[i64]) -> Action {
    let mut readings = first.to_vec();
    readings.resize(24, 0);
    meter(unit, day, (0, 1), &readings)
}

/// Readings that the dispatcher puts in the place of missing ones, in MWh.
pub(crate) fn substitute(
    unit: UnitId,
    day: DeliveryDay,
    first_period: u8,
    energies: &[i64],
) -> Action {
    let energies = energies.iter().copied().map(mwh).collect();
    let reason = "the meter does not answer".to_owned();
    let request = ReadingSubstitution { unit, day, first_period, energies, reason };
    Action::Schedule(ScheduleAction::Substitute(request))
}
