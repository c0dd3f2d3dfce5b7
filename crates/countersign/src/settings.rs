//! `countersign config`: what a server would run with, where each value comes from, and what could be written.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use domain::model::time::DAY;
use serde_json::{Value, json};

use crate::config::setting::{Kind, SETTINGS, Setting};
use crate::config::{self, Config, FlagValues, Values};
use crate::database::Database;
use crate::installation::{self, data_dir, disk};
use crate::{admin, terminal};

/// What a check has found.
#[derive(Debug, Default)]
struct Findings {
    /// What would stop the start.
    faults: Vec<String>,
    /// What would not, and is doubtful.
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

/// Looks at all that a server needs for its start, and says all that is wrong with it. What is only doubtful warns, and
/// fails a `strict` check. Changes nothing.
pub(crate) async fn check(given: &FlagValues, strict: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut found = Findings::default();
    match Config::load(given) {
        Ok(config) => look(&config, &mut found).await,
        Err(error) => found.faults.push(format!("{error:#}")),
    }
    found.warnings.extend(unknown_variables());
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
    found.judge(config.judge_listen());
    certificates(config, found);
    let caller = delivery::webhook::Caller::new(config.webhooks.ca_file.as_deref());
    found.judge(caller.map(drop).context("webhooks.ca_file"));
    if config.admin_listen.is_some() {
        found.judge(admin::Readers::configured(config).map(drop));
    }
    if let Some(parent) =
        config.ready_file.as_ref().and_then(|file| file.parent()).filter(|p| !p.as_os_str().is_empty())
    {
        let whole = if parent.is_dir() { Ok(()) } else { Err(format!("{} is no folder", parent.display())) };
        let judged = whole.and_then(|()| disk::check(parent, "--ready-file"));
        found.judge(judged.map_err(anyhow::Error::msg).context("ready_file"));
    }
    found.warnings.extend(disk::little_room(&config.data_dir));
    // A database in a folder that cannot be used has been told of.
    if !found.judge(data_dir::check(&config.data_dir)) && config.database.postgres().is_none() {
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

/// Days before the end of a certificate from which on it is warned of.
const LAST_DAYS: i64 = 14;

fn certificates(config: &Config, found: &mut Findings) {
    let seen = match web::tls::look(&config.certificates) {
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
    let host = config.public_url.as_ref().and_then(|url| url::Url::parse(url).ok()?.host_str().map(str::to_owned));
    if let Some(host) = host.filter(|host| !seen.is_empty() && !seen.iter().any(|seen| seen.is_for(host))) {
        found.warnings.push(format!("no certificate is for {host}, the host of public_url"));
    }
}

/// A sentence for each variable that looks like ours and is not.
pub(crate) fn unknown_variables() -> Vec<String> {
    let unknown = config::unknown_variables().into_iter();
    unknown
        .map(|(name, near)| match near {
            Some(near) => format!("unknown variable {name} (did you mean {near}?)"),
            None => format!("unknown variable {name}"),
        })
        .collect()
}

/// The keys whose values have changed since a server started, read as it read them.
pub(crate) fn changed(given: &FlagValues, before: &Values) -> anyhow::Result<Vec<&'static str>> {
    let now = Values::gather(given, &config::variable)?;
    Config::of(&now)?;
    let differs = |setting: &&Setting| before.of(setting.key).0 != now.of(setting.key).0;
    Ok(SETTINGS.iter().filter(differs).map(|setting| setting.key).collect())
}

/// Shows every setting in force.
pub(crate) fn show(given: &FlagValues, origin: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let values = Values::gather(given, &config::variable)?;
    let config = Config::of(&values)?;
    let mut rows = Vec::new();
    let mut members = serde_json::Map::new();
    for setting in SETTINGS {
        let (value, from) = (shown(setting, &values, &config), values.of(setting.key).1.to_string());
        let text = match &value {
            Value::Null => "–".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut row = vec![setting.key.to_owned(), text];
        let member = if origin {
            row.push(from.clone());
            json!({ "value": value, "origin": from })
        } else {
            value
        };
        rows.push(row);
        members.insert(setting.key.to_owned(), member);
    }
    if as_json {
        terminal::say(&Value::Object(members).to_string());
    } else {
        let header: &[&str] = if origin { &["setting", "value", "from"] } else { &["setting", "value"] };
        terminal::say(&terminal::table(header, &rows, true));
    }
    Ok(ExitCode::SUCCESS)
}

/// The value in force. Never a secret: passwords in addresses are left out.
fn shown(setting: &Setting, values: &Values, config: &Config) -> Value {
    match (setting.kind, setting.key) {
        (Kind::Secret, _) => match &config.database {
            Database::Sqlite => Value::Null,
            Database::Postgres(postgres) => json!(postgres.shown()),
        },
        (_, "data_dir") => json!(config.data_dir),
        (_, "issuer") => json!(config.issuer()),
        _ => json!(values.of(setting.key).0),
    }
}

/// Prints a configuration file with every setting, its default, and what it does.
pub(crate) fn example() -> ExitCode {
    terminal::say(&file());
    ExitCode::SUCCESS
}

/// The example, with every line that sets something behind `#`.
fn file() -> String {
    let mut text = "# Countersign's settings. Each has the same name as a flag and as a variable, as --login-mfa and\n\
                    # COUNTERSIGN_LOGIN_MFA for `mfa` under [login]. A flag beats a variable, a variable beats this file.\n"
        .to_owned();
    let mut under = None;
    for setting in SETTINGS {
        let (table, key) = setting.table();
        if table != under {
            let _ = write!(text, "\n[{}]\n", table.unwrap_or_default());
            under = table;
        }
        text.push('\n');
        for line in wrapped(setting.about) {
            let _ = writeln!(text, "# {line}");
        }
        let value = match ((setting.default)(), setting.example) {
            (Some(value), "") => value.to_string(),
            (_, example) => example.to_owned(),
        };
        let _ = writeln!(text, "# {} --{}", setting.variable(), setting.flag());
        let _ = writeln!(text, "#{key} = {value}");
    }
    text
}

/// Lines of at most 90 letters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 90 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the environment may fail")]
    fn nothing(_: &str) -> anyhow::Result<Option<String>> {
        Ok(None)
    }

    #[test]
    fn a_value_has_one_origin() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("countersign.toml");
        std::fs::write(&path, "subdomain = 'acme'\n[login]\nmfa = 'required'").unwrap();
        let given = FlagValues { config: Some(path), ..FlagValues::default() }
            .with("listen", ["127.0.0.1:1"])
            .with("database_url", ["postgres://ana:secret@db/mfa"]);
        let environment = |name: &str| Ok((name == "COUNTERSIGN_LIMITS_THREADS").then(|| "2".to_owned()));
        let values = Values::gather(&given, &environment).unwrap();
        let config = Config::of(&values).unwrap();
        let of = |key: &str| {
            let setting = Setting::of(key).unwrap();
            (shown(setting, &values, &config), values.of(key).1.to_string())
        };
        assert_eq!(of("listen"), (json!("127.0.0.1:1"), "flag --listen".to_owned()));
        assert_eq!(of("limits.threads"), (json!(2), "variable COUNTERSIGN_LIMITS_THREADS".to_owned()));
        assert_eq!(of("subdomain"), (json!("acme"), "file".to_owned()));
        assert_eq!(of("issuer"), (json!("acme"), "default".to_owned()));
        assert_eq!(of("login.mfa"), (json!("required"), "file".to_owned()));
        assert_eq!(of("account_id"), (json!(1), "default".to_owned()));
        assert_eq!(of("database_url").0, json!("postgres://ana@db/mfa"), "no password is shown");
    }

    #[test]
    fn one_name_everywhere() {
        for setting in SETTINGS {
            let variable = setting.variable().strip_prefix("COUNTERSIGN_").unwrap().to_ascii_lowercase();
            assert_eq!(variable, setting.flag().replace('-', "_"));
            assert_eq!(variable, setting.key.replace('.', "_"));
        }
        // The example sets every one of them, and a server takes what it says.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("countersign.toml");
        let text: String = file()
            .lines()
            .map(|line| {
                line.strip_prefix('#').filter(|rest| rest.contains(" = ") && !rest.starts_with(' ')).unwrap_or(line)
            })
            .fold(String::new(), |text, line| text + line + "\n");
        std::fs::write(&path, text).unwrap();
        let given = FlagValues { config: Some(path), ..FlagValues::default() };
        let values = Values::gather(&given, &nothing).unwrap();
        for setting in SETTINGS {
            let (value, origin) = values.of(setting.key);
            assert!(value.is_some() && origin.to_string() == "file", "{}", setting.key);
        }
        Config::of(&values).unwrap();
        // Every setting is a flag of `serve`, and what commands need is a flag of commands.
        let cli = crate::cli::Cli::command();
        let command = |path: &[&str]| {
            path.iter().fold(cli.clone(), |command, name| command.find_subcommand(name).unwrap().clone())
        };
        for setting in SETTINGS {
            let has = |path: &[&str]| command(path).get_arguments().any(|arg| arg.get_long() == Some(setting.flag()));
            assert!(has(&["serve"]) && has(&["dev"]), "{}", setting.key);
            assert_eq!(has(&["user", "list"]), setting.place, "{}", setting.key);
        }
    }

    #[test]
    fn an_old_name_goes_on_working_with_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("countersign.toml");
        std::fs::write(&path, "trusted_proxies = ['10.0.0.1']\ntls_cert_files = []").unwrap();
        let given = FlagValues { config: Some(path.clone()), ..FlagValues::default() };
        let config = Config::of(&Values::gather(&given, &nothing).unwrap()).unwrap();
        assert_eq!(config.options.trusted_proxies.len(), 1);
        assert!(config.notes[0].contains("trusted_proxy now") || config.notes[1].contains("trusted_proxy now"));
        std::fs::write(&path, "trusted_proxies = ['10.0.0.1']\ntrusted_proxy = []").unwrap();
        assert!(Values::gather(&given, &nothing).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn kubernetes_variables_are_no_mistake() {
        // A service of our name puts these into every pod, and one of `countersign-admin` the last two.
        let put = [
            "COUNTERSIGN_PORT",
            "COUNTERSIGN_PORT_8080_TCP",
            "COUNTERSIGN_PORT_8080_TCP_ADDR",
            "COUNTERSIGN_PORT_8080_TCP_PORT",
            "COUNTERSIGN_PORT_8080_TCP_PROTO",
            "COUNTERSIGN_SERVICE_HOST",
            "COUNTERSIGN_SERVICE_PORT",
            "COUNTERSIGN_SERVICE_PORT_HTTP",
            "COUNTERSIGN_ADMIN_SERVICE_HOST",
            "COUNTERSIGN_ADMIN_PORT_9090_TCP",
        ];
        assert_eq!(config::unknown(put.iter().map(|name| (*name).to_owned())), []);
        let mistaken = config::unknown(["COUNTERSIGN_LISTN".to_owned()].into_iter());
        assert_eq!(mistaken, [("COUNTERSIGN_LISTN".to_owned(), Some("COUNTERSIGN_LISTEN"))]);
    }
}
