//! What can be asked for about green power.

use crate::codec::record;
use crate::hash::Digest;
use crate::ids::GreenContractId;
use duet_units::Month;

record! {
    /// The second signature of a green contract.
    pub struct ConfirmGreen {
        /// The contract.
        pub contract: GreenContractId,
        /// The hash of its terms, so that both sides sign the same.
        pub hash: Digest,
    }
}

record! {
    /// The end of a proposal that is not confirmed.
    pub struct WithdrawGreen {
        /// The contract.
        pub contract: GreenContractId,
    }
}

record! {
    /// The settlement of a month of all green contracts.
    pub struct SettleGreen {
        /// The month.
        pub month: Month,
    }
}
