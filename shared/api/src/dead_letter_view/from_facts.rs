//! Dead letters as the store knows them, made into what is shown.

use jiff::Timestamp;
use sever_domain::JobState;
use sever_domain::dead_letter::{DeadLetterState, fingerprint_parts};
use sever_store::dead_letter::{
    AttemptFacts, CallFacts, Cluster, DeadLetters, Foreseen, LetterFacts, LetterRow, QueueLook,
    RawFacts, RawRow, RequestFacts,
};

use super::{
    AskedView, AttemptView, CallView, ClusterView, DeadLettersView, ForeseenView,
    LetterSummaryView, LetterView, QueueView, RawSummaryView, RawView,
};
use crate::hex::hex;
use crate::job_view::JobView;

impl From<DeadLetters> for DeadLettersView {
    fn from(facts: DeadLetters) -> Self {
        Self {
            clusters: facts.clusters.into_iter().map(ClusterView::from).collect(),
            raws: facts.raws.into_iter().map(RawSummaryView::from).collect(),
            queues: facts.queues.into_iter().map(QueueView::from).collect(),
        }
    }
}

impl From<Cluster> for ClusterView {
    fn from(facts: Cluster) -> Self {
        let [provider, action, class, code] =
            fingerprint_parts(&facts.fingerprint).map(ToOwned::to_owned);
        Self {
            provider,
            action,
            class,
            code,
            count: facts.letters,
            resolving: facts.resolving,
            first_at: facts.first_at,
            last_at: facts.last_at,
            connections: facts.connections,
            fingerprint: facts.fingerprint,
        }
    }
}

impl From<RawRow> for RawSummaryView {
    fn from(facts: RawRow) -> Self {
        Self {
            id: facts.id.0,
            queue: facts.provider,
            problem: facts.problem,
            sha256: hex(&facts.digest),
            bytes: facts.body_bytes,
            times: facts.times,
            first_at: facts.first_at,
            seen_at: facts.seen_at,
            discard_asked_by: facts.discard_asked_by,
        }
    }
}

impl From<QueueLook> for QueueView {
    fn from(facts: QueueLook) -> Self {
        Self {
            queue: facts.provider,
            looked_at: facts.looked_at,
            depth: facts.depth,
            expected: facts.expected,
            out_of_step_since: facts.out_of_step_since,
        }
    }
}

impl From<LetterRow> for LetterSummaryView {
    fn from(facts: LetterRow) -> Self {
        Self {
            id: facts.id.0,
            job: facts.job.0,
            opt_out: facts.opt_out.0,
            connection: facts.connection,
            state: facts.state,
            reason: facts.reason,
            opened_at: facts.opened_at,
            finding: facts.finding,
            discard_asked_by: facts.discard_asked_by,
        }
    }
}

impl LetterView {
    /// `work` is the job as it is shown elsewhere.
    #[must_use]
    pub fn new(facts: LetterFacts, work: Option<JobView>) -> Self {
        Self {
            id: facts.id.0,
            job: facts.job.0,
            opt_out: facts.opt_out.0,
            subject: facts.subject.0,
            kind: facts.kind,
            connection: facts.connection,
            provider: facts.provider,
            fingerprint: facts.fingerprint,
            reason: facts.reason,
            state: facts.state,
            opened_at: facts.opened_at,
            earlier: facts.earlier,
            seen_at: facts.seen_at,
            resolve_asked_by: facts.resolve_asked_by,
            evidence: facts.evidence,
            finding: facts.finding,
            discard_asked_by: facts.discard_asked_by,
            discard_reason: facts.discard_reason,
            closed_at: facts.closed_at,
            closed_by: facts.closed_by,
            closed_reason: facts.closed_reason,
            requests: facts.requests.into_iter().map(AskedView::from).collect(),
            attempts: facts.attempts.into_iter().map(AttemptView::from).collect(),
            work,
            replay: ForeseenView::new(facts.state, facts.foreseen),
        }
    }
}

impl ForeseenView {
    fn new(state: DeadLetterState, facts: Foreseen) -> Self {
        let what = match (state, facts.hold, &facts.newer_event) {
            (DeadLetterState::Resolving, _, _) => {
                "nothing: the re-read after work by hand decides first".to_owned()
            }
            (state, _, _) if !state.stands() => format!("nothing: it is {state} already"),
            (_, Some(hold), _) => format!("the job would be held: {hold}"),
            (_, None, Some(event)) => {
                format!("the job would be held: the person's newer event says {event}")
            }
            (_, None, None) => goes(&facts),
        };
        Self {
            what,
            hold: facts.hold,
            newer_event: facts.newer_event,
            connection_state: facts.connection_state,
        }
    }
}

fn goes(facts: &Foreseen) -> String {
    if facts.job_state != JobState::Dead {
        return format!("nothing: the job is {}", facts.job_state);
    }
    if facts.connection_state != "open" {
        return format!(
            "it would wait: the connection is {}",
            facts.connection_state
        );
    }
    if let Some(until) = facts.blocked_until {
        return format!("it would wait: the connection is left alone until {until}");
    }
    if facts.plans_anew {
        "the job would resolve, inspect and plan anew; every guard runs again".to_owned()
    } else {
        "the job would read what is unknown and go on with its plan; every guard runs again"
            .to_owned()
    }
}

impl From<RequestFacts> for AskedView {
    fn from(facts: RequestFacts) -> Self {
        Self {
            asked_by: facts.asked_by,
            channel: facts.channel,
            kind: facts.event_kind,
            intent: facts.intent,
            reason: facts.reason,
            effective_at: facts.effective_at,
            received_at: facts.received_at,
        }
    }
}

impl From<AttemptFacts> for AttemptView {
    fn from(facts: AttemptFacts) -> Self {
        Self {
            no: facts.no,
            started_at: facts.started_at,
            ended_at: facts.ended_at,
            class: facts.class,
            detail: facts.detail,
            calls: facts.calls.into_iter().map(CallView::from).collect(),
        }
    }
}

impl From<CallFacts> for CallView {
    fn from(facts: CallFacts) -> Self {
        Self {
            action: facts.action.to_string(),
            target_kind: facts.target_kind.to_string(),
            target_key: facts.target_key,
            intent_at: facts.intent_at,
            answered_at: facts.answered_at,
            status: facts.status,
            outcome: facts.outcome,
            code: facts.code,
            provider_request_id: facts.provider_request_id,
        }
    }
}

impl From<RawFacts> for RawView {
    fn from(facts: RawFacts) -> Self {
        let (discard_asked_by, discard_reason) = two(facts.discard_asked);
        let (closed_by, closed_reason) = two(facts.closed);
        Self {
            id: facts.id.0,
            queue: facts.provider,
            state: facts.state,
            problem: facts.problem,
            sha256: hex(&facts.digest),
            bytes: facts.body_bytes,
            times: facts.times,
            body: String::from_utf8_lossy(&facts.body).into_owned(),
            headers: facts.headers,
            first_at: facts.first_at,
            seen_at: facts.seen_at,
            evidence: facts.evidence,
            discard_asked_by,
            discard_reason,
            closed_by,
            closed_reason,
        }
    }
}

fn two(said: Option<(String, Timestamp, String)>) -> (Option<String>, Option<String>) {
    said.map_or((None, None), |(by, _, why)| (Some(by), Some(why)))
}
