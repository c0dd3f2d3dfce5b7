//! What the command line can ask of an installation. A command is data: a running server executes it as one more job
//! of its one writer, and only when none is running does the command line open the database itself (rulings 3).

use domain::app::Definition;
use domain::holding::Holding;
use domain::time::SECOND;
use domain::user::UserPatch;
use domain::verification::Context;
use domain::{Client, ClientOptions, CompatProfile, MfaPolicy, Scope, User, UserId};
use engine::{Engine, NewPassword};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Page, UserFilter};

pub use crate::webhook::WebhookCommand;
use crate::{app, device, names, terminal, webhook, words};

/// A command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// `client create`
    ClientCreate {
        /// For people.
        name: String,
        /// Its one scope.
        scope: Scope,
        /// How it wants to be answered.
        profile: CompatProfile,
        /// What is chosen for it.
        options: ClientOptions,
    },
    /// `client list`
    ClientList,
    /// `client revoke`
    ClientRevoke {
        /// Which one.
        client_id: String,
    },
    /// `client rotate`
    ClientRotate {
        /// Which one.
        client_id: String,
    },
    /// `client set`
    ClientSet {
        /// Which one.
        client_id: String,
        /// For how long its polls are held.
        holding: Option<Holding>,
        /// Whether people type a number.
        number_matching: Option<bool>,
    },
    /// `user create`
    UserCreate(NewUser),
    /// `user list`
    UserList {
        /// Users left out before the first.
        offset: u64,
        /// Most users.
        limit: u32,
    },
    /// `user list --collisions`
    UserCollisions {
        /// Most users.
        limit: u32,
    },
    /// `user rename`
    UserRename {
        /// Whom.
        who: Who,
        /// The user name to give; an empty one takes it away.
        username: Option<String>,
        /// The mail address to give; an empty one takes it away.
        email: Option<String>,
    },
    /// `user show`
    UserShow(Who),
    /// `user unlock`
    UserUnlock(Who),
    /// `user delete`
    UserDelete(Who),
    /// `user mfa`
    UserMfa {
        /// Whom.
        who: Who,
        /// Their own rule; `None` is everybody's.
        policy: Option<MfaPolicy>,
    },
    /// `device list`
    DeviceList(Who),
    /// `device disable`
    DeviceDisable {
        /// Whose.
        who: Who,
        /// Which one.
        device: i64,
    },
    /// `device delete`
    DeviceDelete {
        /// Whose.
        who: Who,
        /// Which one.
        device: i64,
    },
    /// `app create`
    AppCreate {
        /// For people.
        name: String,
        /// What it is told, and where.
        definition: Definition,
    },
    /// `app list`
    AppList,
    /// `app delete`
    AppDelete {
        /// Which one.
        id: i64,
    },
    /// `app rotate-key`
    AppRotateKey,
    /// `webhook …`
    Webhook(WebhookCommand),
}

/// A user to create.
#[derive(Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of contract 3.1")]
pub struct NewUser {
    pub username: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub firstname: Option<String>,
    pub lastname: Option<String>,
    pub external_id: Option<String>,
    pub password: Option<String>,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewUser(…)")
    }
}

/// A user by id, user name or e-mail address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Who(pub String);

/// What a command answers: for a program, and for a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// For `--json`.
    pub json: Value,
    /// For a terminal.
    pub text: Text,
}

/// What a person sees.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Text {
    /// Lines.
    Lines(Vec<String>),
    /// A table with its header.
    Table(Vec<String>, Vec<Vec<String>>),
}

impl Report {
    /// Prints the answer.
    pub fn print(&self, as_json: bool) {
        if as_json {
            return terminal::say(&self.json.to_string());
        }
        match &self.text {
            Text::Lines(lines) => terminal::say(&lines.join("\n")),
            Text::Table(header, rows) => {
                let header: Vec<&str> = header.iter().map(String::as_str).collect();
                terminal::say(&terminal::table(&header, rows));
            }
        }
    }
}

