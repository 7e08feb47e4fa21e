//! What `/proc` says about processes: who is whose child, and whether a recorded process is still the same one.

use std::{fs, path::Path};

/// A process, told apart from a later one with the same id by its start time (clock ticks after boot).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    pub(crate) started: u64,
}

impl Identity {
    /// The process that has this id now; `None` if there is none, or only its unreaped remains.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        (!stat.dead).then_some(Self {
            pid,
            started: stat.started,
        })
    }

    /// Whether this very process still runs.
    pub(crate) fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }
}

/// All processes below `root`, not itself.
pub(crate) fn descendants(root: u32) -> Vec<Identity> {
    let all: Vec<(u32, Stat)> = all_pids()
        .filter_map(|pid| Some((pid, Stat::read(pid)?)))
        .collect();
    let mut found: Vec<Identity> = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for (pid, stat) in all.iter().filter(|(_, stat)| stat.parent == parent) {
            found.push(Identity {
                pid: *pid,
                started: stat.started,
            });
            parents.push(*pid);
        }
    }
    found
}

fn all_pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

struct Stat {
    parent: u32,
    started: u64,
    dead: bool,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(
            &fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?,
        )
    }

    /// proc(5): the second field is the name in parentheses and may hold anything, so we start after the last one.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.get(line.rfind(')')? + 1..)?.split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let started = fields.nth(17)?.parse().ok()?;
        Some(Self {
            parent,
            started,
            dead: matches!(state, "Z" | "X"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 0 0";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.parent, stat.started, stat.dead), (7, 987_654, false));
    }

    #[test]
    fn a_recycled_id_is_not_the_recorded_process() {
        let me = Identity::of(std::process::id()).unwrap();
        assert!(me.is_alive());
        assert!(
            !Identity {
                started: me.started + 1,
                ..me
            }
            .is_alive()
        );
    }
}
