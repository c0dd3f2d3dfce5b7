//! Text messages over Amazon SNS: the action `Publish` of its query API, signed with Signature Version 4.
//!
//! The signature is written here: it is two digests and five keyed ones over a text that Amazon's documentation gives
//! line by line. The SDK would bring a second HTTP client, its own retries and its own look-up of credentials.

use std::time::Duration;

use data_encoding::HEXLOWER;
use domain::{Channel, Secret, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderName};
use reqwest::Request;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::gateway::{self, Answer, BadSetting, Calling, Gateway};
use super::{Finding, Probing, Provider, SendError, Sending};
use crate::message::OutgoingMessage;

/// Version of the API.
const VERSION: &str = "2010-03-31";

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// `delivery.sns.*` (contract 18.5).
#[derive(Debug, Clone)]
pub struct SnsSettings {
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: Secret,
    /// Of temporary credentials.
    pub session_token: Option<Secret>,
    /// The sender that recipients see, where their country allows one.
    pub sender_id: Option<String>,
    /// Another address than Amazon's own.
    pub base_url: Option<String>,
    pub calling: Calling,
}

/// Sends over Amazon SNS.
#[derive(Debug)]
pub struct SnsProvider {
    gateway: Gateway,
    settings: SnsSettings,
    url: Url,
}

impl SnsProvider {
    /// What SNS carries for us.
    pub const CHANNELS: &[Channel] = &[Channel::Sms];

    /// Checks the settings; nothing is called.
    pub fn new(settings: SnsSettings) -> Result<Self, BadSetting> {
        let region = gateway::needed("region", &settings.region)?;
        if !region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
            return Err(BadSetting::new("region", "a region is a word such as eu-central-1"));
        }
        gateway::needed("access_key_id", &settings.access_key_id)?;
        gateway::needed_secret("secret_access_key", &settings.secret_access_key)?;
        settings.session_token.as_ref().map_or(Ok(()), |token| gateway::needed_secret("session_token", token))?;
        if let Some(sender) = &settings.sender_id {
            gateway::needed("sender_id", sender)?;
        }
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let own = format!("https://sns.{region}.{domain}");
        let url = gateway::below(settings.base_url.as_deref().unwrap_or(&own), "/")?;
        Ok(Self { gateway: Gateway::new(settings.calling.clone())?, settings, url })
    }

    async fn message(&self, message: &OutgoingMessage) -> Result<(), SendError> {
        let answer = self.gateway.call(self.request(message, self.gateway.now())?).await?;
        let text = answer.text();
        if answer.status().is_success() {
            gateway::note_taken(self.name(), message, element(&text, "MessageId"));
            return Ok(());
        }
        gateway::note_fault(self.name(), message, &answer);
        Err(fault(&answer, &text, self.gateway.now()))
    }

    fn request(&self, message: &OutgoingMessage, now: Timestamp) -> Result<Request, SendError> {
        const KIND: &str = "AWS.SNS.SMS.SMSType";
        const SENDER: &str = "AWS.SNS.SMS.SenderID";
        let attributes = [(KIND, Some("Transactional")), (SENDER, self.settings.sender_id.as_deref())];
        let attributes: Vec<_> = attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let mut fields = vec![
            ("Action".to_owned(), "Publish"),
            ("Version".to_owned(), VERSION),
            ("PhoneNumber".to_owned(), &*message.content.to),
            ("Message".to_owned(), &*message.content.body),
        ];
        for (number, (name, value)) in (1..).zip(attributes) {
            let place = format!("MessageAttributes.entry.{number}");
            fields.push((format!("{place}.Name"), name));
            fields.push((format!("{place}.Value.DataType"), "String"));
            fields.push((format!("{place}.Value.StringValue"), value));
        }
        self.signed(gateway::form(fields.iter().map(|(name, value)| (name.as_str(), *value))), now)
    }

    /// A request with this body, signed as of now.
    fn signed(&self, body: String, now: Timestamp) -> Result<Request, SendError> {
        let date = date(now);
        let token = self.settings.session_token.as_ref().map(|token| String::from_utf8_lossy(token.expose()));
        let host = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
        let mut headers = vec![("content-type", gateway::FORM), ("host", host), ("x-amz-date", &date)];
        headers.extend(token.as_deref().map(|token| ("x-amz-security-token", token)));
        let signing = Signing {
            key_id: &self.settings.access_key_id,
            key: &self.settings.secret_access_key,
            region: &self.settings.region,
            service: "sns",
        };
        let signature = signing.authorization(self.url.path(), &headers, &body, &date);
        let mut request = gateway::request(Method::POST, self.url.clone(), gateway::FORM, body);
        gateway::add_secret(&mut request, AUTHORIZATION, &signature)?;
        gateway::add_secret(&mut request, AMZ_DATE, &date)?;
        if let Some(token) = token {
            gateway::add_secret(&mut request, SECURITY_TOKEN, &token)?;
        }
        Ok(request)
    }
}

