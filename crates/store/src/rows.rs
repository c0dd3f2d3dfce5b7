//! How rows are read. The order of columns is that of the statements in [`crate::schema::sql`].

use domain::{
    Channel, Client, ClientId, CompatProfile, Counts, Device, DeviceId, DeviceStatus, Digest, FactorKind, KeyedHash,
    Message, MessageId, Profile, Purpose, Scope, Sealed, SecretMac, SecretMark, ShownStatus, Status, TempToken,
    TokenSet, User, UserId, UserLock, UserStatus, Verification, VerificationId,
};
use serde::{Deserialize, Serialize};

use crate::challenge;
use crate::error::Error;
use crate::hot_state::UserCounters;
use crate::query::{AuditRow, DevMessage, GROWING, QueuedMessage, Sizes, Waiting};
use crate::trail::Head;
use crate::value::{Row, unpack_moments};

/// How a row is read.
pub(crate) type Decode<T> = fn(&dyn Row) -> Result<T, Error>;

/// The status of a locked user, kept in the JSON of the profile: the column says that there is a lock.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UnderLock {
    /// What the user is when the lock is over. Absent where an earlier version has put the lock.
    pub(crate) status_under_lock: Option<UserStatus>,
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| Error::Corrupt("a user's profile"))
}

pub(crate) fn user(row: &dyn Row) -> Result<User, Error> {
    let temp_token = match row.opt_blob(6)? {
        Some(hash) => Some(TempToken {
            hash: KeyedHash::from_bytes(hash).ok_or(Error::Corrupt("a temporary token"))?,
            expires_at: row.time(7)?,
            reusable: row.int(8)? != 0,
            used_at: row.opt_time(9)?,
        }),
        None => None,
    };
    let profile: Profile = json(row.text(10)?)?;
    let (status, lock) = match ShownStatus::from_number(row.int(4)?).ok_or(Error::Corrupt("a user's status"))? {
        ShownStatus::Is(status) => (status, None),
        ShownStatus::Locked => {
            let under = json::<UnderLock>(row.text(10)?)?.status_under_lock;
            let lock = row.opt_time(5)?.map_or(UserLock::UntilLifted, UserLock::Until);
            (under.unwrap_or_else(|| profile.status_before_lock()), Some(lock))
        }
    };
    Ok(User {
        id: UserId(row.int(0)?),
        username: row.opt_text(1)?.map(str::to_owned),
        email: row.opt_text(2)?.map(str::to_owned),
        phone: row.opt_text(3)?.map(str::to_owned),
        status,
        lock,
        temp_token,
        profile,
        created_at: row.time(11)?,
        updated_at: row.time(12)?,
    })
}

/// A user with its marks, whose columns follow the user's.
pub(crate) fn user_with_marks(row: &dyn Row) -> Result<(User, UserCounters), Error> {
    Ok((user(row)?, UserCounters::decode(row, 13)?))
}

pub(crate) fn device(row: &dyn Row) -> Result<Device, Error> {
    device_from(row, 0)
}

/// A device whose columns begin at `first`.
fn device_from(row: &dyn Row, first: usize) -> Result<Device, Error> {
    Ok(Device {
        id: DeviceId(row.int(first)?),
        user_id: UserId(row.int(first + 1)?),
        factor: FactorKind::from_number(row.int(first + 2)?).ok_or(Error::Corrupt("a device's factor"))?,
        display_name: row.text(first + 3)?.to_owned(),
        status: DeviceStatus::from_number(row.int(first + 4)?).ok_or(Error::Corrupt("a device's status"))?,
        credential: Sealed(row.blob(first + 5)?.to_vec()),
        secret: secret(row, first + 7)?,
        // Its counters are in the user's row: `UserCounters::show` puts them here.
        last_counter: domain::model::device::NO_COUNTER,
        created_at: row.time(first + 6)?,
        last_used_at: None,
    })
}

/// The mark of a device's secret, whose columns begin at `first`, where it has one.
pub(crate) fn secret(row: &dyn Row, first: usize) -> Result<Option<SecretMark>, Error> {
    let Some(mac) = row.opt_blob(first)? else { return Ok(None) };
    let counts = Counts::from_number(row.int(first + 1)?).ok_or(Error::Corrupt("what a device counts"))?;
    Ok(Some(SecretMark { mac: secret_mac(mac)?, counts }))
}

