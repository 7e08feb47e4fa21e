//! One run: random steps under faults, then the end of the faults, after which everything must end.

use super::world::{SUBJECTS, World};

/// Random steps of a run.
const STEPS: usize = 220;
/// Rounds after the faults, ten minutes each, within which every job ends.
const ROUNDS: usize = 200;
/// Steps that workers may take in one round.
const WORK: usize = 60;

/// A rule that can be broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A live lease is nobody else's.
    LiveLease,
    /// A write needs the lease's epoch and token.
    Fencing,
    /// A call needs a committed intent.
    Intent,
    /// Only a closing inspection makes a job done.
    Proof,
    /// What may have happened is read before it is repeated.
    LostTrack,
    /// Waiting spends no attempt.
    WaitIsFree,
    /// The time of an outage is no time of failing.
    Outage,
    /// What is due is rung.
    Sweeper,
}

impl Rule {
    pub const ALL: [Self; 8] = [
        Self::LiveLease,
        Self::Fencing,
        Self::Intent,
        Self::Proof,
        Self::LostTrack,
        Self::WaitIsFree,
        Self::Outage,
        Self::Sweeper,
    ];
}

/// Runs one seed, with one rule broken where it is given.
///
/// # Errors
/// What broke, with the last steps before it.
pub fn run(seed: u64, broken: Option<Rule>) -> Result<(), String> {
    let mut world = World::new(seed, broken);
    let outcome = through(&mut world);
    outcome.map_err(|problem| {
        let from = world.trace.len().saturating_sub(25);
        format!("{problem}; after {}", world.trace[from..].join(", "))
    })
}

fn through(world: &mut World) -> Result<(), String> {
    world.ask(0);
    let outage = world.random.percent(10).then(|| world.random.below(STEPS));
    for step in 0..STEPS {
        if outage == Some(step) {
            two_days_down(world)?;
        }
        random_step(world)?;
        look(world)?;
    }
    world.heal()?;
    look(world)?;
    for _ in 0..ROUNDS {
        if world.jobs.iter().all(|job| !job.is_open()) {
            break;
        }
        world.leap(600_000);
        round(world)?;
        world.person()?;
        look(world)?;
    }
    world.check_end()
}

fn look(world: &mut World) -> Result<(), String> {
    world.seq += 1;
    world.check()
}

fn random_step(world: &mut World) -> Result<(), String> {
    let (what, pick) = match world.random.below(100) {
        0..30 => ("work", 0),
        30..42 => ("deliver", 1),
        42..54 => ("relay", 2),
        54..66 => ("sweep", 3),
        66..78 => ("pass", 4),
        78..80 => ("crash", 5),
        80..83 => ("restart", 6),
        83..85 => ("stall", 7),
        85 => ("broker lost", 8),
        86..88 => ("provider", 9),
        88..92 => ("late", 10),
        92..94 => ("canary", 11),
        94 => ("person", 12),
        95 => ("jump", 13),
        _ => ("ask", 14),
    };
    world.trace.push(what.to_owned());
    match pick {
        0 => return world.work(),
        1 => return world.deliver(),
        2 => world.relay(),
        3 => return world.sweep(),
        4 => {
            let ms = 1 << world.random.below(17);
            world.pass(ms);
        }
        5 => world.crash(),
        6 => world.restart(),
        7 => world.stall(),
        8 => world.lose_broker(),
        9 => world.turn_provider(),
        10 => world.arrive_late(),
        11 => world.canary(),
        12 => return world.person(),
        13 => world.jump(),
        _ => {
            let subject = world.random.below(SUBJECTS);
            world.ask(subject);
        }
    }
    Ok(())
}

/// The provider is away for two days, with its fleet at work all the time.
fn two_days_down(world: &mut World) -> Result<(), String> {
    world.trace.push("two days down".to_owned());
    world.provider.up = false;
    for _ in 0..96 {
        world.leap(1_800_000);
        round(world)?;
        look(world)?;
    }
    world.provider.up = true;
    Ok(())
}

/// Everything that can move does.
fn round(world: &mut World) -> Result<(), String> {
    world.restart();
    world.canary();
    for _ in 0..4 {
        world.sweep()?;
        while !world.outbox.is_empty() {
            world.relay();
        }
        for _ in 0..world.queue.len() {
            world.deliver()?;
        }
        for _ in 0..WORK {
            world.work()?;
        }
        world.pass(15_000);
    }
    Ok(())
}
