//! The keys of a subscription, with which its messages are encrypted (RFC 8291, 3.1 and 3.2).

use data_encoding::BASE64URL_NOPAD;
use domain::PushSubscription;
use p256::PublicKey;
use zeroize::Zeroizing;

/// Length of an uncompressed point, in bytes.
pub(super) const POINT: usize = 65;

/// The keys of a subscription, opened.
pub(super) struct Keys {
    pub(super) p256dh: PublicKey,
    pub(super) auth: Zeroizing<[u8; 16]>,
}

impl Keys {
    /// `None` unless `p256dh` is an uncompressed point of P-256 and `auth` has 16 bytes.
    pub(super) fn of(subscription: &PushSubscription) -> Option<Self> {
        let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok().map(Zeroizing::new);
        let auth = bytes(&subscription.auth)?.as_slice().try_into().ok()?;
        // The other forms of a point have other lengths.
        let point = bytes(&subscription.p256dh).filter(|point| point.len() == POINT)?;
        Some(Self { p256dh: PublicKey::from_sec1_bytes(&point).ok()?, auth: Zeroizing::new(auth) })
    }
}
