//! Who holds what, as `memlane locks` shows it, and who waits for whom; deadlocks in red.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Line;
use serde_json::Value;

use super::{lines_of, scrolled, style};
use crate::commands::locks;
use crate::human::printable;
use crate::table::Tone;
use crate::top::state::State;
use crate::words::text;

pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>, area: Rect) {
    let Some((held, edges)) = &state.locks else { return frame.render_widget("looking …", area) };
    let mut lines = match held.as_slice() {
        [] => vec![Line::raw("no lock is held, waited for or inconsistent")],
        held => lines_of(&locks::table(held), area.width, state.colour),
    };
    lines.push(Line::default());
    let title = if edges.is_empty() { "nobody waits for anything" } else { "who waits for whom" };
    lines.push(Line::styled(title, Modifier::BOLD));
    let edge = |edge: &Value| {
        let is_stuck = edge["deadlock"] == true;
        let (mark, tone) = if is_stuck { ("deadlock: ", Tone::Alarm) } else { ("", Tone::Plain) };
        Line::styled(format!("{mark}{}", printable(text(&edge["line"]))), style(tone, state.colour))
    };
    lines.extend(edges.iter().map(edge));
    scrolled(lines, &mut state.scroll, frame, area);
}
