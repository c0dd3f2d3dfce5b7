//! A user's counters: what moves with nearly every decision. The head of the user's chain in the audit trail, the counters
//! of the devices and what limits remember lie together in the user's row, so that an answer, right or wrong, rewrites
//! one row, the one that its decision has locked and read anyway.
//!
//! They are read with the view, moved in memory while the decision's changes are carried out, and written once.

use domain::model::device::BEFORE_FIRST_COUNTER;
use domain::{
    Device, DeviceId, FactorKind, SecretMac, SecretMark, Throttle, ThrottleKey, Timestamp, User, UserId, View,
};

use crate::error::Error;
use crate::rows;
use crate::schema::columns::{CounterColumns, USED_SECRET, USER_COUNTERS};
use crate::throttles;
use crate::trail::Head;
use crate::value::{Row, Value};

/// Bytes of one counter as stored: device, counter, last use, each 8 bytes, big endian.
const COUNTER: usize = 24;

/// A user's counters, as they stand in a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UserCounters {
    /// The newest entry of the user's chain.
    pub(crate) head: Head,
    counters: Vec<DeviceCounter>,
    throttles: Vec<Throttle>,
    /// How the secrets of the devices that make codes are recognised.
    secrets: Vec<(DeviceId, SecretMark)>,
    /// What was used of secrets whose counter is here no longer, and must be remembered elsewhere.
    used: Vec<(SecretMac, i64)>,
    /// Whether there is a row to keep them in. The chain of a deleted user is continued elsewhere.
    pub(crate) in_row: bool,
    moved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DeviceCounter {
    device: DeviceId,
    /// The last accepted counter or time step.
    counter: i64,
    used_at: Option<Timestamp>,
}

/// What a change does to the counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CounterChange {
    /// The user's row is there from now on.
    Insert,
    /// The user's row is gone.
    Delete,
    /// A new device begins.
    Begin {
        device: DeviceId,
        /// What kind it is.
        factor: FactorKind,
        /// How its secret is recognised.
        secret: Option<SecretMark>,
        /// Its last counter.
        counter: i64,
        /// When it was last used.
        used_at: Option<Timestamp>,
    },
    /// The device has this secret from now on.
    Secret(DeviceId, Option<SecretMark>),
    /// The counter goes forward; the decision is void unless it does (SEC 1).
    Advance(DeviceId, i64, Timestamp),
    /// The counter comes down to this, if it is above it.
    Lower(DeviceId, i64),
    /// The device is activated, and its counter is at least this.
    Activate(DeviceId, i64, Timestamp),
    /// The device counts otherwise from now on, and this is what is spent.
    Recount(DeviceId, i64),
    /// The device was used without a counter.
    Touch(DeviceId, Timestamp),
    /// The device is gone.
    Forget(DeviceId),
    /// A limit remembers this from now on.
    Limit(Throttle),
    /// A limit remembers nothing.
    Reset(ThrottleKey),
}

impl CounterChange {
    /// That this device begins.
    pub(crate) fn begin(device: &Device) -> Self {
        let Device { id, factor, secret, last_counter, last_used_at, .. } = device;
        Self::Begin { device: *id, factor: *factor, secret: *secret, counter: *last_counter, used_at: *last_used_at }
    }
}

impl UserCounters {
    /// Reads a user's counters from the user's row.
    pub(crate) fn decode(row: &dyn Row, columns: &CounterColumns) -> Result<Self, Error> {
        let head = match row.opt_int(columns.audit_id)? {
            Some(audit_id) => Head {
                audit_id: Some(audit_id),
                position: row.int(columns.audit_position)?,
                hash: row.blob(columns.audit_hash)?.to_vec(),
            },
            None => Head::default(),
        };
        let counters = unpack(row.opt_blob(columns.counters)?)?;
        let throttles = throttles::unpack(row.opt_blob(columns.throttles)?.unwrap_or_default())?;
        Ok(Self { head, counters, throttles, in_row: true, ..Self::default() })
    }

    /// Those of a user that does not exist, whose chain ends with `head`.
    pub(crate) fn without_row(head: Head) -> Self {
        Self { head, ..Self::default() }
    }

