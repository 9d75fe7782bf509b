//! The name by which programs look for the shared library: with its ABI version, so that one of another ABI is not
//! taken for it.
#![forbid(unsafe_code)]

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmemlane.so.0");
    println!("cargo:rerun-if-changed=build.rs");
}
