//! Apps that assertions are made for (contract 6). The words of an assertion are in the crate `saml`.

mod assertion;
mod manage;
mod signing_keys;

pub use self::manage::AppError;
