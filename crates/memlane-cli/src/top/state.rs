//! What is shown, and what news and the user do to that. Knows no terminal and no clock.

use std::collections::VecDeque;
use std::sync::Arc;

use ratatui::layout::Rect;
use serde_json::Value;

use super::detail::{Content, Detail};
use super::feed::{News, Wish};
use super::order::{Item, Order};
use super::prompt::{Edit, Prompt};
use crate::table::Tone;
use crate::words::text;

/// Figures of the past that are kept of the region in detail.
const HISTORY: usize = 240;

/// What the body shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Regions,
    Detail,
    Participants,
    Locks,
    Help,
}

/// What the user wants of the world.
#[derive(Debug)]
pub(super) enum Wanted {
    End,
    Stop,
    Change(Edit),
}

/// Where what can be clicked was drawn.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) tabs: Vec<(Rect, View)>,
    /// The rows, without their titles.
    pub(super) rows: Rect,
}

/// All that a screen shows.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Independent facts of one screen.
pub(super) struct State {
    pub(super) place: String,
    /// Otherwise what is shown is what was seen last.
    pub(super) is_connected: bool,
    pub(super) colour: bool,
    pub(super) view: View,
    pub(super) rows: Option<Vec<Arc<Value>>>,
    pub(super) items: Vec<Item>,
    /// The item under the cursor, and the first that is drawn.
    pub(super) cursor: usize,
    pub(super) offset: usize,
    pub(super) order: Order,
    pub(super) unlocked: bool,
    /// The region in detail.
    pub(super) region: Option<String>,
    pub(super) detail: Option<Result<Detail, String>>,
    /// The field or element under the cursor.
    pub(super) part: usize,
    /// It is to be edited as soon as it is seen.
    pub(super) is_eager: bool,
    /// Rates and depths of the region in detail, the newest last.
    pub(super) history: VecDeque<(f64, f64)>,
    pub(super) processes: Option<Vec<Value>>,
    pub(super) locks: Option<(Vec<Value>, Vec<Value>)>,
    pub(super) scroll: usize,
    pub(super) prompt: Option<Prompt>,
    pub(super) note: Option<(String, Tone)>,
    pub(super) places: Places,
}

impl View {
    pub(super) const TABS: [(Self, &str); 4] = [
        (Self::Regions, "Regions"),
        (Self::Detail, "Detail"),
        (Self::Participants, "Participants"),
        (Self::Locks, "Locks"),
    ];
}

impl State {
    pub(super) fn new(place: String, colour: bool) -> Self {
        Self {
            place,
            is_connected: true,
            colour,
            view: View::Regions,
            rows: None,
            items: Vec::new(),
            cursor: 0,
            offset: 0,
            order: Order::default(),
            unlocked: false,
            region: None,
            detail: None,
            part: 0,
            is_eager: false,
            history: VecDeque::new(),
            processes: None,
            locks: None,
            scroll: 0,
            prompt: None,
            note: None,
            places: Places::default(),
        }
    }

    /// What is to be looked at.
    pub(super) fn wish(&self) -> Wish {
        Wish { view: self.view, region: self.region.clone() }
    }

    /// Shows what is new.
    pub(super) fn take(&mut self, news: News) {
        match news {
            News::Rows(rows) => {
                self.rows = Some(rows);
                self.arrange();
                self.remember();
            }
            News::Processes(processes) => self.processes = Some(processes),
            News::Locks(locks, edges) => self.locks = Some((locks, edges)),
            // One that was asked for before the user went on is late.
            News::Detail(Ok(detail)) if self.region.as_ref() != Some(&detail.id) => {}
            News::Detail(detail) => {
                self.detail = Some(detail);
                self.part = self.part.min(self.parts().saturating_sub(1));
                if std::mem::take(&mut self.is_eager) {
                    self.edit();
                }
            }
            News::Trouble(trouble) => self.say(trouble, Tone::Alarm),
        }
    }

    /// Shows whether there is a connection; whether that is new.
    pub(super) fn connect(&mut self, is_connected: bool) -> bool {
        let is_new = self.is_connected != is_connected;
        if is_new {
            // What was said before is of another time.
            (self.is_connected, self.note) = (is_connected, None);
        }
        is_new
    }

