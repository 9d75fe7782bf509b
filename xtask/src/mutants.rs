//! `cargo xtask mutants`: proof that the loom suite can fail. Each patch in `crates/memlane/tests/mutants`
//! weakens one ordering, fence or check; the suite must notice. Patches are applied to a copy, so the
//! repository is never touched.
//!
//! A patch begins with comment lines: `# what is weakened; module::test_that_must_catch_it`. One that changes
//! nothing observable says `# equivalent: why`, and is expected to survive. The test named is run alone, where
//! one is: it must fail, and that the unmutated suite passes is seen first.

mod patch;
mod tree;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use patch::Patch;

use crate::failure::{Failure, Outcome};
use crate::report::{self, Mark};
use crate::workspace::Workspace;
use crate::{loom, process};

const PATCHES: &str = "crates/memlane/tests/mutants";

#[derive(Args)]
pub(crate) struct Options {
    /// Run only the patches whose file name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// How many compilers run at once
    #[arg(long, default_value_t = 1)]
    jobs: u32,
}

/// A copy of the sources, and a build directory that all mutants share.
struct Laboratory<'workspace> {
    workspace: &'workspace Workspace,
    sources: PathBuf,
    target: PathBuf,
    jobs: u32,
}

/// What the suite said to one version of the sources.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Survived,
    /// By these tests; none are named when the suite was killed before its summary.
    Caught(Vec<String>),
    /// The patch does not fit the sources any more, or they do not compile with it.
    Stale(String),
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let patches = patch::read_all(&workspace.root.join(PATCHES), &options.filter)?;
    let directory = workspace.target.join("mutants");
    let sources = directory.join("work");
    let laboratory = Laboratory { workspace, sources, target: directory.join("target"), jobs: options.jobs };
    laboratory.check_unmutated()?;
    let mut failed = 0;
    for patch in &patches {
        let start = Instant::now();
        let verdict = laboratory.try_patch(patch)?;
        failed += usize::from(!show(patch, &verdict, start.elapsed().as_secs_f64()));
    }
    report::total(patches.len() - failed, failed);
    if failed == 0 { Ok(()) } else { Err(Failure::shown()) }
}

impl Laboratory<'_> {
    fn check_unmutated(&self) -> Outcome {
        report::headline("unmutated");
        tree::synchronise(&self.workspace.root, &self.sources)?;
        match self.judge(None)? {
            Verdict::Survived => Ok(()),
            Verdict::Caught(tests) => Err(Failure::new(format!(
                "the suite fails without any mutant ({}), see {} and mend that first",
                tests.join(", "),
                self.log().display()
            ))),
            Verdict::Stale(output) => Err(Failure::new(format!("the suite does not compile:\n{output}"))),
        }
    }

    fn try_patch(&self, patch: &Patch) -> Outcome<Verdict> {
        tree::synchronise(&self.workspace.root, &self.sources)?;
        if let Err(message) = patch.apply(&self.sources)? {
            return Ok(Verdict::Stale(message));
        }
        self.judge(patch.test.as_deref())
    }

    /// Builds first: a mutant that does not compile must not count as caught.
    fn judge(&self, test: Option<&str>) -> Outcome<Verdict> {
        let mut build = loom::suite(self.workspace, &self.sources, &self.target);
        let built = process::output(build.args(["--quiet", "--no-run", "--jobs", &self.jobs.to_string()]))?;
        if !built.status.success() {
            return Ok(Verdict::Stale(String::from_utf8_lossy(&built.stderr).into_owned()));
        }
        let mut suite = loom::suite(self.workspace, &self.sources, &self.target);
        let tested = process::output(suite.args(test))?;
        fs::write(self.log(), &tested.stdout).map_err(Failure::at(&self.log()))?;
        if tested.status.success() {
            return Ok(Verdict::Survived);
        }
        Ok(Verdict::Caught(failed_tests(&String::from_utf8_lossy(&tested.stdout))))
    }

    /// What the suite printed last.
    fn log(&self) -> PathBuf {
        self.target.join("last-run.log")
    }
}

/// Prints a line of the table; `false` if the verdict is not the one expected.
fn show(patch: &Patch, verdict: &Verdict, seconds: f64) -> bool {
    let seconds = Some(seconds);
    match (verdict, &patch.equivalent) {
        (Verdict::Caught(tests), None) => {
            report::row(Mark::Good, "caught", seconds, &patch.name, &tests.join(", "));
        }
        (Verdict::Survived, Some(why)) => report::row(Mark::Neutral, "equivalent", seconds, &patch.name, why),
        (Verdict::Survived, None) => report::row(Mark::Bad, "NOT caught", seconds, &patch.name, &patch.title),
        (Verdict::Caught(tests), Some(_)) => {
            let remark = format!("said to be equivalent, but caught by {}", tests.join(", "));
            report::row(Mark::Bad, "caught", seconds, &patch.name, &remark);
        }
        (Verdict::Stale(message), _) => {
            report::row(Mark::Bad, "stale", seconds, &patch.name, "renew the patch:");
            println!("{message}");
        }
    }
    matches!((verdict, &patch.equivalent), (Verdict::Caught(_), None) | (Verdict::Survived, Some(_)))
}

fn failed_tests(output: &str) -> Vec<String> {
    let name = |line: &str| Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned());
    output.lines().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_are_read_from_the_harness_output() {
        let output = "running 2 tests\ntest lock::handoff ... FAILED\ntest cell::torn ... ok\n";
        assert_eq!(failed_tests(output), ["lock::handoff"]);
    }

    #[test]
    fn only_the_expected_verdict_is_good() {
        let patch = |equivalent: Option<&str>| Patch {
            name: "lock-relaxed".to_owned(),
            title: "the unlock is relaxed".to_owned(),
            test: None,
            equivalent: equivalent.map(str::to_owned),
            path: PathBuf::new(),
        };
        let caught = || Verdict::Caught(vec!["lock::handoff".to_owned()]);
        assert!(show(&patch(None), &caught(), 1.0));
        assert!(show(&patch(Some("x86 and loom agree")), &Verdict::Survived, 1.0));
        assert!(!show(&patch(None), &Verdict::Survived, 1.0));
        assert!(!show(&patch(Some("x86 and loom agree")), &caught(), 1.0));
        assert!(!show(&patch(None), &Verdict::Stale("does not apply".to_owned()), 1.0));
    }
}
