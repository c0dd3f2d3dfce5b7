//! A user's state as the bytes of one column. This is the only place that knows how they lie.
//!
//! The first byte is the version of the form, the last four are a checksum (CRC-32) of all before them: a damaged row is
//! reported as damage of its user, and never read as something else. Sealed values keep the bytes they were sealed to; the
//! places to which they are bound are the ids within. A user without any of it has no bytes at all.
//!
//! A state has version 2 while a link is among its challenges, version 3 while it has something of a phone or an invitation, and
//! version 1 otherwise. Servers before them do not know these. Beside such servers all other users are read, and this one once
//! that is over and tidied up; one with a subscribed phone is not.

use domain::model::challenge::{Challenge, LinkChallenge};
use domain::model::code::Alphabet;
use domain::{
    AskedFrom, ClientId, Device, DeviceId, DeviceStatus, Digest, FactorKind, KeyedHash, Purpose, Sealed, Secret,
    SecretMac, SecretMark, Session, SessionKind, Status, Subscribed, Throttle, ThrottleKey, UserId, Verification,
    VerificationId, View,
};

use super::bytes::{CORRUPT, Reader, Writer};
use super::pack_session::{read_client, read_id, read_session, session};
use super::parts::{KnownVerification, Parts};
use crate::error::Error;
use crate::rows;

/// The version of the form without links.
const PLAIN: u8 = 1;
/// The version of the form with links.
const WITH_LINKS: u8 = 2;
/// The version of the form with subscribed phones, prompts that say from where they were asked, and invitations.
const WITH_PHONES: u8 = 3;
/// Bytes of the checksum.
const SUM: usize = 4;
/// Bytes of a [`KeyedHash`].
const HASH: usize = 36;

/// The bytes of a state; `None` for one that is empty.
pub(super) fn pack(view: &View, ended: &[KnownVerification], clients: &[ClientId]) -> Option<Vec<u8>> {
    let View { user: _, devices, verifications, sessions, throttles } = view;
    let is_empty = devices.is_empty() && verifications.is_empty() && sessions.is_empty() && throttles.is_empty();
    if is_empty && ended.is_empty() && clients.is_empty() {
        return None;
    }
    let mut to = Writer(Vec::with_capacity(64 + 256 * devices.len() + 160 * verifications.len() + 48 * ended.len()));
    let version = version(view);
    to.byte(version);
    to.list(devices, |to, one| device(to, one, version));
    to.list(verifications, verification);
    to.list(ended, ended_verification);
    to.list(sessions, session);
    to.list(throttles, throttle);
    to.list(clients, |to, client| to.signed(client.0));
    let sum = crc32fast::hash(&to.0);
    to.exact(&sum.to_be_bytes());
    Some(to.0)
}

/// The oldest version that can hold this.
fn version(view: &View) -> u8 {
    let is_asked_from = |asked: &Verification| matches!(&asked.challenge, Challenge::Approval { asked, .. } if *asked != AskedFrom::default());
    let is_invitation = |session: &Session| matches!(session.kind, SessionKind::Invitation { .. });
    let is_subscribed = |device: &Device| device.subscription.is_some();
    let has_phones = view.devices.iter().any(is_subscribed)
        || view.verifications.iter().any(is_asked_from)
        || view.sessions.iter().any(is_invitation);
    match has_phones {
        true => WITH_PHONES,
        false if view.verifications.iter().any(|asked| matches!(asked.challenge, Challenge::Link(_))) => WITH_LINKS,
        false => PLAIN,
    }
}

/// The inverse of [`pack`].
pub(super) fn unpack(packed: Option<&[u8]>, user: UserId) -> Result<Parts, Error> {
    let Some(packed) = packed else { return Ok(Parts::default()) };
    let (bytes, sum) = packed.split_last_chunk::<SUM>().ok_or(CORRUPT)?;
    if crc32fast::hash(bytes).to_be_bytes() != *sum {
        return Err(CORRUPT);
    }
    let mut from = Reader(bytes);
    let version = from.byte()?;
    if !matches!(version, PLAIN | WITH_LINKS | WITH_PHONES) {
        return Err(Error::Unavailable("a newer server has written this user"));
    }
    let parts = Parts {
        devices: from.list(|from| read_device(from, user, version))?,
        verifications: from.list(|from| read_verification(from, user))?,
        ended: from.list(read_ended_verification)?,
        sessions: from.list(|from| read_session(from, user))?,
        throttles: from.list(read_throttle)?,
        clients: from.list(read_client)?,
    };
    if from.0.is_empty() { Ok(parts) } else { Err(CORRUPT) }
}

