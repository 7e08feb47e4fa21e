//! For how long Privileged Identity Management gives something: for good, until a date, or for the hours of an activation.
//!
//! What comes back is what was there: an activation ends by itself and is its holder's to repeat, and what had an end keeps it.

use jiff::Timestamp;
use serde_json::{Value, json};

/// For how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// For good.
    Lasting,
    /// Until then.
    Until(Timestamp),
    /// Until a time that cannot be told.
    Unclear,
    /// Somebody who is eligible activated it.
    Activated,
}

/// Notes in `facts` what the schedule `item` says of its term.
pub fn note(facts: &mut Value, item: &Value) {
    let expiration = &item["scheduleInfo"]["expiration"];
    let lasting = ["noExpiration", "notSpecified"];
    let ends = [&item["endDateTime"], &expiration["endDateTime"]]
        .into_iter()
        .find(|ends| ends.is_string());
    let kind = expiration["type"].as_str().unwrap_or("noExpiration");
    facts["activated"] = json!(
        item["assignmentType"]
            .as_str()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("activated"))
    );
    facts["ends"] = match ends {
        Some(ends) => ends.clone(),
        None if lasting.iter().any(|word| word.eq_ignore_ascii_case(kind)) => Value::Null,
        None => json!("unclear"),
    };
}

/// The term that was noted; without a note it is for good.
#[must_use]
pub fn of(facts: &Value) -> Term {
    if facts["activated"] == true {
        return Term::Activated;
    }
    match facts["ends"].as_str() {
        None => Term::Lasting,
        Some(ends) => ends.parse().map_or(Term::Unclear, Term::Until),
    }
}

/// The `scheduleInfo` of a request that gives it back for what is left of its term.
#[must_use]
pub fn schedule_info(facts: &Value) -> Value {
    let expiration = match of(facts) {
        Term::Until(ends) => json!({ "type": "afterDateTime", "endDateTime": ends }),
        Term::Lasting | Term::Unclear | Term::Activated => json!({ "type": "noExpiration" }),
    };
    json!({ "expiration": expiration })
}

/// Why it does not come back at `now`; `None` where it does.
#[must_use]
pub fn over(facts: &Value, now: Timestamp) -> Option<&'static str> {
    match of(facts) {
        Term::Lasting => None,
        Term::Until(ends) => {
            (ends <= now).then_some("its term has ended meanwhile: it was given until a date")
        }
        Term::Unclear => Some("it was given for a limited time, and not how long can be read"),
        Term::Activated => {
            Some("it was activated for some hours: whoever is eligible activates it again")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(item: Value) -> Value {
        let mut facts = json!({});
        note(&mut facts, &item);
        facts
    }

    #[test]
    fn what_had_an_end_keeps_it_and_an_activation_is_not_repeated() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let until = |ends: &str| json!({"scheduleInfo": {"expiration": {"type": "afterDateTime", "endDateTime": ends}}});
        for (item, comes_back) in [
            (json!({}), true),
            (json!({"assignmentType": "Assigned"}), true),
            (
                json!({"scheduleInfo": {"expiration": {"type": "noExpiration", "endDateTime": null}}}),
                true,
            ),
            (until("2026-12-01T00:00:00Z"), true),
            (until("2026-11-22T12:00:00Z"), false),
            (json!({"endDateTime": "2026-11-01T00:00:00Z"}), false),
            (
                json!({"scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "PT8H"}}}),
                false,
            ),
            (json!({"assignmentType": "Activated"}), false),
            (json!({"assignmentType": "activated"}), false),
        ] {
            assert_eq!(
                over(&noted(item.clone()), now).is_none(),
                comes_back,
                "{item}"
            );
        }
        let info = schedule_info(&noted(until("2026-12-01T00:00:00Z")));
        assert_eq!(info["expiration"]["endDateTime"], "2026-12-01T00:00:00Z");
        assert_eq!(
            schedule_info(&json!({}))["expiration"]["type"],
            "noExpiration"
        );
    }
}
