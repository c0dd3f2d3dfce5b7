//! What a paired phone may ask for, and where it is notified (contract 20).

use crate::model::challenge::Challenge;
use crate::model::change::{Change, Decision, View};
use crate::model::device::{Device, DeviceStatus, Subscribed};
use crate::model::digest::Digest;
use crate::model::factor::FactorKind;
use crate::model::id::DeviceId;
use crate::model::time::Timestamp;
use crate::model::verification::Verification;

/// The user's phone of this id, if it is paired and in use.
pub fn paired(view: &View, device: DeviceId) -> Option<&Device> {
    let device = view.device(device)?;
    (device.factor == FactorKind::Push && device.status == DeviceStatus::Active).then_some(device)
}

/// The prompts that wait for this phone, oldest first.
pub fn prompts(view: &View, device: DeviceId, now: Timestamp) -> impl Iterator<Item = &Verification> {
    view.verifications.iter().filter(move |asked| {
        asked.device_id == device && asked.is_open(now) && matches!(asked.challenge, Challenge::Approval { .. })
    })
}

/// Notes where a phone is notified from now on, or that it is not. Says whether the phone is paired.
pub fn subscribe(view: &View, device: DeviceId, subscription: Option<&Subscribed>) -> Decision<bool> {
    let Some(known) = paired(view, device) else { return Decision::reply(false) };
    // A phone says it at each start of its app. Mostly it is no news.
    if known.subscription.as_ref().map(|known| known.mark) == subscription.map(|new| new.mark) {
        return Decision::reply(true);
    }
    Decision::reply(true).with(Change::Subscribe { device, subscription: subscription.cloned() })
}

/// Ends a subscription that its push service no longer knows, unless the phone has another one by now.
pub fn end_subscription(view: &View, device: DeviceId, mark: Digest) -> Option<Change> {
    let known = view.device(device)?.subscription.as_ref()?;
    (known.mark == mark).then_some(Change::Subscribe { device, subscription: None })
}
