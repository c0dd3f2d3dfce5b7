//! Ids, drawn before decisions (decision 7) from blocks that are reserved in the database.

use std::ops::Range;

use tokio::sync::Mutex;

use crate::error::Error;
use crate::query::IdKind;

/// Ids reserved at a time. A restart leaves at most this many unused.
pub(crate) const BLOCK: i64 = 64;

/// What is left of the blocks reserved so far.
pub(crate) struct Ids([Mutex<Range<i64>>; IdKind::ALL.len()]);

impl Default for Ids {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(0..0)))
    }
}

impl Ids {
    /// The next id. `reserve`, awaited only if need be, reserves [`BLOCK`] more and gives the end of that block.
    pub(crate) async fn next(
        &self,
        kind: IdKind,
        reserve: impl Future<Output = Result<i64, Error>>,
    ) -> Result<i64, Error> {
        let slot = IdKind::ALL.iter().position(|other| *other == kind).unwrap_or_default();
        // Held over the wait, so that of many who find the block empty one reserves the next.
        let mut block = self.0[slot].lock().await;
        if block.is_empty() {
            let end = reserve.await?;
            *block = end - BLOCK..end;
        }
        let id = block.next().filter(|id| *id <= kind.greatest());
        id.ok_or(Error::Unavailable("the ids are used up"))
    }
}
