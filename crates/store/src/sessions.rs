//! How sessions are stored: as rows of `verification` without a device, which is how they differ from verifications; their purpose
//! says which kind they are. So one statement loads all that a user has open, and one sweep ends it.

use domain::model::session::Terms;
use domain::{ClientId, Session, SessionEnd, SessionId, SessionKind, UserId, Verification, View};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::rows;
use crate::schema::columns::VERIFICATION;
use crate::schema::sql;
use crate::value::{Row, Value, Write};

/// The device of what belongs to no device. No real device has it.
const NO_DEVICE: i64 = 0;
/// Among the purposes of `verification`, these are of sessions.
pub(crate) const LOG_IN: i64 = 2;
pub(crate) const SESSION_TOKEN: i64 = 3;
const BROWSING: i64 = 4;
const REMEMBERED_BROWSER: i64 = 5;
/// The status of what has not ended, as verifications have it.
const PENDING: i64 = 0;

/// The value of the column in which a verification has its challenge.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    Terms(Terms),
}

fn form(terms: Terms) -> String {
    #[expect(clippy::expect_used, reason = "no map with odd keys and no writer that fails")]
    serde_json::to_string(&Form::Terms(terms)).expect("terms are always JSON")
}

fn id(session: SessionId) -> Vec<u8> {
    session.0.as_bytes().to_vec()
}

pub(crate) fn open(session: Session) -> Write {
    let (purpose, terms, attempts) = match session.kind {
        SessionKind::LogIn { terms, attempts } => (LOG_IN, terms, attempts),
        SessionKind::SessionToken { terms } => (SESSION_TOKEN, terms, 0),
        SessionKind::Browsing => (BROWSING, Terms::default(), 0),
        SessionKind::RememberedBrowser => (REMEMBERED_BROWSER, Terms::default(), 0),
    };
    let params = vec![
        id(session.id).into(),
        session.id.to_string().into(),
        session.user_id.0.into(),
        NO_DEVICE.into(),
        purpose.into(),
        form(terms).into(),
        Value::Null,
        Value::Null,
        PENDING.into(),
        Value::Null,
        attempts.into(),
        session.token.into(),
        Value::Null,
        session.client_id.map(|client| client.0).into(),
        session.created_at.into(),
        session.expires_at.into(),
        true.into(),
    ];
    Write::new(sql::INSERT_VERIFICATION, params)
}

pub(crate) fn close(session: SessionId, end: SessionEnd) -> Write {
    let (status, at) = match end {
        SessionEnd::Used { at } => (1_i64, Some(at)),
        SessionEnd::Refused { at } => (2, Some(at)),
        SessionEnd::Expired => (3, None),
    };
    let params = vec![status.into(), at.into(), at.into(), false.into(), id(session).into()];
    let write = Write::new(sql::CLOSE_VERIFICATION, params);
    // What is used must not have ended meanwhile.
    if matches!(end, SessionEnd::Used { .. }) { write.must_hit() } else { write }
}

pub(crate) fn count_attempt(session: SessionId) -> Write {
    Write::new(sql::COUNT_ATTEMPT, vec![id(session).into()])
}

pub(crate) fn set_terms(session: SessionId, terms: Terms) -> Write {
    let params = vec![session.to_string().into(), form(terms).into(), Value::Null, Value::Null, id(session).into()];
    Write::new(sql::REPLACE_CHALLENGE, params)
}

/// One of the rows that a decision sees.
pub(crate) enum LiveRow {
    Verification(Verification),
    Session(Session),
}

impl LiveRow {
    pub(crate) fn decode(row: &dyn Row) -> Result<Self, Error> {
        Ok(if row.int(VERIFICATION.device_id)? == NO_DEVICE {
            Self::Session(session(row)?)
        } else {
            Self::Verification(rows::verification(row)?)
        })
    }

    pub(crate) fn user(&self) -> UserId {
        match self {
            Self::Verification(verification) => verification.user_id,
            Self::Session(session) => session.user_id,
        }
    }

    pub(crate) fn show(self, view: &mut View) {
        match self {
            Self::Verification(verification) => view.verifications.push(verification),
            Self::Session(session) => view.sessions.push(session),
        }
    }
}

fn session(row: &dyn Row) -> Result<Session, Error> {
    let terms = || match serde_json::from_str(row.text(VERIFICATION.challenge)?) {
        Ok(Form::Terms(terms)) => Ok(terms),
        Err(_) => Err(Error::Corrupt("what a log-in is for")),
    };
    let kind = match row.int(VERIFICATION.purpose)? {
        LOG_IN => SessionKind::LogIn { terms: terms()?, attempts: row.int(VERIFICATION.attempts)? },
        SESSION_TOKEN => SessionKind::SessionToken { terms: terms()? },
        BROWSING => SessionKind::Browsing,
        REMEMBERED_BROWSER => SessionKind::RememberedBrowser,
        _ => return Err(Error::Corrupt("a session's kind")),
    };
    Ok(Session {
        id: SessionId(rows::verification_id(row, VERIFICATION.id)?.0),
        user_id: UserId(row.int(VERIFICATION.user_id)?),
        kind,
        token: rows::opt_digest(row, VERIFICATION.state_token)?.ok_or(Error::Corrupt("a session's token"))?,
        client_id: row.opt_int(VERIFICATION.client_id)?.map(ClientId),
        created_at: row.time(VERIFICATION.created_at)?,
        expires_at: row.time(VERIFICATION.expires_at)?,
    })
}
