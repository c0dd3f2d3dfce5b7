//! How rows are read. Where a column is in its row, [`crate::schema::columns`] says.

use domain::model::country;
use domain::{
    Channel, Charge, Client, ClientId, ClientProfile, Counts, DeviceId, Digest, KeyedHash, Message, MessageId, Profile,
    Scope, Sealed, SecretMac, ShownStatus, TempToken, TokenSet, User, UserId, UserLock, UserStatus, VerificationId,
};
use serde::{Deserialize, Serialize};

use crate::costs::{SentMessage, Spending};
use crate::error::Error;
use crate::query::{AuditRow, DevMessage, QueuedMessage, Sizes, Waiting};
use crate::schema::columns::{
    ASKED, AUDIT, AUDIT_HEAD, CLIENT, DEV_MESSAGE, MESSAGE, PAIRING, SECRET_HOLDER, SIZES, SPENDING, TOKEN, UNMARKED,
    USED_SECRET, USER, WAITING,
};
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
    let temp_token = match row.opt_blob(USER.temp_hash)? {
        Some(hash) => Some(TempToken {
            hash: KeyedHash::from_bytes(hash).ok_or(Error::Corrupt("a temporary token"))?,
            expires_at: row.time(USER.temp_expires_at)?,
            reusable: row.int(USER.temp_reusable)? != 0,
            used_at: row.opt_time(USER.temp_used_at)?,
        }),
        None => None,
    };
    let profile: Profile = json(row.text(USER.profile)?)?;
    let (status, lock) =
        match ShownStatus::from_number(row.int(USER.status)?).ok_or(Error::Corrupt("a user's status"))? {
            ShownStatus::Is(status) => (status, None),
            ShownStatus::Locked => {
                let under = json::<UnderLock>(row.text(USER.profile)?)?.status_under_lock;
                let lock = row.opt_time(USER.locked_until)?.map_or(UserLock::UntilLifted, UserLock::Until);
                (under.unwrap_or_else(|| profile.status_before_lock()), Some(lock))
            }
        };
    Ok(User {
        id: UserId(row.int(USER.id)?),
        username: row.opt_text(USER.username)?.map(str::to_owned),
        email: row.opt_text(USER.email)?.map(str::to_owned),
        phone: row.opt_text(USER.phone)?.map(str::to_owned),
        status,
        lock,
        temp_token,
        profile,
        created_at: row.time(USER.created_at)?,
        updated_at: row.time(USER.updated_at)?,
    })
}

/// What the counter of a device counts.
pub(crate) fn counts(number: i64) -> Result<Counts, Error> {
    Counts::from_number(number).ok_or(Error::Corrupt("what a device counts"))
}

/// The digest of a secret.
pub(crate) fn secret_mac(bytes: &[u8]) -> Result<SecretMac, Error> {
    bytes.try_into().map(SecretMac).map_err(|_| Error::Corrupt("the digest of a secret"))
}

/// A secret and a user who has it.
pub(crate) fn secret_holder(row: &dyn Row) -> Result<(SecretMac, UserId), Error> {
    Ok((secret_mac(row.blob(SECRET_HOLDER.mac)?)?, UserId(row.int(SECRET_HOLDER.user_id)?)))
}

/// What was used of a secret by devices that are gone.
pub(crate) fn used_secret(row: &dyn Row) -> Result<(SecretMac, i64), Error> {
    Ok((secret_mac(row.blob(USED_SECRET.mac)?)?, row.int(USED_SECRET.used)?))
}

/// A device whose secret has no mark yet, and its user.
pub(crate) fn unmarked(row: &dyn Row) -> Result<(DeviceId, UserId), Error> {
    Ok((DeviceId(row.int(UNMARKED.device_id)?), UserId(row.int(UNMARKED.user_id)?)))
}

pub(crate) fn pairing(row: &dyn Row) -> Result<(UserId, VerificationId), Error> {
    Ok((UserId(row.int(PAIRING.user_id)?), verification_id(row, PAIRING.verification_id)?))
}

/// The device of a message; none where the number is 0.
fn device_of(number: i64) -> Option<DeviceId> {
    (number != 0).then_some(DeviceId(number))
}

/// How a scope is stored. These texts are in databases and never change.
pub(crate) fn scope_text(scope: Scope) -> &'static str {
    match scope {
        Scope::Authenticate => "Authentication Only",
        Scope::ReadUsers => "Read Users",
        Scope::ManageUsers => "Manage users",
        Scope::ReadAll => "Read All",
        Scope::ManageAll => "Manage All",
    }
}

fn scope(text: &str) -> Option<Scope> {
    Scope::ALL.into_iter().find(|scope| scope_text(*scope) == text)
}

