//! Sealing what a row of the database must not show.

use domain::{Content, Message, PushSubscription, Sealed, SecretMark, Subscribed, UserId};

use super::credential::{Kept, open_credential};
use crate::{Engine, Fault};

impl Engine {
    /// Seals a message's words for its row.
    pub(crate) fn seal_content(&self, id: domain::MessageId, user: UserId, content: &Content) -> Result<Sealed, Fault> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(content).map_err(Fault::internal)?);
        Ok(self.keys.seal(Message::place(id, user), self.chance.bytes(), &plain))
    }

    /// Seals a credential for its device's row, with the mark by which its secret is recognised.
    pub(crate) fn seal_credential(
        &self,
        id: domain::DeviceId,
        user: UserId,
        credential: &domain::Credential,
    ) -> Result<Kept, Fault> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(credential).map_err(Fault::internal)?);
        let sealed = self.keys.seal(domain::Device::credential_place(id, user), self.chance.bytes(), &plain);
        Ok(Kept { sealed, secret: SecretMark::of(credential, self.installation_key.key()) })
    }

    /// Seals a phone's subscription for its device.
    pub(crate) fn seal_subscription(
        &self,
        (user, device): (UserId, domain::DeviceId),
        subscription: &PushSubscription,
    ) -> Result<Subscribed, Fault> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(subscription).map_err(Fault::internal)?);
        let sealed = self.keys.seal(domain::Device::subscription_place(device, user), self.chance.bytes(), &plain);
        Ok(Subscribed { mark: subscription.mark(), sealed })
    }

    /// Opens a phone's subscription, if it has one.
    pub(crate) fn open_subscription(&self, device: &domain::Device) -> Result<Option<PushSubscription>, Fault> {
        let Some(subscribed) = &device.subscription else { return Ok(None) };
        let place = domain::Device::subscription_place(device.id, device.user_id);
        let plain = self.keys.open(place, &subscribed.sealed).map_err(Fault::internal)?;
        serde_json::from_slice(plain.expose()).map(Some).map_err(Fault::internal)
    }

    /// Opens a device's credential.
    pub(crate) fn open_credential(&self, device: &domain::Device) -> Result<domain::Credential, Fault> {
        open_credential(&self.keys, device).map_err(Fault::internal)
    }
}
