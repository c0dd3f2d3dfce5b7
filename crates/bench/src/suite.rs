//! `cargo xtask bench`: all targets of the table in one run, one file of `rows` for each. A run fails on a wrong answer or
//! on a bench that cannot run. A slow result is only a line of the table.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::builder::PossibleValuesParser;
use xtask::places::{BuildProfile, Workspace};
use xtask::terminal;

use crate::clock;
use crate::fixture::{Fixture, Size};
use crate::machine;
use crate::open_files;
use crate::report::{Report, table};
use crate::row::Finding;
use crate::rows::BENCHES;

/// The published page.
const PAGE: &str = "docs/internals/benchmarks.md";
/// The size of `--five-million`.
const MILLIONS: usize = 5_000_000;

/// The chore's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// For CI: seconds for each row, about right answers only; nothing is written
    #[arg(long, conflicts_with_all = ["seconds", "pairs", "five_million"])]
    quick: bool,
    /// For the gate: do not compile this program with optimisation; right answers do not need it
    #[arg(long, hide = true, requires = "quick")]
    as_built: bool,
    /// These rows alone; nothing is written unless --write says where
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', value_parser = PossibleValuesParser::new(BENCHES.iter().map(|bench| bench.name)))]
    only: Vec<String>,
    /// Also what needs an installation with 5,000,000 devices
    #[arg(long)]
    five_million: bool,
    /// Keep imported installations here, and use those of an earlier run
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Seconds of one window
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Windows of each side, in alternation
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// Where to write the page [default: docs/internals/benchmarks.md, for a run of all rows]
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    write: Option<PathBuf>,
    /// A binary that exists already
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

impl Args {
    fn size(&self) -> Result<Size> {
        if self.quick {
            return Ok(Size {
                is_quick: true,
                pairs: 1,
                window: Duration::from_millis(400),
                few: 1_000,
                many: 2_000,
                millions: Some(4_000),
                checked: 100,
                crowd: (400, 40),
            });
        }
        ensure!(self.pairs > 0, "nothing to do");
        Ok(Size {
            is_quick: false,
            pairs: self.pairs,
            window: Duration::try_from_secs_f64(self.seconds)?,
            few: 10_000,
            many: 100_000,
            millions: self.five_million.then_some(MILLIONS),
            checked: 2_000,
            crowd: (10_000, 1_000),
        })
    }

    /// The command that repeats this run, without local paths.
    fn command(&self) -> String {
        let mut words = vec!["cargo xtask bench".to_owned()];
        if !self.only.is_empty() {
            words.push(format!("--only {}", self.only.join(",")));
        }
        if self.five_million {
            words.push("--five-million".to_owned());
        }
        words.push(format!("--pairs {} --seconds {}", self.pairs, self.seconds));
        words.join(" ")
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let size = args.size()?;
    let places = Workspace::find()?;
    let (open_files, before) = open_files::raise()?;
    let binary = places.server_or(args.binary.as_deref(), BuildProfile::Release)?;
    // On the disk that builds use, since a file system in memory would make every sync free.
    let ground = tempfile::Builder::new().prefix("bench-").tempdir_in(&places.target)?;
    let machine = machine::described(ground.path(), &binary)?;
    let mut fixture = Fixture::new(binary, size, ground, args.keep.clone(), open_files)?;
    if let Some(before) = before {
        fixture.setting(&format!(
            "RAISED: open files, from {before} to {open_files}, for the servers and the load program."
        ));
    }
    let (findings, mut failures) = run_all(&mut fixture, &args.only);

    terminal::say(&format!("\n{}", table(findings.iter().flat_map(|finding| &finding.rows))));
    let results = &fixture.runner.results;
    let checked = (results.done + results.refused, results.violations.len());
    terminal::say(&format!("{} answers were checked; {} were wrong.", checked.0, checked.1));
    for violation in results.violations.iter().take(10) {
        terminal::say(&format!("VIOLATION {violation}"));
    }
    if checked.1 > 0 {
        failures.push(format!("{} violations", checked.1));
    }
    let whole = !args.quick && args.only.is_empty() && failures.is_empty();
    if let Some(path) = args.write.clone().or_else(|| whole.then(|| places.root.join(PAGE))) {
        let (settings, command) = (&fixture.settings, args.command());
        let (pairs, window) = (fixture.size.pairs, fixture.size.window);
        let report =
            Report { findings: &findings, machine: &machine, settings, command: &command, pairs, window, checked };
        std::fs::write(&path, report.page()).with_context(|| format!("cannot write {}", path.display()))?;
        terminal::say(&format!("Written to {}.", path.display()));
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    Ok(())
}

/// Runs the requested benches. If one fails, the others still run.
fn run_all(fixture: &mut Fixture, only: &[String]) -> (Vec<Finding>, Vec<String>) {
    let (mut findings, mut failures) = (Vec::new(), Vec::new());
    for bench in BENCHES.iter().filter(|bench| only.is_empty() || only.iter().any(|name| name == bench.name)) {
        terminal::say(&format!("\n==> {}", bench.name));
        let began = clock::now();
        match (bench.run)(fixture) {
            Ok(finding) => {
                terminal::say(&finding.raw.join("\n"));
                for row in &finding.rows {
                    let [what, measured, hold, aim, verdict, cost] = row.cells();
                    let cost = if cost.is_empty() { cost } else { format!("; CPU + wait {cost} µs") };
                    terminal::say(&format!("{what}: {measured}; hold {hold}, aim {aim}: {verdict}{cost}"));
                }
                findings.push(finding);
            }
            Err(error) => {
                terminal::say(&format!("FAILED {error:#}"));
                failures.push(format!("{} failed: {error:#}", bench.name));
            }
        }
        terminal::say(&format!("<== {}: {:.1} s", bench.name, began.elapsed().as_secs_f64()));
    }
    (findings, failures)
}
