//! Asking what a removal would do, without doing it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{
    ConnectionId, Intent, JobId, JobKind, JobState, OptOutId, SubjectId, SubjectKind, Urgency,
};
use sever_store::opt_out::{self, OptOutTerms, UsableConnection};
use sever_store::opt_out_job::{self, JobTerms, NewJob};
use sever_store::outbox::{self, Bell};
use sever_store::{Store, Tx, audit, subject as subjects};
use utoipa::ToSchema;

use crate::correlate;
use crate::error::{AcceptError, FieldFault};
use crate::json::parse_json;
use crate::opt_out_request::{OptOutRequest, PersonRef, RequestScope, Whom};

/// A request for a plan on the wire.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRequestBody {
    /// The person whose removal is foretold; exactly one of `person` and `integration` is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonRef>,
    /// The name of the integration whose removal is foretold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "crm")]
    pub integration: Option<String>,
    /// `disable`: contain and cut sessions and tokens; `remove`: take everything.
    #[schema(value_type = String, example = "remove")]
    pub intent: Intent,
    /// `"all"` (also where absent), or the names of connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RequestScope>)]
    pub scope: Option<Value>,
}

/// What is to be foretold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForetellRequest {
    /// Whose removal.
    pub whom: Whom,
    /// How far it would go.
    pub intent: Intent,
    /// The names of connections; `None` for all: of an integration those where it has an id.
    pub scope: Option<Vec<String>>,
    /// Who asks, as audit events name them.
    pub actor: String,
}

impl ForetellRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`FieldFault`], naming the first field that cannot be taken.
    pub fn parse(bytes: &[u8], actor: String) -> Result<Self, FieldFault> {
        let body: PlanRequestBody = parse_json(bytes)?;
        let mut removal =
            serde_json::to_value(&body).map_err(|error| FieldFault::new("", error.to_string()))?;
        // Read as the removal that it foretells, so that both take the same fields in the same way.
        removal["reason"] = Value::from("plan");
        let asked = OptOutRequest::parse(removal.to_string().as_bytes())?;
        Ok(Self {
            whom: asked.whom,
            intent: asked.intent,
            scope: asked.scope,
            actor,
        })
    }
}

/// Notes the removal as one that is only foretold, with one job for each connection: its worker resolves, inspects
/// and plans, and the plan is shown with the opt-out of this id. No write at a provider is possible under it, because
/// it is never in force.
///
/// # Errors
/// [`AcceptError::Field`] for a connection that does not exist; [`AcceptError::NoConnection`]; [`AcceptError::NotBound`];
/// [`AcceptError::Store`].
pub async fn foretell(store: &Store, asked: &ForetellRequest) -> Result<OptOutId, AcceptError> {
    let mut client = store.client("asking for a plan").await?;
    let tx = client.begin().await?;
    let subject = correlate::by_reference(&tx, &asked.whom).await?;
    let connections = in_scope(&tx, asked, subject.id).await?;
    if connections.is_empty() {
        return Err(nowhere(asked, subject.kind));
    }
    let id = OptOutId::generate();
    let now = subject.now;
    let terms = OptOutTerms {
        intent: asked.intent,
        urgency: Urgency::Ordinary,
        scope: asked
            .scope
            .is_some()
            .then(|| connections.iter().map(|connection| connection.id).collect()),
        effective_at: now,
    };
    let job_terms = JobTerms {
        intent: asked.intent,
        urgency: Urgency::Ordinary,
        effective_at: now,
    };
    let jobs: Vec<NewJob> = connections.iter().map(job).collect();
    opt_out::insert_foretold(&tx, id, subject.id, &terms).await?;
    opt_out_job::insert(&tx, JobKind::Plan, id, subject.id, &job_terms, &jobs).await?;
    let event = |kind, data| {
        AuditEvent::new(kind, now, asked.actor.as_str(), data)
            .subject(subject.id)
            .opt_out(id)
    };
    let mut events = vec![event(
        AuditKind::OptOutOpened,
        json!({"kind": JobKind::Plan, "intent": asked.intent, "scope": terms.scope}),
    )];
    let mut bells = Vec::new();
    for job in &jobs {
        let data =
            json!({"kind": JobKind::Plan, "connection": job.connection, "provider": job.provider});
        events.push(event(AuditKind::JobCreated, data).job(job.id));
        bells.push(Bell::work(job.id, job.provider, Urgency::Ordinary));
    }
    outbox::ring(&tx, &bells).await?;
    audit::insert(&tx, &events).await?;
    sever_crash_point::hit("plan.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("plan.after_commit");
    Ok(id)
}

/// An integration without an id there; a person where there is no connection at all.
fn nowhere(asked: &ForetellRequest, kind: SubjectKind) -> AcceptError {
    match kind {
        SubjectKind::Person => AcceptError::NoConnection,
        SubjectKind::Integration => AcceptError::NotBound {
            connections: asked.scope.clone().unwrap_or_default(),
        },
    }
}

async fn in_scope(
    tx: &Tx<'_>,
    asked: &ForetellRequest,
    subject: SubjectId,
) -> Result<Vec<UsableConnection>, AcceptError> {
    let usable = opt_out::usable_connections(tx).await?;
    if let Some(names) = &asked.scope
        && let Some(unknown) = names
            .iter()
            .find(|name| usable.iter().all(|connection| connection.name != **name))
    {
        let problem = format!("names '{unknown}', which is no connection, or a closed one");
        return Err(FieldFault::new("/scope", problem).into());
    }
    let bound: Option<Vec<ConnectionId>> = subjects::bound_connections(tx, subject).await?;
    let wanted = |connection: &UsableConnection| {
        let named = asked.scope.as_ref();
        named.is_none_or(|names| names.contains(&connection.name))
            && bound
                .as_ref()
                .is_none_or(|bound| bound.contains(&connection.id))
    };
    Ok(usable.into_iter().filter(wanted).collect())
}

fn job(connection: &UsableConnection) -> NewJob {
    NewJob {
        id: JobId::generate(),
        connection: connection.id,
        provider: connection.provider,
        state: JobState::Waiting,
        reason: None,
        delay: Duration::ZERO,
    }
}
