//! Sealing what a row of the database must not show.

use domain::{Content, Keyring, Message, Sealed, SecretMark, UserId};

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

/// A credential as its device keeps it.
pub(crate) struct Kept {
    pub(crate) sealed: Sealed,
    pub(crate) secret: Option<SecretMark>,
}

/// Why a stored credential could not be read: a fault of the installation, never of the caller.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealedError {
    #[error("the credential of device {0} does not open")]
    Closed(i64, #[source] domain::SealError),
    #[error("the credential of device {0} is not one")]
    Shape(i64, #[source] serde_json::Error),
}

pub(crate) fn open_credential(keys: &Keyring, device: &domain::Device) -> Result<domain::Credential, SealedError> {
    let place = domain::Device::credential_place(device.id, device.user_id);
    let plain = keys.open(place, &device.credential).map_err(|error| SealedError::Closed(device.id.0, error))?;
    serde_json::from_slice(plain.expose()).map_err(|error| SealedError::Shape(device.id.0, error))
}
