//! `countersign user`: users, and the tasks of a help desk.

mod credentials;
mod invite;
mod names;
mod show;

use std::process::ExitCode;

use clap::Subcommand;
use domain::model::audit::Actor;
use domain::model::time::MINUTE;
use domain::model::user_patch::UserPatch;
use domain::{MfaPolicy, Timestamp, User};
use engine::{Engine, NewPassword};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Page, UserFilter};

use self::credentials::{Password, revoke_token, set_password, token};
use self::invite::{Invitations, InviteArgs, invite};
use crate::cli::find_user::{UserKey, find};
use crate::cli::report::{Report, or_dash, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, read_line, run, run_as, run_if_agreed, writing};
use crate::installation::Intent;

#[derive(Debug, Subcommand)]
pub(crate) enum UserArgs {
    /// Create a user
    Create {
        /// Name to log in with
        #[arg(long)]
        username: Option<String>,
        /// E-mail address of the user
        #[arg(long)]
        email: Option<String>,
        /// Telephone number as +14155550123
        #[arg(long)]
        phone: Option<String>,
        /// First name of the user
        #[arg(long, alias = "first-name")]
        firstname: Option<String>,
        /// Last name of the user
        #[arg(long, alias = "last-name")]
        lastname: Option<String>,
        /// Id in another system
        #[arg(long)]
        external_id: Option<String>,
        /// Read a password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// Create the installation if there is none, for `countersign serve` to start on
        #[arg(long)]
        init: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List users, or find those who cannot log in
    List {
        /// Most users to list
        #[arg(long, default_value_t = 1000)]
        limit: u32,
        /// Number of users to skip
        #[arg(long, default_value_t = 0)]
        offset: u64,
        /// List only users that share a name with another, each with the command that renames it
        #[arg(long)]
        collisions: bool,
        /// List only users who have devices and can use none: all are disabled, or of factors that are not offered
        #[arg(long)]
        without_usable_device: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Rename a user, or change the e-mail address
    Rename {
        /// Id, user name or e-mail address
        user: String,
        /// New user name; an empty one removes it
        #[arg(long, required_unless_present = "email")]
        username: Option<String>,
        /// New e-mail address; an empty one removes it
        #[arg(long)]
        email: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show a user: devices, locks, failures, what was last accepted and refused
    Show {
        /// Id, user name or e-mail address
        user: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Set whether a log-in asks this user for a factor: `off`, `optional`, `required`, or `default` for the rule of `login.mfa`
    Mfa {
        /// Id, user name or e-mail address
        user: String,
        /// Rule for this user
        #[arg(value_parser = parse_policy)]
        policy: std::option::Option<MfaPolicy>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Set a new password; a random one is shown once
    SetPassword {
        /// Id, user name or e-mail address
        user: String,
        /// Read the password from standard input, instead of drawing a random one
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Issue a temporary token, which replaces a factor; it is shown once
    Token {
        /// Id, user name or e-mail address
        user: String,
        /// Lifetime in minutes: 2 to 4320
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(i64).range(2..=4320))]
        minutes: i64,
        /// Allow more than one use
        #[arg(long)]
        reusable: bool,
        /// Revoke the live token, and issue none
        #[arg(long, conflicts_with_all = ["minutes", "reusable"])]
        revoke: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Invite people to enrol: each gets a link to a page, shown once or sent
    Invite(InviteArgs),
    /// Lift every lock of a user
    Unlock {
        /// Id, user name or e-mail address
        user: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Delete a user with all devices
    Delete {
        /// Id, user name or e-mail address
        user: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
}

impl UserArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        use UserRequest as R;
        match self {
            Self::Create { username, email, phone, firstname, lastname, external_id, password_stdin, init, output } => {
                let password = if password_stdin { Some(read_line()?) } else { None };
                let user = NewUser { username, email, phone, firstname, lastname, external_id, password };
                run_as(writing(init), &output, R::Create(user), false)
            }
            Self::List { limit, collisions: true, output, .. } => run(&output, R::Collisions { limit }),
            Self::List { limit, offset, without_usable_device, output, .. } => {
                run(&output, R::List { offset, limit, without_usable_device })
            }
            Self::Rename { user, username, email, output } => {
                run(&output, R::Rename { user: UserKey(user), username, email })
            }
            Self::Show { user, output } => run(&output, R::Show(UserKey(user))),
            Self::Mfa { user, policy, output } => run(&output, R::Mfa { user: UserKey(user), policy }),
            Self::SetPassword { user, password_stdin, output } => {
                let password = if password_stdin { Some(Password(read_line()?)) } else { None };
                run(&output, R::SetPassword { user: UserKey(user), password })
            }
            Self::Token { user, revoke: true, output, .. } => run(&output, R::RevokeToken(UserKey(user))),
            Self::Token { user, minutes, reusable, revoke: false, output } => {
                run(&output, R::Token { user: UserKey(user), ttl: minutes * MINUTE, reusable })
            }
            Self::Invite(args) => run(&args.output, R::Invite(args.request()?)),
            Self::Unlock { user, output } => run(&output, R::Unlock(UserKey(user))),
            Self::Delete { user, yes, output } => {
                let question = format!("Delete user {user} with all devices? This cannot be undone.");
                run_if_agreed(yes, &question, &output, R::Delete(UserKey(user)))
            }
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserRequest {
    Create(NewUser),
    List {
        offset: u64,
        limit: u32,
        without_usable_device: bool,
    },
    Collisions {
        limit: u32,
    },
    /// An empty name removes the name.
    Rename {
        user: UserKey,
        username: Option<String>,
        email: Option<String>,
    },
    Show(UserKey),
    Unlock(UserKey),
    Delete(UserKey),
    /// No password: the engine makes a random one.
    SetPassword {
        user: UserKey,
        password: Option<Password>,
    },
    /// `ttl` is in milliseconds.
    Token {
        user: UserKey,
        ttl: i64,
        reusable: bool,
    },
    RevokeToken(UserKey),
    Invite(Invitations),
    /// No policy: the rule of `login.mfa`.
    Mfa {
        user: UserKey,
        policy: Option<MfaPolicy>,
    },
}

/// A user to create.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct NewUser {
    username: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    external_id: Option<String>,
    password: Option<String>,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewUser(…)")
    }
}

impl Request for UserRequest {
    const NOUN: &'static str = "user";

    fn intent(&self) -> Intent {
        match self {
            Self::List { .. } | Self::Collisions { .. } | Self::Show(_) => Intent::Read,
            Self::Create(_)
            | Self::Rename { .. }
            | Self::SetPassword { .. }
            | Self::Token { .. }
            | Self::RevokeToken(_)
            | Self::Invite(_)
            | Self::Unlock(_)
            | Self::Delete(_)
            | Self::Mfa { .. } => Intent::Write,
        }
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        match self {
            Self::Create(user) => create(engine, user).await,
            Self::List { offset, limit, without_usable_device } => {
                let offered = || engine.settings().policy.offered();
                let filter =
                    UserFilter { without_usable: without_usable_device.then(offered), ..UserFilter::default() };
                let page = engine.users(&filter, Page { limit, offset }).await.map_err(sentence)?;
                Ok(list(&page.users, engine.now()))
            }
            Self::Collisions { limit } => Ok(names::collisions(&engine.collisions(limit).await.map_err(sentence)?)),
            Self::Rename { user, username, email } => {
                names::rename(engine, &find(engine, &user).await?, username, email).await
            }
            Self::Show(user) => show::show(engine, &find(engine, &user).await?).await,
            Self::SetPassword { user, password } => set_password(engine, &find(engine, &user).await?, password).await,
            Self::Token { user, ttl, reusable } => token(engine, &find(engine, &user).await?, ttl, reusable).await,
            Self::RevokeToken(user) => revoke_token(engine, &find(engine, &user).await?).await,
            Self::Invite(asked) => invite(engine, asked).await,
            Self::Unlock(user) => {
                let user = find(engine, &user).await?;
                let was_locked = engine.unlock_user(user.id, Actor::default()).await.map_err(sentence)?;
                let outcome = if was_locked { "is unlocked" } else { "was not locked" };
                let json = json!({ "id": user.id, "unlocked": was_locked });
                Ok(Report::line(json, format!("User {} {outcome}.", user.id)))
            }
            Self::Delete(user) => {
                let user = find(engine, &user).await?;
                engine.delete_user(user.id, Actor::default()).await.map_err(sentence)?;
                let text = format!("User {} is deleted, with all devices.", user.id);
                Ok(Report::line(json!({ "id": user.id, "deleted": true }), text))
            }
            Self::Mfa { user, policy } => set_policy(engine, &find(engine, &user).await?, policy).await,
        }
    }
}

async fn create(engine: &Engine, user: NewUser) -> Result<Report, String> {
    if let Some(phone) = &user.phone {
        domain::rules::import::judge_phone(phone).map_err(|unfit| unfit.to_string())?;
    }
    let password = user.password.clone().map(|clear| NewPassword::Clear { clear: clear.into(), validate: true });
    let has_password = password.is_some();
    let patch = patch(user);
    if !patch.names_somebody() {
        return Err("a user needs a name or an e-mail address: pass --username or --email".to_owned());
    }
    let created = engine.create_user(patch, password, Actor::default()).await.map_err(sentence)?;
    let id = created.id;
    let text = if has_password {
        format!("User {id} created.")
    } else {
        format!("User {id} created, without a password: countersign user set-password {id} sets one.")
    };
    Ok(Report::line(show::summary(&created, engine.now()), text))
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

fn list(users: &[User], now: Timestamp) -> Report {
    let rows = users
        .iter()
        .map(|user| {
            vec![
                user.id.to_string(),
                or_dash(user.username.as_deref()),
                or_dash(user.email.as_deref()),
                or_dash(user.phone.as_deref()),
                show::status(user, now),
            ]
        })
        .collect();
    Report::table(
        users.iter().map(|user| show::summary(user, now)).collect(),
        ["id", "username", "email", "phone", "status"],
        rows,
    )
}

async fn set_policy(engine: &Engine, user: &User, policy: Option<MfaPolicy>) -> Result<Report, String> {
    let patch = UserPatch { mfa_policy: Some(policy), ..UserPatch::default() };
    engine.update_user(user.id, patch, None, Actor::default()).await.map_err(sentence)?;
    let rule = match policy {
        None => "default: login.mfa decides whether a log-in asks for a factor",
        Some(MfaPolicy::Off) => "off: a log-in never asks for a factor",
        Some(MfaPolicy::Optional) => {
            "optional: a log-in asks for a factor as long as there is a device that was ever in use"
        }
        Some(MfaPolicy::Required) => "required: without a device or a temporary token there is no log-in",
    };
    Ok(Report::line(json!({ "id": user.id, "mfa": policy }), format!("User {}: {rule}.", user.id)))
}

fn parse_policy(text: &str) -> Result<Option<MfaPolicy>, String> {
    match (text, MfaPolicy::from_name(text)) {
        ("default", _) => Ok(None),
        (_, Some(policy)) => Ok(Some(policy)),
        (_, None) => Err("it is one of default, off, optional, required".to_owned()),
    }
}
