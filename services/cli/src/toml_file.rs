//! Configuration that an operator keeps in a file: TOML of a bounded size, whose faults name the file, the line and the key.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::exit::Failure;

/// A configuration is a page of text.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads a file.
///
/// # Errors
/// A usage failure that names the file; TOML's own message names the line and the key.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let unreadable =
        |error: String| Failure::usage(format!("{} cannot be read: {error}", file.display()));
    let length = std::fs::metadata(file)
        .map_err(|error| unreadable(error.to_string()))?
        .len();
    if length > FILE_BYTES_MAX {
        return Err(unreadable("it is over 1 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    parse(&text).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

/// Reads a text.
///
/// # Errors
/// What is wrong, with the line and the key.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
}
