//! Records in the format that was asked for. Of a list, JSON, YAML, CSV and ids are written as they
//! come, so that it may be of any length; a table needs to have seen all of it.

use std::{
    fmt::Write as _,
    io::{self, BufWriter, Write},
    marker::PhantomData,
};

use serde::Serialize;
use serde_json::{Map, Value};
use tokenry_protocol::time::Timestamp;

use super::{Cell, Format, OutputArgs, ReaderGone, Record, Surroundings, csv, table, text};

/// A list that is being printed.
pub(crate) struct List<R> {
    format: Format,
    surroundings: Surroundings,
    out: BufWriter<Box<dyn Write>>,
    count: u64,
    rows: Vec<Vec<Cell>>,
    of: PhantomData<fn(&R)>,
}

impl<R: Record> List<R> {
    /// Nothing is printed yet.
    pub(crate) fn new(output: OutputArgs, now: Timestamp) -> Self {
        let out = Box::new(anstream::stdout());
        Self::to(out, output.format(), Surroundings::of_standard_output(now))
    }

    fn to(out: Box<dyn Write>, format: Format, surroundings: Surroundings) -> Self {
        let (out, rows) = (BufWriter::new(out), Vec::new());
        Self { format, surroundings, out, count: 0, rows, of: PhantomData }
    }

    /// Prints one more record.
    pub(crate) fn push(&mut self, record: &R) -> anyhow::Result<()> {
        let is_first = self.count == 0;
        self.count += 1;
        let text = match self.format {
            Format::Words => {
                self.rows.push(record.cells(self.surroundings.now));
                return Ok(());
            }
            Format::Json => {
                let before = if is_first { "[\n" } else { ",\n" };
                format!("{before}{}", json(record, self.surroundings.terminal, "  ")?)
            }
            Format::Yaml => yaml(&[record], self.surroundings.terminal)?,
            Format::Csv => {
                let header = if is_first { csv::header(R::FIELDS) } else { String::new() };
                header + &csv_row(record, self.surroundings.terminal)?
            }
            Format::Ids => record.id() + "\n",
        };
        self.write(&text)
    }

    /// Prints what has to come last.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        let (columns, terminal) = (R::COLUMNS, self.surroundings.terminal);
        let text = match (self.format, self.count) {
            // On standard error: whoever counts lines finds none.
            (Format::Words, 0) => {
                anstream::eprintln!("There are no such {}.", R::PLURAL);
                String::new()
            }
            (Format::Words, _) => table::table(columns, &self.rows, terminal),
            (Format::Json | Format::Yaml, 0) => "[]\n".to_owned(),
            (Format::Json, _) => "\n]\n".to_owned(),
            (Format::Csv, 0) => csv::header(R::FIELDS),
            (Format::Yaml | Format::Csv | Format::Ids, _) => String::new(),
        };
        self.write(&text)?;
        self.out.flush().map_err(unless_gone)
    }

    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.out.write_all(text.as_bytes()).map_err(unless_gone)
    }
}

/// Prints one record alone.
pub(crate) fn show<R: Record>(
    record: &R,
    output: OutputArgs,
    now: Timestamp,
) -> anyhow::Result<()> {
    let surroundings = Surroundings::of_standard_output(now);
    let text = match output.format() {
        Format::Words => table::details(&record.details(now)),
        Format::Json => json(record, surroundings.terminal, "")? + "\n",
        Format::Yaml => yaml(record, surroundings.terminal)?,
        Format::Csv => csv::header(R::FIELDS) + &csv_row(record, surroundings.terminal)?,
        Format::Ids => record.id() + "\n",
    };
    let mut out = anstream::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(unless_gone)
}

/// One line for scripts, several for people.
fn json<R: Record>(record: &R, terminal: Option<usize>, indent: &str) -> anyhow::Result<String> {
    let text = match terminal {
        Some(_) => serde_json::to_string_pretty(record)?.replace('\n', &format!("\n{indent}")),
        None => serde_json::to_string(record)?,
    };
    Ok(with_escapes(&text))
}

