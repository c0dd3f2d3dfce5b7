//! The clients: how each is installed, and how its driver is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::authority::Authority;
use crate::process::{self, tail};
use crate::server::{Credential, Server};

/// One client in one version.
pub(crate) struct Client {
    /// Its table in the matrix. Clients of one family share their steps.
    pub(crate) family: &'static str,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) profiles: &'static [&'static str],
    pub(crate) reach: Reach,
    kind: Kind,
}

/// How a client reaches the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Its base URL is configurable.
    BaseUrl,
    /// Its base URL is configurable and must be `https`.
    SecureBaseUrl,
    /// It has OneLogin's host names compiled in. The names are overridden, and a private authority signs their
    /// certificate.
    FixedName,
}

enum Kind {
    /// Packages of the Python Package Index, the client first.
    Python { package: &'static str, beside: &'static [&'static str], pins: &'static str, driver: &'static str },
    /// A package of npm.
    Npm { package: &'static str, driver: &'static str, compiled: bool },
}

/// All clients, in the order of the matrix's columns.
pub(crate) const CLIENTS: &[Client] = &[
    Client {
        family: PYTHON_SDK,
        name: "onelogin (Python)",
        version: "4.0.1",
        profiles: &["default", "python4"],
        reach: Reach::BaseUrl,
        kind: GENERATED,
    },
    Client {
        family: PYTHON_SDK,
        name: "onelogin (Python)",
        version: "3.2.9",
        profiles: &["default", "python4"],
        reach: Reach::BaseUrl,
        kind: GENERATED,
    },
    Client {
        family: PYTHON_SDK,
        name: "onelogin (Python)",
        version: "2.0.4",
        profiles: &["default"],
        reach: Reach::FixedName,
        kind: HAND_WRITTEN,
    },
    Client {
        family: PYTHON_SDK,
        name: "onelogin (Python)",
        version: "1.9.1",
        profiles: &["default"],
        reach: Reach::FixedName,
        kind: HAND_WRITTEN,
    },
    Client {
        family: NPM,
        name: "@onelogin/sdk (npm)",
        version: "1.0.9",
        profiles: &["default"],
        reach: Reach::SecureBaseUrl,
        kind: Kind::Npm { package: "@onelogin/sdk", driver: "sdk1.js", compiled: true },
    },
    Client {
        family: NPM,
        name: "@onelogin/sdk (npm)",
        version: "3.0.0-alpha.1",
        profiles: &["default", "numeric_ids"],
        reach: Reach::BaseUrl,
        kind: Kind::Npm { package: "@onelogin/sdk", driver: "sdk3.js", compiled: false },
    },
    Client {
        family: AWS,
        name: "onelogin-aws-assume-role",
        version: "2.1.1",
        profiles: &["default"],
        reach: Reach::FixedName,
        kind: Kind::Python {
            package: "onelogin-aws-assume-role",
            beside: AWS_STUB,
            pins: "constraints-aws.txt",
            driver: "aws.py",
        },
    },
    Client {
        family: AWS,
        name: "onelogin-aws-cli",
        version: "0.1.19",
        profiles: &["default"],
        reach: Reach::FixedName,
        kind: Kind::Python {
            package: "onelogin-aws-cli",
            beside: AWS_STUB,
            pins: "constraints-aws.txt",
            driver: "aws.py",
        },
    },
];

const PYTHON_SDK: &str = "Python SDK";
const NPM: &str = "npm";
const AWS: &str = "Log-in to AWS";

/// The driver of the generated SDK.
const STEPS: &str = "steps.py";
/// The generated SDK, from version 3.
const GENERATED: Kind = Kind::Python { package: "onelogin", beside: &[], pins: "constraints.txt", driver: STEPS };
/// The hand-written SDK, up to version 2.
const HAND_WRITTEN: Kind =
    Kind::Python { package: "onelogin", beside: &[], pins: "constraints-classic.txt", driver: "classic.py" };
/// The stub of AWS verifies assertions with `signxml`. One of the tools finds its own version through a module of
/// `setuptools`.
const AWS_STUB: &[&str] = &["signxml", "setuptools"];

/// A step as its driver lists it.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) title: String,
}

pub(crate) enum Outcome {
    Good,
    Failed(String),
    /// The client cannot send or read this. The driver saw it fail.
    Known(String),
}

pub(crate) struct Run {
    pub(crate) outcomes: Vec<(String, Outcome)>,
    /// Why the run ended before its last step, if it did.
    pub(crate) broken: Option<String>,
}

/// The driver of an installed client: a program that takes our arguments and prints one JSON line per step.
pub(crate) struct Driver {
    program: PathBuf,
    arguments: Vec<PathBuf>,
    version: &'static str,
    reach: Reach,
}

impl Client {
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// The name by which `--only` selects a run of this client.
    pub(crate) fn run_name(&self, profile: &str) -> String {
        format!("{}/{profile}", self.version)
    }

    /// Whether this run also executes the Python of README.md, which uses the newest SDK and its profile.
    pub(crate) fn runs_readme(&self, profile: &str) -> bool {
        self.version == "4.0.1" && profile == "python4"
    }

    /// Whether its steps about messages also run against a server whose messages leave it.
    pub(crate) fn is_run_served(&self) -> bool {
        matches!(self.kind, Kind::Python { driver, .. } if driver == STEPS)
    }

