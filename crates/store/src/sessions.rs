//! How sessions are stored: as rows of `verification` without a device, which is how they differ from verifications; their purpose
//! says which kind they are. So one statement loads all that a user has open, and one sweep ends it.

use domain::model::session::Terms;
use domain::{
    ClientId, Session, SessionEnd, SessionId, SessionKind, Status, UserId, Verification, VerificationEnd, View,
};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::rows;
use crate::schema::columns::VERIFICATION;
use crate::schema::sql;
use crate::value::{Row, Value, Write};
use crate::verification_row::{self, NewRow};

/// The device of what belongs to no device. No real device has it.
const NO_DEVICE: i64 = 0;
/// Among the purposes of `verification`, these are of sessions.
pub(crate) const LOG_IN: i64 = 2;
pub(crate) const SESSION_TOKEN: i64 = 3;
const BROWSING: i64 = 4;
const REMEMBERED_BROWSER: i64 = 5;

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
    let row = NewRow {
        id: id(session.id),
        wire_id: session.id.to_string(),
        user: session.user_id,
        device: NO_DEVICE,
        purpose,
        form: form(terms),
        answer: None,
        pairing_hash: None,
        status: Status::Pending { attempts },
        token: Some(session.token),
        client: session.client_id,
        created_at: session.created_at,
        expires_at: session.expires_at,
        live: true,
    };
    row.insert()
}

/// The end of a session leaves nothing to collect.
pub(crate) fn close(session: SessionId, end: SessionEnd) -> Write {
    let end = match end {
        SessionEnd::Used { at } => VerificationEnd::Accepted { at, collected: Some(at) },
        SessionEnd::Refused { at } => VerificationEnd::Rejected { at, collected: Some(at) },
        SessionEnd::Expired => VerificationEnd::Expired,
    };
    verification_row::close(id(session), end)
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
    // `live` alone says that decisions see it. One that has ended opens nothing, whatever `live` says.
    let Status::Pending { attempts } = verification_row::status(row)? else {
        return Err(Error::Corrupt("a session that has ended"));
    };
    let kind = match row.int(VERIFICATION.purpose)? {
        LOG_IN => SessionKind::LogIn { terms: terms()?, attempts },
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A row as it is written, which has the columns in the order in which they are read.
    impl Row for Vec<Value> {
        fn opt_int(&self, column: usize) -> Result<Option<i64>, Error> {
            Ok(if let Value::Int(number) = self[column] { Some(number) } else { None })
        }

        fn opt_text(&self, column: usize) -> Result<Option<&str>, Error> {
            Ok(if let Value::Text(text) = &self[column] { Some(text) } else { None })
        }

        fn opt_blob(&self, column: usize) -> Result<Option<&[u8]>, Error> {
            Ok(if let Value::Blob(bytes) = &self[column] { Some(bytes) } else { None })
        }
    }

    #[test]
    fn a_session_that_has_ended_opens_nothing_though_its_row_is_live() {
        let at = domain::Timestamp(7);
        let kind = SessionKind::LogIn { terms: Terms::default(), attempts: 3 };
        let opened = Session {
            id: SessionId(uuid::Uuid::from_u128(1)),
            user_id: UserId(2),
            kind,
            token: domain::Digest::of(b"token"),
            client_id: None,
            created_at: at,
            expires_at: at,
        };
        let mut row = open(opened.clone()).params;
        assert_eq!(session(&row).unwrap(), opened);
        for ended in 1..=3 {
            row[VERIFICATION.status] = Value::Int(ended);
            row[VERIFICATION.closed_at] = at.into();
            assert_eq!(session(&row).unwrap_err(), Error::Corrupt("a session that has ended"));
        }
    }
}
