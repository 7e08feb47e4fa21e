//! Tests that hold `deploy/` to the code: files that no compiler reads drift unless something compares them.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it stands"
)]

mod alerts;
mod metrics;
mod used;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file under `folder` with one of the `extensions`, with its text.
fn files(folder: &Path, extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let wanted =
                |extension: &std::ffi::OsStr| extensions.iter().any(|one| extension == *one);
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(wanted) {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}
