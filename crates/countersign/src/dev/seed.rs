//! The contents of a dev world: one client for each scope, one for each other profile, three users, an app. Their secrets are
//! in clear in a file beside the database, which holds only digests (decision 4).

use std::path::Path;

use anyhow::Context as _;
use domain::model::app::{Definition, Source};
use domain::model::audit::Actor;
use domain::model::long_poll::LongPoll;
use domain::model::user_patch::UserPatch;
use domain::{ClientOptions, Scope};
use engine::{Chance, Engine, NewPassword};
use onelogin::{CompatProfile, ScopeName as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Page, TextFilter, UserFilter};

use super::planting::Pinned;
use crate::cli::app::{AWS_ACS, AWS_AUDIENCE};
use crate::installation::DEV_FILE;
use crate::installation::data_dir::{DataDir, write_private};

/// The account's name.
pub(super) const SUBDOMAIN: &str = "acme";
/// The account's number.
pub(super) const ACCOUNT_ID: i64 = 1;

/// A client and its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the ready file's names")]
pub struct DevClient {
    pub scope: String,
    #[serde(default = "default_profile")]
    pub profile: String,
    pub client_id: String,
    pub client_secret: String,
}

/// The profile of clients that an earlier version created.
fn default_profile() -> String {
    CompatProfile::Default.name().to_owned()
}

/// A user and their password.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the ready file's names")]
pub struct DevUser {
    pub id: i64,
    pub username: String,
    pub password: String,
    pub email: String,
    pub phone: String,
}

/// The world's credentials.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seed {
    /// One for each scope, widest first, of the profile `default`; then, in a world that is served, one of `Manage All` for
    /// each other profile.
    pub clients: Vec<DevClient>,
    pub users: Vec<DevUser>,
    #[serde(default)]
    pub apps: Vec<DevApp>,
}

/// An app that accepts assertions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DevApp {
    pub id: i64,
    pub name: String,
}

impl Seed {
    /// The ready file's content.
    pub fn ready(&self, base_url: &str, admin_url: &str, dev_key: Option<&str>, settings: &engine::Settings) -> Value {
        let mut ready = json!({
            "base_url": base_url,
            "admin_url": admin_url,
            "subdomain": settings.account,
            "account_id": settings.account_id,
            "clients": self.clients,
            "users": self.users,
            "apps": self.apps,
            "outbox_url": format!("{base_url}/dev/outbox"),
        });
        if let Some(key) = dev_key {
            ready["dev_key"] = key.into();
        }
        ready
    }
}

/// The credentials of an earlier start, or new ones. Seeding may be interrupted anywhere; it is then repeated.
pub(super) async fn load_or_plant(
    engine: &Engine,
    folder: &DataDir,
    chance: &dyn Chance,
    pinned: &Pinned,
) -> anyhow::Result<Seed> {
    let file = folder.file(DEV_FILE);
    let mut seed = planted(engine, &file, chance, pinned.hold).await?;
    if let Some((client_id, secret)) = &pinned.client
        && let Some(first) = seed.clients.first_mut()
        && (first.client_id != *client_id || first.client_secret != *secret)
    {
        let name = format!("dev: {}", Scope::ManageAll.name());
        engine.plant_client(&name, Scope::ManageAll, client_id, secret).await?;
        (first.client_id, first.client_secret) = (client_id.clone(), secret.clone());
        write_private(&file, &serde_json::to_string_pretty(&seed)?)?;
    }
    Ok(seed)
}

async fn planted(engine: &Engine, file: &Path, chance: &dyn Chance, hold: LongPoll) -> anyhow::Result<Seed> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let seed: Seed = serde_json::from_str(&text)
                .with_context(|| format!("{} is damaged; remove the data folder", file.display()))?;
            // The folder may have belonged to another database before.
            if is_planted(engine, &seed).await? { Ok(seed) } else { plant_and_keep(engine, chance, file, hold).await }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => plant_and_keep(engine, chance, file, hold).await,
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

async fn is_planted(engine: &Engine, seed: &Seed) -> anyhow::Result<bool> {
    let known = engine.clients().await?;
    Ok(seed.clients.iter().all(|client| known.iter().any(|known| known.client_id == client.client_id)))
}

async fn plant_and_keep(engine: &Engine, chance: &dyn Chance, file: &Path, hold: LongPoll) -> anyhow::Result<Seed> {
    let seed = plant(engine, chance, hold).await?;
    write_private(file, &serde_json::to_string_pretty(&seed)?)?;
    Ok(seed)
}

