//! The contents of a dev world: one client for each scope, one for each other profile, three users, an app. Their secrets are
//! in clear in a file beside the database, which holds only digests (decision 4).

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use domain::model::app::{Definition, Source};
use domain::model::audit::Actor;
use domain::model::long_poll::LongPoll;
use domain::model::time::MINUTE;
use domain::model::user_patch::UserPatch;
use domain::rules::client::Choice;
use domain::rules::import;
use domain::{ClientOptions, ClientProfile, Scope};
use engine::import::{Person, Token};
use engine::{Chance, Confirm, Engine, EnrolRequest, Handle, Import, MailRequest, NewPassword};
use onelogin::{CompatProfile, ScopeName as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Page, TextFilter, UserFilter};

use super::world_file::{FileClient, FileCredential, FileDevice, FileUser, Pinned, WorldFile};
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
    /// The devices that a file of the world named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DevDevice>,
}

/// A device that the world began with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DevDevice {
    pub device_id: i64,
    /// As the file has it.
    pub factor: String,
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
    engine: &Arc<Engine>,
    folder: &DataDir,
    chance: &dyn Chance,
    pinned: &Pinned,
) -> anyhow::Result<Seed> {
    let file = folder.file(DEV_FILE);
    let mut seed = planted(engine, &file, chance, pinned).await?;
    if let Some((client_id, secret)) = &pinned.client
        && let Some(first) = seed.clients.first_mut()
        && (first.client_id != *client_id || first.client_secret != *secret)
    {
        let name = format!("dev: {}", Scope::ManageAll.name());
        engine.plant_client(&name, Scope::ManageAll, ClientProfile::default(), client_id, secret).await?;
        (first.client_id, first.client_secret) = (client_id.clone(), secret.clone());
        write_private(&file, &serde_json::to_string_pretty(&seed)?)?;
    }
    Ok(seed)
}

async fn planted(engine: &Arc<Engine>, file: &Path, chance: &dyn Chance, pinned: &Pinned) -> anyhow::Result<Seed> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let seed: Seed = serde_json::from_str(&text)
                .with_context(|| format!("{} is damaged; remove the data folder", file.display()))?;
            // The folder may have belonged to another database before.
            if is_planted(engine, &seed).await? { Ok(seed) } else { plant_and_keep(engine, chance, file, pinned).await }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            plant_and_keep(engine, chance, file, pinned).await
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

async fn is_planted(engine: &Engine, seed: &Seed) -> anyhow::Result<bool> {
    let known = engine.clients().await?;
    Ok(seed.clients.iter().all(|client| known.iter().any(|known| known.client_id == client.client_id)))
}

async fn plant_and_keep(
    engine: &Arc<Engine>,
    chance: &dyn Chance,
    file: &Path,
    pinned: &Pinned,
) -> anyhow::Result<Seed> {
    let seed = plant(engine, chance, pinned).await?;
    write_private(file, &serde_json::to_string_pretty(&seed)?)?;
    Ok(seed)
}

async fn plant(engine: &Arc<Engine>, chance: &dyn Chance, pinned: &Pinned) -> anyhow::Result<Seed> {
    let mut clients = Vec::new();
    match &pinned.world.clients {
        Some(named) => {
            for client in named {
                clients.push(plant_named(engine, client, pinned.hold).await?);
            }
            // The first one has the scope for everything, as in a world without a file.
            clients.sort_by_key(|client| client.scope != Scope::ManageAll.name());
        }
        None => {
            for scope in Scope::ALL {
                clients.push(plant_client(engine, scope.name(), scope, CompatProfile::Default, pinned.hold).await?);
            }
        }
    }
    let usual = usual_users();
    let mut users = Vec::new();
    for user in pinned.world.users.as_ref().unwrap_or(&usual) {
        users.push(plant_user(engine, chance, user).await.with_context(|| format!("the user {}", user.username))?);
    }
    let mut apps = Vec::new();
    match &pinned.world.apps {
        Some(named) => {
            for app in named {
                apps.push(plant_app(engine, &app.name, app.definition()).await?);
            }
        }
        None => apps.push(plant_app(engine, "aws", usual_app()).await?),
    }
    Ok(Seed { clients, users, apps })
}

/// The users of a world without a file.
fn usual_users() -> Vec<FileUser> {
    let user = |(number, first, last): (u8, &str, &str)| FileUser {
        username: first.to_lowercase(),
        password: None,
        email: Some(format!("{}@example.com", first.to_lowercase())),
        phone: Some(format!("+1415555010{number}")),
        firstname: Some(first.to_owned()),
        lastname: Some(last.to_owned()),
        language: None,
        devices: Vec::new(),
    };
    [(1, "Ana", "Silva"), (2, "Ben", "Okafor"), (3, "Chie", "Tanaka")].map(user).to_vec()
}

