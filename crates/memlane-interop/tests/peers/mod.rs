//! Programs that speak foreign layouts without memlane, built and run by the tests, and the pictures they
//! agree on.
#![allow(dead_code)] // Every suite uses a part.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// Words after which the pattern of a picture repeats.
const PATTERN_WORDS: usize = 512;

/// The pixels of a numbered frame: little-endian 64-bit words `frame << 16 | index % 512`.
pub(crate) fn pixels_of(frame: u64, length: usize) -> Vec<u8> {
    let pattern: Vec<u8> =
        (0..PATTERN_WORDS as u64).flat_map(|index| (frame << 16 | index).to_le_bytes()).collect();
    let mut pixels = pattern.repeat(length.div_ceil(pattern.len()));
    pixels.truncate(length);
    pixels
}

/// The number of the frame that these pixels are, whole; `None` if they are of several.
pub(crate) fn frame_of(pixels: &[u8]) -> Option<u64> {
    let frame = u64::from_le_bytes(*pixels.first_chunk()?) >> 16;
    let pattern = pixels_of(frame, PATTERN_WORDS * size_of::<u64>());
    pixels.chunks(pattern.len()).all(|chunk| chunk == &pattern[..chunk.len()]).then_some(frame)
}

/// A peer that is killed with its test.
pub(crate) struct Peer(pub(crate) Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the C++ writer, which ends after so many frames; `None` where there is no compiler.
pub(crate) fn cpp_writer(name: &str, size: (u32, u32), frames: u64, period: Duration) -> Option<Peer> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let program = PROGRAM.get_or_init(build_cpp_writer).as_ref()?;
    let numbers =
        [size.0.into(), size.1.into(), frames, period.as_micros() as u64].map(|number| number.to_string());
    Some(Peer(Command::new(program).arg(name).args(numbers).spawn().expect("the C++ writer was just built")))
}

/// A Python program and both ends of its standard streams.
pub(crate) struct PythonPeer {
    pub(crate) facts: Lines<BufReader<ChildStdout>>,
    pub(crate) input: ChildStdin,
    pub(crate) peer: Peer,
}

/// Starts a Python program, named by its path from the package; `None` where there is no Python.
pub(crate) fn python(script: &str, arguments: &[&str]) -> Option<PythonPeer> {
    if !exists("python3") {
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/").to_owned() + script;
    let mut command = Command::new("python3");
    command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("python3 has just answered");
    let facts = BufReader::new(child.stdout.take().expect("piped above")).lines();
    let input = child.stdin.take().expect("piped above");
    Some(PythonPeer { facts, input, peer: Peer(child) })
}

impl PythonPeer {
    /// Its next line.
    pub(crate) fn hear(&mut self) -> String {
        self.facts.next().expect("the peer has something to say").expect("the peer writes UTF-8")
    }

    /// Ends its input, and waits until it has ended by itself.
    pub(crate) fn finish(mut self) {
        drop(self.input);
        assert!(self.peer.0.wait().expect("it is a child").success(), "the peer has failed");
    }
}

fn build_cpp_writer() -> Option<PathBuf> {
    if !exists("g++") {
        return None;
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/mmap_writer.cpp");
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mmap_writer");
    // Built aside and renamed, because another run of the tests may be executing the last one.
    let built = program.with_extension(std::process::id().to_string());
    let status = Command::new("g++")
        .args(["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", source, "-lrt", "-o"])
        .arg(&built)
        .status();
    assert!(status.expect("g++ has just answered").success(), "the C++ writer does not compile");
    std::fs::rename(&built, &program).expect("the target directory is writable");
    Some(program)
}

fn exists(tool: &str) -> bool {
    let answered = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let exists = answered.is_ok_and(|status| status.success());
    if !exists {
        left_out(tool);
    }
    exists
}

/// Says so past the capture of the test harness, which hides what a passing test prints.
fn left_out(tool: &str) {
    let message =
        format!("LEFT OUT: the tests against foreign programs need {tool}; get it with `cargo xtask setup`");
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{message}");
    let _ = writeln!(std::io::stderr(), "{message}");
}
