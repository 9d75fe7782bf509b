//! What is compared with what, and what the ratio should be.

use harness::{Terms, Wait, Write};

use crate::comparison::{Comparison, Goal, Manner, Variant};
use crate::figure::Figure;
use crate::plot::Chart;

/// A number, a page, a picture of 404 × 640 in three colours, a large picture.
pub(crate) const SIZES: [usize; 4] = [8, 4096, 775_680, 8 << 20];

/// Of these there are figures for everybody; in [`SIZES`].
const PICTURE: usize = SIZES[2];

/// A record of a sensor.
const RECORD: usize = 64;

/// So many sleep and are woken in a round at least: one of them says little.
const WAKES: u64 = 100;

const FRAMES: &str = "memlane.frames";
const STREAM: &str = "memlane.stream";
const VALUE: &str = "memlane.value";
const QUEUE: &str = "memlane.queue";
const LOCK: &str = "memlane.lock";

const CACHE_LINE: &str = "floors.cache line";
const MEMCPY: &str = "floors.memcpy";
const FUTEX: &str = "floors.futex";
const ICEORYX2: &str = "iceoryx2.publish-subscribe";
const VYUKOV: &str = "vyukov.queue";
const PTHREAD: &str = "posix.mutex";

/// All, in the order of the report.
pub(crate) fn all() -> Vec<Comparison> {
    let mut all: Vec<_> = SIZES.into_iter().map(one_way).collect();
    all.push(in_place());
    all.extend(SIZES.into_iter().map(asleep));
    all.extend([8, PICTURE].into_iter().map(rate));
    all.extend([(200, Wait::Asleep), (10_000, Wait::Asleep), (10_000, Wait::Busy)].into_iter().map(paced));
    all.extend([at_rest(), receiving(), uncontended(), contended(), crowded(), attach()]);
    all.extend([100, 1_000, 10_000].into_iter().map(many));
    all.push(start());
    all
}

fn one_way(size: usize) -> Comparison {
    let goals = match size {
        8 => vec![
            beside(FRAMES, ICEORYX2, Figure::OneWay, 0.5),
            beside(FRAMES, CACHE_LINE, Figure::OneWay, 2.0),
            beside(STREAM, CACHE_LINE, Figure::OneWay, 1.5),
            beside(VALUE, CACHE_LINE, Figure::OneWay, 1.2),
        ],
        PICTURE => vec![beside(FRAMES, MEMCPY, Figure::OneWay, 1.02)],
        _ => Vec::new(),
    };
    Comparison {
        goals,
        chart: Some(Chart::OneWay),
        ..pair(format!("one way, {}, busy", bytes(size)), "round trip", sized(size), &[Figure::OneWay])
    }
}

/// Written where it is read: then the size should not matter.
fn in_place() -> Comparison {
    let variant = |size| Variant {
        label: bytes(size),
        terms: Terms { write: Write::InPlace, ..sized(size) },
        sides: 2,
    };
    let goal = beside(FRAMES, FRAMES, Figure::OneWay, 1.2);
    Comparison {
        variants: SIZES.into_iter().map(variant).collect(),
        goals: vec![Goal { variants: [2, 1], ..goal }],
        chart: Some(Chart::InPlace),
        ..pair("one way, written in place, busy".into(), "round trip", Terms::default(), &[Figure::OneWay])
    }
}

fn asleep(size: usize) -> Comparison {
    const FIGURES: &[Figure] = &[Figure::Median, Figure::P99, Figure::Processor];
    let goal = |ours| beside(ours, FUTEX, Figure::Median, 1.1);
    Comparison {
        manner: Manner::Again { least: WAKES },
        goals: if size == 8 { [FRAMES, STREAM, VALUE].map(goal).into() } else { Vec::new() },
        chart: Some(Chart::Asleep),
        ..pair(
            format!("round trip, {}, asleep", bytes(size)),
            "round trip",
            Terms { wait: Wait::Asleep, ..sized(size) },
            FIGURES,
        )
    }
}

fn rate(size: usize) -> Comparison {
    let goal = beside(QUEUE, VYUKOV, Figure::Rate, 0.7);
    Comparison {
        goals: if size == 8 { vec![goal] } else { Vec::new() },
        ..pair(
            format!("as fast as it goes, {}", bytes(size)),
            "rate",
            sized(size),
            &[Figure::Rate, Figure::Missed, Figure::Torn, Figure::Repeated],
        )
    }
}

fn paced((rate, wait): (u32, Wait)) -> Comparison {
    const FIGURES: &[Figure] = &[Figure::Median, Figure::P99, Figure::Longest, Figure::Busy, Figure::Missed];
    let waits = if wait == Wait::Busy { "busy" } else { "asleep" };
    Comparison {
        // Three tenths of a second.
        manner: Manner::Counted(u64::from(rate) * 3 / 10),
        ..pair(
            format!("stream at {rate} Hz, {}, {waits}", bytes(RECORD)),
            "paced",
            Terms { rate: Some(rate), wait, ..sized(RECORD) },
            FIGURES,
        )
    }
}

