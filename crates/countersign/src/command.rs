//! What the command line can ask of an installation. A command is data: a running server executes it as one more job
//! of its one writer, and only when none is running does the command line open the database itself (rulings 3).

use domain::model::app::Definition;
use domain::model::audit::Context;
use domain::model::user_patch::UserPatch;
use domain::{MfaPolicy, Timestamp, User, UserId};
use engine::{Engine, NewPassword};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Page, UserFilter};

pub use crate::client::ClientCommand;
use crate::installation::Intent;
pub use crate::webhook::WebhookCommand;
use crate::{app, client, device, names, person, terminal, webhook, words};

/// A command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// `client …`
    Client(ClientCommand),
    /// `user create`
    UserCreate(NewUser),
    /// `user list`
    UserList {
        /// Users left out before the first.
        offset: u64,
        /// Most users.
        limit: u32,
        /// Only users who can use none of their devices.
        #[serde(default)]
        without_usable_device: bool,
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
    /// `user set-password`
    UserSetPassword {
        /// Whose.
        who: Who,
        /// The new one; `None` has one drawn.
        password: Option<Password>,
    },
    /// `user token`
    UserToken {
        /// Whose.
        who: Who,
        /// How long it lives, in milliseconds.
        ttl: i64,
        /// Whether it may be used more than once.
        reusable: bool,
    },
    /// `user token --revoke`
    UserTokenRevoke(Who),
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
    AppDelete(crate::app::AppSelector),
    /// `app rotate-key`
    AppRotateKey,
    /// `clock`
    Clock {
        /// Whether the machine's clock is vouched for.
        accept: bool,
    },
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

/// A password on its way to the engine. `Debug` does not show it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
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
    /// Prints the answer; with `full` ids are as long as they are.
    pub fn print(&self, as_json: bool, full: bool) {
        if as_json {
            return terminal::say(&self.json.to_string());
        }
        match &self.text {
            Text::Lines(lines) => terminal::say(&lines.join("\n")),
            Text::Table(header, rows) => {
                let header: Vec<&str> = header.iter().map(String::as_str).collect();
                terminal::say(&terminal::table(&header, rows, full));
            }
        }
    }
}

/// Executes a command. The error is a sentence for the person who gave it.
pub async fn execute(engine: &Engine, command: Command) -> Result<Report, String> {
    let by = Context::default();
    match command {
        Command::Client(command) => client::execute(engine, command).await,
        Command::UserCreate(user) => {
            if let Some(phone) = &user.phone {
                domain::rules::import::judge_phone(phone).map_err(|unfit| unfit.to_string())?;
            }
            let password =
                user.password.clone().map(|clear| NewPassword::Clear { clear: clear.into(), validate: true });
            let has_password = password.is_some();
            let patch = patch(user);
            if !patch.names_somebody() {
                return Err("a user needs a name or an e-mail address: pass --username or --email".to_owned());
            }
            let created = engine.create_user(patch, password, by).await.map_err(sentence)?;
            let id = created.id;
            let said = if has_password {
                format!("User {id} created.")
            } else {
                format!("User {id} created, without a password: countersign user set-password {id} sets one.")
            };
            Ok(Report { text: Text::Lines(vec![said]), json: user_json(&created, engine.now()) })
        }
        Command::UserList { offset, limit, without_usable_device } => {
            let offered = || engine.settings().policy.factors.clone();
            let filter = UserFilter { without_usable: without_usable_device.then(offered), ..UserFilter::default() };
            let page = engine.users(&filter, Page { limit, offset }).await.map_err(sentence)?;
            Ok(user_list(&page.users, engine.now()))
        }
        Command::UserCollisions { limit } => Ok(names::collisions(&engine.collisions(limit).await.map_err(sentence)?)),
        Command::UserRename { who, username, email } => {
            names::rename(engine, &find(engine, &who).await?, username, email).await
        }
        Command::UserShow(who) => person::show(engine, &find(engine, &who).await?).await,
        Command::UserSetPassword { who, password } => {
            person::set_password(engine, &find(engine, &who).await?, password).await
        }
        Command::UserToken { who, ttl, reusable } => {
            person::token(engine, &find(engine, &who).await?, ttl, reusable).await
        }
        Command::UserTokenRevoke(who) => person::revoke_token(engine, &find(engine, &who).await?).await,
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
        Command::AppCreate { .. } | Command::AppList | Command::AppDelete(_) | Command::AppRotateKey => {
            app::execute(engine, command).await
        }
        Command::Clock { accept } => {
            let read = if accept { engine.accept_clock().await.map_err(sentence)? } else { engine.clock_reading() };
            let moment = |at: domain::Timestamp| onelogin::wire_time::with_millis(at.0);
            let behind = read.trusted.since(read.wall) / domain::model::time::SECOND;
            let json = json!({ "clock": moment(read.wall), "trusted": moment(read.trusted), "behind_seconds": behind });
            let said = match behind {
                0 => "They agree.".to_owned(),
                1.. => format!(
                    "The clock is {behind} seconds behind the highest time seen. If it is right now: countersign clock --accept"
                ),
                _ => format!("The clock has leapt {} seconds ahead and is not believed yet.", -behind),
            };
            Ok(lines(
                json,
                vec![
                    format!("The machine's clock: {}", moment(read.wall)),
                    format!("Trusted time:        {}", moment(read.trusted)),
                    said,
                ],
            ))
        }
        Command::Webhook(command) => webhook::execute(engine, command).await,
    }
}