/// The digest of a secret.
pub(crate) fn secret_mac(bytes: &[u8]) -> Result<SecretMac, Error> {
    bytes.try_into().map(SecretMac).map_err(|_| Error::Corrupt("the digest of a secret"))
}

/// A device whose columns begin at `first`, where the row has one.
pub(crate) fn opt_device(row: &dyn Row, first: usize) -> Result<Option<Device>, Error> {
    row.opt_int(first)?.map(|_| device_from(row, first)).transpose()
}

pub(crate) fn verification(row: &dyn Row) -> Result<Verification, Error> {
    let status = Status::from_numbers(row.int(8)?, row.opt_time(9)?);
    Ok(Verification {
        id: verification_id(row, 0)?,
        wire_id: row.text(1)?.to_owned(),
        user_id: UserId(row.int(2)?),
        device_id: DeviceId(row.int(3)?),
        purpose: Purpose::from_number(row.int(4)?).ok_or(Error::Corrupt("a verification's purpose"))?,
        challenge: challenge::join(row.text(5)?, row.opt_blob(6)?, row.opt_blob(7)?)?,
        status: status.ok_or(Error::Corrupt("a verification's status"))?,
        attempts: row.int(10)?,
        state_token: opt_digest(row, 11)?,
        consumed_at: row.opt_time(12)?,
        client_id: row.opt_int(13)?.map(ClientId),
        created_at: row.time(14)?,
        expires_at: row.time(15)?,
    })
}

pub(crate) fn pairing(row: &dyn Row) -> Result<(UserId, VerificationId), Error> {
    Ok((UserId(row.int(0)?), verification_id(row, 1)?))
}

pub(crate) fn client(row: &dyn Row) -> Result<Client, Error> {
    Ok(Client {
        id: ClientId(row.int(0)?),
        client_id: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        scope: Scope::from_name(row.text(3)?).ok_or(Error::Corrupt("a client's scope"))?,
        profile: CompatProfile::from_name(row.text(4)?).ok_or(Error::Corrupt("a client's profile"))?,
        secrets: serde_json::from_str(row.text(5)?).map_err(|_| Error::Corrupt("a client's secrets"))?,
        ip_allow: serde_json::from_str(row.text(6)?).map_err(|_| Error::Corrupt("a client's networks"))?,
        expires_at: row.opt_time(7)?,
        revoked_at: row.opt_time(8)?,
        wrong_secrets: unpack_moments(row.blob(9)?)?,
        created_at: row.time(10)?,
        options: serde_json::from_str(row.text(11)?).map_err(|_| Error::Corrupt("a client's options"))?,
    })
}

pub(crate) fn token_set(row: &dyn Row) -> Result<TokenSet, Error> {
    Ok(TokenSet {
        access: digest(row.blob(0)?)?,
        refresh: digest(row.blob(1)?)?,
        client_id: ClientId(row.int(2)?),
        sealed: row.opt_blob(3)?.map(|bytes| Sealed(bytes.to_vec())),
        row: row.int(4)?,
        family: row.int(5)?,
        created_at: row.time(6)?,
        ended_at: row.opt_time(7)?,
    })
}

pub(crate) fn queued_message(row: &dyn Row) -> Result<QueuedMessage, Error> {
    Ok(QueuedMessage {
        message: Message {
            id: MessageId(row.int(0)?),
            user_id: UserId(row.int(1)?),
            device_id: DeviceId(row.int(2)?),
            verification_id: verification_id(row, 3)?,
            channel: channel(row.text(4)?)?,
            content: Sealed(row.blob(5)?.to_vec()),
            created_at: row.time(6)?,
            not_after: row.time(7)?,
        },
        attempts: u32::try_from(row.int(8)?).map_err(|_| Error::Corrupt("a message's attempts"))?,
    })
}

pub(crate) fn head(row: &dyn Row) -> Result<Head, Error> {
    Ok(Head { audit_id: Some(row.int(0)?), position: row.int(1)?, hash: row.blob(2)?.to_vec() })
}

