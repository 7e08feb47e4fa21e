//! I1, I2, I3, I4, I12: nothing accepted is lost, nothing open is forgotten, nothing runs twice.

use super::Invariant;

pub(super) const WORK: &[Invariant] = &[
    Invariant {
        number: "I1",
        name: "request_without_job",
        what: "an accepted request's opt-out has no job",
        sql: "
SELECT request.id::text AS id, 'opt-out ' || request.opt_out_id AS detail FROM request
WHERE state = 'attached' AND NOT EXISTS (SELECT FROM job WHERE job.opt_out_id = request.opt_out_id)
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I1",
        name: "removal_forgotten",
        what: "a request for a removal is neither attached, unmatched, held nor closed",
        sql: "
SELECT id::text AS id, event_kind AS detail FROM request
WHERE event_kind IN ('leaver', 'opt_out') AND state = 'recorded'
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I1",
        name: "held_request_without_hold",
        what: "a request is held and no open hold names it",
        sql: "
SELECT request.id::text AS id, NULL::text AS detail FROM request
WHERE state = 'held'
  AND NOT EXISTS (SELECT FROM hold WHERE hold.state = 'open' AND hold.target_id IN (request.id, request.opt_out_id))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I2",
        name: "due_and_not_rung",
        what: "a job is due, and no bell for it is on its way",
        sql: "
SELECT job.id::text AS id, 'due ' || job.due_at AS detail FROM job JOIN connection ON connection.id = job.connection_id
LEFT JOIN breaker ON breaker.connection_id = connection.id
WHERE job.state = 'waiting' AND job.due_at < now() - make_interval(secs => $2)
  AND connection.state = 'open' AND (connection.blocked_until IS NULL OR connection.blocked_until < now() - make_interval(secs => $2))
  AND breaker.retry_at IS NULL
  AND (SELECT count(*) FROM job AS running WHERE running.connection_id = connection.id AND running.state = 'running') < connection.jobs_max
  AND (job.rung_at IS NULL OR job.rung_at < now() - greatest(make_interval(secs => $2), job.rung_at - job.due_at + make_interval(secs => $2)))
  AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = job.id)
LIMIT $1",
        takes_grace: true,
    },
    Invariant {
        number: "I2",
        name: "open_at_closed_connection",
        what: "a job waits or is parked at a closed connection, and no hold shows it to a person",
        sql: "
SELECT job.id::text AS id, connection.name AS detail FROM job JOIN connection ON connection.id = job.connection_id
WHERE job.state IN ('waiting', 'parked') AND connection.state = 'closed'
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I2",
        name: "lease_over",
        what: "a job runs under a lease that is over, and nobody was rung to take it",
        sql: "
SELECT job.id::text AS id, 'instance ' || job.lease_instance AS detail
FROM job LEFT JOIN worker_instance AS holder ON holder.id = job.lease_instance
WHERE job.state = 'running'
  AND (job.lease_until < now() - make_interval(secs => $2) OR holder.id IS NULL OR holder.stopped_at < now() - make_interval(secs => $2)
       OR holder.heartbeat_at < now() - make_interval(secs => holder.dead_after_s) - make_interval(secs => $2))
  AND (job.rung_at IS NULL OR job.rung_at < now() - make_interval(secs => $2))
  AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = job.id)
LIMIT $1",
        takes_grace: true,
    },
    Invariant {
        number: "I2",
        name: "held_without_hold",
        what: "a job is held and no open hold stops it, so nobody will release it",
        sql: "
SELECT job.id::text AS id, job.state_reason AS detail FROM job
WHERE job.state = 'held'
  AND NOT EXISTS (SELECT FROM hold WHERE hold.state = 'open' AND hold.target_id IN (job.id, job.opt_out_id))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I2",
        name: "parked_at_open_connection",
        what: "a job is parked though its connection is open, so nothing will return it",
        sql: "
SELECT job.id::text AS id, connection.name AS detail FROM job JOIN connection ON connection.id = job.connection_id
WHERE job.state = 'parked' AND connection.state = 'open'
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I2",
        name: "dead_without_letter",
        what: "a job is dead and has no open dead letter, so nobody is told",
        sql: "
SELECT job.id::text AS id, job.state_reason AS detail FROM job
WHERE job.state = 'dead' AND NOT EXISTS (SELECT FROM dead_letter WHERE dead_letter.job_id = job.id AND dead_letter.state = 'open')
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I3",
        name: "epoch_claimed_twice",
        what: "an epoch of a job was claimed twice",
        sql: "
SELECT job_id::text AS id, 'epoch ' || epoch AS detail
FROM (SELECT job_id, convert_from(canonical, 'UTF8')::jsonb #>> '{data,epoch}' AS epoch FROM audit_event WHERE kind = 'job.claimed') AS claim
GROUP BY job_id, epoch HAVING count(*) > 1
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I3",
        name: "epoch_ahead_of_job",
        what: "something was written under an epoch that the job has not reached",
        sql: "
SELECT job.id::text AS id, 'epoch ' || written.epoch || ' of ' || job.lease_epoch AS detail
FROM job JOIN (SELECT job_id, epoch FROM attempt UNION SELECT job_id, epoch FROM inspection UNION SELECT job_id, epoch FROM plan
               UNION SELECT step.job_id, effect.epoch FROM effect JOIN step ON step.id = effect.step_id) AS written ON written.job_id = job.id
WHERE written.epoch > job.lease_epoch
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I4",
        name: "attempt_gap",
        what: "a job's attempts are not numbered from one without a gap",
        sql: "
SELECT job_id::text AS id, count(*) || ' attempts up to ' || max(no) AS detail FROM attempt
GROUP BY job_id HAVING max(no) <> count(*)
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I4",
        name: "attempt_miscounted",
        what: "a settled job counts other attempts than it has",
        sql: "
SELECT job.id::text AS id, job.attempt || ' counted, ' || made.n || ' made' AS detail
FROM job JOIN LATERAL (SELECT count(*) AS n FROM attempt WHERE attempt.job_id = job.id) AS made ON true
WHERE job.state <> 'running' AND job.attempt <> made.n
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I12",
        name: "two_open_jobs",
        what: "a subject has two open jobs at one connection",
        sql: "
SELECT subject_id::text AS id, 'connection ' || connection_id AS detail FROM job
WHERE state IN ('waiting', 'running', 'held', 'parked', 'dead')
GROUP BY subject_id, connection_id HAVING count(*) > 1
LIMIT $1",
        takes_grace: false,
    },
];
