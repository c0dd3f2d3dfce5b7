//! The one rewriting of an installation (migration 16): users whose devices, verifications and limits lay in several tables
//! get the one row that has everything ([`crate::user_state`]).
//!
//! It works through the users in the order of their ids, so many at a time, each piece in one transaction: what is in the new
//! table is done, so a rewriting that was broken off anywhere goes on behind the last user there. The server does not serve
//! meanwhile. The tables as they were stay until every user is in the new one.

mod old_rows;
pub(crate) mod postgres;
pub(crate) mod sqlite;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use domain::{Device, ThrottleKey, UserId, View};

use self::old_rows::OldAsked;
use crate::error::{Error, OpenError, UnreadableUser};
use crate::rows::Decode;
use crate::schema::columns::{OLD_DEVICE, OLD_USER, OLD_VERIFICATION};
use crate::schema::sql;
use crate::schema::text::joined;
use crate::user_state::{Columns, UserState};
use crate::value::{Row, Value};

/// Users that are written anew in one transaction.
const PIECE: i64 = 2_000;
/// So many users a server writes anew by itself when it starts. It takes some seconds.
const BY_ITSELF: u64 = 100_000;

/// How far an opening may go when users must be written anew first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewriting {
    /// Most users that are written anew; with more, the database is not opened.
    pub most_users: u64,
    /// Where it reports how far it is.
    pub progress: Option<Progress>,
}

impl Default for Rewriting {
    fn default() -> Self {
        Self { most_users: BY_ITSELF, progress: None }
    }
}

/// A function that takes how many users are done, and of how many.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(u64, u64) + Send + Sync>);

