//! Runs commands that must succeed, and steps that print their name and duration.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{clock, terminal};

/// Runs one step of a chore. Prints its name, result and duration.
pub fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    terminal::say(&format!("==> {name}"));
    let began = clock::now();
    let done = work();
    let seconds = began.elapsed().as_secs_f64();
    match &done {
        Ok(()) => terminal::say(&format!("<== {name}: ok, {seconds:.1} s")),
        Err(_) => terminal::say(&format!("<== {name}: FAILED after {seconds:.1} s")),
    }
    done.with_context(|| format!("{name} failed"))
}

/// Runs a command that prints to the terminal. Fails with the command line unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command and returns its standard output. Fails with its standard error unless it succeeds.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}:\n{}", shown(command), output.status, words.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} did not print UTF-8", shown(command)))
}

/// Whether a program can be run with these arguments.
pub fn runs(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The cargo that started this chore, or the one on the path.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}
