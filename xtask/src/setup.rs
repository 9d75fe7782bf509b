//! `cargo xtask setup`: what the tests need and Rust does not bring. Everything goes below the repository,
//! except Debian packages, which are installed only by root. Quick when all is there.

mod cargo_deny;
mod debian;
mod node;
mod python;

use crate::failure::{Failure, Outcome};
use crate::report;
use crate::workspace::{Workspace, on_path};

pub(crate) use cargo_deny::find as find_cargo_deny;

/// The browser that shows the page.
pub(crate) const CHROMIUM: &str = "chromium";

/// What tests cannot do on this machine, and how to change that.
pub(crate) struct Missing {
    pub(crate) name: &'static str,
    /// What is left out without it.
    pub(crate) needed_for: &'static str,
    pub(crate) how_to_get: String,
}

/// Installs what may be installed; an error names what is missing afterwards.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    debian::install(workspace)?;
    python::make_environment(workspace)?;
    node::install(workspace)?;
    cargo_deny::install(workspace)?;
    let missing = missing(workspace);
    for absent in &missing {
        report::warning(&format!(
            "missing: {} ({}); get it: {}",
            absent.name, absent.needed_for, absent.how_to_get
        ));
    }
    if missing.is_empty() {
        println!("set up: nothing is missing");
        return Ok(());
    }
    Err(Failure::new(format!("{} of the tests' tools missing, see above how to get them", missing.len())))
}

/// What `compare` needs and the tests do not, installed if that is allowed here; otherwise it says what to run.
pub(crate) fn peers(workspace: &Workspace) -> Outcome {
    debian::install_peers(workspace)
}

/// The part of `run` that is cheap and touches nothing but this folder: `test` does it on its own accord.
pub(crate) fn here(workspace: &Workspace) -> Outcome {
    python::make_environment(workspace).and(node::install(workspace))
}

/// Whether all is there that the tests of the page need.
pub(crate) fn has_page_tools(workspace: &Workspace) -> bool {
    node::is_ready(workspace) && node::has_node() && on_path(CHROMIUM).is_some()
}

/// What the tests have to leave out at present.
pub(crate) fn missing(workspace: &Workspace) -> Vec<Missing> {
    let mut missing = debian::missing();
    missing.extend(python::missing(workspace));
    missing.extend(node::missing(workspace));
    missing.extend(cargo_deny::missing(workspace));
    missing
}
