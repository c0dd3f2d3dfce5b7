//! An enrolled authenticator.

use crate::model::digest::Digest;
use crate::model::factor::FactorKind;
use crate::model::id::{DeviceId, UserId};
use crate::model::seal::{Place, Sealed};
use crate::model::secret_mark::SecretMark;
use crate::model::time::Timestamp;

/// Most devices of one user (SEC 35).
pub const MAX_DEVICES: usize = 20;

/// `last_counter` of a device that has accepted nothing yet: the number below the first. Rules compute with it as with any
/// other, so a fresh device is no special case (decision 65).
pub const BEFORE_FIRST_COUNTER: i64 = -1;

/// The state of a device. A deleted device has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceStatus {
    /// Hidden behind an open registration: shown nowhere, gone when the registration ends (decision 15).
    Registering,
    /// Enrolled in the open and never verified: listed as not active until deleted.
    Pending,
    Active,
    /// Too many wrong answers; an administrator unlocks it (SEC 22).
    Disabled,
}

impl DeviceStatus {
    /// The stored number.
    pub fn number(self) -> i64 {
        match self {
            Self::Registering => 0,
            Self::Pending => 1,
            Self::Active => 2,
            Self::Disabled => 3,
        }
    }

    /// Whether a device of this status was in use at some time, and so is a second factor its user has, usable now or not.
    /// Only an active device is ever disabled, so a disabled one was.
    pub fn was_ever_active(self) -> bool {
        match self {
            Self::Registering | Self::Pending => false,
            Self::Active | Self::Disabled => true,
        }
    }

    /// The status with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Registering, Self::Pending, Self::Active, Self::Disabled].into_iter().find(|s| s.number() == number)
    }
}

/// A device. The credential stays sealed in every view a decision sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id, drawn before the decision since sealing binds it.
    pub id: DeviceId,
    /// Whose it is.
    pub user_id: UserId,
    /// What kind it is.
    pub factor: FactorKind,
    /// The name its owner gave it.
    pub display_name: String,
    pub status: DeviceStatus,
    /// The sealed [`crate::model::credential::Credential`].
    pub credential: Sealed,
    /// How its secret is recognised, where it has one to make codes with.
    pub secret: Option<SecretMark>,
    /// The last accepted counter or time step, [`BEFORE_FIRST_COUNTER`] before the first: all that moves in a device (SEC 2).
    pub last_counter: i64,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// When it last proved something.
    pub last_used_at: Option<Timestamp>,
    /// Where a phone is notified, if it wants to be. It changes as the browser likes, so it is no part of the credential (decision 13).
    pub subscription: Option<Subscribed>,
}

/// Where a phone is notified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribed {
    /// By which the same one is recognised ([`crate::model::subscription::PushSubscription::mark`]).
    pub mark: Digest,
    /// The sealed [`crate::model::subscription::PushSubscription`].
    pub sealed: Sealed,
}

impl Device {
    /// Where this device's credential is sealed.
    pub fn credential_place(id: DeviceId, owner: UserId) -> Place<'static> {
        Place { table: "device", column: "credential", row: id.0, owner: owner.0 }
    }

    /// Where its subscription is sealed.
    pub fn subscription_place(id: DeviceId, owner: UserId) -> Place<'static> {
        Place { table: "device", column: "subscription", row: id.0, owner: owner.0 }
    }

    /// Whether device lists show it: everything but what hides behind a registration.
    pub fn is_listed(&self) -> bool {
        self.status != DeviceStatus::Registering
    }
}

/// The default device: the oldest active one, else the oldest listed one (decision 16). Derived, never stored, so it
/// cannot point at a device that is gone.
pub fn default_device(devices: &[Device]) -> Option<DeviceId> {
    let oldest =
        |status: DeviceStatus| devices.iter().filter(|d| d.status == status).map(|d| (d.created_at, d.id)).min();
    oldest(DeviceStatus::Active).or_else(|| oldest(DeviceStatus::Pending)).map(|(_, id)| id)
}
