//! Two-copy cells: readers get one version, whole; a writer killed at any access leaves the old content or
//! the new one, and the next writer goes on.

use crate::explore::{Cast, explore, explore_deaths};
use crate::world::{ADA, BOB, CLEO, Slices, World};
use memlane::algorithms::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use memlane::algorithms::claim::{Claim, acquire, release};
use memlane::algorithms::snapshot::{Snapshot, load_bytes, store_bytes};
use memlane::algorithms::version::wait_until;
use memlane::algorithms::waiter::Wait;
use std::rc::Rc;

/// The longest content; with its length it takes three words, the last of them in part.
const CAPACITY: usize = 12;

/// Version 0 is empty; each later one has a length of its own and its number in every byte.
fn content_of(version: u64) -> Vec<u8> {
    let length = if version == 0 { 0 } else { CAPACITY - version as usize % 4 };
    vec![version as u8; length]
}

struct Scene {
    world: World,
    writer: AtomicU32,
    version: AtomicU64,
    copies: [[AtomicU64; 3]; 2],
}

impl Scene {
    fn new(slices: Slices) -> Rc<Self> {
        let copy = || [0; 3].map(AtomicU64::new);
        Rc::new(Self {
            world: World::new(slices),
            writer: AtomicU32::new(0),
            version: AtomicU64::new(0),
            copies: [copy(), copy()],
        })
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { version: &self.version, copies: self.copies.each_ref().map(<[AtomicU64; 3]>::as_slice) }
    }

    /// Writes the next version, made from the current one.
    fn write(&self) -> u64 {
        let mut made = 0;
        let version = self.snapshot().write(&self.world, |current, next| {
            made = version_of(&copy_out(current)) + 1;
            let bytes = content_of(made);
            next[0].store(bytes.len() as u64, Relaxed);
            store_bytes(&next[1..], &bytes);
        });
        assert_eq!(made, version, "another content than that of the version was current");
        version
    }

    /// [`Self::write`] among other writers.
    fn write_as(&self, me: Claim) -> u64 {
        let _ = acquire(&self.writer, me, &self.world, &mut Wait::FOREVER.clone());
        let version = self.write();
        release(&self.writer, &self.world);
        version
    }

    /// One look; `None` when a writer was faster.
    fn look(&self) -> Option<u64> {
        let (version, bytes) = self.snapshot().read(copy_out)?;
        assert_eq!(bytes, content_of(version), "torn");
        Some(version)
    }
}

fn copy_out(words: &[AtomicU64]) -> Vec<u8> {
    // A torn copy may have any length, as in a region.
    let length = (words[0].load(Relaxed) as usize).min(CAPACITY);
    let mut bytes = vec![0; length];
    load_bytes(&words[1..], &mut bytes);
    bytes
}

fn version_of(content: &[u8]) -> u64 {
    content.first().copied().unwrap_or(0).into()
}

#[test]
fn a_reader_gets_one_version_whole_and_never_an_older_one() {
    explore("snapshot, one writer", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let writer = cast.part(|scene| [scene.write(), scene.write(), scene.write()]);
        cast.part(look_twice);
        cast.perform(run);
        assert_eq!((writer.get(), scene.look()), ([1, 2, 3], Some(3)));
    });
}

#[test]
fn writers_exclude_each_other_and_lose_no_update() {
    explore("snapshot, two writers", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let writers = [ADA, BOB].map(|me| cast.part(move |scene| scene.write_as(me)));
        cast.part(Scene::look);
        cast.perform(run);
        let mut versions = writers.map(|writer| writer.get());
        versions.sort_unstable();
        assert_eq!((versions, scene.look()), ([1, 2], Some(2)));
    });
}

#[test]
fn a_sleeper_wakes_to_the_new_content() {
    explore("snapshot, a sleeper", 4, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(Scene::write);
        cast.part(|scene| {
            let changed = |version| version > 0;
            let version = wait_until(&scene.version, &scene.world, &mut Wait::FOREVER.clone(), changed);
            assert_eq!((version, scene.look()), (Ok(1), Some(1)));
        });
        cast.perform(run);
    });
}

#[test]
fn a_writers_death_leaves_the_old_content_or_the_new() {
    explore_deaths("snapshot, the writer dies", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        let writer = cast.part(move |scene| {
            let mut written = 0;
            let finished = mortal.live(|| (0..2).for_each(|_| written = scene.write())).is_some();
            let left = scene.look().expect("nobody writes now");
            assert!(left == written || !finished && left == written + 1);
            assert_eq!(scene.write(), left + 1);
            left + 1
        });
        cast.part(look_twice);
        cast.perform(run);
        assert_eq!(scene.look(), Some(writer.get()));
    });
}

#[test]
fn the_next_writer_takes_over_from_a_dead_one() {
    explore_deaths("snapshot, a writer among two dies", 2, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.write_as(ADA)).is_none() {
                scene.world.bury(ADA);
            }
        });
        let writer = cast.part(|scene| scene.write_as(BOB));
        cast.perform(run);
        let last = scene.write_as(CLEO);
        assert!(writer.get() < last && last <= 3);
        assert_eq!(scene.look(), Some(last));
    });
}

fn look_twice(scene: &Scene) {
    let looks: Vec<_> = [scene.look(), scene.look()].into_iter().flatten().collect();
    assert!(looks.is_sorted(), "{looks:?}");
}
