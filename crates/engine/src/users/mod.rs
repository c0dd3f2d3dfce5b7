//! Users: created, changed, locked, removed, and how they stand.

pub(crate) mod error;
pub(crate) mod invitation;
pub(crate) mod invited;
pub(crate) mod invited_phone;
pub(crate) mod letter;
pub(crate) mod manage;
pub(crate) mod queries;
pub(crate) mod temp_token;
pub(crate) mod wait_handle;
