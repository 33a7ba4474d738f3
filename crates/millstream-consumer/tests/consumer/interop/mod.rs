//! Workers of this library beside workers of the Java KCL, on one lease table (`make interop`).
//!
//! Needs Java, `KCL_CLASSPATH` with the jars of `tests/conformance/kcl/pom.xml`, those of its last version 2 and 3.4 in
//! `KCL2_CLASSPATH` and `KCL34_CLASSPATH`, and in `KCL1_CLASSPATH` those of `tests/interop/kcl1/pom.xml`.

mod handoffs;
mod holes;
mod leading;
mod old;
mod resuming;
mod tables;
mod world;
