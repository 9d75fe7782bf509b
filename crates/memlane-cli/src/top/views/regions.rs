//! The table of regions.

use std::borrow::Borrow;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Line;
use serde_json::Value;

use super::lines_of;
use crate::human;
use crate::table::{Cell, Column, Table, Tone};
use crate::top::order::Item;
use crate::top::state::State;
use crate::words::text;

const COLUMNS: [Column; 10] = [
    Column::words("STATE"),
    Column::words("ID").cut_last(),
    Column::words("KIND"),
    Column::numbers("RATE"),
    Column::numbers("BYTES/S").optional().spare(),
    Column::numbers("CHANGED").optional().spare(),
    Column::words("WRITER").elastic().optional().spare(),
    Column::numbers("READERS").spare(),
    Column::words("LOCK").elastic().optional().spare(),
    Column::words("CONTENT").elastic(),
];

/// Draws those around the cursor.
pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>, area: Rect) {
    let Some(rows) = &state.rows else { return frame.render_widget("looking …", area) };
    if rows.is_empty() {
        return frame.render_widget(format!("no regions in {} yet", state.place), area);
    }
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    state.offset = state.offset.clamp((state.cursor + 1).saturating_sub(height), state.cursor);
    let shown = state.items.iter().skip(state.offset).take(height);
    let mut table = Table::new(&COLUMNS);
    for item in shown.clone() {
        match item {
            Item::Row(index) => table.push(cells(&rows[*index])),
            Item::Folder(..) => table.push(<[Cell; COLUMNS.len()]>::default()),
        }
    }
    let mut lines = lines_of(&table, area.width, state.colour);
    let order = &state.order;
    for (number, item) in shown.enumerate() {
        let Some(line) = lines.get_mut(number + 1) else { break };
        if let Item::Folder(folder, count) = item {
            *line = Line::styled(format!("{} ({count})", human::printable(folder)), Modifier::BOLD);
        }
        if state.offset + number == state.cursor {
            let taken = std::mem::take(line);
            *line = taken.patch_style(Modifier::REVERSED);
        }
    }
    frame.render_widget(ratatui::widgets::Paragraph::new(lines), area);
    if !(order.filter.is_empty() && order.is_by_id()) {
        let filter = if order.filter.is_empty() { String::new() } else { format!(" /{}", order.filter) };
        let reversed = if order.descending { " reversed" } else { "" };
        let by = order.sort.title();
        let how = format!(" {} of {}, by {by}{reversed}{filter} ", state.items.len(), rows.len());
        let width = (human::width_of(&how) as u16).min(area.width);
        let corner = Rect { x: area.x + area.width - width, width, height: 1, ..area };
        frame.render_widget(Line::styled(how, Modifier::REVERSED), corner);
    }
}

/// A row a region.
pub(in crate::top) fn table<R: Borrow<Value>>(rows: impl Iterator<Item = R>) -> Table {
    let mut table = Table::new(&COLUMNS);
    for row in rows {
        table.push(cells(row.borrow()));
    }
    table
}

fn cells(row: &Value) -> [Cell; COLUMNS.len()] {
    let state = text(&row["state"]);
    let tone = tone_of(state);
    let state = Cell::new(state.replace('_', " "), tone);
    let id = Cell::new(text(&row["id"]), tone);
    if let Some(error) = row["error"].as_str() {
        let mut cells = <[Cell; COLUMNS.len()]>::default();
        let [first, second, .., content] = &mut cells;
        (*first, *second, *content) = (state, id, Cell::new(error, Tone::Alarm));
        return cells;
    }
    let holder = text(&row["lock_holder"]);
    let alarm = if row["lock_alarm"] == true { Tone::Alarm } else { Tone::Notice };
    let number = |value: &Value| value.as_u64().map_or_else(String::new, |number| number.to_string());
    let bytes = row["bytes_per_second"].as_u64().filter(|bytes| *bytes > 0);
    [
        state,
        id,
        text(&row["kind"]).into(),
        row["rate"].as_f64().map_or_else(String::new, rate).into(),
        bytes.map_or_else(String::new, human::bytes).into(),
        row["changed_at"].as_u64().map_or_else(String::new, ago).into(),
        text(&row["writer"]).into(),
        number(&row["readers"]).into(),
        Cell::new(holder, alarm),
        Cell::new(text(&row["preview"]), if row["unreadable"] == true { Tone::Alarm } else { Tone::Plain }),
    ]
}

/// Changes a second.
pub(super) fn rate(rate: f64) -> String {
    if rate >= 100.0 || rate == 0.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

/// In whole seconds: what trembles faster is not to be read.
pub(super) fn ago(wall: u64) -> String {
    match human::age(wall).as_secs() {
        0 => "now".to_owned(),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds => human::duration(Duration::from_secs(seconds)),
    }
}

/// How alarming a state is.
pub(super) fn tone_of(state: &str) -> Tone {
    match state {
        "unreadable" | "dead_owner" | "dead_publisher" | "inconsistent" => Tone::Alarm,
        "stale" => Tone::Notice,
        _ => Tone::Plain,
    }
}
