//! The local service over HTTP. One program for all tests: each would take half a minute more to build.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod consumers;
mod damage;
mod durability;
mod dynamodb;
mod errors;
mod limits;
mod model;
mod protocols;
mod records;
mod service;
mod settings;
mod status;
mod support;
