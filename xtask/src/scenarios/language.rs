//! The languages, and how their role programs are made and started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
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
        process::run(&mut workspace.cargo(["build", "--package", "memlane-scenarios", "--package", "memlane-c"]))?;
        let roles = workspace.root.join("scenarios").join("roles");
        let built = workspace.target.join("scenarios");
        std::fs::create_dir_all(&built).map_err(Failure::at(&built))?;
        let compiled = |name, compiler, standard, source: &str| -> Outcome<Self> {
            let program = built.join(source.replace('.', "-"));
            compile(workspace, compiler, standard, &roles.join(source), &program)?;
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

/// Compiles a role as its users would, with the library of this build.
fn compile(workspace: &Workspace, compiler: &str, standard: &str, source: &Path, program: &Path) -> Outcome {
    let library = workspace.target.join("debug");
    let include = workspace.root.join("bindings").join("c").join("include");
    let mut command = Command::new(compiler);
    command.arg(format!("-std={standard}")).args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]);
    command.arg("-I").arg(include).arg(source).arg("-o").arg(program);
    command.arg("-L").arg(&library).arg("-lmemlane").arg(format!("-Wl,-rpath,{}", library.display()));
    process::run(&mut command)
}
