//! The banners: where a started server listens, what works, and what to do next.

use std::fmt::Write as _;
use std::path::PathBuf;

use config::Database;
use domain::{FactorKind, MfaPolicy};
use engine::Engine;
use serde_json::{Value, json};
use store::{Page, UserFilter};

use crate::installation::data_dir::DataDir;

/// The issuer that authenticator apps show by default.
pub(crate) const BUILT_IN_ISSUER: &str = "countersign";

/// The addresses of a server.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The address on which it listens.
    pub(crate) listens: String,
    /// The address that callers use, if it is another.
    pub(crate) public: Option<String>,
    /// The address of the admin listener: metrics and health.
    pub(crate) admin: Option<String>,
    /// The configuration file.
    pub(crate) config: Option<PathBuf>,
}

impl Places {
    /// The part of the ready file that names them.
    pub(crate) fn ready(&self) -> Value {
        let mut ready = json!({ "base_url": self.listens });
        let others = [("public_url", &self.public), ("admin_url", &self.admin)];
        for (name, url) in others.into_iter().filter_map(|(name, url)| Some((name, url.as_ref()?))) {
            ready[name] = json!(url);
        }
        ready
    }
}

/// The banner of `countersign serve`.
pub(crate) async fn serve(engine: &Engine, places: &Places, folder: &DataDir, database: &Database) -> String {
    let data = folder.root().display();
    let Places { listens, public, admin, .. } = places;
    let reached = public.as_ref().unwrap_or(listens);
    let mut text = format!("\nCountersign {} is answering at {reached}\n\n", env!("CARGO_PKG_VERSION"));
    if reached != listens {
        let _ = writeln!(text, "  Listens  {listens}");
    }
    let _ = writeln!(text, "  API      {reached}/auth/oauth2/v2/token, /api/1, /api/2");
    let _ = writeln!(text, "  To read  {reached}/docs, {reached}/openapi.json");
    let _ = writeln!(text, "  Health   {listens}/livez, {listens}/readyz");
    let metrics =
        admin.as_ref().map_or_else(|| "not offered (--admin-listen)".to_owned(), |url| format!("{url}/metrics"));
    let _ = writeln!(text, "  Metrics  {metrics}");
    let _ = writeln!(text, "  Data     {data}");
    let _ = writeln!(text, "  Database {}", database_name(database));
    let offered = &engine.settings().policy.factors;
    let names = |works: bool| {
        let listed: Vec<&str> =
            FactorKind::ALL.iter().filter(|kind| offered.contains(kind) == works).map(|kind| name(*kind)).collect();
        listed.join(", ")
    };
    let _ = writeln!(text, "  Factors  {}, temporary MFA tokens", names(true));
    let missing = names(false);
    if !missing.is_empty() {
        let _ = writeln!(text, "  Without a provider, and so not offered: {missing}");
    }
    if !offered.contains(&FactorKind::Push) {
        let _ = writeln!(
            text,
            "  Push needs a public_url that begins with https://: browsers take prompts for no other page"
        );
    }
    let issuer = &engine.settings().policy.issuer;
    if issuer == BUILT_IN_ISSUER {
        let _ = writeln!(
            text,
            "  WARNING  people see \"{issuer}\" in their authenticator app, and an app keeps the name it was enrolled with:\n           choose yours now, with --issuer NAME (COUNTERSIGN_ISSUER, `issuer` in the file)"
        );
    }
    if engine.settings().policy.countries.is_empty() {
        let _ = writeln!(text, "  Text messages and calls also need messages.countries, which lists no country yet");
    }
    if engine.settings().private_webhooks {
        let _ = writeln!(
            text,
            "  WARNING  webhooks may reach this machine's own network ([webhooks] allow_private): anyone who can create a webhook\n           can send requests there"
        );
    }
    let colliding = engine.colliding_names().await.unwrap_or(0);
    if colliding > 0 {
        let _ = writeln!(
            text,
            "  WARNING  names that several users share: {colliding}. Each opens a log-in only in its exact spelling, until\n           its users have different names: countersign user list --collisions"
        );
    }
    let no_client = engine.clients().await.is_ok_and(|clients| clients.is_empty());
    if no_client {
        // A file may say more than where the data is: where the key is, for one.
        let place = match &places.config {
            Some(file) => format!("--config {}", file.display()),
            None => format!("--data-dir {data}"),
        };
        let same = if places.config.is_none() && database.postgres().is_some() { " --database-url …" } else { "" };
        let _ = write!(
            text,
            "\n  Next, in another terminal:\n    countersign client create --scope \"Manage All\" {place}{same}\n    \
             countersign user create --username ana --email ana@example.com {place}{same}\n    \
             countersign doctor {place}{same}\n"
        );
    }
    text
}

