//! What a state consists of.

use domain::{ClientId, Device, DeviceId, Purpose, Session, Status, Throttle, Timestamp, Verification, VerificationId};

/// As much of a verification as its caller may ask for. Once it has ended with a result, no more than this is kept: what
/// its answer was compared with is gone (SEC 10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVerification {
    pub id: VerificationId,
    /// What its caller knows it by.
    pub wire_id: String,
    /// The device it was put to.
    pub device_id: DeviceId,
    pub purpose: Purpose,
    pub status: Status,
    /// When its time ran out, or would have.
    pub expires_at: Timestamp,
}

/// The state taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) devices: Vec<Device>,
    pub(super) verifications: Vec<Verification>,
    pub(super) ended: Vec<KnownVerification>,
    pub(super) sessions: Vec<Session>,
    pub(super) throttles: Vec<Throttle>,
    /// The clients that may have begun something that lives.
    pub(super) clients: Vec<ClientId>,
}
