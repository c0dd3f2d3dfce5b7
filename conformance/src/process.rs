//! Child processes with a timeout.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Interval at which we check whether a child has ended.
const TICK: Duration = Duration::from_millis(25);

pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// We killed it after the timeout, so `status` says nothing about its work.
    pub(crate) timed_out: bool,
}

/// Runs a command until it ends or the timeout passes.
pub(crate) fn run(command: &mut Command, timeout: Duration) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let ended = wait(&mut child, timeout)?;
    if ended.is_none() {
        child.kill()?;
    }
    let status = child.wait()?;
    Ok(Output {
        status,
        stdout: stdout.join().unwrap_or_default(),
        stderr: stderr.join().unwrap_or_default(),
        timed_out: ended.is_none(),
    })
}

/// Runs a command that must succeed. Returns its standard output.
pub(crate) fn must(command: &mut Command, timeout: Duration) -> Result<String> {
    let output = run(command, timeout)?;
    if output.timed_out {
        bail!("{command:?} was still running after {} s\n{}", timeout.as_secs(), tail(&output.stderr));
    }
    if !output.status.success() {
        bail!("{command:?} ended with {}\n{}{}", output.status, tail(&output.stdout), tail(&output.stderr));
    }
    Ok(output.stdout)
}

/// Waits for a child. `None` after the timeout.
pub(crate) fn wait(child: &mut Child, timeout: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + timeout;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        thread::sleep(TICK);
    }
}

/// The last 20 lines of a text.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut last = lines[lines.len().saturating_sub(20)..].join("\n");
    if !last.is_empty() {
        last.push('\n');
    }
    last
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // Keep what was read before an error: it is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
