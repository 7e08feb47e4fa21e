//! `sever demo`, from the empty directory to the last line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use sever_api::person_view::ImportView;
use sever_config::{DevConfig, FromEnvironment as _, ProcessEnvironment};
use sever_domain::request::Channel;
use tokio::time::Instant;

use super::audience::{self, Act, Subject};
use super::cast::{Cast, LEAVERS, PEOPLE};
use super::check::{self, Findings};
use super::drift::{self, Drift};
use super::integrations::{self, Integration};
use super::operator::Operator;
use super::outcome::{Beside, Outcome};
use super::{disconnect, events, follow, matrix, report, restore, stage, task, truth};
use crate::dev::fleet::Fleet;
use crate::dev::narrator::Narrator;
use crate::dev::people::people_csv;
use crate::dev::supervise::{Finished, with_fleet};
use crate::dev::systems::SYSTEMS;
use crate::exit::{Ended, Failure, Reason};
use crate::output;

/// Starts the whole fleet on this machine, lets 50 of 500 people leave, disconnects two integrations, and checks that their access
/// is gone in five systems.
///
/// The last line is JSON; the status is 0 only where everything is as it must be. Everything begins anew at each start, and nothing
/// is left running. With DATABASE_URL or AMQP_URL set, those servers are used instead of private ones.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Where data, logs and secrets are kept.
    #[arg(long, value_name = "DIR", default_value = ".sever/demo")]
    directory: PathBuf,
}

