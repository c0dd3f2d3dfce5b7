//! `[delivery]`: what carries messages to people.

use std::path::PathBuf;

use anyhow::bail;
use domain::Channel;

use crate::row::{Kind, ROW, Row, off};
use crate::section::Section;
use crate::values::Values;

/// The configured providers.
#[derive(Debug, Clone)]
pub struct DeliveryConfig {
    /// File to which every message is appended, code included.
    pub file: Option<PathBuf>,
    codes_are_readable: bool,
    /// File with what text messages and calls cost.
    pub prices_file: Option<PathBuf>,
    /// Whether a text message with a code is called while no route for text messages works (contract 18.10).
    pub sms_by_call: bool,
    /// The providers of a channel in the order of trying, where the operator names them.
    order: [(Channel, Vec<String>); 3],
}

/// The keys that name the order of a channel's routes.
const ORDERS: [(Channel, &str); 3] =
    [(Channel::Sms, "delivery.sms"), (Channel::Voice, "delivery.voice"), (Channel::Email, "delivery.email")];

impl DeliveryConfig {
    /// The order in which this channel's providers are tried. `able` are those that can carry it: if there are several, the
    /// operator must have named each of them once.
    pub fn order(&self, channel: Channel, able: &[&str]) -> anyhow::Result<Vec<String>> {
        let named = self.order.iter().find(|(of, _)| *of == channel).map_or(&[][..], |(_, named)| named);
        let key = ORDERS.iter().find(|(of, _)| *of == channel).map_or("delivery", |(_, key)| *key);
        if named.is_empty() && able.len() < 2 {
            return Ok(able.iter().map(|name| (*name).to_owned()).collect());
        }
        let list =
            format!("{key} = [{}]", able.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "));
        if named.is_empty() {
            bail!("several providers carry {}: name the order in which they are tried, as {list}", channel.name());
        }
        if let Some(strange) = named.iter().find(|name| !able.contains(&name.as_str())) {
            bail!("{key} names \"{strange}\", and no configured provider of this name carries {}", channel.name());
        }
        let is_each_once = able.iter().all(|name| named.iter().filter(|named| named == name).count() == 1);
        if !is_each_once {
            bail!("{key} names each provider that carries {} once, as {list}", channel.name());
        }
        Ok(named.to_vec())
    }

    /// Refuses a file of messages unless the operator has acknowledged that its readers see every code (SEC 38).
    pub fn check(&self) -> anyhow::Result<()> {
        match &self.file {
            Some(file) if !self.codes_are_readable => bail!(
                "delivery.file.path names {}: anyone who can read this file sees every code, which is for staging systems \
                 only. If this is one, set delivery.file.i_know_that_codes_are_readable = true; if not, remove \
                 delivery.file.path",
                file.display()
            ),
            _ => Ok(()),
        }
    }
}

impl Section for DeliveryConfig {
    const HEADING: Option<&'static str> = Some("Delivery");

    const ROWS: &'static [Row] = &[
        Row {
            key: "delivery.sms",
            kind: Kind::Texts(provider),
            about: "Providers of text messages in the order of trying; needed if several are configured",
            example: "[\"file\"]",
            ..ROW
        },
        Row {
            key: "delivery.voice",
            kind: Kind::Texts(provider),
            about: "Providers of calls in the order of trying; needed if several are configured",
            example: "[\"file\"]",
            ..ROW
        },
        Row {
            key: "delivery.email",
            kind: Kind::Texts(provider),
            about: "Providers of mail in the order of trying; needed if several are configured",
            example: "[\"smtp\", \"file\"]",
            ..ROW
        },
        Row {
            key: "delivery.sms_by_call",
            kind: Kind::YesNo,
            about: "Speak a code in a call to the same number while no provider of text messages works; needs a provider of each",
            default: Some(off),
            ..ROW
        },
        Row {
            key: "delivery.http",
            kind: Kind::Paths,
            about: "Files that each describe a gateway, by a preset or in full; the file's name without .toml is the provider's",
            example: "[\"/etc/countersign/plivo.toml\"]",
            ..ROW
        },
        Row {
            key: "delivery.prices_file",
            about: "File with what text messages and calls cost, as CSV: provider,channel,prefix,price; \
                    `countersign delivery price` asks it",
            example: "\"/etc/countersign/prices.csv\"",
            ..ROW
        },
        Row {
            key: "delivery.file.path",
            about: "For staging systems: file to append every text message, call and mail to, with its code, as a line of JSON; \
                    it must have mode 0600 and is created if missing",
            example: "\"/var/lib/countersign-staging/messages.jsonl\"",
            ..ROW
        },
        Row {
            key: "delivery.file.i_know_that_codes_are_readable",
            kind: Kind::YesNo,
            about: "Acknowledge that readers of delivery.file.path see every code; a server with that path starts only with true",
            default: Some(off),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self {
            file: values.path("delivery.file.path"),
            codes_are_readable: values.yes("delivery.file.i_know_that_codes_are_readable"),
            prices_file: values.path("delivery.prices_file"),
            sms_by_call: values.yes("delivery.sms_by_call"),
            order: ORDERS.map(|(channel, key)| (channel, values.texts(key))),
        })
    }
}

/// A provider's name.
fn provider(text: &str) -> Result<(), String> {
    let fits = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
    if fits { Ok(()) } else { Err("a provider's name is a lower-case word, as smtp".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(named: &[&str], able: &[&str]) -> Result<Vec<String>, String> {
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        let empty = || (Channel::Voice, Vec::new());
        let order = [(Channel::Sms, named), empty(), empty()];
        let config =
            DeliveryConfig { file: None, codes_are_readable: false, prices_file: None, sms_by_call: false, order };
        config.order(Channel::Sms, able).map_err(|error| error.to_string())
    }

    #[test]
    fn several_providers_of_a_channel_have_an_order_that_names_each_once() {
        assert_eq!(order(&[], &[]), Ok(vec![]));
        assert_eq!(order(&[], &["a"]), Ok(vec!["a".to_owned()]));
        assert_eq!(order(&["b", "a"], &["a", "b"]), Ok(vec!["b".to_owned(), "a".to_owned()]));
        for (named, able, why) in [
            (&[][..], &["a", "b"][..], "as delivery.sms = [\"a\", \"b\"]"),
            (&["a"], &["a", "b"], "names each provider that carries sms once"),
            (&["a", "a", "b"], &["a", "b"], "names each provider that carries sms once"),
            (&["c"], &["a"], "no configured provider of this name carries sms"),
            (&["a"], &[], "no configured provider of this name carries sms"),
        ] {
            let said = order(named, able).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
