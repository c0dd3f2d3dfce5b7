//! Whom a connection believes to be the database's server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::OpenError;

/// Trusts only the authorities in `ca_file`; without a file, the public ones. `full` is whether a certificate without
/// any name is refused, even if it is in the file.
pub(super) fn tls(ca_file: Option<&Path>, full: bool) -> Result<ClientConfig, OpenError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let (roots, known) = match ca_file {
        Some(file) => read(file)?,
        None => (RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }, Vec::new()),
    };
    let chained = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let chained = chained.map_err(|_| OpenError::Authorities(ca_file.map(Path::to_owned).unwrap_or_default()))?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|_| OpenError::Unsafe("no version of TLS is available"))?;
    let verifier = Arc::new(Verifier { chained, known, full });
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn read(file: &Path) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), OpenError> {
    let unreadable = || OpenError::Authorities(PathBuf::from(file));
    let mut roots = RootCertStore::empty();
    let mut known = Vec::new();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|_| unreadable())? {
        let certificate = certificate.map_err(|_| unreadable())?;
        roots.add(certificate.clone()).map_err(|_| unreadable())?;
        known.push(certificate);
    }
    if known.is_empty() { Err(unreadable()) } else { Ok((roots, known)) }
}

/// Believes a chain to an authority, for the name in the URL; and the very certificate that it was given. PostgreSQL's
/// handbook makes a server's certificate that vouches for itself, as an authority at once and for no name: no chain leads to
/// it, but who shows it and holds its key is who made it. If it has names, they count.
#[derive(Debug)]
struct Verifier {
    chained: Arc<WebPkiServerVerifier>,
    known: Vec<CertificateDer<'static>>,
    full: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let refused = match self.chained.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
            Ok(verified) => return Ok(verified),
            Err(refused) => refused,
        };
        if !self.known.iter().any(|known| known.as_ref() == end_entity.as_ref()) {
            return Err(refused);
        }
        // What has ended has ended, and what is broken is broken; all that may be wrong is what kind of certificate it is.
        let named = match refused {
            rustls::Error::InvalidCertificate(CertificateError::Other(_) | CertificateError::UnknownIssuer) => {
                ParsedCertificate::try_from(end_entity).and_then(|parsed| verify_server_name(&parsed, server_name))
            }
            other => Err(other),
        };
        match named {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }))
                if presented.is_empty() && !self.full =>
            {
                Ok(ServerCertVerified::assertion())
            }
            Err(error) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chained.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chained.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chained.supported_verify_schemes()
    }
}

/// What a failed connection means, where it is the certificate that failed.
pub(super) fn explained(error: tokio_postgres::Error) -> OpenError {
    let mut cause = std::error::Error::source(&error);
    while let Some(found) = cause {
        let inner = found.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let refused = found.downcast_ref().or_else(|| inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()));
        if let Some(rustls::Error::InvalidCertificate(why)) = refused {
            return match why {
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    OpenError::OtherName
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => OpenError::Expired,
                _ => OpenError::Untrusted,
            };
        }
        cause = found.source();
    }
    error.into()
}
