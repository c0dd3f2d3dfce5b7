//! The file in which an operator describes a gateway (contract 18.6): TOML, each key at most once, no other keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::{Channel, Secret};
use serde::Deserialize;
use toml::Spanned;

use super::super::gateway::{BadSetting, Calling};
use super::{CallbackUrls, HttpProvider, HttpSettings};

/// What a file may say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    preset: Option<String>,
    channels: Option<Vec<String>>,
    method: Option<String>,
    url: Option<String>,
    headers: Option<Vec<String>>,
    form: Option<Vec<String>>,
    json: Option<String>,
    username: Option<String>,
    secret: Option<String>,
    secret_file: Option<PathBuf>,
    from: Option<String>,
    account: Option<String>,
    ca_file: Option<PathBuf>,
    basic_auth: Option<bool>,
    signed: Option<bool>,
    callback_secret: Option<String>,
    callback_secret_file: Option<PathBuf>,
    success: Option<String>,
    id_path: Option<String>,
    refused_words: Option<Vec<String>>,
}

impl HttpProvider {
    /// Makes a provider from the text of its file. The files that it names are looked for in `folder`. `read_secret`
    /// reads what `secret_file` names, or says in a sentence why it cannot. `callback_urls` is where
    /// receipts and keyed digits come, if callers from outside reach us. The line of an error is one of the file.
    pub fn described(
        name: String,
        text: &str,
        folder: &Path,
        calling: Calling,
        callback_urls: Option<CallbackUrls>,
        read_secret: impl Fn(&Path) -> Result<Secret, String>,
    ) -> Result<Self, BadSetting> {
        let described: Described = toml::from_str(text).map_err(|error| not_understood(text, &error))?;
        let settings = described.settings(name, folder, calling, read_secret);
        let settings = settings.map(|settings| HttpSettings { callback_urls, ..settings });
        settings.and_then(Self::new).map_err(|bad| BadSetting { line: line(text, &bad), ..bad })
    }
}

impl Described {
    fn settings(
        self,
        name: String,
        folder: &Path,
        calling: Calling,
        read_secret: impl Fn(&Path) -> Result<Secret, String>,
    ) -> Result<HttpSettings, BadSetting> {
        let secret =
            |[key, file_key]: [&'static str; 2], given: Option<String>, file: Option<PathBuf>| match (given, file) {
                (Some(_), Some(_)) => Err(BadSetting::new(key, format!("this and {file_key} exclude each other"))),
                (Some(secret), None) => Ok(Some(Secret::new(secret.into_bytes()))),
                (None, Some(file)) => {
                    let read = read_secret(&folder.join(file));
                    read.map(Some).map_err(|problem| BadSetting::new(file_key, problem))
                }
                (None, None) => Ok(None),
            };
        let channel = |name: &String| {
            Channel::from_name(name)
                .ok_or_else(|| BadSetting::new("channels", "this is a list of sms, voice and email"))
        };
        let channels = self.channels.map(|names| names.iter().map(channel).collect()).transpose()?;
        Ok(HttpSettings {
            name,
            preset: self.preset,
            channels,
            method: self.method,
            url: self.url,
            headers: self.headers,
            form: self.form,
            json: self.json,
            username: self.username,
            secret: secret(["secret", "secret_file"], self.secret, self.secret_file)?,
            from: self.from,
            account: self.account,
            basic_auth: self.basic_auth,
            signed: self.signed,
            callback_secret: secret(
                ["callback_secret", "callback_secret_file"],
                self.callback_secret,
                self.callback_secret_file,
            )?,
            callback_urls: None,
            success: self.success,
            id_path: self.id_path,
            refused_words: self.refused_words,
            calling: Calling { ca_file: self.ca_file.map(|file| folder.join(file)).or(calling.ca_file), ..calling },
        })
    }
}

/// What is wrong with the file itself. The value at fault may be the secret, so it is not repeated.
fn not_understood(text: &str, error: &toml::de::Error) -> BadSetting {
    let problem = match error.message().split_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => format!("here is something else than {expected}"),
        _ => error.message().to_owned(),
    };
    BadSetting { key: "", line: error.span().map(|span| line_at(text, span.start)), problem }
}

