//! The languages, and how their role programs are made and started.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::c::Place;
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
        let place = Place::new(workspace)?;
        install::run(workspace, &install::Options::for_tests(place.prefix.clone()))?;
        let roles = workspace.root.join("scenarios").join("roles");
        let compiled = |name, compiler, standard, source: &str| -> Outcome<Self> {
            let program = place.programs.join(source.replace('.', "-"));
            process::run(&mut place.compile(compiler, &[standard], &[&roles.join(source)], &program))?;
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
                program: workspace.python(),
                arguments: vec![roles.join("role.py").into()],
            },
            compiled("C", "cc", "-std=c11", "role.c")?,
            compiled("C++", "c++", "-std=c++17", "role.cpp")?,
        ])
    }
}
