//! Any gateway over HTTP that the operator describes (contract 18.6): a request as templates, and what its answers mean.
//! A [`Preset`](super::Preset) is such a description that we have written.

mod answer;
mod callbacks;
mod file;
mod parts;
mod settings;
mod template;

use std::time::Duration;

use domain::{Channel, Secret, Timestamp};
use hyper::Method;
use hyper::header::{ACCEPT, HeaderName, HeaderValue};
use reqwest::Request;
use url::Url;

use self::answer::{Path, Success};
use self::callbacks::{Callbacks, signing_key};
use self::parts::{Body, Own, header, owned};
pub use self::settings::{CallbackUrls, HttpSettings};
use self::template::{Encoding, Template, Words};
use super::gateway::{self, BadSetting, Gateway};
use super::preset::Preset;
use super::signature::{Callback, KeyedCall, Receipt, Refusal};
use super::spoken::{asks_at, spelled};
use super::{Finding, Probe, Probing, Provider, Reply, SendError, Sending, probe, standard_webhooks};
use crate::message::OutgoingMessage;

/// Samples that templates are filled with when settings are checked. They hold what could break a request: a leading zero,
/// quotation marks, a line break, characters of other alphabets.
const SAMPLES: [(&str, &str); 12] = [
    ("to", "+15005550006"),
    ("to_digits", "15005550006"),
    ("text", "Your \"code\" is\n012345 & ü"),
    ("subject", "Your code"),
    ("code", "012345"),
    ("id", "1-1700000000000"),
    ("channel", "voice"),
    ("kind", "code"),
    ("spoken", "Your \"code\" is\n0, 1, 2, 3, 4, 5 & ü"),
    ("language", "en"),
    (REPLY_URL, "https://mfa.example.com/callbacks/own/digits?call=00000000-0000-4000-8000-000000000000"),
    ("status_url", "https://mfa.example.com/callbacks/own/status"),
];

/// The name of the address to which keyed digits go.
const REPLY_URL: &str = "reply_url";

/// Sends over a gateway that settings describe.
pub struct HttpProvider {
    name: String,
    channels: Vec<Channel>,
    /// Host and port, as the address with samples has them.
    server: (String, u16),
    caution: Option<String>,
    gateway: Gateway,
    method: Method,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    body: Body,
    words: Own,
    basic: Option<(String, Secret)>,
    /// What requests are signed with.
    signing: Option<Secret>,
    callbacks: Option<Callbacks>,
    success: Success,
    id_path: Option<Path>,
    refused_words: Vec<String>,
}

impl std::fmt::Debug for HttpProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpProvider").field("name", &self.name).finish_non_exhaustive()
    }
}

impl HttpProvider {
    /// What a gateway can carry. Pushes are missing: they are answered on a phone.
    pub const CHANNELS: &[Channel] = &[Channel::Sms, Channel::Voice, Channel::Email];

    /// Checks the settings, and fills every template with samples; nothing is called.
    pub fn new(settings: HttpSettings) -> Result<Self, BadSetting> {
        check_name(&settings.name)?;
        let preset = settings.preset.as_deref().map(preset).transpose()?;
        let own = Own::of(&settings)?;
        let samples: Vec<_> = SAMPLES.into_iter().chain(own.words()).collect();
        let given = |own: &Option<String>, preset: Option<&str>| own.clone().or(preset.map(str::to_owned));
        let url = given(&settings.url, preset.map(|preset| preset.url));
        let url = url.ok_or_else(|| BadSetting::new("url", "this is needed without a preset"))?;
        if url.is_empty() {
            return Err(BadSetting::new("url", "this is needed: the address is your own"));
        }
        let url = Template::new("url", &url, Encoding::Url, &samples)?;
        let called = parsed(&url, &samples)
            .ok_or_else(|| BadSetting::new("url", "this is no http or https URL when it is filled"))?;
        let headers = settings.headers.clone().unwrap_or_else(|| owned(preset.map_or(&[], |preset| preset.headers)));
        let basic = settings.basic_auth.unwrap_or(preset.is_some_and(|preset| preset.basic_auth));
        let success = given(&settings.success, preset.map(|preset| preset.success));
        let id_path = given(&settings.id_path, preset.and_then(|preset| preset.id_path));
        let method = given(&settings.method, preset.map(|preset| preset.method));
        let method = method_named(method.as_deref().unwrap_or("POST"))?;
        let body = Body::new(&settings, preset, &samples)?;
        if method == Method::GET && !matches!(body, Body::None) {
            return Err(BadSetting::new("method", "GET has no form and no json: put the values into url"));
        }
        let headers: Vec<_> = headers.iter().map(|line| header(line, &samples)).collect::<Result<_, _>>()?;
        let channels = channels(settings.channels.as_deref().or(preset.map(|preset| preset.channels)))?;
        let signed = settings.signed.unwrap_or(preset.is_some_and(|preset| preset.signed));
        let asks = channels.contains(&Channel::Voice) && {
            let values = headers.iter().map(|(_, value)| value);
            [&url].into_iter().chain(values).chain(body.templates()).any(|template| template.uses(REPLY_URL))
        };
        Ok(Self {
            channels,
            method,
            url,
            headers,
            body,
            signing: if signed { Some(signing_key(&settings)?) } else { None },
            callbacks: Callbacks::of(&settings, asks)?,
            basic: if basic { Some(credentials(&settings)?) } else { None },
            success: Success::parse(success.as_deref().unwrap_or("2xx"))?,
            id_path: id_path.map(|path| Path::new("id_path", &path)).transpose()?,
            refused_words: refused_words(&settings, preset)?,
            gateway: Gateway::new(settings.calling)?,
            server: server_of(&called),
            caution: gateway::caution(&called),
            words: own,
            name: settings.name,
        })
    }

