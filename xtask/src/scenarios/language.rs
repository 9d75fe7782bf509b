//! The languages, and how their role programs are made and started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Outcome;
use crate::install;
use crate::process;
use crate::workspace::Workspace;

pub(crate) struct Language {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

impl Language {
    /// All of them, built. The Python package is the one in `.venv`.
    pub(crate) fn all(workspace: &Workspace) -> Outcome<[Self; 4]> {
        process::run(&mut workspace.cargo(["build", "--package", "memlane-scenarios"]))?;
        let prefix = workspace.target.join("scenarios");
        install::run(workspace, &install::Options::for_tests(prefix.clone()))?;
        let roles = workspace.root.join("scenarios").join("roles");
        let compiled = |name, compiler, standard, source: &str| -> Outcome<Self> {
            let program = prefix.join(source.replace('.', "-"));
            compile(compiler, standard, &roles.join(source), &prefix, &program)?;
            Ok(Self { name, program, arguments: Vec::new() })
        };
        Ok([
            Self {
                name: "Rust",
                program: workspace.target.join("debug").join("memlane-role"),
                arguments: Vec::new(),
            },
            Self {
                name: "Python",
                program: workspace.python_environment().join("bin").join("python"),
                arguments: vec![roles.join("role.py").into()],
            },
            compiled("C", "cc", "c11", "role.c")?,
            compiled("C++", "c++", "c++17", "role.cpp")?,
        ])
    }
}

/// Compiles a role as its users would, with what was installed.
fn compile(compiler: &str, standard: &str, source: &Path, prefix: &Path, program: &Path) -> Outcome {
    let libraries = prefix.join("lib");
    let mut command = Command::new(compiler);
    command.arg(format!("-std={standard}")).args([
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Wconversion",
        "-Werror",
    ]);
    command.arg("-I").arg(prefix.join("include")).arg(source).arg("-o").arg(program);
    command.arg("-L").arg(&libraries).arg("-lmemlane").arg(format!("-Wl,-rpath,{}", libraries.display()));
    process::run(&mut command)
}
