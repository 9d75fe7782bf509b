//! What the page's tests take from npm: a compiler that checks types, and what drives a browser, in `node_modules`
//! beside the tests. The browser is Debian's; none is downloaded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Missing;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::{Workspace, on_path};

/// The oldest release of Node.js that has all that the tests use; Debian 12 has it.
const NODE: u32 = 18;

pub(super) fn has_node() -> bool {
    let answer = process::answer(Command::new("node").arg("--version")).unwrap_or_default();
    let major = answer.strip_prefix('v').and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_some_and(|major| major >= NODE)
}

/// Without one, Chinese is shown as boxes.
pub(super) fn has_chinese_font() -> bool {
    let fonts = process::answer(Command::new("fc-list").arg(":lang=zh-cn"));
    fonts.is_some_and(|fonts| !fonts.trim().is_empty())
}

/// Installs what the lock file names, if that has not been done.
pub(super) fn install(workspace: &Workspace) -> Outcome {
    if is_ready(workspace) || !has_node() || on_path("npm").is_none() {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(workspace.page_tests()).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    process::run(&mut npm)?;
    // Written last, so that an installation that was cut short is not taken for a complete one.
    let marker = installed(workspace);
    fs::copy(lock(workspace), &marker).map(drop).map_err(Failure::at(&marker))
}

pub(super) fn missing(workspace: &Workspace) -> Option<Missing> {
    (!is_ready(workspace)).then(|| Missing {
        name: "what npm installs",
        needed_for: "the tests of the web page",
        how_to_get: "cargo xtask setup".to_owned(),
    })
}

pub(super) fn is_ready(workspace: &Workspace) -> bool {
    let read = |path: &Path| fs::read(path).ok();
    let wanted = read(&lock(workspace));
    wanted.is_some() && wanted == read(&installed(workspace))
}

fn lock(workspace: &Workspace) -> PathBuf {
    workspace.page_tests().join("package-lock.json")
}

/// A copy of the lock file that `node_modules` was made from.
fn installed(workspace: &Workspace) -> PathBuf {
    workspace.page_tests().join("node_modules").join("installed.json")
}
