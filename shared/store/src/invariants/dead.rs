//! I2, I7, I8 for dead letters: what is dead is before a person, what was decided says by whom, and the queues follow.

use super::Invariant;

pub(super) const DEAD: &[Invariant] = &[
    Invariant {
        number: "I2",
        name: "letter_without_dead_job",
        what: "a dead letter stands and its job is neither dead nor being read again after work by hand",
        sql: "
SELECT letter.id::text AS id, letter.state || ', the job is ' || job.state AS detail
FROM dead_letter AS letter JOIN job ON job.id = letter.job_id
WHERE (letter.state = 'open' AND job.state <> 'dead')
   OR (letter.state = 'resolving' AND (NOT job.resolving OR job.state NOT IN ('waiting', 'running', 'held', 'parked')))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I2",
        name: "resolving_without_letter",
        what: "a job only reads and no dead letter says that it was done by hand",
        sql: "
SELECT job.id::text AS id, job.state AS detail FROM job
WHERE job.resolving AND NOT EXISTS (SELECT FROM dead_letter AS letter WHERE letter.job_id = job.id AND letter.state = 'resolving')
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I2",
        name: "member_forgotten",
        what: "a dead letter waits in a replay that has ended",
        sql: "
SELECT member.dead_letter_id::text AS id, 'replay ' || replay.id AS detail
FROM replay_member AS member JOIN replay ON replay.id = member.replay_id
WHERE member.state = 'queued' AND replay.closed_at IS NOT NULL
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "letter_closed_by_nobody",
        what: "a dead letter was closed, and nothing says by whom",
        sql: "
SELECT id::text AS id, state AS detail FROM dead_letter WHERE closed_at IS NOT NULL AND closed_by IS NULL
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "resolved_without_proof",
        what: "a dead letter counts as done by hand, and its job has no closing inspection after it died",
        sql: "
SELECT letter.id::text AS id, 'job ' || letter.job_id AS detail FROM dead_letter AS letter
WHERE letter.state = 'resolved'
  AND NOT EXISTS (SELECT FROM inspection WHERE inspection.job_id = letter.job_id AND purpose = 'closing' AND started_at >= letter.opened_at)
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I8",
        name: "dead_letter_queue_out_of_step",
        what: "a dead-letter queue has not held what the database says is dead for more than a minute",
        sql: "
SELECT provider AS id, depth || ' messages, ' || expected || ' expected, since ' || out_of_step_since AS detail FROM dlq_look
WHERE out_of_step_since < now() - make_interval(secs => greatest($2::float8, 60))
LIMIT $1",
        takes_grace: true,
    },
    Invariant {
        number: "I8",
        name: "janitor_gone",
        what: "nobody has looked at the dead-letter queues for ten minutes though something is dead",
        sql: "
SELECT 'dlq' AS id, 'last look ' || coalesce(look.last::text, 'never') AS detail FROM (SELECT max(looked_at) AS last FROM dlq_look) AS look
WHERE EXISTS (SELECT FROM dead_letter WHERE state = 'open' AND opened_at < now() - interval '10 minutes')
AND coalesce(look.last, '-infinity') < now() - make_interval(secs => greatest($2::float8, 600))
LIMIT $1",
        takes_grace: true,
    },
];
