//! A user in one transaction: read, changed and written.

use domain::model::time::HOUR;
use domain::{ClientId, Device, DeviceStatus, SecretMac, Timestamp, UserId, View};

use super::found_by::Keys;
use super::pack;
use super::parts::{KnownVerification, Parts};
use crate::error::Error;
use crate::query::AuditChain;
use crate::rows;
use crate::schema::columns::USER_STATE;
use crate::schema::sql;
use crate::trail::{self, Head};
use crate::value::{Row, Value, Write};

/// How long a result is kept after its verification's time, in milliseconds. Callers may read it for ten minutes.
pub(super) const KEEP_RESULT: i64 = HOUR;
/// Most results of a user that are kept; the oldest go first, so that a row stays small. No caller that waits for
/// an answer is so far behind.
pub(super) const MOST_RESULTS: usize = 32;

/// A user as one transaction has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserState {
    /// What rules see. Its user is as it was read, whatever changes since.
    pub(crate) view: View,
    /// The newest entry of the user's chain in the audit trail.
    pub(crate) head: Head,
    /// The newest results, oldest first.
    pub(super) ended: Vec<KnownVerification>,
    /// The clients that may have begun something that lives: some that have not any more stay until the clean-up.
    pub(super) clients: Vec<ClientId>,
    /// Whether the user has a row. The chain of a deleted user is continued elsewhere.
    pub(super) exists: bool,
    /// As they were read.
    pub(super) before: Before,
    /// What was used of secrets whose device is here no longer, and must be remembered elsewhere.
    pub(super) used: Vec<(SecretMac, i64)>,
    pub(super) changed: bool,
    /// Whether the clean-up was here: nothing that is over is left.
    pub(super) tidied: bool,
}

/// What was derived from the state when it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    pub(super) head: Option<i64>,
    pub(super) ends_at: Option<Timestamp>,
    factors: i64,
    keys: Keys,
}

/// A user as one look shows it, for callers that change nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenUser {
    /// What rules see.
    pub(crate) view: View,
    /// The newest results, oldest first.
    ended: Vec<KnownVerification>,
}

impl SeenUser {
    /// Reads a user with its state from a row that has the columns of both.
    pub(crate) fn decode(row: &dyn Row) -> Result<Self, Error> {
        let (view, ended, _) = read(row)?;
        Ok(Self { view, ended })
    }

    /// The verifications that may be asked for: as they wait, and the results that are kept.
    pub(crate) fn known(self) -> Vec<KnownVerification> {
        let live = self.view.verifications.into_iter().map(|asked| KnownVerification {
            id: asked.id,
            wire_id: asked.wire_id,
            device_id: asked.device_id,
            purpose: asked.purpose,
            status: asked.status,
            expires_at: asked.expires_at,
        });
        live.chain(self.ended).collect()
    }
}

/// What a row has of a user, the results that are kept, and the clients that may have begun something.
fn read(row: &dyn Row) -> Result<(View, Vec<KnownVerification>, Vec<ClientId>), Error> {
    let user = rows::user(row)?;
    let Parts { devices, verifications, ended, sessions, throttles, clients } =
        pack::unpack(row.opt_blob(USER_STATE.state)?, user.id)?;
    Ok((View { user: Some(user), devices, verifications, sessions, throttles }, ended, clients))
}

/// What these devices have used of this secret.
pub(crate) fn used_of(devices: &[Device], secret: SecretMac) -> Option<i64> {
    let used = |device: &Device| {
        let mark = device.secret.filter(|mark| mark.mac == secret)?;
        mark.counts.used(device.last_counter)
    };
    devices.iter().filter_map(used).max()
}

impl UserState {
    /// Reads a user with its state from a row that has the columns of both.
    pub(crate) fn decode(row: &dyn Row) -> Result<Self, Error> {
        let (view, ended, clients) = read(row)?;
        let head = match row.opt_int(USER_STATE.audit_id)? {
            Some(audit_id) => Head {
                audit_id: Some(audit_id),
                position: row.int(USER_STATE.audit_position)?,
                hash: row.blob(USER_STATE.audit_hash)?.to_vec(),
            },
            None => Head::default(),
        };
        let before = Before {
            head: head.audit_id,
            ends_at: row.opt_time(USER_STATE.ends_at)?,
            factors: row.int(USER_STATE.factors)?,
            keys: Keys::of(&view, &clients),
        };
        Ok(Self { view, head, ended, clients, exists: true, before, used: Vec::new(), changed: false, tidied: false })
    }

    /// A user that does not exist, whose chain ends with `head`.
    pub(crate) fn without_row(head: Head) -> Self {
        let before = Before { head: head.audit_id, ..Before::default() };
        Self { head, before, ..Self::default() }
    }

