//! Tells the linker in which order functions lie, where `MILLSTREAM_ORDER` names a file of their names (`make dist`); and
//! to leave the symbols out then, which were of use to make that file alone.

use std::env;

fn main() {
    println!("cargo:rerun-if-env-changed=MILLSTREAM_ORDER");
    // The option is LLD's, by which Rust links on this target alone.
    let is_lld = env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    if let (Ok(order), true) = (env::var("MILLSTREAM_ORDER"), is_lld) {
        println!("cargo:rerun-if-changed={order}");
        for option in [&format!("--symbol-ordering-file={order}"), "--no-warn-symbol-ordering", "--strip-all"] {
            println!("cargo:rustc-cdylib-link-arg=-Wl,{option}");
        }
    }
}
