//! The engine with its threads and the system clock.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod batches;
mod dying;
mod failures;
mod listening;
mod recovering;
mod starting;
mod stopping;
mod world;
