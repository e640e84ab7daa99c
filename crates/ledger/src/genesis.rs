//! The beginning of a channel: its validators, organisations, identities and units.

use crate::codec::{Encode, TEXT_MAX, record};
use crate::hash::{Digest, hash};
use crate::ids::{ChannelId, OrganisationId, PublicKey};
use crate::records::{Identity, MarketRule, Organisation, Role, Unit};
use duet_units::ClockTime;
use std::collections::{BTreeMap, BTreeSet};

const CHANNEL_DOMAIN: &[u8] = b"duet/channel/v1";
const COMMITTEE_DOMAIN: &[u8] = b"duet/committee/v1";
const GENESIS_DOMAIN: &[u8] = b"duet/genesis/v1";

record! {
    /// A validator of the channel.
    pub struct Validator {
        /// What people call it.
        pub name: String,
        /// The key of its votes.
        pub key: PublicKey,
    }
}

record! {
    /// A key registered from the beginning.
    pub struct Registration {
        /// The key.
        pub key: PublicKey,
        /// What it may do, and for whom.
        pub identity: Identity,
    }
}

record! {
    /// The beginning of a channel. Organisations and units are numbered by their place here.
    pub struct Genesis {
        /// What people call the channel.
        pub name: String,
        /// The time of the block at height 0.
        pub time: ClockTime,
        /// The validators.
        pub validators: Vec<Validator>,
        /// The organisations.
        pub organisations: Vec<Organisation>,
        /// The identities.
        pub identities: Vec<Registration>,
        /// The units.
        pub units: Vec<Unit>,
        /// The rules of the market that are in effect without notice, numbered from 1.
        pub rules: Vec<MarketRule>,
    }
}

/// Why a genesis cannot begin a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Fewer than one validator, or one twice.
    #[error("validators: there must be at least one, each once")]
    Validators,
    /// An identity or unit names an organisation that is not there.
    #[error("{field} {index}: there is no organisation {organisation}")]
    UnknownOrganisation {
        /// Where.
        field: &'static str,
        /// Which entry.
        index: usize,
        /// What it names.
        organisation: OrganisationId,
    },
    /// A key is registered twice.
    #[error("identity {index}: its key is registered twice")]
    DuplicateKey {
        /// Which entry.
        index: usize,
    },
    /// A name is too long for a row of the state.
    #[error("{field} {index}: a name has more than {TEXT_MAX} bytes")]
    TextTooLong {
        /// Where.
        field: &'static str,
        /// Which entry.
        index: usize,
    },
    /// A role that the channel cannot do without is missing, or held by two organisations.
    #[error("exactly one organisation must have the role {0:?}")]
    RoleNotUnique(Role),
    /// A rule's parameter is out of its range, or its version is not the next of its province.
    #[error("rule {index}: {field} is out of range")]
    Rule {
        /// Which entry.
        index: usize,
        /// Which parameter.
        field: &'static str,
    },
    /// A unit has a capacity, cost or factor outside its range.
    #[error("unit {index}: {field} is out of range")]
    UnitOutOfRange {
        /// Which entry.
        index: usize,
        /// Which field.
        field: &'static str,
    },
}

impl Genesis {
    /// The hash over the validators' keys, in ascending order.
    #[must_use]
    pub fn committee_hash(keys: &[PublicKey]) -> Digest {
        let sorted: Vec<PublicKey> =
            keys.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        hash(COMMITTEE_DOMAIN, &[&sorted.to_bytes()])
    }

    /// The hash over the whole genesis.
    #[must_use]
    pub fn content_hash(&self) -> Digest {
        hash(GENESIS_DOMAIN, &[&self.to_bytes()])
    }

    /// The channel that a committee and a genesis content make: so that a proof can carry the
    /// committee and one hash instead of the whole genesis.
    #[must_use]
    pub fn channel_of(committee: &[PublicKey], content: &Digest) -> ChannelId {
        hash(CHANNEL_DOMAIN, &[&Self::committee_hash(committee), content])
    }

    /// The validators' keys, as listed.
    #[must_use]
    pub fn committee(&self) -> Vec<PublicKey> {
        self.validators.iter().map(|validator| validator.key).collect()
    }

    /// The channel id.
    #[must_use]
    pub fn channel(&self) -> ChannelId {
        Self::channel_of(&self.committee(), &self.content_hash())
    }

