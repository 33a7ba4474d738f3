//! What is below the operations: the formats of requests and answers, and the protocols that carry them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cbor;
mod events;
mod http2;
mod subscribe;
#[path = "../support/mod.rs"]
mod support;
mod tls;
