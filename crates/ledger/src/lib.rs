//! The deterministic ledger state machine: identities, transactions, admission, apply, receipts.