    pub(crate) fn set_up(&self, arguments: &Arguments) -> Result<Driver> {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (program, script) = match self.kind {
            Kind::Python { package, beside, pins, driver } => {
                let pins = home.join("python").join(pins);
                let program = python_environment(arguments, home, (package, self.version), beside, &pins)?;
                (program, home.join("python").join(driver))
            }
            Kind::Npm { package, driver, compiled } => {
                let folder = npm_folder(arguments, home, package, self.version, compiled)?;
                // Node.js looks for packages in the script's folder, so copy the script to them.
                for file in ["harness.js", driver] {
                    fs::copy(home.join("node").join(file), folder.join(file))?;
                }
                (arguments.node.clone(), folder.join(driver))
            }
        };
        Ok(Driver { program, arguments: vec![script], version: self.version, reach: self.reach })
    }
}

impl Driver {
    /// The steps of a whole run. A run that leaves one out fails.
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

    /// Runs the Python of README.md.
    pub(crate) fn readme(&self, arguments: &Arguments, server: &Server) -> Result<()> {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(&self.program);
        command.arg(home.join("python/readme.py")).arg("--ready").arg(server.ready_file());
        command.arg("--readme").arg(home.join("../README.md"));
        process::must(&mut command, arguments.run_timeout).context("README.md's Python does not run")?;
        Ok(())
    }

    /// Runs the steps about messages against a `countersign serve` that sends them over gateways and a mail server.
    pub(crate) fn served(&self, arguments: &Arguments, folder: &Path, scope: &str, profile: &str) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/served.py"));
        command.arg("--binary").arg(&arguments.binary).arg("--folder").arg(folder);
        command.args(["--scope", scope, "--profile", profile, "--expect-version", self.version]);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        process::must(&mut command, arguments.run_timeout).context("messages do not leave a server and come back")?;
        Ok(())
    }

    pub(crate) fn run(
        &self,
        arguments: &Arguments,
        server: &Server,
        authority: Option<&Authority>,
        (credential, flows): (&Credential, &[(&str, Credential)]),
    ) -> Result<Run> {
        let mut command = self.command();
        if let Some(authority) = authority {
            authority.trust(&mut command);
            if self.reach == Reach::FixedName {
                command.arg("--authority").arg(authority.folder());
            }
        }
        command
            .arg("--ready")
            .arg(server.ready_file())
            .args(["--client-id", &credential.client_id])
            .args(["--client-secret", &credential.client_secret])
            .args(["--profile", &credential.profile])
            .args(["--expect-version", self.version]);
        for (steps, credential) in flows {
            command.arg("--flow").arg(format!("{steps}={}:{}", credential.client_id, credential.client_secret));
        }
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
        // A developer's own proxies and accounts must not affect the client.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        for (name, _) in std::env::vars_os() {
            if ["AWS_", "ONELOGIN_"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
                command.env_remove(name);
            }
        }
        command
    }
}

/// Creates the virtual environment of a client, unless one from the same pins exists. Returns its interpreter.
fn python_environment(
    arguments: &Arguments,
    home: &Path,
    (package, version): (&str, &str),
    beside: &[&str],
    pins: &Path,
) -> Result<PathBuf> {
    let wanted = format!("{package}=={version} {}\n{}", beside.join(" "), fs::read_to_string(pins)?);
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
            .arg(pins)
            .arg(format!("{package}=={version}"))
            .args(beside),
        arguments.setup_timeout,
    )?;
    fs::write(&stamp, wanted)?;
    Ok(program)
}

/// Installs an npm package into a separate folder, unless it is already there. Returns the folder.
///
/// A package that ships only sources is built with the compiler that its own `package.json` names.
fn npm_folder(arguments: &Arguments, home: &Path, package: &str, version: &str, compiled: bool) -> Result<PathBuf> {
    let folder = home.join("target").join(format!("npm-{version}"));
    let lock = home.join("node").join(format!("package-lock-{version}.json"));
    let pins = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let wanted = format!("{package}@{version}\n{pins}");
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let npm = |folder: &Path, arguments_of: &[&str]| {
        let mut command = Command::new(&arguments.npm);
        command.current_dir(folder).args(arguments_of).args(["--no-audit", "--no-fund", "--ignore-scripts"]);
        process::must(&mut command, arguments.setup_timeout)
    };
    fs::write(
        folder.join("package.json"),
        format!("{{\"private\":true,\"dependencies\":{{\"{package}\":\"{version}\"}}}}\n"),
    )?;
    if compiled {
        fs::write(folder.join("package-lock.json"), pins)?;
        npm(&folder, &["ci", "--silent"])?;
    } else {
        npm(&folder, &["install", "--silent"])?;
        let sources = folder.join("node_modules").join(package);
        fs::write(sources.join("package-lock.json"), pins)?;
        npm(&sources, &["ci", "--silent", "--include=dev"])?;
        let tsc = sources.join("node_modules/typescript/bin/tsc");
        process::must(Command::new(&arguments.node).arg(tsc).current_dir(&sources), arguments.setup_timeout)?;
    }
    fs::write(&stamp, wanted)?;
    Ok(folder)
}
