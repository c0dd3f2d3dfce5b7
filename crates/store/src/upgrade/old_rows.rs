//! How rows lay before each user had one for everything: devices, verifications and sessions in tables, counters and limits
//! packed beside the user. Read once, when the server writes users anew.

use domain::model::code::Alphabet;
use domain::model::device::BEFORE_FIRST_COUNTER;
use domain::model::session::Terms;
use domain::{
    AskedFrom, Challenge, ClientId, Device, DeviceId, DeviceStatus, Digest, FactorKind, KeyedHash, Purpose, Sealed,
    Secret, SecretMark, Session, SessionId, SessionKind, Status, Throttle, ThrottleKey, Timestamp, UserId,
    Verification,
};
use serde::Deserialize;

use crate::error::Error;
use crate::rows::{counts, digest, secret_mac, verification_id};
use crate::schema::columns::{OLD_DEVICE, OLD_VERIFICATION};
use crate::value::{Row, unpack_moments};

// ---- devices

/// A device. Its counter and last use lie in its user's row.
pub(super) fn device(row: &dyn Row) -> Result<Device, Error> {
    Ok(Device {
        id: DeviceId(row.int(OLD_DEVICE.id)?),
        user_id: UserId(row.int(OLD_DEVICE.user_id)?),
        factor: FactorKind::from_number(row.int(OLD_DEVICE.factor)?).ok_or(Error::Corrupt("a device's factor"))?,
        display_name: row.text(OLD_DEVICE.display_name)?.to_owned(),
        status: DeviceStatus::from_number(row.int(OLD_DEVICE.status)?).ok_or(Error::Corrupt("a device's status"))?,
        credential: Sealed(row.blob(OLD_DEVICE.credential)?.to_vec()),
        secret: match row.opt_blob(OLD_DEVICE.secret_mac)? {
            Some(mac) => {
                Some(SecretMark { mac: secret_mac(mac)?, counts: counts(row.int(OLD_DEVICE.secret_counts)?)? })
            }
            None => None,
        },
        last_counter: BEFORE_FIRST_COUNTER,
        created_at: row.time(OLD_DEVICE.created_at)?,
        last_used_at: None,
        subscription: None,
    })
}

/// The counter of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OldCounter {
    pub(super) device: DeviceId,
    /// The last accepted counter or time step.
    pub(super) counter: i64,
    pub(super) used_at: Option<Timestamp>,
}

/// The counters of a user's devices: device, counter and last use, 8 bytes each, big endian.
pub(super) fn counters(packed: Option<&[u8]>) -> Result<Vec<OldCounter>, Error> {
    let (packed, rest) = packed.unwrap_or_default().as_chunks::<8>();
    let (packed, left) = packed.as_chunks::<3>();
    if !(rest.is_empty() && left.is_empty()) {
        return Err(Error::Corrupt("a user's counters"));
    }
    let counter = |numbers: &[[u8; 8]; 3]| {
        let [device, counter, used_at] = numbers.map(i64::from_be_bytes);
        let used_at = Some(used_at).filter(|at| *at != 0).map(Timestamp);
        OldCounter { device: DeviceId(device), counter, used_at }
    };
    Ok(packed.iter().map(counter).collect())
}

// ---- verifications and sessions

/// A row of `verification`: without a device it was a session.
#[derive(Debug)]
pub(super) enum OldAsked {
    Verification(Verification),
    Session(Session),
}

pub(super) fn asked(row: &dyn Row) -> Result<(UserId, Option<OldAsked>), Error> {
    let user = UserId(row.int(OLD_VERIFICATION.user_id)?);
    let status = status(row)?;
    if row.int(OLD_VERIFICATION.device_id)? != 0 {
        return Ok((user, Some(OldAsked::Verification(verification(row, status)?))));
    }
    // A session that has ended opens nothing.
    match status {
        Status::Pending { attempts } => Ok((user, Some(OldAsked::Session(session(row, attempts)?)))),
        _ => Ok((user, None)),
    }
}

fn status(row: &dyn Row) -> Result<Status, Error> {
    let closed_at = row.opt_time(OLD_VERIFICATION.closed_at)?;
    let collected = row.opt_time(OLD_VERIFICATION.consumed_at)?;
    match (row.int(OLD_VERIFICATION.status)?, closed_at) {
        (0, _) => Ok(Status::Pending { attempts: row.int(OLD_VERIFICATION.attempts)? }),
        (1, Some(at)) => Ok(Status::Accepted { at, collected }),
        (2, Some(at)) => Ok(Status::Rejected { at, collected }),
        (3, _) => Ok(Status::Expired),
        _ => Err(Error::Corrupt("a verification's status")),
    }
}

fn verification(row: &dyn Row, status: Status) -> Result<Verification, Error> {
    Ok(Verification {
        id: verification_id(row, OLD_VERIFICATION.id)?,
        wire_id: row.text(OLD_VERIFICATION.wire_id)?.to_owned(),
        user_id: UserId(row.int(OLD_VERIFICATION.user_id)?),
        device_id: DeviceId(row.int(OLD_VERIFICATION.device_id)?),
        purpose: Purpose::from_number(row.int(OLD_VERIFICATION.purpose)?)
            .ok_or(Error::Corrupt("a verification's purpose"))?,
        challenge: challenge(
            row.text(OLD_VERIFICATION.challenge)?,
            row.opt_blob(OLD_VERIFICATION.answer)?,
            row.opt_blob(OLD_VERIFICATION.pairing_hash)?,
        )?,
        status,
        state_token: row.opt_blob(OLD_VERIFICATION.state_token)?.map(digest).transpose()?,
        client_id: row.opt_int(OLD_VERIFICATION.client_id)?.map(ClientId),
        created_at: row.time(OLD_VERIFICATION.created_at)?,
        expires_at: row.time(OLD_VERIFICATION.expires_at)?,
    })
}

