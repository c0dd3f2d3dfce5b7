//! Queries: factors, devices, the state of a user and of a verification.

use domain::model::factor::TargetKind;
use domain::model::time::MINUTE;
use domain::rules::enrolment;
use domain::rules::standing::{self, Standing};
use domain::{AuditKind, Device, DeviceId, FactorKind, Purpose, Status, Timestamp, UserId};
use store::{EventFilter, EventPage, KnownVerification};

use crate::challenges::open::CallStyle;
use crate::users::error::UserError;
use crate::{Engine, Event, Fault};

/// How long a result stays readable after its verification's time has run out, in milliseconds (contract 7.10).
const RESULT_READABLE: i64 = 10 * MINUTE;

/// A device as its user's lists show it.
#[derive(Debug, Clone)]
pub struct ListedDevice {
    pub device: Device,
    /// Its number, where it has one.
    pub phone: Option<String>,
    /// Whether it is the user's default.
    pub is_default: bool,
}

/// The state of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationState {
    /// The shown id.
    pub wire_id: String,
    /// Pending, accepted or rejected; what is over without a result is not read at all.
    pub status: Status,
    pub device: DeviceId,
}

impl Engine {
    /// The factors a user can still enrol by a door whose calls are of this style.
    pub async fn factors(&self, user: UserId, call: CallStyle) -> Result<Vec<FactorKind>, UserError> {
        let view = self.store.view(user).await?;
        view.user.as_ref().ok_or(UserError::NoUser)?;
        let mut offered = enrolment::offered(&view, &self.settings.policy);
        offered.retain(|factor| *factor != FactorKind::Voice || self.takes(call));
        Ok(offered)
    }

    /// A user's devices, oldest first, without those still behind a registration.
    pub async fn devices(&self, user: UserId) -> Result<Vec<ListedDevice>, UserError> {
        let devices = self.store.devices(user).await?.ok_or(UserError::NoUser)?;
        let default = domain::model::device::default_device(&devices);
        let listed = devices.into_iter().filter(Device::is_listed);
        listed
            .map(|device| {
                let phone = match device.factor.target() {
                    Some(TargetKind::Phone) => self.open_credential(&device)?.phone().map(str::to_owned),
                    Some(TargetKind::Mail) | None => None,
                };
                Ok(ListedDevice { phone, is_default: default == Some(device.id), device })
            })
            .collect()
    }

    /// The state of a user: locks, wrong answers, live verifications.
    pub async fn standing(&self, user: UserId) -> Result<Standing, UserError> {
        standing::of(&self.store.view(user).await?, self.now()).ok_or(UserError::NoUser)
    }

    /// The newest answers of a user that were accepted, and that were refused, if the newer part of the trail has any. Where
    /// several nodes number the trail in blocks, they may be an hour older than the newest.
    pub async fn last_answers(&self, user: UserId) -> Result<[Option<Event>; 2], Fault> {
        use AuditKind as K;
        let accepted =
            [K::Verified, K::PushAccepted, K::KeypadAnswered, K::LinkConfirmed, K::TempTokenUsed, K::SignedIn];
        let refused = [K::Refused, K::PushDenied, K::PushReported, K::SignInRefused, K::RegistrationRejected];
        let page = EventPage { beyond: None, descending: true, limit: 1 };
        let mut found = [None, None];
        for (place, kinds) in found.iter_mut().zip([&accepted[..], &refused[..]]) {
            let kinds = Some(kinds.iter().map(|kind| kind.name()).collect());
            let filter = EventFilter { user: Some(user), kinds, ..EventFilter::default() };
            *place = self.events(&filter, page).await?.events.into_iter().next();
        }
        Ok(found)
    }

    /// The state of a registration or verification. `None` if it is unknown, another user's, or over without a result.
    pub async fn verification(
        &self,
        user: UserId,
        wire_id: &str,
        purpose: Purpose,
    ) -> Result<Option<VerificationState>, Fault> {
        let found = self.store.verification_by_wire_id(user, wire_id, purpose).await?;
        let now = self.now();
        Ok(found.filter(|v| is_readable(v, now)).map(|v| VerificationState {
            wire_id: v.wire_id,
            status: v.status,
            device: v.device_id,
        }))
    }
}

fn is_readable(verification: &KnownVerification, now: Timestamp) -> bool {
    match verification.status {
        Status::Pending { .. } => now < verification.expires_at,
        Status::Accepted { .. } | Status::Rejected { .. } => now < verification.expires_at.plus(RESULT_READABLE),
        Status::Expired => false,
    }
}
