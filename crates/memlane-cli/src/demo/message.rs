//! Messages between the demo and its children: a line each, a word and numbers.

use super::arm::Recovery;
use std::fmt;
use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

/// What a child is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// To the publisher: write half of the next frame, and wait there to be killed.
    Half,
    /// To a viewer: hold the frame you have, and tell when a frame with this number or a higher one comes.
    Hold(u64),
    /// To a viewer: see whether the frame you hold is what it was.
    Check,
    /// To a viewer: check it once more, and give it back.
    Release,
    /// To a viewer: say what you have seen in all, and end.
    End,
}

/// What a child tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Report {
    /// A publisher has become the publisher.
    Publishing,
    /// It publishes so many frames a second.
    Sent { sequence: u64, rate: f64 },
    /// It has half of this frame written.
    Half(u64),
    /// What a viewer has received lately.
    Received(Reading),
    /// What it has received in all; its last report.
    Total(Reading),
    /// It holds this frame.
    Holding(u64),
    /// The frame it holds is what it was, or is not.
    Checked { sequence: u64, intact: bool },
    /// The first frame of the next publisher came at this time of the monotonic clock, in nanoseconds.
    Resumed { sequence: u64, at: u64 },
    /// A worker has a job that came back from a dead one.
    Again,
    /// A worker has put right what a dead holder of the arm left.
    Recovered(Recovery),
}

/// A viewer's figures.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Reading {
    /// Frames received in all.
    pub(super) frames: u64,
    /// A second.
    pub(super) rate: f64,
    pub(super) half: Duration,
    pub(super) ninety_nine: Duration,
    pub(super) longest: Duration,
    /// In all.
    pub(super) missed: u64,
    /// In all.
    pub(super) torn: u64,
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Half => formatter.write_str("half"),
            Self::Hold(sequence) => write!(formatter, "hold {sequence}"),
            Self::Check => formatter.write_str("check"),
            Self::Release => formatter.write_str("release"),
            Self::End => formatter.write_str("end"),
        }
    }
}

impl FromStr for Order {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let mut words = text.split_whitespace();
        Ok(match words.next() {
            Some("half") => Self::Half,
            Some("hold") => Self::Hold(number(&mut words)?),
            Some("check") => Self::Check,
            Some("release") => Self::Release,
            Some("end") => Self::End,
            _ => return Err(Unknown),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publishing => formatter.write_str("publishing"),
            Self::Sent { sequence, rate } => write!(formatter, "sent {sequence} {rate}"),
            Self::Half(sequence) => write!(formatter, "half {sequence}"),
            Self::Received(reading) => write!(formatter, "received {reading}"),
            Self::Total(reading) => write!(formatter, "total {reading}"),
            Self::Holding(sequence) => write!(formatter, "holding {sequence}"),
            Self::Checked { sequence, intact } => write!(formatter, "checked {sequence} {intact}"),
            Self::Resumed { sequence, at } => write!(formatter, "resumed {sequence} {at}"),
            Self::Again => formatter.write_str("again"),
            Self::Recovered(Recovery { dead, heir, missing }) => {
                write!(formatter, "recovered {dead} {heir} {missing}")
            }
        }
    }
}

impl FromStr for Report {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let mut words = text.split_whitespace();
        let words = &mut words;
        Ok(match words.next() {
            Some("publishing") => Self::Publishing,
            Some("sent") => Self::Sent { sequence: number(words)?, rate: number(words)? },
            Some("half") => Self::Half(number(words)?),
            Some("received") => Self::Received(Reading::parse(words)?),
            Some("total") => Self::Total(Reading::parse(words)?),
            Some("holding") => Self::Holding(number(words)?),
            Some("checked") => Self::Checked { sequence: number(words)?, intact: number(words)? },
            Some("resumed") => Self::Resumed { sequence: number(words)?, at: number(words)? },
            Some("again") => Self::Again,
            Some("recovered") => Self::Recovered(Recovery {
                dead: number(words)?,
                heir: number(words)?,
                missing: number(words)?,
            }),
            _ => return Err(Unknown),
        })
    }
}

impl Reading {
    fn parse(words: &mut SplitWhitespace<'_>) -> Result<Self, Unknown> {
        let duration = |words: &mut _| number(words).map(Duration::from_nanos);
        Ok(Self {
            frames: number(words)?,
            rate: number(words)?,
            half: duration(words)?,
            ninety_nine: duration(words)?,
            longest: duration(words)?,
            missed: number(words)?,
            torn: number(words)?,
        })
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, rate, half, ninety_nine, longest, missed, torn } = self;
        let [half, ninety_nine, longest] = [half, ninety_nine, longest].map(Duration::as_nanos);
        write!(formatter, "{frames} {rate} {half} {ninety_nine} {longest} {missed} {torn}")
    }
}

/// A line that is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unknown;

fn number<T: FromStr>(words: &mut SplitWhitespace<'_>) -> Result<T, Unknown> {
    words.next().and_then(|word| word.parse().ok()).ok_or(Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_survive_the_line() {
        for order in [Order::Half, Order::Hold(361), Order::Check, Order::Release, Order::End] {
            assert_eq!(order.to_string().parse(), Ok(order));
        }
        assert_eq!("hold".parse::<Order>(), Err(Unknown));
        assert_eq!("".parse::<Order>(), Err(Unknown));
    }

    #[test]
    fn reports_survive_the_line() {
        let reading = Reading {
            frames: 1,
            rate: 59.94,
            half: Duration::from_nanos(3),
            ninety_nine: Duration::from_micros(4),
            longest: Duration::from_millis(5),
            missed: 6,
            torn: 7,
        };
        let reports = [
            Report::Publishing,
            Report::Sent { sequence: 1, rate: 60.5 },
            Report::Half(2),
            Report::Received(reading),
            Report::Total(reading),
            Report::Holding(3),
            Report::Checked { sequence: 4, intact: true },
            Report::Resumed { sequence: 5, at: u64::MAX },
            Report::Again,
            Report::Recovered(Recovery { dead: 6, heir: 7, missing: true }),
        ];
        for report in reports {
            assert_eq!(report.to_string().parse(), Ok(report));
        }
        assert_eq!("received 1 2".parse::<Report>(), Err(Unknown));
    }
}
