//! Programs that come as Debian packages.

use std::path::Path;
use std::process::Command;

use super::{CHROMIUM, Missing};
use crate::c;
use crate::failure::Outcome;
use crate::process;
use crate::report;
use crate::workspace::{Workspace, on_path};

struct Package {
    name: &'static str,
    needed_for: &'static str,
    present: fn() -> bool,
}

const PACKAGES: &[Package] = &[
    Package {
        name: "python3-venv",
        needed_for: "the Python environment of the tests",
        present: super::python::can_make_environments,
    },
    Package {
        // Each release of Debian has it for its own Python; apt-get takes a pattern.
        name: "libpython3.*-testsuite",
        needed_for: "CPython's own tests of multiprocessing, run on the Python package",
        present: super::python::has_tests,
    },
    Package {
        name: "g++",
        needed_for: "tests against programs written in C++",
        present: || on_path("g++").is_some(),
    },
    Package {
        name: "cmake",
        needed_for: "the tests of the C and C++ interface",
        present: || on_path("cmake").is_some(),
    },
    Package {
        name: "pkg-config",
        needed_for: "the tests of the C and C++ interface",
        present: || on_path("pkg-config").is_some(),
    },
    Package {
        name: "clang",
        needed_for: "the tests of the C and C++ interface with another compiler",
        present: || on_path("clang++").is_some(),
    },
    Package {
        name: "valgrind",
        needed_for: "the tests of the C and C++ interface for errors of memory",
        present: || on_path("valgrind").is_some(),
    },
    Package {
        // Reading cameras and videos, and what that needs; without OpenCV's other parts.
        name: "libopencv-videoio-dev",
        needed_for: "the C++ camera example with OpenCV",
        present: c::has_opencv,
    },
    Package {
        name: "ffmpeg",
        needed_for: "tests with a real video",
        present: || on_path("ffmpeg").is_some(),
    },
    Package {
        name: CHROMIUM,
        needed_for: "the tests of the web page",
        present: || on_path(CHROMIUM).is_some(),
    },
    Package { name: "nodejs", needed_for: "the tests of the web page", present: super::node::has_node },
    Package { name: "npm", needed_for: "the tests of the web page", present: || on_path("npm").is_some() },
    Package {
        name: "fonts-wqy-zenhei",
        needed_for: "the web page's screenshots in Chinese",
        present: super::node::has_chinese_font,
    },
    Package {
        name: "tmux",
        needed_for: "the tests of `memlane top` in a real terminal",
        present: || on_path("tmux").is_some(),
    },
];

/// For `compare` only: no test needs them.
const PEERS: &[Package] = &[
    Package {
        name: "libboost-dev",
        needed_for: "the comparison with Boost.Interprocess",
        present: || Path::new("/usr/include/boost/interprocess").is_dir(),
    },
    Package {
        name: "redis-server",
        needed_for: "the comparison with Redis",
        present: || on_path("redis-server").is_some(),
    },
    Package {
        name: "g++",
        needed_for: "the comparison with Boost.Interprocess",
        present: || on_path("g++").is_some(),
    },
    Package {
        name: "python3-venv",
        needed_for: "the comparison of the Python packages",
        present: super::python::can_make_environments,
    },
];

/// Installs the missing packages if this is root on Debian; otherwise says what to run.
pub(super) fn install(workspace: &Workspace) -> Outcome {
    install_of(workspace, PACKAGES)
}

/// Like [`install`], what `compare` needs. What is missing still is a peer that is reported as such.
pub(super) fn install_peers(workspace: &Workspace) -> Outcome {
    install_of(workspace, PEERS)
}

fn install_of(workspace: &Workspace, packages: &'static [Package]) -> Outcome {
    let names: Vec<_> = absent(packages).map(|package| package.name).collect();
    if names.is_empty() {
        return Ok(());
    }
    if on_path("apt-get").is_none() || !is_root() {
        report::warning(&format!("not installed here, run: {}", command_for(&names)));
        return Ok(());
    }
    process::run(apt_get(workspace).arg("update"))?;
    process::run(apt_get(workspace).args(["install", "--yes", "--no-install-recommends"]).args(names))
}

pub(super) fn missing() -> Vec<Missing> {
    let describe = |package: &Package| Missing {
        name: package.name,
        needed_for: package.needed_for,
        how_to_get: command_for(&[package.name]),
    };
    absent(PACKAGES).map(describe).collect()
}

fn absent(packages: &'static [Package]) -> impl Iterator<Item = &'static Package> {
    packages.iter().filter(|package| !(package.present)())
}

fn command_for(names: &[&str]) -> String {
    format!("sudo apt-get install {}", names.join(" "))
}

fn apt_get(workspace: &Workspace) -> Command {
    let mut command = Command::new("apt-get");
    command.current_dir(&workspace.root).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    process::answer(Command::new("id").arg("-u")).is_some_and(|user| user.trim() == "0")
}
