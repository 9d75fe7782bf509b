//! Killed while it joins, leaves, arrives at or resets a barrier.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::{Barrier, Error, Region};
use std::mem::forget;
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("barrier: join", Deaths::AtEveryInstruction, join_in),
    Scenario::new("barrier: leave", Deaths::AtEveryInstruction, leave),
    Scenario::new("barrier: arrive as the only one", Deaths::AtEveryInstruction, arrive_alone),
    Scenario::new("barrier: arrive first and wait in vain", Deaths::AtEveryInstruction, wait_in_vain),
    Scenario::new("barrier: arrive last and act", Deaths::AtEveryInstruction, act),
    Scenario::new("barrier: reset", Deaths::AtEveryInstruction, reset),
    Scenario::new("barrier: arrive last, the other one asleep", Deaths::InCompany, arrive_with_a_sleeper),
    Scenario::new("barrier: act, the other one asleep", Deaths::InCompany, act_with_a_sleeper),
];

/// Too short for anybody to come, long enough to sleep.
const MOMENT: Duration = Duration::from_millis(1);

fn barrier(stage: &Stage<'_>, parties: u32) -> Barrier {
    Barrier::create(stage.space(), ID, parties).unwrap()
}

/// The barrier as a victim opens it.
fn open(stage: &Stage<'_>) -> Barrier {
    Barrier::open(stage.space(), ID).unwrap()
}

/// After a reset nothing reminds of a death, and so many meet.
fn assert_mended(barrier: &Barrier) {
    barrier.reset().unwrap();
    let state = barrier.state();
    assert!(!state.broken && state.waiting == 0 && state.members.len() == 1, "{state:?}");
    std::thread::scope(|scope| {
        let parties: Vec<_> =
            (0..barrier.parties()).map(|_| scope.spawn(|| barrier.wait(Some(PATIENCE)))).collect();
        let mut places: Vec<_> = parties.into_iter().map(|party| party.join().unwrap().unwrap()).collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..barrier.parties()));
    });
    assert_alone(barrier.region());
}

fn assert_broken<T: std::fmt::Debug>(outcome: &Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::BrokenBarrier { .. })), "{outcome:?}");
}

fn join_in(stage: &Stage<'_>) {
    let barrier = barrier(stage, 2);
    let victim = stage.victim(|| {
        let region = Region::open(stage.space(), ID).unwrap();
        join(&region);
        operation(|| forget(open(stage)));
    });
    victim.dies();
    if barrier.state().members.len() == 2 {
        assert_broken(&barrier.wait(Some(PATIENCE)));
    }
    assert_mended(&barrier);
}

fn leave(stage: &Stage<'_>) {
    let barrier = barrier(stage, 2);
    let victim = stage.victim(|| {
        let barrier = open(stage);
        let region = barrier.region().clone();
        operation(|| drop(barrier));
        region
    });
    victim.dies();
    if barrier.state().members.len() == 2 {
        assert_broken(&barrier.wait(Some(PATIENCE)));
    }
    assert_mended(&barrier);
}

fn arrive_alone(stage: &Stage<'_>) {
    let barrier = barrier(stage, 1);
    let before = barrier.state().phase;
    let victim = stage.victim(|| {
        let barrier = open(stage);
        operation(|| assert_eq!(barrier.wait(None).unwrap(), 0));
        barrier
    });
    victim.dies();
    assert!((before..=before + 1).contains(&barrier.state().phase));
    assert_eq!(barrier.wait(Some(PATIENCE)).unwrap(), 0);
    assert_mended(&barrier);
}

fn wait_in_vain(stage: &Stage<'_>) {
    let barrier = barrier(stage, 2);
    let victim = stage.victim(|| {
        let barrier = open(stage);
        operation(|| assert!(matches!(barrier.wait(Some(MOMENT)), Err(Error::Timeout { .. }))));
        barrier
    });
    victim.dies();
    let arrived = barrier.waiting() == 1 && !barrier.is_broken();
    match barrier.wait(Some(PATIENCE)) {
        // Its arrival counts, though it is dead by now.
        Ok(place) => assert!(arrived && place == 1),
        broken => assert_broken(&broken),
    }
    assert_mended(&barrier);
}

fn act(stage: &Stage<'_>) {
    let barrier = barrier(stage, 1);
    let victim = stage.victim(|| {
        let barrier = open(stage);
        operation(|| assert_eq!(barrier.wait_with(None, || ()).unwrap(), 0));
        barrier
    });
    victim.dies();
    match barrier.wait_with(Some(PATIENCE), || ()) {
        Ok(place) => assert_eq!(place, 0),
        broken => assert_broken(&broken),
    }
    assert_mended(&barrier);
}

fn reset(stage: &Stage<'_>) {
    let barrier = barrier(stage, 2);
    let victim = stage.victim(|| {
        let barrier = open(stage);
        operation(|| barrier.reset().unwrap());
        barrier
    });
    barrier.abort();
    victim.dies();
    assert_broken(&barrier.wait(Some(PATIENCE)));
    assert_mended(&barrier);
}

fn arrive_with_a_sleeper(stage: &Stage<'_>) {
    last_with_a_sleeper(stage, |barrier| {
        barrier.wait(None).unwrap();
    });
}

fn act_with_a_sleeper(stage: &Stage<'_>) {
    last_with_a_sleeper(stage, |barrier| {
        barrier.wait_with(None, || ()).unwrap();
    });
}

fn last_with_a_sleeper(stage: &Stage<'_>, arrive: fn(&Barrier)) {
    let barrier = barrier(stage, 2);
    let before = barrier.state().phase;
    let victim = stage.victim(|| {
        let barrier = open(stage);
        operation(|| arrive(&barrier));
        barrier
    });
    let (outcome, latency) = asleep_while(|| barrier.wait(Some(PATIENCE)), || victim.dies());
    stage.note_latency(latency);
    match outcome {
        Ok(place) => assert_eq!((place, barrier.state().phase), (0, before + 1)),
        broken => {
            assert!(broken.as_ref().is_err_and(|error| error.to_string().contains("died")), "{broken:?}");
            assert_broken(&broken);
        }
    }
    assert_mended(&barrier);
}
