//! Finding what an answer is aimed at, and what keeps it from being evaluated at all.

use crate::model::challenge::Challenge;
use crate::model::change::View;
use crate::model::device::{Device, DeviceStatus};
use crate::model::digest::Digest;
use crate::model::factor::FactorKind;
use crate::model::id::{DeviceId, VerificationId};
use crate::model::refusal::{Reason, Rule};
use crate::model::throttle::ThrottleKey;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::model::verification::{Purpose, Verification};
use crate::rules::throttle;

/// What an answer is aimed at: each door of each dialect is one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A device and, where one was issued, a state token.
    Device {
        device: DeviceId,
        /// Digest of the state token.
        state_token: Option<Digest>,
    },
    /// A verification by the id its caller was shown. A device, if given, must match.
    Wire {
        /// The shown id.
        wire_id: String,
        /// Registration or verification.
        purpose: Purpose,
        /// The device the caller believes it to be.
        device: Option<DeviceId>,
    },
    /// A device that makes its own codes, without a verification.
    OwnCodes(DeviceId),
    /// The user's newest open code challenge: the answer names neither device nor verification.
    Newest,
    /// A device in a log-in under way.
    SignIn {
        /// Digest of the log-in's state token.
        state_token: Digest,
        device: DeviceId,
    },
    /// The user's temporary token.
    TempToken,
}

impl Target {
    /// The device and the verification that it names, as far as the user has them.
    pub(super) fn named(&self, view: &View) -> (Option<DeviceId>, Option<VerificationId>) {
        let known = |device: &DeviceId| view.device(*device).map(|device| device.id);
        match self {
            Self::Device { device, .. } | Self::OwnCodes(device) | Self::SignIn { device, .. } => (known(device), None),
            Self::Wire { wire_id, device, .. } => {
                let asked = view.live().find(|v| v.wire_id == *wire_id);
                (device.as_ref().and_then(known), asked.map(|v| v.id))
            }
            Self::Newest | Self::TempToken => (None, None),
        }
    }
}

/// A target found in a view, of a user and a device that are not locked. Made only by [`find`], and all that gives access to a
/// comparison: what is compared is charged to the same target.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The device; `None` for a temporary token.
    pub device: Option<&'a Device>,
    /// The verification, where the target has one.
    pub verification: Option<&'a Verification>,
    view: &'a View,
    user: &'a User,
}

impl<'a> Found<'a> {
    /// The view that it was found in.
    pub(crate) fn view(&self) -> &'a View {
        self.view
    }

    pub(crate) fn user(&self) -> &'a User {
        self.user
    }
}

/// Whether anything of this user may be evaluated at `now` (SEC 26).
pub(super) fn user_unlocked(view: &View, user: &User, now: Timestamp) -> Result<(), Reason> {
    if user.is_barred(now) {
        return Err(Reason::Locked { by: Rule::UserBarred, until: user.barred_until(now) });
    }
    match view.throttle(ThrottleKey::User).locked(now) {
        Some(until) => Err(Reason::Locked { by: Rule::UserThrottle, until: Some(until) }),
        None => Ok(()),
    }
}

/// Whether answers with `device` may be evaluated at `now`; `None` asks about the temporary token.
pub(super) fn unlocked(view: &View, user: &User, device: Option<&Device>, now: Timestamp) -> Result<(), Reason> {
    if user.is_barred(now) {
        return Err(Reason::Locked { by: Rule::UserBarred, until: user.barred_until(now) });
    }
    if device.is_some_and(|d| d.status == DeviceStatus::Disabled) {
        return Err(Reason::Locked { by: Rule::DeviceDisabled, until: None });
    }
    match throttle::lock(view, device.map(|d| d.id), now) {
        Some((by, until)) => Err(Reason::Locked { by, until: Some(until) }),
        None => Ok(()),
    }
}

