//! The files of a data directory: segments, journal, marks. No panic, and what is read is there.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use millstream_local::fuzz::Home;

static HOME: LazyLock<Home> = LazyLock::new(|| Home::new().expect("a temporary directory"));

fuzz_target!(|input: &[u8]| HOME.storage(input));
