//! The particulars of each cell of the matrix: what was revoked, when, and what the re-read saw.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sever_api::job_view::{JobView, StepView};
use sever_domain::{Action, Status};

use super::audience::Act;
use crate::output::table;
use crate::words::{or_dash, time};

/// One line for each subject and connection.
pub(super) fn shown(acts: &[Act<'_>]) -> String {
    let rows = acts.iter().flat_map(|act| {
        let opt_outs = act.opt_outs.iter().rev();
        opt_outs.flat_map(move |opt_out| opt_out.jobs.iter().map(move |job| row(act, job)))
    });
    let head = [
        "subject",
        "at",
        "revoked",
        "first cut (UTC)",
        "after ms",
        "proven ms",
        "re-read saw",
        "evidence",
        "status",
        "",
    ];
    table(&head, rows.collect(), "nobody left")
}

fn row(act: &Act<'_>, job: &JobView) -> Vec<String> {
    // A leaver dated ahead is accepted long before there is anything to do.
    let due = job.accepted_at.max(job.effective_at);
    let after = |at: Option<Timestamp>| or_dash(at.map(|at| at.duration_since(due).as_millis()));
    let closing = job
        .inspections
        .iter()
        .rfind(|inspection| inspection.purpose == "closing");
    let proven = closing.map(|inspection| inspection.ended_at);
    vec![
        act.subject.name().to_owned(),
        job.connection.clone(),
        revoked(&job.steps),
        or_dash(
            job.first_revocation_at
                .map(|at| at.strftime("%H:%M:%S%.3f")),
        ),
        after(job.first_revocation_at),
        after(proven.or(job.settled_at)),
        seen(job),
        or_dash(job.weakest_grade),
        status(job),
        act.subject.label().to_owned(),
    ]
}

/// What was ended by a call of ours, by kind. One thing may take several calls: sessions are cut twice, a device is deactivated and
/// then deleted.
fn revoked(steps: &[StepView]) -> String {
    let done = |step: &&StepView| {
        let effect = step.effect.as_ref();
        effect.is_some_and(|effect| effect.outcome.as_deref() == Some("done"))
    };
    let ended = steps.iter().filter(done);
    let things: BTreeSet<(&str, &str, &str)> = ended
        .map(|step| {
            (
                noun(step.action),
                step.account.as_str(),
                step.target_key.as_str(),
            )
        })
        .collect();
    counted(things.into_iter().map(|(noun, ..)| noun))
}

/// What the last re-read of each step found.
fn seen(job: &JobView) -> String {
    if job.steps.is_empty() && job.status == Status::FullyRemoved {
        return "no account".to_owned();
    }
    counted(job.steps.iter().filter_map(|step| step.seen.as_deref()))
}

/// What an action ends, in one word.
const fn noun(action: Action) -> &'static str {
    match action {
        Action::SuspendAccount | Action::DisableIntegration | Action::EnableIntegration => {
            "sign-in"
        }
        Action::RevokeSessions => "session cuts",
        Action::RevokeTokens => "tokens",
        Action::RevokeGrants | Action::RestoreGrants => "grants",
        Action::RevokeApiToken => "API tokens",
        Action::RevokeRole
        | Action::RevokeEligibleRole
        | Action::RevokeResourceRole
        | Action::GrantRole
        | Action::GrantEligibleRole
        | Action::GrantResourceRole => "roles",
        Action::RemoveFromGroup | Action::AddToGroup => "groups",
        Action::UnassignApp | Action::AssignApp => "apps",
        Action::RevokeLicence | Action::AssignLicence => "licences",
        Action::RevokePermission | Action::GrantPermission => "permissions",
        Action::RemoveSecret => "secrets",
        Action::RemoveHook => "hooks",
        Action::RemoveConsumer | Action::AddConsumer => "consumers",
        Action::OffboardPerson => "offboarding",
        Action::DeleteResource => "resources",
        Action::RemoveFactor => "factors",
        Action::DeactivateDevice | Action::DeleteDevice | Action::ActivateDevice => "devices",
        Action::UnlinkIdentity => "identities",
        Action::RemoveOwnership | Action::AddOwnership => "ownerships",
        Action::DeactivateAccount | Action::DeleteAccount | Action::ReinstateAccount => "account",
        Action::Leave => "memberships",
    }
}

fn counted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    if counts.is_empty() {
        return "-".to_owned();
    }
    counts
        .iter()
        .map(|(word, count)| format!("{word} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn status(job: &JobView) -> String {
    match job.residual_until {
        Some(until) if job.status != Status::FullyRemoved => {
            format!("{}, a token works until {}", job.status, time(until))
        }
        _ => job.status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_and_nothing_is_a_dash() {
        assert_eq!(
            counted(["gone", "inert", "gone"].into_iter()),
            "gone 2, inert 1"
        );
        assert_eq!(counted(std::iter::empty()), "-");
    }
}
