//! `redis-server` on a Unix socket, for the two sides of a measurement.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use harness::{PATIENCE, Terms};
use redis::{Client, Connection};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

const INSTALL: &str = "redis-server does not run: apt-get install redis-server";

/// What the server says of itself.
pub(crate) fn version() -> String {
    let said = Command::new("redis-server").arg("--version").output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = said.split_whitespace().find_map(|word| word.strip_prefix("v="));
    version.map_or_else(|| INSTALL.to_owned(), str::to_owned)
}

/// A server that is there as long as somebody has this: who is first starts it.
pub(crate) struct Server {
    directory: PathBuf,
    /// Locked, shared: the server's end is who gets it alone. The kernel lets go of it when a process is killed, too.
    _in_use: File,
}

impl Server {
    pub(crate) fn of(terms: &Terms) -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("redis-{}", terms.name));
        let is_first = match fs::create_dir(&directory) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(error).context(directory.display().to_string()),
        };
        let in_use = File::options().create(true).append(true).open(directory.join("in-use"))?;
        in_use.lock_shared()?;
        if is_first {
            start(&directory)?;
        }
        Ok(Self { directory, _in_use: in_use })
    }

    /// A connection, as soon as the server listens.
    pub(crate) fn connect(&self) -> Result<Connection> {
        let client = Client::open(format!("redis+unix://{}", self.directory.join("socket").display()))?;
        let begin = Instant::now();
        loop {
            match client.get_connection() {
                Ok(connection) => return Ok(connection),
                Err(error) => ensure!(begin.elapsed() < PATIENCE, "no connection to the server: {error}"),
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

/// Starts it on all cores, as servers run, with nothing on disk; and beside it who ends it.
fn start(directory: &Path) -> Result<()> {
    let ours = sched_getaffinity(None)?;
    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|core| all.set(core));
    sched_setaffinity(None, &all)?;
    let server = alone("redis-server", directory)
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket", "socket"])
        .spawn();
    sched_setaffinity(None, &ours)?;
    let server = server.context(INSTALL)?;
    alone("flock", directory)
        .args(["in-use", "sh", "-c", "kill $0; rm -r \"$PWD\""])
        .arg(server.id().to_string())
        .spawn()
        .context("flock, of util-linux")?;
    Ok(())
}

/// A program that goes on when this process is killed.
fn alone(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command
}