/// What it costs to publish, whoever else is there.
fn at_rest() -> Comparison {
    let variant = |readers| readers_of(readers, Terms { rest: true, ..Terms::default() });
    let goal = |ours| Goal { variants: [5, 0], ..beside(ours, ours, Figure::First, 1.3) };
    Comparison {
        variants: [0, 1, 2, 4, 8, 16].into_iter().map(variant).collect(),
        goals: vec![goal(FRAMES), goal(STREAM), goal(VALUE)],
        chart: Some(Chart::AtRest),
        ..pair("publish 8 B, readers at rest".into(), "publish", Terms::default(), &[Figure::First])
    }
}

/// The same, with all of them looking at what is published.
fn receiving() -> Comparison {
    let variant = |readers| readers_of(readers, Terms { wait: Wait::Asleep, ..Terms::default() });
    Comparison {
        variants: [1, 2, 4, 8, 16].into_iter().map(variant).collect(),
        chart: Some(Chart::Receiving),
        ..pair("publish 8 B, readers receive".into(), "publish", Terms::default(), &[Figure::First])
    }
}

fn uncontended() -> Comparison {
    let goal = beside(LOCK, PTHREAD, Figure::Shared, 1.2);
    Comparison {
        goals: vec![goal],
        variants: vec![Variant { label: String::new(), terms: Terms::default(), sides: 1 }],
        ..pair("lock and unlock, uncontended".into(), "lock", Terms::default(), &[Figure::Shared])
    }
}

fn contended() -> Comparison {
    Comparison {
        goals: vec![beside(LOCK, PTHREAD, Figure::Shared, 1.2)],
        ..pair("lock and unlock, two at once".into(), "lock", Terms::default(), &[Figure::Shared])
    }
}

/// The first has a core of its own, all others share one.
fn crowded() -> Comparison {
    let variant = |sides| Variant { label: format!("{sides} processes"), terms: Terms::default(), sides };
    Comparison {
        variants: [2, 4, 8].into_iter().map(variant).collect(),
        chart: Some(Chart::Crowded),
        ..pair("lock and unlock, several at once".into(), "lock", Terms::default(), &[Figure::Shared])
    }
}

fn attach() -> Comparison {
    let goal = |ours| Goal { theirs: None, ..beside(ours, "", Figure::Last, 30_000.0) };
    Comparison {
        goals: [VALUE, FRAMES].map(goal).into(),
        ..pair(
            "attach to one that is there, and close it".into(),
            "attach",
            Terms::default(),
            &[Figure::Last],
        )
    }
}

fn many(count: u64) -> Comparison {
    let goal = |ours| Goal { theirs: None, ..beside(ours, "", Figure::Bytes, 16.0 * 1024.0) };
    Comparison {
        manner: Manner::Anew(count),
        variants: vec![Variant { label: String::new(), terms: Terms::default(), sides: 1 }],
        goals: if count == 1_000 { [VALUE, FRAMES].map(goal).into() } else { Vec::new() },
        chart: Some(Chart::Many),
        ..pair(
            format!("make {} of 8 B, and keep them", grouped(count as usize)),
            "many",
            Terms::default(),
            &[Figure::First, Figure::Bytes],
        )
    }
}

fn start() -> Comparison {
    Comparison {
        manner: Manner::Start,
        ..pair(
            "start a process and attach to one that is there".into(),
            "attach",
            Terms::default(),
            &[Figure::Last],
        )
    }
}

/// Two processes, as often as a round takes; what else there is stands beside it.
fn pair(what: String, work: &'static str, terms: Terms, figures: &'static [Figure]) -> Comparison {
    Comparison {
        what,
        work,
        manner: Manner::Again { least: 1 },
        variants: vec![Variant { label: String::new(), terms, sides: 2 }],
        figures,
        goals: Vec::new(),
        chart: None,
    }
}

fn sized(size: usize) -> Terms {
    Terms { size, ..Terms::default() }
}

fn readers_of(readers: usize, terms: Terms) -> Variant {
    let plural = if readers == 1 { "" } else { "s" };
    Variant {
        label: format!("{readers} reader{plural}"),
        terms: Terms { readers, ..terms },
        sides: 1 + readers,
    }
}

fn beside(ours: &'static str, theirs: &'static str, figure: Figure, bound: f64) -> Goal {
    Goal { ours, theirs: Some(theirs), variants: [0, 0], figure, bound }
}

/// `775,680 B`, `8 MiB`.
pub(crate) fn bytes(size: usize) -> String {
    match size {
        size if size.is_multiple_of(1 << 20) => format!("{} MiB", size >> 20),
        size if size.is_multiple_of(1 << 10) => format!("{} KiB", size >> 10),
        size => format!("{} B", grouped(size)),
    }
}

/// `10,000`.
fn grouped(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_goal_is_of_something_that_is_measured() {
        for comparison in all() {
            for goal in &comparison.goals {
                assert!(comparison.figures.contains(&goal.figure), "{}", comparison.what);
                assert!(
                    goal.variants.iter().all(|variant| *variant < comparison.variants.len()),
                    "{}",
                    comparison.what
                );
                // Several variants are measured in turn of one way, not of two.
                let in_turn = comparison.variants.len() == 1 || goal.theirs == Some(goal.ours);
                assert!(in_turn, "{}", comparison.what);
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = all().into_iter().map(|comparison| comparison.what).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn sizes_are_written_as_people_do() {
        assert_eq!(SIZES.map(bytes), ["8 B", "4 KiB", "775,680 B", "8 MiB"]);
    }
}
