//! Measures the ways of a comparison in turn, A B C A B C, over several rounds.

use std::time::Duration;

use harness::{Round, Said, monotonic};

use crate::comparison::{Comparison, Manner, Variant};
use crate::failed::{Failed, Outcome};
use crate::figure::{Figure, span};
use crate::interrupt;
use crate::peers::Way;
use crate::place::Place;
use crate::sides::Sides;

/// Longer than any round takes that gets on.
const LIMIT: Duration = Duration::from_secs(10);

/// Longer than a round takes whose count is not for the round to say.
const LONG_LIMIT: Duration = Duration::from_secs(30);

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// How often each.
    pub(crate) rounds: usize,
    /// How long each time.
    pub(crate) round: Duration,
}

/// The rounds of one way in one variant, or why there are none.
pub(crate) struct Measured {
    /// Such as `memlane.frames`.
    pub(crate) way: String,
    /// Its place in the comparison's list.
    pub(crate) variant: usize,
    pub(crate) rounds: Outcome<Rounds>,
}

/// Rounds of so many, each with what every side says.
#[derive(Debug)]
pub(crate) struct Rounds {
    pub(crate) count: u64,
    pub(crate) all: Vec<Vec<Round>>,
}

impl Measured {
    /// The figure of each round.
    pub(crate) fn figures(&self, figure: Figure) -> Outcome<Vec<f64>> {
        let rounds = self.rounds.as_ref().map_err(Failed::clone)?;
        let figures = rounds.all.iter().map(|sides| figure.of(rounds.count, sides));
        figures.collect::<Option<_>>().ok_or_else(|| Failed::new("was not measured"))
    }
}

/// All variants of all these ways; several variants are measured in turn of each way by itself.
pub(crate) fn measure(comparison: &Comparison, ways: &[Way], effort: Effort) -> Vec<Measured> {
    if comparison.variants.len() == 1 {
        return in_turn(comparison, ways, effort);
    }
    ways.iter().flat_map(|way| in_turn(comparison, &[*way], effort)).collect()
}

fn in_turn(comparison: &Comparison, ways: &[Way], effort: Effort) -> Vec<Measured> {
    let each = ways.iter().flat_map(|way| comparison.variants.iter().map(move |variant| (*way, variant)));
    let mut running: Vec<_> = each
        .map(|(way, variant)| (way.name(), Running::start(way, comparison, variant, effort.round)))
        .collect();
    for _ in 0..comparison.manner.rounds(effort.rounds) {
        for (_, one) in &mut running {
            if interrupt::happened() {
                break;
            }
            if let Ok(measured) = one
                && let Err(failed) = measured.one_more()
            {
                *one = Err(failed);
            }
        }
    }
    let finish = |(index, (way, one)): (usize, (String, Outcome<Running>))| Measured {
        way,
        variant: index % comparison.variants.len(),
        rounds: one.map(|measured| Rounds { count: measured.count, all: measured.rounds }),
    };
    running.into_iter().enumerate().map(finish).collect()
}

/// One way in one variant, and how often it does it in a round.
struct Running<'a> {
    way: Way<'a>,
    comparison: &'a Comparison,
    variant: &'a Variant,
    count: u64,
    /// Those that were measured.
    rounds: Vec<Vec<Round>>,
    /// Those that are there all the time.
    sides: Option<Sides>,
    place: Place,
}

impl<'a> Running<'a> {
    fn start(
        way: Way<'a>,
        comparison: &'a Comparison,
        variant: &'a Variant,
        round: Duration,
    ) -> Outcome<Self> {
        let mut running = Self {
            way,
            comparison,
            variant,
            count: 1,
            rounds: Vec::new(),
            sides: None,
            place: Place::new()?,
        };
        match comparison.manner {
            Manner::Again { least } => {
                running.sides = Some(running.ready(0..variant.sides)?);
                running.calibrate(round, least)?;
            }
            Manner::Counted(count) => {
                running.sides = Some(running.ready(0..variant.sides)?);
                running.count = count;
                // The first one finds caches cold and pages that were never touched, as calibrating does for others.
                running.round()?;
            }
            Manner::Anew(count) => running.count = count,
            Manner::Start => running.sides = Some(running.ready(0..1)?),
        }
        Ok(running)
    }

    fn ready(&self, indexes: std::ops::Range<usize>) -> Outcome<Sides> {
        let indexes: Vec<_> = indexes.collect();
        let terms = &self.variant.terms;
        let mut sides = Sides::start(self.way, self.comparison.work, terms, &self.place, &indexes)?;
        sides.ready(LIMIT)?;
        Ok(sides)
    }

    /// So many that they take as long as a round should.
    fn calibrate(&mut self, round: Duration, least: u64) -> Outcome<()> {
        let wanted = round.as_nanos() as f64;
        self.count = least;
        loop {
            // The shortest of some: a process that had to wait for its core says nothing of the work.
            let mut took = f64::INFINITY;
            for _ in 0..3 {
                took = took.min(span(&self.round()?));
            }
            if took >= wanted / 4.0 {
                self.count = least.max((self.count as f64 * wanted / took) as u64);
                return Ok(());
            }
            self.count *= 4;
        }
    }

    fn one_more(&mut self) -> Outcome<()> {
        let round = self.round()?;
        self.rounds.push(round);
        Ok(())
    }

    fn round(&mut self) -> Outcome<Vec<Round>> {
        match self.comparison.manner {
            Manner::Again { .. } | Manner::Counted(_) => {
                let sides = self.sides.as_mut().ok_or_else(|| Failed::new("was not started"))?;
                sides.tell(self.count)?;
                sides.hear(LIMIT)
            }
            Manner::Anew(count) => {
                self.place = Place::new()?;
                let mut sides = self.ready(0..self.variant.sides)?;
                sides.tell(count)?;
                sides.hear(LONG_LIMIT)
            }
            Manner::Start => {
                let begin = monotonic();
                let started = self.ready(1..2)?;
                let end = monotonic();
                drop(started);
                Ok(vec![Round { begin, end, cpu: 0, said: Said::default() }])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparisons;
    use crate::script::Script;

    const EFFORT: Effort = Effort { rounds: 3, round: Duration::from_millis(100) };

    #[test]
    fn one_that_fails_stands_beside_the_others() {
        let script = Script::new();
        let ways = [script.way("raises"), script.way("answers"), script.way("dies")];
        let comparison = &comparisons::all()[0];
        let measured = measure(comparison, &ways, EFFORT);
        let failed = |index: usize| measured[index].figures(Figure::OneWay).unwrap_err().0;
        assert_eq!(failed(0), "fails: script: out of luck");
        assert_eq!(failed(2), "was killed by signal 9");
        // Each round takes a tenth of a second, as it was to.
        assert_eq!(measured[1].rounds.as_ref().unwrap().count, 1);
        assert_eq!(measured[1].figures(Figure::OneWay), Ok(vec![5e7; 3]));
        assert_eq!(measured[1].figures(Figure::Median), Err(Failed::new("was not measured")));
    }

    #[test]
    fn a_start_is_a_process_each_time() {
        let script = Script::new();
        let comparison = comparisons::all().into_iter().find(|one| one.manner == Manner::Start).unwrap();
        let measured = measure(&comparison, &[script.way("answers")], EFFORT);
        let figures = measured[0].figures(Figure::Last).unwrap();
        assert!(figures.len() == 3 && figures.iter().all(|nanoseconds| *nanoseconds > 1e4), "{figures:?}");
    }
}
