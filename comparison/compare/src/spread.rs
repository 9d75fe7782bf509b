//! What many measurements of one thing come to.

/// The median of all, and the percentiles between which most of them lie. None is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) p10: f64,
    pub(crate) median: f64,
    pub(crate) p90: f64,
}

impl Spread {
    /// None of no measurements.
    pub(crate) fn of(figures: &[f64]) -> Option<Self> {
        let mut in_order = figures.to_vec();
        in_order.sort_unstable_by(f64::total_cmp);
        let at = |share| percentile(&in_order, share);
        Some(Self { p10: at(0.1)?, median: at(0.5)?, p90: at(0.9)? })
    }

    /// Of ours divided by theirs, each round by itself: what the machine did meanwhile, it did to both.
    pub(crate) fn of_ratios(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        let ratios: Vec<_> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        Self::of(&ratios)
    }
}

/// Between two figures the one that lies in proportion between them.
fn percentile(in_order: &[f64], share: f64) -> Option<f64> {
    let place = share * in_order.len().checked_sub(1)? as f64;
    let (below, above) = (in_order[place.floor() as usize], in_order[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_percentiles_of_all() {
        let figures: Vec<_> = (0..=10).rev().map(f64::from).collect();
        assert_eq!(Spread::of(&figures), Some(Spread { p10: 1.0, median: 5.0, p90: 9.0 }));
        assert_eq!(Spread::of(&[2.0, 1.0]).map(|spread| spread.median), Some(1.5));
        assert_eq!(Spread::of(&[3.0]), Some(Spread { p10: 3.0, median: 3.0, p90: 3.0 }));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn one_slow_round_of_both_is_no_ratio() {
        let spread = Spread::of_ratios(&[1.0, 100.0, 1.0], &[2.0, 200.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { p10: 0.5, median: 0.5, p90: 0.5 });
    }
}
