//! `countersign config`: what a server would run with, and where each value comes from.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use web::tls::Certificates;

use crate::config::{self, Config, Given};
use crate::database::Database;
use crate::terminal;

/// A setting.
struct Setting {
    /// Its key in the file; tables are joined by dots.
    key: &'static str,
    /// Its variable, where there is one. Its flag has the same name.
    variable: Option<&'static str>,
    /// Whether a flag or the variable gave it.
    given: bool,
    /// The value in force. Never a secret: passwords in addresses are left out.
    value: Value,
}

/// Reads all that a server would read before it starts.
pub(crate) fn check(given: Given) -> anyhow::Result<ExitCode> {
    let config = Config::load(given)?;
    config.judge_listen()?;
    if !config.certificates.is_empty() {
        Certificates::load(config.certificates.clone()).context("TLS cannot be served with these certificates")?;
    }
    delivery::webhook::Caller::new(config.webhooks.ca_file.as_deref()).context("webhooks.ca_file")?;
    if let Some(file) = &config.master_key_file
        && !file.exists()
    {
        bail!("master_key_file names {}, which is not there", file.display());
    }
    let unknown = config::unknown_variables();
    for (name, nearest) in &unknown {
        terminal::remark(&format!("countersign: {name} is not a variable I know; did you mean {nearest}?"));
    }
    terminal::say(if unknown.is_empty() {
        "The configuration is sound."
    } else {
        "The configuration is sound but for that."
    });
    Ok(if unknown.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows every setting in force.
pub(crate) fn show(given: &Given, origin: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let in_file = match &given.config {
        Some(path) => keys(&std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?)?,
        None => Vec::new(),
    };
    let config = Config::load(given.clone())?;
    let mut rows = Vec::new();
    let mut members = serde_json::Map::new();
    for setting in settings(&config, given) {
        let from = setting.origin(&in_file);
        let shown = match &setting.value {
            Value::Null => "–".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut row = vec![setting.key.to_owned(), shown];
        let member = if origin {
            row.push(from.clone());
            json!({ "value": setting.value, "origin": from })
        } else {
            setting.value
        };
        rows.push(row);
        members.insert(setting.key.to_owned(), member);
    }
    if as_json {
        terminal::say(&Value::Object(members).to_string());
    } else {
        let header: &[&str] = if origin { &["setting", "value", "from"] } else { &["setting", "value"] };
        terminal::say(&terminal::table(header, &rows));
    }
    Ok(ExitCode::SUCCESS)
}

impl Setting {
    fn origin(&self, in_file: &[String]) -> String {
        let variable = self
            .variable
            .filter(|name| std::env::var_os(name).is_some() || std::env::var_os(format!("{name}_FILE")).is_some());
        let in_file = in_file.iter().any(|key| key == self.key);
        match variable {
            // Only this one is not the command line's to merge, since it is a secret.
            Some(name) if self.given || name == "COUNTERSIGN_DATABASE_URL" => format!("variable {name}"),
            _ if self.given => format!("flag --{}", self.flag()),
            _ if in_file => "file".to_owned(),
            _ => "default".to_owned(),
        }
    }

    /// The flag's name: the key's, in the singular, since it is given once for each value.
    fn flag(&self) -> String {
        let singular = match self.key {
            "trusted_proxies" => "trusted_proxy",
            "tls_cert_files" => "tls_cert_file",
            "tls_key_files" => "tls_key_file",
            key => key,
        };
        singular.replace('_', "-")
    }
}

/// The keys that a file sets, those of its tables with the table's name before them.
fn keys(text: &str) -> anyhow::Result<Vec<String>> {
    let table: toml::Table = toml::from_str(text).context("the configuration file is no TOML")?;
    let mut keys = Vec::new();
    for (name, value) in &table {
        match value {
            toml::Value::Table(inner) => keys.extend(inner.keys().map(|key| format!("{name}.{key}"))),
            _ => keys.push(name.clone()),
        }
    }
    Ok(keys)
}

fn settings(config: &Config, given: &Given) -> Vec<Setting> {
    let row = |key, variable, given, value| Setting { key, variable, given, value };
    let only_file = |key, value| Setting { key, variable: None, given: false, value };
    let paths = |of: fn(&web::tls::CertificateFiles) -> &std::path::PathBuf| {
        config.certificates.iter().map(|pair| of(pair).display().to_string()).collect::<Vec<_>>()
    };
    let database = match &config.database {
        Database::Sqlite => Value::Null,
        Database::Postgres(postgres) => json!(postgres.shown()),
    };
    let options = &config.options;
    vec![
        row("listen", Some("COUNTERSIGN_LISTEN"), given.listen.is_some(), json!(config.listen)),
        row("admin_listen", Some("COUNTERSIGN_ADMIN_LISTEN"), given.admin_listen.is_some(), json!(config.admin_listen)),
        row("data_dir", Some("COUNTERSIGN_DATA_DIR"), given.data_dir.is_some(), json!(config.data_dir)),
        row("database_url", Some("COUNTERSIGN_DATABASE_URL"), given.database_url.is_some(), database),
        row(
            "database_ca_file",
            Some("COUNTERSIGN_DATABASE_CA_FILE"),
            given.database_ca_file.is_some(),
            json!(given.database_ca_file),
        ),
        row("public_url", Some("COUNTERSIGN_PUBLIC_URL"), given.public_url.is_some(), json!(config.public_url)),
        only_file("subdomain", json!(config.subdomain)),
        only_file("account_id", json!(config.account_id)),
        only_file("master_key_file", json!(config.master_key_file)),
        row(
            "tls_cert_files",
            Some("COUNTERSIGN_TLS_CERT_FILE"),
            !given.tls_cert_files.is_empty(),
            json!(paths(|pair| &pair.chain)),
        ),
        row(
            "tls_key_files",
            Some("COUNTERSIGN_TLS_KEY_FILE"),
            !given.tls_key_files.is_empty(),
            json!(paths(|pair| &pair.key)),
        ),
        row(
            "trusted_proxies",
            Some("COUNTERSIGN_TRUSTED_PROXY"),
            !given.trusted_proxies.is_empty(),
            json!(options.trusted_proxies),
        ),
        row("insecure_http", Some("COUNTERSIGN_INSECURE_HTTP"), given.insecure_http, json!(config.insecure_http)),
        only_file("auth.strict_v1_scopes", json!(options.strict_v1_scopes)),
        only_file("auth.strict_v2_scopes", json!(options.strict_v2_scopes)),
        only_file("compat.v2_wrong_otp", json!(if options.v2_wrong_otp_200 { 200 } else { 401 })),
        only_file("login.mfa", json!(config.sign_in.mfa)),
        only_file("login.state_token_seconds", json!(config.sign_in.ttl / domain::time::SECOND)),
        only_file("login.remember_browser_days", json!(config.sign_in.remember_days)),
        only_file("login.trusted_networks", json!(networks(config))),
        only_file("login.accept_any_subdomain", json!(options.accept_any_subdomain)),
        only_file("login.redirect_origins", json!(options.redirect_origins)),
        only_file("limits.calls_per_hour", json!(options.hourly_quota)),
        only_file("limits.bursts", json!(options.burst_limit)),
        only_file("limits.calls_per_second", json!(options.call_rate.per_second)),
        only_file("limits.calls_burst", json!(options.call_rate.burst)),
        only_file("limits.message_interval_seconds", json!(config.sends.device_interval / domain::time::SECOND)),
        only_file("limits.messages_per_device", json!(config.sends.device_per_ten_minutes)),
        only_file("limits.messages_per_target", json!(config.sends.target_per_day)),
        only_file("limits.messages_per_block", json!(config.sends.block_per_hour)),
        only_file("limits.messages_per_client", json!(config.sends.client_per_day)),
        only_file("limits.messages_per_server", json!(config.sends.server_per_day)),
        only_file("limits.connections", json!(config.limits.connections)),
        only_file("limits.connections_per_peer", json!(config.limits.per_peer)),
        only_file("limits.threads", json!(config.threads)),
        only_file("webhooks.allow_private", json!(config.webhooks.allow_private)),
        only_file("webhooks.ca_file", json!(config.webhooks.ca_file)),
    ]
}

fn networks(config: &Config) -> Vec<String> {
    config.trusted_networks.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_origin() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("countersign.toml");
        std::fs::write(&path, "subdomain = 'acme'\n[login]\nmfa = 'required'").unwrap();
        let given = Given {
            config: Some(path.clone()),
            listen: Some("127.0.0.1:1".parse().unwrap()),
            database_url: Some("postgres://ana:secret@db/mfa".to_owned()),
            ..Given::default()
        };
        let in_file = keys(&std::fs::read_to_string(path).unwrap()).unwrap();
        let config = Config::load(given.clone()).unwrap();
        let all = settings(&config, &given);
        let of = |key: &str| {
            let setting = all.iter().find(|setting| setting.key == key).unwrap();
            (setting.value.clone(), setting.origin(&in_file))
        };
        assert_eq!(of("listen"), (json!("127.0.0.1:1"), "flag --listen".to_owned()));
        assert_eq!(of("subdomain"), (json!("acme"), "file".to_owned()));
        assert_eq!(of("login.mfa"), (json!("required"), "file".to_owned()));
        assert_eq!(of("account_id"), (json!(1), "default".to_owned()));
        assert_eq!(of("database_url").0, json!("postgres://ana@db/mfa"), "no password is shown");
    }

    /// Every key that a file may hold is a setting, and every setting is a key.
    #[test]
    fn every_key_is_shown() {
        let all = settings(&Config::load(Given::default()).unwrap(), &Given::default());
        let refused = toml::from_str::<config::File>("nonsense = 1").unwrap_err().to_string();
        let known = refused.split("expected one of").nth(1).unwrap_or_default();
        let names: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        assert!(names.len() > 10, "{refused}");
        let in_limits = toml::from_str::<config::File>("limits.nonsense = 1").unwrap_err().to_string();
        let in_limits = in_limits.split("expected one of").nth(1).unwrap_or_default();
        for name in in_limits.split('`').skip(1).step_by(2) {
            assert!(all.iter().any(|setting| setting.key == format!("limits.{name}")), "{name}");
        }
        for name in names {
            let shown = all.iter().any(|setting| setting.key == name || setting.key.starts_with(&format!("{name}.")));
            assert!(shown, "{name}");
        }
    }
}
