//! A person as Vanta gives it, and what stands in the way of its offboarding.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::identity::AccountAttributes;

use crate::paging::Listed;

/// A workforce record; what is not listed is ignored, what is missing is empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The immutable id.
    pub id: String,
    /// The login, where this tenant's answers name it: missing and `null` are told apart.
    #[serde(default, deserialize_with = "present")]
    pub user_id: Option<Option<String>>,
    /// Personal data: never logged.
    #[serde(default)]
    pub email_address: Option<String>,
    #[serde(default)]
    employment: Employment,
    #[serde(default)]
    name: Name,
    /// Groups by id.
    #[serde(default)]
    pub group_ids: Vec<String>,
    #[serde(default)]
    sources: Sources,
    #[serde(default)]
    tasks_summary: TasksSummary,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Employment {
    status: Option<String>,
    end_date: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Name {
    first: Option<String>,
    last: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sources {
    email_address: Option<Source>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    r#type: Option<String>,
    integration_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TasksSummary {
    status: Option<String>,
    details: Details,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    complete_offboarding_custom_tasks: Option<CustomTasks>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CustomTasks {
    incomplete_custom_offboarding_tasks: Vec<TaskName>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TaskName {
    name: String,
}

impl Listed for Person {
    fn id(&self) -> &str {
        &self.id
    }
}

fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

impl Person {
    /// Whether Vanta says that its offboarding is complete. A word that is new is not.
    pub fn is_offboarded(&self) -> bool {
        self.tasks_summary.status.as_deref() == Some("OFFBOARDING_COMPLETE")
    }

    /// Whether Vanta says that the employment has ended.
    pub fn is_former(&self) -> bool {
        self.employment.status.as_deref() == Some("FORMER")
    }

    /// Vanta's own word for the record.
    pub fn state_word(&self) -> &str {
        self.tasks_summary.status.as_deref().unwrap_or("unknown")
    }

    /// Where the record comes from: `VANTA`, `SCIM` or an integration's id.
    pub fn source(&self) -> &str {
        let source = self.sources.email_address.as_ref();
        let integration = source.and_then(|source| source.integration_id.as_deref());
        integration
            .or_else(|| source?.r#type.as_deref())
            .unwrap_or("VANTA")
    }

    /// The names of the custom offboarding tasks that are open.
    pub fn open_tasks(&self) -> Vec<&str> {
        let tasks = &self.tasks_summary.details.complete_offboarding_custom_tasks;
        let open = tasks.iter();
        open.flat_map(|tasks| &tasks.incomplete_custom_offboarding_tasks)
            .map(|task| task.name.as_str())
            .collect()
    }

    /// Whether this address is the record's, as people write addresses.
    pub fn has_email(&self, email: &str) -> bool {
        same_address(self.email_address.as_deref().unwrap_or_default(), email)
    }

    /// The allow-list of facts: no name, no address.
    pub fn facts(&self) -> Value {
        json!({
            "employment": self.employment.status,
            "end_date": self.employment.end_date,
            "source": self.source(),
            "tasks_status": self.tasks_summary.status,
        })
    }

    /// What the record can be matched by.
    pub fn attributes(&self) -> AccountAttributes {
        AccountAttributes {
            login: None,
            email: self.email_address.clone(),
            given_name: self.name.first.clone(),
            family_name: self.name.last.clone(),
            employee_number: None,
        }
    }
}

/// Whether two addresses are one, as people write them; an empty one is nobody's.
pub fn same_address(one: &str, other: &str) -> bool {
    let one = one.trim();
    !one.is_empty() && one.to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(value: Value) -> Person {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_missing_user_id_is_not_a_null_one() {
        assert_eq!(person(json!({ "id": "p" })).user_id, None);
        assert_eq!(
            person(json!({ "id": "p", "userId": null })).user_id,
            Some(None)
        );
        let linked = person(json!({ "id": "p", "userId": "u" })).user_id;
        assert_eq!(linked, Some(Some("u".to_owned())));
    }

    #[test]
    fn only_the_documented_words_say_that_somebody_is_gone() {
        for (word, offboarded) in [
            ("OFFBOARDING_COMPLETE", true),
            ("OFFBOARDING_OVERDUE", false),
            ("COMPLETE", false),
            ("A_NEW_WORD", false),
        ] {
            let person = person(json!({ "id": "p", "tasksSummary": { "status": word } }));
            assert_eq!(person.is_offboarded(), offboarded, "{word}");
        }
        for (word, former) in [("FORMER", true), ("INACTIVE", false), ("ON_LEAVE", false)] {
            let person = person(json!({ "id": "p", "employment": { "status": word } }));
            assert_eq!(person.is_former(), former, "{word}");
        }
    }

    #[test]
    fn a_rich_record_is_read_and_its_facts_name_nobody() {
        let person = person(json!({
            "id": "p", "emailAddress": "Ada@Example.test", "unknown": 1,
            "name": { "first": "Ada", "last": "Byron", "display": "Ada Byron" },
            "employment": { "status": "FORMER", "endDate": "2026-01-31", "jobTitle": null },
            "sources": { "emailAddress": { "type": "INTEGRATION", "integrationId": "okta", "resourceId": null } },
            "tasksSummary": { "status": "OFFBOARDING_OVERDUE", "details": { "completeOffboardingCustomTasks": {
                "incompleteCustomOffboardingTasks": [{ "name": "Return the badge" }],
            } } },
        }));
        assert!(person.has_email(" ada@example.test") && !person.has_email(""));
        assert_eq!(
            (person.source(), person.open_tasks()),
            ("okta", vec!["Return the badge"])
        );
        let facts = person.facts().to_string().to_lowercase();
        assert!(
            !facts.contains("ada") && !facts.contains("byron"),
            "{facts}"
        );
    }
}
