//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

const HELP: &str = "\
Runs unmodified OneLogin clients against a Countersign binary.

Usage: conformance --binary PATH [options]

  --binary PATH          the countersign binary (or COUNTERSIGN_BIN)
  --write FILE           put the matrix as tables between <!-- matrix --> and <!-- /matrix --> of FILE
  --only PREFIX          only runs whose `version/profile` begins with PREFIX, for instance 4.0.1/python4
  --step PREFIX          only steps that begin with PREFIX; include the steps that they depend on
  --python PATH          the Python that makes the virtual environments (python3)
  --node PATH            the Node.js that runs the npm clients (node)
  --npm PATH             the npm that installs them (npm)
  --setup-timeout SECS   for installing one client (900)
  --start-timeout SECS   for the server to become ready (30)
  --run-timeout SECS     for one run of one client (600)
  --keep                 keep the servers' folders and logs
  --help
";

pub(crate) struct Arguments {
    pub(crate) binary: PathBuf,
    pub(crate) write: Option<PathBuf>,
    pub(crate) only: Vec<String>,
    pub(crate) step: Vec<String>,
    pub(crate) python: PathBuf,
    pub(crate) node: PathBuf,
    pub(crate) npm: PathBuf,
    pub(crate) setup_timeout: Duration,
    pub(crate) start_timeout: Duration,
    pub(crate) run_timeout: Duration,
    pub(crate) keep: bool,
}

impl Arguments {
    /// Reads the arguments. `None` after `--help`, which it prints.
    pub(crate) fn read(given: impl Iterator<Item = OsString>) -> Result<Option<Self>> {
        let mut binary = std::env::var_os("COUNTERSIGN_BIN").map(PathBuf::from);
        let mut arguments = Self {
            binary: PathBuf::new(),
            write: None,
            only: Vec::new(),
            step: Vec::new(),
            python: PathBuf::from("python3"),
            node: PathBuf::from("node"),
            npm: PathBuf::from("npm"),
            setup_timeout: Duration::from_secs(900),
            start_timeout: Duration::from_secs(30),
            run_timeout: Duration::from_secs(600),
            keep: false,
        };
        let mut given = given;
        while let Some(flag) = given.next() {
            let flag = flag.to_string_lossy().into_owned();
            let mut value = || given.next().with_context(|| format!("{flag} needs a value"));
            match flag.as_str() {
                "--help" | "-h" => {
                    print!("{HELP}");
                    return Ok(None);
                }
                "--binary" => binary = Some(PathBuf::from(value()?)),
                "--write" => arguments.write = Some(PathBuf::from(value()?)),
                "--only" => arguments.only.push(text(value()?)?),
                "--step" => arguments.step.push(text(value()?)?),
                "--python" => arguments.python = PathBuf::from(value()?),
                "--node" => arguments.node = PathBuf::from(value()?),
                "--npm" => arguments.npm = PathBuf::from(value()?),
                "--setup-timeout" => arguments.setup_timeout = seconds(value()?)?,
                "--start-timeout" => arguments.start_timeout = seconds(value()?)?,
                "--run-timeout" => arguments.run_timeout = seconds(value()?)?,
                "--keep" => arguments.keep = true,
                _ => bail!("unknown argument {flag}; see --help"),
            }
        }
        let binary = binary.context("--binary PATH (or COUNTERSIGN_BIN) says which countersign to run")?;
        arguments.binary = binary.canonicalize().with_context(|| format!("no binary at {}", binary.display()))?;
        ensure!(
            arguments.write.is_none() || (arguments.only.is_empty() && arguments.step.is_empty()),
            "--write wants the whole matrix: leave out --only and --step"
        );
        Ok(Some(arguments))
    }

    /// Whether `--only` selects the run of this name, as `4.0.1/python4`.
    pub(crate) fn wants(&self, run: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|prefix| run.starts_with(prefix.as_str()))
    }
}

fn text(value: OsString) -> Result<String> {
    value.into_string().map_err(|value| anyhow::anyhow!("{} is not UTF-8", value.display()))
}

fn seconds(value: OsString) -> Result<Duration> {
    let value = text(value)?;
    let seconds: u64 = value.parse().with_context(|| format!("{value} is not a number of seconds"))?;
    ensure!(seconds > 0, "a timeout of 0 seconds runs nothing");
    Ok(Duration::from_secs(seconds))
}
