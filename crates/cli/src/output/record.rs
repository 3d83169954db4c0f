//! What commands print: records, with the columns that people see of them.

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use tokenry_protocol::time::Timestamp;
use tokenry_server::time_words;

use super::text;

/// One of many things of a kind. Scripts get what `Serialize` writes, people get cells.
pub(crate) trait Record: Serialize {
    /// What many of them are called: `users`.
    const PLURAL: &'static str;
    /// The members that `Serialize` writes, every one of them and in this order.
    const FIELDS: &'static [&'static str];
    /// The columns of a table.
    const COLUMNS: &'static [Column];

    /// What `-q` prints.
    fn id(&self) -> String;

    /// One cell a column.
    fn cells(&self, now: Timestamp) -> Vec<Cell>;

    /// What is shown of one record alone, by name.
    fn details(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        Self::COLUMNS.iter().map(|column| column.title).zip(self.cells(now)).collect()
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(super) title: &'static str,
    pub(super) align: Align,
    pub(super) narrow: Narrow,
}

/// Which edge its cells touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// What becomes of a column that there is no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Narrow {
    /// It stays as it is.
    Keep,
    /// Its cells are cut, the widest column first.
    Cut,
    /// It is left out, the last of these columns first.
    Hide,
}

impl Column {
    /// What stands above it.
    pub(crate) const fn title(&self) -> &'static str {
        self.title
    }

    /// Text that is cut when the terminal is too narrow.
    pub(crate) const fn new(title: &'static str) -> Self {
        Self { title, align: Align::Left, narrow: Narrow::Cut }
    }

    /// Numbers, which end at the right edge.
    pub(crate) const fn number(title: &'static str) -> Self {
        Self { title, align: Align::Right, narrow: Narrow::Keep }
    }

    /// Never cut, as ids and words of a fixed few are not.
    pub(crate) const fn whole(self) -> Self {
        Self { narrow: Narrow::Keep, ..self }
    }

    /// Left out when the terminal is too narrow.
    pub(crate) const fn hidden_when_narrow(self) -> Self {
        Self { narrow: Narrow::Hide, ..self }
    }
}

/// What stands at one place of a table.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(super) text: String,
    /// What says enough where there is little room.
    pub(super) short: Option<String>,
    pub(super) style: Style,
}

impl Cell {
    /// Text, which others may have chosen.
    pub(crate) fn new(text: &(impl ToString + ?Sized)) -> Self {
        Self { text: text::escaped(&text.to_string()), short: None, style: Style::new() }
    }

    /// There is nothing to show.
    pub(crate) fn none() -> Self {
        Self::new("–").quiet()
    }

    /// A time, exactly and how long ago or how far ahead it is.
    pub(crate) fn time(time: Timestamp, now: Timestamp) -> Self {
        let relative =
            if time > now { time_words::until(time, now) } else { time_words::ago(time, now) };
        let text = format!("{}, {relative}", time_words::short_minute(time));
        Self { short: Some(relative), ..Self::new(&text) }
    }

    /// Marks what is as it should be.
    pub(crate) fn good(self) -> Self {
        Self { style: AnsiColor::Green.on_default(), ..self }
    }

    /// Marks what is over or forbidden.
    pub(crate) fn bad(self) -> Self {
        Self { style: AnsiColor::Red.on_default(), ..self }
    }

    /// Marks what deserves a second look.
    pub(crate) fn notable(self) -> Self {
        Self { style: AnsiColor::Yellow.on_default(), ..self }
    }

    /// Steps back behind the rest.
    pub(crate) fn quiet(self) -> Self {
        Self { style: Style::new().dimmed(), ..self }
    }
}

impl<T: ToString> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::none, |value| Self::new(&value))
    }
}
