//! Ten thousand regions are listed while a person looks.

use crate::terminal::Terminal;
use memlane::Value;
use std::time::{Duration, Instant};

const REGIONS: usize = 10_000;
/// Far above what any build takes; below it nobody believes in a hang. The figures themselves are printed.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn ten_thousand_regions_are_listed() {
    let terminal = Terminal::new();
    for index in 0..REGIONS {
        let id = format!("folder-{}/value-{index}", index % 100);
        Value::create(&terminal.space, &id, index as u64).unwrap();
    }
    for arguments in [&["ls"][..], &["ls", "--json"], &["ps"], &["locks"], &["locks", "--all"], &["doctor"]] {
        let start = Instant::now();
        let ran = terminal.run(arguments);
        let elapsed = start.elapsed();
        println!("memlane {}: {elapsed:.3?} for {REGIONS} regions", arguments.join(" "));
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.messages);
        assert!(elapsed < PATIENCE, "{arguments:?} took {elapsed:?}");
    }
    assert_eq!(terminal.output(&["ls"]).lines().count(), REGIONS + 1);
}
