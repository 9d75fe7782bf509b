//! A victim's operation, stepped through once: the moments at which it can die, and what the region looks like then.

use crate::tracer::{Finished, Traced};
use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// More than any operation takes: whoever gets there goes in circles.
const MAX_INSTRUCTIONS: usize = 2_000_000;

/// A moment of an operation. Two runs of it differ in what the allocator has to do, so moments are counted from the last
/// system call and not from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// System calls entered and left before it.
    pub(crate) stops: u32,
    pub(crate) then: Then,
}

/// What comes after the last stop at a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Instructions(u32),
    /// Instructions that change the region, and those on the way to them.
    Changes(u32),
}

impl Moment {
    /// Before the first instruction.
    pub(crate) const START: Self = Self { stops: 0, then: Then::Instructions(0) };
}

impl Display for Moment {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { stops, then } = self;
        match then {
            Then::Instructions(count) => write!(formatter, "{stops} system-call stops and {count} instructions"),
            Then::Changes(count) => write!(formatter, "{stops} system-call stops and {count} changes of the region"),
        }
    }
}

/// What a stepped operation showed.
#[derive(Debug, Default)]
pub(crate) struct Film {
    /// Every moment, by instructions.
    pub(crate) instructions: Vec<Moment>,
    /// Those that matter to others: each entry into the kernel, each return from it, each change of the region.
    pub(crate) effects: Vec<Moment>,
    /// Every state of the region, once.
    pub(crate) images: Vec<Vec<u8>>,
}

impl Film {
    fn begin(camera: &Camera) -> Self {
        Self { instructions: vec![Moment::START], effects: vec![Moment::START], images: vec![camera.image.clone()] }
    }
}

/// The bytes of a region's file, which may not be there yet.
#[derive(Debug)]
pub(crate) struct Camera {
    path: PathBuf,
    file: Option<File>,
    image: Vec<u8>,
    spare: Vec<u8>,
}

impl Camera {
    pub(crate) fn new(path: &Path) -> Self {
        let mut camera = Self { path: path.to_owned(), file: None, image: Vec::new(), spare: Vec::new() };
        camera.has_changed();
        camera
    }

    /// Looks again; says whether the bytes differ from the last look's.
    fn has_changed(&mut self) -> bool {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &self.file else { return false };
        self.spare.resize(file.metadata().unwrap().len() as usize, 0);
        file.read_exact_at(&mut self.spare, 0).unwrap();
        std::mem::swap(&mut self.image, &mut self.spare);
        self.image != self.spare
    }
}

/// Has the victim step through its whole operation.
pub(crate) fn shoot(victim: &mut Traced, camera: &mut Camera) -> Film {
    let mut film = Film::begin(camera);
    let mut seen = HashSet::from([camera.image.clone()]);
    let (mut stops, mut steps, mut changes) = (0, 0, 0);
    let mut in_kernel = false;
    loop {
        let call = in_kernel || victim.at_system_call();
        if let Err(Finished) = if call { victim.to_system_call() } else { victim.step() } {
            return film;
        }
        let changed = camera.has_changed();
        if call {
            in_kernel = !in_kernel;
            (stops, steps, changes) = (stops + 1, 0, 0);
            film.effects.push(Moment { stops, then: Then::Instructions(0) });
        } else {
            steps += 1;
            if changed {
                changes += 1;
                film.effects.push(Moment { stops, then: Then::Changes(changes) });
            }
        }
        if changed && seen.insert(camera.image.clone()) {
            film.images.push(camera.image.clone());
        }
        film.instructions.push(Moment { stops, then: Then::Instructions(steps) });
        assert!(film.instructions.len() < MAX_INSTRUCTIONS, "the operation does not end");
    }
}

/// Has the victim go on from its operation's start to `moment`.
pub(crate) fn advance(victim: &mut Traced, camera: &mut Camera, moment: Moment) -> Result<(), Finished> {
    for _ in 0..moment.stops {
        victim.to_system_call()?;
    }
    match moment.then {
        Then::Instructions(count) => (0..count).try_for_each(|_| victim.step()),
        Then::Changes(count) => (0..count).try_for_each(|_| to_next_change(victim, camera)),
    }
}

fn to_next_change(victim: &mut Traced, camera: &mut Camera) -> Result<(), Finished> {
    camera.has_changed();
    loop {
        victim.step()?;
        if camera.has_changed() {
            return Ok(());
        }
    }
}
