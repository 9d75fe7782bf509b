//! The bridge between a text region and a block.

use crate::{Served, await_true, peers, private_name, shared_name};
use memlane::{Space, Text};
use memlane_interop::text_block::TextBlock;
use memlane_net::legacy::{Bridge, Error, Limits, Side, Step};
use proptest::prelude::*;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use tempfile::TempDir;

struct Ends {
    directory: TempDir,
    notes: Text,
    block: Arc<TextBlock>,
}

impl Ends {
    fn new() -> Self {
        let (directory, name) = private_name();
        let space = Space::at(directory.path().join("space")).unwrap();
        let notes = Text::create(&space, "notes", 8192).unwrap();
        Self { directory, notes, block: Arc::new(TextBlock::create(&name).unwrap()) }
    }

    fn bridge(&self) -> Bridge {
        let space = Space::at(self.directory.path().join("space")).unwrap();
        Bridge::new(Text::open(&space, "notes").unwrap(), self.block.clone()).unwrap()
    }

    fn texts(&self) -> (String, String) {
        (self.notes.read().unwrap().0, self.block.read().unwrap())
    }
}

fn both(text: &str) -> (String, String) {
    (text.to_owned(), text.to_owned())
}

#[test]
fn each_side_sees_the_other_s_writes_and_none_comes_back() {
    let ends = Ends::new();
    let mut bridge = ends.bridge();
    assert_eq!(bridge.step().unwrap(), Step::default());
    ends.notes.write("来自 memlane").unwrap();
    assert_eq!(bridge.step().unwrap().carried_to, Some(Side::Block));
    assert_eq!(ends.texts(), both("来自 memlane"));
    ends.block.write("来自原程序").unwrap();
    assert_eq!(bridge.step().unwrap().carried_to, Some(Side::Region));
    assert_eq!(ends.texts(), both("来自原程序"));
    let version = ends.notes.version();
    for _ in 0..5 {
        assert_eq!(bridge.step().unwrap(), Step::default());
    }
    assert_eq!(ends.notes.version(), version, "nothing echoes");
}

#[test]
fn white_space_at_the_end_does_not_echo() {
    let ends = Ends::new();
    let mut bridge = ends.bridge();
    ends.notes.write("line\n\n").unwrap();
    bridge.step().unwrap();
    assert_eq!(bridge.step().unwrap(), Step::default());
    assert_eq!(ends.texts(), ("line\n\n".to_owned(), "line".to_owned()));
}

#[test]
fn whoever_has_a_text_at_the_beginning_gives_it() {
    for (region, block, both_have, lost) in
        [("r", "", "r", None), ("", "b", "b", None), ("r", "b", "r", Some("b")), ("x", "x", "x", None)]
    {
        let ends = Ends::new();
        if !region.is_empty() {
            ends.notes.write(region).unwrap();
        }
        ends.block.write(block).unwrap();
        let step = ends.bridge().step().unwrap();
        assert_eq!(ends.texts(), both(both_have));
        assert_eq!(step.lost, lost.map(|text| (Side::Block, text.to_owned())));
    }
}

#[test]
fn what_was_written_at_the_same_time_is_given_back() {
    let ends = Ends::new();
    let mut bridge = ends.bridge();
    ends.block.write("block").unwrap();
    ends.notes.write("region").unwrap();
    let step = bridge.step().unwrap();
    assert_eq!(step.carried_to, Some(Side::Block));
    assert_eq!(step.lost, Some((Side::Block, "block".to_owned())));
    assert_eq!(ends.texts(), both("region"));
}

#[test]
fn what_the_other_side_cannot_hold_stays_and_nothing_is_lost() {
    let ends = Ends::new();
    let mut bridge = ends.bridge();
    let long = "长".repeat(2000);
    ends.notes.write(&long).unwrap();
    assert!(matches!(bridge.step().unwrap_err(), Error::Block(_)));
    ends.block.write("meanwhile").unwrap();
    assert!(matches!(bridge.step().unwrap_err(), Error::Block(_)));
    assert_eq!(ends.texts(), (long, "meanwhile".to_owned()));
    ends.notes.write("short").unwrap();
    assert_eq!(bridge.step().unwrap().lost, Some((Side::Block, "meanwhile".to_owned())));
    assert_eq!(ends.texts(), both("short"));
}

