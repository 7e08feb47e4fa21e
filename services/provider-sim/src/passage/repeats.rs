//! Pages that come again: what servers do to a client that pages by position.

use serde::{Deserialize, Serialize};

/// Whether pages come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageRepeats {
    /// Never.
    #[default]
    Off,
    /// Each page but the first begins with the last item of the one before, as when the list grew meanwhile.
    Twice,
    /// The position is ignored: it is always the first page.
    Forever,
}

impl PageRepeats {
    /// Where the page that was asked for at `from` (counted from 0) really begins.
    pub fn begin(self, from: usize) -> usize {
        match self {
            Self::Off => from,
            Self::Twice => from.saturating_sub(1),
            Self::Forever => 0,
        }
    }
}
