//! One region: what it says of itself, how it moves, and its content by kind.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use serde_json::Value;

use super::{regions, scrolled, sparkline, style};
use crate::frame::half_blocks::{self, Pair, UPPER_HALF};
use crate::human::{self, cut, printable};
use crate::table::Tone;
use crate::top::detail::{Content, Detail};
use crate::top::state::State;
use crate::words::{items, text, who};

/// Columns of a cell of the grid.
const CELL: usize = 10;
/// A picture without colours, from dark to bright.
const SHADES: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>, area: Rect) {
    let mut lines = head(state, usize::from(area.width));
    let height = (lines.len() as u16).min(area.height);
    let body = Rect { y: area.y + height, height: area.height - height, ..area };
    state.places.rows = body;
    match &state.detail {
        None => lines.push(Line::raw("looking …")),
        Some(Err(error)) => {
            lines.push(Line::styled(printable(error).into_owned(), style(Tone::Alarm, state.colour)));
        }
        Some(Ok(Detail { content: Content::Picture(picture), .. })) => {
            let (columns, rows) =
                half_blocks::fit(picture.dimensions(), body.width.into(), body.height.into());
            let cells = half_blocks::cells(picture, columns, rows);
            let colours = Colours::of_terminal(state.colour);
            for (row, pairs) in (body.y..body.bottom()).zip(cells) {
                let spans: Vec<_> = pairs.into_iter().map(|pair| colours.cell(pair)).collect();
                frame.render_widget(Line::from(spans), Rect { y: row, height: 1, ..body });
            }
        }
        Some(Ok(detail)) => {
            let content = content(&detail.content, state, body);
            let mut scroll = state.scroll;
            scrolled(content, &mut scroll, frame, body);
            state.scroll = scroll;
        }
    }
    frame.render_widget(ratatui::widgets::Paragraph::new(lines), area);
}

/// What every region says.
fn head(state: &State, width: usize) -> Vec<Line<'static>> {
    let id = state.region.as_deref().unwrap_or("no region is chosen");
    let Some(row) = state.row() else {
        return vec![Line::styled(format!("{} is not there (any more)", printable(id)), Modifier::BOLD)];
    };
    let word = text(&row["state"]);
    let title = vec![
        Span::styled(printable(id).into_owned(), Modifier::BOLD),
        Span::raw(format!("  {}  ", text(&row["kind"]))),
        Span::styled(word.replace('_', " "), style(regions::tone_of(word), state.colour)),
    ];
    let schema = cut(text(&row["schema"]), width.saturating_sub(24)).into_owned();
    let size = human::bytes(row["size"].as_u64().unwrap_or(0));
    let mut lines = vec![
        Line::from(title),
        Line::raw(format!("{size}  version {}  {}", row["version"], printable(&schema))),
    ];
    let mut moves = Vec::new();
    if let Some(rate) = row["rate"].as_f64() {
        moves.push(format!("{} changes/s", regions::rate(rate)));
    }
    if let Some(bytes) = row["bytes_per_second"].as_u64().filter(|bytes| *bytes > 0) {
        moves.push(format!("{}/s", human::bytes(bytes)));
    }
    if let Some(wall) = row["changed_at"].as_u64() {
        moves.push(format!("changed {}", regions::ago(wall)));
    }
    if !row["writer"].is_null() {
        moves.push(format!("from {}", text(&row["writer"])));
    }
    moves.push(format!("{} reading", row["readers"]));
    if !row["lock_holder"].is_null() {
        moves.push(format!("lock: {}", text(&row["lock_holder"])));
    }
    lines.push(Line::raw(printable(&moves.join("  ")).into_owned()));
    if state.history.iter().any(|(rate, _)| *rate > 0.0) {
        let bars = sparkline(state.history.iter().map(|(rate, _)| *rate), width.saturating_sub(7));
        lines.push(Line::raw(format!("rate  {bars}")));
    }
    lines.push(Line::default());
    lines
}

fn content(content: &Content, state: &State, area: Rect) -> Vec<Line<'static>> {
    let width = usize::from(area.width);
    match content {
        Content::Text(text) => printable(text).lines().map(|line| Line::raw(line.to_owned())).collect(),
        Content::Fields(fields) => {
            let widest = fields.iter().map(|(name, _)| human::width_of(name)).max().unwrap_or(0);
            let field = |(index, (name, value)): (usize, &(String, String))| {
                let space = " ".repeat(widest - human::width_of(name));
                let text = format!("{name}{space}  {value}");
                Line::styled(printable(&text).into_owned(), chosen(index == state.part))
            };
            let skipped = (state.part + 1).saturating_sub(area.height.into());
            fields.iter().enumerate().skip(skipped).map(field).collect()
        }
        Content::Elements(elements, row) => grid(elements, *row, state.part, area),
        Content::Channels(channels) => {
            let channel = |(name, points): &(String, Vec<f64>)| {
                let newest = points.last().copied().unwrap_or(f64::NAN);
                let least = points.iter().copied().fold(f64::INFINITY, f64::min);
                let most = points.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let bars = sparkline(points.iter().copied(), width);
                let name = if name.is_empty() { "newest" } else { name };
                [
                    Line::raw(
                        printable(&format!("{name}  {newest:.4}   from {least:.4} to {most:.4}"))
                            .into_owned(),
                    ),
                    Line::raw(bars),
                ]
            };
            channels.iter().flat_map(channel).collect()
        }
        Content::Messages(messages, length) => {
            let depth = sparkline(state.history.iter().map(|(_, depth)| *depth), width.saturating_sub(12));
            let mut lines = vec![Line::raw(format!("{length} waiting  {depth}"))];
            let numbered = (1_u32..).zip(messages);
            lines.extend(
                numbered.map(|(number, message)| Line::raw(format!("{number:4}  {}", printable(message)))),
            );
            lines
        }
        Content::Document(document) => of_document(document, state.colour),
        Content::Nothing(why) => vec![Line::raw(printable(why).into_owned())],
        // Drawn before.
        Content::Picture(_) => Vec::new(),
    }
}

