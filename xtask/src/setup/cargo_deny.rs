//! cargo-deny, which checks licences and sources of the dependencies. Built into the build directory, so that
//! nothing outside the repository changes; one on the path that is new enough is used instead.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Missing;
use crate::failure::Outcome;
use crate::process;
use crate::workspace::{Workspace, on_path};

/// The oldest version whose `deny.toml` is ours.
const VERSION: &str = "0.20.2";

/// The program to run.
pub(crate) fn find(workspace: &Workspace) -> Option<PathBuf> {
    let own = tools(workspace).join("bin").join("cargo-deny");
    [Some(own), on_path("cargo-deny")].into_iter().flatten().find(|program| is_new_enough(program))
}

pub(super) fn install(workspace: &Workspace) -> Outcome {
    if find(workspace).is_some() {
        return Ok(());
    }
    // Unoptimised: it runs for a second, and is built for minutes.
    let mut command =
        workspace.cargo(["install", "--debug", "--locked", "cargo-deny", "--version", VERSION, "--root"]);
    process::run(command.arg(tools(workspace)).env("CARGO_PROFILE_DEV_DEBUG", "false"))
}

pub(super) fn missing(workspace: &Workspace) -> Option<Missing> {
    find(workspace).is_none().then(|| Missing {
        name: "cargo-deny",
        needed_for: "the check of the dependencies' licences and sources",
        how_to_get: "cargo xtask setup".to_owned(),
    })
}

fn tools(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}

fn is_new_enough(program: &Path) -> bool {
    let answer = process::answer(Command::new(program).arg("--version")).unwrap_or_default();
    let found = answer.split_whitespace().nth(1).and_then(parts);
    found.is_some() && found >= parts(VERSION)
}

/// Major, minor and patch, which compare in that order.
fn parts(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parts("0.20.10") > parts("0.20.2"));
        assert!(parts("0.9.0") < parts("0.20.2"));
        assert!(parts("1.0.0") > parts("0.20.2"));
        assert_eq!(parts("nonsense"), None);
    }
}
