//! Exact integers with units: energy, power, price, money, emissions, allowances, delivery periods.
//!
//! Each quantity is an integer count of one base unit, so every validator computes the same bits.
//! A quantity is built with the unit in the constructor's name and has no `From`, so that two
//! quantities cannot be mixed by accident. Arithmetic is checked: what does not fit is an
//! [`OverflowError`], never a wrapped number. There is one rounding rule, [`div_half_away`]; the
//! few conversions that lose precision use it and say so.
//!
//! Units and precision follow the official settlement rules: kWh whole, yuan/MWh with three
//! decimals, yuan with two, allowances in whole tonnes (NDRC/NEA 2025-976 art. 12; MEE
//! announcement 2021-21).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::as_conversions))]
#![cfg_attr(not(test), deny(clippy::float_arithmetic, clippy::indexing_slicing))]
#![cfg_attr(not(test), deny(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

mod carbon;
mod energy;
mod money;
mod month;
mod quantity;
mod rounding;
mod time;

pub use carbon::{Allowances, BasisPoints, CarbonPrice, EmissionFactor, Emissions};
pub use energy::{Energy, Power};
pub use money::{MicroYuan, Money, Price};
pub use month::Month;
pub use quantity::OverflowError;
pub use rounding::{div_half_away, largest_remainder};
pub use time::{ClockTime, DeliveryDay, DeliveryPeriod, Resolution};
