//! `countersign config`: what a server would run with, and where each value comes from.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use config::{Config, FlagValues, SETTINGS, Values};
use domain::model::time::DAY;
use serde_json::{Value, json};

use crate::cli::run::{ServeArgs, runtime};
use crate::installation::{self, data_dir, disk};
use crate::{admin, terminal};

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

/// The result of a check.
#[derive(Debug, Default)]
struct Findings {
    /// Causes for which a start would fail.
    faults: Vec<String>,
    /// What deserves a look, and does not prevent a start.
    warnings: Vec<String>,
    /// The versions of the schema between which the next start migrates.
    schema: Option<(i64, i64)>,
}

impl Findings {
    fn judge(&mut self, judged: anyhow::Result<()>) -> bool {
        let sound = judged.is_ok();
        self.faults.extend(judged.err().map(|error| format!("{error:#}")));
        sound
    }
}

/// Checks everything a server needs for its start and prints every fault. A warning fails only a `strict` check. Changes
/// nothing.
async fn check(flags: &FlagValues, strict: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut found = Findings::default();
    match Config::load(flags) {
        Ok(config) => look(&config, &mut found).await,
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

async fn look(config: &Config, found: &mut Findings) {
    found.warnings.extend(config.notes.iter().cloned());
    found.judge(config.check_listen());
    found.judge(config.delivery.check());
    found.judge(installation::words_of(config).map(drop));
    found.judge(installation::providers::configured(config).map(drop));
    certificates(config, found);
    let caller = delivery::webhook::Caller::new(config.webhooks.ca_file.as_deref());
    found.judge(caller.map(drop).context("webhooks.ca_file"));
    if config.admin.listen.is_some() {
        found.judge(admin::Readers::configured(config).map(drop));
    }
    if let Some(parent) =
        config.listen.ready_file.as_ref().and_then(|file| file.parent()).filter(|p| !p.as_os_str().is_empty())
    {
        let whole = if parent.is_dir() { Ok(()) } else { Err(format!("{} is no folder", parent.display())) };
        let judged = whole.and_then(|()| disk::check(parent, "--ready-file"));
        found.judge(judged.map_err(anyhow::Error::msg).context("ready_file"));
    }
    found.warnings.extend(disk::little_room(&config.storage.data_dir));
    // A fault of the folder is a fault of the database in it.
    if !found.judge(data_dir::check(&config.storage.data_dir)) && config.storage.database.postgres().is_none() {
        return;
    }
    match installation::look(config).await {
        Ok(looked) => {
            found.judge(installation::serves(&looked));
            let ends = looked.pending.first().zip(looked.pending.last()).filter(|_| looked.is_sealed());
            found.schema = ends.map(|(first, last)| (first.version - 1, last.version));
            found.judge(installation::master_key::check(config, looked.key_check));
        }
        Err(error) => found.faults.push(format!("{error:#}")),
    }
}

/// Days before the end of a certificate at which warnings begin.
const LAST_DAYS: i64 = 14;

fn certificates(config: &Config, found: &mut Findings) {
    let seen = match web::tls::look(&config.tls.certificates) {
        Ok(seen) => seen,
        Err(error) => {
            let error = anyhow::Error::new(error).context("TLS cannot be served with these certificates");
            return found.faults.push(format!("{error:#}"));
        }
    };
    let now = engine::Clock::now(&engine::clock::SystemClock).0;
    for (file, ends) in seen.iter().filter_map(|seen| Some((seen.chain.display(), seen.ends?))) {
        let day = onelogin::wire_time::with_seconds(ends);
        if ends <= now {
            found.warnings.push(format!("the certificate in {file} ended at {day}: clients refuse it"));
        } else if ends <= now + LAST_DAYS * DAY {
            found.warnings.push(format!("the certificate in {file} ends at {day}"));
        }
    }
    let host =
        config.account.public_url.as_ref().and_then(|url| url::Url::parse(url).ok()?.host_str().map(str::to_owned));
    if let Some(host) = host.filter(|host| !seen.is_empty() && !seen.iter().any(|seen| seen.is_for(host))) {
        found.warnings.push(format!("no certificate is for {host}, the host of public_url"));
    }
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
