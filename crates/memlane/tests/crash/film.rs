//! A victim's operation, stepped through once: the moments at which it can die, and what the region looks
//! like then.

use crate::tracer::{Finished, Traced};
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// More than any operation takes: whoever gets there goes in circles.
const MAX_INSTRUCTIONS: usize = 2_000_000;

/// A moment of an operation. Two runs differ in what the allocator has to do on the way, so a moment is a
/// place in the code and not a count of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// How often the kernel was entered or left before.
    stops: u32,
    /// How often the child came to `address` since then; never when the moment is the stop itself.
    visits: u32,
    address: u64,
}

impl Moment {
    /// Before the first instruction.
    pub(crate) const START: Self = Self { stops: 0, visits: 0, address: 0 };
}

impl Display for Moment {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { stops, visits, address } = self;
        write!(formatter, "{stops} system-call stops")?;
        if *visits > 0 {
            write!(formatter, " at {address:#x}, visit {visits}")?;
        }
        Ok(())
    }
}

/// What a stepped operation showed.
#[derive(Debug, Default)]
pub(crate) struct Film {
    /// Every moment, by instructions.
    pub(crate) instructions: Vec<Moment>,
    /// Those that matter to others: each entry into the kernel, each return from it, each change of the
    /// region.
    pub(crate) effects: Vec<Moment>,
    /// Every state of the region, once.
    pub(crate) images: Vec<Vec<u8>>,
}

impl Film {
    fn begin(camera: &Camera) -> Self {
        Self {
            instructions: vec![Moment::START],
            effects: vec![Moment::START],
            images: vec![camera.image.clone()],
        }
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
            self.open();
        }
        let Some(file) = &self.file else { return false };
        file.read_exact_at(&mut self.spare, 0).unwrap();
        std::mem::swap(&mut self.image, &mut self.spare);
        self.image != self.spare
    }

    /// A region has its size before it has a name.
    fn open(&mut self) {
        self.file = File::open(&self.path).ok();
        let size = self.file.as_ref().map_or(0, |file| file.metadata().unwrap().len());
        self.image.resize(size as usize, 0);
        self.spare.resize(size as usize, 0);
    }
}

/// Has the victim step through its whole operation.
pub(crate) fn shoot(victim: &mut Traced, camera: &mut Camera) -> Film {
    let mut film = Film::begin(camera);
    let mut seen = HashSet::from([camera.image.clone()]);
    let mut visits = HashMap::new();
    let mut stops = 0;
    loop {
        // Between the stop before a call and the one behind it there is no instruction to look at.
        let call = stops % 2 == 1 || victim.at_system_call();
        if let Err(Finished) = if call { victim.until_system_call() } else { victim.step() } {
            return film;
        }
        let moment = if call {
            visits.clear();
            stops += 1;
            Moment { stops, ..Moment::START }
        } else {
            let address = victim.address();
            let visits = visits.entry(address).and_modify(|visits| *visits += 1).or_insert(1);
            Moment { stops, visits: *visits, address }
        };
        film.instructions.push(moment);
        let changed = camera.has_changed();
        if call || changed {
            film.effects.push(moment);
        }
        if changed && seen.insert(camera.image.clone()) {
            film.images.push(camera.image.clone());
        }
        assert!(film.instructions.len() < MAX_INSTRUCTIONS, "the operation does not end");
    }
}

/// Has the victim go on from its operation's start to `moment`.
pub(crate) fn advance(victim: &mut Traced, moment: Moment) -> Result<(), Finished> {
    (0..moment.stops).try_for_each(|_| victim.until_system_call())?;
    (0..moment.visits).try_for_each(|_| victim.until_address(moment.address))
}
