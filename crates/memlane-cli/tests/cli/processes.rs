//! Commands about processes and what they hold: ps, locks, doctor. The processes are real ones.

use crate::role::{DEADLINE, Part, Role, listen, say};
use crate::terminal::Terminal;
use memlane::{FramePublisher, FrameSpec, Lock, Result, Space, Value};
use rustix::process::{Signal, WaitIdOptions};
use serde_json::{Value as Json, json};
use std::time::Instant;

/// What a child of these tests does.
pub(crate) fn perform(part: &Part) {
    let space = Space::at(&part.directory).unwrap();
    let played = match part.role.as_str() {
        "holder" => hold(&space, &part.arguments),
        "publisher" => publish(&space),
        other => panic!("there is no role {other}"),
    };
    played.unwrap();
}

/// Takes one lock, and when told so another.
fn hold(space: &Space, ids: &[String]) -> Result<()> {
    let first = Lock::open_or_create(space, &ids[0])?;
    let _first = first.lock()?;
    say("held");
    listen();
    if let Some(id) = ids.get(1) {
        let second = Lock::open_or_create(space, id)?;
        let _second = second.lock()?;
        say("both held");
        listen();
    }
    Ok(())
}

fn publish(space: &Space) -> Result<()> {
    let mut camera = FramePublisher::open_or_create(space, "camera", &FrameSpec::bytes(100))?;
    camera.loan()?.publish();
    say("published");
    listen();
    Ok(())
}

fn started(terminal: &Terminal, role: &str, arguments: &[&str], first: &str) -> Role {
    let role = Role::start(role, terminal.scratch.path(), arguments);
    role.expect(first);
    role
}

/// Looks until the JSON of a command is as wanted.
fn await_json(terminal: &Terminal, arguments: &[&str], wanted: impl Fn(&Json) -> bool) -> Json {
    let start = Instant::now();
    loop {
        let json = terminal.json(arguments);
        if wanted(&json) {
            return json;
        }
        assert!(start.elapsed() < DEADLINE, "{json}");
    }
}

#[test]
fn ps_joins_a_process_over_its_regions() {
    let terminal = Terminal::new();
    let speed = Value::create(&terminal.space, "speed", 1_u8).unwrap();
    let arm = Lock::create(&terminal.space, "arm").unwrap();
    let _guard = arm.lock().unwrap();
    let camera = FramePublisher::create(&terminal.space, "camera", &FrameSpec::bytes(100)).unwrap();
    let rows = terminal.json(&["ps"]);
    let row = &rows[0];
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert_eq!((&row["pid"], &row["state"]), (&json!(std::process::id()), &json!("running")));
    assert_eq!(row["regions"], json!(["arm", "camera", "speed"]));
    assert_eq!((&row["locks"], &row["publishes"]), (&json!(["arm"]), &json!(["camera"])));
    let output = terminal.output(&["ps"]);
    assert!(output.contains("lock arm, publisher of camera"), "{output}");
    assert_eq!(terminal.json(&["ps", "camera"])[0]["regions"], json!(["camera"]));
    assert_eq!(terminal.json(&["ps", "x*"]), json!([]));
    drop((speed, camera));
}

#[test]
fn ps_tells_the_stopped_and_the_dead() {
    let terminal = Terminal::new();
    let mut holder = started(&terminal, "holder", &["arm"], "held");
    let state = |rows: &Json| rows[0]["state"].as_str().map(str::to_owned);
    assert_eq!(terminal.json(&["ps"])[0]["pid"], holder.pid());
    holder.signal(Signal::STOP);
    holder.await_state(WaitIdOptions::STOPPED);
    let rows = terminal.json(&["ps"]);
    assert_eq!((state(&rows).as_deref(), &rows[0]["locks"]), (Some("stopped"), &json!(["arm"])));
    holder.kill();
    holder.await_state(WaitIdOptions::EXITED);
    assert_eq!(state(&terminal.json(&["ps"])).as_deref(), Some("zombie"));
    holder.kill_and_wait();
    let rows = terminal.json(&["ps"]);
    assert_eq!((state(&rows).as_deref(), &rows[0]["alive"]), (Some("dead"), &json!(false)));
}

