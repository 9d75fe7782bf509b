//! Texts: writes, conditional or not, against a string and its version, and several threads at once.

mod patience;
mod random;
mod scratch;
mod sealed;

use memlane::{Error, Result, Text};
use patience::{DEADLINE, assert_in_vain, assert_woken};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use random::Random;
use scratch::Scratch;
use std::thread;
use std::time::Duration;

const ID: &str = "notes/today";

#[derive(Debug, Clone)]
enum Step {
    Write(String),
    /// With the version that stands, moved by so much.
    WriteIf(i8, String),
}

/// A text and how often it was changed.
#[derive(Debug)]
struct Model {
    capacity: usize,
    text: String,
    version: u64,
}

impl Model {
    fn change(&mut self, text: &str) -> u64 {
        text.clone_into(&mut self.text);
        self.version += 1;
        self.version
    }
}

fn perform(step: &Step, text: &Text, model: &mut Model) -> TestCaseResult {
    let (new, written) = match step {
        Step::Write(new) => (new, text.write(new).map(Ok)),
        Step::WriteIf(off, new) => {
            (new, text.write_if(model.version.wrapping_add_signed((*off).into()), new))
        }
    };
    let current = matches!(step, Step::Write(_) | Step::WriteIf(0, _));
    match written {
        Err(Error::TooLarge { size, capacity, .. }) => {
            prop_assert_eq!((size, capacity), (new.len(), model.capacity));
            prop_assert!(size > capacity);
        }
        Err(error) => return Err(error.into()),
        Ok(Ok(version)) => {
            prop_assert!(current && new.len() <= model.capacity);
            prop_assert_eq!(version, model.change(new));
        }
        Ok(Err(conflict)) => {
            prop_assert!(!current);
            prop_assert_eq!((conflict.version, &conflict.content), (model.version, &model.text));
        }
    }
    Ok(())
}

/// Characters of one to four bytes, the zero among them.
fn content() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z\\x00\\n]{0,60}", "[aäあ🦀]{0,25}", "\\PC{0,20}"]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => content().prop_map(Step::Write),
        3 => (prop_oneof![3 => Just(0), 1 => -2_i8..3], content()).prop_map(|(off, new)| Step::WriteIf(off, new)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_write_does_what_the_model_does(
        capacity in 1_usize..80,
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let scratch = Scratch::new();
        let text = Text::create(&scratch.space(), ID, capacity)?;
        let other = Text::open(&scratch.space(), ID)?;
        let mut model = Model { capacity, text: String::new(), version: 0 };
        prop_assert_eq!(text.read()?, (String::new(), 0));
        for step in &steps {
            perform(step, &text, &mut model)?;
            prop_assert_eq!(other.read()?, (model.text.clone(), model.version));
        }
    }
}

#[test]
fn the_capacity_counts_bytes() -> Result<()> {
    let scratch = Scratch::new();
    let text = Text::open_or_create(&scratch.space(), ID, 8)?;
    assert_eq!((text.capacity(), text.version()), (8, 0));
    text.write("🦀🦀")?;
    let error = text.write("aあ🦀!").expect_err("it has nine bytes");
    assert_eq!(error.to_string(), "9 bytes do not fit region `notes/today`, which holds 8");
    let error = text.write_if(0, "123456789").expect_err("it has nine bytes and comes too late");
    assert!(matches!(error, Error::TooLarge { size: 9, .. }), "{error}");
    assert_eq!(text.read()?, ("🦀🦀".to_owned(), 1));
    let error = Text::create(&scratch.space(), "none", 0).expect_err("it would hold nothing");
    assert_eq!(error.to_string(), "region `none`: expected a run of bytes of at least 1, found 0");
    Ok(())
}

/// Lengths differ from text to text, so that a mixture of two would show.
#[test]
fn readers_under_a_flat_out_writer_see_wholes() -> Result<()> {
    const ROUNDS: u64 = 6_000;
    const LONGEST: usize = 3_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let text = Text::create(&space, ID, 2 * LONGEST)?;
    text.write(&sealed::seal_text(1, LONGEST))?;
    let read = || -> Result<()> {
        let text = Text::open(&space, ID)?;
        let mut newest = 0;
        while newest < ROUNDS {
            let (content, version) = text.read()?;
            assert_eq!(sealed::unseal_text(&content), Ok(version));
            assert!(version >= newest, "version {version} came after {newest}");
            newest = version;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read)];
        let mut random = Random::new(7);
        for number in 2..=ROUNDS {
            text.write(&sealed::seal_text(number, random.index(LONGEST)))?;
        }
        readers.into_iter().try_for_each(|reader| reader.join().expect("it does not panic"))
    })
}

/// Editors who write on condition overwrite nothing that they have not seen.
#[test]
fn no_line_of_several_editors_is_lost() -> Result<()> {
    const EDITORS: [&str; 3] = ["a", "b", "c"];
    const LINES: usize = 300;
    let scratch = Scratch::new();
    let space = scratch.space();
    let text = Text::create(&space, ID, 8 * EDITORS.len() * LINES)?;
    let edit = |name: &str| -> Result<()> {
        let text = Text::open(&space, ID)?;
        let (mut content, mut version) = text.read()?;
        for line in 0..LINES {
            loop {
                content = format!("{content}{name}{line}\n");
                match text.write_if(version, &content)? {
                    Ok(written) => break version = written,
                    Err(conflict) => (content, version) = (conflict.content, conflict.version),
                }
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let editors = EDITORS.map(|name| scope.spawn(move || edit(name)));
        editors.into_iter().try_for_each(|editor| editor.join().expect("it does not panic"))
    })?;
    let (content, version) = text.read()?;
    for name in EDITORS {
        let own = content.lines().filter_map(|line| line.strip_prefix(name)).map(str::to_owned);
        assert!(own.eq((0..LINES).map(|line| line.to_string())), "lines of {name} are missing");
    }
    assert_eq!((content.lines().count(), version), (EDITORS.len() * LINES, (EDITORS.len() * LINES) as u64));
    Ok(())
}

#[test]
fn waiters_are_woken() -> Result<()> {
    const ROUNDS: u64 = 2_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let question = Text::create(&space, "question", 20)?;
    let answer = Text::create(&space, "answer", 20)?;
    assert_woken(ROUNDS, || {
        thread::scope(|scope| {
            let answerer = scope.spawn(|| -> Result<()> {
                let (question, answer) = (Text::open(&space, "question")?, Text::open(&space, "answer")?);
                (1..=ROUNDS).try_for_each(|round| answer.write(&await_version(&question, round)?).map(drop))
            });
            for round in 1..=ROUNDS {
                question.write(&round.to_string())?;
                assert_eq!(await_version(&answer, round)?, round.to_string());
            }
            answerer.join().expect("it does not panic")
        })
    })
}

fn await_version(text: &Text, wanted: u64) -> Result<String> {
    let mut seen = text.version();
    while seen != wanted {
        seen = text.wait_newer(seen, Some(DEADLINE))?;
    }
    Ok(text.read()?.0)
}

#[test]
fn a_wait_in_vain_takes_its_time() -> Result<()> {
    let scratch = Scratch::new();
    let text = Text::create(&scratch.space(), ID, 10)?;
    let seen = text.write("a")?;
    assert_in_vain(ID, "a newer content", |timeout| text.wait_newer(seen, timeout));
    assert_eq!(text.wait_newer(0, Some(Duration::ZERO))?, seen);
    Ok(())
}
