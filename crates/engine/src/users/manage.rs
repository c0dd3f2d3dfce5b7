//! Users: created, changed, locked and removed.

use domain::model::audit::Actor;
use domain::model::name::Holder;
use domain::model::user::MAX_CUSTOM_ATTRIBUTES;
use domain::model::user_patch::UserPatch;
use domain::rules::user::{self, Unlocked, Updated};
use domain::{ClientId, User, UserField, UserId};
use store::{Collision, IdKind, Page, UserFilter, UserPage};
use zeroize::Zeroizing;

use crate::decision_name::DecisionName;
use crate::login::foreign_password::ForeignPassword;
use crate::login::password_fault::PasswordError;
use crate::users::error::{CreateUserError, UpdateUserError, UserError};
use crate::{Engine, Fault};

/// Where the highest cost of a bcrypt hash that ever came from elsewhere is kept.
const BCRYPT_COST: &str = "password.bcrypt_cost";

/// A password to set.
#[derive(Clone)]
pub enum NewPassword {
    /// As the person types it.
    Clear {
        clear: Zeroizing<String>,
        /// Whether the block-list applies too.
        validate: bool,
    },
    /// As another system kept it; nothing can be judged about it.
    Foreign(ForeignPassword),
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

impl Engine {
    /// The user of this id.
    pub async fn user(&self, id: UserId) -> Result<User, UserError> {
        self.store.view(id).await?.user.ok_or(UserError::NoUser)
    }

    /// Users that match, ordered by id.
    pub async fn users(&self, filter: &UserFilter, page: Page) -> Result<UserPage, Fault> {
        Ok(self.store.users(filter, page).await?)
    }

    /// The names of the custom attributes that the first `users` users have, in no order.
    pub async fn attribute_names(&self, users: u32) -> Result<Vec<String>, Fault> {
        Ok(self.store.attribute_names(users).await?)
    }

    /// The user who logs in with this user name or mail address.
    pub async fn user_by_login(&self, name: &str) -> Result<Option<User>, Fault> {
        match self.store.user_by_login(name).await? {
            Some(id) => Ok(self.store.view(id).await?.user),
            None => Ok(None),
        }
    }

    /// Everybody who holds this name; more than one only where rows of earlier versions collide.
    pub async fn holders(&self, name: &str) -> Result<Vec<Holder>, Fault> {
        Ok(self.store.holders(name).await?)
    }

    /// Users of earlier versions whose names collide; at most `limit` users in all.
    pub async fn collisions(&self, limit: u32) -> Result<Vec<Collision>, Fault> {
        Ok(self.store.collisions(limit).await?)
    }

    /// How many names several users hold.
    pub async fn colliding_names(&self) -> Result<u64, Fault> {
        Ok(self.store.colliding_names().await?)
    }

    /// Creates a user.
    pub async fn create_user(
        &self,
        patch: UserPatch,
        password: Option<NewPassword>,
        by: Actor,
    ) -> Result<User, CreateUserError> {
        let patch = self.with_password(judged(patch).map_err(CreateUserError::BadField)?, password, by.client).await?;
        let id = UserId(self.store.next_id(IdKind::User).await?);
        let now = self.now();
        Ok(self.decide(DecisionName::CreateUser, id, move |_| user::create(id, &patch, &by, now)).await?)
    }

    /// Sets fields of a user.
    pub async fn update_user(
        &self,
        id: UserId,
        patch: UserPatch,
        password: Option<NewPassword>,
        by: Actor,
    ) -> Result<User, UpdateUserError> {
        // Look for the user first: a hash is expensive.
        let present = self.user(id).await?;
        let patch = self
            .with_password(judged(patch.beyond(&present)).map_err(UpdateUserError::BadField)?, password, by.client)
            .await?;
        let now = self.now();
        match self.decide(DecisionName::UpdateUser, id, move |view| user::update(view, &patch, &by, now)).await? {
            Updated::Updated(user) => Ok(*user),
            Updated::NoUser => Err(UpdateUserError::NoUser),
            Updated::TooManyAttributes => Err(UpdateUserError::BadField(UserField::CustomAttributes)),
        }
    }

    /// Removes a user with all devices and open verifications.
    pub async fn delete_user(&self, id: UserId, by: Actor) -> Result<(), UserError> {
        let now = self.now();
        let deleted = self.decide(DecisionName::DeleteUser, id, move |view| user::delete(view, &by, now)).await?;
        deleted.then_some(()).ok_or(UserError::NoUser)
    }

    /// Locks a user for so many minutes, 0 until unlocked.
    pub async fn lock_user(&self, id: UserId, minutes: i64, by: Actor) -> Result<(), UserError> {
        let now = self.now();
        let locked = self.decide(DecisionName::LockUser, id, move |view| user::lock(view, minutes, &by, now)).await?;
        locked.then_some(()).ok_or(UserError::NoUser)
    }

