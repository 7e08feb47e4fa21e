//! One run from the start of the servers to the report.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::checker;
use crate::clients::{self, Doors, HrSystem};
use crate::crowd::Crowd;
use crate::driver::Driver;
use crate::fleet::Fleet;
use crate::ground::{Ground, Servers, directory};
use crate::plan::Plan;
use crate::promises::Promises;
use crate::recovery::Recoveries;
use crate::report::Report;

/// What still has to be done: jobs that are open and bells that are not rung.
const OPEN: &str = "
SELECT (SELECT count(*) FROM job WHERE state IN ('waiting', 'running')) + (SELECT count(*) FROM outbox)";

/// Runs the plan with servers of its own in a directory below `base`.
///
/// # Errors
/// As [`run_on`].
pub async fn run(plan: &Plan, base: &Path) -> anyhow::Result<Report> {
    let data = directory(base)?;
    let servers = Servers::start(data.path()).await?;
    run_on(plan, servers, base).await
}

/// Runs the plan on these servers, which nobody else may use meanwhile. The logs, in a directory below `base`, stay and
/// are named where something is wrong.
///
/// # Errors
/// What could not be started or asked; a finding is no error but part of the report.
pub async fn run_on(plan: &Plan, servers: Arc<Servers>, base: &Path) -> anyhow::Result<Report> {
    let start = Instant::now();
    let mut ground = Ground::start(servers, base).await?;
    let crowd = Crowd::make(&ground, plan.leavers, plan.bystanders).await?;
    let mut fleet = Fleet::start(&ground, &[]).await?;
    let report = work(plan, &ground, &crowd, &mut fleet, start).await;
    drop(fleet);
    match report {
        Ok(mut report) => {
            report.took = start.elapsed();
            if !report.is_good() {
                let kept = ground.keep();
                report
                    .notes
                    .push(format!("logs are kept in {}", kept.display()));
            }
            Ok(report)
        }
        Err(error) => {
            let kept = ground.keep();
            Err(error.context(format!("logs are kept in {}", kept.display())))
        }
    }
}

async fn work(
    plan: &Plan,
    ground: &Ground,
    crowd: &Crowd,
    fleet: &mut Fleet,
    start: Instant,
) -> anyhow::Result<Report> {
    let promises = Promises::default();
    let effective_at = jiff::Timestamp::now().to_string();
    let hr = HrSystem::start(ground.hr_url(), promises.clone(), effective_at.clone())?;
    let doors = Doors {
        intake: fleet.intake.clone(),
        console: fleet.console.clone(),
        token: crowd.token.clone(),
        effective_at,
    };
    let give_up = CancellationToken::new();
    let load = tokio::spawn({
        let (hr, promises, give_up) = (hr.clone(), promises.clone(), give_up.clone());
        let size = (plan.leavers, plan.faults_for, plan.seed);
        async move { clients::load(&doors, hr, promises, size, give_up).await }
    });
    let mut driver = Driver::new(ground, fleet, hr, plan);
    driver.run(plan).await?;
    let (kills, wounds, mut troubles) = (driver.kills, driver.wounds, driver.problems);
    rest(plan, ground, fleet).await?;
    // What is not accepted by a fleet at rest never will be.
    let accepted = tokio::time::timeout(plan.rest_max, load).await;
    give_up.cancel();
    match accepted {
        Ok(ended) => ended.context("the clients ended badly")??,
        Err(_) => troubles.push("some requests were accepted by nobody".to_owned()),
    }
    if rest(plan, ground, fleet).await? > 0 {
        troubles.push("the fleet did not come to rest".to_owned());
    }
    let recoveries = Recoveries::measure(ground, &wounds).await?;
    let (findings, figures) = checker::check(ground, crowd, &promises).await?;
    let record = promises.record();
    if record.console_silent > 0 {
        troubles.push(format!(
            "{} questions to the console had no answer",
            record.console_silent
        ));
    }
    let notes = vec![
        format!(
            "{} promises to {} people; {} tries in vain; {} events sent again after a loss of the broker's data",
            record.accepted.len(),
            record.people().len(),
            record.tries_in_vain,
            record.sent_again
        ),
        format!(
            "{} calls at the providers, {} audit events, {} answers of the console",
            figures.calls, figures.audit_events, record.console_answers
        ),
    ];
    Ok(Report {
        seed: plan.seed,
        took: start.elapsed(),
        kills,
        recoveries,
        findings,
        figures,
        troubles,
        notes,
    })
}

/// Waits until nothing is open, at most for as long as the plan says. Returns what is open still.
async fn rest(plan: &Plan, ground: &Ground, fleet: &mut Fleet) -> anyhow::Result<u64> {
    let start = Instant::now();
    loop {
        fleet.revive().await?;
        let open = ground.count(OPEN).await?;
        if open == 0 || start.elapsed() > plan.rest_max {
            return Ok(open);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
