//! How a subject stands at a connection, and whether what is live there may be taken away.

use crate::finding::Situation;
use crate::opt_out::Intent;
use crate::text_enum::text_enum;

text_enum! {
    /// Why what is live is not taken away by itself.
    pub enum Hindrance {
        /// Nothing says that the subject must have nothing there, or nothing does any more: a rehire, a leave that was called off.
        Stays = "stays",
        /// Somebody asked for the removal by hand, and the person's record or employment changed since.
        NewerEvent = "newer_event",
        /// The newest removal there was reversed: the access was given back.
        Restored = "restored",
        /// The newest removal there was rejected, cancelled or discarded by a person.
        Declined = "declined",
        /// Work there is held, parked or dead, and waits for a person.
        Stuck = "stuck",
        /// The removal there takes effect later.
        Announced = "announced",
    }
}

/// How a subject stands at a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Why nothing is done by itself.
    pub hindrance: Option<Hindrance>,
    /// How far a repair goes: as far as the removal that is in force, and everything for somebody who left without one.
    pub intent: Intent,
}

impl Standing {
    /// How far the repair of a finding may go. `by_hand` says that a person asked for this one, which decides anew on what a person
    /// declined. It does not make somebody a leaver whom nothing says to have left any more: that takes an opt-out of its own.
    ///
    /// # Errors
    /// What forbids it.
    pub const fn repair(self, situation: Situation, by_hand: bool) -> Result<Intent, Hindrance> {
        let rests_on_removal = matches!(situation, Situation::Residual | Situation::Resurrected);
        match self.hindrance {
            None => Ok(self.intent),
            Some(Hindrance::Restored | Hindrance::Declined | Hindrance::Stuck) if by_hand => {
                Ok(self.intent)
            }
            Some(Hindrance::Stays) if by_hand && !rests_on_removal => Ok(self.intent),
            Some(hindrance) => Err(hindrance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_be_removed_again() {
        use Hindrance as H;
        use Situation::{GoneAtSource, IntegrationResidue, Residual, Resurrected};
        for (hindrance, situation, by_itself, by_hand) in [
            (None, Resurrected, true, true),
            (None, IntegrationResidue, true, true),
            (Some(H::Stays), Resurrected, false, false),
            (Some(H::Stays), Residual, false, false),
            (Some(H::Stays), IntegrationResidue, false, true),
            (Some(H::Stays), GoneAtSource, false, true),
            (Some(H::NewerEvent), Resurrected, false, false),
            (Some(H::Restored), Resurrected, false, true),
            (Some(H::Declined), Resurrected, false, true),
            (Some(H::Stuck), Resurrected, false, true),
            (Some(H::Announced), Resurrected, false, false),
        ] {
            let standing = Standing {
                hindrance,
                intent: Intent::Disable,
            };
            for (hand, expected) in [(false, by_itself), (true, by_hand)] {
                let may = standing.repair(situation, hand);
                assert_eq!(may.is_ok(), expected, "{standing:?} {situation} {hand}");
                assert_ne!(
                    may,
                    Ok(Intent::Remove),
                    "never further than what is in force"
                );
            }
        }
    }
}
