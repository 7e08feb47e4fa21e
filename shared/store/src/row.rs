//! Reading stored words back into their types.

use std::fmt::Display;
use std::str::FromStr;

use tokio_postgres::Row;

use crate::error::StoreError;

/// The enum value of a text column.
pub(crate) fn word<T>(row: &Row, column: &'static str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: Display,
{
    let text: &str = row.get(column);
    text.parse().map_err(|error: T::Err| StoreError::Corrupt {
        column,
        problem: error.to_string(),
    })
}

/// The enum value of a nullable text column.
pub(crate) fn word_opt<T>(row: &Row, column: &'static str) -> Result<Option<T>, StoreError>
where
    T: FromStr,
    T::Err: Display,
{
    let text: Option<&str> = row.get(column);
    text.map(|text| {
        text.parse().map_err(|error: T::Err| StoreError::Corrupt {
            column,
            problem: error.to_string(),
        })
    })
    .transpose()
}
