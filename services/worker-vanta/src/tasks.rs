//! What only a person can do in Vanta's web pages, in plain words, with the evidence that is asked for.

use sever_domain::plan::{Disposition, ManualTask};

/// Who is asked.
const ASKED_OF: &str = "vanta-admin";
/// Vanta's web pages; paths inside them are not a contract.
const PAGES: &str = "https://app.vanta.com/";
const DAY_S: i64 = 24 * 3600;

fn task(what: String, evidence: &str, days: i64) -> Disposition {
    Disposition::Manual {
        task: ManualTask {
            asked_of: ASKED_OF.to_owned(),
            what,
            link: Some(PAGES.to_owned()),
            evidence: evidence.to_owned(),
            due_s: days * DAY_S,
        },
    }
}

/// The record says that the person still works here.
#[must_use]
pub fn end_employment(person: &str, source: &str) -> Disposition {
    let where_from = match source {
        "VANTA" => "The record was made by hand: open it under People and set the end date.",
        "SCIM" => "The record comes by SCIM: end the employment in the system that provisions it.",
        _ => {
            "The record comes from an integration: end the employment there and let Vanta fetch it."
        }
    };
    let what = format!(
        "In Vanta, the person with the id {person} is not former yet, and no call of Vanta's API can say so. {where_from}"
    );
    task(what, "the person's page shows the employment as former", 2)
}

/// A custom offboarding task is open.
#[must_use]
pub fn complete_task(person: &str, name: &str) -> Disposition {
    let what = format!(
        "In Vanta, the offboarding task \"{name}\" of the person with the id {person} is open: do it, then mark it done under People > Offboarding."
    );
    task(
        what,
        "the task is shown as complete on the person's page",
        2,
    )
}

/// API applications that the person may have made.
#[must_use]
pub fn revoke_applications(person: &str) -> Disposition {
    let what = format!(
        "The person with the id {person} could sign in to Vanta. Under Settings > Developer Console, look for API applications that they made: give each another owner and regenerate its secret, or delete it, and revoke its access tokens. No call of Vanta's API lists or revokes them."
    );
    task(
        what,
        "an export or picture of the Developer Console's list afterwards, or the word that there was none",
        1,
    )
}

/// The tenant does not let us deactivate a login.
#[must_use]
pub fn deactivate_login(person: &str) -> Disposition {
    let what = format!(
        "This Vanta tenant offers no call that deactivates logins: under Settings > Users, deactivate the login of the person with the id {person}. A login that an identity provider provisions is removed there."
    );
    task(
        what,
        "Vanta no longer lists the login among its active users",
        1,
    )
}

/// Vanta has refused for long to deactivate a login.
#[must_use]
pub fn deactivate_refused_login(person: &str) -> Disposition {
    let what = format!(
        "Vanta goes on refusing to deactivate the login of the person with the id {person}. Where an identity provider provisions it, remove it there; where it is the last administrator's, make somebody else an administrator first; then deactivate it under Settings > Users."
    );
    task(
        what,
        "Vanta no longer lists the login among its active users",
        1,
    )
}

/// Vanta has refused for long to complete an offboarding whose record shows nothing that it waits for.
#[must_use]
pub fn complete_refused_offboarding(person: &str) -> Disposition {
    let what = format!(
        "Vanta goes on refusing to complete the offboarding of the person with the id {person}: an account that it monitors still counts as active there. Under People > Offboarding, see which one: deactivate it at its source and let the integration fetch that, or say with a reason that it is deactivated. Then complete the offboarding there."
    );
    task(
        what,
        "the person's page shows the offboarding as complete",
        2,
    )
}

/// An integration is connected.
#[must_use]
pub fn disconnect(name: &str, connections: usize) -> Disposition {
    let what = format!(
        "No call of Vanta's API disconnects an integration: under Integrations, open \"{name}\" and disconnect its connections ({connections}). Then revoke, in that system, what Vanta used there."
    );
    task(
        what,
        "Vanta lists the integration without a working connection, or no longer",
        2,
    )
}

/// An API application is to go.
#[must_use]
pub fn delete_application(client_id: &str) -> Disposition {
    let what = format!(
        "No call of Vanta's API ends an API application: under Settings > Developer Console, delete the application {client_id}, or regenerate its secret and revoke its access tokens."
    );
    task(
        what,
        "an export or picture of the Developer Console's list without the application, or with a newer secret",
        1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_names_a_role_a_page_and_its_evidence() {
        for disposition in [
            end_employment("p1", "okta"),
            complete_task("p1", "Return the badge"),
            revoke_applications("p1"),
            deactivate_login("p1"),
            deactivate_refused_login("p1"),
            complete_refused_offboarding("p1"),
            disconnect("AWS", 2),
            delete_application("vci_1"),
        ] {
            let Disposition::Manual { task } = disposition else {
                panic!("not a task");
            };
            assert_eq!(task.asked_of, "vanta-admin");
            assert!(task.link.is_some() && !task.evidence.is_empty());
            assert!(task.due_s > 0 && task.what.len() < 1000, "{}", task.what);
        }
    }
}
