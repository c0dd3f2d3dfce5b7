//! What a person sees when a server starts: where it is, what works, and what to do next.

use std::fmt::Write as _;

use domain::FactorKind;
use engine::Engine;

use crate::database::Database;
use crate::folder::Folder;

/// What an authenticator app shows as long as nobody has chosen.
const BUILT_IN_ISSUER: &str = "countersign";

/// The banner of `countersign serve`.
pub async fn serve(engine: &Engine, base_url: &str, folder: &Folder, database: &Database) -> String {
    let data = folder.root().display();
    let mut text = format!("\nCountersign {} is answering at {base_url}\n\n", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(text, "  API      {base_url}/auth/oauth2/v2/token, /api/1, /api/2");
    let _ = writeln!(text, "  Health   {base_url}/livez, {base_url}/readyz");
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
        let _ =
            writeln!(text, "  This version sends nothing from `serve` yet: {missing} work in `countersign dev` only");
    }
    let issuer = &engine.settings().policy.issuer;
    if issuer == BUILT_IN_ISSUER {
        let _ = writeln!(
            text,
            "  WARNING  people see \"{issuer}\" in their authenticator app, and an app keeps the name it was enrolled with:\n           choose yours now, with --issuer NAME (COUNTERSIGN_ISSUER, `issuer` in the file)"
        );
    }
    if engine.settings().private_webhooks {
        let _ = writeln!(
            text,
            "  WARNING  webhooks may reach this machine's own network ([webhooks] allow_private); whoever may create one can\n           send requests there"
        );
    }
    let no_client = engine.clients().await.is_ok_and(|clients| clients.is_empty());
    if no_client {
        let same = if database.postgres().is_some() { " --database-url …" } else { "" };
        let _ = write!(
            text,
            "\n  Next: create an API client, in another terminal, with\n    countersign client create --scope \"Manage All\" --data-dir {data}{same}\n"
        );
    }
    text
}

/// The banner of `countersign dev`.
pub fn dev(
    base_url: &str,
    folder: &Folder,
    database: &Database,
    lasting: bool,
    client_id: &str,
    secret: &str,
    user: &str,
) -> String {
    let mut text = String::new();
    let line = "*".repeat(78);
    let _ = writeln!(text, "\n{line}");
    let _ = writeln!(text, "*  DEV WORLD: everybody on this machine can read every code below.");
    let _ = writeln!(text, "*  The rules are the real ones; only the last hop (gateway, phone) is simulated.");
    let _ = writeln!(text, "{line}\n");
    let _ = writeln!(text, "  API           {base_url}");
    let _ = writeln!(text, "  Outbox        {base_url}/dev/outbox   (open it in a browser: codes, calls, pushes)");
    let _ = writeln!(text, "  client_id     {client_id}");
    let _ = writeln!(text, "  client_secret {secret}");
    let _ =
        writeln!(text, "  scope         Manage All   (one client per scope: see the ready file, --ready-file FILE)");
    let _ = writeln!(text, "  a user        {user}");
    let kept = if lasting {
        "kept; the next start with the same --data-dir goes on from here"
    } else {
        "gone when this process ends"
    };
    let _ = writeln!(text, "  Data          {} ({kept})", folder.root().display());
    let _ = writeln!(text, "  Database      {}", database_name(database));
    let _ = write!(
        text,
        "\n  Next: get a token\n    curl -u {client_id}:{secret} -H 'Content-Type: application/json' \\\n      -d '{{\"grant_type\":\"client_credentials\"}}' {base_url}/auth/oauth2/v2/token\n  Stop with Ctrl-C.\n"
    );
    text
}

/// Which database it is; never the password.
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
