//! A row of `verification`, which verifications and sessions share ([`crate::sessions`]): how it comes, how it ends, and how
//! its state is stored, a number and beside it the facts of any state in columns.

use domain::{ClientId, Digest, Status, Timestamp, UserId, VerificationEnd};

use crate::error::Error;
use crate::schema::columns::VERIFICATION;
use crate::schema::sql;
use crate::value::{Row, Write, params};

/// A row to write.
pub(crate) struct NewRow {
    pub(crate) id: Vec<u8>,
    pub(crate) wire_id: String,
    pub(crate) user: UserId,
    pub(crate) device: i64,
    pub(crate) purpose: i64,
    /// The form of a challenge, or what a session is for.
    pub(crate) form: String,
    /// What an answer is compared with.
    pub(crate) answer: Option<Vec<u8>>,
    pub(crate) pairing_hash: Option<Vec<u8>>,
    pub(crate) status: Status,
    pub(crate) token: Option<Digest>,
    pub(crate) client: Option<ClientId>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// Whether decisions need to see it.
    pub(crate) live: bool,
}

impl NewRow {
    pub(crate) fn insert(self) -> Write {
        let StatusColumns { status, closed_at, attempts, consumed_at } = self.status.into();
        let params = params![
            self.id,
            self.wire_id,
            self.user.0,
            self.device,
            self.purpose,
            self.form,
            self.answer,
            self.pairing_hash,
            status,
            closed_at,
            attempts,
            self.token,
            consumed_at,
            self.client.map(|client| client.0),
            self.created_at,
            self.expires_at,
            self.live,
        ];
        Write::new(sql::INSERT_VERIFICATION, params)
    }
}

/// Ends a row that is pending. What an end grants must not have ended meanwhile.
pub(crate) fn close(id: Vec<u8>, end: VerificationEnd) -> Write {
    let (collectable, granted) = match end {
        VerificationEnd::Accepted { collected, .. } => (collected.is_none(), true),
        VerificationEnd::Rejected { collected, .. } => (collected.is_none(), false),
        VerificationEnd::Expired => (false, false),
    };
    let StatusColumns { status, closed_at, consumed_at, .. } = Status::from(end).into();
    let write = Write::new(sql::CLOSE_VERIFICATION, params![status, closed_at, consumed_at, collectable, id]);
    if granted { write.must_hit() } else { write }
}

/// The state of a row.
pub(crate) fn status(row: &dyn Row) -> Result<Status, Error> {
    let columns = StatusColumns {
        status: row.int(VERIFICATION.status)?,
        closed_at: row.opt_time(VERIFICATION.closed_at)?,
        attempts: row.int(VERIFICATION.attempts)?,
        consumed_at: row.opt_time(VERIFICATION.consumed_at)?,
    };
    columns.read().ok_or(Error::Corrupt("a verification's status"))
}

/// A state as columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StatusColumns {
    status: i64,
    closed_at: Option<Timestamp>,
    attempts: i64,
    consumed_at: Option<Timestamp>,
}

impl From<Status> for StatusColumns {
    fn from(status: Status) -> Self {
        let ended = |status, closed_at, consumed_at| Self { status, closed_at, attempts: 0, consumed_at };
        match status {
            Status::Pending { attempts } => Self { attempts, ..ended(0, None, None) },
            Status::Accepted { at, collected } => ended(1, Some(at), collected),
            Status::Rejected { at, collected } => ended(2, Some(at), collected),
            Status::Expired => ended(3, None, None),
        }
    }
}

impl StatusColumns {
    /// The state. The attempts of what has ended stay in their column, and mean nothing any more.
    fn read(self) -> Option<Status> {
        match (self.status, self.closed_at, self.consumed_at) {
            (0, _, _) => Some(Status::Pending { attempts: self.attempts }),
            (1, Some(at), collected) => Some(Status::Accepted { at, collected }),
            (2, Some(at), collected) => Some(Status::Rejected { at, collected }),
            (3, _, _) => Some(Status::Expired),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_its_columns() {
        let at = Timestamp(7);
        for collected in [None, Some(Timestamp(9))] {
            for status in [
                Status::NEW,
                Status::Pending { attempts: 3 },
                Status::Accepted { at, collected },
                Status::Rejected { at, collected },
                Status::Expired,
            ] {
                assert_eq!(StatusColumns::from(status).read(), Some(status));
            }
        }
        let without_its_time = StatusColumns { status: 1, closed_at: None, attempts: 0, consumed_at: None };
        assert_eq!(without_its_time.read(), None);
    }
}
