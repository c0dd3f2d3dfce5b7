//! What an operator says about mail (contract 18.4), checked. Every complaint is a sentence for the operator.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::Secret;
use lettre::Address;
use url::{Host, Url};

use super::logo::Logo;
use crate::provider::gateway::is_this_machine;

/// How many messages are sent side by side, where nothing else is said (contract 18.1).
const AT_ONCE: usize = 8;
/// Time for one sending, where nothing else is said (contract 18.1).
const TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that [`super::SmtpProvider`] has to know. A value of this type has passed the rules that join its parts.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    pub(super) servers: Vec<SmtpServer>,
    pub(super) from: Mailbox,
    pub(super) login: Option<SmtpLogin>,
    pub(super) reply_to: Option<Mailbox>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) dkim: Option<DkimSettings>,
    pub(super) at_once: usize,
    pub(super) timeout: Duration,
    pub(super) logo: Option<Logo>,
}

impl SmtpSettings {
    /// Sends `from` this mailbox through the first of the servers that takes the message.
    pub fn new(servers: Vec<SmtpServer>, from: Mailbox) -> Result<Self, String> {
        if servers.is_empty() {
            return Err("no mail server is named; give at least one, such as smtp://mail.example.com".to_owned());
        }
        Ok(Self {
            servers,
            from,
            login: None,
            reply_to: None,
            ca_file: None,
            dkim: None,
            at_once: AT_ONCE,
            timeout: TIMEOUT,
            logo: None,
        })
    }

    /// Logs in to every server. A server that would see the password without TLS is refused.
    pub fn login(self, login: SmtpLogin) -> Result<Self, String> {
        match self.servers.iter().find(|server| !server.is_private()) {
            Some(open) => Err(format!(
                "user name and password would go to {open} without TLS; use smtp:// or smtps:// for it, or no login"
            )),
            None => Ok(Self { login: Some(login), ..self }),
        }
    }

    /// Where answers go, instead of to the sender.
    pub fn reply_to(self, mailbox: Mailbox) -> Self {
        Self { reply_to: Some(mailbox), ..self }
    }

    /// Trusts the certificates of authorities in this file (PEM) besides the public ones.
    pub fn ca_file(self, file: PathBuf) -> Self {
        Self { ca_file: Some(file), ..self }
    }

    /// Signs each message. The domain must be the sender's or a parent of it, or receivers ignore the signature.
    pub fn dkim(self, dkim: DkimSettings) -> Result<Self, String> {
        let (sender, signer) = (self.from.domain().to_ascii_lowercase(), dkim.domain.to_ascii_lowercase());
        let is_parent = sender.strip_suffix(&signer).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if !is_parent {
            return Err(format!(
                "mail from {sender} cannot be signed by {signer}; the domain of the signature is the sender's or a \
                 parent of it"
            ));
        }
        Ok(Self { dkim: Some(dkim), ..self })
    }

    /// How many messages are sent side by side.
    pub fn at_once(self, at_once: usize) -> Self {
        Self { at_once, ..self }
    }

    /// The picture that HTML parts may show by [`Logo::URL`].
    pub fn logo(self, logo: Option<Logo>) -> Self {
        Self { logo, ..self }
    }

    /// How long one sending may take, over all servers.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

/// When a connection becomes encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From its first byte.
    Implicit,
    /// With STARTTLS, before anything is said; a server that does not offer it gets no message.
    StartTls,
    /// Never, so that everything can be read on the way.
    None,
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpServer {
    pub(super) encryption: Encryption,
    pub(super) host: Host,
    pub(super) port: u16,
}

impl SmtpServer {
    /// Reads `smtps://HOST[:465]`, `smtp://HOST[:587]` or `smtp+plain://HOST[:25]`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shape = || {
            "a mail server looks like smtps://mail.example.com, smtp://mail.example.com:587 or smtp+plain://127.0.0.1, \
             with nothing after host and port"
                .to_owned()
        };
        let url = Url::parse(text).map_err(|_| shape())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "a mail server's address holds no user name and no password; give them as `username` and `password`"
                    .into(),
            );
        }
        let (encryption, port) = match url.scheme() {
            "smtps" => (Encryption::Implicit, 465),
            "smtp" => (Encryption::StartTls, 587),
            "smtp+plain" => (Encryption::None, 25),
            _ => return Err(shape()),
        };
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let host = url.host_str().and_then(|host| Host::parse(host).ok()).ok_or_else(shape)?;
        let port = url.port().unwrap_or(port);
        if !bare || port == 0 {
            return Err(shape());
        }
        Ok(Self { encryption, host, port })
    }

    /// Whether what is sent to it cannot be read on the way.
    pub(super) fn is_private(&self) -> bool {
        self.encryption != Encryption::None || is_this_machine(&self.host)
    }

    /// The host as resolvers and certificates know it: an IPv6 address without brackets.
    pub(super) fn name(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => IpAddr::V4(*address).to_string(),
            Host::Ipv6(address) => IpAddr::V6(*address).to_string(),
        }
    }
}

