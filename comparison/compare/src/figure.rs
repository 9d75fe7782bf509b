//! What is made of a round: one number, and how it is written.

use harness::{Percentiles, Round};

use crate::spread::Spread;

/// A figure of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Half of what a question and its answer take.
    OneWay,
    /// What one costs the first side.
    First,
    /// What one costs the last side.
    Last,
    /// What one takes when all sides do them.
    Shared,
    /// How many arrive in a second.
    Rate,
    /// Half of them took longer.
    Median,
    /// One in a hundred took longer.
    P99,
    /// The longest.
    Longest,
    /// Processor time of all sides for each.
    Processor,
    /// The share of its core that the last side takes.
    Busy,
    /// The share of messages that were sent and never seen.
    Missed,
    /// The share of what was received that was not whole.
    Torn,
    /// The share of what was received that had been seen before, or came after newer ones.
    Repeated,
    /// Memory for each.
    Bytes,
}

/// What a number of a figure is.
#[derive(Clone, Copy)]
enum Unit {
    Nanoseconds,
    PerSecond,
    Share,
    Bytes,
}

impl Figure {
    /// Of a round of `count` with these sides; none where it was not measured.
    pub(crate) fn of(self, count: u64, sides: &[Round]) -> Option<f64> {
        let (first, last) = (sides.first()?, sides.last()?);
        let count = count as f64;
        let latency = |of: fn(&Percentiles) -> u64| {
            sides.iter().rev().find_map(|side| side.said.latency.as_ref()).map(|latency| of(latency) as f64)
        };
        let [arrived, missed, torn, repeated] =
            [last.said.arrived, last.said.missed, last.said.torn, last.said.repeated]
                .map(|number| number as f64);
        match self {
            Self::OneWay => Some(took(first) / count / 2.0),
            Self::First => Some(took(first) / count),
            Self::Last => Some(took(last) / count),
            Self::Shared => Some(span(sides) / count / sides.len() as f64),
            Self::Rate => Some((arrived - repeated) / (span(sides) / 1e9)),
            Self::Median => latency(|latency| latency.p50),
            Self::P99 => latency(|latency| latency.p99),
            Self::Longest => latency(|latency| latency.max),
            Self::Processor => Some(sides.iter().map(|side| side.cpu as f64).sum::<f64>() / count),
            Self::Busy => Some(last.cpu as f64 / took(last)),
            Self::Missed => Some(missed / (arrived - repeated + missed).max(1.0)),
            Self::Torn => Some(torn / (arrived + torn).max(1.0)),
            Self::Repeated => Some(repeated / arrived.max(1.0)),
            Self::Bytes => first.said.bytes.map(|bytes| bytes as f64 / count),
        }
    }

    /// Whether the larger one is better.
    pub(crate) fn more_is_better(self) -> bool {
        self == Self::Rate
    }