/// Finds what an answer is aimed at, and judges everything that does not need the answer itself, in the order of
/// decision 20: user, device, lock, verification.
pub fn find<'a>(view: &'a View, target: &Target, now: Timestamp) -> Result<Found<'a>, Reason> {
    let user = view.user.as_ref().ok_or(Reason::NoUser)?;
    let unlocked = |device| unlocked(view, user, device, now);
    let found = |device, verification| Ok(Found { device, verification, view, user });
    match target {
        Target::TempToken => {
            unlocked(None)?;
            found(None, None)
        }
        Target::OwnCodes(device) => {
            let device = view.device(*device).filter(|d| d.status.was_ever_active()).ok_or(Reason::NoDevice)?;
            unlocked(Some(device))?;
            if !device.factor.needs_trigger() {
                return found(Some(device), None);
            }
            // A prompt, digits shown on a screen, and a link without a code are not answered by typing (decisions 13, 34, 76).
            let is_elsewhere = |v: &Verification| match &v.challenge {
                Challenge::Keypad { .. } => true,
                Challenge::Link(link) => link.code.is_none(),
                _ => false,
            };
            let elsewhere = |v: &Verification| v.device_id == device.id && v.is_open(now) && is_elsewhere(v);
            if device.factor == FactorKind::Push || view.verifications.iter().any(elsewhere) {
                return Err(Reason::NotTyped);
            }
            // A code that was sent to this device, without naming its verification.
            let newest = view
                .verifications
                .iter()
                .rfind(|v| {
                    v.device_id == device.id
                        && v.is_open(now)
                        && v.purpose == Purpose::Login
                        && v.challenge.sent_code().is_some()
                })
                .ok_or(Reason::NotOpen)?;
            found(Some(device), Some(newest))
        }
        Target::Device { device, state_token } => {
            let device = view.device(*device).filter(|d| d.is_listed()).ok_or(Reason::NoDevice)?;
            unlocked(Some(device))?;
            let verification = match state_token {
                Some(token) => Some(
                    view.verifications
                        .iter()
                        .filter(|v| v.purpose != Purpose::SignIn)
                        .find(|v| v.device_id == device.id && v.state_token.as_ref().is_some_and(|t| t.matches(token)))
                        .filter(|v| v.is_live() && now < v.expires_at)
                        .ok_or(Reason::NotOpen)?,
                ),
                None if device.factor.needs_trigger() => return Err(Reason::StateTokenMissing),
                None => None,
            };
            found(Some(device), verification)
        }
        Target::SignIn { state_token, device } => {
            let device = view.device(*device).filter(|d| d.status.was_ever_active()).ok_or(Reason::NoDevice)?;
            unlocked(Some(device))?;
            let put = view.verifications.iter().rfind(|v| {
                v.purpose == Purpose::SignIn
                    && v.device_id == device.id
                    && v.is_live()
                    && now < v.expires_at
                    && v.state_token.as_ref().is_some_and(|t| t.matches(state_token))
            });
            match put {
                // Nothing was sent that a code could answer.
                None if device.factor.needs_trigger() => Err(Reason::NotTyped),
                verification => found(Some(device), verification),
            }
        }
        Target::Wire { wire_id, purpose, device } => {
            let verification = view.live().find(|v| v.wire_id == *wire_id && v.purpose == *purpose);
            let Some(verification) = verification else {
                // An ended verification is out of sight here, but the locks that need no verification speak first.
                user_unlocked(view, user, now)?;
                if let Some(device) = device.and_then(|id| view.device(id)) {
                    unlocked(Some(device))?;
                }
                return Err(Reason::NotOpen);
            };
            if device.is_some_and(|id| id != verification.device_id) {
                return Err(Reason::NoDevice);
            }
            let device = view.device(verification.device_id).ok_or(Reason::NoDevice)?;
            unlocked(Some(device))?;
            if !verification.is_open(now) {
                return Err(Reason::NotOpen);
            }
            found(Some(device), Some(verification))
        }
        Target::Newest => {
            let newest = view
                .verifications
                .iter()
                .rfind(|v| v.is_open(now) && v.purpose == Purpose::Login && v.challenge.sent_code().is_some());
            let Some(verification) = newest else {
                user_unlocked(view, user, now)?;
                return Err(Reason::NotOpen);
            };
            let device = view.device(verification.device_id).ok_or(Reason::NoDevice)?;
            unlocked(Some(device))?;
            found(Some(device), Some(verification))
        }
    }
}
