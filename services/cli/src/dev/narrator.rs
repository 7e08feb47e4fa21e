//! What `sever dev` and `sever demo` say while they work: plain lines on standard error, so that standard output holds results.

use std::io::Write as _;

/// Says lines.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Narrator;

impl Narrator {
    /// Says a line. A closed standard error is no reason to stop.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr(), "{}", line.as_ref());
    }
}
