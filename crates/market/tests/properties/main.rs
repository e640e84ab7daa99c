//! What must hold for every book, tried on random ones and against naive references.

mod auction;
mod bidding;
mod carbon;
mod game;
mod joint;
mod linear_program;
mod linked;
mod modes;
mod replay;
mod rolling;
mod second_stage;
mod simplex;
mod support;
mod uplift;
