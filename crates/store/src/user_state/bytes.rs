//! How numbers, texts and lists are written one after the other, and read back. Numbers take as many bytes as they need
//! (LEB128; signed ones in zigzag), so that a user's row stays small.

use domain::Timestamp;

use crate::error::Error;

/// What cannot be read is damage of this user, and of no other.
pub(super) const CORRUPT: Error = Error::Corrupt("a user's state");

/// Bytes that grow.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn unsigned(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    pub(super) fn signed(&mut self, number: i64) {
        self.unsigned(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    pub(super) fn time(&mut self, at: Timestamp) {
        self.signed(at.0);
    }

    /// Bytes whose number the reader knows.
    pub(super) fn exact(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Bytes with their number before them.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.unsigned(bytes.len() as u64);
        self.exact(bytes);
    }

    /// Whether there is a value, and the value.
    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Values with their number before them.
    pub(super) fn list<T>(&mut self, values: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.unsigned(values.len() as u64);
        for value in values {
            write(self, value);
        }
    }
}

/// What is left to read.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.exact::<1>()?[0])
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, Error> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if place == 9 && bits > 1 {
                return Err(CORRUPT);
            }
            number |= bits << (7 * place);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(CORRUPT)
    }

    pub(super) fn signed(&mut self) -> Result<i64, Error> {
        let number = self.unsigned()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, Error> {
        self.signed().map(Timestamp)
    }

    pub(super) fn exact<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(CORRUPT)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = usize::try_from(self.unsigned()?).map_err(|_| CORRUPT)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CORRUPT)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn text(&mut self) -> Result<String, Error> {
        std::str::from_utf8(self.bytes()?).map(str::to_owned).map_err(|_| CORRUPT)
    }

    pub(super) fn flag(&mut self) -> Result<bool, Error> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CORRUPT),
        }
    }

    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<Option<T>, Error> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let length = usize::try_from(self.unsigned()?).map_err(|_| CORRUPT)?;
        // Each value has one byte at least, so a damaged number reserves no more than there is.
        let mut values = Vec::with_capacity(length.min(self.0.len()));
        for _ in 0..length {
            values.push(read(self)?);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_survives() {
        let around = (0..64).flat_map(|bit| [1i64 << bit, (1i64 << bit).wrapping_sub(1), (1i64 << bit).wrapping_neg()]);
        for number in around.chain([0, -1, i64::MIN, i64::MAX]) {
            let mut written = Writer::default();
            written.signed(number);
            written.unsigned(number.cast_unsigned());
            let mut reader = Reader(&written.0);
            assert_eq!((reader.signed(), reader.unsigned()), (Ok(number), Ok(number.cast_unsigned())));
            assert!(reader.0.is_empty());
        }
        let mut small = Writer::default();
        small.signed(-64);
        assert_eq!(small.0.len(), 1);
    }

    #[test]
    fn a_number_that_never_ends_and_one_that_is_too_large_are_damage() {
        for bytes in [vec![0xff; 11], [vec![0xff; 9], vec![2]].concat(), vec![0x80]] {
            assert_eq!(Reader(&bytes).unsigned(), Err(CORRUPT));
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_damage_and_reserves_nothing() {
        let mut written = Writer::default();
        written.unsigned(u64::MAX);
        assert!(Reader(&written.0).bytes().is_err());
        assert!(Reader(&written.0).list(Reader::byte).is_err());
    }
}
