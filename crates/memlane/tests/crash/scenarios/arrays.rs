//! Killed while it changes elements of an array, one alone or several under the lock.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::Array;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("array: store", Deaths::AtEveryInstruction, store),
    Scenario::new("array: write several, locked", Deaths::AtEveryInstruction, write),
];

const OLD: [u32; 6] = [1; 6];
const NEW: [u32; 6] = [0x0202_0202; 6];

fn array(stage: &Stage<'_>) -> Array<u32> {
    let array = Array::create(stage.space(), ID, &[2, 3]).unwrap();
    array.lock().unwrap().write(0, &OLD).unwrap();
    array
}

fn store(stage: &Stage<'_>) {
    let array = array(stage);
    let victim = stage.victim(|| {
        let array = Array::<u32>::open(stage.space(), ID).unwrap();
        operation(|| array.store(3, NEW[3]).unwrap());
    });
    victim.dies();
    let mut found = array.snapshot().unwrap();
    assert!([OLD[3], NEW[3]].contains(&found[3]), "{:#x} was never stored", found[3]);
    found[3] = OLD[3];
    assert_eq!(found, OLD, "a neighbour was touched");
    let version = array.region().version();
    assert_eq!(array.update(3, |element| element + 1).unwrap(), array.load(3).unwrap());
    assert_eq!(array.region().version(), version + 1);
    assert_alone(array.region());
}

fn write(stage: &Stage<'_>) {
    let array = array(stage);
    let victim = stage.victim(|| {
        let array = Array::<u32>::open(stage.space(), ID).unwrap();
        join(array.region());
        operation(|| array.lock().unwrap().write(0, &NEW).unwrap());
    });
    victim.dies();
    let guard = array.lock().unwrap();
    let found = guard.read(0, OLD.len()).unwrap();
    let whole = found == OLD || found == NEW;
    assert!(whole || guard.guard().owner_died(), "half a change, and nobody is told: {found:x?}");
    assert!(found.iter().all(|element| [OLD[0], NEW[0]].contains(element)), "{found:x?}");
    guard.write(0, &OLD).unwrap();
    guard.guard().make_consistent();
    drop(guard);
    assert_eq!(array.snapshot().unwrap(), OLD);
    assert!(!array.region().lock().is_inconsistent());
    assert_alone(array.region());
}
