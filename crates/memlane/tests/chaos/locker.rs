//! Two elements that change together, under the lock of their array, and a third that says who is at it.

use crate::ground::{Count, Ground};
use memlane::array::ArrayGuard;
use memlane::{Result, Space};

/// The element that names whoever is inside; 0 when nobody is.
const INSIDE: usize = 2;

pub(crate) fn perform(space: &Space, member: u64) -> Result<()> {
    let ground = Ground::open(space)?;
    let me = u64::from(std::process::id());
    while !ground.is_over() {
        let guard = ground.pair.lock()?;
        let seen = guard.read(0, 3)?;
        if guard.guard().owner_died() {
            repair(&guard, &seen)?;
            ground.add(Count::Recoveries);
        } else {
            assert!(!guard.guard().is_inconsistent(), "every locker puts right what it is told of");
            assert_eq!((seen[0], seen[INSIDE]), (seen[1], 0), "half a change, and no owner died");
        }
        change(&guard, me)?;
        drop(guard);
        ground.add(Count::Locks);
        ground.go_on(member);
        std::thread::yield_now();
    }
    Ok(())
}

/// A dead owner may have changed one element, or both and not have left.
fn repair(guard: &ArrayGuard<'_, u64>, seen: &[u64]) -> Result<()> {
    let count = seen[0].max(seen[1]);
    assert!(count - seen[1] <= 1 && seen[0] >= seen[1], "more than one change is half-done: {seen:?}");
    guard.write(0, &[count, count, 0])?;
    guard.guard().make_consistent();
    Ok(())
}

/// One change, with time between its steps for somebody who should not be there.
fn change(guard: &ArrayGuard<'_, u64>, me: u64) -> Result<()> {
    let seen = guard.read(0, 2)?;
    guard.write(INSIDE, &[me])?;
    guard.write(0, &[seen[0] + 1])?;
    std::thread::yield_now();
    guard.write(1, &[seen[1] + 1])?;
    assert_eq!(guard.read(0, 3)?, [seen[0] + 1, seen[0] + 1, me], "two owners at once");
    guard.write(INSIDE, &[0])
}
