//! Who takes part: organisations, their identities, their units.

use crate::codec::{Decode, DecodeError, Encode, coded, record};
use crate::ids::{OrganisationId, PublicKey};
use duet_units::{EmissionFactor, Power, Price};

coded! {
    /// What an identity may do.
    pub enum Role ("role") {
        /// Runs sessions and settles them.
        Exchange = 0,
        /// Issues dispatch; its organisation is the counterparty of deviations.
        Dispatcher = 1,
        /// Keeps allowances.
        Registry = 2,
        /// Sees everything and can halt a session.
        Regulator = 3,
        /// Sells energy from its units.
        Generator = 4,
        /// Buys energy for its customers.
        Retailer = 5,
        /// Buys energy for itself.
        LargeUser = 6,
        /// Moves money in and out and confirms payments.
        Bank = 7,
        /// A meter or gateway of a unit: reports readings, acknowledges dispatch.
        Device = 8,
    }
}

/// A set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u16);

impl Roles {
    /// The set of these roles.
    #[must_use]
    pub fn of(roles: &[Role]) -> Self {
        Self(roles.iter().fold(0, |set, role| set | Self::bit(*role)))
    }

    /// Whether `role` is in the set.
    #[must_use]
    pub fn has(self, role: Role) -> bool {
        self.0 & Self::bit(role) != 0
    }

    /// The roles in the set, by number.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |role| self.has(*role))
    }

    fn bit(role: Role) -> u16 {
        1_u16.checked_shl(role.code().into()).unwrap_or(0)
    }
}

impl Encode for Roles {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Roles {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let bits = u16::decode(input)?;
        if bits & !Self::of(Role::ALL).0 == 0 {
            Ok(Self(bits))
        } else {
            Err(DecodeError::UnknownTag { field: "role", value: bits.into() })
        }
    }
}

record! {
    /// A legal person of the market.
    pub struct Organisation {
        /// A short name in ASCII letters, unique on the channel.
        pub name: String,
        /// The name shown to readers of Chinese.
        pub name_zh: String,
    }
}

record! {
    /// A key that may act for an organisation.
    pub struct Identity {
        /// For whom it acts.
        pub organisation: OrganisationId,
        /// What it may do.
        pub roles: Roles,
        /// What people call it.
        pub label: String,
    }
}

coded! {
    /// What a unit is.
    pub enum Technology ("technology") {
        /// Coal-fired generation.
        Coal = 0,
        /// Gas-fired generation.
        Gas = 1,
        /// Wind generation.
        Wind = 2,
        /// Photovoltaic generation.
        Solar = 3,
        /// A point of consumption.
        Load = 4,
    }
}

impl Technology {
    /// Whether certificates are issued for its energy.
    #[must_use]
    pub const fn is_renewable(self) -> bool {
        matches!(self, Self::Wind | Self::Solar)
    }

    /// Whether it uses energy rather than delivering it.
    #[must_use]
    pub const fn consumes(self) -> bool {
        matches!(self, Self::Load)
    }
}

record! {
    /// A generating unit (or plant, as one) or a point of consumption.
    pub struct Unit {
        /// Its owner.
        pub owner: OrganisationId,
        /// A short name.
        pub name: String,
        /// What it is.
        pub technology: Technology,
        /// The most it can deliver or use.
        pub capacity: Power,
        /// Its audited cost of one more unit of energy without carbon; zero for consumption.
        pub registered_cost: Price,
        /// What one kWh of it emits.
        pub emission_factor: EmissionFactor,
        /// The free allocation per kWh of output.
        pub benchmark: EmissionFactor,
        /// The key of its meter and gateway.
        pub device: PublicKey,
    }
}
