//! Scalars that JSON has no type for.

use duet_units::{DeliveryDay, DeliveryPeriod, Month, Resolution};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// Why a text is not one of the scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct ScalarError(&'static str);

/// Serde through text, for the types of this file.
macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    )*};
}
as_text! { Hex32 Bytes Big Day CalendarMonth Period Signature }

/// A key or hash of 32 bytes, as 64 hex digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{64}$"))]
pub struct Hex32(pub [u8; 32]);

impl fmt::Display for Hex32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Hex32 {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ScalarError("64 hex digits"))?;
        Ok(Self(bytes))
    }
}

impl From<duet_ledger::PublicKey> for Hex32 {
    fn from(key: duet_ledger::PublicKey) -> Self {
        Self(*key.bytes())
    }
}

/// Bytes, as hex.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^([0-9a-f]{2})*$"))]
pub struct Bytes(pub Vec<u8>);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl FromStr for Bytes {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        hex::decode(text).map(Self).map_err(|_| ScalarError("an even number of hex digits"))
    }
}

/// An integer of up to 128 bits, as a decimal string.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^-?[0-9]+$"))]
pub struct Big(pub i128);

impl fmt::Display for Big {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Big {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        text.parse().map(Self).map_err(|_| ScalarError("a decimal integer of up to 128 bits"))
    }
}

/// A day of delivery, `YYYY-MM-DD` in UTC+8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, format = Date))]
pub struct Day(pub DeliveryDay);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        DeliveryDay::parse(text).map(Self).ok_or(ScalarError("a day as YYYY-MM-DD"))
    }
}

/// A delivery period: its day, the periods of the day, its number from 0, as `2026-07-06/24/5`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9-]+/(24|96)/[0-9]+$"))]
pub struct Period(pub DeliveryPeriod);

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.0.day(), self.0.resolution().periods(), self.0.index())
    }
}

impl FromStr for Period {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let read = || {
            let mut parts = text.split('/');
            let (day, periods, index) = (parts.next()?, parts.next()?, parts.next()?);
            let resolution = match periods {
                "24" => Resolution::Hour,
                "96" => Resolution::Quarter,
                _ => return None,
            };
            let index: u8 = index.parse().ok()?;
            let period = DeliveryPeriod::new(DeliveryDay::parse(day)?, resolution, index)?;
            parts.next().is_none().then_some(Self(period))
        };
        read().ok_or(ScalarError("a period as YYYY-MM-DD/24/0 or YYYY-MM-DD/96/0"))
    }
}

/// A signature of 64 bytes, as 128 hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{128}$"))]
pub struct Signature(pub [u8; 64]);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Signature {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let mut bytes = [0; 64];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ScalarError("128 hex digits"))?;
        Ok(Self(bytes))
    }
}

/// A calendar month, `YYYY-MM` in UTC+8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}$"))]
pub struct CalendarMonth(pub Month);

impl fmt::Display for CalendarMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CalendarMonth {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        Month::parse(text).map(Self).ok_or(ScalarError("a month as YYYY-MM"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_integers_are_strings_in_both_directions() {
        let json = serde_json::to_string(&Big(-170_141_183_460_469_231_731)).unwrap();
        assert_eq!(json, "\"-170141183460469231731\"");
        assert_eq!(serde_json::from_str::<Big>(&json).unwrap().0, -170_141_183_460_469_231_731);
        assert!(serde_json::from_str::<Big>("12").is_err(), "a number is refused");
    }

    #[test]
    fn hex_of_another_length_is_refused() {
        assert!("00".repeat(32).parse::<Hex32>().is_ok());
        assert!("00".repeat(31).parse::<Hex32>().is_err());
        assert!("zz".repeat(32).parse::<Hex32>().is_err());
        assert!("0".parse::<Bytes>().is_err());
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        assert!(serde_json::from_str::<Day>("\"2026-02-28\"").is_ok());
        assert!(serde_json::from_str::<Day>("\"2026-02-29\"").is_err());
    }
}
