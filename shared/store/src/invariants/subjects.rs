//! I2, I5, I6, I7, I10, I11 for manual tasks and for integrations: a person's word stands where it says, and every subject is
//! what its bindings say.

use super::Invariant;

pub(super) const SUBJECTS: &[Invariant] = &[
    Invariant {
        number: "I2",
        name: "waits_for_no_task",
        what: "a job waits for a person though none of its tasks is open",
        sql: "
SELECT job.id::text AS id, 'due ' || job.due_at AS detail FROM job
WHERE job.state = 'waiting' AND job.state_reason = 'task' AND job.due_at > now()
  AND NOT EXISTS (SELECT FROM step WHERE step.job_id = job.id AND step.state IN ('asked', 'asserted'))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I5",
        name: "task_that_was_sent",
        what: "a step that only a person can do has an effect",
        sql: "
SELECT effect.step_id::text AS id, 'effect ' || effect.no AS detail FROM effect JOIN task ON task.step_id = effect.step_id
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I6",
        name: "task_says_otherwise",
        what: "a manual step is in a state that its task does not say",
        sql: "
SELECT step.id::text AS id, step.state AS detail FROM step LEFT JOIN task ON task.step_id = step.id
WHERE (step.state IN ('asked', 'asserted', 'attested') AND task.step_id IS NULL)
   OR (step.state = 'asked' AND task.done_by IS NOT NULL)
   OR (step.state = 'asserted' AND (task.done_by IS NULL OR task.confirmed_by IS NOT NULL))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I7",
        name: "task_without_event",
        what: "a task was done or confirmed without its audit event",
        sql: "
WITH said AS (
    SELECT kind, convert_from(canonical, 'UTF8')::jsonb #>> '{data,step}' AS step FROM audit_event
    WHERE kind IN ('task.asserted', 'task.confirmed')
)
SELECT task.step_id::text AS id, CASE WHEN task.confirmed_by IS NULL THEN 'done' ELSE 'confirmed' END AS detail FROM task
WHERE (task.done_by IS NOT NULL AND NOT EXISTS (SELECT FROM said WHERE said.step = task.step_id::text AND said.kind = 'task.asserted'))
   OR (task.confirmed_by IS NOT NULL AND NOT EXISTS (SELECT FROM said WHERE said.step = task.step_id::text AND said.kind = 'task.confirmed'))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I10",
        name: "attested_by_one",
        what: "a step counts as attested, and not by two different people",
        sql: "
SELECT step.id::text AS id, 'job ' || step.job_id AS detail FROM step LEFT JOIN task ON task.step_id = step.id
WHERE step.state = 'attested' AND (step.verified_grade IS DISTINCT FROM 'attested' OR task.done_by IS NULL OR task.confirmed_by IS NULL
                                   OR task.done_by = task.confirmed_by)
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I11",
        name: "subject_without_entry",
        what: "a subject is neither a person nor an integration of the directory, as its kind says",
        sql: "
SELECT subject.id::text AS id, subject.kind AS detail FROM subject
WHERE (subject.kind = 'person' AND NOT EXISTS (SELECT FROM person WHERE person.id = subject.id))
   OR (subject.kind = 'integration' AND NOT EXISTS (SELECT FROM integration WHERE integration.id = subject.id))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I11",
        name: "binding_of_another_kind",
        what: "a person is bound to an application, or an integration to an account",
        sql: "
SELECT binding.id::text AS id, subject.kind || ' and ' || binding.kind AS detail FROM binding JOIN subject ON subject.id = binding.subject_id
WHERE (subject.kind = 'person') <> (binding.kind = 'account')
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I11",
        name: "integration_without_binding",
        what: "a job is about an integration at a connection where it never had an id",
        sql: "
SELECT job.id::text AS id, 'connection ' || job.connection_id AS detail FROM job JOIN subject ON subject.id = job.subject_id
WHERE subject.kind = 'integration'
  AND NOT EXISTS (SELECT FROM binding WHERE binding.subject_id = job.subject_id AND binding.connection_id = job.connection_id)
LIMIT $1",
        takes_grace: false,
    },
];
