//! Devices: who reports for which units, and how their boards stand.

use super::{
    Api,
    extract::{InPath, InQuery},
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::{PublicKey, Role, State as Ledger, UnitId};
use duet_sdk::wire::{Device, Hex32, Problem};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The most devices of one answer.
const DEVICES_MAX: usize = 1_000;

/// Whose devices.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeviceFilter {
    /// Of this organisation.
    owner: Option<u32>,
    /// With a higher key than this.
    after: Option<Hex32>,
}

/// The devices by key, at most 1,000: what each has sent, and the health that it last reported.
#[utoipa::path(get, path = "/v1/devices", tag = "market", operation_id = "devices",
    params(DeviceFilter), responses((status = 200, body = Vec<Device>)))]
pub(super) async fn devices(
    State(api): State<Api>,
    InQuery(filter): InQuery<DeviceFilter>,
) -> Json<Vec<Device>> {
    let after = filter.after.map(|key| PublicKey::from_bytes(key.0));
    let devices = api.node.read(|state| {
        let units = units_by_device(state);
        let wanted = state.identities().iter().filter(|(key, identity)| {
            identity.roles.has(Role::Device)
                && after.is_none_or(|after| **key > after)
                && filter.owner.is_none_or(|owner| identity.organisation.0 == owner)
        });
        wanted.take(DEVICES_MAX).filter_map(|(key, _)| device(state, *key, &units)).collect()
    });
    Json(devices)
}

/// One device.
#[utoipa::path(get, path = "/v1/devices/{public_key}", tag = "market", operation_id = "device",
    params(("public_key" = Hex32, Path, description = "The Ed25519 public key.")),
    responses((status = 200, body = Device), (status = 404, body = Problem)))]
pub(super) async fn one(
    State(api): State<Api>,
    InPath(key): InPath<Hex32>,
) -> Result<Json<Device>, ApiProblem> {
    let public = PublicKey::from_bytes(key.0);
    api.node
        .read(|state| {
            let known = state.identities().get(&public)?;
            known.roles.has(Role::Device).then_some(())?;
            device(state, public, &units_by_device(state))
        })
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("device", key))
}

fn units_by_device(state: &Ledger) -> BTreeMap<PublicKey, Vec<UnitId>> {
    let mut units: BTreeMap<PublicKey, Vec<UnitId>> = BTreeMap::new();
    for (id, unit) in state.units() {
        units.entry(unit.device).or_default().push(*id);
    }
    units
}

fn device(
    state: &Ledger,
    key: PublicKey,
    units: &BTreeMap<PublicKey, Vec<UnitId>>,
) -> Option<Device> {
    let identity = state.identities().get(&key)?;
    let own = units.get(&key).map_or_else(Vec::new, |ids| ids.iter().map(|id| id.0).collect());
    Some(Device::new(key, identity, state.devices().get(&key), own))
}