/// The line of the file with the setting, or with the line of the template, that is at fault. Of a list it is the first.
fn line(text: &str, bad: &BadSetting) -> Option<usize> {
    let values: BTreeMap<String, Spanned<toml::Value>> = toml::from_str(text).ok()?;
    let start = values.get(bad.key)?.span().start;
    let is_list = values.get(bad.key)?.get_ref().is_array();
    // A string over several lines begins after the line break that follows its quotation marks.
    let opens = ["\"\"\"\n", "\"\"\"\r\n", "'''\n", "'''\r\n"].iter().any(|mark| text[start..].starts_with(mark));
    let within = bad.line.filter(|_| !is_list).map_or(0, |line| line - 1 + usize::from(opens));
    Some(line_at(text, start) + within)
}

fn line_at(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::Timestamp;

    use super::super::super::Provider as _;
    use super::*;

    fn described(text: &str) -> Result<HttpProvider, BadSetting> {
        let calling = Calling::by(Arc::new(|| Timestamp(0)));
        HttpProvider::described("ours".to_owned(), text, Path::new(""), calling, None, |file| match file.to_str() {
            Some("/etc/secret") => Ok(Secret::new(b"from a file".to_vec())),
            _ => Err("no such file".to_owned()),
        })
    }

    #[test]
    fn a_file_describes_a_gateway() {
        let provider = described(
            "url = \"https://gateway.example.com/{{ account }}\"\nchannels = [\"sms\", \"voice\"]\nmethod = \"PUT\"\n\
             headers = [\"X-Key: {{ secret }}\"]\nsecret_file = \"/etc/secret\"\naccount = \"a\"\nfrom = \"b\"\n\
             username = \"c\"\nbasic_auth = true\nsuccess = \"201 ok=true\"\nid_path = \"id\"\nrefused_words = [\"gone\"]\n\
             json = '''\n{\"to\": \"{{ to }}\"}\n'''\n",
        )
        .unwrap();
        assert_eq!((provider.name(), provider.channels()), ("ours", [Channel::Sms, Channel::Voice].as_slice()));
        assert!(described("preset = \"telnyx\"\nsecret = \"x\"\nfrom = \"+15005550001\"").is_ok());
    }

    #[test]
    fn an_error_names_the_line_of_the_file() {
        for (text, shown) in [
            ("\nurl = \"ftp://x/\"", "url, line 2: this is no http or https URL when it is filled"),
            (
                "url = \"https://x/\"\njson = '''\n{\n  \"to\": \"{{ too }}\"\n}'''",
                "json, line 4: too is unknown; known are to, to_digits, text, subject, code, id, channel, kind, spoken, language, reply_url, status_url",
            ),
            (
                "url = \"https://x/\"\njson = \"{\\\"to\\\": {{ to }}}\"",
                "json, line 2: this is no JSON when it is filled; put names in quotation marks",
            ),
            ("url = \"https://x/\"\nform = [\n  \"a=b\",\n  \"c\",\n]", "form, line 2: each of them is name=value"),
            ("preset = \"telnyx\"\nsecret = \"x\"", "from: json uses this, and it is not set"),
            (
                "\n\nchannels = [\"push\"]\nurl = \"https://x/\"",
                "channels, line 3: this is a list of sms, voice and email",
            ),
            ("channels = [\"pigeon\"]", "channels, line 1: this is a list of sms, voice and email"),
            (
                "secret = \"x\"\nsecret_file = \"/etc/secret\"",
                "secret, line 1: this and secret_file exclude each other",
            ),
            ("\nsecret_file = \"/none\"", "secret_file, line 2: no such file"),
            ("", "url: this is needed without a preset"),
            ("url = \"https://x/\"\n\nsecret = 123456", "line 3: here is something else than a string"),
        ] {
            assert_eq!(described(text).unwrap_err().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn a_key_that_is_unknown_or_given_twice_is_refused_with_its_line() {
        for (text, line) in [
            ("url = \"https://x/\"\nurls = \"https://x/\"", 2),
            ("url = \"https://x/\"\n\nurl = \"https://y/\"", 3),
            ("url = \"https://x/\"\n[more]\n", 2),
            ("url = https", 1),
        ] {
            assert_eq!(described(text).unwrap_err().line, Some(line), "{text}");
        }
    }
}
