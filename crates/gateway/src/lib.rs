//! The edge gateway: what a plant measures goes to the ledger, what the ledger decides goes to the
//! plant.
