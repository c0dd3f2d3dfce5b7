//! Invitations: links by which people enrol on a page of this server.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use domain::Channel;
use domain::model::audit::Actor;
use domain::model::time::MINUTE;
use engine::{Engine, InvitationRequest, NewInvitation};
use onelogin::wire_time::with_seconds;
use pages::Qr;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::find_user::{UserKey, find};
use crate::cli::report::{Report, sentence};
use crate::cli::run::OutputArgs;

#[derive(Debug, Args)]
pub(crate) struct InviteArgs {
    /// Ids, user names or e-mail addresses
    #[arg(required_unless_present = "csv")]
    users: Vec<String>,
    /// Invite every user of this file too: the first column of a CSV, with or without the heading `user`
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Life of each link in minutes: 15 to 10080, which is a week
    #[arg(long, default_value_t = 1_440, value_parser = clap::value_parser!(i64).range(15..=10_080))]
    minutes: i64,
    /// Invite people who have a device: what they enrol takes the place of all their devices
    #[arg(long)]
    replace: bool,
    /// Send the link to the address or number of the profile, instead of showing it
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Show each link as a QR code too
    #[arg(long, conflicts_with = "by")]
    qr: bool,
    /// The terminal has a light background, on which a QR code is drawn the other way round
    #[arg(long, requires = "qr")]
    light: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// How links are sent.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Mail,
    Text,
}

/// Whom to invite, and how.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Invitations {
    users: Vec<UserKey>,
    /// The life of each link, in minutes.
    minutes: i64,
    replace: bool,
    deliver: Option<Channel>,
    /// Whether QR codes are drawn, and if so, whether for a light background.
    qr: Option<bool>,
}

impl InviteArgs {
    /// What these arguments ask for. Fails if the file cannot be read.
    pub(super) fn request(&self) -> anyhow::Result<Invitations> {
        let mut users: Vec<UserKey> = self.users.iter().cloned().map(UserKey).collect();
        if let Some(file) = &self.csv {
            users.extend(listed(file)?);
        }
        let deliver = self.by.map(|by| match by {
            By::Mail => Channel::Email,
            By::Text => Channel::Sms,
        });
        let qr = self.qr.then_some(self.light);
        Ok(Invitations { users, minutes: self.minutes, replace: self.replace, deliver, qr })
    }
}

/// The first column of a file.
fn listed(file: &Path) -> anyhow::Result<Vec<UserKey>> {
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_path(file);
    let mut reader = reader.with_context(|| format!("cannot read {}", file.display()))?;
    let mut users = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.with_context(|| format!("{} is no CSV", file.display()))?;
        let name = record.get(0).unwrap_or_default();
        let is_heading = row == 0 && name.eq_ignore_ascii_case("user");
        if !name.is_empty() && !is_heading {
            users.push(UserKey(name.to_owned()));
        }
    }
    anyhow::ensure!(!users.is_empty(), "{} names no user: write one in the first column of each line", file.display());
    Ok(users)
}

/// What became of one invitation.
struct Sent {
    key: String,
    outcome: Result<NewInvitation, String>,
}

/// Invites them all. One who cannot be invited keeps no other from it; the error is that of the only one.
pub(super) async fn invite(engine: &Engine, asked: Invitations) -> Result<Report, String> {
    let mut sent = Vec::new();
    for key in &asked.users {
        sent.push(Sent { key: key.0.clone(), outcome: one(engine, key, &asked).await });
    }
    if let [Sent { outcome: Err(error), .. }] = &sent[..] {
        return Err(error.clone());
    }
    let json = sent.iter().map(|sent| match &sent.outcome {
        Ok(made) => json!({
            "user": sent.key,
            "url": asked.deliver.is_none().then_some(&made.url),
            "expires_at": with_seconds(made.expires_at.0),
            "delivered": asked.deliver.map(Channel::name),
        }),
        Err(error) => json!({ "user": sent.key, "error": error }),
    });
    let json = json!(json.collect::<Vec<_>>());
    let mut text = Vec::new();
    for Sent { key, outcome } in &sent {
        match (outcome, asked.deliver) {
            (Err(error), _) => text.push(format!("{key} is not invited: {error}")),
            (Ok(made), Some(channel)) => {
                let way = if channel == Channel::Sms { "text message" } else { "mail" };
                text.push(format!(
                    "{key} is sent a link by {way}. It works until {}.",
                    with_seconds(made.expires_at.0)
                ));
            }
            (Ok(made), None) => {
                text.push(format!("{key} enrols by this link, once, until {}:", with_seconds(made.expires_at.0)));
                text.push(format!("  {}", made.url));
                if let Some(drawn) = asked.qr.and_then(|light| Some(Qr::new(&made.url)?.terminal(light))) {
                    text.push(drawn);
                }
            }
        }
    }
    if asked.deliver.is_none() {
        text.push("Links are shown this once. Give each to its person only.".to_owned());
    }
    Ok(Report::lines(json, text))
}

async fn one(engine: &Engine, key: &UserKey, asked: &Invitations) -> Result<NewInvitation, String> {
    let user = find(engine, key).await?.id;
    let request =
        InvitationRequest { user, ttl: asked.minutes * MINUTE, replaces: asked.replace, deliver: asked.deliver };
    engine.invite(request, Actor::default()).await.map_err(sentence)
}
