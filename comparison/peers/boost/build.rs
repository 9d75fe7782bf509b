//! Compiles what calls Boost, which is headers alone.

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=src/shim.cpp");
    match cc::Build::new()
        .cpp(true)
        .std("c++17")
        .define("NDEBUG", None)
        .file("src/shim.cpp")
        .try_compile("shim")
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!(
                "cargo::error=Boost.Interprocess takes its headers and a compiler: apt-get install g++ libboost-dev"
            );
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
