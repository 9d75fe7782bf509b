//! `cargo xtask c`: the tests of the C and C++ interface. Every program in `bindings/c/tests` is built in each manner
//! that is supported, with warnings as errors, and run; then with sanitizers, and under valgrind. Projects outside of
//! the repository use an installed prefix in the three usual ways.

mod measure;
mod opencv;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::install;
use crate::process;
use crate::workspace::{Workspace, on_path};

pub(crate) use opencv::is_there as has_opencv;

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Only programs whose name contains this, and neither examples nor projects
    name: Option<String>,
    /// Measure instead: calls of C++ beside those of Rust, and pictures from C++ to Python at 60 frames a second
    #[arg(long)]
    measure: bool,
}

/// A way of building and running a program.
struct Manner {
    name: &'static str,
    /// Its sources.
    language: &'static str,
    compiler: &'static str,
    flags: &'static [&'static str],
    /// What it is run under.
    under: &'static [&'static str],
}

const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-g"];

const SANITIZE: &[&str] =
    &["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-O1"];

/// Rust's shared and hashed things are pointed to in their middle, which is taken for a possible leak.
const VALGRIND: &[&str] = &[
    "valgrind",
    "--quiet",
    "--error-exitcode=9",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
];

const MANNERS: &[Manner] = &[
    Manner { name: "gcc-c11", language: "c", compiler: "gcc", flags: &["-std=c11"], under: &[] },
    Manner { name: "clang-c11", language: "c", compiler: "clang", flags: &["-std=c11"], under: &[] },
    Manner { name: "g++-17", language: "cpp", compiler: "g++", flags: &["-std=c++17"], under: &[] },
    Manner { name: "g++-20", language: "cpp", compiler: "g++", flags: &["-std=c++20", "-O2"], under: &[] },
    Manner { name: "clang++-17", language: "cpp", compiler: "clang++", flags: &["-std=c++17"], under: &[] },
    Manner { name: "clang++-20", language: "cpp", compiler: "clang++", flags: &["-std=c++20"], under: &[] },
    Manner { name: "sanitized-c", language: "c", compiler: "gcc", flags: SANITIZE, under: &[] },
    Manner { name: "sanitized-c++", language: "cpp", compiler: "g++", flags: SANITIZE, under: &[] },
    Manner { name: "valgrind-c", language: "c", compiler: "gcc", flags: &["-std=c11"], under: VALGRIND },
    Manner {
        name: "valgrind-c++",
        language: "cpp",
        compiler: "g++",
        flags: &["-std=c++17"],
        under: VALGRIND,
    },
];

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let place = Place::new(workspace)?;
    if options.measure {
        return measure::run(workspace, &place);
    }
    install::run(workspace, &install::Options::for_tests(place.prefix.clone()))?;
    let package = workspace.root.join("bindings").join("c");
    let programs = sources(&package.join("tests"))?;
    let name = options.name.as_deref().unwrap_or_default();
    for manner in MANNERS {
        if on_path(manner.compiler).is_none() {
            return Err(Failure::new(format!("{} is missing; run cargo xtask setup", manner.compiler)));
        }
        for program in programs.iter().filter(|path| stem(path).contains(name)) {
            if program.extension().is_some_and(|extension| extension == manner.language) {
                place.build_and_run(manner, program)?;
            }
        }
    }
    if options.name.is_some() {
        return Ok(());
    }
    examples(workspace, &place)?;
    projects(workspace, &place)?;
    // Last, so that nobody overlooks when it is left out.
    opencv::camera(workspace, &place)
}

/// Whether there is what it needs.
pub(crate) fn is_possible(workspace: &Workspace) -> bool {
    let tools = ["gcc", "g++", "clang", "clang++", "valgrind", "cmake", "pkg-config"];
    crate::python::is_possible(workspace) && tools.iter().all(|tool| on_path(tool).is_some())
}

/// Where programs are built and run.
pub(crate) struct Place {
    pub(crate) prefix: PathBuf,
    pub(crate) programs: PathBuf,
    /// The space that they find, new for each run.
    space: PathBuf,
}

impl Place {
    pub(crate) fn new(workspace: &Workspace) -> Outcome<Self> {
        let place = workspace.target.join("c");
        let programs = place.join("programs");
        fs::create_dir_all(&programs).map_err(Failure::at(&programs))?;
        Ok(Self { prefix: place.join("prefix"), programs, space: place.join("space") })
    }

    /// A compiler that finds the prefix.
    pub(crate) fn compile(
        &self,
        compiler: &str,
        flags: &[&str],
        sources: &[&Path],
        program: &Path,
    ) -> Command {
        let mut command = Command::new(compiler);
        command.args(flags).args(WARNINGS);
        if program.to_string_lossy().contains("without_exceptions") {
            command.arg("-fno-exceptions");
        }
        let library = self.prefix.join("lib");
        command.arg("-I").arg(self.prefix.join("include")).args(sources).arg("-o").arg(program);
        command.arg("-pthread").arg("-L").arg(&library).arg("-lmemlane");
        command.arg(format!("-Wl,-rpath,{}", library.display()));
        command
    }

    fn build_and_run(&self, manner: &Manner, source: &Path) -> Outcome {
        let program = self.programs.join(format!("{}-{}", stem(source), manner.name));
        process::run(&mut self.compile(manner.compiler, manner.flags, &[source], &program))?;
        match manner.under {
            [] => self.run(&mut Command::new(&program)),
            [runner, words @ ..] => self.run(Command::new(runner).args(words).arg(&program)),
        }
    }

