//! The caller that all gateways over HTTP share: one request, one answer, and what an answer means (contract 18.5).
//!
//! Where a gateway is reached is the operator's choice, so private addresses are allowed here. Addresses that callers of
//! the API choose go through the guarded caller in `webhook`. No redirect is followed and no proxy of the environment is
//! used: a code goes where the configuration says, or nowhere.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use domain::{Secret, Timestamp};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, Request};
use url::{Host, Url};

use super::SendError;
use super::probe::{self, Finding, Probe};
use crate::message::OutgoingMessage;
use crate::tls::{self, BadAuthorities};

/// How long a connection may take (contract 18.1).
const CONNECT: Duration = Duration::from_secs(3);
/// Largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;
/// Longest id of a gateway that goes to the log.
const LONGEST_ID: usize = 64;

pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const JSON: &str = "application/json";

/// Where a provider reads the time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a gateway is called, whichever it is.
#[derive(Clone)]
pub struct Calling {
    /// How many sendings of one channel go side by side.
    pub at_once: usize,
    /// How long one sending may take, connection included.
    pub timeout: Duration,
    /// Certificates (PEM) of authorities to trust besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// The present moment, for signatures and for dates in answers.
    pub now: Now,
}

impl Calling {
    /// The defaults of contract 18.1.
    pub fn by(now: Now) -> Self {
        Self { at_once: 8, timeout: Duration::from_secs(10), ca_file: None, now }
    }
}

impl std::fmt::Debug for Calling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Calling")
            .field("at_once", &self.at_once)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A provider's setting that cannot be used, with what is wrong with it. It never shows the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    /// The key below the provider's own, such as `auth_token`; empty where a file is not understood at all.
    pub key: &'static str,
    /// The line within the value, where a template has several; for a gateway with a file, within the file.
    pub line: Option<usize>,
    /// A sentence for the operator.
    pub problem: String,
}

impl BadSetting {
    pub(super) fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self { key, line: None, problem: problem.into() }
    }
}

impl std::fmt::Display for BadSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.key, self.line) {
            ("", Some(line)) => write!(f, "line {line}: {}", self.problem),
            ("", None) => f.write_str(&self.problem),
            (key, Some(line)) => write!(f, "{key}, line {line}: {}", self.problem),
            (key, None) => write!(f, "{key}: {}", self.problem),
        }
    }
}

impl Error for BadSetting {}

/// Calls one gateway over connections that are kept.
#[derive(Debug)]
pub(super) struct Gateway {
    client: Client,
    calling: Calling,
}

/// What a gateway answered.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Gateway {
    pub(super) fn new(calling: Calling) -> Result<Self, BadSetting> {
        let bad = |error: BadAuthorities| BadSetting::new("ca_file", error.to_string());
        let mut roots = tls::public();
        if let Some(file) = &calling.ca_file {
            roots.roots.extend(tls::of_file(file).map_err(bad)?.roots);
        }
        let tls = tls::client(roots).map_err(bad)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(Policy::none())
            // The outbox tries again, and counts.
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .timeout(calling.timeout)
            .user_agent("Countersign/1")
            .build()
            // Its words may hold what the client was built with.
            .map_err(|_| BadSetting::new("ca_file", "no TLS client can be made"))?;
        Ok(Self { client, calling })
    }

    pub(super) fn at_once(&self) -> usize {
        self.calling.at_once
    }

    pub(super) fn timeout(&self) -> Duration {
        self.calling.timeout
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.calling.now)()
    }

    /// Makes one call. The errors of the client name the URL, so none of them leaves this function.
    pub(super) async fn call(&self, request: Request) -> Result<Answer, SendError> {
        let answered = self.answered(request).await;
        answered.map_err(|error| error.as_ref().map_or(SendError::Unavailable, failure))
    }

    /// Makes one call for an operator, whose error says which layer failed.
    pub(super) async fn look(&self, request: Request) -> Result<Answer, String> {
        let url = request.url();
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let server = format!("{host}:{port}");
        probe::resolve(host, port).await?;
        let too_long = || format!("HTTP: the answer of {server} is too long; look at what answers there");
        let answered = self.answered(request).await;
        answered.map_err(|error| error.map_or_else(too_long, |error| probe::unanswered(&error, &server)))
    }

    /// Asks a gateway something that sends nothing. `judge` may know what an answer means; else its status says it.
    pub(super) async fn probe(
        &self,
        request: Result<Request, SendError>,
        judge: impl FnOnce(&Answer) -> Option<Finding>,
    ) -> Vec<Probe> {
        let Ok(request) = request else {
            return Probe::whole(Finding::Failed("no request can be made of its credentials; look at them".to_owned()));
        };
        let host = request.url().host_str().unwrap_or_default().to_owned();
        Probe::whole(match self.look(request).await {
            Ok(answer) => judge(&answer).unwrap_or_else(|| answer.found(&host)),
            Err(why) => Finding::Failed(why),
        })
    }

    /// The answer to a request; no error means that it is too long.
    async fn answered(&self, request: Request) -> Result<Answer, Option<reqwest::Error>> {
        let mut response = self.client.execute(request).await.map_err(Some)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Some)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
    }
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON; null if it is none.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What an answer to a probe says about the gateway.
    fn found(&self, host: &str) -> Finding {
        let status = self.status.as_u16();
        match self.status {
            _ if self.status.is_success() => Finding::Fine(format!("{host} accepts the account")),
            StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN => {
                Finding::Failed(format!(
                    "{host} does not accept the account (HTTP {status}): look at its credentials, rights and balance"
                ))
            }
            StatusCode::TOO_MANY_REQUESTS => {
                Finding::Failed(format!("{host} has been asked too much (HTTP {status}): try again later"))
            }
            _ if self.status.is_server_error() => Finding::Failed(format!(
                "{host} is out of order (HTTP {status}): try again later, and see its status page"
            )),
            _ => Finding::Failed(format!(
                "{host} answered with HTTP {status}, which is no answer of this gateway: look at base_url and the account"
            )),
        }
    }

    /// What an answer that is no success means. `unreachable` says whether the gateway means the recipient; it is asked
    /// only where the fault can be the recipient's.
    pub(super) fn fault(&self, now: Timestamp, unreachable: impl FnOnce() -> bool) -> SendError {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => SendError::Busy(retry_after(&self.headers, now)),
            // A redirect is not followed: it is what a gateway under maintenance, or an address that moved, answers.
            status if status.is_server_error() || status.is_redirection() => SendError::Unavailable,
            // These are about our account, whatever words are with them. 403 may be about the recipient's country.
            StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED => SendError::Denied,
            _ if unreachable() => SendError::Unreachable,
            _ => SendError::Refused,
        }
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond();
    Some(Duration::from_millis(u64::try_from(Timestamp(date).since(now)).unwrap_or(0)))
}

