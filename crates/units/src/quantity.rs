//! What all quantities share: construction, reading, checked arithmetic.

/// An amount did not fit its integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation} does not fit the range of {unit}")]
pub struct OverflowError {
    /// What was computed.
    pub operation: &'static str,
    /// The unit of the result.
    pub unit: &'static str,
}

/// Defines a quantity: a newtype over one integer with checked arithmetic.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($int:ty), $unit:literal, $from:ident, $to:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($int);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0);
            /// The largest amount that can be written.
            pub const MAX: Self = Self(<$int>::MAX);

            #[doc = concat!("An amount given in ", $unit, ".")]
            #[must_use]
            pub const fn $from(value: $int) -> Self {
                Self(value)
            }

            #[doc = concat!("The amount in ", $unit, ".")]
            #[must_use]
            pub const fn $to(self) -> $int {
                self.0
            }

            /// Whether the amount is zero.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// The sum of two amounts.
            ///
            /// # Errors
            ///
            /// Returns [`OverflowError`](crate::OverflowError) if the sum does not fit.
            pub fn plus(self, other: Self) -> Result<Self, crate::OverflowError> {
                self.0
                    .checked_add(other.0)
                    .map(Self)
                    .ok_or(crate::OverflowError { operation: "sum", unit: $unit })
            }

            /// The difference of two amounts.
            ///
            /// # Errors
            ///
            /// Returns [`OverflowError`](crate::OverflowError) if the difference does not fit.
            pub fn minus(self, other: Self) -> Result<Self, crate::OverflowError> {
                self.0
                    .checked_sub(other.0)
                    .map(Self)
                    .ok_or(crate::OverflowError { operation: "difference", unit: $unit })
            }

            /// The amount with the opposite sign.
            ///
            /// # Errors
            ///
            /// Returns [`OverflowError`](crate::OverflowError) if it does not fit.
            pub fn negated(self) -> Result<Self, crate::OverflowError> {
                self.0
                    .checked_neg()
                    .map(Self)
                    .ok_or(crate::OverflowError { operation: "negation", unit: $unit })
            }

            /// The sum of many amounts.
            ///
            /// # Errors
            ///
            /// Returns [`OverflowError`](crate::OverflowError) if a partial sum does not fit.
            pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, crate::OverflowError> {
                amounts.into_iter().try_fold(Self::ZERO, Self::plus)
            }
        }
    };
}
pub(crate) use quantity;
