//! Changes behind the back of the API's clients: what people do in the web pages, and what integrations report.

use serde::Deserialize;
use serde_json::json;

use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::vanta::Tenant;
use crate::vanta::settings::{Application, Disconnected};
use crate::vanta::state::{Account, Person, User};

/// One change; people by id or e-mail, users by id or e-mail. Not in the journal.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mutation {
    /// What the source of the record, or a person in the web pages, says of the employment.
    SetEmployment {
        /// The person.
        person: String,
        /// `FORMER` and so on.
        status: String,
        /// The last day, ISO 8601.
        #[serde(default)]
        end_date: Option<String>,
    },
    /// The state of an account at its source; Vanta sees it as late as the settings say.
    SetAccount {
        /// The person.
        person: String,
        /// The account's id or system.
        account: String,
        /// Whether it is active.
        active: bool,
    },
    /// Someone says in the web pages that an account is deactivated.
    OverrideAccount {
        /// The person.
        person: String,
        /// The account's id or system.
        account: String,
    },
    /// Someone does a custom offboarding task.
    CompleteTask {
        /// The person.
        person: String,
        /// The task's name; all of them without one.
        #[serde(default)]
        task: Option<String>,
    },
    /// Someone resets an offboarding.
    ResetOffboarding {
        /// The person.
        person: String,
    },
    /// Another e-mail for a person.
    ChangeEmail {
        /// The person.
        person: String,
        /// The new e-mail.
        email: String,
    },
    /// A record disappears.
    DeletePerson {
        /// The person.
        person: String,
    },
    /// Someone, or an identity provider, switches a login.
    SetUser {
        /// The user.
        user: String,
        /// Whether it may sign in.
        active: bool,
    },
    /// Someone disconnects an integration in the web pages.
    DisconnectIntegration {
        /// The integration's id.
        integration: String,
    },
    /// The other side revoked what an integration works with.
    BreakConnection {
        /// The integration's id.
        integration: String,
        /// The message that its connections show from now on.
        message: String,
    },
    /// Someone regenerates a secret in the Developer Console; tokens stay.
    RegenerateSecret {
        /// The application.
        client_id: String,
        /// The new secret.
        client_secret: String,
    },
    /// Someone deletes an application in the Developer Console; its token ends.
    DeleteApplication {
        /// The application.
        client_id: String,
    },
}

/// Whose tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Which {
    client_id: Option<String>,
}

/// Applies one change.
pub fn apply(tenant: &mut Tenant, change: Mutation, now_ms: i64) -> Answer {
    let delay = (
        tenant.settings.sync_delay_ms,
        tenant.settings.sync_delay_reads,
    );
    match change {
        Mutation::SetEmployment {
            person: name,
            status,
            end_date,
        } => {
            let person = person(tenant, &name)?;
            person.employment = status;
            person.end_date = end_date;
        }
        Mutation::SetAccount {
            person: name,
            account: which,
            active,
        } => account(tenant, &name, &which)?.change(active, now_ms, delay.0, delay.1),
        Mutation::OverrideAccount {
            person: name,
            account: which,
        } => account(tenant, &name, &which)?.overridden = true,
        Mutation::CompleteTask { person: name, task } => {
            let tasks = person(tenant, &name)?.tasks.iter_mut();
            tasks
                .filter(|found| task.as_ref().is_none_or(|task| *task == found.name))
                .for_each(|found| found.done = true);
        }
        Mutation::ResetOffboarding { person: name } => person(tenant, &name)?.offboarded = None,
        Mutation::ChangeEmail {
            person: name,
            email,
        } => person(tenant, &name)?.email = email,
        Mutation::DeletePerson { person: name } => {
            let id = person(tenant, &name)?.id.clone();
            tenant.people.remove(&id);
        }
        Mutation::SetUser { user: name, active } => user(tenant, &name)?.active = active,
        Mutation::DisconnectIntegration { integration } => disconnect(tenant, &integration)?,
        Mutation::BreakConnection {
            integration,
            message,
        } => {
            let found = tenant.integrations.get_mut(&integration);
            let found = found.ok_or_else(|| unknown_integration(&integration))?;
            let connections = found.connections.iter_mut();
            connections.for_each(|connection| connection.error = Some(message.clone()));
        }
        Mutation::RegenerateSecret {
            client_id,
            client_secret,
        } => application(tenant, &client_id)?.client_secret = client_secret,
        Mutation::DeleteApplication { client_id } => {
            application(tenant, &client_id)?;
            let applications = &mut tenant.settings.applications;
            applications.retain(|application| application.client_id != client_id);
            tenant.revoke_tokens(Some(&client_id));
        }
    }
    Ok(Reply::empty(204))
}

/// `POST tokens/revoke`: the token of one application stops working, or those of all.
pub fn revoke_tokens(tenant: &mut Tenant, which: &Which) -> Answer {
    let revoked = tenant.revoke_tokens(which.client_id.as_deref());
    Ok(Reply::json(200, &json!({ "revoked": revoked })))
}

fn disconnect(tenant: &mut Tenant, id: &str) -> Result<(), Refusal> {
    let outcome = tenant.settings.unconfirmed.disconnected;
    let found = tenant.integrations.get_mut(id);
    let found = found.ok_or_else(|| unknown_integration(id))?;
    match outcome {
        Disconnected::IntegrationGone => {
            tenant.integrations.remove(id);
        }
        Disconnected::ConnectionGone => found.connections.clear(),
        Disconnected::Disabled => {
            let connections = found.connections.iter_mut();
            connections.for_each(|connection| connection.disabled = true);
        }
    }
    Ok(())
}

fn unknown_integration(id: &str) -> Refusal {
    Refusal::not_found(&format!("the integration {id:?}"))
}

fn person<'a>(tenant: &'a mut Tenant, name: &str) -> Result<&'a mut Person, Refusal> {
    let id = tenant.find_person(name);
    id.and_then(|id| tenant.people.get_mut(&id))
        .ok_or_else(|| Refusal::not_found(&format!("the person {name:?}")))
}

fn account<'a>(
    tenant: &'a mut Tenant,
    name: &str,
    which: &str,
) -> Result<&'a mut Account, Refusal> {
    let accounts = &mut person(tenant, name)?.accounts;
    let mut accounts = accounts.iter_mut();
    let found = accounts.find(|account| account.id == which || account.system == which);
    found.ok_or_else(|| Refusal::not_found(&format!("the account {which:?}")))
}

fn user<'a>(tenant: &'a mut Tenant, name: &str) -> Result<&'a mut User, Refusal> {
    let id = tenant.find_user(name);
    id.and_then(|id| tenant.users.get_mut(&id))
        .ok_or_else(|| Refusal::not_found(&format!("the user {name:?}")))
}

fn application<'a>(tenant: &'a mut Tenant, id: &str) -> Result<&'a mut Application, Refusal> {
    let mut applications = tenant.settings.applications.iter_mut();
    let found = applications.find(|application| application.client_id == id);
    found.ok_or_else(|| Refusal::not_found(&format!("the application {id:?}")))
}
