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
    /// Do not say what is where: for builds that know
    #[arg(long)]
    quiet: bool,
}

impl Options {
    /// Built as it is for users.
    pub(crate) fn for_users(prefix: PathBuf) -> Self {
        Self { prefix, profile: "release".to_owned(), quiet: true }
    }

    /// Built as the tests are, which is quicker.
    pub(crate) fn for_tests(prefix: PathBuf) -> Self {
        Self { prefix, profile: "dev".to_owned(), quiet: true }
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
    fill_in(&cmake.join("memlane.pc.in"), &libraries.join("pkgconfig").join("memlane.pc"))?;
    if !options.quiet {
        say(prefix, &libraries);
    }
    Ok(())
}

/// What went where, and what programs find it by: a prefix of one's own is on nobody's path.
fn say(prefix: &Path, libraries: &Path) {
    let prefix = std::path::absolute(prefix).unwrap_or_else(|_| prefix.to_owned());
    let libraries = std::path::absolute(libraries).unwrap_or_else(|_| libraries.to_owned());
    let (prefix, libraries) = (prefix.display(), libraries.display());
    println!(
        "installed in {prefix}: memlane.h and memlane.hpp in include, libmemlane.so and libmemlane.a in lib\n\
         where it is not looked for by default, say so:\n\
         \x20   export CMAKE_PREFIX_PATH={prefix}                for find_package(memlane)\n\
         \x20   export PKG_CONFIG_PATH={libraries}/pkgconfig     for pkg-config\n\
         \x20   export LD_LIBRARY_PATH={libraries}               for programs that run, or link them with \
         -Wl,-rpath,{libraries}; in a directory of the system, run ldconfig once"
    );
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