pub(crate) fn client(row: &dyn Row) -> Result<Client, Error> {
    Ok(Client {
        id: ClientId(row.int(CLIENT.id)?),
        client_id: row.text(CLIENT.client_id)?.to_owned(),
        name: row.text(CLIENT.name)?.to_owned(),
        scope: scope(row.text(CLIENT.scope)?).ok_or(Error::Corrupt("a client's scope"))?,
        profile: ClientProfile::named(row.text(CLIENT.profile)?),
        secrets: serde_json::from_str(row.text(CLIENT.secrets)?).map_err(|_| Error::Corrupt("a client's secrets"))?,
        ip_allow: serde_json::from_str(row.text(CLIENT.ip_allow)?)
            .map_err(|_| Error::Corrupt("a client's networks"))?,
        expires_at: row.opt_time(CLIENT.expires_at)?,
        revoked_at: row.opt_time(CLIENT.revoked_at)?,
        wrong_secrets: unpack_moments(row.blob(CLIENT.wrong_secrets)?)?,
        created_at: row.time(CLIENT.created_at)?,
        options: serde_json::from_str(row.text(CLIENT.options)?).map_err(|_| Error::Corrupt("a client's options"))?,
    })
}

pub(crate) fn token_set(row: &dyn Row) -> Result<TokenSet, Error> {
    Ok(TokenSet {
        access: digest(row.blob(TOKEN.access)?)?,
        refresh: digest(row.blob(TOKEN.refresh)?)?,
        client_id: ClientId(row.int(TOKEN.client_id)?),
        sealed: row.opt_blob(TOKEN.sealed)?.map(|bytes| Sealed(bytes.to_vec())),
        row: row.int(TOKEN.row_id)?,
        family: row.int(TOKEN.family)?,
        created_at: row.time(TOKEN.created_at)?,
        ended_at: row.opt_time(TOKEN.ended_at)?,
    })
}

pub(crate) fn queued_message(row: &dyn Row) -> Result<QueuedMessage, Error> {
    let passed = u32::try_from(row.int(MESSAGE.attempts)?).map_err(|_| Error::Corrupt("a message's attempts"))?;
    Ok(QueuedMessage {
        message: Message {
            id: MessageId(row.int(MESSAGE.id)?),
            user_id: UserId(row.int(MESSAGE.user_id)?),
            device_id: device_of(row.int(MESSAGE.device_id)?),
            verification_id: verification_id(row, MESSAGE.verification_id)?,
            channel: channel(row.text(MESSAGE.channel)?)?,
            content: Sealed(row.blob(MESSAGE.content)?.to_vec()),
            created_at: row.time(MESSAGE.created_at)?,
            not_after: row.time(MESSAGE.not_after)?,
            charge: match row.opt_text(MESSAGE.country)? {
                Some(country) => Some(charge(
                    row.opt_int(MESSAGE.client_id)?,
                    country,
                    row.opt_blob(MESSAGE.block)?,
                    row.int(MESSAGE.free)?,
                )?),
                None => None,
            },
        },
        free: row.int(MESSAGE.free)?,
        passed,
        passed_before: passed,
        // The claim that follows says.
        claimed_until: domain::Timestamp::default(),
    })
}

pub(crate) fn head(row: &dyn Row) -> Result<Head, Error> {
    Ok(Head {
        audit_id: Some(row.int(AUDIT_HEAD.audit_id)?),
        position: row.int(AUDIT_HEAD.position)?,
        hash: row.blob(AUDIT_HEAD.hash)?.to_vec(),
    })
}

pub(crate) fn audit(row: &dyn Row) -> Result<AuditRow, Error> {
    Ok(AuditRow {
        position: row.int(AUDIT.position)?,
        previous: row.opt_int(AUDIT.previous)?,
        at: row.time(AUDIT.at)?,
        kind: row.text(AUDIT.kind)?.to_owned(),
        user: row.opt_int(AUDIT.user_id)?.map(UserId),
        client: row.opt_int(AUDIT.client_id)?.map(ClientId),
        device: row.opt_int(AUDIT.device_id)?.map(DeviceId),
        verification: match row.opt_blob(AUDIT.verification_id)? {
            Some(_) => Some(verification_id(row, AUDIT.verification_id)?),
            None => None,
        },
        reason: row.opt_text(AUDIT.reason)?.map(str::to_owned),
        ip: row.opt_text(AUDIT.ip)?.map(str::to_owned),
        request: row.opt_text(AUDIT.request_id)?.map(str::to_owned),
        rule: row.opt_text(AUDIT.rule)?.map(str::to_owned),
        format: row.int(AUDIT.format)?,
        hash: digest(row.blob(AUDIT.hash)?)?.0,
    })
}

/// An entry of the audit trail with its id, whose column follows the entry's.
pub(crate) fn event(row: &dyn Row) -> Result<(i64, AuditRow), Error> {
    Ok((row.int(AUDIT.id)?, audit(row)?))
}

