//! Thousands of connections need as many open files. The soft limit of a shell is often 1,024. A program that needs more
//! starts itself again with the hard limit, which its children inherit.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

/// Holds the earlier limit after a restart, so that there is only one.
const RAISED: &str = "XTASK_OPEN_FILES_RAISED";

/// Raises the limit of open files to the hard limit. Returns the limit, and the earlier one if it was raised.
pub(crate) fn raise() -> Result<(u64, Option<u64>)> {
    let (soft, hard) = limits()?;
    let before = std::env::var(RAISED).ok().and_then(|before| before.parse().ok());
    if soft >= hard || before.is_some() {
        return Ok((soft, before));
    }
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let mut again = Command::new("sh");
    again.args(["-c", r#"ulimit -n "$(ulimit -Hn)"; exec "$0" "$@""#]).arg(program);
    // `exec` returns only on an error.
    Err(again.args(std::env::args_os().skip(1)).env(RAISED, soft.to_string()).exec()).context("cannot start a shell")
}

fn limits() -> Result<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/self/limits").context("cannot read this process's limits")?;
    parsed(&text).context("this process's limits have another form than expected")
}

fn parsed(limits: &str) -> Option<(u64, u64)> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let mut numbers =
        line.split_whitespace().map(|word| if word == "unlimited" { Some(u64::MAX) } else { word.parse().ok() });
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max open files            1024                 unlimited            files     \n";
        assert_eq!(parsed(text), Some((1024, u64::MAX)));
    }
}
