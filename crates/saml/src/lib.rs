//! Writes signed SAML 2.0 responses, and the metadata and certificate that a service needs to verify them. It parses no
//! XML, so the known attacks on SAML (signature wrapping, comments inside values, entities) cannot happen here.
//!
//! Pure: moments, ids and serial numbers are arguments, and an RSA signature with PKCS#1 v1.5 padding needs no
//! randomness. The same assertion with the same key is always the same text. The only exception is
//! [`generate_private_key`].
//!
//! A [`Response`] becomes a tree, is signed ([`Response::sign`]) and sent as Base64 ([`SignedResponse::base64`]). The tree
//! is always written in exclusive canonical form. The hashed text is therefore the sent text, without canonicalisation.

pub mod aws;
mod certificate;
mod certified_key;
mod error;
mod key;
mod metadata;
mod moment;
mod names;
mod response;
mod signature;
mod xml;

pub use certificate::{Certificate, SelfSigned};
pub use certified_key::CertifiedKey;
pub use error::Error;
pub use key::{KeySize, generate_private_key};
pub use metadata::{Binding, Metadata, SingleSignOn};
pub use moment::Moment;
pub use names::{AuthnContext, Id, NameFormat, NameIdFormat};
pub use response::{Assertion, Attribute, AuthnStatement, NameId, Response, Signed, SignedResponse};
pub use xml::is_writable;
