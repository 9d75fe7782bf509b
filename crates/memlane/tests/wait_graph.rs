//! Who waits for whom: circles of threads and processes are found, each once, with everybody in them named.

mod patience;
mod role;
mod scratch;

use memlane::doctor::{self, Problem};
use memlane::wait_graph::{Edge, in_words};
use memlane::{Lock, Result, RwLock, Semaphore, Space, Value, WaitGraph};
use patience::{DEADLINE, await_that};
use role::{Role, listen, say};
use scratch::Scratch;
use std::thread;
use std::time::Duration;

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        if part.role == "reader" {
            return read_and_write(&space, &part.arguments);
        }
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

/// Has a read lock or a permit of the first, and waits for all of the second.
fn read_and_write(space: &Space, ids: &[String]) {
    let semaphores = [0, 1].map(|index| Semaphore::open(space, &ids[index]));
    if let [Ok(first), Ok(second)] = &semaphores {
        let _first = first.acquire(first.total(), None).expect("they are free");
        say("held");
        listen();
        let _ = second.acquire(1, None);
        return;
    }
    let [first, second] = [0, 1].map(|index| RwLock::open_or_create(space, &ids[index]).expect("a lock"));
    let _first = first.read(None).expect("nobody writes");
    say("held");
    listen();
    let _ = second.write(None);
}

/// Processes of which each holds the first lock and waits for the second.
fn circle<const N: usize>(scratch: &Scratch, locks: [[&str; 2]; N]) -> [Role; N] {
    circle_of("holder", scratch, locks)
}

fn circle_of<const N: usize>(role: &str, scratch: &Scratch, locks: [[&str; 2]; N]) -> [Role; N] {
    let mut roles = locks.map(|ids| Role::start(role, scratch.path(), &ids));
    for role in &roles {
        role.expect("held");
    }
    for role in &mut roles {
        role.tell("go on");
    }
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
        assert!(edge.to_string().contains("for a change of speed") && edge.holders.is_empty(), "{edge}");
        value.store(2);
        waiter.join().expect("it ends").map(drop)
    })
}

#[test]
fn readers_that_each_want_to_write_what_the_other_reads_are_a_circle() -> Result<()> {
    let scratch = Scratch::new();
    let _roles = circle_of("reader", &scratch, [["a", "b"], ["b", "a"]]);
    let graph = WaitGraph::of(&scratch.space())?;
    let deadlocks = graph.deadlocks();
    assert_eq!(deadlocks.iter().map(|circle| ids(circle)).collect::<Vec<_>>(), [["a", "b"]], "{graph:?}");
    assert!(in_words(&deadlocks[0]).contains("waits"), "{graph:?}");
    let error = RwLock::open(&scratch.space(), "a")?.write(Some(Duration::ZERO)).expect_err("it is read");
    assert!(error.to_string().contains("in vain"), "{error}");
    Ok(())
}

#[test]
fn a_circle_of_permits_needs_all_of_their_holders() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let [a, b] =
        [("a", 1), ("b", 2)].map(|(id, permits)| Semaphore::create(&space, id, permits).expect("one"));
    let mine = b.acquire(1, None)?;
    // One has all of a, the other one of the two of b.
    let mut first = Role::start("reader", scratch.path(), &["a", "b"]);
    first.expect("held");
    let other = b.acquire(1, None)?;
    first.tell("go on");
    await_that(|| WaitGraph::of(&space).expect("it can be read").edges.len() == 1, "waiter");
    let error = a.acquire(1, Some(Duration::ZERO)).expect_err("it is held");
    assert!(error.to_string().contains(&format!("(pid {}) holds 1", first.pid())), "{error}");
    // This process holds what the other waits for, and waits for nothing: it can let go.
    assert!(WaitGraph::of(&space)?.deadlocks().is_empty());
    thread::scope(|scope| {
        let waiter = scope.spawn(|| a.acquire(1, Some(DEADLINE)).map(drop));
        await_that(|| !WaitGraph::of(&space).expect("it can be read").deadlocks().is_empty(), "deadlock");
        drop((mine, other));
        waiter.join().expect("it ends")
    })
}