#[test]
fn a_lock_is_freed_from_the_dead_and_with_a_word_more_from_the_living() {
    let terminal = Terminal::new();
    let holder = started(&terminal, "holder", &["arm"], "held");
    let pid = format!("(pid {})", holder.pid());
    terminal.run(&["locks", "--release", "arm"]).failed(7, &["arm", &pid, "which lives"]);
    let freed = terminal.json(&["locks", "--release", "arm", "--kill"]);
    assert_eq!(freed["killed"], true);
    assert!(freed["was"].as_str().unwrap().contains(&pid), "{freed}");
    holder.await_state(WaitIdOptions::EXITED);
    assert_eq!(terminal.json(&["locks"])[0]["inconsistent"], true);

    started(&terminal, "holder", &["leg"], "held").kill_and_wait();
    let told = terminal.output(&["locks", "--release", "leg", "--consistent"]);
    assert!(told.starts_with("leg: free; it was held by ") && !told.contains("ended"), "{told}");
    let left = terminal.json(&["locks"]);
    assert_eq!((left.as_array().unwrap().len(), &left[0]["id"]), (1, &json!("arm")));
    terminal.run(&["locks", "--release", "leg"]).failed(1, &["nobody holds it"]);
    assert_eq!(terminal.run(&["locks", "--kill"]).code, Some(2));
}

#[test]
fn locks_tell_who_holds_and_who_waits() {
    let terminal = Terminal::new();
    let holder = started(&terminal, "holder", &["arm"], "held");
    let mut waiter = started(&terminal, "holder", &["leg", "arm"], "held");
    waiter.tell("go on");
    let locks = await_json(&terminal, &["locks"], |locks| locks[0]["waiters"][0].is_object());
    assert_eq!((&locks[0]["id"], &locks[0]["holder"]["pid"]), (&json!("arm"), &json!(holder.pid())));
    assert_eq!(
        (&locks[0]["waiters"][0]["pid"], &locks[0]["holder"]["depth"]),
        (&json!(waiter.pid()), &json!(1))
    );
    assert_eq!((&locks[1]["id"], &locks[0]["deadlock"]), (&json!("leg"), &json!(false)));
    let output = terminal.output(&["locks"]);
    assert!(output.contains(&holder.pid().to_string()) && output.contains("held"), "{output}");
    let rows = terminal.json(&["ps"]);
    let rows = rows.as_array().unwrap();
    let row = rows.iter().find(|row| row["pid"] == waiter.pid()).unwrap();
    assert_eq!((&row["waits"][0]["id"], &row["waits"][0]["what"]), (&json!("arm"), &json!("lock")));
    assert!(holder.finish().success());
    waiter.expect("both held");
}

#[test]
fn locks_tell_a_deadlock() {
    let terminal = Terminal::new();
    let mut roles = [["arm", "leg"], ["leg", "head"], ["head", "arm"], ["tail", "arm"]]
        .map(|ids| started(&terminal, "holder", &ids, "held"));
    for role in &mut roles {
        role.tell("go on");
    }
    let is_complete = |locks: &Json| {
        let waits = |lock: &Json| lock["waiters"].as_array().unwrap().len();
        locks.as_array().unwrap().iter().map(waits).sum::<usize>() == 4
    };
    let locks = await_json(&terminal, &["locks"], is_complete);
    let in_cycle: Vec<_> = locks.as_array().unwrap().iter().filter(|lock| lock["deadlock"] == true).collect();
    assert_eq!(in_cycle.len(), 3, "{locks}");
    let output = terminal.output(&["locks"]);
    let told: Vec<_> = output.lines().filter(|line| line.starts_with("deadlock: ")).collect();
    assert_eq!(told.len(), 1, "{output}");
    assert!(told[0].matches("for the lock of").count() == 3 && !told[0].contains("tail"), "{output}");
    let graph = terminal.output(&["locks", "--graph"]);
    assert_eq!(graph.lines().filter(|line| line.contains("waits")).count(), 5, "{graph}");
    let edges = terminal.json(&["locks", "--graph"]);
    let stuck = edges.as_array().unwrap().iter().filter(|edge| edge["deadlock"] == true).count();
    assert_eq!((edges.as_array().unwrap().len(), stuck), (4, 3), "{edges}");
    assert!(edges[0]["holders"][0]["thread"].is_u64(), "{edges}");
}

