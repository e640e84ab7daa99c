//! Pure market functions: auctions, the two-stage game, settlement, carbon, certificates.
//!
//! Every function here is integer arithmetic on its arguments alone: the same bytes in give the
//! same bytes out on every validator, whatever the machine. There are no accounts, blocks, clocks
//! or random numbers; who may trade, when and with what money is the ledger's business.
//!
//! Orders are given as a slice. The position in the slice is the order's priority (consensus
//! order), and results refer to orders by that position.
//!
//! - [`order`]: what traders ask for.
//! - [`auction`]: the call auction at one price, with its competitive interval; the other official
//!   rules of centralised bidding.
//! - [`rolling`]: continuous trading in a book, at the maker's or the median price.
//! - [`linked`]: multi-period orders, all or nothing.
//! - [`listing`]: one side posts, the other takes.
//! - [`quota`], [`guarantee`]: how much a participant may still trade.
//! - [`pairing`]: who delivers to whom, once the filled energies are known.
//! - [`game`]: the joint session, a call auction followed by a compensated second stage.
//! - [`joint`]: energy and allowances cleared together, with the evidence that it is right.
//! - [`carbon`]: what carbon adds to an offer, and who answers for the emissions.
//! - [`allowance`]: bands, closing price, listed agreements and one-way bidding of allowances;
//!   allocation and the duty to surrender.
//! - [`green`]: green power contracts.
//! - [`fee`]: what a venue charges.
//! - [`settlement`]: contracts and metered energy turned into statement lines.
//! - [`deviation`]: what deviating from contracts costs.
//! - [`curve`], [`curtailment`]: contracts over periods, and cut to what the grid can carry.
//! - [`certificate`]: energy certificates from metered energy.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::as_conversions))]
#![cfg_attr(not(test), deny(clippy::float_arithmetic, clippy::indexing_slicing))]
#![cfg_attr(not(test), deny(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

pub mod allowance;
pub mod auction;
pub mod carbon;
pub mod certificate;
pub mod curtailment;
pub mod curve;
pub mod deviation;
pub mod fee;
pub mod game;
pub mod green;
pub mod guarantee;
pub mod joint;
pub mod linked;
pub mod listing;
pub mod order;
pub mod pairing;
pub mod quota;
pub mod rolling;
pub mod settlement;
mod sort;
