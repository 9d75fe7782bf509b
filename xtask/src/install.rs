//! `cargo xtask install`: lays out a prefix with what programs in C and C++ need: headers, libraries, and what CMake
//! and pkg-config look for.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// The version of the workspace, whose packages all have the same.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Args)]
pub(crate) struct Options {
    /// Where to; it is made when missing
    #[arg(long, value_name = "DIRECTORY")]
    prefix: PathBuf,
    /// The cargo profile that the library is built with
    #[arg(long, default_value = "release")]
    profile: String,
}

impl Options {
    /// Built as it is for users.
    pub(crate) fn for_users(prefix: PathBuf) -> Self {
        Self { prefix, profile: "release".to_owned() }
    }

    /// Built as the tests are, which is quicker.
    pub(crate) fn for_tests(prefix: PathBuf) -> Self {
        Self { prefix, profile: "dev".to_owned() }
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let profile = options.profile.as_str();
    process::run(&mut workspace.cargo(["build", "--package", "memlane-c", "--profile", profile]))?;
    let built = workspace.target.join(if profile == "dev" { "debug" } else { profile });
    let package = workspace.root.join("bindings").join("c");
    let prefix = &options.prefix;
    for header in ["memlane.h", "memlane.hpp"] {
        put(&package.join("include").join(header), &prefix.join("include").join(header))?;
    }
    let libraries = prefix.join("lib");
    put(&built.join("libmemlane_c.a"), &libraries.join("libmemlane.a"))?;
    let shared = format!("libmemlane.so.{VERSION}");
    put(&built.join("libmemlane_c.so"), &libraries.join(&shared))?;
    // What programs look for when they run, and the linker when they are built.
    link(&shared, &libraries.join("libmemlane.so.0"))?;
    link("libmemlane.so.0", &libraries.join("libmemlane.so"))?;
    let cmake = package.join("cmake");
    let found = libraries.join("cmake").join("memlane");
    put(&cmake.join("memlaneConfig.cmake"), &found.join("memlaneConfig.cmake"))?;
    fill_in(&cmake.join("memlaneConfigVersion.cmake.in"), &found.join("memlaneConfigVersion.cmake"))?;
    fill_in(&cmake.join("memlane.pc.in"), &libraries.join("pkgconfig").join("memlane.pc"))
}

/// A new file beside the old one and then in its place: programs that run with the old library keep it.
fn put(from: &Path, to: &Path) -> Outcome {
    let bytes = fs::read(from).map_err(Failure::at(from))?;
    write(to, &bytes)
}

fn write(to: &Path, bytes: &[u8]) -> Outcome {
    let directory = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(Failure::at(directory))?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let new = to.with_added_extension("new");
    fs::write(&new, bytes).map_err(Failure::at(&new))?;
    fs::rename(&new, to).map_err(Failure::at(to))
}

fn link(target: &str, to: &Path) -> Outcome {
    if fs::symlink_metadata(to).is_ok() {
        fs::remove_file(to).map_err(Failure::at(to))?;
    }
    symlink(target, to).map_err(Failure::at(to))
}

fn fill_in(from: &Path, to: &Path) -> Outcome {
    let text = fs::read_to_string(from).map_err(Failure::at(from))?;
    let minor = VERSION.rsplit_once('.').map_or(VERSION, |(minor, _)| minor);
    write(to, text.replace("@VERSION@", VERSION).replace("@MINOR@", minor).as_bytes())
}