fn device(to: &mut Writer, device: &Device, version: u8) {
    let Device { id, user_id: _, factor, display_name, status, credential, secret, subscription, .. } = device;
    to.signed(id.0);
    to.signed(factor.number());
    to.signed(status.number());
    to.signed(device.last_counter);
    to.time(device.created_at);
    to.option(device.last_used_at, Writer::time);
    to.bytes(display_name.as_bytes());
    to.bytes(&credential.0);
    to.option(secret.as_ref(), |to, secret| {
        to.exact(&secret.mac.0);
        to.signed(secret.counts.number());
    });
    if version >= WITH_PHONES {
        to.option(subscription.as_ref(), |to, subscription| {
            to.exact(&subscription.mark.0);
            to.bytes(&subscription.sealed.0);
        });
    }
}

fn read_device(from: &mut Reader<'_>, user_id: UserId, version: u8) -> Result<Device, Error> {
    Ok(Device {
        id: DeviceId(from.signed()?),
        user_id,
        factor: FactorKind::from_number(from.signed()?).ok_or(CORRUPT)?,
        status: DeviceStatus::from_number(from.signed()?).ok_or(CORRUPT)?,
        last_counter: from.signed()?,
        created_at: from.time()?,
        last_used_at: from.option(Reader::time)?,
        display_name: from.text()?,
        credential: Sealed(from.bytes()?.to_vec()),
        secret: from
            .option(|from| Ok(SecretMark { mac: SecretMac(from.exact()?), counts: rows::counts(from.signed()?)? }))?,
        subscription: if version >= WITH_PHONES { from.option(read_subscription)? } else { None },
    })
}

fn read_subscription(from: &mut Reader<'_>) -> Result<Subscribed, Error> {
    Ok(Subscribed { mark: Digest(from.exact()?), sealed: Sealed(from.bytes()?.to_vec()) })
}

/// What a caller knows a verification by: its id in nearly all cases.
fn wire_id(to: &mut Writer, id: VerificationId, wire_id: &str) {
    if id.to_string() == wire_id {
        to.byte(1);
    } else {
        to.byte(0);
        to.bytes(wire_id.as_bytes());
    }
}

fn read_wire_id(from: &mut Reader<'_>, id: VerificationId) -> Result<String, Error> {
    if from.flag()? { Ok(id.to_string()) } else { from.text() }
}

fn verification(to: &mut Writer, asked: &Verification) {
    to.exact(asked.id.0.as_bytes());
    wire_id(to, asked.id, &asked.wire_id);
    to.signed(asked.device_id.0);
    to.signed(asked.purpose.number());
    challenge(to, &asked.challenge);
    status(to, asked.status);
    to.option(asked.state_token, |to, token| to.exact(&token.0));
    to.option(asked.client_id, |to, client| to.signed(client.0));
    to.time(asked.created_at);
    to.time(asked.expires_at);
}

fn read_verification(from: &mut Reader<'_>, user_id: UserId) -> Result<Verification, Error> {
    let id = read_id(from)?;
    Ok(Verification {
        id,
        wire_id: read_wire_id(from, id)?,
        user_id,
        device_id: DeviceId(from.signed()?),
        purpose: Purpose::from_number(from.signed()?).ok_or(CORRUPT)?,
        challenge: read_challenge(from)?,
        status: read_status(from)?,
        state_token: from.option(|from| from.exact().map(Digest))?,
        client_id: from.option(read_client)?,
        created_at: from.time()?,
        expires_at: from.time()?,
    })
}

fn challenge(to: &mut Writer, challenge: &Challenge) {
    match challenge {
        Challenge::Own => to.byte(0),
        Challenge::Untriggered => to.byte(1),
        Challenge::Code { hash, length, alphabet } => {
            to.byte(2);
            to.exact(&hash.to_bytes());
            to.byte(*length);
            to.byte(match alphabet {
                Alphabet::Digits => 0,
                Alphabet::Alphanumeric => 1,
                Alphabet::Crockford => 2,
            });
        }
        Challenge::Keypad { hash } => {
            to.byte(3);
            to.exact(&hash.to_bytes());
        }
        Challenge::Approval { nonce, numbers, asked } => {
            let says_from = *asked != AskedFrom::default();
            to.byte(if says_from { 7 } else { 4 });
            to.bytes(nonce.expose());
            to.list(numbers, |to, number| to.bytes(number.as_bytes()));
            if says_from {
                asked_from(to, asked);
            }
        }
        Challenge::Pairing { hash } => {
            to.byte(5);
            to.exact(&hash.to_bytes());
        }
        Challenge::Link(LinkChallenge { token, code, redirect_to, asked }) => {
            to.byte(6);
            to.exact(&token.0);
            to.option(*code, |to, code| to.exact(&code.to_bytes()));
            to.option(redirect_to.as_ref(), |to, address| to.bytes(address.as_bytes()));
            asked_from(to, asked);
        }
    }
}

