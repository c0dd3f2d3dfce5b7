//! TLS for a listener (SEC 68): TLS 1.2 and 1.3. The client's server name selects the certificate. Changed files are read
//! again. A connection keeps its certificate, and invalid files leave the old ones in use.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

/// The PEM files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate chain, the server's own certificate first.
    pub chain: PathBuf,
    /// The private key of the first certificate.
    pub key: PathBuf,
}

/// Why a certificate cannot be used, with its file.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {why}")]
pub struct BadCertificate {
    file: String,
    why: String,
}

/// The certificates in use.
#[derive(Debug)]
pub struct Certificates {
    files: Vec<CertificateFiles>,
    config: RwLock<Arc<ServerConfig>>,
    seen: Mutex<Vec<Stamp>>,
}

/// Identifies a file's content: device, inode, length, and time of the last change in nanoseconds.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

impl Certificates {
    /// Reads the files. The first pair serves clients without a server name, or with an unknown one.
    pub fn load(files: Vec<CertificateFiles>) -> Result<Self, BadCertificate> {
        let seen = Mutex::new(stamps(&files));
        let config = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files, config, seen })
    }

    /// Reads the files again if one has changed. Returns whether new ones are in use now.
    pub fn refresh(&self) -> Result<bool, BadCertificate> {
        let now = stamps(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return Ok(false);
        }
        // Invalid files are reported once, and read again after the next change.
        *seen = now;
        let config = read(&self.files)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        Ok(true)
    }

    /// The acceptor for the next client.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// A parsed certificate, for a check before it is served.
#[derive(Debug)]
pub struct Seen {
    /// The file of its chain.
    pub chain: PathBuf,
    /// Its expiry, in milliseconds since 1970, if it can be parsed.
    pub ends: Option<i64>,
    own: Option<CertificateDer<'static>>,
}

impl Seen {
    /// Whether it is valid for this host name.
    pub fn is_for(&self, name: &str) -> bool {
        self.own.as_ref().zip(ServerName::try_from(name).ok()).is_some_and(|(own, name)| is_for(own, &name))
    }
}

/// Reads certificates as [`Certificates::load`] does, and describes them.
pub fn look(files: &[CertificateFiles]) -> Result<Vec<Seen>, BadCertificate> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let seen = files.iter().map(|pair| {
        let own = certified(pair, &provider)?.cert.first().cloned();
        let read = own.as_deref().and_then(|der| x509_cert::Certificate::from_der(der).ok());
        let ends = read.map(|read| read.tbs_certificate.validity.not_after.to_unix_duration().as_millis());
        Ok(Seen { chain: pair.chain.clone(), ends: ends.and_then(|ends| i64::try_from(ends).ok()), own })
    });
    seen.collect()
}

fn is_for(own: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    ParsedCertificate::try_from(own).is_ok_and(|own| verify_server_name(&own, name).is_ok())
}

fn stamps(files: &[CertificateFiles]) -> Vec<Stamp> {
    let stamp = |path: &Path| {
        let met = std::fs::metadata(path).ok()?;
        Some((met.dev(), met.ino(), met.size(), met.mtime(), met.mtime_nsec()))
    };
    files.iter().flat_map(|pair| [stamp(&pair.chain), stamp(&pair.key)]).collect()
}

fn read(files: &[CertificateFiles]) -> Result<ServerConfig, BadCertificate> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificates = files.iter().map(|pair| certified(pair, &provider)).collect::<Result<Vec<_>, _>>()?;
    let bad = |error: rustls::Error| BadCertificate { file: "TLS".to_owned(), why: error.to_string() };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(bad)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ByName(certificates)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A file of PEM, without the mark that some editors put in front of text.
fn pem(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = std::fs::read(path)?;
    if text.starts_with(b"\xef\xbb\xbf") {
        text.drain(..3);
    }
    Ok(text)
}

fn certified(files: &CertificateFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, BadCertificate> {
    let bad = |path: &Path, why: String| BadCertificate { file: path.display().to_string(), why };
    let text = pem(&files.chain).map_err(|error| bad(&files.chain, error.to_string()))?;
    let chain = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad(&files.chain, error.to_string()))?;
    let Some(own) = chain.first() else {
        return Err(bad(&files.chain, "no certificate in it".to_owned()));
    };
    ParsedCertificate::try_from(own).map_err(|error| bad(&files.chain, error.to_string()))?;
    let text = Zeroizing::new(pem(&files.key).map_err(|error| bad(&files.key, error.to_string()))?);
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| bad(&files.key, error.to_string()))?;
    let key = provider.key_provider.load_private_key(key).map_err(|error| bad(&files.key, error.to_string()))?;
    let certified = CertifiedKey::new(chain, key);
    certified
        .keys_match()
        .map_err(|_| bad(&files.key, format!("not the key of the certificate in {}", files.chain.display())))?;
    Ok(Arc::new(certified))
}

/// Chooses the first certificate that is for the name a client asks for.
#[derive(Debug)]
struct ByName(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let fits = |certified: &&Arc<CertifiedKey>| {
            certified.cert.first().zip(name.as_ref()).is_some_and(|(own, name)| is_for(own, name))
        };
        self.0.iter().find(fits).or(self.0.first()).cloned()
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
