//! TLS of the calls that this crate makes: the authorities that are trusted, and how it is spoken.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Authorities that cannot be read from their file.
#[derive(Debug, thiserror::Error)]
#[error("no certificates of authorities can be read from {0}")]
pub struct BadAuthorities(String);

/// The public authorities.
pub(crate) fn public() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

/// The authorities in a file (PEM).
pub(crate) fn of_file(file: &Path) -> Result<RootCertStore, BadAuthorities> {
    let bad = || BadAuthorities(file.display().to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|_| bad())? {
        roots.add(certificate.map_err(|_| bad())?).map_err(|_| bad())?;
    }
    if roots.is_empty() { Err(bad()) } else { Ok(roots) }
}

/// Trusts these authorities, and speaks HTTP/1.1.
pub(crate) fn client(roots: RootCertStore) -> Result<ClientConfig, BadAuthorities> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| BadAuthorities(error.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