async fn plant_user(engine: &Arc<Engine>, chance: &dyn Chance, described: &FileUser) -> anyhow::Result<DevUser> {
    let FileUser { username, email, phone, .. } = described;
    let drawn = format!("{username}-{}", chance.hex::<8>());
    let password = described.password.clone().unwrap_or(drawn);
    let texts = [
        ("firstname", &described.firstname),
        ("lastname", &described.lastname),
        ("preferred_locale_code", &described.language),
    ];
    let texts = texts.into_iter().filter(|(_, text)| text.is_some());
    let patch = UserPatch {
        username: Some(Some(username.clone())),
        email: email.clone().map(Some),
        phone: phone.clone().map(Some),
        texts: texts.map(|(name, text)| (name.to_owned(), text.clone())).collect(),
        ..UserPatch::default()
    };
    let given = NewPassword::Clear { clear: password.clone().into(), validate: false };
    let planted = match existing(engine, username).await? {
        Some(id) => engine.update_user(id, patch, Some(given), Actor::default()).await?,
        None => engine.create_user(patch, Some(given), Actor::default()).await?,
    };
    let mut devices = Vec::new();
    for device in &described.devices {
        devices.push(Box::pin(plant_device(engine, planted.id, username, device)).await?);
    }
    Ok(DevUser {
        id: planted.id.0,
        username: username.clone(),
        password,
        email: email.clone().unwrap_or_default(),
        phone: phone.clone().unwrap_or_default(),
        devices,
    })
}

/// Enrols the devices of a file once more, and gives the users with them.
pub(super) async fn plant_devices(engine: &Arc<Engine>, file: &WorldFile, seed: &Seed) -> anyhow::Result<Vec<DevUser>> {
    let mut users = seed.users.clone();
    for described in file.users.iter().flatten() {
        let Some(user) = users.iter_mut().find(|user| user.username == described.username) else { continue };
        user.devices.clear();
        for device in &described.devices {
            let planted = plant_device(engine, domain::UserId(user.id), &user.username, device);
            user.devices.push(Box::pin(planted).await?);
        }
    }
    Ok(users)
}

/// Enrols an active device, as an import or an administrator who vouches for it does.
async fn plant_device(
    engine: &Arc<Engine>,
    user: domain::UserId,
    username: &str,
    device: &FileDevice,
) -> anyhow::Result<DevDevice> {
    let id = match device.credential()? {
        FileCredential::Codes(credential) => {
            let token = Token { credential, counter: device.counter.unwrap_or(0), display_name: device.name.clone() };
            let person = Person {
                username: username.to_owned(),
                email: None,
                phone: None,
                external_id: None,
                tokens: vec![token],
                update: false,
            };
            let taken = Arc::new(Import::new(engine.clone())).take_all(vec![person]).await;
            let taken = taken.into_iter().next().context("one person was given")??;
            taken.devices.first().context("one device was given")?.0
        }
        FileCredential::Reached(factor) => {
            let request = EnrolRequest {
                user,
                factor,
                display_name: device.name.clone(),
                default_name: import::default_name(factor).to_owned(),
                target: device.to.clone(),
                trusted: true,
                confirm: Confirm::AtOnce,
                handle: Handle::Uuid,
                ttl: MINUTE,
                options: ClientOptions::default(),
                template: None,
                mail: MailRequest::Code,
                invitation: None,
            };
            engine.enrol(request, Actor::default()).await?.device.id
        }
    };
    Ok(DevDevice { device_id: id.0, factor: device.factor.clone() })
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

async fn plant_named(engine: &Engine, described: &FileClient, hold: LongPoll) -> anyhow::Result<DevClient> {
    let (scope, profile) = (described.scope()?, described.profile()?);
    let name = described.name.clone().unwrap_or_else(|| scope.name().to_owned());
    let (Some(client_id), Some(secret)) = (&described.client_id, &described.client_secret) else {
        return plant_client(engine, &name, scope, profile, hold).await;
    };
    engine.plant_client(&format!("dev: {name}"), scope, profile.into(), client_id, secret).await?;
    let choice = Choice { holding: Some(hold), ..Choice::default() };
    engine.choose_for_client(client_id, choice).await?;
    Ok(DevClient {
        scope: scope.name().to_owned(),
        profile: profile.name().to_owned(),
        client_id: client_id.clone(),
        client_secret: secret.clone(),
    })
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
fn usual_app() -> Definition {
    Definition {
        acs_url: AWS_ACS.to_owned(),
        audience: AWS_AUDIENCE.to_owned(),
        name_id: Source::Email,
        attributes: Vec::new(),
        aws_roles: vec![(
            "arn:aws:iam::123456789012:role/Developer".to_owned(),
            "arn:aws:iam::123456789012:saml-provider/Countersign".to_owned(),
        )],
        aws_session_ttl: None,
    }
}

async fn plant_app(engine: &Engine, name: &str, definition: Definition) -> anyhow::Result<DevApp> {
    if let Some(app) = engine.apps().await?.into_iter().find(|app| app.name == name) {
        return Ok(DevApp { id: app.id.0, name: app.name });
    }
    let app = engine.create_app(name, definition).await?;
    Ok(DevApp { id: app.id.0, name: app.name })
}

async fn existing(engine: &Engine, username: &str) -> anyhow::Result<Option<domain::UserId>> {
    let filter = UserFilter { username: Some(TextFilter::exactly(username)), ..UserFilter::default() };
    let page = engine.users(&filter, Page { limit: 1, offset: 0 }).await?;
    Ok(page.users.first().map(|user| user.id))
}
