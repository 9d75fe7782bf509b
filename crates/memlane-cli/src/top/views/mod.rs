//! How it is drawn: what is the same in every view, and one view a file.

mod detail;
mod help;
mod locks;
mod participants;
pub(super) mod regions;
#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::prompt::{Edit, Input, Prompt};
use super::state::{State, View};
use crate::human::{cut, printable, width_of};
use crate::table::{GAP, Table, Tone};

/// Lines of a text that is being typed.
const TYPED: u16 = 8;

/// Draws all of it.
pub(in crate::top) fn draw(state: &mut State, frame: &mut Frame<'_>) {
    let typed = match &state.prompt {
        Some(Prompt::Edit(edit)) if edit.has_lines => TYPED,
        Some(Prompt::Edit(Edit { trouble: Some(_), .. })) => 2,
        _ => 1,
    };
    let areas = [Constraint::Length(1), Constraint::Fill(1), Constraint::Length(typed)];
    let [head, body, foot] = Layout::vertical(areas).areas(frame.area());
    draw_tabs(state, frame, head);
    state.places.rows = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
    match state.view {
        View::Regions => regions::draw(state, frame, body),
        View::Detail => detail::draw(state, frame, body),
        View::Participants => participants::draw(state, frame, body),
        View::Locks => locks::draw(state, frame, body),
        View::Help => help::draw(frame, body),
    }
    draw_foot(state, frame, foot);
}

fn draw_tabs(state: &mut State, frame: &mut Frame<'_>, area: Rect) {
    state.places.tabs.clear();
    let mut spans = Vec::new();
    let mut column = area.x;
    for (number, (view, title)) in View::TABS.iter().enumerate() {
        let text = format!(" {} {title} ", number + 1);
        let width = width_of(&text) as u16;
        state.places.tabs.push((Rect { x: column, width, ..area }, *view));
        let chosen = if *view == state.view { Modifier::REVERSED } else { Modifier::empty() };
        spans.push(Span::styled(text, Style::new().add_modifier(chosen)));
        column += width;
    }
    frame.render_widget(Line::from(spans), area);
    let (word, tone) = match (state.is_connected, state.unlocked) {
        (false, _) => ("the host is gone", Tone::Alarm),
        (true, true) => ("unlocked", Tone::Notice),
        (true, false) => ("locked", Tone::Plain),
    };
    let left = column.saturating_sub(area.x) + 1;
    let room = Rect { x: area.x + left, width: area.width.saturating_sub(left), ..area };
    let place = printable(&state.place);
    let place = cut(&place, usize::from(room.width).saturating_sub(word.len() + 3));
    let right = format!("{place}  {word} ");
    frame.render_widget(Line::styled(right, style(tone, state.colour)).right_aligned(), room);
}

/// What is typed or asked, what was just said, or which keys there are.
fn draw_foot(state: &State, frame: &mut Frame<'_>, area: Rect) {
    match (&state.prompt, &state.note) {
        (Some(Prompt::Filter(input)), _) => draw_input("filter: ", input, frame, area),
        (Some(Prompt::Edit(edit)), _) => draw_edit(edit, state.colour, frame, area),
        (Some(Prompt::Confirm(edit)), _) => {
            frame.render_widget(Line::styled(question(edit), style(Tone::Notice, state.colour)), area);
        }
        (None, Some((note, tone))) => {
            frame.render_widget(Line::styled(printable(note).into_owned(), style(*tone, state.colour)), area);
        }
        (None, None) if !state.is_connected => {
            let words = "the host is gone and looked for; this is what was seen last";
            frame.render_widget(Line::styled(words, style(Tone::Alarm, state.colour)), area);
        }
        (None, None) => frame.render_widget(Line::styled(hints(state), Modifier::DIM), area),
    }
}

/// What is typed, below what is to be said of it.
fn draw_edit(edit: &Edit, colour: bool, frame: &mut Frame<'_>, area: Rect) {
    let title = match &edit.trouble {
        Some(trouble) => Some(Line::styled(printable(trouble).into_owned(), style(Tone::Alarm, colour))),
        None if edit.has_lines => {
            Some(Line::styled(format!("{} (Ctrl-S writes it, Esc does not)", edit.id), Modifier::REVERSED))
        }
        None => None,
    };
    let label = if edit.has_lines { String::new() } else { format!("{} := ", edit.id) };
    let [head, below] =
        Layout::vertical([Constraint::Length(title.is_some().into()), Constraint::Fill(1)]).areas(area);
    if let Some(title) = title {
        frame.render_widget(title, head);
    }
    draw_input(&label, &edit.input, frame, below);
}

