//! The rows of the matrix: what goes wrong, and at which call.

use std::time::Duration;

use serde_json::{Value, json};

use super::adaptor::{Changes, Subject, Twist};

/// The deadline of a call where a row is slow on purpose.
const SLOW_DEADLINE: Duration = Duration::from_millis(1500);
/// Longer than any deadline.
const SILENCE_MS: u64 = 120_000;

/// One row. Rows that have a call number are run once for each call of a clean run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// Nothing goes wrong.
    Clean,
    /// A second job for the same subject, after the first.
    Twice,
    /// Everything that has a way back is given back after the first.
    Restored,
    /// The process dies after the call took effect; another one goes on from what was committed.
    Crash,
    /// The call takes effect and the connection is cut before the answer.
    AnswerLost,
    /// 429 with `Retry-After`.
    TooManyRequests,
    /// 503 without effect.
    ServerError,
    /// 500 although it took effect.
    ErrorAfterEffect,
    /// The connection is reset before the call takes effect.
    Reset,
    /// No answer within the deadline, by turns with and without effect.
    Slow,
    /// Half of the answer's body, then the end of the connection.
    HalfAnswer,
    /// The credential in use is refused at this call, and a newly made one works.
    TokenExpires,
    /// Every credential is refused from this call on, until a person mends the connection.
    CredentialsRefused,
    /// The server ignores every filter.
    FilterIgnored,
    /// Every page comes twice.
    PageRepeats,
    /// The first page comes again and again, until somebody mends the server.
    PagesWithoutEnd,
    /// The subject gets further access between plan and apply.
    MoreAccess,
    /// The subject gets another login between plan and apply.
    Renamed,
    /// The subject is deleted between plan and apply.
    Deleted,
}

impl Row {
    /// Every row, in the order of the table.
    pub const ALL: &[Self] = &[
        Self::Clean,
        Self::Twice,
        Self::Restored,
        Self::Crash,
        Self::AnswerLost,
        Self::TooManyRequests,
        Self::ServerError,
        Self::ErrorAfterEffect,
        Self::Reset,
        Self::Slow,
        Self::HalfAnswer,
        Self::TokenExpires,
        Self::CredentialsRefused,
        Self::FilterIgnored,
        Self::PageRepeats,
        Self::PagesWithoutEnd,
        Self::MoreAccess,
        Self::Renamed,
        Self::Deleted,
    ];

    /// The word by which a cell is named.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Twice => "twice",
            Self::Restored => "restored",
            Self::Crash => "crash",
            Self::AnswerLost => "answer_lost",
            Self::TooManyRequests => "429",
            Self::ServerError => "503",
            Self::ErrorAfterEffect => "500_after_effect",
            Self::Reset => "reset",
            Self::Slow => "slow",
            Self::HalfAnswer => "half_answer",
            Self::TokenExpires => "token_expires",
            Self::CredentialsRefused => "credentials_refused",
            Self::FilterIgnored => "filter_ignored",
            Self::PageRepeats => "page_repeats",
            Self::PagesWithoutEnd => "pages_without_end",
            Self::MoreAccess => "more_access",
            Self::Renamed => "renamed",
            Self::Deleted => "deleted",
        }
    }

    /// Whether it is run once for each call.
    #[must_use]
    pub fn has_calls(self) -> bool {
        self.fault(1).is_some()
    }

    /// What happens to call number `call` (from 1), and how often.
    pub(super) fn fault(self, call: usize) -> Option<(Value, Option<u64>)> {
        let then = match self {
            Self::Crash => json!({ "hang_ms": SILENCE_MS, "after_effect": true }),
            Self::AnswerLost => json!({ "answer_lost": true }),
            Self::TooManyRequests => json!({ "status": 429, "reset_in_s": 1 }),
            Self::ServerError => json!({ "status": 503 }),
            Self::ErrorAfterEffect => json!({ "status": 500, "after_effect": true }),
            Self::Reset => json!({ "reset": true }),
            Self::Slow => json!({ "hang_ms": SILENCE_MS, "after_effect": call.is_multiple_of(2) }),
            Self::HalfAnswer => json!({ "half_body": true }),
            Self::TokenExpires | Self::CredentialsRefused => json!({ "status": 401 }),
            Self::Clean
            | Self::Twice
            | Self::Restored
            | Self::FilterIgnored
            | Self::PageRepeats
            | Self::PagesWithoutEnd
            | Self::MoreAccess
            | Self::Renamed
            | Self::Deleted => return None,
        };
        Some((then, (self != Self::CredentialsRefused).then_some(1)))
    }

    /// How the server is set up.
    pub(super) const fn twist(self) -> Twist {
        match self {
            Self::FilterIgnored => Twist::FilterIgnored,
            Self::PageRepeats => Twist::PageRepeats,
            Self::PagesWithoutEnd => Twist::PagesWithoutEnd,
            _ => Twist::Plain,
        }
    }

    /// The deadline of a call, where it is not the ordinary one.
    pub(super) fn call_deadline(self) -> Option<Duration> {
        (self == Self::Slow).then_some(SLOW_DEADLINE)
    }

    /// What changes between plan and apply.
    pub(super) fn change(self, changes: &Changes) -> Option<&Value> {
        match self {
            Self::MoreAccess => changes.more_access.as_ref(),
            Self::Renamed => changes.renamed.as_ref(),
            Self::Deleted => changes.deleted.as_ref(),
            _ => None,
        }
    }

    /// Whether the row says anything of this subject.
    pub(super) fn concerns(self, subject: &Subject) -> bool {
        let changes = matches!(self, Self::MoreAccess | Self::Renamed | Self::Deleted);
        !changes || self.change(&subject.changes).is_some()
    }

    /// Whether the subject itself ends otherwise than after a clean run: only what gives access is compared then.
    pub(super) const fn subject_differs(self) -> bool {
        matches!(self, Self::Renamed | Self::Deleted)
    }
}