fn chosen(is_chosen: bool) -> Style {
    Style::new().add_modifier(if is_chosen { Modifier::REVERSED } else { Modifier::empty() })
}

/// Elements in rows, and all of them as bars where they are numbers.
fn grid(elements: &[String], row: usize, part: usize, area: Rect) -> Vec<Line<'static>> {
    let width = usize::from(area.width);
    let columns = (width / CELL).clamp(1, row);
    let mut lines = Vec::new();
    let numbers: Vec<f64> = elements.iter().filter_map(|element| element.parse().ok()).collect();
    if numbers.len() == elements.len() && elements.len() > 1 {
        lines.push(Line::raw(sparkline(numbers.iter().copied().take(width), width)));
    }
    let cell = |index: usize, element: &String| {
        let text = format!("{:>CELL$}", cut(element, CELL - 1));
        Span::styled(printable(&text).into_owned(), chosen(index == part))
    };
    let grid: Vec<_> = elements.chunks(columns).collect();
    let room = usize::from(area.height).saturating_sub(lines.len() + 1).max(1);
    let first = (part / columns + 1).saturating_sub(room);
    for (number, items) in grid.iter().enumerate().skip(first).take(room) {
        let spans = (number * columns..).zip(*items).map(|(index, element)| cell(index, element));
        lines.push(Line::from(spans.collect::<Vec<_>>()));
    }
    lines.push(Line::styled(format!("element {part} of {}", elements.len()), Modifier::DIM));
    lines
}

/// A document with a line a name; a lock's people by name, the dead in red.
fn of_document(document: &Value, colour: bool) -> Vec<Line<'static>> {
    let Value::Object(fields) = document else { return vec![Line::raw(document.to_string())] };
    let line = |(name, value): (&String, &Value)| {
        let name = name.replace('_', " ");
        match value {
            Value::Object(_) if !value["pid"].is_null() => vec![person(&name, value, colour)],
            Value::Array(people) if people.iter().any(|one| !one["pid"].is_null()) => {
                items(value).map(|one| person(&name, one, colour)).collect()
            }
            Value::Null => vec![Line::raw(format!("{name}: nobody"))],
            Value::Array(none) if none.is_empty() => vec![Line::raw(format!("{name}: none"))],
            value => vec![Line::raw(printable(&format!("{name}: {value}")).into_owned())],
        }
    };
    fields.iter().flat_map(line).collect()
}

fn person(name: &str, participant: &Value, colour: bool) -> Line<'static> {
    let is_dead = participant["alive"] == false;
    let held = if participant["held_seconds"].is_null() {
        String::new()
    } else {
        format!(" for {}", crate::words::duration(&participant["held_seconds"]))
    };
    let dead = if is_dead { "dead " } else { "" };
    let line = format!("{name}: {dead}{}{held}", who(participant));
    Line::styled(
        printable(&line).into_owned(),
        style(if is_dead { Tone::Alarm } else { Tone::Plain }, colour),
    )
}

/// How many colours a terminal has.
#[derive(Clone, Copy)]
enum Colours {
    All,
    Cube,
    None,
}

impl Colours {
    fn of_terminal(colour: bool) -> Self {
        let all = std::env::var("COLORTERM").is_ok_and(|value| value == "truecolor" || value == "24bit");
        match (colour, all) {
            (false, _) => Self::None,
            (true, true) => Self::All,
            (true, false) => Self::Cube,
        }
    }

    fn cell(self, (upper, lower): Pair) -> Span<'static> {
        let [upper, lower] = [upper.0, lower.0];
        let colour = |[red, green, blue]: [u8; 3]| match self {
            Self::All => Color::Rgb(red, green, blue),
            // The six steps of each colour that terminals with 256 of them have.
            Self::Cube | Self::None => {
                let step = |part: u8| (u16::from(part) * 5 + 127) / 255;
                Color::Indexed((16 + 36 * step(red) + 6 * step(green) + step(blue)) as u8)
            }
        };
        if let Self::None = self {
            let sum: u32 = upper.iter().chain(&lower).map(|part| u32::from(*part)).sum();
            return Span::raw(SHADES[(sum as usize * (SHADES.len() - 1)) / (6 * 255)].to_string());
        }
        Span::styled(UPPER_HALF.to_string(), Style::new().fg(colour(upper)).bg(colour(lower)))
    }
}
