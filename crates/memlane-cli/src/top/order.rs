//! Which regions are listed, and in which order.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use memlane_net::view::row::State as Standing;
use serde_json::Value;

use crate::words::text;

/// How rows are filtered, sorted and grouped.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Words, each of which is to be in one of a row's texts.
    pub(super) filter: String,
    pub(super) sort: Sort,
    pub(super) descending: bool,
    pub(super) grouped: bool,
}

/// What rows are sorted by.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Id,
    State,
    Kind,
    Rate,
    Bytes,
    Changed,
    Readers,
}

/// A line of the table of regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A folder and how many rows it has.
    Folder(String, usize),
    /// The index of a row.
    Row(usize),
}

impl Order {
    /// The lines for these rows, which come in the order of their ids.
    pub(super) fn items(&self, rows: &[Arc<Value>]) -> Vec<Item> {
        let mut shown: Vec<usize> = (0..rows.len()).filter(|index| self.is_wanted(&rows[*index])).collect();
        if !self.is_by_id() {
            shown.sort_by(|one, other| {
                let order = self.sort.compare(&rows[*one], &rows[*other]);
                if self.descending { order.reverse() } else { order }
            });
        }
        if self.grouped { grouped(rows, &shown) } else { shown.into_iter().map(Item::Row).collect() }
    }

    /// As they come.
    pub(super) fn is_by_id(&self) -> bool {
        self.sort == Sort::Id && !self.descending
    }

    fn is_wanted(&self, row: &Value) -> bool {
        let is_in = |word: &str| {
            ["id", "kind", "state", "writer"]
                .iter()
                .any(|name| text(&row[*name]).to_lowercase().contains(word))
        };
        self.filter.to_lowercase().split_whitespace().all(is_in)
    }
}

impl Sort {
    pub(super) const ALL: [Self; 7] =
        [Self::Id, Self::State, Self::Kind, Self::Rate, Self::Bytes, Self::Changed, Self::Readers];

    /// The title of its column.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::State => "STATE",
            Self::Kind => "KIND",
            Self::Rate => "RATE",
            Self::Bytes => "BYTES/S",
            Self::Changed => "CHANGED",
            Self::Readers => "READERS",
        }
    }

    /// The more alarming, faster or larger first; otherwise by name.
    fn compare(self, one: &Value, other: &Value) -> Ordering {
        let number = |row: &Value, name: &str| row[name].as_f64().unwrap_or(-1.0);
        let greater = |name: &str| number(other, name).total_cmp(&number(one, name));
        match self {
            Self::Id => text(&one["id"]).cmp(text(&other["id"])),
            Self::State => rank(one).cmp(&rank(other)),
            Self::Kind => text(&one["kind"]).cmp(text(&other["kind"])),
            Self::Rate => greater("rate"),
            Self::Bytes => greater("bytes_per_second"),
            Self::Changed => greater("changed_at"),
            Self::Readers => greater("readers"),
        }
    }
}

/// How alarming a row's state is, the most first.
fn rank(row: &Value) -> usize {
    let state = text(&row["state"]);
    Standing::ALL.iter().position(|known| known.name() == state).unwrap_or(0)
}

/// Rows below the folders that they are in, folders in the order of their first rows.
fn grouped(rows: &[Arc<Value>], shown: &[usize]) -> Vec<Item> {
    let folder = |index: &usize| text(&rows[*index]["id"]).rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut folders: Vec<(&str, Vec<usize>)> = Vec::new();
    let mut places = HashMap::new();
    for index in shown {
        let place = *places.entry(folder(index)).or_insert_with(|| {
            folders.push((folder(index), Vec::new()));
            folders.len() - 1
        });
        folders[place].1.push(*index);
    }
    let lines = folders.into_iter().flat_map(|(folder, rows)| {
        let head = Item::Folder(format!("{folder}/"), rows.len());
        std::iter::once(head).chain(rows.into_iter().map(Item::Row))
    });
    lines.collect()
}
