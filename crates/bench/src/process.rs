//! CPU time and memory of a process, as the kernel reports them.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// Ticks per second in `/proc`: 100 on every platform that we build for.
const TICKS: u64 = 100;

/// CPU time of a process, all threads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    /// In its own code.
    pub(crate) user: Duration,
    /// In the kernel.
    pub(crate) kernel: Duration,
}

impl Cpu {
    /// The time that a process has used so far.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        ticks(&text).with_context(|| format!("{path} has another form than expected"))
    }

    /// The time used since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { user: self.user.saturating_sub(earlier.user), kernel: self.kernel.saturating_sub(earlier.kernel) }
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
fn ticks(stat: &str) -> Option<Cpu> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11).map(|field| field.parse::<u64>().ok());
    let mut time = || Some(Duration::from_millis(fields.next()?? * (1_000 / TICKS)));
    Some(Cpu { user: time()?, kernel: time()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_hides_nothing() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 75 0 0 20 0 3 0 100 1 1";
        let cpu = ticks(stat).unwrap();
        assert_eq!((cpu.user.as_millis(), cpu.kernel.as_millis()), (2_500, 750));
    }
}
