//! Tables for people: columns aligned, elastic ones cut to the terminal, colour where it means something.
//!
//! ```text
//! ID            KIND    VERSION  CONTENT
//! camera/front  frames    12031  30 frames a second …
//! robot/speed   value         7  1.5
//! ```

use clap::builder::styling::{AnsiColor, Style};

use crate::human::{self, cut, width_of};

/// Between two columns.
pub(crate) const GAP: &str = "  ";
/// What an elastic column keeps of its width in the narrowest terminal.
const LEAST_ELASTIC_WIDTH: usize = 8;

/// What a cell says beside its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    /// Worth a look: held, stopped, waiting.
    Notice,
    /// Dead, damaged, inconsistent.
    Alarm,
}

impl Tone {
    /// A line in this tone.
    pub(crate) fn painted(self, line: &str, colour: bool) -> String {
        let style = if colour { self.style() } else { Style::new() };
        format!("{style}{line}{style:#}")
    }

    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Notice => AnsiColor::Yellow.on_default(),
            Self::Alarm => AnsiColor::Red.on_default(),
        }
    }
}

/// One field of a row: a single line, free of what a terminal would obey.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: human::printable(text.as_ref()).replace('\n', " "), tone }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// How a column is laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    title: &'static str,
    numbers: bool,
    elastic: bool,
    optional: bool,
}

impl Column {
    /// Words, flush left.
    pub(crate) const fn words(title: &'static str) -> Self {
        Self { title, numbers: false, elastic: false, optional: false }
    }

    /// Numbers, flush right.
    pub(crate) const fn numbers(title: &'static str) -> Self {
        Self { title, numbers: true, elastic: false, optional: false }
    }

    /// May be cut when the terminal is narrow.
    pub(crate) const fn elastic(self) -> Self {
        Self { elastic: true, ..self }
    }

    /// Is left out when it is empty in every row.
    pub(crate) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

/// A table under construction.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn push<const N: usize>(&mut self, row: [Cell; N]) {
        self.rows.push(row.into());
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, at most `width` columns wide as far as the elastic columns allow.
    pub(crate) fn render(&self, width: Option<usize>, colour: bool) -> String {
        let coloured = |style: Style| if colour { style } else { Style::new() };
        let mut text = String::new();
        for (number, line) in self.lines(width).iter().enumerate() {
            let painted = line.iter().map(|[before, cell, after]| {
                let style = if number == 0 { Style::new().bold() } else { cell.tone.style() };
                let style = coloured(style);
                format!("{}{style}{}{style:#}{}", before.text, cell.text, after.text)
            });
            let painted = painted.collect::<Vec<_>>().join(GAP);
            text += painted.trim_end();
            text.push('\n');
        }
        text
    }

    /// The same as cells, each between the spaces before and behind it; the titles first.
    pub(crate) fn lines(&self, width: Option<usize>) -> Vec<Vec<[Cell; 3]>> {
        let mut layout = self.natural_layout();
        if let Some(width) = width {
            self.shrink(&mut layout, width);
        }
        let titles: Vec<_> = self.columns.iter().map(|column| Cell::from(column.title)).collect();
        std::iter::once(&titles).chain(&self.rows).map(|row| self.line(row, &layout)).collect()
    }

    /// The index of each column shown and the width that it would like.
    fn natural_layout(&self) -> Vec<(usize, usize)> {
        let cells = |index: usize| self.rows.iter().filter_map(move |row| row.get(index));
        let columns = self.columns.iter().enumerate();
        let shown = columns
            .filter(|(index, column)| !column.optional || cells(*index).any(|cell| !cell.text.is_empty()));
        let widest = |index: usize| cells(index).map(|cell| width_of(&cell.text)).max().unwrap_or(0);
        shown.map(|(index, column)| (index, widest(index).max(width_of(column.title)))).collect()
    }

    /// Takes from the widest elastic column until all fits.
    fn shrink(&self, layout: &mut [(usize, usize)], width: usize) {
        let gaps = layout.len().saturating_sub(1) * GAP.len();
        let mut excess = (layout.iter().map(|(_, width)| width).sum::<usize>() + gaps).saturating_sub(width);
        while excess > 0 {
            let elastic = layout.iter_mut().filter(|(index, _)| self.columns[*index].elastic);
            let Some((_, widest)) = elastic.max_by_key(|(_, width)| *width) else { return };
            if *widest <= LEAST_ELASTIC_WIDTH {
                return;
            }
            *widest -= 1;
            excess -= 1;
        }
    }

    fn line(&self, cells: &[Cell], layout: &[(usize, usize)]) -> Vec<[Cell; 3]> {
        let place = |(index, width): &(usize, usize)| {
            let Cell { text, tone } = cells.get(*index)?;
            let text = cut(text, *width).into_owned();
            let space = Cell { text: " ".repeat(width - width_of(&text)), tone: Tone::Plain };
            let cell = Cell { text, tone: *tone };
            Some(if self.columns[*index].numbers {
                [space, cell, Cell::default()]
            } else {
                [Cell::default(), cell, space]
            })
        };
        layout.iter().filter_map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = [
            Column::words("ID"),
            Column::numbers("N"),
            Column::words("NOTE").optional(),
            Column::words("TEXT").elastic(),
        ];
        let mut table = Table::new(&columns);
        table.push(["a".into(), "7".into(), "".into(), "a long text that ends".into()]);
        table.push(["bcd".into(), "1200".into(), "".into(), Cell::new("x\n\u{7}", Tone::Alarm)]);
        table
    }

    #[test]
    fn columns_are_aligned_and_empty_optional_ones_left_out() {
        let expected = "ID      N  TEXT\na       7  a long text that ends\nbcd  1200  x \\u{7}\n";
        assert_eq!(table().render(None, false), expected);
    }

    #[test]
    fn elastic_columns_give_way_to_the_terminal() {
        let rendered = table().render(Some(20), false);
        assert_eq!(rendered.lines().nth(1), Some("a       7  a long t…"));
        // No narrower than what still says something.
        assert_eq!(table().render(Some(5), false).lines().nth(1), Some("a       7  a long …"));
    }

    #[test]
    fn colour_changes_no_width() {
        let rendered = table().render(None, true);
        assert!(rendered.contains("\u{1b}[31mx \\u{7}\u{1b}[0m"), "{rendered:?}");
    }
}