/// The warning of a server that writes messages to a file: its readers see every code (SEC 38).
pub(crate) fn readable_codes(file: &std::path::Path, colours: bool) -> String {
    let (red, plain) = if colours { ("\x1b[1;37;41m", "\x1b[0m") } else { ("", "") };
    format!(
        "  {red}WARNING  every code of a text message, call or mail is readable in {}{plain}\n           This is for staging systems \
         only: remove delivery.file.path in production.\n",
        file.display()
    )
}

/// A warning if there are users who cannot log in because none of their devices can be used (SEC 92). It reads every
/// device, so a start does not wait for it.
pub(crate) async fn stranded(engine: &Engine) -> Option<String> {
    let policy = &engine.settings().policy;
    if policy.sign_in.mfa == MfaPolicy::Off {
        return None;
    }
    let filter = UserFilter { without_usable: Some(policy.offered()), ..UserFilter::default() };
    let users = match engine.users(&filter, Page { limit: 1, offset: 0 }).await {
        Ok(page) => page.total,
        Err(error) => {
            tracing::warn!(%error, "users without a usable device could not be counted");
            return None;
        }
    };
    (users > 0).then(|| {
        format!(
            "  WARNING  {users} user{} without a usable device cannot log in with a password: all their devices are disabled, or of\n           \
             factors that are not offered. See countersign user list --without-usable-device; a temporary token, user unlock\n           \
             or deleting the device helps.\n",
            if users == 1 { "" } else { "s" }
        )
    })
}

/// The contents of the banner of `countersign dev`.
#[derive(Debug)]
pub(crate) struct DevBanner<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) admin_url: &'a str,
    pub(crate) folder: &'a DataDir,
    pub(crate) database: &'a Database,
    pub(crate) lasting: bool,
    pub(crate) client_id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) user: &'a str,
    /// The id of this user.
    pub(crate) user_id: i64,
    /// The factors that are offered.
    pub(crate) factors: &'a [FactorKind],
    /// The key of a world that other machines use.
    pub(crate) key: Option<&'a str>,
    /// The host names that they use.
    pub(crate) hosts: &'a [String],
    /// Whether to print colours.
    pub(crate) colours: bool,
}