    /// The head of its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::OneWay => "one way",
            Self::First | Self::Last | Self::Shared => "each",
            Self::Rate => "arrive",
            Self::Median => "median",
            Self::P99 => "99 %",
            Self::Longest => "longest",
            Self::Processor => "processor time",
            Self::Busy => "of a core",
            Self::Missed => "missed",
            Self::Torn => "torn",
            Self::Repeated => "seen again",
            Self::Bytes => "memory",
        }
    }

    /// The median, and in brackets the 10th and the 90th percentile.
    pub(crate) fn show(self, spread: Spread) -> String {
        let show = |figure| self.show_one(figure);
        format!("{} ({}–{})", show(spread.median), show(spread.p10), show(spread.p90))
    }

    /// With its unit.
    pub(crate) fn show_one(self, figure: f64) -> String {
        match self.unit() {
            Unit::Nanoseconds => scaled(figure, &[("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0)]),
            Unit::PerSecond => scaled(figure, &[("M/s", 1e6), ("k/s", 1e3), ("/s", 1.0)]),
            Unit::Share => format!("{} %", three(figure * 100.0)),
            Unit::Bytes => scaled(figure, &[("MiB", 1048576.0), ("KiB", 1024.0), ("B", 1.0)]),
        }
    }

    /// As lines for programs name what it is in.
    pub(crate) fn unit_name(self) -> &'static str {
        match self.unit() {
            Unit::Nanoseconds => "ns",
            Unit::PerSecond => "1/s",
            Unit::Share => "1",
            Unit::Bytes => "B",
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Rate => Unit::PerSecond,
            Self::Busy | Self::Missed | Self::Torn | Self::Repeated => Unit::Share,
            Self::Bytes => Unit::Bytes,
            _ => Unit::Nanoseconds,
        }
    }
}

fn took(side: &Round) -> f64 {
    side.end.saturating_sub(side.begin) as f64
}

/// From the beginning of the first to the end of the last, in nanoseconds.
pub(crate) fn span(sides: &[Round]) -> f64 {
    let begin = sides.iter().map(|side| side.begin).min().unwrap_or(0);
    let end = sides.iter().map(|side| side.end).max().unwrap_or(0);
    end.saturating_sub(begin) as f64
}

/// In the largest unit of which there is one; the units are in descending order.
fn scaled(figure: f64, units: &[(&str, f64)]) -> String {
    let fits = units.iter().find(|(_, size)| figure >= *size).or(units.last());
    fits.map_or_else(String::new, |(unit, size)| format!("{} {unit}", three(figure / size)))
}

/// Three digits; more only before the point.
fn three(number: f64) -> String {
    let digits = if number >= 100.0 || number == 0.0 {
        0
    } else if number >= 10.0 {
        1
    } else {
        2
    };
    format!("{number:.digits$}")
}

#[cfg(test)]
mod tests {
    use harness::Said;

    use super::*;

    fn round(begin: u64, end: u64, said: Said) -> Round {
        Round { begin, end, cpu: 500, said }
    }

    #[test]
    fn each_figure_is_of_what_it_says() {
        let latency = Percentiles { p50: 5, p99: 9, max: 12 };
        let said =
            Said { arrived: 32, missed: 10, torn: 8, repeated: 2, latency: Some(latency), ..Said::default() };
        let sides = [round(100, 1100, Said { bytes: Some(80), ..Said::default() }), round(110, 2100, said)];
        let figures = [
            (Figure::OneWay, 12.5),
            (Figure::First, 25.0),
            (Figure::Last, 49.75),
            (Figure::Shared, 25.0),
            (Figure::Rate, 15e6),
            (Figure::Median, 5.0),
            (Figure::P99, 9.0),
            (Figure::Longest, 12.0),
            (Figure::Processor, 25.0),
            (Figure::Missed, 0.25),
            (Figure::Torn, 0.2),
            (Figure::Repeated, 0.0625),
            (Figure::Bytes, 2.0),
        ];
        for (figure, expected) in figures {
            assert_eq!(figure.of(40, &sides), Some(expected), "{figure:?}");
        }
        assert_eq!(Figure::Median.of(40, &sides[..1]), None);
        assert_eq!(Figure::OneWay.of(40, &[]), None);
    }

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        assert_eq!(Figure::OneWay.show_one(53.46), "53.5 ns");
        assert_eq!(Figure::OneWay.show_one(0.5), "0.50 ns");
        assert_eq!(Figure::OneWay.show_one(30_100.0), "30.1 µs");
        assert_eq!(Figure::Rate.show_one(15.5e6), "15.5 M/s");
        assert_eq!(Figure::Missed.show_one(0.0), "0 %");
        assert_eq!(Figure::Bytes.show_one(16_384.0), "16.0 KiB");
        assert_eq!(
            Figure::OneWay.show(Spread { p10: 1.0, median: 2.0, p90: 3e9 }),
            "2.00 ns (1.00 ns–3.00 s)"
        );
    }
}
