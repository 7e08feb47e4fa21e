//! What the commands print: tables for people, JSON for programs.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use crate::exit::{Failure, Reason};

/// Columns of a table that goes into a file or a pipe, where nobody can ask for the width.
const WIDTH_ELSEWHERE: u16 = 250;

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table, for people.
    Table,
    /// JSON, for programs: what the console answered, in its documented shape.
    Json,
}

impl Format {
    /// Prints a value as JSON, or in the words that `table` makes of it.
    pub(crate) fn print<T: Serialize>(
        self,
        value: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self {
            Self::Table => say(&table(value)),
            Self::Json => {
                let text = serde_json::to_string_pretty(value).map_err(|error| {
                    Failure::new(Reason::Problem, format!("writing JSON: {error}"))
                })?;
                say(&text)
            }
        }
    }
}

/// A table with this head; a line that says so instead where there are no rows.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>, none: &str) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(head.iter().map(|name| name.to_uppercase()));
    if !io::stdout().is_terminal() {
        table.set_width(WIDTH_ELSEWHERE);
    }
    table.add_rows(rows);
    // Lines end where their text does.
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// Names and values, one to a line, aligned; values that are absent are left out.
pub(crate) fn pairs(pairs: &[(&str, Option<String>)]) -> String {
    let present = pairs.iter().filter(|(_, value)| value.is_some());
    let width = present.map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> = pairs
        .iter()
        .filter_map(|(name, value)| {
            let value = value.as_ref()?;
            Some(format!("{name:width$}  {value}"))
        })
        .collect();
    lines.join("\n")
}

/// Prints to standard output. A reader that went away is no failure.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Reason::Problem,
            format!("writing the result: {error}"),
        )),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Tells people something that is no result, on standard error.
pub(crate) fn note(text: &str) {
    // Nobody is left to be told that standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Tells why the command failed.
pub(crate) fn complain(text: &str) {
    note(&format!("sever: {text}"));
}

/// Whether somebody watches standard error.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_says_so_and_absent_values_are_left_out() {
        assert_eq!(table(&["id"], vec![], "no holds"), "no holds");
        let shown = pairs(&[
            ("status", Some("connected".to_owned())),
            ("closed", None),
            ("id", Some("7".to_owned())),
        ]);
        assert_eq!(shown, "status  connected\nid      7");
    }
}
