//! `memlane bench`: that its figures are figures, and that nothing of it is left, however it ends.

use crate::terminal::{Ran, Terminal};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take to happen on a machine with much to do.
const DEADLINE: Duration = Duration::from_mins(1);

/// The directories that benches have beside the space.
fn stages(terminal: &Terminal) -> Vec<PathBuf> {
    let space = terminal.scratch.path();
    let prefix = format!("{}-bench-", space.file_name().unwrap().to_str().unwrap());
    let entries = std::fs::read_dir(space.parent().unwrap()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix)).collect()
}

/// The processes that were told of this space, or of a stage beside it.
fn processes(terminal: &Terminal) -> usize {
    let space = terminal.scratch.path().to_str().unwrap();
    let pids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    pids.filter(|process| command_line(process).contains(space)).count()
}

/// Empty for processes that have ended, reaped or not.
fn command_line(process: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(process.join("cmdline")).unwrap_or_default()).into_owned()
}

fn assert_nothing_is_left(terminal: &Terminal) {
    assert_eq!((stages(terminal), processes(terminal)), (vec![], 0));
    assert!(terminal.scratch.files().is_empty(), "the space is not its own");
}

/// A bench that has begun to measure; everything there is would take it a minute.
fn started(terminal: &Terminal) -> Child {
    let mut command = terminal.command(&["bench"]);
    let bench = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while stages(terminal).is_empty() || processes(terminal) < 2 {
        assert!(start.elapsed() < DEADLINE, "it has not begun");
        std::thread::yield_now();
    }
    bench
}

#[test]
fn a_row_has_figures_of_both_and_nothing_is_left() {
    let terminal = Terminal::new();
    let document = terminal.json(&["bench", "--quick", "event: round trip"]);
    let row = &document["rows"][0];
    if document["machine"]["cores"] == 1 {
        assert_eq!(document["rows"].as_array().unwrap().len(), 0, "{document}");
        return;
    }
    assert_eq!((&row["unit"], &row["beside"]["what"]), (&"ns".into(), &"bare futex".into()));
    let median = |side: &str| row[side]["median"].as_f64().unwrap();
    // Two sleepers cannot answer each other faster than a system call takes.
    assert!(median("memlane") > 100.0 && median("beside") > 100.0, "{document}");
    let ratio = row["ratio"].as_f64().unwrap();
    assert!((ratio * median("beside") / median("memlane") - 1.0).abs() < 0.001, "{document}");
    assert_eq!(row["memlane"]["rounds"], 5);
    assert_nothing_is_left(&terminal);
}

#[test]
fn people_are_shown_a_table() {
    let terminal = Terminal::new();
    let ran = terminal.run(&["bench", "--quick", "region: memory"]);
    let lines: Vec<_> = ran.output.lines().collect();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(lines[0].starts_with("WHAT") && lines[1].starts_with("region: memory of a value"), "{ran:?}");
    assert!(lines[1].contains("KiB") && lines[3].contains("measured on"), "{ran:?}");
    assert_nothing_is_left(&terminal);
}

#[test]
fn an_interrupt_ends_it_and_nothing_is_left() {
    let terminal = Terminal::new();
    let bench = started(&terminal);
    kill_process(Pid::from_child(&bench), Signal::INT).unwrap();
    let ran = Ran::from(bench.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_nothing_is_left(&terminal);
}

#[test]
fn its_processes_end_when_it_is_killed_and_the_next_one_tidies_up() {
    let terminal = Terminal::new();
    let mut bench = started(&terminal);
    bench.kill().unwrap();
    bench.wait().unwrap();
    let killed = Instant::now();
    while processes(&terminal) > 0 {
        assert!(killed.elapsed() < DEADLINE, "its processes go on");
        std::thread::yield_now();
    }
    assert_eq!(stages(&terminal).len(), 1, "nobody was left to remove the directory");
    assert_eq!(terminal.run(&["bench", "--quick", "region: memory"]).code, Some(0));
    assert_nothing_is_left(&terminal);
}

#[test]
fn a_word_that_nothing_has_is_refused_with_those_there_are() {
    let terminal = Terminal::new();
    terminal.run(&["bench", "horse"]).failed(2, &["`horse`", "lock: lock and unlock"]);
}