fn question(edit: &Edit) -> String {
    let new = crate::human::cut(&edit.input.text, 30).replace('\n', "⏎");
    format!("write {} to {}? y writes it; u before e writes without asking", printable(&new), edit.id)
}

/// What can be done now.
fn hints(state: &State) -> String {
    let padlock = if state.unlocked { "u lock" } else { "u unlock" };
    let (has_rows, has_parts) = (!state.items.is_empty(), state.parts() > 1);
    let can_edit = state.can_edit();
    let keys: &[(&str, bool)] = match state.view {
        View::Regions => &[
            ("↑↓ choose", has_rows),
            ("Enter open", has_rows),
            ("/ filter", true),
            ("< > r sort", has_rows),
            ("g group", has_rows),
            ("Tab views", true),
        ],
        View::Detail => &[
            ("↑↓ choose", has_parts),
            ("e edit", can_edit),
            (padlock, can_edit),
            ("Tab views", true),
            ("Esc back", true),
        ],
        _ => &[("↑↓ scroll", true), ("Tab views", true), ("Esc regions", true)],
    };
    let keys = keys.iter().filter(|(_, is_possible)| *is_possible).map(|(key, _)| *key);
    keys.chain(["? help", "q end"]).collect::<Vec<_>>().join(GAP)
}

/// A text and its cursor.
fn draw_input(label: &str, input: &Input, frame: &mut Frame<'_>, area: Rect) {
    let (before, _) = input.text.split_at(input.cursor);
    let row = before.matches('\n').count() as u16;
    let line = before.rsplit('\n').next().unwrap_or_default();
    let column = width_of(line) as u16 + if row == 0 { width_of(label) as u16 } else { 0 };
    // The cursor's line and column stay in sight.
    let (down, right) = ((row + 1).saturating_sub(area.height), (column + 1).saturating_sub(area.width));
    let text = format!("{label}{}", printable(&input.text));
    frame.render_widget(Paragraph::new(text).scroll((down, right)), area);
    frame.set_cursor_position((area.x + column - right, area.y + row - down));
}

/// How a tone looks, with colours or without.
pub(super) fn style(tone: Tone, colour: bool) -> Style {
    match (tone, colour) {
        (Tone::Plain, _) => Style::new(),
        (Tone::Notice, true) => Style::new().fg(Color::Yellow),
        (Tone::Alarm, true) => Style::new().fg(Color::Red),
        (Tone::Notice, false) => Style::new().add_modifier(Modifier::UNDERLINED),
        (Tone::Alarm, false) => Style::new().add_modifier(Modifier::BOLD),
    }
}

/// A table's lines; the titles first.
fn lines_of(table: &Table, width: u16, colour: bool) -> Vec<Line<'static>> {
    let line = |(number, cells): (usize, Vec<[crate::table::Cell; 3]>)| {
        let spans = cells.into_iter().enumerate().flat_map(|(index, cells)| {
            let gap = if index == 0 { "" } else { GAP };
            let cells = cells.map(|cell| Span::styled(cell.text, style(cell.tone, colour)));
            std::iter::once(Span::raw(gap)).chain(cells)
        });
        let bold = if number == 0 { Modifier::BOLD } else { Modifier::empty() };
        Line::from(spans.collect::<Vec<_>>()).style(bold)
    };
    table.lines(Some(width.into())).into_iter().enumerate().map(line).collect()
}

/// Lines that can be scrolled, long ones wrapped.
fn scrolled(lines: Vec<Line<'_>>, scroll: &mut usize, frame: &mut Frame<'_>, area: Rect) {
    *scroll = (*scroll).min(lines.len().saturating_sub(1));
    let shown: Vec<_> = lines.into_iter().skip(*scroll).take(area.height.into()).collect();
    frame.render_widget(Paragraph::new(shown).wrap(Wrap { trim: false }), area);
}

/// Figures as bars, the newest at the right.
fn sparkline(figures: impl DoubleEndedIterator<Item = f64>, width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let mut shown: Vec<f64> = figures.rev().take(width).collect();
    shown.reverse();
    let finite = || shown.iter().copied().filter(|figure| figure.is_finite());
    let (least, most) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let bar = |figure: &f64| {
        if !figure.is_finite() {
            return ' ';
        }
        let share = if most > least { (figure - least) / (most - least) } else { 0.0 };
        BARS[((share * 7.0).round() as usize).min(7)]
    };
    shown.iter().map(bar).collect()
}
