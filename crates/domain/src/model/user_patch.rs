//! Fields to set on a user, checked and in the form in which they are stored.

use crate::model::name::{is_login_name, spelling, trimmed};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::model::user::{EXTERNAL_ID, ShownStatus, User, UserLock, UserStatus};

/// A field of a user, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserField {
    Username,
    Email,
    Phone,
    /// Any of the profile's texts.
    Text,
    CustomAttributes,
}

impl UserField {
    /// Its name in a profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Text => "text",
            Self::CustomAttributes => "custom_attributes",
        }
    }
}

/// Fields to set on a user. A field without a value stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// Sets or clears the name to log in with.
    pub username: Option<Option<String>>,
    /// Sets or clears the mail address.
    pub email: Option<Option<String>>,
    /// Sets or clears the telephone number.
    pub phone: Option<Option<String>>,
    /// Sets the status and lifts a lock, or puts a lock without end beside the status. What bars the user ends their open
    /// verifications (SEC 56).
    pub status: Option<ShownStatus>,
    /// Sets the approval state.
    pub state: Option<i64>,
    /// Sets (or clears, with `None`) profile texts by name.
    pub texts: Vec<(String, Option<String>)>,
    /// Sets (or clears) profile integers by name.
    pub integers: Vec<(String, Option<i64>)>,
    /// Sets custom attributes; others stay. Null is a value like any other (contract 3.1).
    pub custom_attributes: Vec<(String, Option<String>)>,
    /// Sets the password, already hashed.
    pub password_hash: Option<String>,
    /// Sets the user's own rule on factors at a log-in, or clears it.
    pub mfa_policy: Option<Option<crate::model::policy::MfaPolicy>>,
}

impl UserPatch {
    /// Names as they are kept: without white space around them, and absent if nothing is left; a number in its canonical
    /// form, an id of another system in one spelling. The error is the field that cannot be kept (SEC 34, SEC 36).
    pub fn tidied(mut self) -> Result<Self, UserField> {
        tidy(&mut self.username, is_login_name).ok_or(UserField::Username)?;
        tidy(&mut self.email, text::is_email).ok_or(UserField::Email)?;
        if let Some(phone) = self.phone.take() {
            let written = phone.as_deref().and_then(trimmed);
            self.phone = Some(written.map(|written| text::phone(written).ok_or(UserField::Phone)).transpose()?);
        }
        for (_, value) in self.texts.iter_mut().filter(|(name, _)| name == EXTERNAL_ID) {
            *value = value.as_deref().map(spelling).filter(|id| !id.is_empty());
        }
        Ok(self)
    }

    /// Whether a new user made so could be found again: by a username or a mail address that is more than white space.
    pub fn names_somebody(&self) -> bool {
        [&self.username, &self.email].into_iter().flatten().flatten().any(|name| trimmed(name).is_some())
    }

    /// The patch without what `present` has already. Clients send a whole user back as they read it, and rows of
    /// earlier versions may hold what would be refused today.
    #[must_use]
    pub fn beyond(mut self, present: &User) -> Self {
        let is_there = |old: &Option<String>, new: &Option<Option<String>>| {
            let seen = |text: &Option<String>| text.as_deref().and_then(trimmed).map(str::to_owned);
            old.is_some() && new.as_ref().is_some_and(|new| seen(new) == seen(old))
        };
        for (old, new) in [
            (&present.username, &mut self.username),
            (&present.email, &mut self.email),
            (&present.phone, &mut self.phone),
        ] {
            if is_there(old, new) {
                *new = None;
            }
        }
        self
    }

    pub(crate) fn apply(&self, user: &mut User, now: Timestamp) {
        fn set<T: Clone>(target: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                target.clone_from(value);
            }
        }
        fn put<T: Clone>(map: &mut std::collections::BTreeMap<String, T>, values: &[(String, Option<T>)]) {
            for (name, value) in values {
                match value {
                    Some(value) => map.insert(name.clone(), value.clone()),
                    None => map.remove(name),
                };
            }
        }
        set(&mut user.username, self.username.as_ref());
        set(&mut user.email, self.email.as_ref());
        set(&mut user.phone, self.phone.as_ref());
        set(&mut user.profile.state, self.state.as_ref());
        set(&mut user.profile.mfa_policy, self.mfa_policy.as_ref());
        put(&mut user.profile.texts, &self.texts);
        put(&mut user.profile.integers, &self.integers);
        user.profile.custom_attributes.extend(self.custom_attributes.iter().cloned());
        if self.password_hash.is_some() {
            user.profile.password_hash.clone_from(&self.password_hash);
            user.profile.password_changed_at = Some(now);
            if user.status == UserStatus::PasswordPending {
                user.status = UserStatus::Active;
            }
        }
        match self.status {
            Some(ShownStatus::Is(status)) => (user.status, user.lock) = (status, None),
            Some(ShownStatus::Locked) => user.put_lock(UserLock::UntilLifted),
            None => {}
        }
        if user.status == UserStatus::Active {
            user.profile.activated_at = user.profile.activated_at.or(Some(now));
        }
        user.updated_at = now;
    }
}

/// Trims a text to set. `None` if what is left may not be kept.
#[expect(clippy::option_option, reason = "the shape of a patch: left, cleared, set")]
fn tidy(field: &mut Option<Option<String>>, may_be_kept: impl Fn(&str) -> bool) -> Option<()> {
    if let Some(text) = field.as_ref().and_then(Option::as_deref) {
        let left = trimmed(text).map(str::to_owned);
        if left.as_deref().is_some_and(|left| !may_be_kept(left)) {
            return None;
        }
        *field = Some(left);
    }
    Some(())
}
