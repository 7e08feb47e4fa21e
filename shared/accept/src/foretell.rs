//! Asking what a removal would do, without doing it.

use std::time::Duration;

use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{ConnectionId, Intent, JobId, JobKind, JobState, OptOutId, SubjectId, Urgency};
use sever_store::opt_out::{self, OptOutTerms, UsableConnection};
use sever_store::opt_out_job::{self, JobTerms, NewJob};
use sever_store::outbox::{self, Bell};
use sever_store::{Store, Tx, audit, subject};

use crate::error::{AcceptError, FieldFault};

/// What is to be foretold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForetellRequest {
    /// Whose removal.
    pub subject: SubjectId,
    /// How far it would go.
    pub intent: Intent,
    /// The names of connections; `None` for all: of an integration those where it has an id.
    pub scope: Option<Vec<String>>,
    /// Who asks, as audit events name them.
    pub actor: String,
}

/// Notes the removal as one that is only foretold, with one job for each connection: its worker resolves, inspects
/// and plans, and the plan is shown with the opt-out of this id. No write at a provider is possible under it, because
/// it is never in force.
///
/// # Errors
/// [`AcceptError::Field`] for a connection that does not exist; [`AcceptError::NoConnection`]; [`AcceptError::Store`].
pub async fn foretell(store: &Store, asked: &ForetellRequest) -> Result<OptOutId, AcceptError> {
    let mut client = store.client("asking for a plan").await?;
    let tx = client.begin().await?;
    let connections = in_scope(&tx, asked).await?;
    if connections.is_empty() {
        return Err(AcceptError::NoConnection);
    }
    let id = OptOutId::generate();
    let now = tx.now().await?;
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
    opt_out::insert_foretold(&tx, id, asked.subject, &terms).await?;
    opt_out_job::insert(&tx, JobKind::Plan, id, asked.subject, &job_terms, &jobs).await?;
    let event = |kind, data| {
        AuditEvent::new(kind, now, asked.actor.as_str(), data)
            .subject(asked.subject)
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
    tx.commit().await?;
    Ok(id)
}

async fn in_scope(
    tx: &Tx<'_>,
    asked: &ForetellRequest,
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
    let bound: Option<Vec<ConnectionId>> = subject::bound_connections(tx, asked.subject).await?;
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
