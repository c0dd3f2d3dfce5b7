//! Child processes that end: by themselves, or by us when their time is over.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How often a child is asked whether it has ended.
const TICK: Duration = Duration::from_millis(25);

pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// It was ended by us; `status` tells nothing about its work.
    pub(crate) timed_out: bool,
}

/// Runs a command to its end or to the end of its time, whichever comes first.
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

/// Runs a command that must succeed; gives what it printed.
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

/// Waits for a child; `None` when it has not ended in time.
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

/// The last lines of a text, enough to see what went wrong.
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
            // What could be read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