    /// Puts the marks where rules look for them. The limit of a device that the clean-up took away goes with it.
    pub(crate) fn show(&mut self, view: &mut View) {
        for device in &mut view.devices {
            if let Some(mark) = self.counters.iter().find(|mark| mark.device == device.id) {
                (device.last_counter, device.last_used_at) = (mark.counter, mark.used_at);
            }
        }
        self.secrets = view.devices.iter().filter_map(|device| Some((device.id, device.secret?))).collect();
        let there = |id: DeviceId| view.devices.iter().any(|device| device.id == id);
        self.throttles.retain(|throttle| !matches!(throttle.key, ThrottleKey::Device(id) if !there(id)));
        view.throttles.clone_from(&self.throttles);
    }

    /// Carries out what a change does to them.
    pub(crate) fn carry_out(&mut self, step: CounterChange) -> Result<(), Error> {
        self.moved = true;
        match step {
            CounterChange::Insert => self.in_row = true,
            CounterChange::Delete => {
                self.in_row = false;
                self.secrets.clone().into_iter().for_each(|(device, _)| self.remember(device));
                self.counters.clear();
                self.throttles.clear();
            }
            // Otherwise what is used of it would be forgotten with the device.
            CounterChange::Begin { factor, secret, .. } if factor.makes_codes() != secret.is_some() => {
                return Err(Error::Corrupt("a secret without its mark"));
            }
            CounterChange::Begin { device, secret, counter, used_at, .. } => {
                self.secrets.extend(secret.map(|secret| (device, secret)));
                if counter != BEFORE_FIRST_COUNTER || used_at.is_some() {
                    self.counters.push(DeviceCounter { device, counter, used_at });
                }
            }
            CounterChange::Secret(device, secret) => {
                let is_same = secret.is_some_and(|new| self.secret(device).is_some_and(|old| old.mac == new.mac));
                if !is_same {
                    self.remember(device);
                }
                self.secrets.retain(|(known, _)| *known != device);
                self.secrets.extend(secret.map(|secret| (device, secret)));
            }
            CounterChange::Advance(device, counter, at) => {
                let mark = self.mark(device);
                if counter <= mark.counter {
                    return Err(Error::Corrupt("a counter that does not go forward"));
                }
                (mark.counter, mark.used_at) = (counter, Some(at));
            }
            CounterChange::Lower(device, counter) => {
                let mark = self.mark(device);
                mark.counter = mark.counter.min(counter);
            }
            CounterChange::Activate(device, counter, at) => {
                let mark = self.mark(device);
                (mark.counter, mark.used_at) = (mark.counter.max(counter), Some(at));
            }
            CounterChange::Recount(device, counter) => self.mark(device).counter = counter,
            CounterChange::Touch(device, at) => self.mark(device).used_at = Some(at),
            CounterChange::Forget(device) => {
                self.remember(device);
                self.secrets.retain(|(known, _)| *known != device);
                self.counters.retain(|mark| mark.device != device);
                self.throttles.retain(|known| known.key != ThrottleKey::Device(device));
            }
            CounterChange::Limit(_) if !self.in_row => return Err(Error::Corrupt("a limit without a user")),
            CounterChange::Limit(throttle) => match self.throttles.iter_mut().find(|known| known.key == throttle.key) {
                Some(known) => *known = throttle,
                None => self.throttles.push(throttle),
            },
            CounterChange::Reset(key) => self.throttles.retain(|known| known.key != key),
        }
        Ok(())
    }

    /// A new device begins where its secret was left: with this user, or where `found` says.
    pub(crate) fn recall(&mut self, device: DeviceId, secret: &SecretMark, found: Option<i64>) {
        let own = self.secrets.iter().filter(|(_, other)| other.mac == secret.mac);
        let own = own.filter_map(|(id, other)| other.counts.used(self.counter(*id)));
        let gone = self.used.iter().filter(|(mac, _)| *mac == secret.mac).map(|(_, used)| *used);
        if let Some(used) = own.chain(gone).chain(found).max() {
            let mark = self.mark(device);
            mark.counter = mark.counter.max(secret.counts.last_counter(used));
        }
    }

    /// What must be remembered of secrets whose counter is here no longer.
    pub(crate) fn take_used(&mut self) -> Vec<(SecretMac, i64)> {
        std::mem::take(&mut self.used)
    }

