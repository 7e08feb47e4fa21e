//! Following the work until everything is settled and what was issued before has run out.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use sever_api::opt_out_view::OptOutSummaryView;
use sever_domain::{JobState, Status, SubjectKind};
use tokio::time::Instant;

use super::audience::{opt_out, opt_outs};
use crate::client::Client;
use crate::dev::narrator::Narrator;

/// Until the demonstration gives up.
const DEADLINE: Duration = Duration::from_secs(300);
/// A residual that ends later than this is not waited for.
const RESIDUAL_MAX: SignedDuration = SignedDuration::from_mins(10);
/// So many unsettled ones are looked at one by one for what they wait for.
const LOOK_AT_MOST: usize = 5;
const POLL: Duration = Duration::from_millis(500);

/// Waits until at least `expected` subjects have an opt-out, the work of each is settled or waits for a person, and short residuals
/// have run out.
///
/// # Errors
/// Where that takes more than 300 s; the error says what is not settled.
pub(super) async fn until_settled(
    console: &Client,
    expected: usize,
    narrator: Narrator,
) -> anyhow::Result<()> {
    let (start, bar) = (Instant::now(), progress_bar(expected));
    let mut said = String::new();
    loop {
        let all = opt_outs(console).await?;
        let line = describe(&all);
        let left: Vec<&OptOutSummaryView> = all.iter().filter(|one| !has_ended(one)).collect();
        bar.set_position((all.len() - left.len()) as u64);
        bar.set_message(line.clone());
        if bar.is_hidden() && line != said {
            narrator.say(format!("{:>5.1} s  {line}", start.elapsed().as_secs_f64()));
            said = line;
        }
        if all.len() >= expected && wait_for_people(console, &left).await? {
            bar.finish_and_clear();
            return Ok(());
        }
        if start.elapsed() >= DEADLINE {
            bar.finish_and_clear();
            bail!(
                "not everything was settled within {} s: {}",
                DEADLINE.as_secs(),
                describe(&all)
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

/// On a terminal only.
fn progress_bar(expected: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(expected as u64).with_style(style)
}

/// Nothing moves any more, and nothing that was revoked works any more, or only far beyond the end of the demonstration.
fn has_ended(opt_out: &OptOutSummaryView) -> bool {
    let moves = |state| matches!(state, JobState::Waiting | JobState::Running);
    let head = &opt_out.head;
    let waits = |until: Timestamp| until.duration_since(head.as_of) <= RESIDUAL_MAX;
    !opt_out.jobs.iter().any(|job| moves(job.state)) && !head.residual_until.is_some_and(waits)
}

/// Whether those that have not ended wait for a person's word and for nothing else.
async fn wait_for_people(console: &Client, left: &[&OptOutSummaryView]) -> anyhow::Result<bool> {
    if left.len() > LOOK_AT_MOST {
        return Ok(false);
    }
    for one in left {
        let view = opt_out(console, one.head.id).await?;
        let mut moving = view.jobs.iter().filter(|job| match job.state {
            JobState::Running => true,
            JobState::Waiting => job.state_reason.as_deref() != Some("task"),
            _ => false,
        });
        let asked = view.jobs.iter().any(|job| job.state == JobState::Waiting);
        if moving.next().is_some() || !asked {
            return Ok(false);
        }
    }
    Ok(true)
}

fn describe(all: &[OptOutSummaryView]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for opt_out in all {
        *counts.entry(stage_of(opt_out)).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    let mut people = all.iter().map(|opt_out| opt_out.head.subject_kind);
    let integrations = people
        .by_ref()
        .filter(|kind| *kind == SubjectKind::Integration)
        .count();
    format!(
        "{} opt-outs, {integrations} of integrations: {}",
        all.len(),
        counts.join(", ")
    )
}

fn stage_of(opt_out: &OptOutSummaryView) -> &'static str {
    let head = &opt_out.head;
    let any = |state| opt_out.jobs.iter().any(|job| job.state == state);
    if any(JobState::Running) {
        "at work"
    } else if any(JobState::Held) {
        "held"
    } else if any(JobState::Waiting) && head.effective_at > head.as_of {
        "not yet due"
    } else if any(JobState::Waiting) {
        "waiting"
    } else if head.status == Status::FullyRemoved {
        "fully removed"
    } else if head.residual_until.is_some() {
        "revoked, a token runs out"
    } else {
        "settled"
    }
}
