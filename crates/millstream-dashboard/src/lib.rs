//! The web pages of a running program, its REST interface and its metrics.
//!
//! A [`Feed`] is a listener of the engine that keeps what is shown in a [`History`]; [`StatusSource`]s say who reads which shard
//! when somebody looks. A [`Dashboard`] serves both, on one thread of its own. Where events and snapshots come from it does not
//! know.
//!
//! * [`history`]: what is kept of batches, bounded; pure.
//! * [`status`]: shards and leases, as a source tells them.
//! * `rest/`: `/api/v1/…` with Spark's paths and fields; `metrics.rs`: `/metrics`; `live/`: what the pages are told as it happens.
//! * `server/`: the port, who may ask, what is answered; `assets.rs` and `assets/`: the pages.

mod application;
mod assets;
mod board;
mod feed;
pub mod history;
mod live;
mod metrics;
mod rest;
mod server;
pub mod status;
#[cfg(test)]
mod testing;

pub use application::{Application, Input};
pub use feed::Feed;
pub use history::History;
pub use server::{Dashboard, DashboardConfig, DashboardError};
pub use status::StatusSource;
