//! Where things are: the repository, the build directory, the Python environment.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directories that the commands work in.
pub(crate) struct Workspace {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Cargo's build directory; everything that the commands make lies below it, except `.venv`.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// The workspace that this program was started from by cargo, else the one it was built in.
    pub(crate) fn locate() -> Self {
        let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package).parent().unwrap_or(Path::new(".")).to_path_buf();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |path| root.join(path));
        Self { root, target }
    }

    /// The Python environment that `setup` makes and the tests look for.
    pub(crate) fn python_environment(&self) -> PathBuf {
        self.root.join(".venv")
    }

    /// The interpreter of that environment, whether it is there or not.
    pub(crate) fn python(&self) -> PathBuf {
        self.python_environment().join("bin").join("python")
    }

    /// Where the tests of the web page are.
    pub(crate) fn page_tests(&self) -> PathBuf {
        self.root.join("crates/memlane-net/tests/page")
    }

    /// Cargo in the repository.
    pub(crate) fn cargo(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(&self.root).args(arguments);
        build_once(&mut command);
        command
    }
}

/// Whether this is continuous integration: from an empty build directory, which is then thrown away.
pub(crate) fn under_ci() -> bool {
    env::var("CI").as_deref() == Ok("true")
}

/// Under continuous integration, what cargo keeps to build again faster is gigabytes that nobody reads.
pub(crate) fn build_once(command: &mut Command) {
    if under_ci() {
        command.env("CARGO_INCREMENTAL", "0");
    }
}

/// The first program of that name on the path.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(program)).find(|candidate| candidate.is_file())
}
