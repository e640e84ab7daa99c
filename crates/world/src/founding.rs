//! The channel that a scenario's market runs on: organisations, keys and units.

use duet_ledger::{
    CarbonReference, FeeRule, Genesis, GenesisError, Identity, MarketRule, Organisation,
    OrganisationId, PublicKey, Registration, Role, Roles, RuleId, SecondStageDesign, SessionTerms,
    Technology, Unit, UnitId, Validator,
};
use duet_study::scenario::{self, MemberRole, Scenario};
use duet_units::{BasisPoints, ClockTime, EmissionFactor, Power, Price, Resolution};
use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use sha2::{Digest as _, Sha256};

/// The organisations that run the market, in the order of their numbers; their members follow.
const INSTITUTIONS: [(&str, &str, Role); 5] = [
    ("EXCHANGE", "\u{4ea4}\u{6613}\u{4e2d}\u{5fc3}", Role::Exchange),
    ("DISPATCH", "\u{8c03}\u{5ea6}\u{4e2d}\u{5fc3}", Role::Dispatcher),
    ("REGISTRY", "\u{78b3}\u{6ce8}\u{518c}\u{767b}\u{8bb0}\u{673a}\u{6784}", Role::Registry),
    ("REGULATOR", "\u{76d1}\u{7ba1}\u{673a}\u{6784}", Role::Regulator),
    ("BANK", "\u{7ed3}\u{7b97}\u{94f6}\u{884c}", Role::Bank),
];
/// The organisations that run a validator: four, so one of them can fail or lie.
const VALIDATORS: usize = 4;
/// A consumer's peak over the mean of its load, in percent: the capacity of its connection.
const CONNECTION_PERCENT: i64 = 300;

/// The province whose rule a scenario's market has.
const PROVINCE: &str = "HEBEI-SOUTH";
/// Where prices of centralised bidding lie: in the middle.
const HALF: BasisPoints = BasisPoints::from_bp(5_000);

/// The rules after that, under which one joint session of a week each runs: the second stage by
/// uplift, and by lot.
const SECOND_STAGES: [(&str, SecondStageDesign, BasisPoints); 2] = [
    ("HEBEI-SOUTH-UPLIFT", SecondStageDesign::Uplift, BasisPoints::ONE),
    ("HEBEI-SOUTH-LOTTERY", SecondStageDesign::Compensation, HALF),
];
/// The exchange's fee under these rules, of the value of a trade: synthetic, 0.3 per mille.
const FEE: FeeRule = FeeRule { of_value_ppm: 300, ..FeeRule::FREE };
/// On which days of the week.
const UPLIFT_DAY: i32 = 2;
const LOTTERY_DAY: i32 = 4;

/// The rule of the joint session of the day with this number, and its terms.
pub(crate) fn joint_terms(scenario: &Scenario, number: i32) -> (RuleId, SessionTerms) {
    let terms = session_terms(scenario);
    let (rule, (_, second_stage, second_stage_chance)) = match number.rem_euclid(7) {
        UPLIFT_DAY => (RuleId(2), SECOND_STAGES[0]),
        LOTTERY_DAY => (RuleId(3), SECOND_STAGES[1]),
        _ => return (RuleId(1), terms),
    };
    (rule, SessionTerms { second_stage, second_stage_chance, ..terms })
}

fn rules(terms: &SessionTerms) -> Vec<MarketRule> {
    let mut rule = MarketRule::plain(PROVINCE, terms);
    (rule.trading.k1, rule.trading.k2) = (HALF, HALF);
    let mut rules = vec![rule];
    for (province, second_stage, second_stage_chance) in SECOND_STAGES {
        let terms = SessionTerms { second_stage, second_stage_chance, ..terms.clone() };
        let mut rule = MarketRule::plain(province, &terms);
        (rule.buyer_fee, rule.seller_fee) = (FEE, FEE);
        rules.push(rule);
    }
    rules
}

/// The terms of a scenario's sessions.
pub(crate) fn session_terms(scenario: &Scenario) -> SessionTerms {
    let market = &scenario.market;
    let middle = (market.floor.milli_yuan_per_mwh() + market.ceiling.milli_yuan_per_mwh()) / 2;
    SessionTerms {
        resolution: Resolution::Hour,
        floor: market.floor,
        ceiling: market.ceiling,
        tick: market.tick,
        lot: market.lot,
        reference_price: Price::from_milli_yuan_per_mwh(middle),
        carbon_price: market.carbon_price,
        price_numerator: 1,
        price_denominator: 2,
        rationing: market.rationing,
        second_stage: SecondStageDesign::Compensation,
        compensation_cap: market.compensation_cap,
        fund_share: market.fund_share,
        second_stage_chance: BasisPoints::ONE,
        carbon_reference: CarbonReference::Notice,
    }
}

/// Why a scenario cannot be founded.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// The genesis that it gives is not one.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A derived key is not one of the curve, which does not happen.
    #[error("the demo key of {0} is not a key")]
    Key(String),
}

/// The seed of a simulated person's key: known to everybody, and so only good for a demo.
#[must_use]
pub fn demo_seed(label: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"duet/demo-key/v1").chain_update(label).finalize().into()
}

