//! `countersign config`: what a server would run with, and where each value comes from.

use std::process::ExitCode;

use clap::Subcommand;
use config::{Config, FlagValues, SETTINGS, Values};
use serde_json::{Value, json};

use crate::cli::checks::{self, Findings};
use crate::cli::run::{ServeArgs, runtime};
use crate::terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigArgs {
    /// Check everything that a server needs to start, and change nothing
    Check {
        /// Fail on warnings as well
        #[arg(long)]
        strict: bool,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        serve: Box<ServeArgs>,
    },
    /// Show every setting in force
    Show {
        /// Show where each value comes from: a flag, a variable, the file, or the default
        #[arg(long)]
        origin: bool,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        serve: Box<ServeArgs>,
    },
    /// Print a configuration file with every setting, what it does, and its default
    Example,
}

impl ConfigArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check { strict, json, serve } => runtime(1)?.block_on(check(&serve.flags(), strict, json)),
            Self::Show { origin, json, serve } => show(&serve.flags(), origin, json),
            Self::Example => {
                terminal::say(&config::example());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// Checks everything a server needs for its start and prints every fault. A warning fails only a `strict` check. Changes
/// nothing.
async fn check(flags: &FlagValues, strict: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut found = Findings::default();
    match Config::load(flags) {
        Ok(config) => checks::all(&config, &mut found).await,
        Err(error) => found.faults.push(format!("{error:#}")),
    }
    found.warnings.extend(config::unknown_variables());
    let Findings { faults, warnings, schema } = found;
    if as_json {
        let schema = schema.map(|(from, to)| json!({ "from": from, "to": to }));
        let said = json!({ "usable": faults.is_empty(), "faults": faults, "warnings": warnings, "migration": schema });
        terminal::say(&said.to_string());
    } else {
        for fault in &faults {
            terminal::failed(&format!("countersign: {fault}"));
        }
        for warning in &warnings {
            terminal::remark(&format!("countersign: {warning}"));
        }
        if let Some((from, to)) = schema {
            terminal::say(&format!("The next start brings the schema from version {from} to {to}."));
        }
        let number = match warnings.len() {
            0 => String::new(),
            1 => "1 warning. ".to_owned(),
            many => format!("{many} warnings. "),
        };
        let verdict = if faults.is_empty() {
            "The configuration can be used."
        } else {
            "A server would not start with this configuration."
        };
        terminal::say(&format!("{number}{verdict}"));
    }
    let passed = faults.is_empty() && (warnings.is_empty() || !strict);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints every setting in force.
fn show(flags: &FlagValues, origin: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let values = Values::gather(flags)?;
    let config = Config::of(&values)?;
    let mut rows = Vec::new();
    let mut members = serde_json::Map::new();
    for setting in SETTINGS.iter() {
        let key = setting.row.key;
        let (value, from) = (json!(config.shown(setting, &values)), values.of(key).1.to_string());
        let text = match &value {
            Value::Null => "–".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut row = vec![key.to_owned(), text];
        let member = if origin {
            row.push(from.clone());
            json!({ "value": value, "origin": from })
        } else {
            value
        };
        rows.push(row);
        members.insert(key.to_owned(), member);
    }
    if as_json {
        terminal::say(&Value::Object(members).to_string());
    } else {
        let header: &[&str] = if origin { &["setting", "value", "from"] } else { &["setting", "value"] };
        terminal::say(&terminal::table(header, &rows, true));
    }
    Ok(ExitCode::SUCCESS)
}