/// Why there is no answer.
fn failure(error: &reqwest::Error) -> SendError {
    if error.is_timeout() {
        return SendError::TimedOut;
    }
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let kinds = causes.filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    // Layers of the client wrap an error in another that says nothing.
    kinds.filter(|kind| *kind != ErrorKind::Other).last().map_or(SendError::Unavailable, SendError::Io)
}

/// A request with a body.
pub(super) fn request(method: Method, url: Url, content_type: &'static str, body: String) -> Request {
    let mut request = Request::new(method, url);
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    *request.body_mut() = Some(body.into());
    request
}

/// Adds Basic authentication.
pub(super) fn authenticate(request: &mut Request, username: &str, password: &Secret) -> Result<(), SendError> {
    let pair = [username.as_bytes(), b":", password.expose()].concat();
    add_secret(request, AUTHORIZATION, &format!("Basic {}", BASE64.encode(&pair)))
}

/// Adds a header that nothing shows.
pub(super) fn add_secret(request: &mut Request, name: hyper::header::HeaderName, value: &str) -> Result<(), SendError> {
    let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| SendError::Refused)?;
    value.set_sensitive(true);
    request.headers_mut().insert(name, value);
    Ok(())
}

/// Name and value pairs as a form.
pub(super) fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A gateway's address with a path below it.
pub(super) fn below(base: &str, path: &str) -> Result<Url, BadSetting> {
    let bad = |problem| BadSetting::new("base_url", problem);
    let url = Url::parse(base).map_err(|_| bad("this is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(bad("a gateway's address begins with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(bad("a gateway's address has no user, password, query or fragment"));
    }
    Url::parse(&format!("{}{path}", base.trim_end_matches('/'))).map_err(|_| bad("this is not a URL"))
}

/// The caution of a gateway at this address ([`super::Provider::caution`]).
pub(super) fn caution(address: &Url) -> Option<String> {
    let is_open = address.scheme() == "http" && !address.host().is_some_and(|host| is_this_machine(&host));
    let host = address.host_str().unwrap_or_default();
    is_open.then(|| {
        format!("credentials and codes go to {host} without TLS: others on the way can read them; use https://")
    })
}

/// Whether a host is this machine, by its name.
pub(super) fn is_this_machine<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// A text that must be there, without line breaks and spaces around it.
pub(super) fn needed<'a>(key: &'static str, value: &'a str) -> Result<&'a str, BadSetting> {
    match value {
        "" => Err(BadSetting::new(key, "this is needed")),
        _ if value.trim() != value || value.chars().any(char::is_control) => {
            Err(BadSetting::new(key, "this has a space at its edge or a line break"))
        }
        _ => Ok(value),
    }
}

/// The same of a secret.
pub(super) fn needed_secret(key: &'static str, value: &Secret) -> Result<(), BadSetting> {
    let text = std::str::from_utf8(value.expose()).map_err(|_| BadSetting::new(key, "this is not UTF-8"))?;
    needed(key, text).map(drop)
}

/// Logs that a gateway took a message, with the id that it has there. An id that has unusual characters, or that holds
/// what must not be in a log, is left out.
pub(super) fn note_taken(provider: &str, message: &OutgoingMessage, gateway_id: Option<&str>) {
    let gateway_id = gateway_id.filter(|id| is_loggable(id, message)).unwrap_or_default();
    tracing::debug!(message = message.id.0, provider, gateway_id, "gateway took a message");
}

/// Logs the status of an answer that is no success. Its words may repeat the message, so they are left out.
pub(super) fn note_fault(provider: &str, message: &OutgoingMessage, answer: &Answer) {
    let status = answer.status.as_u16();
    tracing::info!(message = message.id.0, provider, status, "gateway did not take a message");
}

fn is_loggable(id: &str, message: &OutgoingMessage) -> bool {
    let content = &message.content;
    let holds = |secret: &str| !secret.is_empty() && id.contains(secret);
    id.len() <= LONGEST_ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        && !holds(content.to.trim_start_matches('+'))
        && !content.code.as_deref().is_some_and(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(784_111_777_000);

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Vec::new() }
    }

    #[test]
    fn an_answer_means_what_its_status_says() {
        for (status, error) in [
            (301, SendError::Unavailable),
            (400, SendError::Refused),
            (401, SendError::Denied),
            (402, SendError::Denied),
            (403, SendError::Refused),
            (404, SendError::Refused),
            (429, SendError::Busy(None)),
            (500, SendError::Unavailable),
            (503, SendError::Unavailable),
            // What the success rule does not accept.
            (200, SendError::Refused),
        ] {
            assert_eq!(answer(status, &[]).fault(NOW, || false), error, "{status}");
        }
    }

    #[test]
    fn a_gateway_that_is_ill_says_nothing_about_the_recipient() {
        for status in [429, 500, 302] {
            assert_ne!(answer(status, &[]).fault(NOW, || true), SendError::Unreachable, "{status}");
        }
        assert_eq!(answer(400, &[]).fault(NOW, || true), SendError::Unreachable);
        assert_eq!(answer(200, &[]).fault(NOW, || true), SendError::Unreachable);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (value, wait) in [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            // A date that has passed.
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let busy = answer(429, &[("retry-after", value)]).fault(NOW, || false);
            assert_eq!(busy, SendError::Busy(wait.map(Duration::from_secs)), "{value}");
        }
    }

    #[test]
    fn an_address_is_http_and_nothing_more_than_an_address() {
        assert_eq!(below("https://api.example.com/", "/v1/x").unwrap().as_str(), "https://api.example.com/v1/x");
        assert_eq!(below("http://10.0.0.1:8080/a", "/b").unwrap().as_str(), "http://10.0.0.1:8080/a/b");
        for bad in
            ["", "api.example.com", "ftp://a/", "https://u:p@a/", "https://u@a/", "https://a/?x=1", "https://a/#x"]
        {
            let error = below(bad, "/").unwrap_err();
            assert_eq!(error.key, "base_url", "{bad}");
        }
    }

    #[test]
    fn only_a_gateway_without_tls_on_another_machine_is_a_caution() {
        for (address, is_open) in [
            ("https://gateway.example.com/", false),
            ("http://127.0.0.1:8080/", false),
            ("http://[::1]/", false),
            ("http://localhost/", false),
            ("http://10.0.0.1:8080/", true),
            ("http://gateway.example.com/", true),
            ("http://localhost.example.com/", true),
        ] {
            assert_eq!(caution(&Url::parse(address).unwrap()).is_some(), is_open, "{address}");
        }
    }

    #[test]
    fn an_id_that_repeats_the_message_stays_out_of_the_log() {
        let mut content = domain::Content::of("+491701234567".to_owned(), "code 123456".to_owned());
        content.code = Some("123456".to_owned());
        let message = OutgoingMessage {
            id: domain::MessageId(1),
            channel: domain::Channel::Sms,
            about: None,
            content,
            created_at: NOW,
        };
        assert!(is_loggable("SM0123-abc_d.e:f", &message));
        let long = "x".repeat(LONGEST_ID + 1);
        for id in ["491701234567", "id-491701234567", "a123456", "two words", "line\nbreak", &long] {
            assert!(!is_loggable(id, &message), "{id}");
        }
    }
}
