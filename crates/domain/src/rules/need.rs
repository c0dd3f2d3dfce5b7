//! Whether a log-in needs a second factor, and what may be shown for it (contract 5.1, SEC 92).
//!
//! These are two questions. Whether a factor is *needed* follows from what the user *has*: every device that exists and was
//! ever in use. What may be *shown* follows from what works now. A device that is locked, disabled or no longer offered
//! stops being shown and goes on being needed, so that no guess, no configuration and no lapse of time lowers the bar. Only
//! a deletion does, since it takes the device itself away.

use crate::model::change::View;
use crate::model::device::{Device, DeviceStatus};
use crate::model::id::DeviceId;
use crate::model::policy::{MfaPolicy, Policy};
use crate::model::time::Timestamp;
use crate::model::user::User;

/// What a log-in needs beside the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    Nothing,
    /// One of these devices, oldest first, or the temporary token. There are none where only a token can be shown.
    Factor(Vec<Device>),
    /// A factor, and none can be shown.
    Unmet(Unmet),
}

/// Why a factor that is needed cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet {
    /// The user has no device.
    NoneHeld,
    /// The user has devices, and all are disabled or of factors that are not offered.
    NoneUsable,
}

impl Unmet {
    /// The word in the audit trail.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoneHeld => "no_factor",
            Self::NoneUsable => "no_usable_factor",
        }
    }
}

/// What a log-in of this user needs at `now`. `exempt` is whether it comes from where policy asks for no factor: a trusted
/// network, a remembered browser.
pub fn of(view: &View, user: &User, policy: &Policy, exempt: bool, now: Timestamp) -> Need {
    let held = view.devices.iter().any(|device| device.status.was_ever_active());
    let asked = match user.profile.mfa_policy.unwrap_or(policy.sign_in.mfa) {
        MfaPolicy::Off => false,
        MfaPolicy::Optional => held,
        MfaPolicy::Required => true,
    };
    if !asked || exempt {
        return Need::Nothing;
    }
    let devices: Vec<Device> = view.devices.iter().filter(|device| is_usable(device, policy)).cloned().collect();
    let token = user.temp_token.as_ref().is_some_and(|token| token.is_live(now));
    match (devices.is_empty(), token, held) {
        (false, _, _) | (true, true, _) => Need::Factor(devices),
        (true, false, true) => Need::Unmet(Unmet::NoneUsable),
        (true, false, false) => Need::Unmet(Unmet::NoneHeld),
    }
}

/// Whether a log-in may be completed with this device, if it is not locked for the moment.
pub fn is_usable(device: &Device, policy: &Policy) -> bool {
    device.status == DeviceStatus::Active && policy.offers(device.factor)
}

/// Whether this device is the only second factor its user has: deleting it takes the need for one away with it.
pub fn is_last_factor(view: &View, device: DeviceId) -> bool {
    let mut held = view.devices.iter().filter(|device| device.status.was_ever_active());
    held.next().is_some_and(|only| only.id == device) && held.next().is_none()
}