#[test]
fn a_region_that_is_too_small_is_told() {
    let ends = Ends::new();
    let space = Space::at(ends.directory.path().join("space")).unwrap();
    let small = Text::create(&space, "small", 4).unwrap();
    let mut bridge = Bridge::new(Text::open(&space, "small").unwrap(), ends.block.clone()).unwrap();
    ends.block.write("longer").unwrap();
    assert!(matches!(bridge.step().unwrap_err(), Error::Region(_)));
    assert_eq!((small.read().unwrap().0.as_str(), ends.block.read().unwrap().as_str()), ("", "longer"));
    ends.block.write("四").unwrap();
    assert_eq!(bridge.step().unwrap().carried_to, Some(Side::Region));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is written on either side between two steps: both are the same afterwards, and what does not
    /// stand was told.
    #[test]
    fn after_each_step_both_are_the_same_and_the_rest_was_told(
        rounds in prop::collection::vec((any::<bool>(), any::<bool>()), 1..12),
    ) {
        let ends = Ends::new();
        let mut bridge = ends.bridge();
        for (number, (region, block)) in rounds.into_iter().enumerate() {
            let texts = (format!("region {number}"), format!("block {number}"));
            if block {
                ends.block.write(&texts.1).unwrap();
            }
            if region {
                ends.notes.write(&texts.0).unwrap();
            }
            let step = bridge.step().unwrap();
            let stands = ends.texts();
            prop_assert_eq!(&stands.0, &stands.1);
            let lost = (region && block).then(|| (Side::Block, texts.1.clone()));
            prop_assert_eq!(&step.lost, &lost);
            match (region, block) {
                (true, _) => prop_assert_eq!(stands.0, texts.0),
                (false, true) => prop_assert_eq!(stands.0, texts.1),
                (false, false) => prop_assert_eq!(step, Step::default()),
            }
        }
    }
}

/// Writers who never wait: whatever is overtaken in the middle of a step, both sides end the same, with a text
/// that somebody wrote last.
#[test]
fn writers_on_both_sides_at_once_end_with_one_text() {
    const WRITES: u32 = 100;
    let ends = Ends::new();
    let mut bridge = ends.bridge();
    let done = AtomicBool::new(false);
    let mut lost = Vec::new();
    thread::scope(|scope| {
        let region =
            scope.spawn(|| (0..WRITES).try_for_each(|n| ends.notes.write(&format!("region {n}")).map(drop)));
        let block = scope.spawn(|| (0..WRITES).try_for_each(|n| ends.block.write(&format!("block {n}"))));
        scope.spawn(|| {
            region.join().unwrap().unwrap();
            block.join().unwrap().unwrap();
            done.store(true, Relaxed);
        });
        while !done.load(Relaxed) {
            lost.extend(bridge.step().unwrap().lost);
        }
    });
    while bridge.step().unwrap() != Step::default() {}
    let (region, block) = ends.texts();
    assert_eq!(region, block);
    let last = format!(" {}", WRITES - 1);
    assert!(region.ends_with(&last), "{region} stands, lost: {lost:?}");
}

#[test]
fn an_original_client_and_a_region_see_each_other() {
    let name = shared_name();
    let served = Served::start(name.0.clone(), Limits::default());
    let (directory, _) = private_name();
    let space = Space::at(directory.path()).unwrap();
    let notes = Text::create(&space, "notes", 4096).unwrap();
    let port = served.socket_address().port().to_string();
    let Some(mut client) = peers::python("tests/peers/original_client.py", &[&port, name.0.text()]) else {
        return;
    };
    assert_eq!(client.hear(), "ready");
    let mut bridge = Bridge::new(Text::open(&space, "notes").unwrap(), served.host.block().clone()).unwrap();

    writeln!(client.input, "\"原来的客户端\"").unwrap();
    assert_eq!(client.hear(), r#""OK\n""#);
    await_true(|| bridge.step().unwrap().carried_to == Some(Side::Region));
    assert_eq!(notes.read().unwrap().0, "原来的客户端");

    notes.write("memlane 的文本").unwrap();
    await_true(|| bridge.step().unwrap().carried_to == Some(Side::Block));
    writeln!(client.input, "null").unwrap();
    assert_eq!(client.hear(), r#""OK memlane 的文本\n""#);
    client.finish();
    served.stop();
}
