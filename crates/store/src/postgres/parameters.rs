//! The parameters of a database's URL, as libpq's tools take them. What libpq knows is taken, never less strictly than it
//! means it, or refused in words that say what to write instead. No value is ever shown.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::error::OpenError;

/// Whom a URL trusts, which the driver does not know of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trust {
    /// The file of authorities that it names.
    pub(super) roots: Option<PathBuf>,
    /// Whether the certificate must be for the name in the URL even where it has no names at all.
    pub(super) full: bool,
}

/// What becomes of a parameter.
enum Verdict {
    /// It goes on as it is.
    Keep,
    /// It goes on in these words.
    As(&'static str, String),
    /// It asks for what is so anyway.
    Drop,
    /// The file of authorities; nothing for the public ones.
    Roots(Option<PathBuf>),
    /// Encrypted, vouched for, and for this name.
    Full,
    /// It is refused, with what to do instead.
    Refuse(&'static str),
}

/// The URL that the driver takes, and what it does not know of. `url` has its `@`, if any, before its parameters.
pub(super) fn sort(url: &str) -> Result<(String, Trust), OpenError> {
    let begin = url.find('@').unwrap_or(0);
    let Some(mark) = url[begin..].find('?').map(|mark| begin + mark) else {
        return Ok((url.to_owned(), Trust::default()));
    };
    let (mut pairs, mut trust) = (Vec::new(), Trust::default());
    for pair in url[mark + 1..].split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(OpenError::Url)?;
        match judge(name, &decoded(value)) {
            Verdict::Keep => pairs.push(pair.to_owned()),
            Verdict::As(name, value) => pairs.push(format!("{name}={value}")),
            Verdict::Drop => {}
            Verdict::Roots(file) => trust.roots = file,
            Verdict::Full => {
                trust.full = true;
                pairs.push("sslmode=require".to_owned());
            }
            Verdict::Refuse(instead) => return Err(OpenError::Parameter { name: shown(name)?, instead }),
        }
    }
    let mark = if pairs.is_empty() { &url[..mark] } else { &url[..=mark] };
    Ok((format!("{mark}{}", pairs.join("&")), trust))
}

const LEAVE: &str = "is not supported here; leave it out";

fn judge(name: &str, value: &str) -> Verdict {
    use Verdict::{As, Drop, Full, Keep, Refuse, Roots};
    let one_of = |known: &[&str], instead| if known.contains(&value) { Keep } else { Refuse(instead) };
    let is_number = value.parse::<u32>().is_ok();
    match name {
        "user" | "password" | "dbname" | "options" | "application_name" | "host" => Keep,
        "hostaddr" if value.split(',').all(|one| one.parse::<IpAddr>().is_ok()) => Keep,
        "hostaddr" => Refuse("must be an IP address; a name is written as host"),
        "port" if value.split(',').all(|one| one.is_empty() || one.parse::<u16>().is_ok()) => Keep,
        "port" => Refuse("must be a number up to 65535"),
        "connect_timeout"
        | "tcp_user_timeout"
        | "keepalives"
        | "keepalives_idle"
        | "keepalives_interval"
        | "keepalives_retries"
            if is_number =>
        {
            Keep
        }
        "keepalives_count" if is_number => As("keepalives_retries", value.to_owned()),
        "connect_timeout"
        | "tcp_user_timeout"
        | "keepalives"
        | "keepalives_idle"
        | "keepalives_interval"
        | "keepalives_retries"
        | "keepalives_count" => Refuse("must be a number"),
        "channel_binding" => one_of(&["disable", "prefer", "require"], "must be disable, prefer or require"),
        "load_balance_hosts" => one_of(&["disable", "random"], "must be disable or random"),
        "sslnegotiation" => one_of(&["postgres", "direct"], "must be postgres or direct"),
        "fallback_application_name" => Drop,
        "sslmode" => match value {
            "disable" | "prefer" | "require" => Keep,
            // Stricter than they ask for: whatever is encrypted here is vouched for, and by its name.
            "allow" => As("sslmode", "prefer".to_owned()),
            "verify-ca" => As("sslmode", "require".to_owned()),
            "verify-full" => Full,
            _ => Refuse("must be disable, prefer, require or verify-full"),
        },
        "ssl" if value == "true" => As("sslmode", "require".to_owned()),
        "ssl" => Refuse("is no parameter of PostgreSQL's; write sslmode=disable or sslmode=verify-full"),
        "sslrootcert" if value.is_empty() => Drop,
        "sslrootcert" => Roots((value != "system").then(|| PathBuf::from(value))),
        "sslcert" | "sslkey" | "sslpassword" | "sslcertmode" => {
            Refuse("asks for a client certificate, which is not supported here; use a password")
        }
        "sslcrl" | "sslcrldir" => {
            Refuse("asks for lists of revoked certificates, which are not supported here; leave it out")
        }
        "sslsni" if value == "1" => Drop,
        "sslsni" => Refuse("is always on; leave it out"),
        "sslcompression" if value == "0" => Drop,
        "sslcompression" => Refuse("is always off; leave it out"),
        "ssl_min_protocol_version" if matches!(value, "TLSv1" | "TLSv1.1" | "TLSv1.2") => Drop,
        "ssl_min_protocol_version" => Refuse("is TLSv1.2 here; leave it out"),
        "ssl_max_protocol_version" if value == "TLSv1.3" => Drop,
        "ssl_max_protocol_version" => Refuse("is TLSv1.3 here; leave it out"),
        "client_encoding" if matches!(value.to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "auto") => Drop,
        "client_encoding" => Refuse("is always UTF8; leave it out"),
        "gssencmode" if matches!(value, "disable" | "prefer") => Drop,
        "gssencmode" => Refuse("asks for Kerberos, which is not supported here; use sslmode=verify-full"),
        "target_session_attrs" => match value {
            "any" | "read-write" => Keep,
            "primary" => As("target_session_attrs", "read-write".to_owned()),
            _ => Refuse("must let the server write: it is read-write or primary"),
        },
        "passfile" => {
            Refuse("is not read; put the URL with its password into a file that COUNTERSIGN_DATABASE_URL_FILE names")
        }
        "service" | "servicefile" => Refuse("is not read; write host, user and database into the URL"),
        "require_auth" | "requirepeer" | "requiressl" | "krbsrvname" | "gsslib" | "gssdelegation" | "replication" => {
            Refuse(LEAVE)
        }
        _ => Refuse("is no parameter that is known here; leave it out"),
    }
}

/// A name as it may be shown. What does not look like one may be a part of a password.
fn shown(name: &str) -> Result<String, OpenError> {
    const KNOWN: &[&str] = &["ssl", "gss", "krb", "require", "service", "target_", "client_", "keepalives", "passfile"];
    const WHOLE: &[&str] = &[
        "hostaddr",
        "port",
        "connect_timeout",
        "tcp_user_timeout",
        "channel_binding",
        "load_balance_hosts",
        "replication",
    ];
    let plain = name.len() <= 32 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let known = WHOLE.contains(&name) || KNOWN.iter().any(|begin| name.starts_with(begin));
    if plain && known { Ok(name.to_owned()) } else { Err(OpenError::Url) }
}

/// A value without its percent signs.
fn decoded(value: &str) -> String {
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = hex.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        plain.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&plain).into_owned()
}