    /// Runs a program in a space of its own.
    fn run(&self, command: &mut Command) -> Outcome {
        process::run(command.env("MEMLANE_DIR", self.new_space()?))
    }

    /// The space, with nothing in it.
    fn new_space(&self) -> Outcome<PathBuf> {
        if self.space.exists() {
            fs::remove_dir_all(&self.space).map_err(Failure::at(&self.space))?;
        }
        Ok(self.space.clone())
    }
}

/// The examples compile as they would for their reader, and each does its work, in one space and twice: what another
/// one or an earlier run left there must not be in the way.
fn examples(workspace: &Workspace, place: &Place) -> Outcome {
    let mut programs = Vec::new();
    for source in sources(&workspace.root.join("bindings").join("c").join("examples"))? {
        let is_c = source.extension().is_some_and(|extension| extension == "c");
        let (compiler, standard) = if is_c { ("gcc", "-std=c11") } else { ("g++", "-std=c++17") };
        let program = place.programs.join(format!("{}-example", stem(&source)));
        process::run(&mut place.compile(compiler, &[standard, "-O2"], &[&source], &program))?;
        programs.push(program);
    }
    let space = place.new_space()?;
    for program in programs.iter().chain(&programs) {
        process::run(Command::new(program).env("MEMLANE_DIR", &space))?;
    }
    Ok(())
}

/// A stranger's project, outside of the repository, in each of the usual ways: CMake with an installed prefix,
/// pkg-config, and FetchContent from the sources.
fn projects(workspace: &Workspace, place: &Place) -> Outcome {
    let outside = std::env::temp_dir().join(format!("memlane-project-{}", std::process::id()));
    let finished = projects_in(&outside, workspace, place);
    fs::remove_dir_all(&outside).map_err(Failure::at(&outside))?;
    finished
}

fn projects_in(outside: &Path, workspace: &Workspace, place: &Place) -> Outcome {
    let package = workspace.root.join("bindings").join("c");
    let project = outside.join("project");
    fs::create_dir_all(&project).map_err(Failure::at(&project))?;
    for file in ["CMakeLists.txt", "main.cpp"] {
        let from = package.join("tests").join("project").join(file);
        fs::copy(&from, project.join(file)).map_err(Failure::at(&from))?;
    }

    // `cmake --install` lays out the same prefix as `cargo xtask install`.
    let (build, prefix) = (outside.join("build"), outside.join("prefix"));
    process::run(
        cmake_of(&package, &build, workspace).arg(format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display())),
    )?;
    process::run(Command::new("cmake").arg("--build").arg(&build))?;
    process::run(Command::new("cmake").arg("--install").arg(&build))?;
    let find = format!("-DCMAKE_PREFIX_PATH={}", prefix.display());
    for (way, argument) in
        [("found", find), ("fetched", format!("-DMEMLANE_SOURCE={}", workspace.root.display()))]
    {
        let build = outside.join(way);
        process::run(cmake_of(&project, &build, workspace).arg(argument))?;
        process::run(Command::new("cmake").arg("--build").arg(&build))?;
        place.run(&mut Command::new(build.join("project")))?;
        view_in_python(workspace, place, 1, "bytes([128]) * (404 * 640 * 3)")?;
    }

    // Without -isystem: warnings in the headers are their user's.
    for (name, ways, more) in
        [("shared", &["--libs"][..], &[][..]), ("static", &["--static", "--libs"], &["-static"])]
    {
        let program = outside.join(name);
        let flags = pkg_config(&prefix, ways)?;
        let mut compile = Command::new("g++");
        compile.args(["-std=c++17", "-Wall", "-Wextra", "-Wold-style-cast", "-Werror"]);
        compile.arg(project.join("main.cpp")).arg("-o").arg(&program);
        process::run(compile.args(flags.split_whitespace()).args(more))?;
        place.run(Command::new(&program).env("LD_LIBRARY_PATH", prefix.join("lib")))?;
    }
    Ok(())
}

/// The last picture that a program published, read by another language: its number, and what it is.
fn view_in_python(workspace: &Workspace, place: &Place, number: u32, picture: &str) -> Outcome {
    let view = format!(
        "import memlane; frame = memlane.FrameSubscriber('camera/front', history=1).next(timeout=5); \
         assert frame.sequence == {number}, frame.sequence; \
         assert memoryview(frame).tobytes() == {picture}"
    );
    let mut python = Command::new(workspace.python());
    process::run(python.args(["-c", &view]).env("MEMLANE_DIR", &place.space))
}

/// CMake on a project, whose library is built where the tests' is.
fn cmake_of(source: &Path, build: &Path, workspace: &Workspace) -> Command {
    let mut command = Command::new("cmake");
    command.arg("-S").arg(source).arg("-B").arg(build).arg("-DMEMLANE_PROFILE=dev");
    command.arg(format!("-DMEMLANE_CARGO_TARGET_DIR={}", workspace.target.display()));
    command
}

fn pkg_config(prefix: &Path, ways: &[&str]) -> Outcome<String> {
    let mut command = Command::new("pkg-config");
    command
        .env("PKG_CONFIG_PATH", prefix.join("lib").join("pkgconfig"))
        .args(["--cflags", "memlane"])
        .args(ways);
    process::answer(&mut command)
        .ok_or_else(|| Failure::new("pkg-config does not find memlane in its prefix"))
}

fn sources(directory: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(Failure::at(directory))? {
        let path = entry.map_err(Failure::at(directory))?.path();
        if path.extension().is_some_and(|extension| extension == "c" || extension == "cpp") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
}
