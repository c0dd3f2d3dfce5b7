//! A private certificate authority and the certificates that it signs, made by the commands of
//! `docs/guides/hard-coded-domains.md`. This tests the page: its readers get the same set-up as these runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::arguments::Arguments;
use crate::process;

const PAGE: &str = "../docs/guides/hard-coded-domains.md";
/// The heading above the commands that make the authority and the certificate for OneLogin's names.
const HEADING: &str = "## 1.";

/// The host name by which the drivers, and clients with a configurable host, reach the server.
pub(crate) const OWN_NAME: &str = "localhost";

pub(crate) struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Runs the page's commands in an empty folder, then signs a second certificate for [`OWN_NAME`].
    pub(crate) fn create(arguments: &Arguments, folder: PathBuf) -> Result<Self> {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let commands = commands_under(&text, HEADING)
            .with_context(|| format!("{} has no block of commands under {HEADING}", page.display()))?;
        // The commands after the authority's make the second certificate too.
        let again = commands.split_once("openssl req -newkey").map(|(_, rest)| format!("openssl req -newkey{rest}"));
        let again = again.with_context(|| format!("{} makes no certificate under {HEADING}", page.display()))?;
        let own = again
            .replace("DNS:api.us.onelogin.com,DNS:api.eu.onelogin.com,DNS:*.onelogin.com", &format!("DNS:{OWN_NAME}"))
            .replace("api.us.onelogin.com", OWN_NAME)
            .replace("onelogin.", "own.");
        for commands in [commands, &own] {
            process::must(
                Command::new("sh").args(["-eu", "-c", commands]).current_dir(&folder),
                arguments.start_timeout,
            )?;
        }
        Ok(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The server's flags for both certificates.
    pub(crate) fn flags(&self) -> Vec<PathBuf> {
        let file = |name: &str| self.folder.join(name);
        let mut flags = Vec::new();
        for name in ["onelogin", "own"] {
            flags.extend(["--tls-cert-file".into(), file(&format!("{name}.pem"))]);
            flags.extend(["--tls-key-file".into(), file(&format!("{name}.key"))]);
        }
        flags
    }

    /// Makes a client trust the authority, through the variables that the page lists.
    pub(crate) fn trust(&self, command: &mut Command) {
        let authority = self.folder.join("ca.pem");
        for name in ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE"] {
            command.env(name, &authority);
        }
    }
}

/// The first block of shell commands under a heading.
fn commands_under<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let section = &page[page.find(heading)?..];
    let block = section.split_once("```sh\n")?.1;
    block.split_once("```").map(|(commands, _)| commands)
}

#[cfg(test)]
mod tests {
    use super::commands_under;

    #[test]
    fn the_block_under_a_heading_is_found_and_no_other() {
        let page = "# t\n```sh\nfirst\n```\n## 1. Make\ntext\n```sh\nsecond\nline\n```\n```sh\nthird\n```\n";
        assert_eq!(commands_under(page, "## 1."), Some("second\nline\n"));
        assert_eq!(commands_under(page, "## 2."), None);
    }
}
