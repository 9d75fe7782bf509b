//! The report for people: tables in Markdown.

use std::fmt::Write as _;

use harness::Wait;

use crate::comparison::{Comparison, Goal};
use crate::deaths::{Death, Seen, Victim};
use crate::failed::{Failed, Outcome};
use crate::figure::Figure;
use crate::machine::Machine;
use crate::measurement::{Effort, Measured};
use crate::peers::Peers;
use crate::spread::Spread;

/// A comparison and what came of it.
pub(crate) struct Compared {
    pub(crate) comparison: Comparison,
    pub(crate) measured: Vec<Measured>,
}

/// A death and what came of it, by way.
pub(crate) struct Killed {
    pub(crate) death: Death,
    pub(crate) seen: Vec<(String, Seen)>,
}

/// A row of the goals.
pub(crate) struct Judged {
    pub(crate) what: String,
    pub(crate) ours: String,
    pub(crate) theirs: Option<String>,
    pub(crate) figure: Figure,
    pub(crate) bound: f64,
    pub(crate) our_figures: Outcome<Vec<f64>>,
    pub(crate) their_figures: Option<Outcome<Vec<f64>>>,
}

/// What was measured on, with what, and how.
pub(crate) fn head(machine: &Machine, peers: &Peers, effort: Effort, kills: u64) -> String {
    let mut text = String::from("# Beside others\n\n");
    let Effort { rounds, round } = effort;
    let _ = writeln!(
        text,
        "Each way has processes of its own, pinned to two cores. The ways of one table are measured in turn, \
         A B C A B C, over {rounds} rounds of about {} s. Figures are medians over the rounds, with the 10th and the \
         90th percentile in brackets; none is left out. A ratio is the median of the rounds' ratios. Each kill is at a \
         random moment, {kills} of each kind.\n\n| machine | |\n|---|---|",
        round.as_secs_f64()
    );
    for (what, is) in &machine.lines {
        let _ = writeln!(text, "| {what} | {} |", cell(is));
    }
    text.push_str(
        "\n| peer | version | way | of messages that nobody fetched it keeps | written in place |\n",
    );
    text.push_str("|---|---|---|---|---|\n");
    for peer in peers.iter() {
        let _ = match &peer.offers {
            Ok(offers) => writeln!(text, "| {} | {} | | | |", peer.name, cell(&offers.version)),
            Err(failed) => writeln!(text, "| {} | {} | | | |", peer.name, cell(&failed.0)),
        };
        for way in peers.ways().filter(|way| way.peer == peer.name) {
            let in_place = if way.offer.in_place { "yes" } else { "" };
            let _ = writeln!(text, "| | | {} | {} | {in_place} |", way.offer.way, way.keeps());
        }
    }
    text
}

/// The table of one comparison, the best first.
pub(crate) fn comparison(compared: &Compared) -> String {
    let Compared { comparison, measured } = compared;
    let mut text = format!("\n## {}\n\n| way |", capitalised(&comparison.what));
    for figure in comparison.figures {
        let _ = write!(text, " {} |", figure.title());
    }
    let _ = writeln!(text, " ratio to the first |\n|---|{}---:|", "---:|".repeat(comparison.figures.len()));
    if measured.is_empty() {
        let _ = writeln!(text, "| nobody offers it |{} |", " |".repeat(comparison.figures.len()));
    }
    let in_order = in_order(comparison, measured);
    // Variants are measured in turn with those of the same way.
    let first = |of: &Measured| {
        let several = comparison.variants.len() > 1;
        let first = in_order.iter().find(|one| !several || one.way == of.way)?;
        first.figures(comparison.figures[0]).ok()
    };
    for one in &in_order {
        // A way that fails in all variants fails once.
        let all_fail =
            measured.iter().filter(|other| other.way == one.way).all(|other| other.rounds.is_err());
        if all_fail && one.variant > 0 {
            continue;
        }
        let name = if all_fail { one.way.clone() } else { named(&one.way, comparison, one.variant) };
        let _ = write!(text, "| {name} |");
        for (index, figure) in comparison.figures.iter().enumerate() {
            let shown = one.figures(*figure).map(|figures| Spread::of(&figures));
            let _ = match shown {
                Ok(Some(spread)) => write!(text, " {} |", figure.show(spread)),
                // One sentence says it for all columns.
                Err(failed) if index == 0 || one.rounds.is_ok() => write!(text, " {} |", cell(&failed.0)),
                Ok(None) | Err(_) => write!(text, " |"),
            };
        }
        let figures = one.figures(comparison.figures[0]).ok();
        let ratio = figures.zip(first(one)).and_then(|(figures, first)| Spread::of_ratios(&figures, &first));
        let _ =
            writeln!(text, " {} |", ratio.map_or_else(String::new, |ratio| format!("{:.2}", ratio.median)));
    }
    text
}

/// The best first, those without a figure last; several variants stay as they are.
fn in_order<'a>(comparison: &Comparison, measured: &'a [Measured]) -> Vec<&'a Measured> {
    let mut rows: Vec<_> = measured.iter().collect();
    if comparison.variants.len() > 1 {
        return rows;
    }
    let figure = comparison.figures[0];
    let worth = |one: &Measured| {
        let median = one.figures(figure).ok().and_then(|figures| Spread::of(&figures))?.median;
        Some(if figure.more_is_better() { -median } else { median })
    };
    rows.sort_by(|one, other| {
        worth(one).unwrap_or(f64::INFINITY).total_cmp(&worth(other).unwrap_or(f64::INFINITY))
    });
    rows
}

