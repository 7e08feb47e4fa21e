//! What `sever dev` and `sever demo` say while they work: plain lines on standard error, so that standard output holds results.

use std::io::Write as _;

use indicatif::ProgressBar;

/// Says lines. On a terminal a progress bar may be shown below them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Narrator {
    bar: Option<ProgressBar>,
}

impl Narrator {
    /// Says a line. A closed standard error is no reason to stop.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        match &self.bar {
            Some(bar) => bar.suspend(|| write(line.as_ref())),
            None => write(line.as_ref()),
        }
    }

    /// One that keeps out of the way of this bar.
    pub(crate) fn above(bar: ProgressBar) -> Self {
        Self { bar: Some(bar) }
    }
}

fn write(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
