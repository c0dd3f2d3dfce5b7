//! TLS here, or at a proxy in front.

use std::path::PathBuf;

use anyhow::bail;
use web::proxy::{TrustedProxies, TrustedProxy};
use web::tls::CertificateFiles;

use crate::row::{Kind, ROW, Row, empty};
use crate::section::Section;
use crate::values::Values;

/// TLS here, or at a proxy in front.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// Certificates to serve TLS with; none for plain HTTP.
    pub certificates: Vec<CertificateFiles>,
    trusted_proxies: TrustedProxies,
}

impl Section for TlsConfig {
    const ROWS: &'static [Row] = &[
        Row {
            key: "tls_cert_file",
            kind: Kind::Paths,
            about: "Certificate chain (PEM) to serve TLS with; repeatable, each with its key, chosen by the client's name",
            default: Some(empty),
            example: "[\"mfa.pem\"]",
            formerly: Some("tls_cert_files"),
            ..ROW
        },
        Row {
            key: "tls_key_file",
            kind: Kind::Paths,
            about: "Key (PEM) of the certificate in the same place of the order",
            default: Some(empty),
            example: "[\"mfa.key\"]",
            formerly: Some("tls_key_files"),
            ..ROW
        },
        Row {
            key: "trusted_proxy",
            kind: Kind::Texts(proxy),
            about: "A proxy in front that ends TLS and whose X-Forwarded-For is believed: an address, a network as 10.0.0.0/8, \
                    or a name that is looked up; repeatable",
            default: Some(empty),
            example: "[\"10.0.0.1\"]",
            formerly: Some("trusted_proxies"),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self {
            certificates: paired(values.paths("tls_cert_file"), values.paths("tls_key_file"))?,
            trusted_proxies: TrustedProxies::new(&values.parsed("trusted_proxy")),
        })
    }

    fn set_dialect(&self, options: &mut onelogin::DialectOptions) {
        options.trusted_proxies = self.trusted_proxies.clone();
        options.tls = !self.certificates.is_empty();
    }
}

fn proxy(text: &str) -> Result<(), String> {
    text.parse::<TrustedProxy>().map(drop).map_err(|error| format!("{text}: {error}"))
}

/// Each chain with its key.
fn paired(chains: Vec<PathBuf>, keys: Vec<PathBuf>) -> anyhow::Result<Vec<CertificateFiles>> {
    if chains.len() != keys.len() {
        bail!(
            "{} certificate files and {} key files: give each --tls-cert-file its --tls-key-file, in the same order",
            chains.len(),
            keys.len()
        );
    }
    Ok(chains.into_iter().zip(keys).map(|(chain, key)| CertificateFiles { chain, key }).collect())
}
