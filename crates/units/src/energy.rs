//! Energy and power.

use crate::quantity::quantity;

quantity! {
    /// An amount of active energy, in kilowatt-hours (kWh).
    ///
    /// Quantities of orders and registers of meters are never negative; that is checked where
    /// they enter. A difference of two energies (an imbalance) may be.
    Energy(i64), "kWh", from_kwh, kwh
}

quantity! {
    /// Active power, in kilowatts (kW), averaged over a delivery period.
    Power(i64), "kW", from_kw, kw
}