/// The banner of `countersign dev`.
pub(crate) fn dev(shown: &DevBanner<'_>) -> String {
    let DevBanner { base_url, client_id, secret, .. } = shown;
    let mut text = String::from("\n");
    let (red, plain) = if shown.colours { ("\x1b[1;37;41m", "\x1b[0m") } else { ("", "") };
    let who = if shown.key.is_some() { "everyone with its key" } else { "everyone on this machine" };
    let mut warning = vec![
        "*".repeat(78),
        format!("*  DEV WORLD: {who} can read every code below."),
        "*  The rules are the real ones; only the last hop (gateway, phone) is".to_owned(),
        "*  simulated.".to_owned(),
    ];
    if shown.key.is_some() {
        warning.push("*  Other machines can reach it. Never put people's real devices into it.".to_owned());
    }
    warning.push("*".repeat(78));
    for line in warning {
        let line = if shown.colours { format!("{red}{line:<78}{plain}") } else { line };
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(text, "\n  Start page    {base_url}/");
    let _ = writeln!(text, "  API           {base_url}/docs");
    let _ = writeln!(text, "  Outbox        {base_url}/dev/outbox");
    if let Some(key) = shown.key {
        let _ = writeln!(text, "  Host names    {}", shown.hosts.join(", "));
        let _ = writeln!(text, "  Key           {key}\n                (header X-Dev-Key, or ?key= in a browser)");
    }
    let offered: Vec<&str> = shown.factors.iter().copied().map(name).collect();
    let _ = writeln!(text, "  Factors       {}", offered.join(", "));
    let _ = writeln!(text, "  Health        {base_url}/readyz");
    let _ = writeln!(text, "  Metrics       {}/metrics", shown.admin_url);
    let _ = writeln!(text, "  A user        {}", shown.user);
    let kept = if shown.lasting { "kept for the next start" } else { "gone when this process ends" };
    let _ = writeln!(text, "  Data          {}\n                ({kept})", shown.folder.root().display());
    let _ = writeln!(text, "  Database      {}", database_name(shown.database));
    let _ = writeln!(
        text,
        "  Clients       all of them in the ready file (--ready-file FILE).\n\n  Next, in another terminal, as the client for everything:\n"
    );
    // A line each, so that none breaks when it is copied.
    let _ = writeln!(text, "ID={client_id}\nSECRET={secret}\nBASE={base_url}");
    text.push_str(
        "TOKEN=$(curl -s -u \"$ID:$SECRET\" -d grant_type=client_credentials \\\n  $BASE/auth/oauth2/v2/token | cut -d'\"' -f4)\n",
    );
    let _ = writeln!(
        text,
        "curl -H \"Authorization: Bearer $TOKEN\" \\\n  $BASE/api/2/mfa/users/{}/factors\ncurl \"$BASE/dev/outbox?wait=20s\"\n",
        shown.user_id
    );
    text.push_str("  Stop with Ctrl-C.\n");
    text
}

/// The database, without its password.
fn database_name(database: &Database) -> String {
    match database {
        Database::Sqlite => "SQLite in the data folder".to_owned(),
        Database::Postgres(postgres) => format!("PostgreSQL, {}", postgres.shown()),
    }
}

fn name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Push => "push",
        FactorKind::Sms => "SMS",
        FactorKind::Voice => "voice",
        FactorKind::Email => "e-mail",
        FactorKind::Totp => "authenticator app (TOTP)",
        FactorKind::Hotp => "HOTP",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_eighty_columns() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataDir::make(&place.path().join("data")).unwrap();
        let hosts = ["countersign".to_owned()];
        for (key, colours) in [(None, false), (Some("0123456789abcdef0123456789abcdef"), true)] {
            let text = dev(&DevBanner {
                base_url: "https://127.0.0.1:65535",
                admin_url: "http://127.0.0.1:65535",
                user_id: 1,
                factors: &FactorKind::ALL,
                folder: &folder,
                database: &Database::Sqlite,
                lasting: true,
                client_id: &"a".repeat(64),
                secret: &"b".repeat(64),
                user: "ana (id 1, password ana-0123456789abcdef)",
                key,
                hosts: &hosts,
                colours,
            });
            for line in text.lines() {
                let shown = line.replace("\x1b[1;37;41m", "").replace("\x1b[0m", "");
                assert!(shown.chars().count() <= 78, "{shown}");
            }
            assert_eq!(text.contains("\x1b["), colours);
            // The pasted command uses variables that the paste sets.
            assert!(text.contains("\nID=aaaa") && text.contains("\nSECRET=bbbb") && text.contains("\"$ID:$SECRET\""));
            assert_eq!(text.contains("0123456789abcdef0123"), key.is_some());
        }
    }
}
