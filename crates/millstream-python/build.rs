//! Tells the linker in which order functions lie, where `MILLSTREAM_ORDER` names a file of their names (`make dist`); and
//! to leave the symbols out then, which were of use to make that file alone.

use std::env;

fn main() {
    println!("cargo:rerun-if-env-changed=MILLSTREAM_ORDER");
    let Ok(order) = env::var("MILLSTREAM_ORDER") else { return };
    println!("cargo:rerun-if-changed={order}");
    println!("cargo:rustc-cdylib-link-arg=-Wl,--strip-all");
    // The options are LLD's, by which Rust links on this target alone.
    if env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,--symbol-ordering-file={order}");
        println!("cargo:rustc-cdylib-link-arg=-Wl,--no-warn-symbol-ordering");
    }
}
