//! One validator: application, mempool, store, HTTP API, metrics.

pub mod store;
