//! Sealing what a row of the database must not show.

use domain::{Content, Message, Sealed, SecretMark, UserId};

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

    /// Opens a device's credential.
    pub(crate) fn open_credential(&self, device: &domain::Device) -> Result<domain::Credential, Fault> {
        open_credential(&self.keys, device).map_err(Fault::internal)
    }
}
