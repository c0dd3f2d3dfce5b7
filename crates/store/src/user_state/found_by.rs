//! What is found without knowing whose it is: by the id of a verification that a person answers, by a pairing code, by
//! the token of a log-in, of a link or of an invitation, by the secret of a device. Each is a row that names the user.
//! The rows are derived from the user's state: those of the state before and after a decision are compared, and the
//! difference is written.

use domain::{Challenge, ClientId, Device, DeviceId, Digest, Purpose, SecretMac, SessionKind, Timestamp, UserId, View};

use crate::schema::sql;
use crate::value::{Write, id, params};

/// What is found by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A verification that a person answers, by its id.
    Verification,
    /// A registration that waits for a phone or has just paired one, by the digest of its pairing code.
    Pairing,
    /// A log-in under way, by its state token's digest.
    LogIn,
    /// A session token, by its digest.
    SessionToken,
    /// A verification that waits for its link, by the digest of the link's token.
    Link,
    /// An invitation, by the digest of its token.
    Invitation,
}

impl Found {
    /// The stored number.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Verification => 0,
            Self::Pairing => 1,
            Self::LogIn => 2,
            Self::SessionToken => 3,
            Self::Link => 4,
            Self::Invitation => 5,
        }
    }
}

/// A key by which something is found: a digest, or an id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    digest: Vec<u8>,
    found: Found,
    /// The verification that a pairing code or a link belongs to.
    verification: Option<Vec<u8>>,
}

/// An origin from which a browser may hand in a session token.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    name: String,
    token: Digest,
    ends_at: Timestamp,
}

/// All keys of a user.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    digests: Vec<Key>,
    origins: Vec<Origin>,
    secrets: Vec<(SecretMac, DeviceId)>,
    /// Devices that make codes of a secret without a mark.
    unmarked: Vec<DeviceId>,
    clients: Vec<ClientId>,
}

impl Keys {
    /// The keys of a state, in which these clients may have begun something.
    pub(super) fn of(view: &View, clients: &[ClientId]) -> Self {
        let mut keys: Vec<Key> = Vec::new();
        let mut origins = Vec::new();
        let mut add = |digest: Vec<u8>, found, verification| {
            // The challenges of a log-in carry its token too.
            if keys.iter().all(|known| known.digest != digest) {
                keys.push(Key { digest, found, verification });
            }
        };
        for session in &view.sessions {
            let token = session.token.0.to_vec();
            match &session.kind {
                SessionKind::LogIn { .. } => add(token, Found::LogIn, None),
                SessionKind::SessionToken { terms } => {
                    add(token, Found::SessionToken, None);
                    for origin in &terms.origins {
                        let listed = Origin { name: origin.clone(), token: session.token, ends_at: session.expires_at };
                        if !origins.contains(&listed) {
                            origins.push(listed);
                        }
                    }
                }
                // A browser says whose it is.
                SessionKind::Browsing | SessionKind::RememberedBrowser => {}
                SessionKind::Invitation { .. } => add(token, Found::Invitation, None),
            }
        }
        for asked in &view.verifications {
            if let (Purpose::SignIn, Some(token)) = (asked.purpose, asked.state_token) {
                add(token.0.to_vec(), Found::LogIn, None);
            }
            if let Some(hash) = asked.paired_with() {
                // A phone that lost the answer asks again with its code.
                add(hash.to_bytes().to_vec(), Found::Pairing, Some(id(asked.id)));
            }
            if !asked.status.is_pending() {
                continue;
            }
            match &asked.challenge {
                // Their callers name the user.
                Challenge::Own | Challenge::Untriggered => {}
                Challenge::Code { .. } | Challenge::Keypad { .. } | Challenge::Approval { .. } => {
                    add(id(asked.id), Found::Verification, None);
                }
                Challenge::Link(link) => {
                    add(id(asked.id), Found::Verification, None);
                    add(link.token.0.to_vec(), Found::Link, Some(id(asked.id)));
                }
                Challenge::Pairing { hash } => {
                    add(id(asked.id), Found::Verification, None);
                    add(hash.to_bytes().to_vec(), Found::Pairing, Some(id(asked.id)));
                }
            }
        }
        let secret = |device: &Device| Some((device.secret?.mac, device.id));
        let is_unmarked = |device: &&Device| device.secret.is_none() && device.factor.makes_codes();
        Self {
            digests: keys,
            origins,
            secrets: view.devices.iter().filter_map(secret).collect(),
            unmarked: view.devices.iter().filter(is_unmarked).map(|device| device.id).collect(),
            clients: clients.to_vec(),
        }
    }

    /// What makes the rows of these keys out of those before.
    pub(super) fn follow(&self, before: &Self, user: UserId, writes: &mut Vec<Write>) {
        let mut write = |statement, params| writes.push(Write::new(statement, params));
        for gone in missing(&before.digests, &self.digests) {
            write(sql::DELETE_LOOKUP, params![gone.digest.clone()]);
        }
        for gone in missing(&before.origins, &self.origins) {
            write(sql::DELETE_ORIGIN, params![gone.name.as_str(), gone.token]);
        }
        for (mac, device) in missing(&before.secrets, &self.secrets) {
            write(sql::DELETE_SECRET_DEVICE, params![*mac, device.0]);
        }
        for device in missing(&before.unmarked, &self.unmarked) {
            write(sql::DELETE_UNMARKED, params![device.0]);
        }
        for client in missing(&before.clients, &self.clients) {
            write(sql::DELETE_BEGUN, params![client.0, user.0]);
        }
        for Key { digest, found, verification } in missing(&self.digests, &before.digests) {
            write(sql::INSERT_LOOKUP, params![digest.clone(), found.number(), user.0, verification.clone()]);
        }
        for Origin { name, token, ends_at } in missing(&self.origins, &before.origins) {
            write(sql::INSERT_ORIGIN, params![name.as_str(), *token, *ends_at]);
        }
        for (mac, device) in missing(&self.secrets, &before.secrets) {
            write(sql::INSERT_SECRET_DEVICE, params![*mac, device.0, user.0]);
        }
        for device in missing(&self.unmarked, &before.unmarked) {
            write(sql::INSERT_UNMARKED, params![device.0, user.0]);
        }
        for client in missing(&self.clients, &before.clients) {
            write(sql::INSERT_BEGUN, params![client.0, user.0]);
        }
    }
}

/// What is in the first list only.
fn missing<'a, T: PartialEq>(of: &'a [T], others: &[T]) -> impl Iterator<Item = &'a T> {
    of.iter().filter(|one| !others.contains(one))
}
