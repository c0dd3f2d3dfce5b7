//! Writes signed SAML 2.0 responses, and the metadata and certificate a service needs to trust them. It issues only and
//! never reads one, which leaves the attacks that SAML is known for (signature wrapping, comments inside values,
//! entities) without a place to happen: no XML is parsed here.
//!
//! Pure: moments, ids and serial numbers arrive as arguments, and an RSA signature with PKCS#1 v1.5 padding needs no
//! chance, so the same assertion under the same key is the same text. The one exception bears it in its name:
//! [`generate_private_key`].
//!
//! A response is described ([`Response`]), turned into a tree, signed ([`Response::sign`]) and carried as Base64
//! ([`SignedResponse::base64`]). The tree can be written in one way only, exclusive canonical form; what is hashed for a
//! signature is therefore what is sent, and no canonicalisation is done afterwards.

pub mod aws;
mod certificate;
mod der;
mod error;
mod key;
mod metadata;
mod moment;
mod names;
mod response;
mod signature;
mod xml;

pub use certificate::{Certificate, SelfSigned};
pub use error::Error;
pub use key::{KeySize, SigningKey, generate_private_key};
pub use metadata::{Binding, Metadata, SingleSignOn};
pub use moment::Moment;
pub use names::{AuthnContext, Id, NameFormat, NameIdFormat};
pub use response::{Assertion, Attribute, Authentication, NameId, Response, Signed, SignedResponse};
pub use xml::is_writable;