fn asked_from(to: &mut Writer, AskedFrom { person, caller }: &AskedFrom) {
    for address in [person, caller] {
        to.option(address.as_ref(), |to, address| to.bytes(address.as_bytes()));
    }
}

fn read_asked_from(from: &mut Reader<'_>) -> Result<AskedFrom, Error> {
    Ok(AskedFrom { person: from.option(Reader::text)?, caller: from.option(Reader::text)? })
}

fn read_challenge(from: &mut Reader<'_>) -> Result<Challenge, Error> {
    let hash = |from: &mut Reader<'_>| KeyedHash::from_bytes(&from.exact::<HASH>()?).ok_or(CORRUPT);
    Ok(match from.byte()? {
        0 => Challenge::Own,
        1 => Challenge::Untriggered,
        2 => Challenge::Code {
            hash: hash(from)?,
            length: from.byte()?,
            alphabet: match from.byte()? {
                0 => Alphabet::Digits,
                1 => Alphabet::Alphanumeric,
                2 => Alphabet::Crockford,
                _ => return Err(CORRUPT),
            },
        },
        3 => Challenge::Keypad { hash: hash(from)? },
        kind @ (4 | 7) => Challenge::Approval {
            nonce: Secret::new(from.bytes()?.to_vec()),
            numbers: from.list(Reader::text)?,
            asked: if kind == 7 { read_asked_from(from)? } else { AskedFrom::default() },
        },
        5 => Challenge::Pairing { hash: hash(from)? },
        6 => Challenge::Link(LinkChallenge {
            token: Digest(from.exact()?),
            code: from.option(hash)?,
            redirect_to: from.option(Reader::text)?,
            asked: read_asked_from(from)?,
        }),
        _ => return Err(CORRUPT),
    })
}

fn status(to: &mut Writer, status: Status) {
    let mut ended = |kind, at, collected| {
        to.byte(kind);
        to.time(at);
        to.option(collected, Writer::time);
    };
    match status {
        Status::Accepted { at, collected } => ended(1, at, collected),
        Status::Rejected { at, collected } => ended(2, at, collected),
        Status::Expired => to.byte(3),
        Status::Pending { attempts } => {
            to.byte(0);
            to.signed(attempts);
        }
    }
}

fn read_status(from: &mut Reader<'_>) -> Result<Status, Error> {
    Ok(match from.byte()? {
        0 => Status::Pending { attempts: from.signed()? },
        1 => Status::Accepted { at: from.time()?, collected: from.option(Reader::time)? },
        2 => Status::Rejected { at: from.time()?, collected: from.option(Reader::time)? },
        3 => Status::Expired,
        _ => return Err(CORRUPT),
    })
}

fn ended_verification(to: &mut Writer, ended: &KnownVerification) {
    to.exact(ended.id.0.as_bytes());
    wire_id(to, ended.id, &ended.wire_id);
    to.signed(ended.device_id.0);
    to.signed(ended.purpose.number());
    status(to, ended.status);
    to.time(ended.expires_at);
}

fn read_ended_verification(from: &mut Reader<'_>) -> Result<KnownVerification, Error> {
    let id = read_id(from)?;
    Ok(KnownVerification {
        id,
        wire_id: read_wire_id(from, id)?,
        device_id: DeviceId(from.signed()?),
        purpose: Purpose::from_number(from.signed()?).ok_or(CORRUPT)?,
        status: read_status(from)?,
        expires_at: from.time()?,
    })
}

fn throttle(to: &mut Writer, throttle: &Throttle) {
    let (kind, subject) = throttle.key.numbers();
    to.signed(kind);
    to.signed(subject);
    to.unsigned(throttle.consecutive.into());
    to.option(throttle.locked_until, Writer::time);
    to.option(throttle.last_wrong, |to, (wrong, at)| {
        to.exact(&wrong.0);
        to.time(at);
    });
    to.list(&throttle.recent, |to, at| to.time(*at));
}

fn read_throttle(from: &mut Reader<'_>) -> Result<Throttle, Error> {
    Ok(Throttle {
        key: ThrottleKey::from_numbers(from.signed()?, from.signed()?).ok_or(CORRUPT)?,
        consecutive: u32::try_from(from.unsigned()?).map_err(|_| CORRUPT)?,
        locked_until: from.option(Reader::time)?,
        last_wrong: from.option(|from| Ok((Digest(from.exact()?), from.time()?)))?,
        recent: from.list(Reader::time)?,
    })
}
