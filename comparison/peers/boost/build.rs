//! Compiles what calls Boost, which is headers alone.

use std::process::ExitCode;

use cc::Build;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=src/shim.cpp");
    let header = "-includeboost/interprocess/creation_tags.hpp";
    if !Build::new().cpp(true).is_flag_supported(header).unwrap_or(false) {
        println!("cargo::error=no compiler, or no Boost.Interprocess: apt-get install g++ libboost-dev");
        return ExitCode::FAILURE;
    }
    Build::new().cpp(true).std("c++17").define("NDEBUG", None).file("src/shim.cpp").compile("shim");
    ExitCode::SUCCESS
}
