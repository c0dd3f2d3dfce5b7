//! The handle of the page that waits for a phone: sealed, so that no other page can make one, and no proxy reads anything in it.

use domain::{Place, Sealed, UserId, VerificationId};
use serde::{Deserialize, Serialize};

use crate::{Engine, Fault};

/// What the address of a page that waits for a phone holds, sealed: no other page can make one, and it tells no proxy anything.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) registration: VerificationId,
    pub(super) token: String,
    pub(super) code: String,
    /// Whether the phone takes the place of the devices that the user has.
    pub(super) replaces: bool,
}

/// Where the handle of a page that waits is sealed.
fn wait_place(user: UserId) -> Place<'static> {
    Place { table: "page", column: "invitation", row: 0, owner: user.0 }
}

impl Engine {
    /// What the page is found by that waits for a phone: only the page of this registration knows it.
    pub(super) fn wait_handle(&self, user: UserId, waiting: &Waiting) -> Result<String, Fault> {
        let plain = serde_json::to_vec(waiting).map_err(Fault::internal)?;
        let sealed = self.keys.seal(wait_place(user), self.chance.bytes(), &plain);
        Ok(format!("{user}.{}", data_encoding::BASE64URL_NOPAD.encode(&sealed.0)))
    }

    pub(super) fn read_wait_handle(&self, handle: &str) -> Option<(UserId, Waiting)> {
        let (user, sealed) = handle.split_once('.')?;
        let user = UserId(user.parse().ok()?);
        let sealed = Sealed(data_encoding::BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?);
        let plain = self.keys.open(wait_place(user), &sealed).ok()?;
        Some((user, serde_json::from_slice(plain.expose()).ok()?))
    }
}