impl std::fmt::Display for SmtpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = match self.encryption {
            Encryption::Implicit => "smtps",
            Encryption::StartTls => "smtp",
            Encryption::None => "smtp+plain",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// Who we are to a mail server.
#[derive(Debug, Clone)]
pub struct SmtpLogin {
    pub(super) username: String,
    pub(super) password: Secret,
}

impl SmtpLogin {
    /// A user name and the password that goes with it.
    pub fn new(username: String, password: Secret) -> Result<Self, String> {
        // A zero byte ends a field of AUTH PLAIN (RFC 4616).
        if username.is_empty() || username.contains('\0') || password.expose().contains(&0) {
            return Err("a user name is needed, and neither it nor the password may hold a zero byte".to_owned());
        }
        Ok(Self { username, password })
    }
}

/// An address, and the name that people see.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox(pub(super) lettre::message::Mailbox);

impl Mailbox {
    /// Reads `Name <address>` or an address alone.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || "a mailbox looks like Example <mfa@example.com>, or like mfa@example.com".to_owned();
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => (name.trim(), address),
            None => ("", text),
        };
        let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
        // What else would have a meaning in front of an address is not part of a name that people see.
        if name.chars().any(|c| c.is_control() || matches!(c, '<' | '>' | '"' | '\\')) {
            return Err(bad());
        }
        let address = address_of(address).ok_or_else(bad)?;
        Ok(Self(lettre::message::Mailbox::new(Some(name.to_owned()).filter(|name| !name.is_empty()), address)))
    }

    /// What is behind the `@`.
    pub(super) fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailbox(…)")
    }
}

