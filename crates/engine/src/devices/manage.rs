//! Removing and disabling devices.

use domain::model::audit::Actor;
use domain::rules::enrolment::{self, DisableOutcome};
use domain::{DeviceId, UserId};

use crate::decision_name::DecisionName;
use crate::users::error::UserError;
use crate::{Engine, Fault};

impl Engine {
    /// Removes a device. Says whether there was one; an unknown user is an error.
    pub async fn remove_device(&self, user: UserId, device: DeviceId, context: Actor) -> Result<bool, UserError> {
        let now = self.now();
        let removed = self
            .decide(DecisionName::RemoveDevice, user, move |view| {
                let decision = enrolment::remove(view, device, &context, now);
                decision.map(|removed| view.user.is_some().then_some(removed))
            })
            .await?;
        removed.ok_or(UserError::NoUser)
    }

    /// Puts a device out of use until its user is unlocked.
    pub async fn disable_device(
        &self,
        user: UserId,
        device: DeviceId,
        context: Actor,
    ) -> Result<DisableOutcome, Fault> {
        let now = self.now();
        Ok(self
            .decide(DecisionName::DisableDevice, user, move |view| enrolment::disable(view, device, &context, now))
            .await?)
    }
}
