//! Processor time and memory, as the kernel counts them: what a busy machine does to the clock on the wall does not touch them.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Nanoseconds that each group of threads was on a processor, by the threads' names.
#[derive(Default, Clone)]
pub struct Cpu(BTreeMap<String, u64>);

impl Cpu {
    /// Of this process, until now.
    pub fn now() -> Self {
        let mut groups = BTreeMap::new();
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        for task in tasks.map(|entry| entry.path()) {
            // A thread may end while it is looked at.
            let (Ok(name), Ok(spent)) = (fs::read_to_string(task.join("comm")), fs::read_to_string(task.join("schedstat"))) else {
                continue;
            };
            let spent = spent.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
            *groups.entry(name.trim().to_owned()).or_default() += spent;
        }
        Self(groups)
    }

    /// Microseconds of a group for each of so many things done since an earlier look.
    pub fn us_each(&self, earlier: &Self, group: &str, done: u64) -> f64 {
        let spent = |cpu: &Self| cpu.0.get(group).copied().unwrap_or(0);
        spent(self).saturating_sub(spent(earlier)) as f64 / 1000.0 / done.max(1) as f64
    }
}

/// Bytes that a process has in memory.
pub fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// How long a process was on a processor in all.
pub fn spent(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok();
    Duration::from_nanos(tasks.filter_map(of).sum::<u64>())
}
