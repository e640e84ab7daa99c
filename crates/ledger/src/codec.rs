//! Canonical bytes: fixed-width big-endian integers, length-prefixed lists, no padding.
//!
//! Every value has exactly one encoding, and decoding refuses every other: flags other than 0 and
//! 1, unknown tags, lists over their limit, bytes left over. docs/spec/ledger.md says it in words.

mod macros;

use crate::ids::PublicKey;
use duet_market::carbon::passthrough::CostBasis;
use duet_market::game::{Design, Stage};
use duet_market::listing::Sharing;
use duet_market::order::{Rationing, Side};
use duet_market::rolling::TimeInForce;
use duet_units::{
    Allowances, BasisPoints, CarbonPrice, ClockTime, DeliveryDay, EmissionFactor, Emissions,
    Energy, Money, Month, Power, Price, Resolution,
};
pub(crate) use macros::{cases, coded, record};

/// The longest list in any record or transaction.
pub(crate) const LIST_MAX: usize = 4_096;
/// The longest text in any record or transaction, in bytes of UTF-8.
pub(crate) const TEXT_MAX: usize = 256;

/// Why bytes are not the canonical encoding of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a value.
    #[error("the bytes end inside {0}")]
    Truncated(&'static str),
    /// Bytes follow the value.
    #[error("{0} bytes are left over")]
    LeftOver(usize),
    /// A tag or flag has no meaning.
    #[error("{value} is not a known {field}")]
    UnknownTag {
        /// What the tag selects.
        field: &'static str,
        /// The tag.
        value: u64,
    },
    /// A list or text is longer than its limit.
    #[error("{field} has length {length}, the limit is {limit}")]
    TooLong {
        /// The list.
        field: &'static str,
        /// Its announced length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
}

/// Has canonical bytes.
pub trait Encode {
    /// Appends the canonical bytes.
    fn encode(&self, out: &mut Vec<u8>);

    /// The canonical bytes.
    fn to_bytes(&self) -> Vec<u8> {
        // Most rows are a few hundred bytes: fewer steps of growth on the way.
        let mut out = Vec::with_capacity(64);
        self.encode(&mut out);
        out
    }
}

/// Can be read from canonical bytes.
pub trait Decode: Sized {
    /// Reads one value and advances `input` behind it.
    ///
    /// # Errors
    ///
    /// Returns [`DecodeError`] if the bytes are not canonical; `input` is then of no use.
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError>;
}

/// Reads one value that must fill `bytes`.
///
/// # Errors
///
/// Returns [`DecodeError`] if the bytes are not the canonical encoding of one `T`.
pub fn decode_all<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut input = bytes;
    let value = T::decode(&mut input)?;
    if input.is_empty() { Ok(value) } else { Err(DecodeError::LeftOver(input.len())) }
}

pub(crate) fn take<'a>(
    input: &mut &'a [u8],
    length: usize,
    what: &'static str,
) -> Result<&'a [u8], DecodeError> {
    let (head, tail) = input.split_at_checked(length).ok_or(DecodeError::Truncated(what))?;
    *input = tail;
    Ok(head)
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let bytes = take(input, N, "fixed bytes")?;
        bytes.try_into().map_err(|_| DecodeError::Truncated("fixed bytes"))
    }
}

macro_rules! integer {
    ($($int:ty),*) => {$(
        impl Encode for $int {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
        impl Decode for $int {
            fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
                Decode::decode(input).map(Self::from_be_bytes)
            }
        }
    )*};
}
integer!(u8, u16, u32, u64, i32, i64, i128);

impl Encode for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Decode for bool {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::UnknownTag { field: "flag", value: value.into() }),
        }
    }
}

impl Encode for () {
    fn encode(&self, _: &mut Vec<u8>) {}
}

impl Decode for () {
    fn decode(_: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok(())
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        T::encode(self, out);
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        T::decode(input).map(Self::new)
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok((A::decode(input)?, B::decode(input)?))
    }
}