async fn plant(engine: &Engine, chance: &dyn Chance, hold: LongPoll) -> anyhow::Result<Seed> {
    let mut clients = Vec::new();
    for scope in Scope::ALL {
        clients.push(plant_client(engine, scope.name(), scope, CompatProfile::Default, hold).await?);
    }
    let mut users = Vec::new();
    for (number, first, last) in [(1, "Ana", "Silva"), (2, "Ben", "Okafor"), (3, "Chie", "Tanaka")] {
        let username = first.to_lowercase();
        let user = DevUser {
            id: 0,
            email: format!("{username}@example.com"),
            phone: format!("+1415555010{number}"),
            password: format!("{username}-{}", chance.hex::<8>()),
            username,
        };
        let patch = UserPatch {
            username: Some(Some(user.username.clone())),
            email: Some(Some(user.email.clone())),
            phone: Some(Some(user.phone.clone())),
            texts: vec![
                ("firstname".to_owned(), Some(first.to_owned())),
                ("lastname".to_owned(), Some(last.to_owned())),
            ],
            ..UserPatch::default()
        };
        let password = NewPassword::Clear { clear: user.password.clone().into(), validate: false };
        let planted = match existing(engine, &user.username).await? {
            Some(id) => engine.update_user(id, patch, Some(password), Actor::default()).await?,
            None => engine.create_user(patch, Some(password), Actor::default()).await?,
        };
        users.push(DevUser { id: planted.id.0, ..user });
    }
    Ok(Seed { clients, users, apps: vec![plant_app(engine).await?] })
}

/// Adds the missing clients, one for each profile. Apart from the first seeding, so that a world of an earlier version gets
/// them too.
pub(super) async fn with_profiles(
    engine: &Engine,
    folder: &DataDir,
    mut seed: Seed,
    hold: LongPoll,
) -> anyhow::Result<Seed> {
    let file = folder.file(DEV_FILE);
    // Another node of this world may have created them a moment ago.
    if let Some(kept) = std::fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str::<Seed>(&text).ok()) {
        seed.clients = kept.clients;
    }
    let before = seed.clients.len();
    for profile in CompatProfile::ALL {
        if !seed.clients.iter().any(|client| client.profile == profile.name()) {
            seed.clients.push(plant_client(engine, profile.name(), Scope::ManageAll, profile, hold).await?);
        }
    }
    if seed.clients.len() > before {
        write_private(&file, &serde_json::to_string_pretty(&seed)?)?;
    }
    Ok(seed)
}

async fn plant_client(
    engine: &Engine,
    name: &str,
    scope: Scope,
    profile: CompatProfile,
    hold: LongPoll,
) -> anyhow::Result<DevClient> {
    let options = ClientOptions { holding: hold, ..ClientOptions::default() };
    let made = engine
        .create_client(&format!("dev: {name}"), scope, profile.into(), options, engine::ClientLimits::default())
        .await?;
    Ok(DevClient {
        scope: scope.name().to_owned(),
        profile: profile.name().to_owned(),
        client_id: made.client.client_id,
        client_secret: made.secret,
    })
}

/// An app at Amazon Web Services with one role for all users.
async fn plant_app(engine: &Engine) -> anyhow::Result<DevApp> {
    const NAME: &str = "aws";
    if let Some(app) = engine.apps().await?.into_iter().find(|app| app.name == NAME) {
        return Ok(DevApp { id: app.id.0, name: app.name });
    }
    let definition = Definition {
        acs_url: AWS_ACS.to_owned(),
        audience: AWS_AUDIENCE.to_owned(),
        name_id: Source::Email,
        attributes: Vec::new(),
        aws_roles: vec![(
            "arn:aws:iam::123456789012:role/Developer".to_owned(),
            "arn:aws:iam::123456789012:saml-provider/Countersign".to_owned(),
        )],
        aws_session_ttl: None,
    };
    let app = engine.create_app(NAME, definition).await?;
    Ok(DevApp { id: app.id.0, name: app.name })
}

async fn existing(engine: &Engine, username: &str) -> anyhow::Result<Option<domain::UserId>> {
    let filter = UserFilter { username: Some(TextFilter::exactly(username)), ..UserFilter::default() };
    let page = engine.users(&filter, Page { limit: 1, offset: 0 }).await?;
    Ok(page.users.first().map(|user| user.id))
}
