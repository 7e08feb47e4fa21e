//! `/people`: workforce records. Their end of employment comes from elsewhere; no call sets it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::page::page;
use crate::vanta::settings::{Afterwards, EmploymentFilter};
use crate::vanta::state::{Person, Source, Tenant};

#[derive(Deserialize)]
struct Change {
    name: Option<Names>,
    employment: Option<Employment>,
}

#[derive(Deserialize)]
struct Names {
    first: Option<String>,
    last: Option<String>,
}

#[derive(Deserialize)]
struct Employment {
    #[serde(rename = "startDate")]
    start_date: Option<String>,
}

/// `GET /people`, with any of its filters.
///
/// # Errors
/// 400 for a task filter without its partner.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (types, statuses) = (
        call.parameters("taskTypeMatchesAny"),
        call.parameters("taskStatusMatchesAny"),
    );
    if types.is_empty() != statuses.is_empty() {
        let message = "taskTypeMatchesAny and taskStatusMatchesAny go together";
        return Err(ApiError::invalid("taskTypeMatchesAny", message));
    }
    let everything = tenant.settings.ignore_filter;
    let hidden = tenant.settings.unconfirmed.not_people == Afterwards::Gone;
    let people = tenant
        .people
        .iter()
        .filter(|(_, person)| !(hidden && person.not_a_person.is_some()))
        .filter(|(_, person)| everything || wanted(tenant, call, person));
    page(call, &tenant.settings, people, |person| {
        to_json(tenant, person, call.now_ms)
    })
}

/// `GET /people/{person}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let person = tenant.person(id)?;
    if person.not_a_person.is_some() && tenant.settings.unconfirmed.not_people == Afterwards::Gone {
        return Err(ApiError::not_found("Person"));
    }
    let reply = Reply::json(200, &to_json(tenant, person, call.now_ms));
    look(tenant, id);
    Ok(reply)
}

/// `PATCH /people/{person}`: the name and the first day, nothing else.
pub fn update(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let asked: Change = call.json()?;
    let id = call.argument(0);
    tenant.person(id)?;
    if let Some(person) = tenant.people.get_mut(id) {
        if let Some(name) = asked.name {
            person.first = name.first.or(person.first.take());
            person.last = name.last.or(person.last.take());
        }
        if let Some(start) = asked.employment.and_then(|asked| asked.start_date) {
            person.start_date = start;
        }
    }
    let person = tenant.person(id)?;
    Ok(Reply::json(200, &to_json(tenant, person, call.now_ms)))
}

/// The person as the API writes it.
pub fn to_json(tenant: &Tenant, person: &Person, now_ms: i64) -> Value {
    let source = source(person);
    let end_source = person.end_date.as_ref().map(|_| source.clone());
    let leave = person.leave.as_ref();
    let mut value = json!({
        "id": person.id,
        "emailAddress": person.email,
        "employment": {
            "status": person.employment, "startDate": person.start_date, "endDate": person.end_date,
            "jobTitle": person.job_title,
        },
        "leaveInfo": leave.map(|leave| json!({ "startDate": leave.start, "endDate": leave.end })),
        "groupIds": person.groups,
        "name": { "first": person.first, "last": person.last, "display": person.display() },
        "sources": {
            "emailAddress": source, "employment": { "startDate": source, "endDate": end_source },
        },
        "tasksSummary": tasks_summary(person, now_ms),
    });
    if tenant.settings.unconfirmed.people_have_user_id {
        value["userId"] = json!(tenant.user_of(person).map(|user| &user.id));
    }
    value
}

/// Answers that show a person count as looks at what an integration reports late.
pub fn look(tenant: &mut Tenant, id: &str) {
    if let Some(person) = tenant.people.get_mut(id) {
        person
            .accounts
            .iter_mut()
            .for_each(|account| account.look());
    }
}

fn source(person: &Person) -> Value {
    match &person.source {
        Source::Vanta => json!({ "type": "VANTA" }),
        Source::Scim => json!({ "type": "SCIM" }),
        Source::Integration(id) => {
            json!({ "type": "INTEGRATION", "integrationId": id, "resourceId": null })
        }
    }
}

fn tasks_summary(person: &Person, now_ms: i64) -> Value {
    let named = |done: bool| -> Vec<Value> {
        let tasks = person.tasks.iter().filter(|task| task.done == done);
        tasks.map(|task| json!({ "name": task.name })).collect()
    };
    let plain = |kind: &str| json!({ "taskType": kind, "status": "COMPLETE", "dueDate": null, "completionDate": null, "disabled": null });
    let open = person.tasks.iter().any(|task| !task.done);
    let offboarding = match (person.is_former(), open) {
        (false, _) => "NONE",
        (true, true) => "DUE_SOON",
        (true, false) => "COMPLETE",
    };
    json!({
        "status": person.tasks_status(now_ms),
        "dueDate": person.end_date,
        "completionDate": person.offboarded.map(crate::clock::iso),
        "details": {
            "completeTrainings": plain("COMPLETE_TRAININGS"),
            "acceptPolicies": plain("ACCEPT_POLICIES"),
            "completeCustomTasks": plain("COMPLETE_CUSTOM_TASKS"),
            "completeOffboardingCustomTasks": {
                "taskType": "COMPLETE_CUSTOM_OFFBOARDING_TASKS", "status": offboarding, "dueDate": person.end_date,
                "completionDate": null, "disabled": null, "incompleteCustomOffboardingTasks": named(false),
                "completedCustomOffboardingTasks": named(true),
            },
            "installDeviceMonitoring": plain("INSTALL_DEVICE_MONITORING"),
            "completeBackgroundChecks": plain("COMPLETE_BACKGROUND_CHECKS"),
        },
    })
}

fn wanted(tenant: &Tenant, call: &Call, person: &Person) -> bool {
    let any = |name: &str, found: &dyn Fn(&str) -> bool| {
        let values = call.parameters(name);
        values.is_empty() || values.into_iter().any(found)
    };
    let employment = match tenant.settings.unconfirmed.employment_filter {
        EmploymentFilter::MatchesAny => "employmentStatusMatchesAny",
        EmploymentFilter::Status => "employmentStatus",
    };
    let text = |needle: &str| {
        let needle = needle.to_lowercase();
        person.email.to_lowercase().contains(&needle)
            || person.display().to_lowercase().contains(&needle)
    };
    any("emailAndNameFilter", &text)
        && any("groupIdsMatchesAny", &|id| person.groups.contains(id))
        && any(employment, &|status| person.employment == status)
        && any("tasksSummaryStatusMatchesAny", &|status| {
            person.tasks_status(call.now_ms) == status
        })
}
