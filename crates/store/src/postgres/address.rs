//! A database's URL as the driver reads it, for people: host, port, database and user, and never a password. A reader of
//! our own would sooner or later read a URL otherwise than the driver does, and show a password for a host.

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::parameters::{self, Trust};
use crate::error::OpenError;

/// The port that needs no mention.
const PORT: u16 = 5432;

/// Reads a URL, and what of it the driver does not know. The driver's own words about one that it cannot read quote it, so they are not passed on.
pub(super) fn read(url: &str) -> Result<(Config, Trust), OpenError> {
    if is_ambiguous(url) {
        return Err(OpenError::Url);
    }
    let (url, trust) = parameters::sort(url)?;
    Ok((url.parse().map_err(|_| OpenError::Url)?, trust))
}

/// Whether the driver may take a part of a password for something else. For the driver the user and the password end at
/// the first `@`, wherever it is.
fn is_ambiguous(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let Some((credentials, place)) = rest.split_once('@') else { return false };
    let user = credentials.split(':').next().unwrap_or_default();
    let in_query = |name: &str| credentials.to_ascii_lowercase().contains(name);
    place.contains('@') || user.contains(['/', '?', '&', '=', '#']) || in_query("password=")
}

/// A database's URL without its password, as the driver reads it. [`OpenError::Url`] if it cannot be read, or if a part of
/// a password could be taken for something else.
pub fn shown(url: &str) -> Result<String, OpenError> {
    let (config, _) = read(url)?;
    let hosts = config.get_hosts().iter().enumerate().map(|(number, host)| {
        let port = config.get_ports().get(number).or(config.get_ports().first()).copied().unwrap_or(PORT);
        let name = match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]"),
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => format!("[{}]", path.display()),
        };
        if port == PORT { name } else { format!("{name}:{port}") }
    });
    let hosts: Vec<String> = hosts.collect();
    let user = config.get_user().map_or_else(String::new, |user| format!("{user}@"));
    let database = config.get_dbname().map_or_else(String::new, |name| format!("/{name}"));
    let text = format!("postgres://{user}{}{database}", hosts.join(","));
    Ok(text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_says_where_a_database_is() {
        for (url, expected) in [
            ("postgres://ana:s3cret@db1,db2:5433/mfa", "postgres://ana@db1,db2:5433/mfa"),
            ("postgres://qm:S3?CRET@db/qm?sslmode=disable", "postgres://qm@db/qm"),
            ("postgres://qm:a/b#c:d&e=f@db/qm", "postgres://qm@db/qm"),
            ("postgresql:///mfa?host=/run/pg&password=s3cret&user=ana", "postgres://ana@[/run/pg]/mfa"),
            ("postgres://an%40a@[::1]:6543/m%0afa", "postgres://an@a@[::1]:6543/m\u{fffd}fa"),
            ("postgres://db", "postgres://db"),
        ] {
            assert_eq!(shown(url).unwrap(), expected);
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for url in [
            "postgres://ana:s3@cret@db/mfa",
            "postgres://db/mfa?user=ana&password=s3@cret",
            "postgres:///mfa?user=ana&password=s3@cret",
            "postgres://ana:s3cret",
            "postgres://db/mfa?s3cret",
            "postgres://db/mfa?s3cret=x",
        ] {
            let refused = shown(url).unwrap_err();
            let mut said = format!("{refused} {refused:?}");
            let mut cause = std::error::Error::source(&refused);
            while let Some(error) = cause {
                said.push_str(&error.to_string());
                cause = error.source();
            }
            assert!(!said.contains("cret"), "{url}: {said}");
        }
    }
}