/// Executes a command. The error is a sentence for the person who gave it.
pub async fn execute(engine: &Engine, command: Command) -> Result<Report, String> {
    let by = Context::default();
    match command {
        Command::ClientCreate { name, scope, profile, options } => {
            let made = engine.create_client(&name, scope, profile, options).await.map_err(sentence)?;
            Ok(new_secret(&made.client, &made.secret, "Client created."))
        }
        Command::ClientList => Ok(client_list(&engine.clients().await.map_err(sentence)?)),
        Command::ClientRevoke { client_id } => {
            let revoked =
                engine.revoke_client(&client_id).await.map_err(sentence)?.ok_or_else(|| no_client(&client_id))?;
            let json = json!({ "client_id": revoked.client_id, "revoked": true });
            Ok(lines(json, vec![format!("Client {} is revoked; its tokens no longer work.", revoked.client_id)]))
        }
        Command::ClientRotate { client_id } => {
            let made =
                engine.rotate_client(&client_id).await.map_err(sentence)?.ok_or_else(|| no_client(&client_id))?;
            Ok(new_secret(&made.client, &made.secret, "New secret made; the one before works until the next rotation."))
        }
        Command::ClientSet { client_id, holding, number_matching } => {
            let set = engine.choose_for_client(&client_id, holding, number_matching).await.map_err(sentence)?;
            Ok(chosen(&set.ok_or_else(|| no_client(&client_id))?))
        }
        Command::UserCreate(user) => {
            if user.username.is_none() && user.email.is_none() {
                return Err("a user needs a name or an e-mail address: pass --username or --email".to_owned());
            }
            let password =
                user.password.clone().map(|clear| NewPassword::Clear { clear: clear.into(), validate: true });
            let created = engine.create_user(patch(user), password, by).await.map_err(sentence)?;
            Ok(Report { text: Text::Lines(vec![format!("User {} created.", created.id)]), json: user_json(&created) })
        }
        Command::UserList { offset, limit } => {
            let page = engine.users(&UserFilter::default(), Page { limit, offset }).await.map_err(sentence)?;
            Ok(user_list(&page.users))
        }
        Command::UserCollisions { limit } => Ok(names::collisions(&engine.collisions(limit).await.map_err(sentence)?)),
        Command::UserRename { who, username, email } => {
            names::rename(engine, &find(engine, &who).await?, username, email).await
        }
        Command::UserShow(who) => show(engine, &find(engine, &who).await?).await,
        Command::UserUnlock(who) => {
            let user = find(engine, &who).await?;
            let was_locked = engine.unlock_user(user.id, by).await.map_err(sentence)?;
            let said = if was_locked { "is unlocked" } else { "was not locked" };
            let json = json!({ "id": user.id, "unlocked": was_locked });
            Ok(lines(json, vec![format!("User {} {said}.", user.id)]))
        }
        Command::UserDelete(who) => {
            let user = find(engine, &who).await?;
            engine.delete_user(user.id, by).await.map_err(sentence)?;
            let said = format!("User {} is deleted, with all devices.", user.id);
            Ok(lines(json!({ "id": user.id, "deleted": true }), vec![said]))
        }
        Command::UserMfa { who, policy } => {
            let user = find(engine, &who).await?;
            let patch = UserPatch { mfa_policy: Some(policy), ..UserPatch::default() };
            engine.update_user(user.id, patch, None, by).await.map_err(sentence)?;
            let said = match policy {
                None => "as everybody: login.mfa decides whether a log-in asks for a factor",
                Some(MfaPolicy::Off) => "off: a log-in never asks for a factor",
                Some(MfaPolicy::Optional) => {
                    "optional: a log-in asks for a factor as long as there is a device that was ever in use"
                }
                Some(MfaPolicy::Required) => "required: without a device or a temporary token there is no log-in",
            };
            Ok(lines(json!({ "id": user.id, "mfa": policy }), vec![format!("User {}: {said}.", user.id)]))
        }
        Command::DeviceList(who) => device::list(engine, &find(engine, &who).await?).await,
        Command::DeviceDisable { who, device } => device::disable(engine, &find(engine, &who).await?, device).await,
        Command::DeviceDelete { who, device } => device::delete(engine, &find(engine, &who).await?, device).await,
        Command::AppCreate { .. } | Command::AppList | Command::AppDelete { .. } | Command::AppRotateKey => {
            app::execute(engine, command).await
        }
        Command::Webhook(command) => webhook::execute(engine, command).await,
    }
}