    /// Whether the user has a row.
    pub(crate) fn exists(&self) -> bool {
        self.exists
    }

    /// The earliest moment at which something in the state is over and the clean-up has something to do.
    fn ends_at(&self) -> Option<Timestamp> {
        let View { devices, verifications, sessions, .. } = &self.view;
        let hidden = devices.iter().filter(|device| self.is_left_behind(device)).map(|device| device.created_at);
        let asked = verifications.iter().map(|asked| asked.expires_at);
        let opened = sessions.iter().map(|session| session.expires_at);
        let kept = self.ended.iter().map(|ended| ended.expires_at.plus(KEEP_RESULT));
        hidden.chain(asked).chain(opened).chain(kept).min()
    }

    /// Which factors the user has an active device of, a bit for each by its number. Bit 0 says that there is a disabled one.
    fn factors(&self) -> i64 {
        let bit = |device: &Device| match device.status {
            DeviceStatus::Active => 1i64 << device.factor.number(),
            DeviceStatus::Disabled => 1,
            DeviceStatus::Registering | DeviceStatus::Pending => 0,
        };
        self.view.devices.iter().map(bit).fold(0, |all, bit| all | bit)
    }

    /// Whether a device hides behind a registration that is over.
    pub(super) fn is_left_behind(&self, device: &Device) -> bool {
        device.status == DeviceStatus::Registering
            && !self.view.verifications.iter().any(|asked| asked.device_id == device.id && asked.status.is_pending())
    }

    /// Whether there is anything to write.
    pub(crate) fn is_changed(&self) -> bool {
        self.changed || self.head.audit_id != self.before.head
    }

    /// What writes it, in order: what is remembered of secrets, the keys by which it is found, and the row.
    pub(crate) fn writes(&mut self, user: UserId) -> Vec<Write> {
        let mut writes = self.writes_beside(user);
        writes.extend(self.row_write(user));
        writes
    }

    /// The same without the row.
    pub(crate) fn writes_beside(&mut self, user: UserId) -> Vec<Write> {
        let used = std::mem::take(&mut self.used).into_iter();
        let mut writes: Vec<Write> =
            used.map(|(mac, used)| Write::new(sql::REMEMBER_USED, vec![mac.into(), used.into()])).collect();
        if self.view.verifications.is_empty() && self.view.sessions.is_empty() && self.ended.is_empty() {
            // There will be nothing to clean up.
            self.clients.clear();
        }
        let keys = if self.exists { Keys::of(&self.view, &self.clients) } else { Keys::default() };
        keys.follow(&self.before.keys, user, &mut writes);
        writes
    }

    /// What writes the keys of a user that had none so far.
    pub(crate) fn keys(&self, user: UserId) -> Vec<Write> {
        let mut writes = Vec::new();
        Keys::of(&self.view, &self.clients).follow(&Keys::default(), user, &mut writes);
        writes
    }

    fn row_write(&self, user: UserId) -> Option<Write> {
        if !self.exists {
            return self.head.audit_id.map(|_| trail::set_head(AuditChain::User(user), self.head.clone()));
        }
        let Columns { head, state, ends_at, factors, before: _ } = self.columns();
        let mut params = head.to_vec();
        params.push(state);
        if (ends_at, factors) == (self.before.ends_at, self.before.factors) {
            // Naming a column that has an index makes SQLite write the index, changed or not.
            params.push(Value::Int(user.0));
            return Some(Write::new(sql::SET_STATE, params).must_hit());
        }
        params.extend([ends_at.into(), factors.into(), Value::Int(user.0)]);
        Some(Write::new(sql::SET_STATE_AND_ENDS, params).must_hit())
    }

    /// What the row has of it.
    pub(crate) fn columns(&self) -> Columns {
        let Head { audit_id, position, hash } = &self.head;
        let ends_at = self.ends_at();
        Columns {
            head: [(*audit_id).into(), audit_id.map(|_| *position).into(), audit_id.map(|_| hash.clone()).into()],
            state: pack::pack(&self.view, &self.ended, &self.clients).into(),
            // It may be early: then the clean-up looks once in vain, and the index is written once less.
            ends_at: match (self.before.ends_at, ends_at) {
                (Some(before), Some(ends_at)) if !self.tidied => Some(before.min(ends_at)),
                _ => ends_at,
            },
            factors: self.factors(),
            before: self.before.head,
        }
    }
}

/// A state as the columns of its row.
pub(crate) struct Columns {
    /// Id, position and hash of the newest entry.
    pub(crate) head: [Value; 3],
    pub(crate) state: Value,
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) factors: i64,
    /// The newest entry when the row was read.
    pub(crate) before: Option<i64>,
}
