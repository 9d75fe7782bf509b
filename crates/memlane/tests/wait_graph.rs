//! Who waits for whom: circles of threads and processes are found, each once, with everybody in them named.

mod patience;
mod role;
mod scratch;

use memlane::doctor::{self, Problem};
use memlane::wait_graph::{Edge, in_words};
use memlane::{Lock, Result, Space, Value, WaitGraph};
use patience::{DEADLINE, await_that};
use role::{Role, listen, say};
use scratch::Scratch;
use std::thread;

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let [first, second] =
            [0, 1].map(|index| Lock::open_or_create(&space, &part.arguments[index]).expect("a lock"));
        let _first = first.lock().expect("it is free");
        say("held");
        listen();
        let _second = second.lock().expect("whoever holds it is killed");
        say("both held");
        listen();
    });
}

/// Processes of which each holds the first lock and waits for the second.
fn circle<const N: usize>(scratch: &Scratch, locks: [[&str; 2]; N]) -> [Role; N] {
    let mut roles = locks.map(|ids| Role::start("holder", scratch.path(), &ids));
    roles.iter().for_each(|role| role.expect("held"));
    roles.iter_mut().for_each(|role| role.tell("go on"));
    let waits = || WaitGraph::of(&scratch.space()).expect("the space can be read").edges.len();
    await_that(|| waits() == N, "everybody waits");
    roles
}

fn ids<'a>(circle: &[&'a Edge]) -> Vec<&'a str> {
    let mut ids: Vec<_> = circle.iter().map(|edge| edge.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_circle_of_processes_is_found_with_its_names() -> Result<()> {
    let scratch = Scratch::new();
    let mut roles = circle(&scratch, [["a", "b"], ["b", "c"], ["c", "a"], ["d", "a"]]);
    let space = scratch.space();
    let graph = WaitGraph::of(&space)?;
    let deadlocks = graph.deadlocks();
    assert_eq!(
        deadlocks.iter().map(|circle| ids(circle)).collect::<Vec<_>>(),
        [["a", "b", "c"]],
        "{graph:?}"
    );
    let words = in_words(&deadlocks[0]);
    for role in &roles[..3] {
        let pid = role.pid();
        assert_eq!(words.matches(&format!("(pid {pid}), thread ")).count(), 2, "{words}");
    }
    let findings = doctor::examine(&space)?;
    let told: Vec<_> =
        findings.iter().filter(|finding| matches!(finding.problem, Problem::Deadlock(_))).collect();
    assert_eq!(told.len(), 1, "{findings:?}");
    assert!(!told[0].problem.is_fixable());
    // One of them ends, and the way is free for the one behind it.
    roles[2].kill_and_wait();
    roles[1].expect("both held");
    assert!(WaitGraph::of(&space)?.deadlocks().is_empty());
    Ok(())
}

#[test]
fn two_circles_are_two() -> Result<()> {
    let scratch = Scratch::new();
    let _roles = circle(&scratch, [["a", "b"], ["b", "a"], ["c", "d"], ["d", "c"]]);
    let graph = WaitGraph::of(&scratch.space())?;
    let mut found: Vec<_> = graph.deadlocks().iter().map(|circle| ids(circle)).collect();
    found.sort_unstable();
    assert_eq!(found, [["a", "b"], ["c", "d"]]);
    Ok(())
}

#[test]
fn threads_of_one_process_are_told_apart() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let [a, b] = ["a", "b"].map(|id| Lock::create(&space, id).expect("a lock"));
    thread::scope(|scope| {
        let guard = a.lock()?;
        // Waits for a, and holds b; this thread waits for nothing.
        scope.spawn(|| {
            let _b = b.lock().expect("it is free");
            let _a = a.lock_timeout(DEADLINE).expect("it is given back");
        });
        let is_waited_for = || !a.state().waiters.is_empty();
        await_that(is_waited_for, "waiter");
        let graph = WaitGraph::of(&space)?;
        assert_eq!((graph.edges.len(), graph.deadlocks().len()), (1, 0), "{graph:?}");
        drop(guard);
        Ok(())
    })
}

#[test]
fn who_waits_for_a_change_is_shown_and_blocked_by_nobody() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let value = Value::create(&space, "speed", 1_u8)?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| value.wait_newer(&value.read(), Some(DEADLINE)));
        let edges = || WaitGraph::of(&space).expect("the space can be read").edges;
        await_that(|| !edges().is_empty(), "waiter");
        let edge = &edges()[0];
        assert!(edge.to_string().contains("for a change of `speed`") && edge.holders.is_empty(), "{edge}");
        value.store(2);
        waiter.join().expect("it ends").map(drop)
    })
}
