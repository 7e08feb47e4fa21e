//! Seeds: thousands in every test run, as many as wanted by `SEVER_MODEL_SEEDS`, one again by `SEVER_MODEL_SEED`.

mod check;
mod claim;
mod fault;
mod random;
mod run;
mod sweep;
mod work;
mod world;

use run::{Rule, run};

/// Seeds of an ordinary test run.
const SEEDS: u64 = 2_000;
/// Seeds within which each broken rule must be found.
const SEEDS_OF_A_BROKEN_RULE: u64 = 2_000;

#[allow(clippy::disallowed_methods)] // how many seeds a test tries is the caller's choice
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_interleaving_keeps_the_invariants_and_every_job_ends() {
    let seeds = match number("SEVER_MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEVER_MODEL_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        if let Err(broken) = run(seed, None) {
            panic!(
                "seed {seed}: {broken}\nrun it again: SEVER_MODEL_SEED={seed} cargo test -p sever-domain --test it"
            );
        }
    }
}

/// The checks are worth something only if they see what they are for: each rule is broken on purpose once.
#[test]
fn every_broken_rule_is_found() {
    for rule in Rule::ALL {
        let found = (0..SEEDS_OF_A_BROKEN_RULE).find_map(|seed| run(seed, Some(rule)).err());
        let broken = found.unwrap_or_else(|| panic!("nobody notices that {rule:?} is broken"));
        assert!(
            rule.caught_by().iter().any(|by| broken.contains(by)),
            "{rule:?} was noticed as: {broken}"
        );
    }
}