fn patch(user: NewUser) -> UserPatch {
    let texts = [("firstname", user.firstname), ("lastname", user.lastname), ("external_id", user.external_id)];
    UserPatch {
        username: user.username.map(Some),
        email: user.email.map(Some),
        phone: user.phone.map(Some),
        texts: texts.into_iter().filter(|(_, v)| v.is_some()).map(|(k, v)| (k.to_owned(), v)).collect(),
        ..UserPatch::default()
    }
}

async fn find(engine: &Engine, who: &Who) -> Result<User, String> {
    if let Ok(id) = who.0.parse() {
        return engine.user(UserId(id)).await.map_err(|error| match error {
            engine::Error::NoUser => no_user(who),
            other => sentence(other),
        });
    }
    if let Some(user) = engine.user_by_login(&who.0).await.map_err(sentence)? {
        return Ok(user);
    }
    let holders = engine.holders(&who.0).await.map_err(sentence)?;
    if holders.is_empty() {
        return Err(no_user(who));
    }
    let ids: Vec<String> = holders.iter().map(|holder| holder.user.to_string()).collect();
    Err(format!("several users have the name {}: give one of the ids {} instead", who.0, ids.join(", ")))
}

async fn show(engine: &Engine, user: &User) -> Result<Report, String> {
    let devices = engine.devices(user.id).await.map_err(sentence)?;
    let mut json = user_json(user);
    json["devices"] = devices.iter().map(device::json).collect();
    let mut text = vec![
        format!("User {}", user.id),
        format!("  username  {}", or_dash(user.username.as_deref())),
        format!("  email     {}", or_dash(user.email.as_deref())),
        format!("  phone     {}", or_dash(user.phone.as_deref())),
        format!("  status    {}", status(user)),
        format!("  devices   {}", if devices.is_empty() { "none" } else { "" }),
    ];
    for d in &devices {
        let default = if d.is_default { ", default" } else { "" };
        let state = words::device_state(d.device.status);
        let factor = words::factor(d.device.factor);
        text.push(format!("    {}  {factor} \"{}\" ({state}{default})", d.device.id, d.device.display_name));
    }
    Ok(lines(json, text))
}

fn user_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "phone": user.phone,
        "firstname": user.profile.texts.get("firstname"),
        "lastname": user.profile.texts.get("lastname"),
        "status": user.status.number(),
    })
}

fn user_list(users: &[User]) -> Report {
    let rows = users
        .iter()
        .map(|user| {
            vec![
                user.id.to_string(),
                or_dash(user.username.as_deref()),
                or_dash(user.email.as_deref()),
                or_dash(user.phone.as_deref()),
                status(user),
            ]
        })
        .collect();
    let header = ["id", "username", "email", "phone", "status"].map(str::to_owned).to_vec();
    Report { json: users.iter().map(user_json).collect(), text: Text::Table(header, rows) }
}