pub(crate) fn audit(row: &dyn Row) -> Result<AuditRow, Error> {
    Ok(AuditRow {
        position: row.int(0)?,
        at: row.time(1)?,
        kind: row.text(2)?.to_owned(),
        user: row.opt_int(3)?.map(UserId),
        client: row.opt_int(4)?.map(ClientId),
        device: row.opt_int(5)?.map(DeviceId),
        verification: match row.opt_blob(6)? {
            Some(_) => Some(verification_id(row, 6)?),
            None => None,
        },
        reason: row.opt_text(7)?.map(str::to_owned),
        ip: row.opt_text(8)?.map(str::to_owned),
        hash: digest(row.blob(9)?)?.0,
    })
}

/// An entry of the audit trail with its id, whose column follows the entry's.
pub(crate) fn event(row: &dyn Row) -> Result<(i64, AuditRow), Error> {
    Ok((row.int(10)?, audit(row)?))
}

pub(crate) fn dev_message(row: &dyn Row) -> Result<DevMessage, Error> {
    Ok(DevMessage {
        id: row.int(0)?,
        channel: channel(row.text(1)?)?,
        to: row.text(2)?.to_owned(),
        body: row.text(3)?.to_owned(),
        subject: row.opt_text(4)?.map(str::to_owned),
        code: row.opt_text(5)?.map(str::to_owned),
        link: row.opt_text(6)?.map(str::to_owned),
        nonce: row.opt_text(7)?.map(str::to_owned),
        user_id: UserId(row.int(8)?),
        device_id: DeviceId(row.int(9)?),
        verification_id: verification_id(row, 10)?,
        created_at: row.time(11)?,
    })
}

/// How many messages wait, and since when.
pub(crate) fn waiting(row: &dyn Row) -> Result<Waiting, Error> {
    Ok(Waiting { messages: row.int(0)?.unsigned_abs(), oldest: row.opt_time(1)? })
}

/// How large the tables are, without the bytes.
pub(crate) fn sizes(row: &dyn Row) -> Result<Sizes, Error> {
    let mut rows = Vec::with_capacity(GROWING.len());
    for (column, table) in GROWING.into_iter().enumerate() {
        rows.push((table, row.int(column)?.unsigned_abs()));
    }
    let ends = row.opt_int(GROWING.len())?.zip(row.opt_int(GROWING.len() + 1)?);
    let audit_entries = ends.map_or(0, |(first, last)| last.abs_diff(first) + 1);
    let oldest_entry = row.opt_time(GROWING.len() + 2)?;
    Ok(Sizes { rows, audit_entries, oldest_entry, ..Sizes::default() })
}

/// The only column, a number.
pub(crate) fn number(row: &dyn Row) -> Result<i64, Error> {
    row.int(0)
}

/// The only column, a number or nothing.
pub(crate) fn opt_number(row: &dyn Row) -> Result<Option<i64>, Error> {
    row.opt_int(0)
}

/// The only column, bytes.
/// Whether a count is of something.
pub(crate) fn is_some(row: &dyn Row) -> Result<bool, Error> {
    Ok(row.int(0)? > 0)
}

pub(crate) fn bytes(row: &dyn Row) -> Result<Vec<u8>, Error> {
    Ok(row.blob(0)?.to_vec())
}

fn verification_id(row: &dyn Row, column: usize) -> Result<VerificationId, Error> {
    let id = uuid::Uuid::from_slice(row.blob(column)?).map_err(|_| Error::Corrupt("a verification's id"))?;
    Ok(VerificationId(id))
}

fn channel(name: &str) -> Result<Channel, Error> {
    Channel::from_name(name).ok_or(Error::Corrupt("a message's channel"))
}

fn digest(bytes: &[u8]) -> Result<Digest, Error> {
    bytes.try_into().map(Digest).map_err(|_| Error::Corrupt("a digest"))
}

fn opt_digest(row: &dyn Row, column: usize) -> Result<Option<Digest>, Error> {
    row.opt_blob(column)?.map(digest).transpose()
}