/// What a terminal would obey stands inside of strings alone, and JSON can write it by number.
fn with_escapes(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if text::is_harmful(character) && !character.is_ascii_control() || character == '\u{7f}' {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text
}

fn yaml(value: &impl Serialize, terminal: Option<usize>) -> anyhow::Result<String> {
    let text = serde_saphyr::to_string(value)?;
    Ok(if terminal.is_some() { shown(&text) } else { text })
}

fn members(record: &impl Serialize) -> anyhow::Result<Map<String, Value>> {
    match serde_json::to_value(record)? {
        Value::Object(members) => Ok(members),
        other => anyhow::bail!("a record has members, and this is {other}"),
    }
}

fn csv_row<R: Record>(record: &R, terminal: Option<usize>) -> anyhow::Result<String> {
    let row = csv::row(R::FIELDS, &members(record)?);
    Ok(if terminal.is_some() { shown(&row) } else { row })
}

/// The same without what a terminal would obey, but for the ends of its lines.
fn shown(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let content = line.trim_end_matches(['\r', '\n']);
        let end = line.get(content.len()..).unwrap_or_default();
        text::escaped(content) + end
    });
    lines.collect()
}

fn unless_gone(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe { ReaderGone.into() } else { error.into() }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::output::Column;

    #[derive(Serialize)]
    struct Thing {
        id: u64,
        name: Option<&'static str>,
    }

    impl Record for Thing {
        const PLURAL: &'static str = "things";
        const FIELDS: &'static [&'static str] = &["id", "name"];
        const COLUMNS: &'static [Column] = &[Column::number("id"), Column::new("name")];

        fn id(&self) -> String {
            self.id.to_string()
        }

        fn cells(&self, _: Timestamp) -> Vec<Cell> {
            vec![Cell::new(&self.id), self.name.into()]
        }
    }

    const THINGS: [Thing; 3] = [
        Thing { id: 1, name: Some("=one") },
        Thing { id: 2, name: None },
        Thing { id: 3, name: Some("a\u{1b}\u{9b}\u{202e},\"") },
    ];

    #[derive(Clone, Default)]
    struct Written(Rc<RefCell<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn printed(format: Format, terminal: Option<usize>, things: &[Thing]) -> String {
        let written = Written::default();
        let surroundings = Surroundings { now: Timestamp::from_seconds(0), terminal };
        let mut list = List::to(Box::new(written.clone()), format, surroundings);
        for thing in things {
            list.push(thing).unwrap();
        }
        list.end().unwrap();
        String::from_utf8(written.0.take()).unwrap()
    }

    #[test]
    fn every_format_holds_the_same_records() {
        for terminal in [None, Some(80)] {
            let json: Value =
                serde_json::from_str(&printed(Format::Json, terminal, &THINGS)).unwrap();
            assert_eq!(json, serde_json::to_value(&THINGS).unwrap());
        }
        assert_eq!(
            printed(Format::Csv, None, &THINGS),
            "id,name\r\n1,'=one\r\n2,\r\n3,\"a\u{1b}\u{9b}\u{202e},\"\"\"\r\n"
        );
        assert_eq!(
            printed(Format::Yaml, None, &THINGS),
            "- id: 1\n  name: =one\n- id: 2\n  name: null\n\
             - id: 3\n  name: \"a\\e\\x9B\u{202e},\\\"\"\n"
        );
        assert_eq!(printed(Format::Ids, None, &THINGS), "1\n2\n3\n");
    }

    #[test]
    fn a_list_of_nothing_is_still_of_its_format() {
        assert_eq!(printed(Format::Json, None, &[]), "[]\n");
        assert_eq!(printed(Format::Yaml, None, &[]), "[]\n");
        assert_eq!(printed(Format::Csv, None, &[]), "id,name\r\n");
        assert_eq!(printed(Format::Ids, None, &[]), "");
        assert_eq!(printed(Format::Words, None, &[]), "");
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_reaches_it() {
        for format in [Format::Words, Format::Json, Format::Yaml, Format::Csv, Format::Ids] {
            let shown = printed(format, Some(80), &THINGS);
            let shown = anstream::adapter::strip_str(&shown).to_string();
            let harmful = |c| text::is_harmful(c) && !"\r\n".contains(c);
            assert!(!shown.contains(harmful), "{format:?}: {shown:?}");
        }
    }

    /// Reads one line and hangs up.
    struct Impatient;

    impl Write for Impatient {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_list_that_nobody_reads_any_more_ends_early() {
        let surroundings = Surroundings { now: Timestamp::from_seconds(0), terminal: None };
        let mut list = List::to(Box::new(Impatient), Format::Ids, surroundings);
        let ended = (0..100_000).find_map(|id| list.push(&Thing { id, name: None }).err());
        assert!(ended.unwrap().is::<ReaderGone>());
    }
}
