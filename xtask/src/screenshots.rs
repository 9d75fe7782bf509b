//! `cargo xtask screenshots`: each view of the web page, in light and in dark, from a lively scene; three pictures are
//! for the README.

use crate::failure::Outcome;
use crate::page;
use crate::process;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let programs = page::build(workspace, false)?;
    let images = workspace.root.join("docs").join("images");
    process::run(page::node(workspace, &programs).arg("screenshots.js").arg(images))
}
