//! Who takes part.

use super::{Balance, CarbonAccount, CertificateLot, Hex32, mirror, view};

mirror! {
    /// What an identity may do.
    Role {
        /// Runs sessions and settles them.
        Exchange,
        /// Issues dispatch; its organisation is the counterparty of deviations.
        Dispatcher,
        /// Keeps allowances.
        Registry,
        /// Sees everything and can halt a session.
        Regulator,
        /// Sells energy from its units.
        Generator,
        /// Buys energy for its customers.
        Retailer,
        /// Buys energy for itself.
        LargeUser,
        /// Moves money in and out and confirms payments.
        Bank,
        /// A meter or gateway of a unit.
        Device,
    }
}

mirror! {
    /// What a unit is.
    Technology {
        /// Coal-fired generation.
        Coal,
        /// Gas-fired generation.
        Gas,
        /// Wind generation.
        Wind,
        /// Photovoltaic generation.
        Solar,
        /// A point of consumption.
        Load,
    }
}

view! {
    /// A legal person of the market.
    Organisation(id: duet_ledger::OrganisationId, row: &duet_ledger::Organisation) {
        /// Its number.
        id: u32 = id.0;
        /// A short name in ASCII letters.
        name: String = row.name.clone();
        /// The name shown to readers of Chinese.
        name_zh: String = row.name_zh.clone();
    }
}

/// An organisation with its accounts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OrganisationDetail {
    /// Who it is.
    pub organisation: Organisation,
    /// Its money, by part.
    pub balances: Vec<Balance>,
    /// Its allowances and emissions; none if it has neither.
    pub carbon: Option<CarbonAccount>,
    /// Its runs of energy certificates.
    pub certificates: Vec<CertificateLot>,
    /// Its units and points of consumption.
    pub units: Vec<Unit>,
}

view! {
    /// A key that may act for an organisation.
    Identity(key: duet_ledger::PublicKey, row: &duet_ledger::Identity, last_nonce: u64) {
        /// The public key.
        public_key: Hex32 = key.into();
        /// For whom it acts.
        organisation: u32 = row.organisation.0;
        /// What it may do.
        roles: Vec<Role> = row.roles.iter().map(Role::from).collect();
        /// What people call it.
        label: String = row.label.clone();
        /// The last nonce that it used; the next transaction needs a higher one.
        last_nonce: u64 = last_nonce;
    }
}

view! {
    /// A generating unit or a point of consumption.
    Unit(id: duet_ledger::UnitId, row: &duet_ledger::Unit) {
        /// Its number.
        id: u32 = id.0;
        /// Its owner.
        owner: u32 = row.owner.0;
        /// A short name.
        name: String = row.name.clone();
        /// What it is.
        technology: Technology = row.technology.into();
        /// The most it can deliver or use.
        capacity_kw: i64 = row.capacity.kw();
        /// Its audited cost of one more unit of energy without carbon.
        registered_cost_milli_yuan_per_mwh: i64 = row.registered_cost.milli_yuan_per_mwh();
        /// What one kWh of it emits.
        emission_factor_g_per_kwh: i64 = row.emission_factor.g_per_kwh();
        /// The free allocation per kWh of output.
        benchmark_g_per_kwh: i64 = row.benchmark.g_per_kwh();
        /// The key of its meter and gateway.
        device: Hex32 = row.device.into();
    }
}
