//! Sessions as bytes of a user's state, and the ids that they and verifications name.

use domain::model::session::{Begun, Terms};
use domain::{ClientId, Digest, Session, SessionId, SessionKind, UserId, VerificationId};
use uuid::Uuid;

use super::bytes::{CORRUPT, Reader, Writer};
use crate::error::Error;

pub(super) fn session(to: &mut Writer, session: &Session) {
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
        SessionKind::Invitation { replaces, leads_on, begun } => {
            to.byte(4);
            to.byte((*replaces).into());
            to.byte((*leads_on).into());
            to.list(begun, |to, begun| {
                to.exact(begun.registration.0.as_bytes());
                to.exact(&begun.next.0);
            });
        }
    }
    to.exact(&session.token.0);
    to.option(session.client_id, |to, client| to.signed(client.0));
    to.time(session.created_at);
    to.time(session.expires_at);
}

pub(super) fn read_session(from: &mut Reader<'_>, user_id: UserId) -> Result<Session, Error> {
    Ok(Session {
        id: SessionId(Uuid::from_bytes(from.exact()?)),
        user_id,
        kind: match from.byte()? {
            0 => SessionKind::LogIn { terms: read_terms(from)?, attempts: from.signed()? },
            1 => SessionKind::SessionToken { terms: read_terms(from)? },
            2 => SessionKind::Browsing,
            3 => SessionKind::RememberedBrowser,
            4 => SessionKind::Invitation {
                replaces: from.flag()?,
                leads_on: from.flag()?,
                begun: from.list(|from| Ok(Begun { registration: read_id(from)?, next: Digest(from.exact()?) }))?,
            },
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

pub(super) fn read_id(from: &mut Reader<'_>) -> Result<VerificationId, Error> {
    from.exact().map(Uuid::from_bytes).map(VerificationId)
}

pub(super) fn read_client(from: &mut Reader<'_>) -> Result<ClientId, Error> {
    from.signed().map(ClientId)
}
