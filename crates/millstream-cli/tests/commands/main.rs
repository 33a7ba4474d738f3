//! The command as its users meet it: processes, their output and their exit codes, against the local service.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod closed_pipes;
mod cost;
mod doctor;
mod errors;
mod leases;
mod listings;
mod migrate;
mod put;
mod replay;
mod reshard;
mod speed;
mod steal;
mod support;
mod tail;
mod top;
mod worker;
