//! Names of things on the ledger. Numbers are given out in order of acceptance and never reused.

use crate::codec::{Decode, DecodeError, Encode};
use std::fmt;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident($int:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl $name {
            /// The next number.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }
        impl Decode for $name {
            fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
                Decode::decode(input).map(Self)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id! {
    /// A legal person with accounts: a company of the market, or one that runs it.
    OrganisationId(u32);
    /// A generating unit or a point of consumption, with its meter.
    UnitId(u32);
    /// A joint session: one call auction for each period of a delivery day.
    SessionId(u32);
    /// A version of the rules of a province's market.
    RuleId(u32);
    /// An accepted order.
    OrderId(u64);
    /// A matched pair of orders.
    TradeId(u64);
    /// A proposed contract between two members.
    ProposalId(u64);
    /// A payment instruction to the bank.
    PaymentId(u64);
    /// An instruction to a unit for a delivery day.
    DispatchId(u64);
    /// A run of energy certificates with one history.
    CertificateLotId(u64);
    /// A listing, the proposal of a block agreement, or a bid of the allowance market.
    CarbonOrderId(u64);
    /// A deal in allowances.
    CarbonDealId(u64);
    /// A one-way bidding for allowances.
    CarbonBiddingId(u64);
    /// A run of carbon credits with one history.
    CreditLotId(u64);
    /// Certificates for sale.
    CertificateOfferId(u64);
    /// A project whose reductions become CCER.
    CcerProjectId(u64);
    /// An order over several periods of a session.
    LinkedOrderId(u64);
    /// A contract for the environmental value of energy.
    GreenContractId(u64);
}

/// The channel: the hash of its genesis. A transaction names it, so that it is of no use elsewhere.
pub type ChannelId = [u8; 32];

/// An Ed25519 public key, not yet known to be a point on the curve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}
