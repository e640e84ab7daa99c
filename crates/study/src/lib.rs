//! Scenarios and studies that need no chain.
