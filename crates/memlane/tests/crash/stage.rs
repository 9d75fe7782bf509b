//! One telling of a story: a fresh space, a victim, and the moment of its death.

use crate::film::{self, Camera, Film, Moment};
use crate::tracer::{Finished, Traced};
use memlane::Space;
use std::cell::RefCell;
use std::fmt::{self, Display, Formatter};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How the victim of this telling ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Death<'a> {
    /// At its operation's end, after it was filmed.
    Filmed,
    /// Before its operation, and the region is made to look as it did in the midst of it.
    Photographed(&'a [u8]),
    /// There.
    At(Moment),
}

/// Where a story happens.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    space: &'a Space,
    /// The region that the victim works on.
    file: PathBuf,
    death: Death<'a>,
    record: RefCell<Record>,
}

/// What a telling showed.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) film: Option<Film>,
    pub(crate) kills: usize,
    /// Victims that were to die at a moment that did not come, and died at their operation's end.
    pub(crate) late: usize,
    /// From a death to what was waited for.
    pub(crate) latency: Option<Duration>,
}

/// A process in front of its operation.
#[derive(Debug)]
#[must_use = "a victim has to die"]
pub(crate) struct Victim<'a> {
    stage: &'a Stage<'a>,
    process: Traced,
}

impl Display for Death<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filmed => formatter.write_str("killed at the end"),
            Self::Photographed(_) => formatter.write_str("left one of the images behind"),
            Self::At(moment) => write!(formatter, "killed after {moment}"),
        }
    }
}

impl<'a> Stage<'a> {
    /// A stage in `space`, which is emptied, for a story about the region in `file`.
    pub(crate) fn new(space: &'a Space, file: &str, death: Death<'a>) -> Self {
        clear(space.directory());
        let file = space.directory().join(file);
        Self { space, file, death, record: RefCell::default() }
    }

    pub(crate) fn space(&self) -> &Space {
        self.space
    }

    pub(crate) fn into_record(self) -> Record {
        self.record.into_inner()
    }

    /// Forks a process that runs `work`, up to the operation in it.
    pub(crate) fn victim<T>(&self, work: impl FnOnce() -> T) -> Victim<'_> {
        Victim { stage: self, process: Traced::start(work) }
    }

    /// Notes how long a survivor waited.
    pub(crate) fn note_latency(&self, latency: Duration) {
        self.record.borrow_mut().latency = Some(latency);
    }

    /// Everything in the space's directory, relative to it, folders with a `/` behind.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(self.space.directory(), "", &mut found);
        found.sort_unstable();
        found
    }
}

impl Victim<'_> {
    /// The victim ends as this telling has it; says when.
    pub(crate) fn dies(self) -> Instant {
        let stage = self.stage;
        match stage.death {
            Death::At(moment) => self.dies_at(moment),
            Death::Filmed => {
                let (film, killed) = self.dies_filmed();
                stage.record.borrow_mut().film = Some(film);
                killed
            }
            Death::Photographed(image) => {
                let killed = self.kill();
                let file = File::options().write(true).open(&stage.file).unwrap();
                file.write_all_at(image, 0).unwrap();
                killed
            }
        }
    }

    /// The victim ends at its operation's end.
    pub(crate) fn dies_filmed(mut self) -> (Film, Instant) {
        let mut camera = Camera::new(&self.stage.file);
        let film = film::shoot(&mut self.process, &mut camera);
        (film, self.kill())
    }

    /// The victim ends there.
    pub(crate) fn dies_at(mut self, moment: Moment) -> Instant {
        if let Err(Finished) = film::advance(&mut self.process, moment) {
            self.stage.record.borrow_mut().late += 1;
        }
        self.kill()
    }

    fn kill(self) -> Instant {
        let killed = Instant::now();
        self.process.kill();
        self.stage.record.borrow_mut().kills += 1;
        killed
    }
}

fn clear(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
}

fn list(directory: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            let folder = format!("{prefix}{name}/");
            list(&path, &folder, found);
            found.push(folder);
        } else {
            found.push(format!("{prefix}{name}"));
        }
    }
}
