//! The web pages of a running program, its REST interface and its metrics.
//!
//! A [`Feed`] is a listener of the engine that keeps what is shown in a [`History`]; [`StatusSource`]s say who reads which shard
//! when somebody looks. A [`Dashboard`] serves both, on one thread of its own; an exporter pushes their metrics to a collector of
//! OpenTelemetry. [`Shown`] is both. Where events and snapshots come from it does not know.
//!
//! * [`history`]: what is kept of batches, bounded; pure.
//! * [`status`]: shards and leases, as a source tells them.
//! * `rest/`: `/api/v1/…` with Spark's paths and fields; `live/`: what the pages are told as it happens.
//! * `metrics/`: what there is to measure, and `/metrics`; `otlp.rs`: the same, pushed.
//! * `server/`: the port, who may ask, what is answered; `assets.rs` and `assets/`: the pages.

mod application;
mod assets;
mod board;
mod feed;
pub mod history;
mod live;
mod metrics;
mod otlp;
mod rest;
mod server;
mod shown;
pub mod status;
#[cfg(test)]
mod testing;

pub use application::{Application, Input};
pub use feed::Feed;
pub use history::History;
pub use server::{Dashboard, DashboardConfig, DashboardError};
pub use shown::Shown;
pub use status::StatusSource;
