//! The OneLogin dialect: the words of the MFA API, versions 1 and 2, and nothing that decides.

pub mod credentials;
pub mod envelope;
pub mod lenient;
pub mod wire_time;
