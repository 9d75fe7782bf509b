//! What the rounds of a row came to, and how a round is timed.

use crate::failure::{Failure, Outcome};
use serde_json::{Value, json};
use std::time::Instant;

/// A figure of each round: ours, and the yardstick's where there is one.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) ours: Vec<f64>,
    pub(super) theirs: Vec<f64>,
}

impl Figures {
    /// Measures ours and the yardstick alternately, A B A B: what else the machine does meets both.
    pub(super) fn alternate(
        rounds: usize,
        mut ours: impl FnMut() -> Outcome<f64>,
        mut theirs: impl FnMut() -> Outcome<f64>,
    ) -> Outcome<Self> {
        let mut figures = Self::default();
        for _ in 0..rounds {
            figures.ours.push(ours()?);
            figures.theirs.push(theirs()?);
        }
        Ok(figures)
    }

    /// Of a row without a yardstick.
    pub(super) fn alone(rounds: usize, ours: impl FnMut() -> Outcome<f64>) -> Outcome<Self> {
        let ours = std::iter::repeat_with(ours).take(rounds).collect::<Outcome<_>>()?;
        Ok(Self { ours, theirs: Vec::new() })
    }

    /// How many times as much as the yardstick ours is.
    pub(super) fn ratio(&self) -> Option<f64> {
        Some(median(&self.ours)? / median(&self.theirs)?)
    }

    /// As one process tells them to another.
    pub(super) fn told(&self) -> Value {
        json!([self.ours, self.theirs])
    }

    /// What was told; `None` if that is something else.
    pub(super) fn heard(text: &str) -> Option<Self> {
        let [ours, theirs] = serde_json::from_str::<[Vec<f64>; 2]>(text).ok()?;
        Some(Self { ours, theirs })
    }
}

pub(super) fn median(values: &[f64]) -> Option<f64> {
    percentile(values, 50)
}

/// The value that so many of a hundred do not exceed; nothing of nothing.
pub(super) fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get((values.len() * percent / 100).min(values.len().saturating_sub(1))).copied()
}

/// Nanoseconds of one of `count` repetitions.
pub(super) fn time<E>(count: u32, mut work: impl FnMut() -> Result<(), E>) -> Outcome<f64>
where
    Failure: From<E>,
{
    let start = Instant::now();
    for _ in 0..count {
        work()?;
    }
    Ok(start.elapsed().as_nanos() as f64 / f64::from(count))
}

/// Work that cannot fail, to be timed.
pub(super) fn always(mut work: impl FnMut()) -> impl FnMut() -> Outcome {
    move || {
        work();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_no_mean_and_no_round_is_left_out() {
        let figures = Figures { ours: vec![3.0, 900.0, 2.0], theirs: vec![2.0, 1.0, 1.5] };
        assert_eq!((median(&figures.ours), figures.ratio()), (Some(3.0), Some(2.0)));
        assert_eq!(percentile(&figures.ours, 90), Some(900.0));
        assert_eq!((median(&[]), Figures::default().ratio()), (None, None));
    }

    #[test]
    fn what_is_told_is_heard() {
        let figures = Figures { ours: vec![1.5], theirs: vec![] };
        assert_eq!(Figures::heard(&figures.told().to_string()), Some(figures));
        assert_eq!(Figures::heard("[]"), None);
    }
}
