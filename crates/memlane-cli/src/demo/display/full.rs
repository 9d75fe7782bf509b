//! The full screen: the live picture, the story beside it, and the figures of every process below.

use super::super::board::{Board, Mood, Publisher, PublisherState, Viewer};
use super::super::regions;
use super::crew;
use crate::failure::Outcome;
use crate::frame::screen::{self, Screen};
use crate::frame::{half_blocks, picture};
use crate::human;
use image::RgbImage;
use memlane::observer::Content;
use memlane::{Observer, Space};
use std::time::Duration;

/// Twenty pictures a second move.
pub(in crate::demo) const PERIOD: Duration = Duration::from_millis(50);

/// Below it there is no room for a picture beside the story.
const COLUMNS_FOR_PICTURE: u32 = 60;
const ROWS_FOR_PICTURE: u32 = 18;
/// What the story needs beside the picture.
const STORY_COLUMNS: u32 = 32;
const GAP: &str = "  ";

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const PLAIN: &str = "\x1b[0m";

/// The terminal and what is shown of the shared memory: looked at as an observer, who disturbs nobody.
pub(super) struct FullScreen {
    screen: Screen,
    space: Space,
}

impl FullScreen {
    pub(super) fn open(space: Space) -> Outcome<Self> {
        Ok(Self { screen: Screen::enter()?, space })
    }

    pub(super) fn show(&mut self, board: &Board) -> Outcome {
        let (columns, rows) = screen::size();
        let figures = self.figures(board);
        let mut lines =
            vec![self.title(board), format!("in a browser: {BOLD}{}{PLAIN}", board.page), String::new()];
        let left = rows.saturating_sub((lines.len() + figures.len() + 1) as u32);
        lines.extend(self.scene(board, columns, left));
        lines.push(String::new());
        lines.extend(figures);
        self.screen.show(&lines)
    }

    fn title(&self, board: &Board) -> String {
        let seconds = board.started.elapsed().as_secs_f64();
        let end = board
            .length
            .map_or_else(|| " s, Ctrl-C ends it".to_owned(), |length| format!(" of {} s", length.as_secs()));
        let directory = self.space.directory().display();
        format!(
            "{BOLD}memlane demo{PLAIN}  {seconds:.1}{end}   {DIM}look in: memlane --space {directory} ls{PLAIN}"
        )
    }

    /// Picture and story side by side, or the story alone.
    fn scene(&self, board: &Board, columns: u32, rows: u32) -> Vec<String> {
        let roomy = columns >= COLUMNS_FOR_PICTURE && rows + 10 >= ROWS_FOR_PICTURE;
        let picture = if roomy { self.picture() } else { None };
        let Some(picture) = picture else { return story(board, columns, rows) };
        let room = columns.saturating_sub(STORY_COLUMNS + GAP.len() as u32);
        let (width, height) = half_blocks::fit(picture.dimensions(), room, rows);
        let mut story = story(board, columns - width - GAP.len() as u32, height).into_iter();
        let drawn = half_blocks::draw(&picture, width, height);
        drawn.into_iter().map(|line| line + GAP + &story.next().unwrap_or_default()).collect()
    }

    /// The newest frame, if it could be copied out fast enough.
    fn picture(&self) -> Option<RgbImage> {
        let observer = Observer::open(&self.space, regions::PICTURES).ok()?;
        let frame = observer.latest_frame().ok()??;
        let schema = observer.description().schema.as_ref()?;
        Some(picture::of_frame(schema, &frame.bytes).ok()?.into_rgb8())
    }

    fn figures(&self, board: &Board) -> Vec<String> {
        let head = format!(
            "{:<12}{:>8}{:>9}{:>12}{:>12}{:>8}{:>6}",
            "", "process", "fps", "p50", "p99", "missed", "torn"
        );
        let mut lines = vec![format!("{DIM}{head}{PLAIN}")];
        lines.extend(board.publishers.iter().map(publisher_line));
        lines.extend((1..).zip(&board.viewers).map(|(number, viewer)| viewer_line(number, viewer)));
        lines.push(format!(
            "{:<12}{:>8}  frames at both viewers, counted in shared memory",
            "counter",
            self.content(regions::COUNTER)
        ));
        lines.push(format!("{:<12}{}", "caption", self.content(regions::CAPTION)));
        lines.extend(crew::lines(&board.tally));
        lines
    }

    /// What a cell holds, for people.
    fn content(&self, id: &str) -> String {
        let observation = Observer::open(&self.space, id).and_then(|observer| observer.read());
        match observation.map(|observation| observation.content) {
            Ok(Content::Text(text)) => human::printable(&text).into_owned(),
            Ok(content) => content.to_string(),
            Err(_) => String::new(),
        }
    }
}

fn publisher_line(publisher: &Publisher) -> String {
    let Publisher { pid, state, rate, .. } = publisher;
    match state {
        PublisherState::StandBy => format!("{:<12}{pid:>8}{:>9}", "stand-by", "waits"),
        PublisherState::Publishing if *rate == 0.0 => format!("{:<12}{pid:>8}{:>9}", "publisher", "begins"),
        PublisherState::Publishing => format!("{:<12}{pid:>8}{rate:>9.1}", "publisher"),
        PublisherState::Half(sequence) => {
            format!("{:<12}{pid:>8}  has half of frame {sequence} written", "publisher")
        }
        PublisherState::Killed => format!("{RED}{:<12}{pid:>8}   killed{PLAIN}", "publisher"),
    }
}

fn viewer_line(number: usize, viewer: &Viewer) -> String {
    let reading = &viewer.reading;
    let [half, ninety_nine] = [reading.half, reading.ninety_nine].map(human::duration);
    format!(
        "{:<12}{:>8}{:>9.1}{half:>12}{ninety_nine:>12}{:>8}{:>6}",
        format!("viewer {number}"),
        viewer.pid,
        reading.rate,
        reading.missed,
        reading.torn
    )
}

fn colour_of(mood: Mood) -> &'static str {
    match mood {
        Mood::Plain => "",
        Mood::Bad => RED,
        Mood::Good => GREEN,
    }
}

/// The latest events that fit, oldest first.
fn story(board: &Board, columns: u32, rows: u32) -> Vec<String> {
    let mut lines = Vec::new();
    for event in &board.story {
        let time = format!("{:5.1} s ", event.at.as_secs_f64());
        let width = (columns as usize).saturating_sub(time.len()).max(1);
        for (index, part) in wrapped(&event.text, width).into_iter().enumerate() {
            let margin = if index == 0 { time.clone() } else { " ".repeat(time.len()) };
            lines.push(format!("{DIM}{margin}{PLAIN}{}{part}{PLAIN}", colour_of(event.mood)));
        }
    }
    lines.split_off(lines.len().saturating_sub(rows as usize))
}

/// A text in lines of at most so many characters, as far as its words allow.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("the stand-by took over", 12), ["the stand-by", "took over"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