    async fn message(&self, message: &OutgoingMessage) -> Result<(), SendError> {
        // A template that worked with samples fails for this message only.
        let request = self.request(message).ok_or(SendError::Refused)?;
        let answer = self.gateway.call(request).await?;
        let json = answer.json();
        if self.success.accepts(answer.status().as_u16(), &json) {
            let id = self.id_path.as_ref().and_then(|path| path.text(&json));
            gateway::note_taken(&self.name, message, id.as_deref());
            return Ok(());
        }
        gateway::note_fault(&self.name, message, &answer);
        Err(answer.fault(self.gateway.now(), || answer::has_word(&answer, &self.refused_words)))
    }

    fn request(&self, message: &OutgoingMessage) -> Option<Request> {
        let content = &message.content;
        let id = message.key();
        let replies = self.callbacks.as_ref().filter(|callbacks| callbacks.asks && message.channel == Channel::Voice);
        let reply_url = replies.and_then(|callbacks| asks_at(message, &callbacks.digits)).map(String::from);
        let status_url = self.callbacks.as_ref().map(|callbacks| callbacks.status.as_str());
        let kind = match &content.code {
            Some(_) => "code",
            None if reply_url.is_some() => "digits",
            None => "message",
        };
        let spoken = spelled(message);
        let words = [
            ("to", content.to.as_str()),
            ("to_digits", content.to.trim_start_matches('+')),
            ("text", &content.body),
            ("subject", content.subject.as_deref().unwrap_or_default()),
            ("code", content.code.as_deref().unwrap_or_default()),
            ("id", &id),
            ("channel", message.channel.name()),
            ("kind", kind),
            ("spoken", &spoken),
            ("language", content.language.as_deref().unwrap_or_default()),
            (REPLY_URL, reply_url.as_deref().unwrap_or_default()),
            ("status_url", status_url.unwrap_or_default()),
        ];
        let words: Vec<_> = words.into_iter().chain(self.words.words()).collect();
        let url = parsed(&self.url, &words)?;
        let mut request = match &self.body {
            Body::None => Request::new(self.method.clone(), url),
            Body::Form(fields) => {
                let values: Option<Vec<_>> = fields.iter().map(|(_, value)| value.fill(&words)).collect();
                let values = values?;
                let fields = fields.iter().zip(&values).map(|((name, _), value)| (name.as_str(), value.as_str()));
                gateway::request(self.method.clone(), url, gateway::FORM, gateway::form(fields))
            }
            Body::Json(template) => {
                let json = template.fill(&words)?;
                serde_json::from_str::<serde_json::Value>(&json).ok()?;
                gateway::request(self.method.clone(), url, gateway::JSON, json)
            }
        };
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(gateway::JSON));
        if let Some((username, password)) = &self.basic {
            gateway::authenticate(&mut request, username, password).ok()?;
        }
        for (name, value) in &self.headers {
            gateway::add_secret(&mut request, name.clone(), &value.fill(&words)?).ok()?;
        }
        if let Some(key) = &self.signing {
            standard_webhooks::sign(&mut request, key, &id, self.gateway.now())?;
        }
        Some(request)
    }
}

