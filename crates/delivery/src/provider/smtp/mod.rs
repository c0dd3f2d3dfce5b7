//! Hands mail to mail servers (contract 18.4), which deliver it: submission over SMTP, with TLS, a log-in and a signature.
//!
//! Servers are tried in their order within one sending. What one of them does not take now, the next may.

mod connection;
mod logo;
mod mail;
mod relay;
mod settings;
mod trouble;

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::Channel;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use self::connection::{Access, Connection};
pub use self::logo::Logo;
use self::mail::Writer;
use self::relay::Relay;
pub use self::settings::{DkimSettings, Encryption, Mailbox, SmtpLogin, SmtpServer, SmtpSettings};
use self::trouble::Trouble;
use super::dkim::Signer;
use super::{Finding, Probe, Probing, Provider, ProviderError, SendError, Sending};
use crate::message::OutgoingMessage;

/// Sends mail through the first of its servers that takes it.
pub struct SmtpProvider {
    relays: Vec<Relay>,
    access: Access,
    writer: Writer,
    at_once: usize,
    timeout: Duration,
}

impl std::fmt::Debug for SmtpProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SmtpProvider(…)")
    }
}

impl SmtpProvider {
    /// What mail servers carry.
    pub const CHANNELS: &[Channel] = &[Channel::Email];

    /// Reads the files that the settings name. An error names the file and what to do.
    pub fn new(settings: SmtpSettings) -> Result<Self, ProviderError> {
        let tls = TlsConnector::from(Arc::new(tls(settings.ca_file.as_deref())?));
        let signer = settings.dkim.as_ref().map(signer).transpose()?;
        Ok(Self {
            relays: settings.servers.into_iter().map(Relay::new).collect(),
            access: Access { hello: settings.from.domain().to_owned(), login: settings.login, tls },
            writer: Writer { from: settings.from, reply_to: settings.reply_to, signer, logo: settings.logo },
            at_once: settings.at_once,
            timeout: settings.timeout,
        })
    }

    /// Asks each server up to the log-in, one after another.
    async fn ask(&self) -> Vec<Probe> {
        let mut probes = Vec::with_capacity(self.relays.len());
        for relay in &self.relays {
            let found = match Connection::probe(&relay.server, &self.access).await {
                Ok(()) if self.access.login.is_some() => Finding::Fine("it answers and accepts the log-in".to_owned()),
                Ok(()) => Finding::Fine("it answers".to_owned()),
                Err((stage, trouble)) => Finding::Failed(format!("{}: {trouble}; {}", stage.word(), stage.advice())),
            };
            probes.push(Probe { server: Some(relay.server.to_string()), found });
        }
        probes
    }

    async fn deliver(&self, message: &OutgoingMessage) -> Result<(), SendError> {
        let mail = self.writer.write(message)?;
        // Each has its share, so that one that is silent leaves time for the next. The last may take all that is left.
        let share = self.timeout / u32::try_from(self.relays.len()).unwrap_or(u32::MAX).max(1);
        let mut failed = None;
        for (position, relay) in self.relays.iter().enumerate() {
            let limit = if position + 1 == self.relays.len() { self.timeout } else { share };
            let sent = timeout(limit, relay.send(&mail, &self.access)).await.unwrap_or(Err(Trouble::Late));
            let Err(trouble) = sent else { return Ok(()) };
            tracing::warn!(server = %relay.server, message = message.id.0, %trouble, "mail server failed");
            let error = trouble.error();
            failed = Some(failed.map_or(error, |before| weightier(before, error)));
            if error == SendError::Unreachable {
                break;
            }
        }
        Err(failed.unwrap_or(SendError::Unavailable))
    }
}

impl Provider for SmtpProvider {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn channels(&self) -> &[Channel] {
        Self::CHANNELS
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn caution(&self) -> Option<String> {
        let open = self.relays.iter().map(|relay| &relay.server).find(|server| !server.is_private())?;
        Some(format!("codes go to {open} without TLS: others on the way can read them; use smtp:// or smtps://"))
    }

    fn probe(&self) -> Probing<'_> {
        Box::pin(self.ask())
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a> {
        Box::pin(self.deliver(message))
    }
}

/// Which of two servers' failures is reported. One that may have sent the message comes first. Next is one that may pass, since the
/// message is worth another try then. After it comes an account that is not accepted, since somebody has to look at it.
fn weightier(one: SendError, other: SendError) -> SendError {
    let weight = |error: SendError| (!error.is_unsent(), error.is_temporary(), error == SendError::Denied);
    if weight(other) > weight(one) { other } else { one }
}

/// Trusts the public authorities, and those in the file.
fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, ProviderError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    if let Some(file) = ca_file {
        let public = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&read(file)?) {
            roots.add(certificate.map_err(|error| wrong(file, error))?).map_err(|error| wrong(file, error))?;
        }
        if roots.len() == public {
            return Err(wrong(file, "it holds no certificate; give those of your authorities in PEM"));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn signer(dkim: &DkimSettings) -> Result<Signer, ProviderError> {
    let file = &dkim.key_file;
    Signer::new(&dkim.domain, &dkim.selector, &read(file)?).map_err(|error| wrong(file, error))
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, ProviderError> {
    std::fs::read(file).map(Zeroizing::new).map_err(|error| wrong(file, error))
}

fn wrong(file: &Path, error: impl Display) -> ProviderError {
    format!("{}: {error}", file.display()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_sent_is_reported_before_what_may_pass_and_that_before_what_stays() {
        use SendError::{Deferred, Denied, Io, Refused, TimedOut, Unavailable};
        let closed = Io(std::io::ErrorKind::ConnectionRefused);
        for (one, other, reported) in [
            (Refused, Unavailable, Unavailable),
            (Unavailable, Denied, Unavailable),
            (TimedOut, Unavailable, TimedOut),
            (TimedOut, closed, TimedOut),
            (Deferred, TimedOut, TimedOut),
            (Denied, closed, closed),
            (Refused, Denied, Denied),
            (Denied, Refused, Denied),
        ] {
            assert_eq!(weightier(one, other), reported);
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file.pem");
        let from = || Mailbox::parse("mfa@example.com").unwrap();
        let settings = || SmtpSettings::new(vec![SmtpServer::parse("smtp://m.example").unwrap()], from()).unwrap();
        let dkim = || DkimSettings::new("example.com", "s1", file.clone()).unwrap();
        let refused = |settings: SmtpSettings| SmtpProvider::new(settings).unwrap_err().to_string();
        for content in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")] {
            if let Some(content) = content {
                std::fs::write(&file, content).unwrap();
            }
            for said in [refused(settings().ca_file(file.clone())), refused(settings().dkim(dkim()).unwrap())] {
                assert!(said.starts_with(&format!("{}: ", file.display())), "{said}");
            }
        }
    }
}
