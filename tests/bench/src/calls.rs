//! The committed script of one opt-out: calls in waves, and the commits between them.

use hyper::Method;

use crate::person::PLACEHOLDER;

/// One call, with the placeholder for the user id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedCall {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
}

impl ScriptedCall {
    /// Path and query for one user.
    #[must_use]
    pub fn path_of(&self, user: &str) -> String {
        self.path.replace(PLACEHOLDER, user)
    }
}

/// One stretch of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A transaction, by the name of its rows.
    Commit(String),
    /// Calls that go together.
    Calls(Vec<ScriptedCall>),
}

/// Reads a script: `commit NAME`, or `calls` and then one line `METHOD path` for each call; `#` starts a comment line.
///
/// # Panics
/// On a file that cannot be read: it is compiled in, and a test reads it.
#[must_use]
pub fn script(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        if let Some(name) = line.strip_prefix("commit ") {
            parts.push(Part::Commit(name.to_owned()));
        } else if line == "calls" {
            parts.push(Part::Calls(Vec::new()));
        } else if let Some(Part::Calls(calls)) = parts.last_mut() {
            calls.push(call(line));
        }
    }
    parts
}

fn call(line: &str) -> ScriptedCall {
    let (method, path) = line.split_once(' ').expect("a call has method and path");
    ScriptedCall {
        method: Method::from_bytes(method.as_bytes()).expect("the method is one of HTTP"),
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::SCRIPT;

    #[test]
    fn the_committed_script_has_the_commits_and_calls_that_the_bare_program_is_to_make() {
        let parts = script(SCRIPT);
        let commits = parts.iter().filter(|part| matches!(part, Part::Commit(_)));
        assert_eq!(commits.count(), 8);
        let calls = parts.iter().map(|part| match part {
            Part::Calls(calls) => calls.len(),
            Part::Commit(_) => 0,
        });
        assert!((30..=40).contains(&calls.sum::<usize>()));
    }
}