impl Provider for HttpProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn at_once(&self) -> usize {
        self.gateway.at_once()
    }

    fn timeout(&self) -> Duration {
        self.gateway.timeout()
    }

    fn caution(&self) -> Option<String> {
        self.caution.clone()
    }

    /// What else could be asked differs from gateway to gateway, and no setting says it.
    fn probe(&self) -> Probing<'_> {
        Box::pin(async {
            let (host, port) = &self.server;
            Probe::whole(match probe::resolve(host, *port).await {
                Ok(_) => {
                    Finding::Skipped(format!("{host} resolves; nothing else can be asked without sending a message"))
                }
                Err(why) => Finding::Failed(why),
            })
        })
    }

    fn signs_receipts(&self) -> bool {
        self.callbacks.is_some()
    }

    fn receipt(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Receipt, Refusal> {
        let callbacks = self.callbacks.as_ref().ok_or(Refusal::Unsigned)?;
        standard_webhooks::receipt(&callbacks.key, callback, now)
    }

    fn takes_digits(&self) -> bool {
        self.callbacks.as_ref().is_some_and(|callbacks| callbacks.asks)
    }

    fn digits(&self, callback: &Callback<'_>, now: Timestamp) -> Result<KeyedCall, Refusal> {
        let callbacks = self.callbacks.as_ref().filter(|callbacks| callbacks.asks).ok_or(Refusal::Unsigned)?;
        standard_webhooks::digits(&callbacks.key, callback, now)
    }

    fn spoken_reply(&self, words: &str, language: &str) -> Reply {
        let body = serde_json::json!({ "say": words, "language": language, "hang_up": true }).to_string();
        Reply { content_type: gateway::JSON, body }
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a> {
        Box::pin(self.message(message))
    }
}

/// A gateway's name goes to metrics, to log lines and into the order of routes.
fn check_name(name: &str) -> Result<(), BadSetting> {
    const TAKEN: &[&str] = &["file", "http", "smtp", "sns", "twilio", "vonage", "webpush"];
    let is_word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
    match name {
        "" => Err(BadSetting::new("", "a gateway needs a name")),
        _ if !is_word => {
            Err(BadSetting::new("", format!("{name} is no name: it has lower-case letters, digits, - and _ only")))
        }
        _ if TAKEN.contains(&name) => Err(BadSetting::new("", format!("{name} is the name of another provider"))),
        _ => Ok(()),
    }
}

fn preset(name: &str) -> Result<&'static Preset, BadSetting> {
    Preset::named(name).ok_or_else(|| {
        let names: Vec<_> = super::presets::PRESETS.iter().map(|preset| preset.guide.name).collect();
        BadSetting::new("preset", format!("no preset has this name; there are {}", names.join(", ")))
    })
}

fn method_named(name: &str) -> Result<Method, BadSetting> {
    match name {
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "GET" => Ok(Method::GET),
        _ => Err(BadSetting::new("method", "this is POST, PUT or GET")),
    }
}

fn channels(given: Option<&[Channel]>) -> Result<Vec<Channel>, BadSetting> {
    let channels = given.unwrap_or(&[Channel::Sms]);
    if channels.is_empty() || channels.iter().any(|channel| !HttpProvider::CHANNELS.contains(channel)) {
        return Err(BadSetting::new("channels", "this is a list of sms, voice and email"));
    }
    Ok(channels.to_vec())
}

fn credentials(settings: &HttpSettings) -> Result<(String, Secret), BadSetting> {
    let needed = |key| BadSetting::new(key, "this is needed for basic_auth");
    let username = settings.username.clone().ok_or_else(|| needed("username"))?;
    Ok((username, settings.secret.clone().ok_or_else(|| needed("secret"))?))
}

fn refused_words(settings: &HttpSettings, preset: Option<&Preset>) -> Result<Vec<String>, BadSetting> {
    let preset = || owned(preset.map_or(&[], |preset| preset.refused_words));
    let words = settings.refused_words.clone().unwrap_or_else(preset);
    if words.iter().any(|word| word.trim().is_empty()) {
        return Err(BadSetting::new("refused_words", "an empty word would be in every answer"));
    }
    Ok(words)
}

fn server_of(url: &Url) -> (String, u16) {
    (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default().unwrap_or_default())
}

fn parsed(url: &Template, words: &Words<'_>) -> Option<Url> {
    let url = Url::parse(&url.fill(words)?).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests;
