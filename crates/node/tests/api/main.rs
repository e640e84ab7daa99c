//! The HTTP API over a real validator: one member, one committee of one, real disk and engine.

mod carbon;
mod contracts;
mod description;
mod door;
mod hostile;
mod queries;
mod stream;
mod support;
mod tls;
mod web;
