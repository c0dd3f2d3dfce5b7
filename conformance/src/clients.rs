//! The clients, how each is installed and how its driver is spoken to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::process::{self, tail};
use crate::server::{Credential, Server};

/// One client in one version.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) profiles: &'static [&'static str],
    kind: Kind,
}

enum Kind {
    /// A package of the Python Package Index, driven by `python/steps.py`.
    Python { package: &'static str },
}

/// Every client that the matrix has, in the order of its columns.
pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "onelogin (Python)",
        version: "4.0.1",
        profiles: &["default", "python4"],
        kind: Kind::Python { package: "onelogin" },
    },
    Client {
        name: "onelogin (Python)",
        version: "3.2.9",
        profiles: &["default", "python4"],
        kind: Kind::Python { package: "onelogin" },
    },
];

/// A step as its driver announces it.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) title: String,
}

pub(crate) enum Outcome {
    Good,
    Failed(String),
    /// The client cannot send or read this, and the driver saw it fail.
    Known(String),
}

pub(crate) struct Run {
    pub(crate) outcomes: Vec<(String, Outcome)>,
    /// What ended the run before its last step, if anything did.
    pub(crate) broken: Option<String>,
}

/// An installed client: a program that takes our arguments and prints one JSON line per step.
pub(crate) struct Driver {
    program: PathBuf,
    arguments: Vec<PathBuf>,
    version: &'static str,
}

impl Client {
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    pub(crate) fn set_up(&self, arguments: &Arguments) -> Result<Driver> {
        match self.kind {
            Kind::Python { package } => {
                let home = Path::new(env!("CARGO_MANIFEST_DIR"));
                let program = python_environment(arguments, home, package, self.version)?;
                Ok(Driver { program, arguments: vec![home.join("python").join("steps.py")], version: self.version })
            }
        }
    }
}

impl Driver {
    /// The steps a whole run has; one that a run leaves out is missing.
    pub(crate) fn steps(&self, arguments: &Arguments) -> Result<Vec<Step>> {
        let printed = process::must(self.command().arg("--list"), arguments.start_timeout)?;
        let mut steps = Vec::new();
        for line in printed.lines() {
            let line: Value = serde_json::from_str(line).with_context(|| format!("not a step: {line}"))?;
            let name = line["step"].as_str().context("a step without a name")?.to_owned();
            if arguments.step.is_empty() || arguments.step.iter().any(|prefix| name.starts_with(prefix.as_str())) {
                let title = line["title"].as_str().unwrap_or(&name).to_owned();
                steps.push(Step { name, title });
            }
        }
        ensure!(!steps.is_empty(), "the driver has no such steps");
        Ok(steps)
    }

    pub(crate) fn run(&self, arguments: &Arguments, server: &Server, credential: &Credential) -> Result<Run> {
        let mut command = self.command();
        command
            .arg("--ready")
            .arg(server.ready_file())
            .args(["--client-id", &credential.client_id])
            .args(["--client-secret", &credential.client_secret])
            .args(["--profile", &credential.profile])
            .args(["--expect-version", self.version]);
        for prefix in &arguments.step {
            command.args(["--only", prefix]);
        }
        let output = process::run(&mut command, arguments.run_timeout)?;
        let broken = if output.timed_out {
            Some(format!("still running after {} s", arguments.run_timeout.as_secs()))
        } else if !matches!(output.status.code(), Some(0 | 1)) {
            Some(format!("{}: {}", output.status, tail(&output.stderr).trim_end()))
        } else {
            None
        };
        let mut outcomes = Vec::new();
        for line in output.stdout.lines() {
            let line: Value = serde_json::from_str(line).with_context(|| format!("not a step's line: {line}"))?;
            let name = line["step"].as_str().context("a line without a step")?.to_owned();
            let detail = line["detail"].as_str().unwrap_or_default().to_owned();
            let outcome = match &line["ok"] {
                Value::Bool(true) => Outcome::Good,
                Value::String(known) if known == "known" => Outcome::Known(detail),
                _ => Outcome::Failed(detail),
            };
            outcomes.push((name, outcome));
        }
        Ok(Run { outcomes, broken })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .env_remove("PYTHONPATH");
        command
    }
}

/// Makes the virtual environment of a client, unless one from the same pins is there; gives its interpreter.
fn python_environment(arguments: &Arguments, home: &Path, package: &str, version: &str) -> Result<PathBuf> {
    let constraints = home.join("python").join("constraints.txt");
    let wanted = format!("{package}=={version}\n{}", fs::read_to_string(&constraints)?);
    let folder = home.join("target").join(format!("venv-{version}"));
    let program = folder.join("bin").join("python");
    let stamp = folder.join("installed.txt");
    if program.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(program);
    }
    process::must(
        Command::new(&arguments.python).args(["-m", "venv", "--clear"]).arg(&folder),
        arguments.setup_timeout,
    )?;
    process::must(
        Command::new(&program)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
            .arg("--constraint")
            .arg(&constraints)
            .arg(format!("{package}=={version}")),
        arguments.setup_timeout,
    )?;
    fs::write(&stamp, wanted)?;
    Ok(program)
}