    /// Keeps what was used of this device's secret, which is about to go.
    fn remember(&mut self, device: DeviceId) {
        let counter = self.counter(device);
        let used = self.secret(device).and_then(|secret| Some((secret.mac, secret.counts.used(counter)?)));
        self.used.extend(used);
    }

    fn secret(&self, device: DeviceId) -> Option<SecretMark> {
        self.secrets.iter().find(|(known, _)| *known == device).map(|(_, secret)| *secret)
    }

    fn counter(&self, device: DeviceId) -> i64 {
        self.counters.iter().find(|mark| mark.device == device).map_or(BEFORE_FIRST_COUNTER, |mark| mark.counter)
    }

    /// Whether there is anything to write.
    pub(crate) fn is_moved(&self, before: Option<i64>) -> bool {
        self.moved || self.head.audit_id != before
    }

    /// The parameters of the statement that writes them, in its order.
    pub(crate) fn params(&self, user: UserId) -> Vec<Value> {
        vec![
            self.head.audit_id.into(),
            self.head.audit_id.map(|_| self.head.position).into(),
            self.head.audit_id.map(|_| self.head.hash.clone()).into(),
            Value::Blob(self.counters.iter().flat_map(DeviceCounter::pack).collect()),
            throttles::pack(&self.throttles).into(),
            Value::Int(user.0),
        ]
    }

    fn mark(&mut self, device: DeviceId) -> &mut DeviceCounter {
        let known = self.counters.iter().position(|mark| mark.device == device);
        let place = known.unwrap_or_else(|| {
            self.counters.push(DeviceCounter { device, counter: BEFORE_FIRST_COUNTER, used_at: None });
            self.counters.len() - 1
        });
        &mut self.counters[place]
    }
}

/// A user with its counters, whose columns follow the user's.
pub(crate) fn user_with_counters(row: &dyn Row) -> Result<(User, UserCounters), Error> {
    Ok((rows::user(row)?, UserCounters::decode(row, &USER_COUNTERS)?))
}

/// What a row says was used of a secret.
pub(crate) fn recalled(row: &dyn Row) -> Result<(SecretMac, Option<i64>), Error> {
    let mac = rows::secret_mac(row.blob(USED_SECRET.mac)?)?;
    if let Some(used) = row.opt_int(USED_SECRET.used)? {
        return Ok((mac, Some(used)));
    }
    let device = DeviceId(row.int(USED_SECRET.device)?);
    let counts = rows::counts(row.int(USED_SECRET.counts)?)?;
    let counters = unpack(row.opt_blob(USED_SECRET.counters)?)?;
    let counter = counters.into_iter().find(|mark| mark.device == device).map(|mark| mark.counter);
    Ok((mac, counter.and_then(|counter| counts.used(counter))))
}

fn unpack(packed: Option<&[u8]>) -> Result<Vec<DeviceCounter>, Error> {
    let (packed, rest) = packed.unwrap_or_default().as_chunks::<COUNTER>();
    if !rest.is_empty() {
        return Err(Error::Corrupt("a user's counters"));
    }
    Ok(packed.iter().map(DeviceCounter::unpack).collect())
}

impl DeviceCounter {
    fn pack(&self) -> [u8; COUNTER] {
        let mut packed = [0; COUNTER];
        packed[..8].copy_from_slice(&self.device.0.to_be_bytes());
        packed[8..16].copy_from_slice(&self.counter.to_be_bytes());
        packed[16..].copy_from_slice(&self.used_at.map_or(0, |at| at.0).to_be_bytes());
        packed
    }

