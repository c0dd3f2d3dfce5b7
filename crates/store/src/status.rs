//! How the state of a verification is stored: a number and, beside it, the facts of any state in columns.

use domain::{Status, Timestamp};

/// A state as columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusColumns {
    pub(crate) status: i64,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) attempts: i64,
    pub(crate) consumed_at: Option<Timestamp>,
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
    pub(crate) fn read(self) -> Option<Status> {
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