    pub(super) fn say(&mut self, note: String, tone: Tone) {
        self.note = Some((note, tone));
    }

    /// The row of the region in detail.
    pub(super) fn row(&self) -> Option<&Arc<Value>> {
        let id = self.region.as_ref()?;
        self.rows.as_ref()?.iter().find(|row| row["id"] == id.as_str())
    }

    /// The id under the cursor.
    pub(super) fn selected(&self) -> Option<String> {
        let Some(Item::Row(index)) = self.items.get(self.cursor) else { return None };
        Some(text(&self.rows.as_ref()?.get(*index)?["id"]).to_owned())
    }

    /// Puts the rows in order; the cursor stays on its region.
    pub(super) fn arrange(&mut self) {
        let Some(rows) = &self.rows else { return };
        self.items = self.order.items(rows);
        let selected = self.region.as_deref();
        let is_selected = |item: &Item| {
            let Item::Row(index) = item else { return false };
            selected.is_some() && rows[*index]["id"].as_str() == selected
        };
        let found = self.items.iter().position(is_selected);
        self.cursor = found.unwrap_or(self.cursor.min(self.items.len().saturating_sub(1)));
        // What was opened stays open, also when it is gone or no longer among those that are shown.
        if found.is_none() && self.view != View::Detail {
            self.step(0);
        }
    }

    /// Moves the cursor, over folders.
    pub(super) fn step(&mut self, by: isize) {
        let last = self.items.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
        let is_row = |index: &usize| matches!(self.items.get(*index), Some(Item::Row(_)));
        let ahead = (self.cursor..=last).find(is_row);
        let behind = (0..self.cursor).rev().find(is_row);
        let found =
            if by < 0 { behind.filter(|_| !is_row(&self.cursor)).or(ahead) } else { ahead.or(behind) };
        self.cursor = found.unwrap_or(self.cursor);
        self.select();
    }

    /// Follows the cursor.
    fn select(&mut self) {
        let selected = self.selected();
        if self.region != selected {
            self.region = selected;
            self.detail = None;
            self.part = 0;
            self.history.clear();
        }
    }

    pub(super) fn open(&mut self) {
        self.select();
        if self.region.is_some() {
            self.go(View::Detail);
        }
    }

    /// As a tab is chosen: the detail is of the region under the cursor.
    pub(super) fn turn_to(&mut self, view: View) {
        if view == View::Detail { self.open() } else { self.go(view) }
    }

    /// Among the parts of the region in detail, or through its lines.
    pub(super) fn step_in_detail(&mut self, by: isize) {
        if self.parts() > 0 {
            self.part = self.part.saturating_add_signed(by).min(self.parts() - 1);
        } else {
            self.scroll = self.scroll.saturating_add_signed(by);
        }
    }

    pub(super) fn go(&mut self, view: View) {
        self.view = view;
        self.scroll = 0;
        self.note = None;
    }

    /// Keeps the figures of the region in detail.
    fn remember(&mut self) {
        let Some(row) = self.row() else { return };
        let rate = row["rate"].as_f64().unwrap_or(0.0);
        let depth = match &self.detail {
            Some(Ok(Detail { content: Content::Messages(_, length), .. })) => *length as f64,
            _ => 0.0,
        };
        self.history.push_back((rate, depth));
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// How many parts of the region in detail can be chosen.
    pub(super) fn parts(&self) -> usize {
        match &self.detail {
            Some(Ok(Detail { content: Content::Fields(fields), .. })) => fields.len(),
            Some(Ok(Detail { content: Content::Elements(elements, _), .. })) => elements.len(),
            _ => 0,
        }
    }

    /// Begins to change what is under the cursor.
    pub(super) fn edit(&mut self) {
        self.is_eager = self.detail.is_none();
        let Some(Ok(detail)) = &self.detail else { return };
        match Edit::of(detail, self.part) {
            Some(edit) => {
                self.note = None;
                self.prompt = Some(Prompt::Edit(edit));
            }
            None => self.say("there is nothing to be typed here".to_owned(), Tone::Notice),
        }
    }

    /// Whether that would begin something.
    pub(super) fn can_edit(&self) -> bool {
        matches!(&self.detail, Some(Ok(detail)) if Edit::of(detail, self.part).is_some())
    }
}
