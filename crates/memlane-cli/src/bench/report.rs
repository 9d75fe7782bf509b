//! What was measured, for people, for programs, and for the project's documents.

use super::figures::{Figures, median, percentile};
use super::machine::Machine;
use super::rows::{Goal, Row, Unit};
use crate::context::Context;
use crate::failure::Outcome;
use crate::human;
use crate::table::{Column, Table};
use serde_json::{Value, json};

/// A row and what it came to.
pub(super) type Measured = (&'static Row, Figures);

/// A table for people; what spoils the figures is said beside it.
pub(super) fn print(context: &Context, machine: &Machine, rows: &[Measured]) -> Outcome {
    let columns = [
        Column::words("WHAT").elastic(),
        Column::numbers("MEMLANE"),
        Column::numbers("P90"),
        Column::words("BESIDE").elastic(),
        Column::numbers("THAT"),
        Column::numbers("RATIO"),
    ];
    let mut table = Table::new(&columns);
    for (row, figures) in rows {
        let amount = |values: &[f64], percent| {
            percentile(values, percent).map(|value| row.unit.in_words(value)).unwrap_or_default()
        };
        let ratio = figures.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        table.push([
            row.what.into(),
            amount(&figures.ours, 50).into(),
            amount(&figures.ours, 90).into(),
            row.beside.into(),
            amount(&figures.theirs, 50).into(),
            ratio.into(),
        ]);
    }
    context.print_table(&table)?;
    context.print(format_args!("\n{}", human::printable(&machine.in_words())))
}

/// The document: the machine, what spoils the figures, and a row each.
pub(super) fn print_json(context: &Context, machine: &Machine, rows: &[Measured], goals: bool) -> Outcome {
    let rows: Vec<_> = rows.iter().map(|(row, figures)| row_json(row, figures, goals)).collect();
    context.print(json!({"machine": machine.json(), "remarks": machine.remarks, "rows": rows}))
}

fn row_json(row: &Row, figures: &Figures, goals: bool) -> Value {
    let amounts = |values: &[f64]| {
        median(values).map(|median| {
            let (p10, p90) = (percentile(values, 10), percentile(values, 90));
            json!({"median": median, "p10": p10, "p90": p90, "rounds": values.len()})
        })
    };
    let unit = match row.unit {
        Unit::Nanoseconds => "ns",
        Unit::Bytes => "bytes",
    };
    let beside = amounts(&figures.theirs).map(|mut amounts| {
        amounts["what"] = row.beside.into();
        amounts
    });
    let mut json = json!({
        "what": row.what,
        "unit": unit,
        "memlane": amounts(&figures.ours),
        "beside": beside,
        "ratio": figures.ratio(),
    });
    if goals {
        json["reached"] = row.goal.is_reached(figures).into();
    }
    json
}

/// A Markdown table with the goals, as the project's documents have it.
pub(super) fn print_goals(context: &Context, rows: &[Measured]) -> Outcome {
    context.print("| what | ours | yardstick | | ratio | goal |\n|---|---:|---|---:|---:|---:|")?;
    rows.iter().try_for_each(|(row, figures)| {
        let amount =
            |values: &[f64]| median(values).map(|value| row.unit.in_words(value)).unwrap_or_default();
        let (ours, theirs) = (amount(&figures.ours), amount(&figures.theirs));
        let ratio = figures.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let verdict = if row.goal.is_reached(figures) { "✓" } else { "✗" };
        let goal = row.goal.in_words(row.unit);
        context.print(format_args!(
            "| {} | {ours} | {} | {theirs} | {ratio} | ≤ {goal} {verdict} |",
            row.what, row.beside
        ))
    })
}

impl Goal {
    fn is_reached(self, figures: &Figures) -> bool {
        match self {
            Self::Ratio(most) => figures.ratio().is_some_and(|ratio| ratio <= most),
            Self::Figure(most) => median(&figures.ours).is_some_and(|figure| figure <= most),
        }
    }

    fn in_words(self, unit: Unit) -> String {
        match self {
            Self::Ratio(most) => most.to_string(),
            Self::Figure(most) => unit.in_words(most),
        }
    }
}

impl Unit {
    fn in_words(self, amount: f64) -> String {
        match self {
            Self::Bytes => human::bytes(amount as u64),
            Self::Nanoseconds if amount < 1000.0 => format!("{amount:.1} ns"),
            Self::Nanoseconds => format!("{:.1} µs", amount / 1000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_a_ratio_or_a_figure() {
        let figures = Figures { ours: vec![20.0], theirs: vec![10.0] };
        assert!(Goal::Ratio(2.0).is_reached(&figures) && !Goal::Ratio(1.9).is_reached(&figures));
        assert!(Goal::Figure(20.0).is_reached(&figures) && !Goal::Figure(19.9).is_reached(&figures));
        assert_eq!(Goal::Figure(30_000.0).in_words(Unit::Nanoseconds), "30.0 µs");
    }
}
