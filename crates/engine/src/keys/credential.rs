//! A credential as its device's row keeps it.

use domain::{Keyring, Sealed, SecretMark};

/// A sealed credential, and the mark by which its secret is recognised.
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

/// Opens a device's credential.
pub(crate) fn open_credential(keys: &Keyring, device: &domain::Device) -> Result<domain::Credential, SealedError> {
    let place = domain::Device::credential_place(device.id, device.user_id);
    let plain = keys.open(place, &device.credential).map_err(|error| SealedError::Closed(device.id.0, error))?;
    serde_json::from_slice(plain.expose()).map_err(|error| SealedError::Shape(device.id.0, error))
}
