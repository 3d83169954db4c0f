//! A table for people: as wide as its cells, or as the terminal.

use std::fmt::Write as _;

use anstyle::Style;

use super::{
    record::{Align, Cell, Column, Narrow},
    text,
};

/// Between two columns.
const GAP: usize = 2;
/// What a column is cut to at most: less says nothing.
const CUT_MIN: usize = 8;

/// The lines of a table. `columns` of a terminal are not exceeded, if they can be kept at all.
pub(super) fn table(columns: &[Column], rows: &[Vec<Cell>], terminal: Option<usize>) -> String {
    let mut layout = Layout::new(columns, rows);
    if let Some(terminal) = terminal {
        layout.fit(rows, terminal);
    }
    layout.write(rows)
}

/// One record alone: a line a field.
pub(super) fn details(fields: &[(&str, Cell)]) -> String {
    let widest = fields.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0);
    let mut lines = String::new();
    for (name, cell) in fields {
        let (pad, quiet, style) = (widest - text::width(name), Style::new().dimmed(), cell.style);
        // Writing to a string cannot fail.
        let _ = writeln!(
            lines,
            "{quiet}{}{quiet:#}{:pad$}  {style}{}{style:#}",
            name.to_lowercase(),
            "",
            cell.text
        );
    }
    lines
}

struct Layout<'a> {
    columns: Vec<Place<'a>>,
}

/// A column that is shown.
struct Place<'a> {
    column: &'a Column,
    index: usize,
    width: usize,
    is_short: bool,
}

impl<'a> Layout<'a> {
    fn new(columns: &'a [Column], rows: &[Vec<Cell>]) -> Self {
        let place = |(index, column)| {
            let mut place = Place { column, index, width: 0, is_short: false };
            place.width = place.natural_width(rows);
            place
        };
        Self { columns: columns.iter().enumerate().map(place).collect() }
    }

    fn width(&self) -> usize {
        let gaps = self.columns.len().saturating_sub(1) * GAP;
        gaps + self.columns.iter().map(|place| place.width).sum::<usize>()
    }

    /// Takes short forms, then leaves out what may be, then cuts.
    fn fit(&mut self, rows: &[Vec<Cell>], terminal: usize) {
        if self.width() > terminal {
            for place in &mut self.columns {
                place.is_short = true;
                place.width = place.natural_width(rows);
            }
        }
        while self.width() > terminal {
            let hidden = |place: &Place<'_>| place.column.narrow == Narrow::Hide;
            let Some(last) = self.columns.iter().rposition(hidden) else { break };
            self.columns.remove(last);
        }
        while self.width() > terminal {
            let excess = self.width() - terminal;
            let cut = self.columns.iter_mut().filter(|place| {
                place.column.narrow == Narrow::Cut && place.width > place.width_min()
            });
            let Some(widest) = cut.max_by_key(|place| place.width) else { break };
            // A part at a time, so that several wide columns share the loss.
            let step = excess.div_ceil(2).min(widest.width - widest.width_min());
            widest.width -= step;
        }
    }

    fn write(&self, rows: &[Vec<Cell>]) -> String {
        let mut lines = String::new();
        let titles: Vec<Cell> = self.columns.iter().map(Place::title).collect();
        self.write_line(&mut lines, titles.iter());
        for row in rows {
            let cells = self.columns.iter().filter_map(|place| row.get(place.index));
            self.write_line(&mut lines, cells);
        }
        lines
    }

    fn write_line<'c>(&self, lines: &mut String, cells: impl Iterator<Item = &'c Cell>) {
        let last = self.columns.len().saturating_sub(1);
        for (at, (place, cell)) in self.columns.iter().zip(cells).enumerate() {
            let shown = text::cut(place.text(cell), place.width);
            let (pad, style) = (place.width.saturating_sub(text::width(&shown)), cell.style);
            let (before, after) = match place.column.align {
                Align::Right => (pad, 0),
                Align::Left if at == last => (0, 0),
                Align::Left => (0, pad),
            };
            let gap = if at == last { 0 } else { GAP };
            // Writing to a string cannot fail.
            let _ = write!(lines, "{:before$}{style}{shown}{style:#}{:after$}{:gap$}", "", "", "");
        }
        lines.push('\n');
    }
}

impl Place<'_> {
    fn title(&self) -> Cell {
        let style = Style::new().bold();
        Cell { text: self.column.title.to_uppercase(), short: None, style }
    }

    fn text<'c>(&self, cell: &'c Cell) -> &'c str {
        match &cell.short {
            Some(short) if self.is_short => short,
            _ => &cell.text,
        }
    }

    fn natural_width(&self, rows: &[Vec<Cell>]) -> usize {
        let cells = rows.iter().filter_map(|row| row.get(self.index));
        let widths = cells.map(|cell| text::width(self.text(cell)));
        widths.chain([text::width(self.column.title)]).max().unwrap_or(0)
    }

    fn width_min(&self) -> usize {
        CUT_MIN.max(text::width(self.column.title))
    }
}

#[cfg(test)]
mod tests {
    use tokenry_protocol::time::Timestamp;

    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::number("id"),
        Column::new("name"),
        Column::new("used").whole(),
        Column::new("made").hidden_when_narrow(),
    ];

    fn rows() -> Vec<Vec<Cell>> {
        let now = Timestamp::parse("2026-03-05T10:00:00Z").unwrap();
        let used = Timestamp::parse("2026-03-02T09:15:00Z").unwrap();
        vec![
            vec![
                Cell::new("7"),
                Cell::new("日本語のなまえ"),
                Cell::time(used, now),
                Cell::new("x"),
            ],
            vec![Cell::new("12"), Cell::new("Ben \u{1b}[2J"), Cell::none(), Cell::new("y")],
        ]
    }

    fn plain(terminal: Option<usize>) -> String {
        anstream::adapter::strip_str(&table(&COLUMNS, &rows(), terminal)).to_string()
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        assert_eq!(
            plain(None),
            "ID  NAME            USED                           MADE\n \
             7  日本語のなまえ  2026-03-02 09:15Z, 3 days ago  x\n\
             12  Ben \\u{1b}[2J   –                              y\n"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_short_times_then_fewer_columns_then_cut_ones() {
        assert_eq!(
            plain(Some(40)),
            "ID  NAME            USED        MADE\n \
             7  日本語のなまえ  3 days ago  x\n\
             12  Ben \\u{1b}[2J   –           y\n"
        );
        assert_eq!(
            plain(Some(32)),
            "ID  NAME            USED\n \
             7  日本語のなまえ  3 days ago\n\
             12  Ben \\u{1b}[2J   –\n"
        );
        assert_eq!(
            plain(Some(26)),
            "ID  NAME        USED\n \
             7  日本語の…   3 days ago\n\
             12  Ben \\u{1b…  –\n"
        );
    }

    #[test]
    fn no_line_is_wider_than_a_terminal_that_has_room_for_the_least() {
        for terminal in 24..80 {
            for line in plain(Some(terminal)).lines() {
                assert!(text::width(line) <= terminal, "{terminal}: {line}");
            }
        }
    }
}
