//! Reading `people.csv`: a stream of bytes into rows, each either a person or what is wrong with its line.
//!
//! Columns: `source`, `external_id` and `employment_state` are required; `given_name`, `family_name`, `emails` and
//! `provider_ids` may be absent. Several e-mails, and several provider ids (`connection:id`), are separated by `;`.

use std::collections::HashMap;
use std::io::Read;

use csv::StringRecord;
use sever_api::Problem;
use sever_api::person_view::RejectedRow;
use sever_domain::employment::EmploymentState;
use sever_domain::{ConnectionId, SourceId};
use sever_store::person_import::ImportedPerson;

/// The columns, in the order of the documentation.
const COLUMNS: [&str; 7] = [
    "source",
    "external_id",
    "given_name",
    "family_name",
    "emails",
    "employment_state",
    "provider_ids",
];
/// Those without which nobody can be imported.
const REQUIRED: [&str; 3] = ["source", "external_id", "employment_state"];

/// The most characters of an external id or a provider id, as the tables take them.
const ID_MAX: usize = 256;
/// The most characters of a name.
const NAME_MAX: usize = 200;
/// The longest e-mail address (RFC 5321 section 4.5.3.1.3, with its brackets).
const EMAIL_MAX: usize = 256;
/// The most e-mails or accounts of one person.
const LIST_MAX: usize = 50;

/// The names that rows may refer to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// Sources by name.
    pub(crate) sources: HashMap<String, SourceId>,
    /// Connections by name.
    pub(crate) connections: HashMap<String, ConnectionId>,
}

/// One row.
pub(crate) type Row = Result<ImportedPerson, RejectedRow>;

/// A column at fault, and what is wrong with it. Never the value.
type Fault = (&'static str, String);

/// Reads every row and hands it to `take`, which says whether to go on.
///
/// # Errors
/// A 400 problem for a header that cannot be taken, and for a body that is no CSV or breaks off; rows before it were handed out.
pub(crate) fn read(
    body: impl Read,
    names: &Names,
    mut take: impl FnMut(Row) -> bool,
) -> Result<(), Problem> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(body);
    let columns = columns(reader.headers().map_err(|error| broken(&error))?)?;
    let mut record = csv::ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| broken(&error))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        let row = StringRecord::from_byte_record(record.clone())
            .map_err(|_| ("row", "is not UTF-8".to_owned()))
            .and_then(|record| person(&columns, &record, names))
            .map_err(|(field, problem)| RejectedRow {
                line,
                field: field.to_owned(),
                problem,
            });
        if !take(row) {
            break;
        }
    }
    Ok(())
}

/// Where each column stands.
type Columns = HashMap<&'static str, usize>;

fn columns(header: &StringRecord) -> Result<Columns, Problem> {
    let wanted = || format!("the header must name some of: {}", COLUMNS.join(","));
    let mut columns = Columns::new();
    for (index, name) in header.iter().enumerate() {
        // Spreadsheet programs write a byte order mark before the first name.
        let name = name.trim_start_matches('\u{feff}').trim();
        let known = COLUMNS.iter().find(|column| **column == name);
        let known = known.ok_or_else(|| {
            let shown: String = name.chars().take(64).collect();
            Problem::invalid(
                "header",
                format!("column '{shown}' is not known; {}", wanted()),
            )
        })?;
        if columns.insert(known, index).is_some() {
            return Err(Problem::invalid(
                "header",
                format!("column '{known}' stands there twice"),
            ));
        }
    }
    match REQUIRED
        .iter()
        .find(|column| !columns.contains_key(*column))
    {
        Some(missing) => Err(Problem::invalid(
            "header",
            format!("column '{missing}' is missing; {}", wanted()),
        )),
        None => Ok(columns),
    }
}

fn broken(error: &csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    Problem::invalid(
        "body",
        format!("cannot be read as CSV from line {line} on, or broke off there"),
    )
}

fn person(
    columns: &Columns,
    record: &StringRecord,
    names: &Names,
) -> Result<ImportedPerson, Fault> {
    if record.len() != columns.len() {
        let problem = format!("has {} fields, the header {}", record.len(), columns.len());
        return Err(("row", problem));
    }
    let value = |column: &str| {
        let index = columns.get(column);
        index
            .and_then(|index| record.get(*index))
            .unwrap_or_default()
    };
    let source = value("source");
    let source = names.sources.get(source).copied().ok_or_else(|| {
        (
            "source",
            "names no source; add it with 'sever source add'".to_owned(),
        )
    })?;
    let external_id = value("external_id");
    if external_id.is_empty() || external_id.chars().count() > ID_MAX {
        return Err(("external_id", format!("must have 1 to {ID_MAX} characters")));
    }
    let employment: EmploymentState = value("employment_state").parse().map_err(|_| {
        (
            "employment_state",
            "must be active, on_leave or left".to_owned(),
        )
    })?;
    Ok(ImportedPerson {
        source,
        external_id: clean("external_id", external_id)?,
        given_name: name("given_name", value("given_name"))?,
        family_name: name("family_name", value("family_name"))?,
        emails: emails(value("emails"))?,
        employment,
        accounts: accounts(value("provider_ids"), names)?,
    })
}