#[test]
fn the_lock_of_a_dead_owner_is_told_until_it_is_consistent() {
    let terminal = Terminal::new();
    started(&terminal, "holder", &["arm"], "held").kill_and_wait();
    assert!(terminal.output(&["locks"]).contains("owner died"));
    assert_eq!(terminal.json(&["locks"])[0]["holder"]["alive"], false);
    // Putting its description away does not make the lock a free one.
    terminal.run(&["doctor", "--fix"]);
    assert!(terminal.output(&["locks"]).contains("(unknown process)"));
    assert_eq!(terminal.json(&["ps"]), json!([]));
    let arm = Lock::open(&terminal.space, "arm").unwrap();
    drop(arm.lock().unwrap());
    assert!(terminal.output(&["locks"]).contains("inconsistent"));
    let locks = terminal.json(&["locks"]);
    assert_eq!((&locks[0]["inconsistent"], &locks[0]["recoveries"]), (&json!(true), &json!(1)));
    arm.lock().unwrap().make_consistent();
    assert_eq!(terminal.json(&["locks"]), json!([]));
    assert_eq!(terminal.json(&["locks", "--all"])[0]["recoveries"], 1);
}

#[test]
fn doctor_tells_and_puts_away() {
    let terminal = Terminal::new();
    started(&terminal, "publisher", &[], "published").kill_and_wait();
    std::fs::create_dir(terminal.scratch.path().join("empty")).unwrap();
    let ran = terminal.run(&["doctor"]);
    assert_eq!((ran.code, ran.messages.as_str()), (Some(1), ""));
    assert!(ran.output.contains("memlane doctor --fix"), "{ran:?}");
    let names = |arguments: &[&str]| {
        let ran = terminal.run(&[&["--json"], arguments].concat());
        let findings: Json = serde_json::from_str(&ran.output).unwrap();
        let name =
            |finding: &Json| (finding["problem"].as_str().unwrap().to_owned(), finding["fixed"] == true);
        (ran.code, findings.as_array().unwrap().iter().map(name).collect::<Vec<_>>())
    };
    let finding = |name: &str, fixed| (name.to_owned(), fixed);
    let found = [
        finding("dead_participants", false),
        finding("dead_publisher", false),
        finding("empty_folder", false),
    ];
    assert_eq!(names(&["doctor"]), (Some(1), found.to_vec()));
    let (_, fixed) = names(&["doctor", "--fix"]);
    assert!(
        fixed.contains(&finding("dead_participants", true)) && fixed.contains(&finding("empty_folder", true))
    );
    assert!(!terminal.scratch.path().join("empty").exists());
    // What is in nobody's way is no failure.
    std::fs::create_dir(terminal.scratch.path().join("empty")).unwrap();
    drop(FramePublisher::open(&terminal.space, "camera").unwrap());
    let harmless =
        "empty: note: an empty folder\nno problems; 1 note, which `memlane doctor --fix` puts away\n";
    assert_eq!(terminal.output(&["doctor"]), harmless);
    assert_eq!(names(&["doctor"]), (Some(0), vec![finding("empty_folder", false)]));
    assert!(terminal.output(&["doctor", "--fix"]).ends_with("no problems; 1 note put away\n"));
    assert_eq!(names(&["doctor"]), (Some(0), vec![]));
    assert_eq!(terminal.output(&["doctor"]), "no problems\n");
}
