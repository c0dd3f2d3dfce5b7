//! Where a browser's push service takes notifications for a phone (RFC 8030, RFC 8291).

use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;

/// A subscription as a browser gives it. It is enough to make the phone show something, so it is sealed at rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushSubscription {
    /// The URL that messages are posted to. It names the phone at its push service.
    pub endpoint: String,
    /// The browser's public key, an uncompressed P-256 point in base64url.
    pub p256dh: String,
    /// The secret that messages are also encrypted with, 16 bytes in base64url.
    pub auth: String,
}

impl PushSubscription {
    /// All of it as one text, a line each: what a phone signs the digest of (contract 20.5).
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}", self.endpoint, self.p256dh, self.auth)
    }

    /// The digest by which it is recognised while it is sealed.
    pub fn mark(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }
}

/// A subscription is personal, and its secret is one (SEC 48).
impl std::fmt::Debug for PushSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushSubscription(…)")
    }
}
