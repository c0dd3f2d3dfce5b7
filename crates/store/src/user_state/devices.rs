//! What changes do to a user's devices, and to what was used of their secrets.

use domain::model::device::BEFORE_FIRST_COUNTER;
use domain::{Device, DeviceId, DeviceStatus, Sealed, SecretMark, Subscribed, ThrottleKey, Timestamp};

use super::changes::MISSED;
use super::state::{UserState, used_of};
use crate::error::{Error, UniqueField};

impl UserState {
    /// Adds a device. It begins where its secret was left: with this user, or where `found` says.
    pub(crate) fn create_device(&mut self, mut device: Device, found: Option<i64>) -> Result<(), Error> {
        // Otherwise what is used of it would be forgotten with the device.
        if device.factor.makes_codes() != device.secret.is_some() {
            return Err(Error::Corrupt("a secret without its mark"));
        }
        if self.view.device(device.id).is_some() {
            return Err(Error::Conflict(UniqueField::Id));
        }
        if !self.exists {
            return Err(MISSED);
        }
        if let Some(secret) = device.secret {
            let gone = self.used.iter().filter(|(mac, _)| *mac == secret.mac).map(|(_, used)| *used).max();
            if let Some(used) = [used_of(&self.view.devices, secret.mac), gone, found].into_iter().flatten().max() {
                device.last_counter = device.last_counter.max(secret.counts.last_counter(used));
            }
        }
        let place =
            self.view.devices.partition_point(|other| (other.created_at, other.id) < (device.created_at, device.id));
        self.view.devices.insert(place, device);
        self.changed = true;
        Ok(())
    }

    pub(crate) fn activate_device(
        &mut self,
        id: DeviceId,
        counter: Option<i64>,
        credential: Option<Sealed>,
        at: Timestamp,
    ) -> Result<(), Error> {
        if let Some(credential) = credential {
            self.replace_secret(id, None)?;
            self.device(id)?.credential = credential;
        }
        let device = self.device(id)?;
        if !matches!(device.status, DeviceStatus::Registering | DeviceStatus::Pending) {
            return Err(MISSED);
        }
        device.status = DeviceStatus::Active;
        device.last_counter = device.last_counter.max(counter.unwrap_or(BEFORE_FIRST_COUNTER));
        device.last_used_at = Some(at);
        Ok(())
    }

    pub(crate) fn advance_counter(&mut self, id: DeviceId, counter: i64, at: Timestamp) -> Result<(), Error> {
        let device = self.device(id)?;
        if counter <= device.last_counter {
            return Err(Error::Corrupt("a counter that does not go forward"));
        }
        (device.last_counter, device.last_used_at) = (counter, Some(at));
        Ok(())
    }

    pub(crate) fn lower_counter(&mut self, id: DeviceId, counter: i64) -> Result<(), Error> {
        let device = self.device(id)?;
        device.last_counter = device.last_counter.min(counter);
        Ok(())
    }

    pub(crate) fn revise_device(
        &mut self,
        id: DeviceId,
        credential: Sealed,
        secret: Option<SecretMark>,
        display_name: String,
        last_counter: i64,
    ) -> Result<(), Error> {
        self.replace_secret(id, secret)?;
        let device = self.device(id)?;
        (device.credential, device.display_name, device.last_counter) = (credential, display_name, last_counter);
        Ok(())
    }

    /// Marks the secret of a device that an earlier version made. A mark that is there stays.
    pub(crate) fn mark_secret(&mut self, id: DeviceId, secret: SecretMark) -> Result<(), Error> {
        let device = self.device(id)?;
        device.secret = device.secret.or(Some(secret));
        Ok(())
    }

    pub(crate) fn touch_device(&mut self, id: DeviceId, at: Timestamp) -> Result<(), Error> {
        self.device(id)?.last_used_at = Some(at);
        Ok(())
    }

    pub(crate) fn subscribe(&mut self, id: DeviceId, subscription: Option<Subscribed>) -> Result<(), Error> {
        self.device(id)?.subscription = subscription;
        Ok(())
    }

    /// Changes the status of a device that has the status `from`; of another it changes nothing.
    pub(crate) fn change_status(&mut self, id: DeviceId, from: DeviceStatus, to: DeviceStatus) {
        if let Ok(device) = self.device(id)
            && device.status == from
        {
            device.status = to;
        }
    }

    /// Removes a device with its open verifications, results that were not collected, and its limit.
    pub(crate) fn delete_device(&mut self, id: DeviceId) {
        let Some(place) = self.view.devices.iter().position(|device| device.id == id) else { return };
        let device = self.view.devices.remove(place);
        self.remember(&device);
        self.end_asked(|asked| asked.device_id == id);
        self.view.throttles.retain(|known| known.key != ThrottleKey::Device(id));
        self.changed = true;
    }

    fn device(&mut self, id: DeviceId) -> Result<&mut Device, Error> {
        self.changed = true;
        self.view.devices.iter_mut().find(|device| device.id == id).ok_or(MISSED)
    }

    /// Gives a device another secret, or none. What was used of the one before stays used.
    fn replace_secret(&mut self, id: DeviceId, secret: Option<SecretMark>) -> Result<(), Error> {
        let device = self.device(id)?;
        let is_same = secret.is_some_and(|new| device.secret.is_some_and(|old| old.mac == new.mac));
        let old = (!is_same).then(|| device.clone());
        device.secret = secret;
        if let Some(old) = old {
            self.remember(&old);
        }
        Ok(())
    }

    /// Keeps what was used of the secret of a device, which is about to go.
    pub(super) fn remember(&mut self, device: &Device) {
        let used = device.secret.and_then(|secret| Some((secret.mac, secret.counts.used(device.last_counter)?)));
        self.used.extend(used);
    }
}
