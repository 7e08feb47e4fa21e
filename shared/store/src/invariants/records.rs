//! I7, I8, I9: what happened is on record, what must go out goes out, and nobody's data goes with it.

use super::Invariant;

pub(super) const RECORDS: &[Invariant] = &[
    Invariant {
        number: "I7",
        name: "job_without_event",
        what: "a job was made without its audit event",
        sql: "
SELECT job.id::text AS id, NULL::text AS detail FROM job
WHERE NOT EXISTS (SELECT FROM audit_event WHERE audit_event.opt_out_id = job.opt_out_id AND audit_event.job_id = job.id AND kind = 'job.created')
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "epoch_without_event",
        what: "a job was claimed more or fewer times than its audit events say",
        sql: "
SELECT job.id::text AS id, job.lease_epoch || ' epochs, ' || claimed.n || ' events' AS detail
FROM job JOIN LATERAL (
    SELECT count(*) AS n FROM audit_event
    WHERE audit_event.opt_out_id = job.opt_out_id AND audit_event.job_id = job.id AND kind = 'job.claimed') AS claimed ON true
WHERE job.lease_epoch <> claimed.n
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "end_without_event",
        what: "a job is in a state that its newest audit event does not report",
        sql: "
SELECT job.id::text AS id, job.state || ', the event says ' || coalesce(newest.said, 'nothing') AS detail
FROM job LEFT JOIN LATERAL (
    SELECT coalesce(convert_from(canonical, 'UTF8')::jsonb #>> '{data,to}', CASE kind WHEN 'job.cancelled' THEN 'cancelled' END) AS said
    FROM audit_event
    WHERE audit_event.opt_out_id = job.opt_out_id AND audit_event.job_id = job.id AND kind IN ('job.settled', 'job.returned', 'job.cancelled')
    ORDER BY seq DESC LIMIT 1) AS newest ON true
WHERE job.state IN ('done', 'dead', 'cancelled') AND newest.said IS DISTINCT FROM job.state
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "opt_out_without_event",
        what: "an opt-out was opened or ended without its audit event",
        sql: "
SELECT opt_out.id::text AS id, opt_out.state AS detail FROM opt_out
WHERE NOT EXISTS (SELECT FROM audit_event WHERE audit_event.opt_out_id = opt_out.id AND kind = 'opt_out.opened')
   OR (opt_out.state = 'closed' AND NOT EXISTS (SELECT FROM audit_event WHERE audit_event.opt_out_id = opt_out.id AND kind = 'opt_out.closed'))
   OR (opt_out.state = 'cancelled' AND NOT EXISTS (SELECT FROM audit_event WHERE audit_event.opt_out_id = opt_out.id AND kind = 'opt_out.cancelled'))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "effect_without_event",
        what: "a job has effects and no audit event of an intent",
        sql: "
SELECT DISTINCT job.id::text AS id, NULL::text AS detail
FROM effect JOIN step ON step.id = effect.step_id JOIN job ON job.id = step.job_id
WHERE NOT EXISTS (SELECT FROM audit_event WHERE audit_event.opt_out_id = job.opt_out_id AND audit_event.job_id = job.id AND kind = 'steps.intended')
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "hold_without_event",
        what: "a hold was opened or decided without its audit event",
        sql: "
WITH said AS (
    SELECT kind, convert_from(canonical, 'UTF8')::jsonb #>> '{data,hold}' AS hold FROM audit_event
    WHERE kind IN ('hold.released', 'hold.rejected')
)
SELECT hold.id::text AS id, hold.state AS detail FROM hold
WHERE hold.state <> 'open' AND NOT EXISTS (SELECT FROM said WHERE said.hold = hold.id::text AND said.kind = 'hold.' || hold.state)
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "event_altered",
        what: "an audit event's bytes do not have the digest that was stored with them",
        sql: "
SELECT id::text AS id, 'seq ' || seq AS detail FROM audit_event WHERE sha256(canonical) <> digest LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "event_columns_differ",
        what: "an audit event's columns say something else than its bytes",
        sql: "
SELECT id::text AS id, 'seq ' || seq AS detail
FROM audit_event CROSS JOIN LATERAL (SELECT convert_from(canonical, 'UTF8')::jsonb AS said) AS parsed
WHERE said ->> 'id' IS DISTINCT FROM id::text OR said ->> 'kind' IS DISTINCT FROM kind OR said ->> 'actor' IS DISTINCT FROM actor
   OR said ->> 'opt_out' IS DISTINCT FROM opt_out_id::text OR said ->> 'job' IS DISTINCT FROM job_id::text
   OR said ->> 'subject' IS DISTINCT FROM subject_id::text
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I8",
        name: "outbox_row_too_old",
        what: "an outbox row has not been published in time",
        sql: "
SELECT id::text AS id, routing_key || ' since ' || created_at || coalesce(': ' || last_problem, '') AS detail FROM outbox
WHERE created_at < now() - make_interval(secs => $2)
LIMIT $1",
        takes_grace: true,
    },
    Invariant {
        number: "I9",
        name: "message_with_more_than_ids",
        what: "a message holds something else than ids",
        sql: "
SELECT id::text AS id, routing_key AS detail FROM outbox
WHERE convert_from(body, 'UTF8') !~ '^ *\\{ *\"v\" *: *1 *, *\"job\" *: *\"[0-9a-f-]{36}\" *\\} *$'
   OR routing_key !~ '^[a-z]+(\\.(urgent|inventory))?$'
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I9",
        name: "personal_data_in_record",
        what: "an audit event, a hold's particulars or a task hold an e-mail address",
        sql: "
SELECT id::text AS id, 'audit event ' || seq AS detail FROM audit_event
WHERE convert_from(canonical, 'UTF8') ~ '[[:alnum:]._%+-]+@[[:alnum:]-]+\\.[[:alpha:]]'
UNION ALL
SELECT id::text, 'hold' FROM hold WHERE detail::text ~ '[[:alnum:]._%+-]+@[[:alnum:]-]+\\.[[:alpha:]]'
UNION ALL
SELECT step_id::text, 'task' FROM task
WHERE concat_ws(' ', what, evidence, evidence_reference, refused_why) ~ '[[:alnum:]._%+-]+@[[:alnum:]-]+\\.[[:alpha:]]'
UNION ALL
SELECT id::text, 'dead letter' FROM dead_letter
WHERE concat_ws(' ', fingerprint, reason, finding, evidence, closed_reason) ~ '[[:alnum:]._%+-]+@[[:alnum:]-]+\\.[[:alpha:]]'
LIMIT $1",
        takes_grace: false,
    },
];