impl From<&Command> for Intent {
    fn from(command: &Command) -> Self {
        match command {
            Command::Client(ClientCommand::List | ClientCommand::Show(_))
            | Command::UserList { .. }
            | Command::UserCollisions { .. }
            | Command::UserShow(_)
            | Command::DeviceList(_)
            | Command::AppList
            | Command::Clock { accept: false }
            | Command::Webhook(WebhookCommand::List | WebhookCommand::Deliveries { .. }) => Self::Read,
            Command::Client(
                ClientCommand::Create { .. }
                | ClientCommand::Revoke(_)
                | ClientCommand::Rotate(_)
                | ClientCommand::Set(..),
            )
            | Command::UserCreate(_)
            | Command::UserRename { .. }
            | Command::UserSetPassword { .. }
            | Command::UserToken { .. }
            | Command::UserTokenRevoke(_)
            | Command::UserUnlock(_)
            | Command::UserDelete(_)
            | Command::UserMfa { .. }
            | Command::DeviceDisable { .. }
            | Command::DeviceDelete { .. }
            | Command::AppCreate { .. }
            | Command::AppDelete(_)
            | Command::AppRotateKey
            | Command::Clock { accept: true }
            | Command::Webhook(
                WebhookCommand::Create { .. }
                | WebhookCommand::Delete { .. }
                | WebhookCommand::Enable { .. }
                | WebhookCommand::Rotate { .. }
                | WebhookCommand::Replay { .. }
                | WebhookCommand::ReplaySince { .. }
                | WebhookCommand::Test { .. },
            ) => Self::Write,
        }
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

pub(crate) fn user_json(user: &User, now: Timestamp) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "phone": user.phone,
        "firstname": user.profile.texts.get("firstname"),
        "lastname": user.profile.texts.get("lastname"),
        "status": user.shown(now).0.number(),
    })
}

fn user_list(users: &[User], now: Timestamp) -> Report {
    let rows = users
        .iter()
        .map(|user| {
            vec![
                user.id.to_string(),
                or_dash(user.username.as_deref()),
                or_dash(user.email.as_deref()),
                or_dash(user.phone.as_deref()),
                status(user, now),
            ]
        })
        .collect();
    let header = ["id", "username", "email", "phone", "status"].map(str::to_owned).to_vec();
    Report { json: users.iter().map(|user| user_json(user, now)).collect(), text: Text::Table(header, rows) }
}

pub(crate) fn lines(json: Value, text: Vec<String>) -> Report {
    Report { json, text: Text::Lines(text) }
}

pub(crate) fn status(user: &User, now: Timestamp) -> String {
    words::user_status(user.shown(now).0).to_owned()
}

pub(crate) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("–").to_owned()
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
