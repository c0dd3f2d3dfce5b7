//! The server's own values, by name.

use super::handle::{Store, forward};
use crate::error::Error;
use crate::schema::sql;

impl Store {
    /// A value of the server's own, such as its key check value.
    pub async fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        forward!(self.meta(key))
    }

    /// Sets a value unless there is one, and gives the one that holds from now on.
    pub async fn set_meta_if_absent(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        forward!(self.set_meta_if_absent(key, value))
    }

    /// Sets a value unless the one there is greater, byte by byte, and gives the one that holds from now on.
    pub async fn raise_meta(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        forward!(self.raise_meta(key, value))
    }

    /// Sets a value.
    pub async fn set_meta(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        forward!(self.set_meta(key, value))
    }

    /// Sets a value that is still what it was, and says whether it was.
    pub async fn swap_meta(&self, key: &str, was: &[u8], value: &[u8]) -> Result<bool, Error> {
        let params = vec![value.to_vec().into(), key.into(), was.to_vec().into()];
        let changed = self.change(sql::SWAP_META, params).await?;
        Ok(changed > 0)
    }
}
