//! The stage: a fresh directory for the regions of a command that plays with its own, beside the space that other
//! commands use, and removed at the end.
//!
//! A marker file in it is locked as long as the command lives. The kernel gives that lock back whatever happens
//! to the command, so whoever can take it knows that the directory is left over, and removes it.

use crate::failure::{Exit, Failure, Outcome};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{self, Path, PathBuf};
use std::process::{self, Command};

/// Its name begins with a dot: memlane takes it for no region.
const MARKER: &str = ".stage";
/// Names taken by leftovers that cannot be removed, or directories swept while they are made.
const ATTEMPTS: u32 = 100;

/// A directory that is removed when dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    directory: PathBuf,
    self_command: Vec<OsString>,
    _marker: File,
}

impl Stage {
    /// Removes what earlier commands of that name left beside that space, or the default one, and makes a new
    /// directory there. Who plays on it is started by `self_command`.
    pub(crate) fn beside(space: Option<&Path>, command: &str, self_command: &[OsString]) -> Outcome<Self> {
        let space = space.map_or_else(default_space, Path::to_owned);
        let space = &path::absolute(&space).map_err(|error| not_made(&space, &error))?;
        sweep(space, command);
        for attempt in 0..ATTEMPTS {
            let directory = sibling(space, command, &format!("{}{attempt:02}", process::id()));
            match try_make(&directory) {
                Ok(Some(marker)) => {
                    return Ok(Self { directory, self_command: self_command.to_vec(), _marker: marker });
                }
                Ok(None) => {}
                Err(error) => return Err(not_made(&directory, &error)),
            }
        }
        Err(not_made(space, &io::ErrorKind::AlreadyExists.into()))
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// This program, to be started again; an error when nothing says how.
    pub(crate) fn program(&self) -> io::Result<Command> {
        let (program, arguments) = self.self_command.split_first().ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new(program);
        command.args(arguments);
        Ok(command)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next command of that name.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Where the default space is, or a neighbour of it: nothing but its directory counts, and it is not made.
fn default_space() -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    let directory = if shared_memory.is_dir() { shared_memory.to_owned() } else { std::env::temp_dir() };
    directory.join("memlane")
}

/// Makes the directory and locks its marker; `None` when somebody was there before or swept it away.
fn try_make(directory: &Path) -> io::Result<Option<File>> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        made => made?,
    }
    let path = directory.join(MARKER);
    let marker = match File::create_new(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        made => made?,
    };
    // A sweeper may have had the lock, and the directory, before us.
    let kept = marker.try_lock().is_ok() && path.exists();
    Ok(kept.then_some(marker))
}

/// Removes the directories of commands that are gone.
fn sweep(space: &Path, command: &str) {
    let prefix = sibling(space, command, "");
    let Some(Ok(entries)) = prefix.parent().map(fs::read_dir) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if is_numbered(&path, &prefix) {
            remove_if_left_over(&path);
        }
    }
}

/// Whether the name is that of a stage.
fn is_numbered(path: &Path, prefix: &Path) -> bool {
    let name =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (name, prefix) = (name(path), name(prefix));
    let number = name.strip_prefix(&prefix);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn remove_if_left_over(directory: &Path) {
    match File::open(directory.join(MARKER)) {
        Ok(marker) if marker.try_lock().is_ok() => {
            let _ = fs::remove_dir_all(directory);
        }
        // Its command died before it made the marker: then the directory is empty, else it is none of ours and
        // stays.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let _ = fs::remove_dir(directory);
        }
        _ => {}
    }
}

fn sibling(space: &Path, command: &str, number: &str) -> PathBuf {
    let name = space.file_name().unwrap_or_default().to_string_lossy();
    space.with_file_name(format!("{name}-{command}-{number}"))
}

fn not_made(directory: &Path, error: &io::Error) -> Failure {
    let directory = directory.display();
    Failure::new(
        Exit::Failure,
        format!("the command's own directory {directory} cannot be made: {error}; choose another by --space"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("a directory");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn two_stages_live_side_by_side_and_leave_nothing() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let space = parent.path().join("space");
        let first = Stage::beside(Some(&space), "demo", &[]).expect("a first stage");
        let second = Stage::beside(Some(&space), "demo", &[]).expect("a second one");
        fs::write(first.directory().join("region"), "content").expect("a file on the stage");
        assert_eq!(names(parent.path()).len(), 2);
        drop(first);
        assert!(second.directory().exists());
        drop(second);
        assert!(names(parent.path()).is_empty());
    }

    #[test]
    fn what_the_dead_left_goes_and_what_others_own_stays() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let space = parent.path().join("space");
        let left_over = sibling(&space, "demo", "1");
        fs::create_dir(&left_over).expect("a directory");
        fs::write(left_over.join(MARKER), "").expect("a marker that nobody locks");
        fs::create_dir(sibling(&space, "demo", "2")).expect("a directory whose marker was never made");
        let own_space = sibling(&space, "demo", "3");
        fs::create_dir(&own_space).expect("somebody's space of a similar name");
        fs::write(own_space.join("region"), "content").expect("a file in it");
        fs::create_dir(sibling(&space, "demo", "x")).expect("another");
        drop(Stage::beside(Some(&space), "demo", &[]).expect("a stage"));
        assert_eq!(names(parent.path()), ["space-demo-3", "space-demo-x"]);
    }
}