pub(crate) fn dev_message(row: &dyn Row) -> Result<DevMessage, Error> {
    Ok(DevMessage {
        id: row.int(DEV_MESSAGE.id)?,
        channel: channel(row.text(DEV_MESSAGE.channel)?)?,
        to: row.text(DEV_MESSAGE.to)?.to_owned(),
        body: row.text(DEV_MESSAGE.body)?.to_owned(),
        subject: row.opt_text(DEV_MESSAGE.subject)?.map(str::to_owned),
        code: row.opt_text(DEV_MESSAGE.code)?.map(str::to_owned),
        link: row.opt_text(DEV_MESSAGE.link)?.map(str::to_owned),
        nonce: row.opt_text(DEV_MESSAGE.nonce)?.map(str::to_owned),
        user_id: UserId(row.int(DEV_MESSAGE.user_id)?),
        device_id: device_of(row.int(DEV_MESSAGE.device_id)?),
        verification_id: verification_id(row, DEV_MESSAGE.verification_id)?,
        created_at: row.time(DEV_MESSAGE.created_at)?,
    })
}

fn charge(client: Option<i64>, code: &str, block: Option<&[u8]>, micros: i64) -> Result<Charge, Error> {
    let block = match block {
        Some(bytes) => Some(KeyedHash::from_bytes(bytes).ok_or(Error::Corrupt("a message's block"))?),
        None => None,
    };
    let country = country::known(code).ok_or(Error::Corrupt("a message's country"))?;
    Ok(Charge { client: client.map(ClientId), country, block, micros })
}

/// A message that was handed over.
pub(crate) fn sent_message(row: &dyn Row) -> Result<SentMessage, Error> {
    let (client, country) = (row.opt_int(ASKED.client_id)?, row.text(ASKED.country)?);
    Ok(SentMessage {
        at: row.time(ASKED.created_at)?,
        charge: charge(client, country, row.opt_blob(ASKED.block)?, row.int(ASKED.spent)?)?,
        is_verified: row.opt_int(ASKED.verified_at)?.is_some(),
    })
}

/// What messages cost.
pub(crate) fn spending(row: &dyn Row) -> Result<Spending, Error> {
    Ok(Spending {
        provider: row.opt_text(SPENDING.provider)?.map(str::to_owned),
        channel: channel(row.text(SPENDING.channel)?)?,
        country: row.text(SPENDING.country)?.to_owned(),
        client: row.opt_int(SPENDING.client_id)?.map(ClientId),
        messages: row.int(SPENDING.messages)?.unsigned_abs(),
        verified: row.int(SPENDING.verified)?.unsigned_abs(),
        micros: row.int(SPENDING.micros)?,
    })
}

/// How many messages wait, and since when.
pub(crate) fn waiting(row: &dyn Row) -> Result<Waiting, Error> {
    Ok(Waiting { messages: row.int(WAITING.messages)?.unsigned_abs(), oldest: row.opt_time(WAITING.oldest)? })
}

/// How large the tables are, without the bytes.
pub(crate) fn sizes(row: &dyn Row) -> Result<Sizes, Error> {
    let counted = [
        ("token", SIZES.token),
        ("lookup", SIZES.lookup),
        ("outbox", SIZES.outbox),
        ("budget", SIZES.budget),
        ("webhook_delivery", SIZES.webhook_delivery),
        ("used_secret", SIZES.used_secret),
    ];
    let mut rows = Vec::with_capacity(counted.len());
    for (table, column) in counted {
        rows.push((table, row.int(column)?.unsigned_abs()));
    }
    let ends = row.opt_int(SIZES.first_entry)?.zip(row.opt_int(SIZES.last_entry)?);
    let audit_entries = ends.map_or(0, |(first, last)| last.abs_diff(first) + 1);
    let oldest_entry = row.opt_time(SIZES.oldest_entry)?;
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

/// The only column, whether a count is of something.
pub(crate) fn is_some(row: &dyn Row) -> Result<bool, Error> {
    Ok(row.int(0)? > 0)
}

/// The only column, a text.
pub(crate) fn text(row: &dyn Row) -> Result<String, Error> {
    Ok(row.text(0)?.to_owned())
}

/// The only column, bytes.
pub(crate) fn bytes(row: &dyn Row) -> Result<Vec<u8>, Error> {
    Ok(row.blob(0)?.to_vec())
}

pub(crate) fn verification_id(row: &dyn Row, column: usize) -> Result<VerificationId, Error> {
    let id = uuid::Uuid::from_slice(row.blob(column)?).map_err(|_| Error::Corrupt("a verification's id"))?;
    Ok(VerificationId(id))
}

fn channel(name: &str) -> Result<Channel, Error> {
    Channel::from_name(name).ok_or(Error::Corrupt("a message's channel"))
}

pub(crate) fn digest(bytes: &[u8]) -> Result<Digest, Error> {
    bytes.try_into().map(Digest).map_err(|_| Error::Corrupt("a digest"))
}
