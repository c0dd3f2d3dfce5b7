//! CPU time, waits and memory of a process, as the kernel reports them.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Ticks per second in `/proc`: 100 on every platform that we build for.
const TICKS: u64 = 100;

/// What the threads of a process used together in some time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    /// In their own code.
    pub(crate) user: Duration,
    /// In the kernel.
    pub(crate) kernel: Duration,
    /// Ready to run while every core was busy.
    pub(crate) waiting: Duration,
}

/// What a process has used since its start.
#[derive(Debug)]
pub(crate) struct CpuReading {
    user: Duration,
    kernel: Duration,
    /// By thread: what a thread has waited is forgotten when it ends.
    waiting: HashMap<u32, Duration>,
}

impl CpuReading {
    /// The readings of now.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let (user, kernel) = ticks(&text).with_context(|| format!("{path} has another form than expected"))?;
        Ok(Self { user, kernel, waiting: waiting(pid)? })
    }

    /// What was used since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Cpu {
        let before = |thread| earlier.waiting.get(thread).copied().unwrap_or_default();
        Cpu {
            user: self.user.saturating_sub(earlier.user),
            kernel: self.kernel.saturating_sub(earlier.kernel),
            waiting: self.waiting.iter().map(|(thread, waited)| waited.saturating_sub(before(thread))).sum(),
        }
    }
}

impl std::ops::Add for Cpu {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { user: self.user + other.user, kernel: self.kernel + other.kernel, waiting: self.waiting + other.waiting }
    }
}

/// Resident memory in KiB: now, and the peak.
pub(crate) fn memory(pid: u32) -> Result<(u64, u64)> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    field("VmRSS:").zip(field("VmHWM:")).with_context(|| format!("{path} has another form than expected"))
}

/// Fields 14 and 15; the second field, the name, may hold anything up to its last bracket.
fn ticks(stat: &str) -> Option<(Duration, Duration)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11).map(|field| field.parse::<u64>().ok());
    let mut time = || Some(Duration::from_millis(fields.next()?? * (1_000 / TICKS)));
    Some((time()?, time()?))
}

/// How long each thread of a process has waited for a core.
fn waiting(pid: u32) -> Result<HashMap<u32, Duration>> {
    let path = format!("/proc/{pid}/task");
    let mut waits = HashMap::new();
    for entry in std::fs::read_dir(&path).with_context(|| format!("cannot read {path}"))? {
        let entry = entry?;
        let Some(thread) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A thread that has ended since the list was read has no file.
        let Ok(text) = std::fs::read_to_string(entry.path().join("schedstat")) else { continue };
        let waited = run_queue_wait(&text).with_context(|| format!("{path}/{thread}/schedstat: {text}"))?;
        waits.insert(thread, waited);
    }
    Ok(waits)
}

/// The second of three numbers: time on a core and time waiting for one in nanoseconds, and how often it ran.
fn run_queue_wait(schedstat: &str) -> Option<Duration> {
    let nanoseconds = schedstat.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_hides_nothing() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 75 0 0 20 0 3 0 100 1 1";
        let (user, kernel) = ticks(stat).unwrap();
        assert_eq!((user.as_millis(), kernel.as_millis()), (2_500, 750));
    }

    #[test]
    fn the_wait_is_the_second_number() {
        assert_eq!(run_queue_wait("81633 601042 17\n"), Some(Duration::from_nanos(601_042)));
        assert_eq!(run_queue_wait("81633\n"), None);
        assert_eq!(run_queue_wait("81633 x 17\n"), None);
    }

    #[test]
    fn a_thread_that_began_or_ended_meanwhile_counts_for_what_it_waited_since() {
        let reading = |user, waits: &[(u32, u64)]| CpuReading {
            user: Duration::from_millis(user),
            kernel: Duration::ZERO,
            waiting: waits.iter().map(|(thread, waited)| (*thread, Duration::from_micros(*waited))).collect(),
        };
        let before = reading(100, &[(1, 50), (2, 900)]);
        let spent = reading(130, &[(1, 70), (3, 5)]).since(&before);
        assert_eq!((spent.user.as_millis(), spent.waiting.as_micros()), (30, 25));
    }

    #[test]
    fn this_process_has_threads_that_can_be_read() {
        let reading = CpuReading::of(std::process::id()).unwrap();
        assert!(!reading.waiting.is_empty());
    }
}
