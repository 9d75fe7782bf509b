//! `cargo xtask page`: the web page's types, checked by TypeScript's compiler, and the page itself, driven in a browser
//! against real hosts. `--measure` measures instead, with what is built as for users.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::setup;
use crate::workspace::{Workspace, on_path};

/// A test's name ends so, and a measurement's.
const TEST: &str = ".test.js";
const MEASUREMENT: &str = ".measure.js";

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Measure what the page costs and how fast it is, instead of testing it
    #[arg(long)]
    measure: bool,
    /// Test only these subjects: the beginnings of the names of files; all, if none is given
    #[arg(value_name = "SUBJECT")]
    subjects: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let programs = build(workspace, options.measure)?;
    check_types(workspace)?;
    let (ending, at_once) = if options.measure { (MEASUREMENT, 1) } else { (TEST, 2) };
    let files = files(&workspace.page_tests(), ending, &options.subjects)?;
    if files.is_empty() {
        return Err(Failure::new(format!("no test of the page is called {}", options.subjects.join(" or "))));
    }
    // What earlier failures left would be taken for this run's.
    let artefacts = artefacts(workspace);
    if artefacts.is_dir() {
        fs::remove_dir_all(&artefacts).map_err(Failure::at(&artefacts))?;
    }
    let mut node = node(workspace, &programs);
    node.args(["--test", "--test-reporter=spec"]).arg(format!("--test-concurrency={at_once}")).args(files);
    process::run(&mut node)
}

/// Builds the command and the cast of the tests, and gives back where they are.
pub(crate) fn build(workspace: &Workspace, release: bool) -> Outcome<PathBuf> {
    if !setup::has_page_tools(workspace) {
        return Err(Failure::new(format!(
            "Node.js, {} or what npm installs is missing; run cargo xtask setup",
            setup::CHROMIUM
        )));
    }
    // Of the whole workspace: a package alone has other features, and all would be built anew.
    let mut build = workspace.cargo(["build", "--quiet", "--workspace", "--bin=memlane", "--example=actor"]);
    process::run(build.args(release.then_some("--release")))?;
    Ok(workspace.target.join(if release { "release" } else { "debug" }))
}

/// Node.js among the tests, knowing where everything is.
pub(crate) fn node(workspace: &Workspace, programs: &Path) -> Command {
    let mut node = Command::new("node");
    node.current_dir(workspace.page_tests())
        .env("MEMLANE_PROGRAMS", programs)
        .env("MEMLANE_PAGE_ARTEFACTS", artefacts(workspace))
        .env("MEMLANE_CHROMIUM", on_path(setup::CHROMIUM).unwrap_or_default());
    node
}

fn artefacts(workspace: &Workspace) -> PathBuf {
    workspace.target.join("page")
}

/// Of the page, which knows a browser alone, and of its tests.
fn check_types(workspace: &Workspace) -> Outcome {
    let tests = workspace.page_tests();
    let compiler = tests.join("node_modules").join(".bin").join("tsc");
    for project in ["tsconfig.page.json", "tsconfig.json"] {
        process::run(Command::new(&compiler).current_dir(&tests).args(["--project", project]))?;
    }
    Ok(())
}

fn files(directory: &Path, ending: &str, subjects: &[String]) -> Outcome<Vec<String>> {
    let entries = fs::read_dir(directory).map_err(Failure::at(directory))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let wanted =
        |name: &String| subjects.is_empty() || subjects.iter().any(|subject| name.starts_with(subject));
    let mut files: Vec<_> = names.filter(|name| name.ends_with(ending)).filter(wanted).collect();
    files.sort();
    Ok(files)
}