/// An address whose domain is in ASCII, so that a server need not know SMTPUTF8 for the domain's sake. It is a name and not
/// an IP address, which no DNS could vouch for.
pub(super) fn address_of(text: &str) -> Option<Address> {
    let (user, domain) = text.rsplit_once('@')?;
    // `Host::parse` alone would read `%61` as a letter.
    let domain = Some(domain).filter(|domain| !domain.contains('%')).and_then(|domain| Host::parse(domain).ok())?;
    match domain {
        Host::Domain(domain) => {
            let domain = domain.strip_suffix('.').unwrap_or(&domain);
            // Some providers gave out names with dots side by side, which the standard knows in quotes only.
            let quoted = || {
                let words: Vec<_> = user.split('.').filter(|word| !word.is_empty()).collect();
                Address::new(words.join("."), domain).and_then(|_| Address::new(format!("\"{user}\""), domain))
            };
            Address::new(user, domain).or_else(|_| quoted()).ok()
        }
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// How messages are signed (RFC 6376).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimSettings {
    pub(crate) domain: String,
    pub(crate) selector: String,
    pub(crate) key_file: PathBuf,
}

impl DkimSettings {
    /// The domain that vouches, the selector under which its DNS has the public key, and the private key in PEM.
    pub fn new(domain: &str, selector: &str, key_file: PathBuf) -> Result<Self, String> {
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let name = |name: &str| name.len() <= 253 && name.split('.').all(label);
        if !name(domain) {
            return Err("the domain of a signature looks like example.com, in ASCII".to_owned());
        }
        if !name(selector) {
            return Err("a selector looks like mail2026: letters, digits, hyphens, and dots between them".to_owned());
        }
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key_file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> SmtpServer {
        SmtpServer::parse(text).unwrap()
    }

    fn settings(servers: &[&str]) -> SmtpSettings {
        let from = Mailbox::parse("Example <mfa@login.example.com>").unwrap();
        SmtpSettings::new(servers.iter().map(|text| server(text)).collect(), from).unwrap()
    }

    fn login() -> SmtpLogin {
        SmtpLogin::new("mfa".to_owned(), Secret::new(b"secret".to_vec())).unwrap()
    }

    #[test]
    fn a_server_has_the_port_of_its_scheme() {
        for (text, shown) in [
            ("smtps://mail.example.com", "smtps://mail.example.com:465"),
            ("smtp://MAIL.example.com/", "smtp://mail.example.com:587"),
            ("smtp+plain://127.0.0.1", "smtp+plain://127.0.0.1:25"),
            ("smtp://[2001:db8::1]:2525", "smtp://[2001:db8::1]:2525"),
            ("smtps://m\u{fc}ller.example", "smtps://xn--mller-kva.example:465"),
        ] {
            assert_eq!(server(text).to_string(), shown);
        }
        assert_eq!(server("smtp://[::1]").name(), "::1");
    }

    #[test]
    fn a_server_is_host_and_port_and_nothing_more() {
        for text in [
            "mail.example.com",
            "https://mail.example.com",
            "smtp:mail.example.com",
            "smtp://",
            "smtp://mail.example.com/path",
            "smtp://mail.example.com?tls=no",
            "smtp://mail.example.com#x",
            "smtp://mail.example.com:0",
            "smtp://mail.example.com:99999",
            "smtp://mail example.com",
        ] {
            assert!(SmtpServer::parse(text).is_err(), "{text}");
        }
        let refused = SmtpServer::parse("smtp://mfa:hunter2@mail.example.com").unwrap_err();
        assert!(refused.contains("`username`") && !refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn a_password_goes_over_tls_or_to_this_machine() {
        for fine in ["smtps://m.example", "smtp://m.example", "smtp+plain://127.0.0.1", "smtp+plain://localhost"] {
            settings(&[fine]).login(login()).unwrap();
        }
        settings(&["smtp+plain://[::1]:2525"]).login(login()).unwrap();
        for open in ["smtp+plain://m.example", "smtp+plain://10.0.0.1", "smtp+plain://localhost.example"] {
            let refused = settings(&["smtps://m.example", open]).login(login()).unwrap_err();
            assert!(refused.contains(open) && !refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn no_server_is_no_way_to_send() {
        assert!(SmtpSettings::new(Vec::new(), Mailbox::parse("a@example.com").unwrap()).is_err());
    }

    #[test]
    fn a_mailbox_is_one_address_with_or_without_a_name() {
        for (text, name, address) in [
            ("mfa@example.com", None, "mfa@example.com"),
            ("<mfa@example.com>", None, "mfa@example.com"),
            ("Example & Co. <mfa@example.com>", Some("Example & Co."), "mfa@example.com"),
            ("\"Example, Inc.\" <mfa@example.com>", Some("Example, Inc."), "mfa@example.com"),
            ("Größe <mfa@größe.example>", Some("Größe"), "mfa@xn--gre-6ka8i.example"),
        ] {
            let read = Mailbox::parse(text).unwrap().0;
            assert_eq!((read.name.as_deref(), read.email.as_ref()), (name, address), "{text}");
        }
        for text in [
            "",
            "mfa",
            "Example",
            "mfa@example.com, b@example.com",
            "A <a@example.com> B <b@example.com>",
            "Exa\r\nBcc: b@example.com <mfa@example.com>",
            "mfa@example.com\r\nBcc: b@example.com",
            "Example <mfa@example.com> x",
            "mfa@127.0.0.1",
            "mfa@ex%61mple.com",
        ] {
            assert!(Mailbox::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_written_as_the_standard_wants_it() {
        for (text, address) in [
            ("Ana@Example.org", "Ana@example.org"),
            ("ana+mfa@example.org.", "ana+mfa@example.org"),
            ("ana@intranet", "ana@intranet"),
            ("a..na.@mobile.example", "\"a..na.\"@mobile.example"),
            ("größe@größe.example", "größe@xn--gre-6ka8i.example"),
        ] {
            assert_eq!(address_of(text).unwrap().to_string(), address);
        }
    }

    #[test]
    fn the_senders_domain_or_a_parent_of_it_signs() {
        let dkim = |domain: &str| DkimSettings::new(domain, "s1", PathBuf::from("key.pem")).unwrap();
        for fine in ["login.example.com", "example.com", "EXAMPLE.com"] {
            settings(&["smtps://m.example"]).dkim(dkim(fine)).unwrap();
        }
        for other in ["example.org", "ample.com", "www.login.example.com"] {
            let refused = settings(&["smtps://m.example"]).dkim(dkim(other)).unwrap_err();
            assert!(refused.contains(other), "{refused}");
        }
        for (domain, selector) in [("example.com;", "s"), ("", "s"), ("example.com", ""), ("example.com", "a b")] {
            assert!(DkimSettings::new(domain, selector, PathBuf::new()).is_err(), "{domain} {selector}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?}", settings(&["smtps://m.example"]).login(login()).unwrap());
        assert!(!shown.contains("secret") && !shown.contains("mfa@"), "{shown}");
    }
}
