//! How much a participant may still buy and sell: positions and quotas.

use duet_units::{BasisPoints, Energy, OverflowError};

use crate::order::Side;

/// Which way a participant's net position counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// A generator: net is sold less bought, plus energy outside the market.
    Generator,
    /// A user: net is bought less sold.
    User,
}

impl Account {
    /// The side on which the net position grows.
    #[must_use]
    pub const fn opening(self) -> Side {
        match self {
            Self::Generator => Side::Sell,
            Self::User => Side::Buy,
        }
    }
}

/// What a participant has traded of one product and what it has open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The net position.
    pub net: Energy,
    /// All energy bought and sold so far, and all that is open, regardless of direction.
    pub cumulative: Energy,
    /// Open orders that would enlarge the net position.
    pub open_enlarging: Energy,
    /// Open orders that would reduce it.
    pub open_reducing: Energy,
}

/// The limits of one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The highest net position.
    pub net: Energy,
    /// The highest cumulative position.
    pub cumulative: Energy,
    /// The share of the net position that may be traded back (K1).
    pub back: BasisPoints,
}

/// Returns how much more the participant may order on `side`; never negative.
///
/// On the side that enlarges the net position that is `net limit - net - open`, on the other
/// `net * K1 - open`, rounded down; both at most what is left of the cumulative limit. Open
/// orders count as done until they are released.
///
/// # Errors
///
/// Returns [`OverflowError`] if a difference or product does not fit.
///
/// # Source
///
/// Shandong 4.4.17 (2), 4.4.18.
pub fn available(
    account: Account,
    side: Side,
    position: &Position,
    limits: &Limits,
) -> Result<Energy, OverflowError> {
    let by_net = if side == account.opening() {
        limits.net.minus(position.net)?.minus(position.open_enlarging)?
    } else {
        share_of(position.net, limits.back)?.minus(position.open_reducing)?
    };
    let by_cumulative = limits.cumulative.minus(position.cumulative)?;
    Ok(by_net.min(by_cumulative).max(Energy::ZERO))
}

fn share_of(energy: Energy, share: BasisPoints) -> Result<Energy, OverflowError> {
    let overflow = OverflowError { operation: "share of a position", unit: "kWh" };
    let product = i128::from(energy.kwh()).checked_mul(share.bp().into()).ok_or(overflow)?;
    let part = product.div_euclid(BasisPoints::ONE.bp().into());
    i64::try_from(part).map(Energy::from_kwh).map_err(|_| overflow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn kwh(kwh: i64) -> Energy {
        Energy::from_kwh(kwh)
    }

    const LIMITS: Limits =
        Limits { net: kwh(800), cumulative: kwh(1_000), back: BasisPoints::from_bp(5_000) };

    #[test]
    fn open_orders_count_until_they_are_released() {
        let mut position = Position {
            net: kwh(400),
            cumulative: kwh(500),
            open_enlarging: kwh(100),
            open_reducing: kwh(0),
        };
        let sell =
            |position: &Position| available(Account::Generator, Side::Sell, position, &LIMITS);
        let buy = |position: &Position| available(Account::Generator, Side::Buy, position, &LIMITS);
        assert_eq!((sell(&position), buy(&position)), (Ok(kwh(300)), Ok(kwh(200))));
        position.open_enlarging = Energy::ZERO;
        assert_eq!(sell(&position), Ok(kwh(400)));
        position.cumulative = kwh(950);
        assert_eq!((sell(&position), buy(&position)), (Ok(kwh(50)), Ok(kwh(50))));
        position.cumulative = kwh(1_200);
        assert_eq!(sell(&position), Ok(Energy::ZERO), "never negative");
    }

    proptest! {
        #[test]
        fn users_mirror_generators(
            (net, cumulative, open) in (0..900_i64, 0..1_200_i64, (0..300_i64, 0..300_i64)),
        ) {
            let position = Position {
                net: kwh(net),
                cumulative: kwh(cumulative),
                open_enlarging: kwh(open.0),
                open_reducing: kwh(open.1),
            };
            for side in [Side::Buy, Side::Sell] {
                prop_assert_eq!(
                    available(Account::Generator, side, &position, &LIMITS),
                    available(Account::User, side.opposite(), &position, &LIMITS)
                );
            }
        }

        #[test]
        fn using_what_is_available_leaves_nothing(
            (net, cumulative, open) in (0..800_i64, 0..1_000_i64, 0..300_i64),
        ) {
            let mut position =
                Position { net: kwh(net), cumulative: kwh(cumulative), ..Position::default() };
            position.open_enlarging = kwh(open);
            let more = available(Account::User, Side::Buy, &position, &LIMITS).unwrap();
            position.open_enlarging = position.open_enlarging.plus(more).unwrap();
            position.cumulative = position.cumulative.plus(more).unwrap();
            prop_assert_eq!(
                available(Account::User, Side::Buy, &position, &LIMITS), Ok(Energy::ZERO)
            );
        }
    }
}
