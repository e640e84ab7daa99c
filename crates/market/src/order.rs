//! Orders: what traders ask for in one product and one session.

use duet_units::{EmissionFactor, Energy, OverflowError, Price};

/// The side of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Takes energy, pays at most its limit.
    Buy,
    /// Gives energy, receives at least its limit.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

/// An intent to trade. Its position in a slice of orders is its priority: earlier is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Buy or sell.
    pub side: Side,
    /// The worst acceptable price.
    pub limit: Price,
    /// How much, in kWh; never negative. An order of nothing takes no part.
    pub quantity: Energy,
    /// The emission factor of the offered energy; it ranks orders only under green-first rationing.
    pub emission_factor: EmissionFactor,
}

/// How orders at the clearing price share what is left for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rationing {
    /// In proportion to their quantities, by largest remainder, ties to the earlier order.
    ProRata,
    /// The earlier order first.
    Time,
    /// The lower emission factor first, then the earlier order (Beijing rules art. 77).
    GreenFirst,
}

/// What an order wants at the price where its side is rationed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    /// Position of the order.
    pub(crate) order: usize,
    /// What it would take, in kWh.
    pub(crate) quantity: i64,
    /// Its emission factor.
    pub(crate) emission_factor: EmissionFactor,
}

impl Claim {
    /// The claim of the order at `index` for `quantity` kWh.
    pub(crate) const fn of(index: usize, order: &Order, quantity: i64) -> Self {
        Self { order: index, quantity, emission_factor: order.emission_factor }
    }
}

/// Shares `available` kWh among claims that come in order of priority and together want at least
/// that much; writes the parts into `fills`, which is indexed by order.
pub(crate) fn ration(
    claims: &mut [Claim],
    available: i64,
    rule: Rationing,
    fills: &mut [Energy],
) -> Result<(), OverflowError> {
    match rule {
        Rationing::ProRata => {
            let weights: Vec<i128> = claims.iter().map(|claim| claim.quantity.into()).collect();
            let parts = duet_units::largest_remainder(available.into(), &weights)?;
            for (claim, part) in claims.iter().zip(parts) {
                let part = i64::try_from(part).map_err(|_| TOO_MUCH)?;
                *fills.get_mut(claim.order).ok_or(TOO_MUCH)? = Energy::from_kwh(part);
            }
            return Ok(());
        }
        Rationing::Time => {}
        Rationing::GreenFirst => claims.sort_by_key(|claim| claim.emission_factor),
    }
    let mut left = available;
    for claim in claims {
        let part = left.min(claim.quantity);
        *fills.get_mut(claim.order).ok_or(TOO_MUCH)? = Energy::from_kwh(part);
        left = left.saturating_sub(part);
    }
    Ok(())
}

const TOO_MUCH: OverflowError = OverflowError { operation: "rationed energy", unit: "kWh" };