impl<A: Encode, B: Encode, C: Encode> Encode for (A, B, C) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
        self.2.encode(out);
    }
}

impl<A: Decode, B: Decode, C: Decode> Decode for (A, B, C) {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok((A::decode(input)?, B::decode(input)?, C::decode(input)?))
    }
}

impl<T: Encode> Encode for &T {
    fn encode(&self, out: &mut Vec<u8>) {
        (*self).encode(out);
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_some().encode(out);
        if let Some(value) = self {
            value.encode(out);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        if bool::decode(input)? { T::decode(input).map(Some) } else { Ok(None) }
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_length(self.len(), out);
        for value in self {
            value.encode(out);
        }
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let length = decode_length(input, "a list", LIST_MAX)?;
        // No trust in the announced length: grow as the values come.
        let mut values = Self::new();
        for _ in 0..length {
            values.push(T::decode(input)?);
        }
        Ok(values)
    }
}

impl Encode for String {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_length(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }
}

impl Decode for String {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let length = decode_length(input, "a text", TEXT_MAX)?;
        let bytes = take(input, length, "a text")?;
        core::str::from_utf8(bytes).map(Self::from).map_err(|_| DecodeError::NotUtf8)
    }
}

pub(crate) fn encode_length(length: usize, out: &mut Vec<u8>) {
    // Lengths are checked where a value is made; one above u32 cannot be decoded again.
    u32::try_from(length).unwrap_or(u32::MAX).encode(out);
}

pub(crate) fn decode_length(
    input: &mut &[u8],
    field: &'static str,
    limit: usize,
) -> Result<usize, DecodeError> {
    let length = usize::try_from(u32::decode(input)?).unwrap_or(usize::MAX);
    if length > limit { Err(DecodeError::TooLong { field, length, limit }) } else { Ok(length) }
}

macro_rules! unit_quantity {
    ($($name:ident: $from:ident, $to:ident;)*) => {$(
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.$to().encode(out);
            }
        }
        impl Decode for $name {
            fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
                Decode::decode(input).map(Self::$from)
            }
        }
    )*};
}
unit_quantity! {
    Allowances: from_t, t;
    BasisPoints: from_bp, bp;
    CarbonPrice: from_fen_per_t, fen_per_t;
    ClockTime: from_unix_ms, unix_ms;
    DeliveryDay: from_days, days;
    EmissionFactor: from_g_per_kwh, g_per_kwh;
    Emissions: from_g, g;
    Energy: from_kwh, kwh;
    Money: from_fen, fen;
    Month: from_months, months;
    Power: from_kw, kw;
    Price: from_milli_yuan_per_mwh, milli_yuan_per_mwh;
}

impl Encode for PublicKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.bytes().encode(out);
    }
}

impl Decode for PublicKey {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Decode::decode(input).map(Self::from_bytes)
    }
}

macro_rules! market_enum {
    ($($name:ident ($what:literal) { $($case:ident = $code:literal),* })*) => {$(
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(match self { $(Self::$case => $code,)* });
            }
        }
        impl Decode for $name {
            fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
                match u8::decode(input)? {
                    $($code => Ok(Self::$case),)*
                    value => Err(DecodeError::UnknownTag { field: $what, value: value.into() }),
                }
            }
        }
    )*};
}
market_enum! {
    Design ("second stage") { None = 0, Compensation = 1, Uplift = 2 }
    CostBasis ("cost basis") { None = 0, Full = 1, NetOfBenchmark = 2 }
    Rationing ("rationing") { ProRata = 0, Time = 1, GreenFirst = 2 }
    Resolution ("resolution") { Hour = 24, Quarter = 96 }
    Sharing ("sharing") { Time = 0, ProRata = 1, Windows = 2 }
    Side ("side") { Buy = 0, Sell = 1 }
    Stage ("stage") { First = 1, Second = 2 }
    TimeInForce ("time in force") { Gtc = 0, Ioc = 1, Fok = 2 }
}
