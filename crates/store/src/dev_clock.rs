//! The dev world's clock as it is kept between starts and shared between nodes.

use domain::Timestamp;

use crate::error::Error;

/// The key of the dev world's clock in `meta`.
pub(crate) const DEV_CLOCK: &str = "dev_clock_offset";

/// The setting of a dev world's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DevClock {
    /// How far it runs ahead, in milliseconds.
    pub offset: i64,
    /// The machine's time at which it was stopped; `None` while it runs.
    pub frozen: Option<Timestamp>,
}

impl DevClock {
    /// Eight bytes, big endian, of each.
    pub(crate) fn pack(self) -> Vec<u8> {
        let frozen = self.frozen.map(|at| at.0.to_be_bytes());
        self.offset.to_be_bytes().into_iter().chain(frozen.into_iter().flatten()).collect()
    }

    pub(crate) fn unpack(stored: Option<Vec<u8>>) -> Result<Self, Error> {
        let Some(bytes) = stored else { return Ok(Self::default()) };
        let (numbers, rest) = bytes.as_chunks::<8>();
        let number = |place: usize| numbers.get(place).copied().map(i64::from_be_bytes);
        match (number(0), numbers.len(), rest.is_empty()) {
            (Some(offset), 1 | 2, true) => Ok(Self { offset, frozen: number(1).map(Timestamp) }),
            _ => Err(Error::Corrupt("the dev clock")),
        }
    }
}