fn named(way: &str, comparison: &Comparison, variant: usize) -> String {
    match comparison.variants[variant].label.as_str() {
        "" => way.to_owned(),
        label => format!("{way}, {label}"),
    }
}

/// The goals of a comparison, with what was measured of them.
pub(crate) fn judge(compared: &Compared, peers: &Peers) -> Vec<Judged> {
    let Compared { comparison, measured } = compared;
    let figures = |way: &str, variant: usize, figure: Figure| {
        let found = measured.iter().find(|one| one.way == way && one.variant == variant);
        found.map_or_else(|| Err(peers.why_not(way, comparison.work)), |one| one.figures(figure))
    };
    let judge = |goal: &Goal| Judged {
        what: comparison.what.clone(),
        ours: named(goal.ours, comparison, goal.variants[0]),
        theirs: goal.theirs.map(|theirs| named(theirs, comparison, goal.variants[1])),
        figure: goal.figure,
        bound: goal.bound,
        our_figures: figures(goal.ours, goal.variants[0], goal.figure),
        their_figures: goal.theirs.map(|theirs| figures(theirs, goal.variants[1], goal.figure)),
    };
    comparison.goals.iter().map(judge).collect()
}

impl Judged {
    /// Of the rounds, each by itself.
    pub(crate) fn ratio(&self) -> Option<Spread> {
        Spread::of_ratios(self.our_figures.as_ref().ok()?, self.their_figures.as_ref()?.as_ref().ok()?)
    }

    /// Whether the goal is reached; none without figures.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let spread = match &self.their_figures {
            None => Spread::of(self.our_figures.as_ref().ok()?)?,
            Some(_) => self.ratio()?,
        };
        let median = spread.median;
        Some(if self.figure.more_is_better() { median >= self.bound } else { median <= self.bound })
    }

    fn row(&self) -> String {
        let shown = |figures: &Outcome<Vec<f64>>| match figures {
            Ok(figures) => Spread::of(figures).map_or_else(String::new, |spread| self.figure.show(spread)),
            Err(Failed(why)) => cell(why),
        };
        let theirs = self.their_figures.as_ref().map_or_else(String::new, shown);
        let ratio = self.ratio().map_or_else(String::new, |ratio| {
            format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.p10, ratio.p90)
        });
        let bound =
            if self.theirs.is_some() { self.bound.to_string() } else { self.figure.show_one(self.bound) };
        let sign = if self.figure.more_is_better() { "≥" } else { "≤" };
        let mark = match self.is_met() {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "–",
        };
        let (what, ours) = (&self.what, &self.ours);
        let our_figures = shown(&self.our_figures);
        let beside = self.theirs.as_deref().unwrap_or_default();
        format!("| {what} | {ours} | {our_figures} | {beside} | {theirs} | {ratio} | {sign} {bound} {mark} |")
    }
}

/// The goals of all comparisons.
pub(crate) fn goals(judged: &[Judged]) -> String {
    let mut text = String::from("\n## Goals\n\n| what | ours | | beside | | ratio | goal |\n");
    text.push_str("|---|---|---:|---|---:|---:|---:|\n");
    for one in judged {
        let _ = writeln!(text, "{}", one.row());
    }
    text
}

/// The table of one kind of death.
pub(crate) fn death(killed: &Killed) -> String {
    let Killed { death, seen } = killed;
    let mut text = format!("\n## {}\n\n", capitalised(&death.what()));
    text.push_str(if death.victim == Victim::Holder {
        "| of | what becomes of the next one | told that somebody died | longest until then |\n|---|---|---:|---:|\n"
    } else {
        "| of | what becomes of the others | whole | torn | missed while the sender lived | longest until then |\n\
         |---|---|---:|---:|---:|---:|\n"
    });
    for (way, seen) in seen {
        let polls = if seen.wait == Wait::Busy { ", polling" } else { "" };
        let _ = write!(text, "| {way}{polls} | {} |", cell(&seen.outcome()));
        let _ = if death.victim == Victim::Holder {
            write!(text, " {} |", seen.told)
        } else {
            write!(text, " {} | {} | {} |", seen.arrived - seen.torn, seen.torn, seen.missed)
        };
        let longest =
            if seen.kills == 0 { String::new() } else { Figure::Longest.show_one(seen.longest as f64) };
        let _ = writeln!(text, " {longest} |");
    }
    text
}

impl Seen {
    /// As a sentence.
    pub(crate) fn outcome(&self) -> String {
        let kills = match self.kills {
            1 => "1 kill".to_owned(),
            kills => format!("{kills} kills"),
        };
        match &self.end {
            None => format!("{kills}, and each time the others go on"),
            Some(failed) if self.kills == 0 => failed.0.clone(),
            Some(failed) => format!("{kills} and they go on; then {failed}"),
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// On one line, without what ends a cell, and no longer than a sentence.
fn cell(text: &str) -> String {
    const LONGEST: usize = 240;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}
