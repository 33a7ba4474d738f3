//! Consumers, on a Kinesis in memory and on the local service. One program for all tests: each would take most of a minute
//! more to build.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod consumer;
mod cost;
mod fan_out;
mod interop;
mod lease_table;
mod prefetcher;
mod processor;
mod publisher;
mod several_streams;
mod support;
