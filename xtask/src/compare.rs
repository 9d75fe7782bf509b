//! `cargo xtask compare`: memlane beside its peers, each of which is a program of the workspace in `comparison`; then
//! the Python package beside others. A peer that does not build is a row in the report.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::report;
use crate::setup;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// Shorter and rough
    #[arg(long)]
    quick: bool,

    /// Only what has this in its name
    #[arg(long, value_name = "WORD")]
    only: Option<String>,

    /// Keep the reports, the figure of each round and the plots in this directory
    #[arg(long, value_name = "DIRECTORY")]
    save: Option<PathBuf>,

    /// Build the peers, and measure nothing
    #[arg(long)]
    build_only: bool,

    /// Leave out the comparison of the Python packages
    #[arg(long)]
    no_python: bool,
}

/// The programs that were built, and which were not.
#[derive(Default)]
struct Peers {
    programs: Vec<PathBuf>,
    /// As the driver takes them: `NAME=WHY`.
    absent: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    if let Err(failure) = setup::peers(workspace) {
        report::warning(&failure.to_string());
    }
    report::headline("build");
    let driver = Build { workspace, package: "compare" };
    driver.run()?;
    let peers = build_peers(workspace)?;
    let python = Python { workspace, options };
    let packages = if options.no_python { Ok(()) } else { python.install() };
    if options.build_only {
        return packages;
    }
    report::headline("compare");
    let mut command = Command::new(driver.program());
    command.args(&peers.programs).args(peers.absent.iter().flat_map(|absent| ["--absent", absent]));
    command.args(options.quick.then_some("--quick"));
    command.args(options.only.iter().flat_map(|only| ["--only", only]));
    if let Some(directory) = &options.save {
        command.arg("--save").arg(directory);
    }
    process::run(&mut command)?;
    packages?;
    if options.no_python { Ok(()) } else { python.run() }
}

/// What of it needs nothing but memlane: the driver, the loops, and memlane's part in them. The others' parts need
/// what is installed for them.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    process::run(workspace.cargo(["fmt", "--all", "--check", "--manifest-path"]).arg(manifest(workspace)))?;
    let mut test = workspace.cargo(["test", "--locked", "--manifest-path"]);
    test.arg(manifest(workspace)).arg("--target-dir").arg(directory(workspace));
    process::run(test.args(["--package", "compare", "--package", "harness", "--package", "peer-memlane"]))
}

fn manifest(workspace: &Workspace) -> PathBuf {
    workspace.root.join("comparison").join("Cargo.toml")
}

/// Every package in `comparison/peers`, each by itself, for one may need what is not here.
fn build_peers(workspace: &Workspace) -> Outcome<Peers> {
    let directory = workspace.root.join("comparison").join("peers");
    let entries = fs::read_dir(&directory).map_err(Failure::at(&directory))?;
    let mut names: Vec<_> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    // Memlane is the first in the report.
    names.sort_by_key(|name| name != "memlane");
    let mut peers = Peers::default();
    for name in names {
        let build = Build { workspace, package: &format!("peer-{name}") };
        if build.run().is_ok() {
            peers.programs.push(build.program());
        } else {
            let why = format!("does not build: {}", build.error()?);
            report::warning(&format!("{name} {why}"));
            peers.absent.push(format!("{name}={why}"));
        }
    }
    Ok(peers)
}

/// A package of the comparison's workspace, as its users would build it.
struct Build<'a> {
    workspace: &'a Workspace,
    package: &'a str,
}

impl Build<'_> {
    fn run(&self) -> Outcome {
        process::run(&mut self.command())
    }

    /// Why it fails, in a line. Most of it is built by now.
    fn error(&self) -> Outcome<String> {
        let output = process::output(self.command().arg("--quiet"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        Ok(first_error(&text).unwrap_or("see what cargo says").to_owned())
    }

    fn command(&self) -> Command {
        let mut command = self.workspace.cargo(["build", "--release", "--locked", "--package", self.package]);
        command.arg("--manifest-path").arg(manifest(self.workspace));
        command.arg("--target-dir").arg(directory(self.workspace));
        command
    }

    fn program(&self) -> PathBuf {
        directory(self.workspace).join("release").join(self.package)
    }
}

/// Where all that the comparison needs is built, beside what memlane's own builds leave there.
fn directory(workspace: &Workspace) -> PathBuf {
    workspace.target.join("comparison")
}

/// Of a compiler below cargo, if there is one: what cargo itself says then is that it failed.
fn first_error(text: &str) -> Option<&str> {
    let errors = || text.lines().map(str::trim).filter(|line| line.contains("error"));
    errors().find(|line| !line.starts_with("error: failed to run custom build command")).or(errors().next())
}

/// The comparison of the Python packages, in an environment of its own.
struct Python<'a> {
    workspace: &'a Workspace,
    options: &'a Options,
}

impl Python<'_> {
    /// The package as its users install it, and its peers one by one: one of them may not be for this machine.
    fn install(&self) -> Outcome {
        let environment = self.environment();
        if !self.python().is_file() {
            process::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        }
        let package = self.workspace.root.join("bindings").join("python");
        process::run(self.pip().arg(package).env("CARGO_TARGET_DIR", environment.join("build")))?;
        for requirement in self.requirements()? {
            if process::run(self.pip().arg(&requirement)).is_err() {
                report::warning(&format!("{requirement} does not install: it is reported as missing"));
            }
        }
        Ok(())
    }

    fn run(&self) -> Outcome {
        report::headline("compare the Python packages");
        let mut command = Command::new(self.python());
        command.current_dir(self.sources()).args(["-m", "compare"]);
        command.args(self.options.quick.then_some("--quick")).args(&self.options.only);
        let text = process::run_and_keep(&mut command)?;
        let Some(directory) = &self.options.save else { return Ok(()) };
        let path = directory.join("python.md");
        fs::write(&path, text).map_err(Failure::at(&path))
    }

    fn requirements(&self) -> Outcome<Vec<String>> {
        let path = self.sources().join("requirements.txt");
        let text = fs::read_to_string(&path).map_err(Failure::at(&path))?;
        let lines = text.lines().filter_map(|line| line.split('#').next()).map(str::trim);
        Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    fn pip(&self) -> Command {
        let mut command = Command::new(self.python());
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        command
    }

    fn python(&self) -> PathBuf {
        self.environment().join("bin").join("python")
    }

    fn environment(&self) -> PathBuf {
        directory(self.workspace).join("python")
    }

    fn sources(&self) -> PathBuf {
        self.workspace.root.join("comparison").join("python")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_peer_does_not_build_is_what_its_compiler_says() {
        let text = "error: failed to run custom build command for `peer-boost`\n\nCaused by:\n  \
                    cargo:warning=x.cpp:1:10: fatal error: boost/interprocess.hpp: No such file or directory\n";
        let why = "cargo:warning=x.cpp:1:10: fatal error: boost/interprocess.hpp: No such file or directory";
        assert_eq!(first_error(text), Some(why));
        let only = "error: failed to run custom build command for `x`";
        assert_eq!(first_error(only), Some(only));
        assert_eq!(first_error("warning: unused"), None);
    }
}