impl Progress {
    /// Reports through this function.
    pub fn new(tell: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

impl PartialEq for Progress {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Progress {}

impl Rewriting {
    /// No user is written anew.
    pub const NONE: Self = Self { most_users: 0, progress: None };

    /// Reports how far it is.
    fn report(&self, done: u64, users: u64) {
        if let Some(Progress(tell)) = &self.progress {
            tell(done, users);
        }
        tracing::debug!(done, users, "writing users anew");
    }
}

// ---- what is read, in words of both databases

/// How many users there were, and how many are done.
const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM user_before), (SELECT COUNT(*) FROM \"user\")";
/// The last user that is done.
const LAST: &str = "SELECT MAX(id) FROM \"user\"";
const USERS: &str = joined!("SELECT ", OLD_USER.names, " FROM user_before WHERE id > $1 ORDER BY id LIMIT $2");
const DEVICES: &str = joined!(
    "SELECT ",
    OLD_DEVICE.names,
    " FROM device WHERE user_id > $1 AND user_id <= $2 ORDER BY user_id, created_at, id"
);
/// What waits, and what has a result that may still be read.
const ASKED: &str = joined!(
    "SELECT ",
    OLD_VERIFICATION.names,
    " FROM verification WHERE user_id > $1 AND user_id <= $2 AND (live = 1 OR status IN (1, 2)) \
     ORDER BY user_id, row_id"
);
const DONE: &str = "DROP TABLE device; DROP TABLE verification; DROP TABLE user_before;";

/// A table that is filled, and its columns in the order of the rows.
type Target = (&'static str, &'static str);

const USER: Target = (
    "\"user\"",
    "id, username, email, phone, external_id, status, locked_until, temp_hash, temp_expires_at, temp_reusable, \
     temp_used_at, created_at, updated_at, audit_id, audit_position, audit_hash, profile, state, ends_at, factors",
);
const LOOKUP: Target = ("lookup", "key, kind, user_id, verification_id");
const SESSION_ORIGIN: Target = ("session_origin", "origin, token, ends_at");
const BEGUN_BY: Target = ("begun_by", "client_id, user_id");
const SECRET_DEVICE: Target = ("secret_device", "mac, device_id, user_id");
const UNMARKED_DEVICE: Target = ("unmarked_device", "device_id, user_id");

/// A user as it was.
struct OldUser {
    id: UserId,
    /// The columns that stay as they are.
    kept: Vec<Value>,
    counters: Vec<u8>,
    throttles: Vec<u8>,
}

fn kept_user(row: &dyn Row) -> Result<OldUser, Error> {
    let int = |column| Ok::<_, Error>(Value::from(row.opt_int(column)?));
    let text = |column| Ok::<_, Error>(Value::from(row.opt_text(column)?));
    let blob = |column| Ok::<_, Error>(Value::from(row.opt_blob(column)?.map(<[u8]>::to_vec)));
    let bytes = |column| Ok::<_, Error>(row.opt_blob(column)?.unwrap_or_default().to_vec());
    let user = &OLD_USER;
    Ok(OldUser {
        id: UserId(row.int(user.id)?),
        kept: vec![
            int(user.id)?,
            text(user.username)?,
            text(user.email)?,
            text(user.phone)?,
            text(user.external_id)?,
            int(user.status)?,
            int(user.locked_until)?,
            blob(user.temp_hash)?,
            int(user.temp_expires_at)?,
            int(user.temp_reusable)?,
            int(user.temp_used_at)?,
            int(user.created_at)?,
            int(user.updated_at)?,
            int(user.audit_id)?,
            int(user.audit_position)?,
            blob(user.audit_hash)?,
            text(user.profile)?,
        ],
        counters: bytes(user.counters)?,
        throttles: bytes(user.throttles)?,
    })
}

/// The next users as they were, with all that belongs to them.
struct Piece {
    users: Vec<OldUser>,
    devices: Vec<Device>,
    asked: Vec<(UserId, Option<OldAsked>)>,
}

/// How a row is read. What cannot be read names its user.
type Read<T> = fn(&dyn Row) -> Result<T, OpenError>;

const OLD_USERS: Read<OldUser> = |row| of_user(row, OLD_USER.id, kept_user);
const OLD_DEVICES: Read<Device> = |row| of_user(row, OLD_DEVICE.user_id, old_rows::device);
const OLD_ASKED: Read<(UserId, Option<OldAsked>)> = |row| of_user(row, OLD_VERIFICATION.user_id, old_rows::asked);

fn of_user<T>(row: &dyn Row, user: usize, decode: Decode<T>) -> Result<T, OpenError> {
    let user = UserId(row.int(user)?);
    decode(row).map_err(|error| UnreadableUser { user, error }.into())
}

/// Rows for each of the new tables.
type Rewritten = [(Target, Vec<Vec<Value>>); 6];

impl Piece {
    fn rewritten(self) -> Result<Rewritten, UnreadableUser> {
        let mut states: HashMap<UserId, UserState> = HashMap::with_capacity(self.users.len());
        for device in self.devices {
            states.entry(device.user_id).or_default().view.devices.push(device);
        }
        for (user, asked) in self.asked {
            let state = states.entry(user).or_default();
            match asked {
                Some(OldAsked::Session(session)) => state.take_in_session(session),
                Some(OldAsked::Verification(asked)) => state.take_in(asked),
                None => {}
            }
        }
        let mut rows: Rewritten =
            [USER, LOOKUP, SESSION_ORIGIN, BEGUN_BY, SECRET_DEVICE, UNMARKED_DEVICE].map(|target| (target, Vec::new()));
        let [(_, users), (_, lookups), (_, origins), (_, begun), (_, secrets), (_, unmarked)] = &mut rows;
        for OldUser { id, kept, counters, throttles } in self.users {
            let mut state = states.remove(&id).unwrap_or_default();
            complete(&mut state.view, &counters, &throttles).map_err(|error| UnreadableUser { user: id, error })?;
            for write in state.keys(id) {
                match write.statement {
                    sql::INSERT_LOOKUP => lookups.push(write.params),
                    sql::INSERT_ORIGIN => origins.push(write.params),
                    sql::INSERT_BEGUN => begun.push(write.params),
                    sql::INSERT_UNMARKED => unmarked.push(write.params),
                    _ => secrets.push(write.params),
                }
            }
            let Columns { state, ends_at, factors, .. } = state.columns();
            users.push(kept.into_iter().chain([state, ends_at.into(), factors.into()]).collect());
        }
        Ok(rows)
    }
}

/// Puts counters and limits where they belong. The limit of a device that is gone is left out.
fn complete(view: &mut View, counters: &[u8], throttles: &[u8]) -> Result<(), Error> {
    for known in old_rows::counters(Some(counters))? {
        if let Some(device) = view.devices.iter_mut().find(|device| device.id == known.device) {
            (device.last_counter, device.last_used_at) = (known.counter, known.used_at);
        }
    }
    view.throttles = old_rows::throttles(throttles)?;
    let there = |id| view.devices.iter().any(|device| device.id == id);
    view.throttles.retain(|known| !matches!(known.key, ThrottleKey::Device(id) if !there(id)));
    Ok(())
}
