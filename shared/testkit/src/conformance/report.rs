//! What a run of the matrix says: a table for people, one line for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::matrix::Ran;
use super::row::Row;

/// Rows by provider and kind of subject: `ok` or `failed/run`, and nothing where a row says nothing.
#[must_use]
pub fn table(ran: &[Ran]) -> String {
    let mut columns: Vec<String> = Vec::new();
    let mut counts: BTreeMap<(Row, String), (usize, usize)> = BTreeMap::new();
    for cell in ran {
        let column = format!("{} {}", cell.name.provider, cell.name.kind);
        if !columns.contains(&column) {
            columns.push(column.clone());
        }
        let count = counts.entry((cell.name.row, column)).or_default();
        count.0 += 1;
        count.1 += usize::from(cell.problem.is_some());
    }
    let mut text = format!("{:<20}", "cells (failed)");
    for column in &columns {
        let _ = write!(text, "{column:>18}");
    }
    text.push('\n');
    for row in Row::ALL {
        let _ = write!(text, "{:<20}", row.as_str());
        for column in &columns {
            let shown = match counts.get(&(*row, column.clone())) {
                None => "-".to_owned(),
                Some((cells, 0)) => cells.to_string(),
                Some((cells, failed)) => format!("{cells} ({failed})"),
            };
            let _ = write!(text, "{shown:>18}");
        }
        text.push('\n');
    }
    text
}

/// `{"seed", "cells", "failed", "connectors": {"okta": {"cells", "failed"}}}`, in one line.
#[must_use]
pub fn json_line(ran: &[Ran], seed: u64) -> String {
    let mut connectors: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for cell in ran {
        let count = connectors.entry(cell.name.provider.as_str()).or_default();
        count.0 += 1;
        count.1 += usize::from(cell.problem.is_some());
    }
    let connectors: BTreeMap<&str, Value> = connectors
        .into_iter()
        .map(|(name, (cells, failed))| (name, json!({ "cells": cells, "failed": failed })))
        .collect();
    let failed = ran.iter().filter(|cell| cell.problem.is_some()).count();
    json!({ "seed": seed, "cells": ran.len(), "failed": failed, "connectors": connectors })
        .to_string()
}
