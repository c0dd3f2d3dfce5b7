//! Devices: enrolled, paired, disabled and removed.

pub(crate) mod enrol;
mod manage;
pub(crate) mod own_codes;
pub(crate) mod phone;
pub(crate) mod push;