/// Runs the demonstration; status 1 where something is not as it must be, 130 where a signal came first.
///
/// # Errors
/// Whatever could not be done. Nothing is left running in any case.
pub(crate) async fn run(arguments: DemoArguments) -> Ended {
    let (start, narrator) = (Instant::now(), Narrator);
    let servers = DevConfig::from_environment(&ProcessEnvironment)?;
    let plan = stage::plan(arguments.directory, servers);
    let finished = with_fleet(&plan, narrator, async |fleet: &Fleet| {
        perform(fleet, narrator, start).await
    });
    let (outcome, sound) = match finished.await? {
        Finished::Worked(outcome) => outcome,
        Finished::Interrupted(_) => return Ok(ExitCode::from(130)),
        Finished::Broken => return Ok(ExitCode::FAILURE),
    };
    let line = serde_json::to_string(&outcome)
        .map_err(|error| Failure::new(Reason::Problem, format!("writing JSON: {error}")))?;
    output::say(&line)?;
    Ok(if sound && outcome.is_expected() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The demonstration itself: what came out, and whether every invariant holds.
async fn perform(
    fleet: &Fleet,
    narrator: Narrator,
    start: Instant,
) -> anyhow::Result<(Outcome, bool)> {
    narrator.say(format!(
        "{}, {}; logs in {}",
        fleet.database.describe(),
        fleet.broker.describe(),
        fleet.home.logs().display()
    ));
    stage::say_settings(narrator);
    let cast = Cast::seed(&fleet.simulator).await?;
    let integrations = integrations::plant(fleet, &cast).await?;
    import(fleet, &cast, narrator).await?;
    cast.delete_the_gone(&fleet.simulator).await?;
    stage::slow_down(&fleet.simulator).await?;
    let before = truth::look(&fleet.simulator, &cast, &integrations).await?;

    let drift = play(fleet, (&cast, &integrations), narrator).await?;

    let acts = audience::acts(&fleet.console, &cast, &integrations).await?;
    show(fleet, &acts, narrator)?;
    tell_intake(&acts, fleet, narrator).await?;
    let findings = check::everything(fleet, (&cast, &integrations), &before, &acts).await?;
    tell(&findings, narrator);
    outcome(fleet, &acts, (&findings, drift), start).await
}

/// What happens, in its order: people leave, integrations are disconnected, a person does what no call can, one comes back, and
/// access that comes undone is found.
async fn play(
    fleet: &Fleet,
    (cast, integrations): (&Cast, &[Integration]),
    narrator: Narrator,
) -> anyhow::Result<Drift> {
    let console = &fleet.console;
    let operator = Operator::first(fleet, narrator);
    let colleague = operator.colleague(fleet).await?;
    let published = Instant::now();
    let count = events::publish(cast, &fleet.broker.hr_url, &fleet.broker.hr_user).await?;
    narrator.say(format!(
        "the HR system published {count} leaver events: {LEAVERS} leavers, one of them twice, and one event cut short"
    ));
    disconnect::run(fleet, &operator, &colleague, integrations).await?;
    let subjects = LEAVERS + integrations.len();
    follow::until_settled(console, subjects, narrator).await?;
    narrator.say(format!(
        "{:.1} s after the first event everything is settled, but for one task",
        published.elapsed().as_secs_f64()
    ));
    task::run(console, cast, &operator, &colleague).await?;
    follow::until_settled(console, subjects, narrator).await?;
    restore::run(console, cast, &operator).await?;
    follow::until_settled(console, subjects + 1, narrator).await?;
    let drift = drift::run(fleet, cast, &operator, narrator).await?;
    follow::until_settled(console, subjects + 2, narrator).await?;
    Ok(drift)
}

async fn import(fleet: &Fleet, cast: &Cast, narrator: Narrator) -> anyhow::Result<()> {
    let csv = people_csv(&cast.people)?;
    std::fs::write(fleet.home.join("people.csv"), &csv).context("writing people.csv")?;
    let imported: ImportView = fleet
        .console
        .post_bytes(&["people", "import"], "text/csv", csv)
        .await?;
    ensure!(
        imported.created == PEOPLE as u64 && imported.rejected_rows == 0,
        "the import made {} people and set {} rows aside; {PEOPLE} and 0 were expected",
        imported.created,
        imported.rejected_rows
    );
    narrator.say(format!(
        "imported {} people with {} accounts in {} systems",
        imported.created,
        imported.candidates,
        SYSTEMS.len()
    ));
    Ok(())
}

/// The matrix on standard output, and the particulars in a file.
fn show(fleet: &Fleet, acts: &[Act<'_>], narrator: Narrator) -> anyhow::Result<()> {
    let file = fleet.home.join("particulars.txt");
    std::fs::write(&file, report::shown(acts)).context("writing particulars.txt")?;
    output::say(&matrix::shown(acts))?;
    narrator.say(format!(
        "each cell: the status, then how many of the steps that were needed are proven by the re-read; what was revoked, when, and \
         what the re-read saw is in {}",
        file.display()
    ));
    Ok(())
}

/// What became of the repeated event and of the one that was cut short.
async fn tell_intake(acts: &[Act<'_>], fleet: &Fleet, narrator: Narrator) -> anyhow::Result<()> {
    let leavers = acts
        .iter()
        .filter(|act| matches!(act.subject, Subject::Leaver(_)));
    let from_hr = |channel| channel == Channel::Amqp;
    let (mut requests, mut people) = (0, 0);
    for act in leavers {
        let all = act.opt_outs.iter().flat_map(|opt_out| &opt_out.requests);
        requests += all.filter(|request| from_hr(request.channel)).count();
        people += 1;
    }
    let repeated = if requests == people {
        "the repeated event changed nothing"
    } else {
        "that is not one for each"
    };
    narrator.say(format!(
        "{requests} requests of the HR system were recorded for {people} leavers: {repeated}"
    ));
    for rejected in audience::rejected(&fleet.console).await?.items {
        narrator.say(format!(
            "set aside, with its body: a message of {} ({} bytes): {}",
            rejected.source, rejected.body_bytes, rejected.reason
        ));
    }
    Ok(())
}

fn tell(findings: &Findings, narrator: Narrator) {
    narrator.say(format!(
        "the providers' journal has {} writes, Sever intended {} calls; {} contradictions in journal, state and matrix; \
         {} checks of the invariants, {} broken",
        findings.writes,
        findings.intended,
        findings.provider.len(),
        findings.checks,
        findings.invariants.len()
    ));
    for violation in findings.provider.iter().chain(&findings.invariants) {
        narrator.say(format!("  {violation}"));
    }
}

async fn outcome(
    fleet: &Fleet,
    acts: &[Act<'_>],
    (findings, drift): (&Findings, Drift),
    start: Instant,
) -> anyhow::Result<(Outcome, bool)> {
    let beside = Beside {
        rejected: audience::rejected(&fleet.console).await?.items.len(),
        violations: findings.provider.len(),
        drift,
        seconds: start.elapsed().as_secs(),
    };
    let tasks = audience::tasks(&fleet.console).await?;
    let outcome = Outcome::of(acts, &tasks, beside);
    Ok((outcome, findings.invariants.is_empty()))
}
