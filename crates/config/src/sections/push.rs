//! `[push]`: where prompts may be pushed (contract 18.14).

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use delivery::{PushEndpoints, WebPushProvider, WebPushSettings};

use crate::row::{Kind, ROW, Row, empty, off};
use crate::section::Section;
use crate::value::web_address;
use crate::values::Values;

const ORIGINS: &str = "push.endpoint_origins";
const ALLOW_PRIVATE: &str = "push.allow_private_endpoints";

/// The configured reach of prompts.
#[derive(Debug, Clone)]
pub struct PushConfig {
    /// Where prompts may go.
    pub endpoints: PushEndpoints,
    /// Whether listed push services may be in the installation's own network, and on loopback without TLS (SEC 69).
    pub allow_private_endpoints: bool,
    /// Whom a push service may write to, if it is not `public_url`.
    contact: Option<String>,
    /// Authorities to trust besides the public ones, in PEM.
    ca_file: Option<PathBuf>,
    /// Where people reach this server, if browsers give subscriptions to its pages.
    page: Option<String>,
}

impl Section for PushConfig {
    const HEADING: Option<&'static str> = Some("Push");

    const ROWS: &'static [Row] = &[
        Row {
            key: ORIGINS,
            kind: Kind::Texts(PushEndpoints::check_origin),
            about: "Push services to which prompts may go besides those of the browsers: origins, as of a UnifiedPush server",
            default: Some(empty),
            example: "[\"https://push.example.com\"]",
            ..ROW
        },
        Row {
            key: ALLOW_PRIVATE,
            kind: Kind::YesNo,
            about: "Whether the listed push services may be in the installation's own network, and on loopback without TLS",
            default: Some(off),
            ..ROW
        },
        Row {
            key: "push.contact",
            kind: Kind::Text(contact),
            about: "Whom a push service may write to: mailto:ADDRESS or https://PAGE [default: public_url]",
            example: "\"mailto:it@example.com\"",
            ..ROW
        },
        Row {
            key: "push.ca_file",
            about: "File of certificates (PEM) of push services to trust besides the public ones",
            example: "\"/etc/countersign/push-ca.pem\"",
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        let allow_private_endpoints = values.yes(ALLOW_PRIVATE);
        let endpoints = PushEndpoints::new(&values.texts(ORIGINS), allow_private_endpoints);
        Ok(Self {
            endpoints: endpoints.map_err(|why| values.wrong(ORIGINS, why))?,
            allow_private_endpoints,
            contact: values.text("push.contact"),
            ca_file: values.path("push.ca_file"),
            page: values.text("public_url").filter(|url| WebPushProvider::is_possible_at(url)),
        })
    }
}

impl PushConfig {
    /// Whether prompts can be pushed: browsers give no subscription to a page without TLS, but on their own machine.
    pub fn is_possible(&self) -> bool {
        self.page.is_some()
    }

    /// What pushes prompts, if browsers can subscribe here. The error names the setting that is wrong.
    pub fn provider(&self) -> anyhow::Result<Option<WebPushProvider>> {
        let Some(public_url) = self.page.clone() else { return Ok(None) };
        // RFC 8292, 2.1 knows no other form, and Apple refuses a token with one.
        let contact = self.contact.clone().or_else(|| Some(public_url.clone()).filter(|url| url.starts_with("https:")));
        let provider = WebPushProvider::new(WebPushSettings {
            public_url,
            endpoints: self.endpoints.clone(),
            contact,
            ca_file: self.ca_file.clone(),
            now: Arc::new(|| engine::Clock::now(&engine::clock::SystemClock)),
            draw: Arc::new(|bytes| engine::Chance::fill(&engine::chance::SystemChance, bytes)),
        });
        Ok(Some(provider.context("push")?))
    }
}

/// An address to write to.
fn contact(text: &str) -> Result<(), String> {
    let is_mail = || {
        let address = text.strip_prefix("mailto:")?;
        let (name, host) = address.split_once('@')?;
        let fits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && c != '@');
        Some(fits(name) && fits(host))
    };
    let is_page = || web_address(text).is_some_and(|url| url.scheme() == "https");
    if is_mail().unwrap_or_else(is_page) {
        Ok(())
    } else {
        Err("write it as mailto:it@example.com or https://example.com/contact".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_an_address_of_mail_or_a_page_over_https() {
        for good in ["mailto:it@example.com", "https://example.com/contact", "https://mfa.example.com"] {
            assert_eq!(contact(good), Ok(()), "{good}");
        }
        for bad in
            ["it@example.com", "mailto:", "mailto:it", "mailto:it@", "mailto:a b@c", "http://example.com", "tel:1"]
        {
            assert!(contact(bad).is_err(), "{bad}");
        }
    }
}