/// Where a member of the scenario is on the channel.
#[derive(Clone, Debug)]
pub struct MemberPlace {
    /// Its organisation.
    pub organisation: OrganisationId,
    /// Its generating units in the order of the scenario; a consumer's one connection.
    pub units: Vec<UnitId>,
    /// The label of its gateway, which is the device of all its units.
    pub device: String,
}

/// A channel founded for a scenario, with the keys of everybody in it.
#[derive(Clone, Debug)]
pub struct Founding {
    /// The genesis.
    pub genesis: Genesis,
    /// Where the members are, in the order of the scenario.
    pub members: Vec<MemberPlace>,
}

impl Founding {
    /// Founds the channel of a scenario at `time`.
    ///
    /// # Errors
    ///
    /// Returns [`FoundingError`] if the scenario's units are outside the ledger's ranges.
    pub fn new(scenario: &Scenario, time: ClockTime) -> Result<Self, FoundingError> {
        let mut genesis = Genesis {
            name: scenario.name.clone(),
            time,
            validators: Vec::new(),
            organisations: Vec::new(),
            identities: Vec::new(),
            units: Vec::new(),
            rules: rules(&session_terms(scenario)),
        };
        for (name, name_zh, role) in INSTITUTIONS {
            add_organisation(&mut genesis, name, name_zh, role)?;
        }
        for (name, ..) in INSTITUTIONS.iter().take(VALIDATORS) {
            let key = public_key(&validator_label(name))?;
            genesis.validators.push(Validator { name: (*name).to_owned(), key });
        }
        let mut members = Vec::new();
        for member in &scenario.members {
            let role = match member.role {
                MemberRole::Generator => Role::Generator,
                MemberRole::Retailer => Role::Retailer,
                MemberRole::LargeUser => Role::LargeUser,
            };
            let organisation = add_organisation(&mut genesis, &member.name, &member.name_zh, role)?;
            let device = format!("device {}", member.name);
            let gateway = register(&mut genesis, &device, organisation, Role::Device)?;
            let mut units = Vec::new();
            for unit in &member.units {
                let kind = Kind::Plant(unit);
                units.push(add_unit(&mut genesis, organisation, &unit.name, (&kind, gateway)));
            }
            if let Some(load) = member.load {
                let name = format!("{}_LOAD", member.name);
                let kind = Kind::Load(load);
                units.push(add_unit(&mut genesis, organisation, &name, (&kind, gateway)));
            }
            members.push(MemberPlace { organisation, units, device });
        }
        genesis.check()?;
        Ok(Self { genesis, members })
    }

    /// The seed of the validator key that runs under `name`.
    #[must_use]
    pub fn validator_seed(name: &str) -> [u8; 32] {
        demo_seed(&validator_label(name))
    }
}

enum Kind<'a> {
    Plant(&'a scenario::Unit),
    Load(Power),
}

fn validator_label(name: &str) -> String {
    format!("validator {name}")
}

fn public_key(label: &str) -> Result<PublicKey, FoundingError> {
    let key = SigningKey::try_from(&demo_seed(label)[..])
        .map_err(|_| FoundingError::Key(label.to_owned()))?;
    Ok(PublicKey::from_bytes(VerificationKeyBytes::from(&key).into()))
}

fn register(
    genesis: &mut Genesis,
    label: &str,
    organisation: OrganisationId,
    role: Role,
) -> Result<PublicKey, FoundingError> {
    let key = public_key(label)?;
    let identity = Identity { organisation, roles: Roles::of(&[role]), label: label.to_owned() };
    genesis.identities.push(Registration { key, identity });
    Ok(key)
}

fn add_organisation(
    genesis: &mut Genesis,
    name: &str,
    name_zh: &str,
    role: Role,
) -> Result<OrganisationId, FoundingError> {
    let id = OrganisationId(u32::try_from(genesis.organisations.len()).unwrap_or(u32::MAX));
    genesis.organisations.push(Organisation { name: name.to_owned(), name_zh: name_zh.to_owned() });
    register(genesis, name, id, role)?;
    Ok(id)
}

fn add_unit(
    genesis: &mut Genesis,
    owner: OrganisationId,
    name: &str,
    (kind, device): (&Kind<'_>, PublicKey),
) -> UnitId {
    let id = UnitId(u32::try_from(genesis.units.len()).unwrap_or(u32::MAX));
    let name = name.to_owned();
    genesis.units.push(match kind {
        Kind::Plant(unit) => Unit {
            owner,
            name,
            technology: match unit.technology {
                scenario::Technology::Coal => Technology::Coal,
                scenario::Technology::Wind => Technology::Wind,
                scenario::Technology::Solar => Technology::Solar,
            },
            capacity: unit.capacity,
            registered_cost: unit.registered_cost,
            emission_factor: unit.emission_factor,
            benchmark: unit.benchmark,
            device,
        },
        Kind::Load(load) => Unit {
            owner,
            name,
            technology: Technology::Load,
            capacity: Power::from_kw(load.kw() * CONNECTION_PERCENT / 100),
            registered_cost: Price::ZERO,
            emission_factor: EmissionFactor::ZERO,
            benchmark: EmissionFactor::ZERO,
            device,
        },
    });
    id
}
