//! The board the gateway runs on: temperature, supplies, status light.

use serde::Deserialize;

/// Limits of the board's sensors.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardLimits {}
