//! A durable local Kinesis and DynamoDB on one port, as a library and a server.
//!
//! [`LocalService::start`] opens one port, for HTTP/1.1 and HTTP/2, with TLS and without, that any AWS SDK can be pointed at.
//! Requests are told apart by
//! their `X-Amz-Target`: `Kinesis_20131202.*` is answered by this crate, `DynamoDB_20120810.*` by an embedded SQLite
//! database; a little of STS and CloudWatch is answered too. Signatures are accepted from any key, unless a file of keys is
//! given; the region of a request is that of its credential scope.
//!
//! With a data directory every acknowledged record has been written and synced before its answer is sent (requests
//! that arrive together share one sync); without one everything is kept in memory.
//!
//! ```no_run
//! # async fn example() -> Result<(), millstream_local::LocalError> {
//! use millstream_local::{LocalConfig, LocalService};
//!
//! let service = LocalService::start(LocalConfig::default()).await?;
//! println!("AWS_ENDPOINT_URL={}", service.endpoint());
//! service.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! The way of a request: `http` (connections, request and reply) → `router` (which service, `auth`, `faults`) →
//! `kinesis::ops` (one file per operation; JSON and CBOR are behind `format`), `dynamodb`, `sts` or `cloudwatch` → `storage`
//! (log, metadata, data directory). What is not AWS's, `/_millstream/…` and the status page, is in `control`.

mod api_error;
mod auth;
mod clock;
mod cloudwatch;
mod config;
mod control;
mod dynamodb;
mod envelope;
mod error;
mod event_stream;
mod faults;
mod format;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod http;
mod kinesis;
mod query;
mod router;
mod service;
mod storage;
mod sts;
mod tls;

pub use clock::Clock;
pub use config::{Fsync, LocalConfig};
pub use error::LocalError;
pub use faults::{Fault, FaultKind, Faults, InForce};
pub use service::LocalService;
