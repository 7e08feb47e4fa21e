//! Processor time and memory of processes, from `/proc`.

use std::fs;
use std::ops::Range;

/// Clock ticks of `/proc/*/stat` in one second; fixed on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor seconds, user and system, of a process, of the processes below it, and of those of them that
/// have ended and were waited for; 0 for one that is not there.
#[must_use]
pub fn cpu_seconds(root: u32) -> f64 {
    let all = all();
    let mut ticks = 0;
    let mut below = vec![root];
    while let Some(pid) = below.pop() {
        for process in all.iter().filter(|process| process.pid == pid) {
            ticks += process.ticks;
        }
        let children = all.iter().filter(|process| process.parent == pid);
        below.extend(children.map(|process| process.pid));
    }
    ticks as f64 / TICKS_PER_SECOND
}

/// Processor seconds of this process alone, without what it started.
#[must_use]
pub fn own_cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    fields(&stat).map_or(0.0, |fields| {
        ticks(&fields, 11..13) as f64 / TICKS_PER_SECOND
    })
}

/// The peak resident memory of a process in MiB; 0 for one that is not there.
#[must_use]
pub fn peak_rss_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

struct Process {
    pid: u32,
    parent: u32,
    ticks: u64,
}

fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(process)
        .collect()
}

fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = fields(&stat)?;
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        ticks: ticks(&fields, 11..15),
    })
}

/// proc(5): after the name in parentheses come state, parent and, as the 12th to 15th, utime, stime, cutime, cstime.
fn fields(stat: &str) -> Option<Vec<&str>> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    Some(after_name.split(' ').collect())
}

fn ticks(fields: &[&str], range: Range<usize>) -> u64 {
    let fields = fields.get(range).unwrap_or_default().iter();
    fields.filter_map(|field| field.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_uses_the_processor() {
        let own = std::process::id();
        let mut sum = 0_u64;
        while cpu_seconds(own) < 0.02 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(peak_rss_mib(own) > 1.0);
        assert!(cpu_seconds(u32::MAX).abs() < f64::EPSILON);
    }
}