fn client_list(clients: &[Client]) -> Report {
    let state = |client: &Client| if client.revoked_at.is_some() { "revoked" } else { "live" };
    let rows = clients
        .iter()
        .map(|client| {
            let secrets: Vec<String> = client.secrets.iter().map(|s| format!("…{}", s.last4)).collect();
            vec![
                client.client_id.clone(),
                client.name.clone(),
                client.scope.name().to_owned(),
                client.profile.name().to_owned(),
                client.options.holding.to_string(),
                if client.options.number_matching { "on" } else { "off" }.to_owned(),
                secrets.join(" "),
                state(client).to_owned(),
            ]
        })
        .collect();
    let json = clients
        .iter()
        .map(|client| {
            json!({
                "client_id": client.client_id,
                "name": client.name,
                "scope": client.scope.name(),
                "profile": client.profile.name(),
                "hold": hold(client.options.holding),
                "number_matching": client.options.number_matching,
                "secret_endings": client.secrets.iter().map(|s| &s.last4).collect::<Vec<_>>(),
                "revoked": client.revoked_at.is_some(),
            })
        })
        .collect();
    let header =
        ["client_id", "name", "scope", "profile", "hold", "number", "secrets", "state"].map(str::to_owned).to_vec();
    Report { json, text: Text::Table(header, rows) }
}

/// A hold as `client set` reads it.
fn hold(holding: Holding) -> Value {
    match holding {
        Holding::Off => "off".into(),
        Holding::Fixed(span) => (span / SECOND).into(),
        Holding::Adaptive { .. } => "adaptive".into(),
    }
}

/// What an operator has chosen for a client.
fn chosen(client: &Client) -> Report {
    let matching = if client.options.number_matching { "on" } else { "off" };
    let json = json!({
        "client_id": client.client_id,
        "hold": hold(client.options.holding),
        "number_matching": client.options.number_matching,
    });
    let text = vec![
        format!("Client {} changed.", client.client_id),
        format!("  hold             {}", client.options.holding),
        format!("  number matching  {matching}"),
    ];
    lines(json, text)
}

fn new_secret(client: &Client, secret: &str, said: &str) -> Report {
    let json = json!({
        "client_id": client.client_id,
        "client_secret": secret,
        "scope": client.scope.name(),
        "profile": client.profile.name(),
    });
    let text = vec![
        said.to_owned(),
        format!("  client_id      {}", client.client_id),
        format!("  client_secret  {secret}"),
        format!("  scope          {}", client.scope.name()),
        format!("  profile        {}", client.profile.name()),
        "The secret is shown this once.".to_owned(),
    ];
    lines(json, text)
}

pub(crate) fn lines(json: Value, text: Vec<String>) -> Report {
    Report { json, text: Text::Lines(text) }
}

fn status(user: &User) -> String {
    words::user_status(user.status).to_owned()
}

pub(crate) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("–").to_owned()
}

fn no_client(client_id: &str) -> String {
    format!("there is no client {client_id}; `countersign client list` shows all of them")
}

fn no_user(who: &Who) -> String {
    format!("there is no user {}; give an id, a user name or an e-mail address (`countersign user list`)", who.0)
}

/// What an error means to the person at the command line.
pub(crate) fn sentence(error: engine::Error) -> String {
    match error {
        engine::Error::Taken(field) => format!("another user has this {field}; choose another"),
        engine::Error::BadText("email") => "that is no e-mail address; write it as name@example.com".to_owned(),
        engine::Error::BadText("text") => {
            "a name or an id in another system is too long or holds characters that cannot be shown".to_owned()
        }
        engine::Error::BadText(field) => {
            format!(
                "{field} is empty, too long (128 characters are the most), or holds characters that cannot be shown"
            )
        }
        engine::Error::BadPassword(rule) => rule.to_owned(),
        engine::Error::Unavailable(_) => "the database is unavailable (is the disk full?); try again".to_owned(),
        engine::Error::Internal(cause) => {
            tracing::error!(%cause, "a command failed");
            "an internal fault; the log has its cause".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_words() {
        let said = |field| sentence(engine::Error::BadText(field));
        assert!(said("email").contains("no e-mail address") && said("email").contains("name@example.com"));
        assert!(said("username").starts_with("username is empty, too long"));
        assert!(!said("text").starts_with("text "), "no name of the code: {}", said("text"));
        let causes = [said("email"), said("username"), said("text"), sentence(engine::Error::Taken("email"))];
        for (place, cause) in causes.iter().enumerate() {
            assert!(causes.iter().skip(place + 1).all(|other| other != cause), "{cause}");
        }
    }
}
