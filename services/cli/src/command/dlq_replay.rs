//! `sever dlq replay`, `progress` and `stop`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use reqwest::Method;
use sever_api::dead_letter_view::DiscardBody;
use sever_api::replay_view::{
    MemberView, PartView, ReplayBody, ReplayPage, ReplayPlanView, ReplayView,
};
use sever_domain::Provider;
use sever_domain::replay::ReplayState;
use uuid::Uuid;

use crate::client::Client;
use crate::exit::{Ended, Reason};
use crate::output::{Format, note, pairs, table};
use crate::words::{one_of, or_dash, time, time_or_none};

/// How often the console is asked how far it has come.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Which dead letters; everything that is given must agree.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// Dead letters, or their jobs.
    ids: Vec<Uuid>,
    /// One fingerprint.
    #[arg(long)]
    fingerprint: Option<String>,
    /// One provider.
    #[arg(long, value_parser = one_of::<Provider>(Provider::ALL.iter().map(|provider| provider.as_str())))]
    provider: Option<Provider>,
    /// One connection, by its name.
    #[arg(long)]
    connection: Option<String>,
    /// Dead at this time or later (RFC 3339, with its offset).
    #[arg(long)]
    since: Option<Timestamp>,
    /// Dead before this time.
    #[arg(long)]
    until: Option<Timestamp>,
    /// Why, for the record; no personal data.
    #[arg(long)]
    reason: String,
    /// The largest step.
    #[arg(long, value_name = "JOBS")]
    step_max: Option<u16>,
    /// Only show what it would do, which is also what happens without --yes.
    #[arg(long, conflicts_with_all = ["yes", "wait"])]
    dry_run: bool,
    /// Begin.
    #[arg(long)]
    yes: bool,
    /// Follow it until it ends or stops; exit code 1 where it stopped, or something failed.
    /// What a stop leaves at work goes on: 'sever dlq progress' shows it.
    #[arg(long, requires = "yes")]
    wait: bool,
}

/// Shows the plan; begins with `--yes`.
pub(super) async fn replay(client: &Client, arguments: &ReplayArguments, format: Format) -> Ended {
    let body = ReplayBody {
        ids: arguments.ids.clone(),
        fingerprint: arguments.fingerprint.clone(),
        provider: arguments.provider,
        connection: arguments.connection.clone(),
        since: arguments.since,
        until: arguments.until,
        reason: arguments.reason.clone(),
        dry_run: !arguments.yes,
        step_size_max: arguments.step_max,
    };
    let plan: ReplayPlanView = client.send_json(Method::POST, &["replays"], &body).await?;
    let Some(id) = plan.replay else {
        format.print(&plan, planned)?;
        note("nothing was changed: the same with --yes begins");
        return Ok(ExitCode::SUCCESS);
    };
    if !arguments.wait {
        format.print(&plan, planned)?;
        note(&format!("it begins by itself: sever dlq progress {id}"));
        return Ok(ExitCode::SUCCESS);
    }
    note(&planned(&plan));
    let ended = loop {
        let seen = find(client, id).await?;
        let at_work = seen.released > 0 && seen.state != ReplayState::Stopped;
        if !seen.state.is_running() && !at_work {
            break seen;
        }
        tokio::time::sleep(ASK_EVERY).await;
    };
    format.print(&ended, shown)?;
    Ok(verdict(&ended))
}

/// How far replays have come.
pub(super) async fn progress(client: &Client, replay: Option<Uuid>, format: Format) -> Ended {
    match replay {
        Some(id) => {
            let seen = find(client, id).await?;
            format.print(&seen, shown)?;
            Ok(verdict(&seen))
        }
        None => {
            let page: ReplayPage = client.get(&["replays"], &[]).await?;
            format.print(&page, listed)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Stops one.
pub(super) async fn stop(client: &Client, id: Uuid, reason: String, format: Format) -> Ended {
    let id = id.to_string();
    let body = DiscardBody { reason };
    let path = ["replays", &id, "stop"];
    let seen: ReplayView = client.send_json(Method::POST, &path, &body).await?;
    format.print(&seen, shown)?;
    Ok(ExitCode::SUCCESS)
}

async fn find(client: &Client, id: Uuid) -> Result<ReplayView, crate::exit::Failure> {
    client.get(&["replays", &id.to_string()], &[]).await
}

fn verdict(replay: &ReplayView) -> ExitCode {
    if replay.state == ReplayState::Stopped || replay.failed > 0 {
        ExitCode::from(Reason::Problem.code())
    } else {
        ExitCode::SUCCESS
    }
}

fn planned(plan: &ReplayPlanView) -> String {
    let row = |part: &PartView| {
        let waits = match (part.connection_state.as_str(), part.blocked) {
            ("open", false) => "",
            ("open", true) => "waits: the provider wants to be left alone",
            (_, _) => "waits: the connection takes no work",
        };
        vec![
            part.fingerprint.clone(),
            part.connection.clone(),
            part.count.to_string(),
            part.held.to_string(),
            waits.to_owned(),
        ]
    };
    let head = ["fingerprint", "connection", "count", "held at once", ""];
    let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
    let facts = pairs(&[
        ("replay", plan.replay.map(|id| id.to_string())),
        ("dead letters", Some(plan.count.to_string())),
        ("canary", Some(plan.canary.to_string())),
        ("steps", Some(format!("{} …", steps.join(", ")))),
        (
            "stops by itself",
            Some("when the canary fails, or one in ten of a step".to_owned()),
        ),
    ]);
    let parts = table(&head, plan.parts.iter().map(row).collect(), "");
    format!("{facts}\n\n{parts}")
}

fn listed(page: &ReplayPage) -> String {
    let row = |replay: &ReplayView| {
        vec![
            replay.id.to_string(),
            replay.state.to_string(),
            replay.step.to_string(),
            counts(replay),
            replay.asked_by.clone(),
            time(replay.opened_at),
            or_dash(replay.stopped_why.as_ref()),
        ]
    };
    let head = [
        "replay",
        "state",
        "step",
        "members",
        "by",
        "ordered",
        "stopped why",
    ];
    table(&head, page.items.iter().map(row).collect(), "no replays")
}

fn counts(replay: &ReplayView) -> String {
    [
        ("queued", replay.queued),
        ("at work", replay.released),
        ("done", replay.done),
        ("failed", replay.failed),
        ("held", replay.held),
        ("skipped", replay.skipped),
    ]
    .iter()
    .filter(|(_, count)| *count > 0)
    .map(|(word, count)| format!("{count} {word}"))
    .collect::<Vec<_>>()
    .join(", ")
}

fn shown(replay: &ReplayView) -> String {
    let facts = pairs(&[
        ("replay", Some(replay.id.to_string())),
        ("state", Some(replay.state.to_string())),
        ("members", Some(counts(replay))),
        ("step", Some(replay.step.to_string())),
        ("by", Some(replay.asked_by.clone())),
        ("why", Some(replay.reason.clone())),
        ("ordered", Some(time(replay.opened_at))),
        ("ended", time_or_none(replay.closed_at)),
        ("stopped by", replay.stopped_by.clone()),
        ("stopped why", replay.stopped_why.clone()),
    ]);
    if replay.members.is_empty() {
        return facts;
    }
    let row = |member: &MemberView| {
        vec![
            member.letter.to_string(),
            member.state.clone(),
            member.job.to_string(),
            member.job_state.clone(),
            or_dash(member.job_reason.as_ref()),
        ]
    };
    let head = ["dead letter", "member", "job", "job state", "why"];
    let members = table(&head, replay.members.iter().map(row).collect(), "");
    format!("{facts}\n\n{members}")
}