    /// Lifts every lock of a user. Says whether there was one.
    pub async fn unlock_user(&self, id: UserId, by: Actor) -> Result<bool, UserError> {
        let now = self.now();
        let (keys, at) = (self.keys.clone(), self.time.for_codes());
        let decide = move |view: &domain::View| match newest_steps(view, &keys, at) {
            Ok(newest) => user::unlock(view, &newest, &by, now).map(Ok),
            Err(error) => domain::Decision::reply(Err(error)),
        };
        match self.decide(DecisionName::UnlockUser, id, decide).await?.map_err(Fault::internal)? {
            Unlocked::Unlocked => Ok(true),
            Unlocked::NotLocked => Ok(false),
            Unlocked::NoUser => Err(UserError::NoUser),
        }
    }

    /// Ends a user's pending state tokens and open verifications.
    pub async fn log_out(&self, id: UserId, by: Actor) -> Result<(), UserError> {
        let now = self.now();
        let known = self.decide(DecisionName::LogOut, id, move |view| user::log_out(view, &by, now)).await?;
        known.then_some(()).ok_or(UserError::NoUser)
    }

    /// Remembers how long a hash that came from elsewhere takes, before anybody can be asked for it: refusals take as long
    /// from then on (SEC 31). Other nodes learn it with their first such log-in, or at their next start.
    async fn remember_pace(&self, stored: &str) -> Result<(), Fault> {
        let Some(cost) = crate::login::password::bcrypt_cost(stored) else { return Ok(()) };
        let known = self.store.meta(BCRYPT_COST).await?.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        if known.map_or(0, u32::from_be_bytes) < cost {
            self.store.set_meta(BCRYPT_COST, &cost.to_be_bytes()).await?;
        }
        self.hasher.learn(cost).await
    }

    /// Finds out how long a refused log-in has to take, from what was remembered.
    pub(crate) async fn learn_pace(&self) {
        let learnt = async {
            match self.store.meta(BCRYPT_COST).await?.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()) {
                Some(cost) => self.hasher.learn(u32::from_be_bytes(cost)).await,
                None => Ok(()),
            }
        };
        if let Err(error) = learnt.await {
            tracing::warn!(%error, "how long the longest password hash takes is not known before its first log-in");
        }
    }

    /// How many milliseconds a refused log-in takes at least.
    pub fn refusal_takes(&self) -> i64 {
        self.hasher.longest()
    }

    async fn with_password(
        &self,
        patch: UserPatch,
        password: Option<NewPassword>,
        client: Option<ClientId>,
    ) -> Result<UserPatch, PasswordError> {
        let Some(password) = password else { return Ok(patch) };
        let hash = match password {
            NewPassword::Clear { clear, validate } => {
                self.hasher.hash_new(client, clear, validate, self.chance.bytes()).await?
            }
            NewPassword::Foreign(foreign) => {
                let hash = self.hasher.hash_foreign(client, foreign, self.chance.bytes()).await?;
                self.remember_pace(&hash).await?;
                hash
            }
        };
        Ok(UserPatch { password_hash: Some(hash), ..patch })
    }
}

/// The newest step that can have been used by now, of each device that counts by time.
fn newest_steps(
    view: &domain::View,
    keys: &domain::Keyring,
    at: domain::Timestamp,
) -> Result<Vec<(domain::DeviceId, i64)>, crate::keys::credential::SealedError> {
    let mut newest = Vec::new();
    for device in view.devices.iter().filter(|device| device.factor == domain::FactorKind::Totp) {
        if let domain::Credential::Totp(totp) = crate::keys::credential::open_credential(keys, device)? {
            newest.push((device.id, totp.newest_step(at)));
        }
    }
    Ok(newest)
}

/// Longest profile text, in characters.
const TEXT_MAX: usize = 1_000;

/// Puts names into the form that is kept, and refuses texts that are too long or deceive (SEC 36); nothing is ever cut
/// but the white space around a name. Every door that takes a user comes through here.
pub(crate) fn judged(patch: UserPatch) -> Result<UserPatch, UserField> {
    let patch = patch.tidied()?;
    let limited = |text: &str, max: usize| {
        domain::model::text::is_clean(&text.replace(['\n', '\r', '\t'], " ")) && text.chars().count() <= max
    };
    for (name, value) in &patch.texts {
        let max =
            if matches!(name.as_str(), "firstname" | "lastname") { domain::model::text::NAME_MAX } else { TEXT_MAX };
        if value.as_ref().is_some_and(|text| !limited(text, max)) {
            return Err(UserField::Text);
        }
    }
    if patch.custom_attributes.len() > MAX_CUSTOM_ATTRIBUTES {
        return Err(UserField::CustomAttributes);
    }
    for (name, value) in &patch.custom_attributes {
        if !domain::model::text::is_name(name) || value.as_ref().is_some_and(|text| !limited(text, TEXT_MAX)) {
            return Err(UserField::CustomAttributes);
        }
    }
    Ok(patch)
}
