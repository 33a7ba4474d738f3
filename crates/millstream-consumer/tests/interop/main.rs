//! Workers of this library beside workers of the Java KCL, on one lease table (`make interop`).
//!
//! Needs Java, `KCL_CLASSPATH` with the jars of `tests/conformance/kcl/pom.xml`, and `KCL2_CLASSPATH` with those of its
//! last version 2.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod leading;
mod old;
mod resuming;
#[path = "../support/mod.rs"]
mod support;
mod world;