    /// The one organisation whose identities hold `role`.
    ///
    /// # Errors
    ///
    /// Returns [`GenesisError::RoleNotUnique`] if there is none or more than one.
    pub fn holder(&self, role: Role) -> Result<OrganisationId, GenesisError> {
        let holders: BTreeSet<OrganisationId> = self
            .identities
            .iter()
            .filter(|r| r.identity.roles.has(role))
            .map(|r| r.identity.organisation)
            .collect();
        match holders.first() {
            Some(only) if holders.len() == 1 => Ok(*only),
            _ => Err(GenesisError::RoleNotUnique(role)),
        }
    }

    /// Checks that the genesis can begin a channel.
    ///
    /// # Errors
    ///
    /// Returns the first [`GenesisError`] found.
    pub fn check(&self) -> Result<(), GenesisError> {
        let keys: BTreeSet<PublicKey> = self.validators.iter().map(|v| v.key).collect();
        if keys.is_empty() || keys.len() != self.validators.len() {
            return Err(GenesisError::Validators);
        }
        let known = |field, index, organisation: OrganisationId| {
            let place = usize::try_from(organisation.0).unwrap_or(usize::MAX);
            if place < self.organisations.len() {
                Ok(())
            } else {
                Err(GenesisError::UnknownOrganisation { field, index, organisation })
            }
        };
        let mut registered = BTreeSet::new();
        for (index, registration) in self.identities.iter().enumerate() {
            known("identity", index, registration.identity.organisation)?;
            if !registered.insert(registration.key) {
                return Err(GenesisError::DuplicateKey { index });
            }
        }
        for (index, unit) in self.units.iter().enumerate() {
            known("unit", index, unit.owner)?;
            check_unit(index, unit)?;
        }
        self.check_rules()?;
        for role in [Role::Exchange, Role::Dispatcher, Role::Bank] {
            self.holder(role)?;
        }
        self.check_texts()
    }

    fn check_rules(&self) -> Result<(), GenesisError> {
        let mut versions: BTreeMap<&str, u32> = BTreeMap::new();
        for (index, rule) in self.rules.iter().enumerate() {
            if let Some((field, _)) = rule.fault() {
                return Err(GenesisError::Rule { index, field });
            }
            let last = versions.insert(&rule.province, rule.version).unwrap_or(0);
            if rule.version != last.saturating_add(1) {
                return Err(GenesisError::Rule { index, field: "version" });
            }
        }
        Ok(())
    }

    /// A longer text can be written to a row, but not read back from the store.
    fn check_texts(&self) -> Result<(), GenesisError> {
        let short = |field, (index, text): (usize, &String)| {
            if text.len() <= TEXT_MAX {
                Ok(())
            } else {
                Err(GenesisError::TextTooLong { field, index })
            }
        };
        short("channel", (0, &self.name))?;
        let validators = self.validators.iter().map(|validator| &validator.name);
        validators.enumerate().try_for_each(|text| short("validator", text))?;
        let names = self.organisations.iter().map(|organisation| &organisation.name);
        names.enumerate().try_for_each(|text| short("organisation", text))?;
        let names = self.organisations.iter().map(|organisation| &organisation.name_zh);
        names.enumerate().try_for_each(|text| short("organisation", text))?;
        let labels = self.identities.iter().map(|registration| &registration.identity.label);
        labels.enumerate().try_for_each(|text| short("identity", text))?;
        let units = self.units.iter().map(|unit| &unit.name);
        units.enumerate().try_for_each(|text| short("unit", text))
    }
}

/// The largest capacity of a unit: 100 GW, several times the largest plant there is.
const CAPACITY_MAX_KW: i64 = 100_000_000;
/// The largest registered cost: 1,000 yuan/kWh.
const COST_MAX: i64 = 1_000_000_000;
/// The largest emission factor or benchmark: 100 kg/kWh.
const FACTOR_MAX: i64 = 100_000;

fn check_unit(index: usize, unit: &Unit) -> Result<(), GenesisError> {
    let ranges = [
        ("capacity", unit.capacity.kw(), CAPACITY_MAX_KW),
        ("registered cost", unit.registered_cost.milli_yuan_per_mwh(), COST_MAX),
        ("emission factor", unit.emission_factor.g_per_kwh(), FACTOR_MAX),
        ("benchmark", unit.benchmark.g_per_kwh(), FACTOR_MAX),
    ];
    for (field, value, limit) in ranges {
        if value < 0 || value > limit {
            return Err(GenesisError::UnitOutOfRange { index, field });
        }
    }
    Ok(())
}