/// Errors about our account, which do not depend on the recipient. They come with 403 (Amazon SNS API reference, "Common
/// errors").
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
];

/// What an answer that is no success means. SNS says with 400 that it is asked too often.
fn fault(answer: &Answer, text: &str, now: Timestamp) -> SendError {
    let code = element(text, "Code").unwrap_or_default();
    if code.starts_with("Throttl") {
        return SendError::Busy(None);
    }
    if DENIED.contains(&code) {
        return SendError::Denied;
    }
    let is_unreachable = || {
        let words = element(text, "Message").unwrap_or_default();
        code == "OptedOut"
            || words.contains("opted out")
            || (code.starts_with("InvalidParameter") && words.contains("PhoneNumber"))
    };
    answer.fault(now, is_unreachable)
}

/// The text of the first element with this name. SNS's answers have no attributes and nothing nested of one name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// A moment as signatures write it: `20150830T123600Z`.
fn date(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.unix_seconds()).unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// What signs requests: Signature Version 4 of Amazon.
struct Signing<'a> {
    key_id: &'a str,
    key: &'a Secret,
    region: &'a str,
    service: &'a str,
}

impl Signing<'_> {
    /// The header `Authorization` of a POST. The headers are sorted and in lower case; the path has no query and nothing
    /// to be encoded.
    fn authorization(&self, path: &str, headers: &[(&str, &str)], body: &str, date: &str) -> String {
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines =
            headers.iter().map(|(name, value)| format!("{name}:{}", value.trim())).collect::<Vec<_>>().join("\n");
        let request = format!("POST\n{path}\n\n{lines}\n\n{names}\n{}", HEXLOWER.encode(&Sha256::digest(body)));
        let day = date.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", HEXLOWER.encode(&Sha256::digest(request)));
        let first = [b"AWS4", self.key.expose()].concat();
        let parts = [day, self.region, self.service, "aws4_request", &to_sign];
        let signature = parts.iter().fold(first, |key, part| keyed(&key, part.as_bytes()));
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.key_id,
            HEXLOWER.encode(&signature)
        )
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    hmac.update(data);
    hmac.finalize().into_bytes().to_vec()
}

impl Provider for SnsProvider {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn channels(&self) -> &[Channel] {
        Self::CHANNELS
    }

    fn at_once(&self) -> usize {
        self.gateway.at_once()
    }

    fn timeout(&self) -> Duration {
        self.gateway.timeout()
    }

    fn caution(&self) -> Option<String> {
        gateway::caution(&self.url)
    }

    fn probe(&self) -> Probing<'_> {
        let body = gateway::form([("Action", "GetSMSAttributes"), ("Version", VERSION)]);
        Box::pin(self.gateway.probe(self.signed(body, self.gateway.now()), |answer| {
            // Credentials that may publish and nothing else are the best ones, and they cannot ask this.
            (element(&answer.text(), "Code") == Some("AuthorizationError")).then(|| {
                Finding::Skipped(
                    "the credentials are valid; they have no right to ask for more (GetSMSAttributes)".to_owned(),
                )
            })
        }))
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a> {
        Box::pin(self.message(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of Amazon's test suite of Signature Version 4.
    fn suite(key: &Secret) -> Signing<'_> {
        Signing { key_id: "AKIDEXAMPLE", key, region: "us-east-1", service: "service" }
    }

    /// The cases `post-vanilla` and `post-x-www-form-urlencoded` of the test suite.
    #[test]
    fn a_signature_is_the_one_of_the_test_suite() {
        let key = Secret::new(b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_vec());
        let date = date(Timestamp(1_440_938_160_000));
        assert_eq!(date, "20150830T123600Z");
        let host = ("host", "example.amazonaws.com");
        let dated = ("x-amz-date", date.as_str());
        assert_eq!(
            suite(&key).authorization("/", &[host, dated], "", &date),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
        let form = ("content-type", "application/x-www-form-urlencoded");
        assert_eq!(
            suite(&key).authorization("/", &[form, host, dated], "Param1=value1", &date),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
    }
}
