//! I5, I6, I10, I11: nothing is sent without an intent, and nothing counts as removed without proof.

use super::Invariant;

pub(super) const EVIDENCE: &[Invariant] = &[
    Invariant {
        number: "I5",
        name: "sent_without_intent",
        what: "a step was sent, or may have been, and no intent of it is stored",
        sql: "
SELECT step.id::text AS id, 'job ' || step.job_id || ', ' || step.state AS detail FROM step
WHERE step.state IN ('applying', 'unknown') AND NOT EXISTS (SELECT FROM effect WHERE effect.step_id = step.id)
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I5",
        name: "answered_before_intent",
        what: "an effect was answered before its intent was committed",
        sql: "
SELECT effect.step_id::text AS id, 'effect ' || effect.no AS detail FROM effect
WHERE effect.answered_at < effect.intent_at
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I5",
        name: "intent_without_attempt",
        what: "an effect was intended in an epoch that has no attempt",
        sql: "
SELECT effect.step_id::text AS id, 'effect ' || effect.no || ', epoch ' || effect.epoch AS detail
FROM effect JOIN step ON step.id = effect.step_id
WHERE NOT EXISTS (SELECT FROM attempt WHERE attempt.job_id = step.job_id AND attempt.no = effect.attempt AND attempt.epoch = effect.epoch)
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I6",
        name: "open_job_of_ended_opt_out",
        what: "a job is open though its opt-out has come to its end",
        sql: "
SELECT job.id::text AS id, 'opt-out is ' || opt_out.state AS detail FROM job JOIN opt_out ON opt_out.id = job.opt_out_id
WHERE job.state IN ('waiting', 'held', 'parked', 'dead') AND opt_out.state <> 'open' AND job.kind <> 'plan'
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I6",
        name: "open_opt_out_without_open_job",
        what: "an opt-out is open though all its jobs have come to their end",
        sql: "
SELECT opt_out.id::text AS id, NULL::text AS detail FROM opt_out
WHERE opt_out.state = 'open' AND EXISTS (SELECT FROM job WHERE job.opt_out_id = opt_out.id)
  AND NOT EXISTS (SELECT FROM job WHERE job.opt_out_id = opt_out.id AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead'))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I6",
        name: "done_with_open_step",
        what: "a job is done though the newest step of a target is not closed",
        sql: "
SELECT latest.id::text AS id, 'job ' || latest.job_id || ', ' || latest.action || ' is ' || latest.state AS detail
FROM (SELECT DISTINCT ON (job_id, binding_id, action, target_kind, target_key) * FROM step
      ORDER BY job_id, binding_id, action, target_kind, target_key, revision DESC) AS latest
JOIN job ON job.id = latest.job_id
WHERE job.state = 'done' AND ((job.kind = 'opt_out' AND latest.state NOT IN ('verified', 'inert', 'attested'))
   OR (job.kind = 'restore' AND latest.state NOT IN ('verified', 'inert', 'attested') AND (latest.state <> 'blocked' OR latest.action <> 'leave')))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I10",
        name: "done_without_closing_inspection",
        what: "a job is done without a closing inspection that read an account",
        sql: "
SELECT job.id::text AS id, NULL::text AS detail FROM job
WHERE job.state = 'done' AND job.kind <> 'plan' AND NOT EXISTS (
    SELECT FROM inspection JOIN inspection_family AS family ON family.inspection_id = inspection.id
    WHERE inspection.job_id = job.id AND inspection.purpose = 'closing' AND family.family = 'account' AND family.result = 'complete')
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I10",
        name: "done_with_unproven_family",
        what: "a job is done though its last closing inspection left a family unproven",
        sql: "
SELECT job.id::text AS id, family.family || ' was ' || family.result AS detail
FROM job
JOIN LATERAL (SELECT id FROM inspection WHERE inspection.job_id = job.id AND purpose = 'closing' ORDER BY seq DESC LIMIT 1) AS closing ON true
JOIN inspection_family AS family ON family.inspection_id = closing.id
WHERE job.state = 'done' AND job.kind = 'opt_out' AND family.result <> 'complete' AND NOT (family.result = 'unsupported' AND family.rule IS NOT NULL)
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I10",
        name: "done_with_live_entitlement",
        what: "a job is done though its last closing inspection saw an entitlement that no rule makes inert",
        sql: "
SELECT job.id::text AS id, seen.kind || ' ' || seen.provider_key AS detail
FROM job
JOIN LATERAL (SELECT id FROM inspection WHERE inspection.job_id = job.id AND purpose = 'closing' ORDER BY seq DESC LIMIT 1) AS closing ON true
JOIN entitlement AS seen ON seen.inspection_id = closing.id
WHERE job.state = 'done' AND job.kind = 'opt_out' AND seen.kind <> 'account'
  AND NOT EXISTS (SELECT FROM step WHERE step.job_id = job.id AND step.binding_id = seen.binding_id AND step.target_kind = seen.kind
                  AND step.target_key = seen.provider_key AND step.state IN ('inert', 'attested'))
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I10",
        name: "done_with_unread_account",
        what: "a job is done though a confirmed account of its subject was not read at the end",
        sql: "
SELECT job.id::text AS id, 'binding ' || binding.id AS detail
FROM job
JOIN LATERAL (SELECT id FROM inspection WHERE inspection.job_id = job.id AND purpose = 'closing' ORDER BY seq DESC LIMIT 1) AS closing ON true
JOIN binding ON binding.subject_id = job.subject_id AND binding.connection_id = job.connection_id
WHERE job.state = 'done' AND job.kind = 'opt_out' AND binding.state = 'confirmed' AND binding.confirmed_at < job.settled_at
  AND NOT EXISTS (SELECT FROM inspection_family AS family WHERE family.inspection_id = closing.id AND family.binding_id = binding.id)
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I10",
        name: "closing_before_last_write",
        what: "a job is done by a closing inspection that began before its last write was answered",
        sql: "
SELECT DISTINCT job.id::text AS id, 'inspection ' || closing.id AS detail
FROM job
JOIN LATERAL (SELECT id, started_at FROM inspection WHERE inspection.job_id = job.id AND purpose = 'closing' ORDER BY seq DESC LIMIT 1) AS closing ON true
JOIN step ON step.job_id = job.id
JOIN effect ON effect.step_id = step.id
WHERE job.state = 'done' AND effect.outcome IS DISTINCT FROM 'not_applied' AND coalesce(effect.answered_at, effect.intent_at) > closing.started_at
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I5",
        name: "plan_that_wrote",
        what: "a job that only foretells a removal has an effect",
        sql: "
SELECT effect.step_id::text AS id, 'job ' || job.id AS detail
FROM effect JOIN step ON step.id = effect.step_id JOIN job ON job.id = step.job_id
WHERE job.kind = 'plan'
LIMIT $1",
        takes_grace: false,
    },
    Invariant {
        number: "I11",
        name: "effect_on_foreign_account",
        what: "an effect was intended on an account that is not a confirmed one of the job's subject at its connection",
        sql: "
SELECT effect.step_id::text AS id, 'job ' || job.id || ', binding ' || binding.id AS detail
FROM effect JOIN step ON step.id = effect.step_id JOIN job ON job.id = step.job_id JOIN binding ON binding.id = step.binding_id
WHERE binding.subject_id <> job.subject_id OR binding.connection_id <> job.connection_id
   OR binding.confirmed_at IS NULL OR binding.confirmed_at > effect.intent_at
LIMIT $1",
        takes_grace: false,
    },
];
