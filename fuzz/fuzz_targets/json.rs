//! Requests in JSON to any Kinesis operation of the local service: no panic, and an answer that a client can read.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use millstream_local::fuzz::Service;

static SERVICE: LazyLock<Service> = LazyLock::new(|| Service::new().expect("a runtime"));

fuzz_target!(|input: &[u8]| SERVICE.json(input));