    fn unpack(packed: &[u8; COUNTER]) -> Self {
        let number = |from: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&packed[from..from + 8]);
            i64::from_be_bytes(bytes)
        };
        let used_at = Some(number(16)).filter(|at| *at != 0).map(Timestamp);
        Self { device: DeviceId(number(0)), counter: number(8), used_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Counts;

    const AT: Timestamp = Timestamp(1_700_000_000_000);

    #[test]
    fn counters_survive_packing() {
        for counter in [
            DeviceCounter { device: DeviceId(7), counter: BEFORE_FIRST_COUNTER, used_at: None },
            DeviceCounter { device: DeviceId(i64::MAX), counter: i64::MAX, used_at: Some(AT) },
        ] {
            assert_eq!(DeviceCounter::unpack(&counter.pack()), counter);
        }
    }

    #[test]
    fn a_counter_only_goes_forward() {
        let mut state = UserCounters::default();
        state.carry_out(CounterChange::Advance(DeviceId(1), 5, AT)).unwrap();
        for behind in [5, 4, -1] {
            assert!(state.carry_out(CounterChange::Advance(DeviceId(1), behind, AT)).is_err(), "{behind}");
        }
        state.carry_out(CounterChange::Activate(DeviceId(1), 3, AT)).unwrap();
        assert_eq!(state.mark(DeviceId(1)).counter, 5);
        state.carry_out(CounterChange::Forget(DeviceId(1))).unwrap();
        assert_eq!(state.mark(DeviceId(1)).counter, BEFORE_FIRST_COUNTER);
    }

    #[test]
    fn a_device_that_proved_nothing_leaves_no_mark() {
        let mut state = UserCounters::default();
        state.carry_out(begin(1, secret(1, Counts::Codes), BEFORE_FIRST_COUNTER)).unwrap();
        assert_eq!(state.counters, []);
        state.carry_out(CounterChange::Forget(DeviceId(1))).unwrap();
        assert_eq!(state.take_used(), []);
    }

    fn secret(n: u8, counts: Counts) -> SecretMark {
        SecretMark { mac: SecretMac([n; 16]), counts }
    }

    fn begin(device: i64, secret: SecretMark, counter: i64) -> CounterChange {
        let factor = if secret.counts == Counts::Codes { FactorKind::Hotp } else { FactorKind::Totp };
        CounterChange::Begin { device: DeviceId(device), factor, secret: Some(secret), counter, used_at: None }
    }

    #[test]
    fn whatever_ends_a_counter_its_secret_is_remembered() {
        let (one, other) = (secret(1, Counts::Codes), secret(2, Counts::Seconds(30)));
        let mut state = UserCounters::default();
        state.carry_out(begin(1, one, 4)).unwrap();
        state.carry_out(begin(2, other, 9)).unwrap();
        let left = |step: CounterChange| {
            let mut state = state.clone();
            state.carry_out(CounterChange::Advance(DeviceId(1), 5, AT)).unwrap();
            state.carry_out(step).unwrap();
            state.take_used()
        };
        assert_eq!(left(CounterChange::Forget(DeviceId(1))), [(one.mac, 5)]);
        assert_eq!(left(CounterChange::Delete), [(one.mac, 5), (other.mac, 299)]);
        assert_eq!(left(CounterChange::Secret(DeviceId(1), None)), [(one.mac, 5)]);
        assert_eq!(left(CounterChange::Secret(DeviceId(1), Some(other))), [(one.mac, 5)]);
        assert_eq!(left(CounterChange::Secret(DeviceId(1), Some(one))), [], "it is the same one");
        assert_eq!(
            left(CounterChange::Secret(DeviceId(2), Some(secret(2, Counts::Seconds(60))))),
            [],
            "and so is this"
        );
    }

    #[test]
    fn a_device_begins_where_its_secret_was_left() {
        let (one, long) = (secret(1, Counts::Seconds(30)), secret(1, Counts::Seconds(60)));
        let mut state = UserCounters::default();
        state.carry_out(begin(1, one, 9)).unwrap();
        state.carry_out(CounterChange::Forget(DeviceId(1))).unwrap();
        for (device, secret, found, last) in [(2, one, None, 9), (3, long, None, 4), (4, one, Some(450), 15)] {
            state.carry_out(begin(device, secret, BEFORE_FIRST_COUNTER)).unwrap();
            state.recall(DeviceId(device), &secret, found);
            assert_eq!(state.counter(DeviceId(device)), last, "{device}");
        }
        state.carry_out(begin(5, secret(2, Counts::Codes), 7)).unwrap();
        state.recall(DeviceId(5), &secret(2, Counts::Codes), Some(3));
        assert_eq!(state.counter(DeviceId(5)), 7, "what the list says is further");
    }

    #[test]
    fn a_secret_without_its_mark_is_not_taken_in() {
        let unmarked = CounterChange::Begin {
            device: DeviceId(1),
            factor: FactorKind::Totp,
            secret: None,
            counter: BEFORE_FIRST_COUNTER,
            used_at: None,
        };
        assert!(UserCounters::default().carry_out(unmarked).is_err());
    }
}