fn name(column: &'static str, value: &str) -> Result<Option<String>, Fault> {
    if value.is_empty() {
        return Ok(None);
    }
    if value.chars().count() > NAME_MAX {
        return Err((column, format!("must have at most {NAME_MAX} characters")));
    }
    clean(column, value).map(Some)
}

/// PostgreSQL takes no NUL, and nothing that breaks a line belongs into a name or an id.
fn clean(column: &'static str, value: &str) -> Result<String, Fault> {
    if value.chars().any(char::is_control) {
        return Err((column, "must not hold control characters".to_owned()));
    }
    Ok(value.to_owned())
}

/// The parts of a list, without empty ones.
fn parts<'a>(column: &'static str, value: &'a str) -> Result<Vec<&'a str>, Fault> {
    let parts: Vec<&str> = value
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() > LIST_MAX {
        return Err((column, format!("must have at most {LIST_MAX} entries")));
    }
    Ok(parts)
}

fn emails(value: &str) -> Result<Vec<String>, Fault> {
    let email = |text: &str| {
        let usable = text.len() <= EMAIL_MAX
            && text
                .split_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        usable.then(|| text.to_owned()).ok_or_else(|| {
            (
                "emails",
                "holds something that is no e-mail address; separate several by ';'".to_owned(),
            )
        })
    };
    parts("emails", value)?.into_iter().map(email).collect()
}

fn accounts(value: &str, names: &Names) -> Result<Vec<(ConnectionId, String)>, Fault> {
    const COLUMN: &str = "provider_ids";
    let account = |text: &str| {
        let (connection, id) = text.split_once(':').ok_or_else(|| {
            (
                COLUMN,
                "must be written connection:id, several separated by ';'".to_owned(),
            )
        })?;
        let connection = names
            .connections
            .get(connection.trim())
            .copied()
            .ok_or_else(|| {
                (
                    COLUMN,
                    "names no connection; apply it with 'sever connection apply'".to_owned(),
                )
            })?;
        let id = id.trim();
        if id.is_empty() || id.chars().count() > ID_MAX {
            return Err((COLUMN, format!("must have ids of 1 to {ID_MAX} characters")));
        }
        Ok((connection, clean(COLUMN, id)?))
    };
    parts(COLUMN, value)?.into_iter().map(account).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            sources: HashMap::from([("hr".to_owned(), SourceId::generate())]),
            connections: HashMap::from([("okta-main".to_owned(), ConnectionId::generate())]),
        }
    }

    fn rows(text: &str) -> Result<Vec<Row>, Problem> {
        let mut rows = Vec::new();
        read(text.as_bytes(), &names(), |row| {
            rows.push(row);
            true
        })?;
        Ok(rows)
    }

    const HEADER: &str =
        "source,external_id,given_name,family_name,emails,employment_state,provider_ids";

    #[test]
    fn lists_are_cut_at_semicolons_and_blanks_do_not_count() {
        let text = format!(
            "{HEADER}\nhr, 7 ,Ada,\"Byron, Lady\",a@x.test; b@x.test;,active,okta-main:00u1;okta-main:00u2\n"
        );
        let rows = rows(&text).unwrap();
        let person = rows[0].as_ref().unwrap();
        assert_eq!(person.external_id, "7");
        assert_eq!(person.family_name.as_deref(), Some("Byron, Lady"));
        assert_eq!(person.emails, ["a@x.test", "b@x.test"]);
        assert_eq!(person.accounts.len(), 2);
    }

    #[test]
    fn each_bad_row_is_set_aside_with_its_line_and_column_and_without_its_value() {
        let lines = [
            ("nowhere,1,,,,active,", "source"),
            ("hr,,,,,active,", "external_id"),
            ("hr,1,,,secret-ada,active,", "emails"),
            ("hr,1,,,,retired,", "employment_state"),
            ("hr,1,,,,active,00u1", "provider_ids"),
            ("hr,1,,,,active,other:00u1", "provider_ids"),
            ("hr,1,,,,active", "row"),
            ("hr,\"1\u{1}\",,,,active,", "external_id"),
        ];
        let text = lines
            .iter()
            .fold(HEADER.to_owned(), |text, (line, _)| text + "\n" + line);
        let rows = rows(&(text + "\nhr,2,,,,left,\n")).unwrap();
        for (index, (_, field)) in lines.iter().enumerate() {
            let rejected = rows[index].as_ref().unwrap_err();
            assert_eq!(
                (rejected.line, rejected.field.as_str()),
                (index as u64 + 2, *field)
            );
            assert!(
                !rejected.problem.contains("secret-ada"),
                "{}",
                rejected.problem
            );
        }
        assert!(
            rows[lines.len()].is_ok(),
            "a good row after bad ones is imported"
        );
    }

    #[test]
    fn a_wrong_header_is_refused_by_name() {
        for (text, part) in [
            ("source,external_id\nhr,1", "'employment_state' is missing"),
            (
                "source,external_id,employment_state,mail\n",
                "'mail' is not known",
            ),
            (
                "source,source,external_id,employment_state\n",
                "'source' stands there twice",
            ),
            ("", "'source' is missing"),
        ] {
            let problem = rows(text).unwrap_err().body();
            assert!(problem.detail.contains(part), "{text}: {}", problem.detail);
        }
        assert_eq!(
            rows("\u{feff}source,external_id,employment_state\nhr,1,active")
                .unwrap()
                .len(),
            1
        );
    }
}
