//! The report for programs: a line of JSON for each row, with the figure of each round.

use serde_json::{Value, json};

use crate::failed::Outcome;
use crate::machine::Machine;
use crate::peers::Peers;
use crate::report::{Compared, Judged, Killed};
use crate::spread::Spread;

/// The machine and the peers.
pub(crate) fn head(machine: &Machine, peers: &Peers) -> Vec<Value> {
    let machine: serde_json::Map<_, _> =
        machine.lines.iter().map(|(what, is)| ((*what).to_owned(), json!(is))).collect();
    let peer = |peer: &crate::peers::Peer| match &peer.offers {
        Ok(offers) => json!({ "peer": peer.name, "version": offers.version, "ways": offers.ways }),
        Err(failed) => json!({ "peer": peer.name, "failed": failed.0 }),
    };
    std::iter::once(json!({ "machine": machine })).chain(peers.iter().map(peer)).collect()
}

/// A line for each figure of each way and variant.
pub(crate) fn comparison(compared: &Compared) -> Vec<Value> {
    let Compared { comparison, measured } = compared;
    let line = |one: &crate::measurement::Measured, figure: crate::figure::Figure| {
        let variant = &comparison.variants[one.variant];
        json!({
            "what": comparison.what,
            "way": one.way,
            "variant": variant.label,
            "terms": variant.terms,
            "count": one.rounds.as_ref().ok().map(|rounds| rounds.count),
            "figure": figure.title(),
            "unit": figure.unit_name(),
            "measured": figures(&one.figures(figure)),
        })
    };
    measured.iter().flat_map(|one| comparison.figures.iter().map(move |figure| line(one, *figure))).collect()
}

/// A line for a goal.
pub(crate) fn goal(judged: &Judged) -> Value {
    json!({
        "goal": judged.what,
        "ours": judged.ours,
        "theirs": judged.theirs,
        "figure": judged.figure.title(),
        "unit": judged.figure.unit_name(),
        "our_figures": figures(&judged.our_figures),
        "their_figures": judged.their_figures.as_ref().map(figures),
        "ratio": judged.ratio().map(spread),
        "bound": judged.bound,
        "more_is_better": judged.figure.more_is_better(),
        "met": judged.is_met(),
    })
}

/// A line for each way.
pub(crate) fn death(killed: &Killed) -> Vec<Value> {
    let line = |(way, seen): &(String, crate::deaths::Seen)| {
        json!({
            "death": killed.death.what(),
            "way": way,
            "wait": seen.wait,
            "kills_and_went_on": seen.kills,
            "failed": seen.end.as_ref().map(|failed| &failed.0),
            "arrived": seen.arrived,
            "torn": seen.torn,
            "missed": seen.missed,
            "told": seen.told,
            "longest_ns": seen.longest,
        })
    };
    killed.seen.iter().map(line).collect()
}

fn figures(measured: &Outcome<Vec<f64>>) -> Value {
    match measured {
        Ok(rounds) => json!({ "rounds": rounds, "spread": Spread::of(rounds).map(spread) }),
        Err(failed) => json!({ "failed": failed.0 }),
    }
}

/// The 10th percentile, the median, the 90th percentile.
fn spread(spread: Spread) -> Value {
    json!([spread.p10, spread.median, spread.p90])
}
