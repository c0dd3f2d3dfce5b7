//! The marks of a move. Two databases cannot commit together, so a move commits in an order in which no moment leaves
//! two of them open: the target commits with a mark that it is arriving, then the source with one that it has departed,
//! then the target loses its mark. A move that was broken off in between is finished, or begun again, by the next one.

use super::error::TransferError;
use crate::error::OpenError;

/// Under which key of `meta` a database says where its installation went.
pub(crate) const DEPARTED: &str = "moved_to";
/// Under which key of `meta` a database says from where an installation is coming.
pub(crate) const ARRIVING: &str = "arriving_from";

/// Which move, and where its other end is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransferMark {
    pub(crate) id: [u8; 16],
    /// The other end, as it may be shown: without a password.
    pub(crate) place: String,
}

/// What a database says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TransferMarks {
    pub(crate) departed: Option<TransferMark>,
    pub(crate) arriving: Option<TransferMark>,
}

impl TransferMark {
    pub(crate) fn stored(&self) -> Vec<u8> {
        [&self.id[..], self.place.as_bytes()].concat()
    }

    fn read(stored: &[u8]) -> Self {
        let (id, place) = stored.split_at(stored.len().min(16));
        let mut mark = Self { id: [0; 16], place: String::from_utf8_lossy(place).into_owned() };
        mark.id[..id.len()].copy_from_slice(id);
        mark
    }
}

impl TransferMarks {
    /// From a key of `meta` and its value.
    pub(crate) fn take(&mut self, key: &str, value: &[u8]) {
        match key {
            DEPARTED => self.departed = Some(TransferMark::read(value)),
            ARRIVING => self.arriving = Some(TransferMark::read(value)),
            _ => {}
        }
    }

    /// Refuses a database whose installation is elsewhere, or not yet here.
    pub(crate) fn refuse(self) -> Result<(), OpenError> {
        match (self.departed, self.arriving) {
            (Some(mark), _) => Err(OpenError::Moved(mark.place)),
            (None, Some(mark)) => Err(OpenError::Arriving(mark.place)),
            (None, None) => Ok(()),
        }
    }
}

/// What is left to do between two databases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Left {
    /// Everything; `discard` is whether the target holds what an earlier try left.
    Everything { discard: bool },
    /// The source is closed and the target holds everything.
    Opening,
}

/// Decides what a move from a database with the marks `from` to one with the marks `to` has to do. `source` is how the
/// source is named.
pub(crate) fn left(from: TransferMarks, to: TransferMarks, source: &str) -> Result<Left, TransferError> {
    match (from.departed, to.arriving) {
        (Some(out), Some(into)) if out.id == into.id => Ok(Left::Opening),
        (Some(out), _) => Err(OpenError::Moved(out.place).into()),
        // The rows of a target are thrown away only where the same source is still open.
        (None, Some(into)) if into.place == source => Ok(Left::Everything { discard: true }),
        (None, Some(into)) => Err(OpenError::Arriving(into.place).into()),
        (None, None) => match (from.arriving, to.departed) {
            (Some(into), _) => Err(OpenError::Arriving(into.place).into()),
            (None, Some(out)) => Err(OpenError::Moved(out.place).into()),
            (None, None) => Ok(Left::Everything { discard: false }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(id: u8, place: &str) -> TransferMark {
        TransferMark { id: [id; 16], place: place.to_owned() }
    }

    fn departed(id: u8) -> TransferMarks {
        TransferMarks { departed: Some(mark(id, "target")), arriving: None }
    }

    fn arriving(id: u8, from: &str) -> TransferMarks {
        TransferMarks { departed: None, arriving: Some(mark(id, from)) }
    }

    #[test]
    fn a_mark_reads_as_it_was_written() {
        let written = mark(7, "postgres://ana@db/mfa");
        let mut marks = TransferMarks::default();
        marks.take(DEPARTED, &written.stored());
        marks.take("key_check", b"x");
        assert_eq!(marks, TransferMarks { departed: Some(written), arriving: None });
        assert!(marks.refuse().unwrap_err().to_string().contains("postgres://ana@db/mfa"));
    }

    #[test]
    fn a_move_that_was_broken_off_is_finished_or_begun_again() {
        let open = TransferMarks::default;
        assert_eq!(left(open(), open(), "here").unwrap(), Left::Everything { discard: false });
        assert_eq!(left(open(), arriving(1, "here"), "here").unwrap(), Left::Everything { discard: true });
        assert_eq!(left(departed(1), arriving(1, "here"), "here").unwrap(), Left::Opening);
    }

    #[test]
    fn nothing_is_moved_twice_or_over_something_else() {
        let open = TransferMarks::default;
        assert!(left(departed(1), open(), "here").is_err());
        assert!(left(departed(1), arriving(2, "here"), "here").is_err());
        assert!(left(open(), arriving(1, "elsewhere"), "here").is_err());
        assert!(left(arriving(1, "elsewhere"), open(), "here").is_err());
        assert!(left(open(), departed(1), "here").is_err());
    }
}
