//! The mass guard, which stops a run-away source. Who is protected stands in the database, not here.

use std::time::Duration;

use crate::{FromEnvironment, Kind, Reader, TimeUnit, Variable};

/// Limits of the mass guard, and what may go on under its hold.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardConfig {
    /// People affected in one window above which the mass guard trips.
    pub mass_count: u64,
    /// Percent of the active directory in one window above which the mass guard trips.
    pub mass_percent: f64,
    /// The window.
    pub mass_window: Duration,
    /// The percentage applies only where more people than this are affected in the window.
    pub mass_minimum: u64,
    /// Whether sessions are cut while a hold of the mass guard stands; nothing else is written under it in any case.
    pub cut_sessions_when_held: bool,
}

const MASS_COUNT: Variable = Variable {
    name: "SEVER_GUARD_MASS_COUNT",
    kind: Kind::Whole {
        unit: "people",
        min: 1,
        max: 10_000_000,
        default: 50,
    },
    example: "50",
    help: "People affected in one window above which everything further is held. Too high: a broken feed removes that many. Too low: an ordinary day needs releases.",
};

const MASS_PERCENT: Variable = Variable {
    name: "SEVER_GUARD_MASS_PERCENT",
    kind: Kind::Decimal {
        unit: "percent of the active directory",
        min: 0.01,
        max: 100.0,
        default: 5.0,
    },
    example: "5.0",
    help: "Share of active people in one window above which everything further is held. Too high and too low cost as with the count.",
};

const MASS_WINDOW: Variable = Variable {
    name: "SEVER_GUARD_MASS_WINDOW_S",
    kind: Kind::Time {
        unit: TimeUnit::Seconds,
        min: 60,
        max: 604_800,
        default: 3_600,
    },
    example: "3600",
    help: "The window. Too long: ordinary days add up to a trip. Too short: a slow run-away stays under the limits.",
};

const MASS_MINIMUM: Variable = Variable {
    name: "SEVER_GUARD_MASS_MINIMUM",
    kind: Kind::Whole {
        unit: "people",
        min: 0,
        max: 10_000_000,
        default: 10,
    },
    example: "10",
    help: "The percentage applies only above this many people. Too high: small organisations have the count alone. Too low: one leaver of twelve trips it.",
};

const MASS_CUT_SESSIONS: Variable = Variable {
    name: "SEVER_GUARD_MASS_CUT_SESSIONS",
    kind: Kind::Switch { default: true },
    example: "true",
    help: "Whether sessions are cut for those whom the mass guard holds. true: a broken feed signs people out, who can sign in again. false: real leavers stay signed in until a release.",
};

impl FromEnvironment for GuardConfig {
    const VARIABLES: &'static [&'static Variable] = &[
        &MASS_COUNT,
        &MASS_PERCENT,
        &MASS_WINDOW,
        &MASS_MINIMUM,
        &MASS_CUT_SESSIONS,
    ];

    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            mass_count: reader.whole(&MASS_COUNT),
            mass_percent: reader.decimal(&MASS_PERCENT),
            mass_window: reader.time(&MASS_WINDOW),
            mass_minimum: reader.whole(&MASS_MINIMUM),
            cut_sessions_when_held: reader.switch(&MASS_CUT_SESSIONS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapEnvironment;

    #[test]
    fn defaults_are_those_of_the_contract() {
        let config = GuardConfig::from_environment(&MapEnvironment::default()).unwrap();
        assert_eq!((config.mass_count, config.mass_percent), (50, 5.0));
        assert_eq!(config.mass_window, Duration::from_secs(3600));
        assert_eq!(config.mass_minimum, 10);
        assert!(config.cut_sessions_when_held);
    }

    #[test]
    fn a_switch_is_true_or_false_and_nothing_else() {
        let read = |text: &str| {
            let environment = MapEnvironment::from([("SEVER_GUARD_MASS_CUT_SESSIONS", text)]);
            GuardConfig::from_environment(&environment)
        };
        assert!(read("true").unwrap().cut_sessions_when_held);
        assert!(!read(" false ").unwrap().cut_sessions_when_held);
        for wrong in ["0", "no", "off", "FALSE", "falsch"] {
            let errors = read(wrong).unwrap_err().to_string();
            assert!(
                errors.contains("SEVER_GUARD_MASS_CUT_SESSIONS is not true or false"),
                "{errors}"
            );
        }
    }

    #[test]
    fn percentages_outside_the_range_are_refused() {
        for wrong in ["0", "100.1", "NaN", "inf", "-1", "five"] {
            let environment = MapEnvironment::from([("SEVER_GUARD_MASS_PERCENT", wrong)]);
            assert!(
                GuardConfig::from_environment(&environment).is_err(),
                "{wrong}"
            );
        }
    }
}
