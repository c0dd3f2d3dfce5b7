//! The few kinds of value that travel between rules and either database.

use domain::{Digest, KeyedHash, SecretMac, Timestamp};

use crate::error::Error;

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Int(truth.into())
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Int(at.0)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<Digest> for Value {
    fn from(digest: Digest) -> Self {
        Self::Blob(digest.0.to_vec())
    }
}

impl From<SecretMac> for Value {
    fn from(mac: SecretMac) -> Self {
        Self::Blob(mac.0.to_vec())
    }
}

impl From<KeyedHash> for Value {
    fn from(hash: KeyedHash) -> Self {
        Self::Blob(hash.to_bytes().to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A list of parameters.
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Value::from($value)),*] };
}
pub(crate) use params;

/// A verification's id as stored: the 16 bytes of its UUID.
pub(crate) fn id(verification: domain::VerificationId) -> Vec<u8> {
    verification.0.as_bytes().to_vec()
}

/// A statement with its parameters: what the store will do, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) statement: &'static str,
    pub(crate) params: Vec<Value>,
    /// Why the decision is void if this finds no row; `None` if it then simply changes nothing.
    pub(crate) must_hit: Option<Error>,
}

impl Write {
    pub(crate) fn new(statement: &'static str, params: Vec<Value>) -> Self {
        Self { statement, params, must_hit: None }
    }

    /// It always should find its row, since the decision was made on the state it changes; if it does not, whatever the
    /// decision grants must not be granted (SEC 1).
    pub(crate) fn must_hit(self) -> Self {
        self.or(Error::Corrupt("a change found nothing to change"))
    }

    /// The decision fails with this error if this finds no row.
    pub(crate) fn or(mut self, missed: Error) -> Self {
        self.must_hit = Some(missed);
        self
    }
}

/// A row of an answer. Columns are counted from 0.
pub(crate) trait Row {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, Error>;
    fn opt_text(&self, column: usize) -> Result<Option<&str>, Error>;
    fn opt_blob(&self, column: usize) -> Result<Option<&[u8]>, Error>;

    fn int(&self, column: usize) -> Result<i64, Error> {
        self.opt_int(column)?.ok_or(NULL)
    }
    fn text(&self, column: usize) -> Result<&str, Error> {
        self.opt_text(column)?.ok_or(NULL)
    }
    fn blob(&self, column: usize) -> Result<&[u8], Error> {
        self.opt_blob(column)?.ok_or(NULL)
    }
    fn time(&self, column: usize) -> Result<Timestamp, Error> {
        self.int(column).map(Timestamp)
    }
    fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, Error> {
        Ok(self.opt_int(column)?.map(Timestamp))
    }
}

const NULL: Error = Error::Corrupt("a value is missing");

/// Moments, 8 bytes each, big endian.
pub(crate) fn pack_moments(moments: &[Timestamp]) -> Vec<u8> {
    moments.iter().flat_map(|at| at.0.to_be_bytes()).collect()
}

/// The inverse of [`pack_moments`].
pub(crate) fn unpack_moments(bytes: &[u8]) -> Result<Vec<Timestamp>, Error> {
    let (moments, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Error::Corrupt("a list of moments"));
    }
    Ok(moments.iter().map(|at| Timestamp(i64::from_be_bytes(*at))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive_packing() {
        let moments = [Timestamp(0), Timestamp(-1), Timestamp(1_700_000_000_000), Timestamp(i64::MAX)];
        assert_eq!(unpack_moments(&pack_moments(&moments)).unwrap(), moments);
        assert!(unpack_moments(&[1, 2, 3]).is_err());
    }
}
