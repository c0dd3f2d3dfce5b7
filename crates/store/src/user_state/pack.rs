//! A user's state as the bytes of one column. This is the only place that knows how they lie.
//!
//! The first byte is the version of the form, the last four are a checksum (CRC-32) of all before them: a damaged row is
//! reported as damage of its user, and never read as something else. Sealed values keep the bytes they were sealed to; the
//! places to which they are bound are the ids within. A user without any of it has no bytes at all.
//!
//! A state has version 2 while a link is among its challenges, which servers before it do not know, and version 1 otherwise:
//! beside such servers all other users are read, and this one once the link is over and tidied up.

use domain::model::challenge::{Challenge, LinkChallenge};
use domain::model::code::Alphabet;
use domain::model::session::Terms;
use domain::{
    ClientId, Device, DeviceId, DeviceStatus, Digest, FactorKind, KeyedHash, Purpose, Sealed, Secret, SecretMac,
    SecretMark, Session, SessionId, SessionKind, Status, Throttle, ThrottleKey, UserId, Verification, VerificationId,
    View,
};
use uuid::Uuid;

use super::bytes::{CORRUPT, Reader, Writer};
use super::parts::{KnownVerification, Parts};
use crate::error::Error;
use crate::rows;

/// The version of the form without links.
const PLAIN: u8 = 1;
/// The version of the form with links.
const WITH_LINKS: u8 = 2;
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
    let has_links = verifications.iter().any(|asked| matches!(asked.challenge, Challenge::Link(_)));
    to.byte(if has_links { WITH_LINKS } else { PLAIN });
    to.list(devices, device);
    to.list(verifications, verification);
    to.list(ended, ended_verification);
    to.list(sessions, session);
    to.list(throttles, throttle);
    to.list(clients, |to, client| to.signed(client.0));
    let sum = crc32fast::hash(&to.0);
    to.exact(&sum.to_be_bytes());
    Some(to.0)
}

/// The inverse of [`pack`].
pub(super) fn unpack(packed: Option<&[u8]>, user: UserId) -> Result<Parts, Error> {
    let Some(packed) = packed else { return Ok(Parts::default()) };
    let (bytes, sum) = packed.split_last_chunk::<SUM>().ok_or(CORRUPT)?;
    if crc32fast::hash(bytes).to_be_bytes() != *sum {
        return Err(CORRUPT);
    }
    let mut from = Reader(bytes);
    if !matches!(from.byte()?, PLAIN | WITH_LINKS) {
        return Err(Error::Unavailable("a newer server has written this user"));
    }
    let parts = Parts {
        devices: from.list(|from| read_device(from, user))?,
        verifications: from.list(|from| read_verification(from, user))?,
        ended: from.list(read_ended_verification)?,
        sessions: from.list(|from| read_session(from, user))?,
        throttles: from.list(read_throttle)?,
        clients: from.list(read_client)?,
    };
    if from.0.is_empty() { Ok(parts) } else { Err(CORRUPT) }
}

fn device(to: &mut Writer, device: &Device) {
    let Device { id, user_id: _, factor, display_name, status, credential, secret, .. } = device;
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
}

fn read_device(from: &mut Reader<'_>, user_id: UserId) -> Result<Device, Error> {
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
    })
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

fn read_id(from: &mut Reader<'_>) -> Result<VerificationId, Error> {
    from.exact().map(Uuid::from_bytes).map(VerificationId)
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

fn read_client(from: &mut Reader<'_>) -> Result<ClientId, Error> {
    from.signed().map(ClientId)
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
        Challenge::Approval { nonce, numbers } => {
            to.byte(4);
            to.bytes(nonce.expose());
            to.list(numbers, |to, number| to.bytes(number.as_bytes()));
        }
        Challenge::Pairing { hash } => {
            to.byte(5);
            to.exact(&hash.to_bytes());
        }
        Challenge::Link(LinkChallenge { token, code, redirect_to, from, caller }) => {
            to.byte(6);
            to.exact(&token.0);
            to.option(*code, |to, code| to.exact(&code.to_bytes()));
            for address in [redirect_to, from, caller] {
                to.option(address.as_ref(), |to, address| to.bytes(address.as_bytes()));
            }
        }
    }
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
        4 => Challenge::Approval { nonce: Secret::new(from.bytes()?.to_vec()), numbers: from.list(Reader::text)? },
        5 => Challenge::Pairing { hash: hash(from)? },
        6 => Challenge::Link(LinkChallenge {
            token: Digest(from.exact()?),
            code: from.option(hash)?,
            redirect_to: from.option(Reader::text)?,
            from: from.option(Reader::text)?,
            caller: from.option(Reader::text)?,
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

fn session(to: &mut Writer, session: &Session) {
    to.exact(session.id.0.as_bytes());
    match &session.kind {
        SessionKind::LogIn { terms, attempts } => {
            to.byte(0);
            to.bytes(json(terms).as_bytes());
            to.signed(*attempts);
        }
        SessionKind::SessionToken { terms } => {
            to.byte(1);
            to.bytes(json(terms).as_bytes());
        }
        SessionKind::Browsing => to.byte(2),
        SessionKind::RememberedBrowser => to.byte(3),
    }
    to.exact(&session.token.0);
    to.option(session.client_id, |to, client| to.signed(client.0));
    to.time(session.created_at);
    to.time(session.expires_at);
}

fn read_session(from: &mut Reader<'_>, user_id: UserId) -> Result<Session, Error> {
    Ok(Session {
        id: SessionId(Uuid::from_bytes(from.exact()?)),
        user_id,
        kind: match from.byte()? {
            0 => SessionKind::LogIn { terms: read_terms(from)?, attempts: from.signed()? },
            1 => SessionKind::SessionToken { terms: read_terms(from)? },
            2 => SessionKind::Browsing,
            3 => SessionKind::RememberedBrowser,
            _ => return Err(CORRUPT),
        },
        token: Digest(from.exact()?),
        client_id: from.option(read_client)?,
        created_at: from.time()?,
        expires_at: from.time()?,
    })
}

/// Terms gain fields now and then; JSON leaves room for it.
fn json(terms: &Terms) -> String {
    #[expect(clippy::expect_used, reason = "no map with odd keys and no writer that fails")]
    serde_json::to_string(terms).expect("terms are always JSON")
}

fn read_terms(from: &mut Reader<'_>) -> Result<Terms, Error> {
    serde_json::from_slice(from.bytes()?).map_err(|_| CORRUPT)
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