/// The kind and form of a challenge. What an answer is compared with was in columns beside it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    Own,
    Untriggered,
    Code {
        length: u8,
        alphabet: Alphabet,
    },
    Keypad,
    Approval {
        number: Option<String>,
        /// The numbers before, oldest first.
        #[serde(default)]
        past: Vec<String>,
    },
    Pairing,
}

/// Puts a challenge together. What was wiped comes back as a hash that nothing has, or an empty nonce.
fn challenge(form: &str, answer: Option<&[u8]>, pairing_hash: Option<&[u8]>) -> Result<Challenge, Error> {
    let hash = |bytes: Option<&[u8]>| {
        KeyedHash::from_bytes(bytes.unwrap_or(&[0; 36])).ok_or(Error::Corrupt("a challenge's hash"))
    };
    let form = serde_json::from_str(form).map_err(|_| Error::Corrupt("a challenge"))?;
    Ok(match form {
        Form::Own => Challenge::Own,
        Form::Untriggered => Challenge::Untriggered,
        Form::Code { length, alphabet } => Challenge::Code { hash: hash(answer)?, length, alphabet },
        Form::Keypad => Challenge::Keypad { hash: hash(answer)? },
        Form::Approval { number, past } => Challenge::Approval {
            nonce: Secret::new(answer.unwrap_or_default().to_vec()),
            numbers: past.into_iter().chain(number).collect(),
            asked: AskedFrom::default(),
        },
        Form::Pairing => Challenge::Pairing { hash: hash(pairing_hash)? },
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OldTerms {
    Terms(Terms),
}

fn session(row: &dyn Row, attempts: i64) -> Result<Session, Error> {
    let terms = || match serde_json::from_str(row.text(OLD_VERIFICATION.challenge)?) {
        Ok(OldTerms::Terms(terms)) => Ok(terms),
        Err(_) => Err(Error::Corrupt("what a log-in is for")),
    };
    let kind = match row.int(OLD_VERIFICATION.purpose)? {
        2 => SessionKind::LogIn { terms: terms()?, attempts },
        3 => SessionKind::SessionToken { terms: terms()? },
        4 => SessionKind::Browsing,
        5 => SessionKind::RememberedBrowser,
        _ => return Err(Error::Corrupt("a session's kind")),
    };
    Ok(Session {
        id: SessionId(verification_id(row, OLD_VERIFICATION.id)?.0),
        user_id: UserId(row.int(OLD_VERIFICATION.user_id)?),
        kind,
        token: digest(row.blob(OLD_VERIFICATION.state_token)?)?,
        client_id: row.opt_int(OLD_VERIFICATION.client_id)?.map(ClientId),
        created_at: row.time(OLD_VERIFICATION.created_at)?,
        expires_at: row.time(OLD_VERIFICATION.expires_at)?,
    })
}

// ---- limits

const LIMITS: Error = Error::Corrupt("a user's limits");

/// A user's limits, one after the other, all big endian: kind (1 byte) and subject (8), wrong answers since the last right
/// one (4), until when nothing is evaluated (8; 0 for not), when the last wrong answer came (8; 0 for none) and its digest
/// (32), how many recent moments there are (2), and these (8 each).
pub(super) fn throttles(mut bytes: &[u8]) -> Result<Vec<Throttle>, Error> {
    let mut throttles = Vec::new();
    while !bytes.is_empty() {
        let kind = i64::from(take::<1>(&mut bytes)?[0]);
        let subject = number(&mut bytes)?;
        let consecutive = u32::from_be_bytes(take(&mut bytes)?);
        let locked_until = moment(&mut bytes)?;
        let wrong_at = moment(&mut bytes)?;
        let wrong = Digest(take(&mut bytes)?);
        let recent = usize::from(u16::from_be_bytes(take(&mut bytes)?)) * 8;
        let (moments, rest) = bytes.split_at_checked(recent).ok_or(LIMITS)?;
        bytes = rest;
        throttles.push(Throttle {
            key: ThrottleKey::from_numbers(kind, subject).ok_or(LIMITS)?,
            consecutive,
            recent: unpack_moments(moments)?,
            locked_until,
            last_wrong: wrong_at.map(|at| (wrong, at)),
        });
    }
    Ok(throttles)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Error> {
    let (taken, rest) = bytes.split_first_chunk::<N>().ok_or(LIMITS)?;
    *bytes = rest;
    Ok(*taken)
}

fn number(bytes: &mut &[u8]) -> Result<i64, Error> {
    take(bytes).map(i64::from_be_bytes)
}

fn moment(bytes: &mut &[u8]) -> Result<Option<Timestamp>, Error> {
    Ok(Some(number(bytes)?).filter(|at| *at != 0).map(Timestamp))
}
