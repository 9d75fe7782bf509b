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
/// What it should have before others are shown that can be spared.
const READABLE_WIDTH: usize = 24;

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

/// When a column is cut, where a terminal is narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    Never,
    /// When no other column has anything left to give.
    Last,
    First,
}

/// How a column is laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    title: &'static str,
    numbers: bool,
    cut: Cut,
    optional: bool,
    spare: bool,
}

impl Column {
    /// Words, flush left.
    pub(crate) const fn words(title: &'static str) -> Self {
        Self { title, numbers: false, cut: Cut::Never, optional: false, spare: false }
    }

    /// Numbers, flush right.
    pub(crate) const fn numbers(title: &'static str) -> Self {
        Self { numbers: true, ..Self::words(title) }
    }

    /// May be cut when the terminal is narrow.
    pub(crate) const fn elastic(self) -> Self {
        Self { cut: Cut::First, ..self }
    }

    /// May be cut too, but only when no other column has anything left to give.
    pub(crate) const fn cut_last(self) -> Self {
        Self { cut: Cut::Last, ..self }
    }

    /// Is left out when the terminal is narrow, the last such column first.
    pub(crate) const fn spare(self) -> Self {
        Self { spare: true, ..self }
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

    /// Leaves out what can be spared, as long as what is elastic cannot be read; then takes from the widest elastic
    /// column until all fits.
    fn shrink(&self, layout: &mut Vec<(usize, usize)>, width: usize) {
        let excess = |layout: &[(usize, usize)], needed: &dyn Fn(&Column, usize) -> usize| {
            let columns = layout.iter().map(|(index, width)| needed(&self.columns[*index], *width));
            let gaps = layout.len().saturating_sub(1) * GAP.len();
            (columns.sum::<usize>() + gaps).saturating_sub(width)
        };
        let readable = |column: &Column, width: usize| {
            if column.cut == Cut::First { width.min(READABLE_WIDTH) } else { width }
        };
        while excess(layout, &readable) > 0 {
            let Some(spare) = layout.iter().rposition(|(index, _)| self.columns[*index].spare) else { break };
            layout.remove(spare);
        }
        let mut excess = excess(layout, &|_, width| width);
        while excess > 0 {
            let gives = layout.iter_mut().filter(|(index, width)| {
                self.columns[*index].cut > Cut::Never && *width > LEAST_ELASTIC_WIDTH
            });
            let order = |(index, width): &&mut (usize, usize)| (self.columns[*index].cut, *width);
            let Some((_, widest)) = gives.max_by_key(order) else { return };
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

    /// At the usual 80 columns names were cut for the sake of figures.
    #[test]
    fn figures_are_spared_before_a_content_and_a_name_is_cut_last() {
        let columns = [
            Column::words("ID").cut_last(),
            Column::numbers("BYTES/S").spare(),
            Column::numbers("READERS").spare(),
            Column::words("CONTENT").elastic(),
        ];
        let mut table = Table::new(&columns);
        table.push(["a/name/of/24/characters_".into(), "1".into(), "2".into(), "z".repeat(90).into()]);
        let titles_at = |width| {
            let rendered = table.render(Some(width), false);
            let (titles, row) = rendered.split_once('\n').unwrap();
            let titles: Vec<_> = titles.split_whitespace().map(str::to_owned).collect();
            (titles.join(" "), row.trim_end().to_owned())
        };
        assert_eq!(titles_at(68).0, "ID BYTES/S READERS CONTENT");
        assert_eq!(titles_at(67).0, "ID BYTES/S CONTENT");
        assert_eq!(titles_at(50).0, "ID CONTENT");
        assert_eq!(titles_at(34).1, "a/name/of/24/characters_  zzzzzzz…");
        assert_eq!(titles_at(30).1, "a/name/of/24/charac…  zzzzzzz…");
    }

    #[test]
    fn colour_changes_no_width() {
        let rendered = table().render(None, true);
        assert!(rendered.contains("\u{1b}[31mx \\u{7}\u{1b}[0m"), "{rendered:?}");
    }
}
