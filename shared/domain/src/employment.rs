//! Employment: what the sources say about a person, and which of two events counts.

use jiff::Timestamp;

use crate::ids::SourceId;
use crate::text_enum::text_enum;

text_enum! {
    /// What a source last said about a person's employment.
    pub enum EmploymentState {
        /// Works here.
        Active = "active",
        /// Away, still employed.
        OnLeave = "on_leave",
        /// Has left, or will at a known time.
        Left = "left",
    }
}

text_enum! {
    /// What an employment event reports.
    pub enum EmploymentEventKind {
        /// The person leaves.
        Leaver = "leaver",
        /// The person was taken on again.
        Rehired = "rehired",
        /// The leave was called off.
        LeaveCancelled = "leave_cancelled",
        /// The last day moved.
        LastDayChanged = "last_day_changed",
    }
}

impl EmploymentEventKind {
    /// Whether an event of this kind, being newer, contradicts a leaver event.
    #[must_use]
    pub const fn contradicts_leaver(self) -> bool {
        match self {
            Self::Leaver => false,
            Self::Rehired | Self::LeaveCancelled | Self::LastDayChanged => true,
        }
    }

    /// The employment state that the event reports.
    #[must_use]
    pub const fn reports(self) -> EmploymentState {
        match self {
            Self::Leaver => EmploymentState::Left,
            Self::Rehired | Self::LeaveCancelled | Self::LastDayChanged => EmploymentState::Active,
        }
    }
}

/// One employment event, as far as order and contradiction go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmploymentEvent {
    /// Who said it.
    pub source: SourceId,
    /// What it reports.
    pub kind: EmploymentEventKind,
    /// The source's own version of the person's employment; grows within a source.
    pub version: i64,
    /// When it happened at the source.
    pub occurred_at: Timestamp,
}

impl EmploymentEvent {
    /// Whether this event is newer than another: by version within one source, by time across sources.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        if self.source == other.source {
            self.version > other.version
        } else {
            self.occurred_at > other.occurred_at
        }
    }
}

/// The event among `known` that contradicts this leaver event, if any.
#[must_use]
pub fn contradiction<'a>(
    leaver: &EmploymentEvent,
    known: &'a [EmploymentEvent],
) -> Option<&'a EmploymentEvent> {
    known
        .iter()
        .find(|event| event.kind.contradicts_leaver() && event.is_newer_than(leaver))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(
        source: SourceId,
        kind: EmploymentEventKind,
        version: i64,
        second: i64,
    ) -> EmploymentEvent {
        EmploymentEvent {
            source,
            kind,
            version,
            occurred_at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn within_a_source_the_version_decides_and_not_the_clock() {
        let hr = SourceId::generate();
        let leaver = event(hr, EmploymentEventKind::Leaver, 3, 100);
        assert!(
            contradiction(&leaver, &[event(hr, EmploymentEventKind::Rehired, 4, 50)]).is_some()
        );
        assert!(
            contradiction(&leaver, &[event(hr, EmploymentEventKind::Rehired, 2, 200)]).is_none()
        );
    }

    #[test]
    fn across_sources_the_time_decides() {
        let leaver = event(SourceId::generate(), EmploymentEventKind::Leaver, 9, 100);
        let other = SourceId::generate();
        assert!(
            contradiction(
                &leaver,
                &[event(other, EmploymentEventKind::LeaveCancelled, 1, 101)]
            )
            .is_some()
        );
        assert!(
            contradiction(
                &leaver,
                &[event(other, EmploymentEventKind::LastDayChanged, 1, 99)]
            )
            .is_none()
        );
    }

    #[test]
    fn a_newer_leaver_event_contradicts_nothing() {
        let hr = SourceId::generate();
        let known = [event(hr, EmploymentEventKind::Leaver, 9, 900)];
        assert!(contradiction(&event(hr, EmploymentEventKind::Leaver, 3, 100), &known).is_none());
    }
}
