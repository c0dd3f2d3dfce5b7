//! Whether a receipt comes from the provider that it names (contract 18.3). Pure: the caller brings the request, the secret
//! and the time, and answers by what these functions say.

use std::borrow::Cow;
use std::collections::BTreeSet;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use domain::model::time::{HOUR, MINUTE, SECOND};
use domain::{Channel, FactorResponse, KeyedDigits, Secret, Timestamp, VerificationId};
use hmac::{Hmac, KeyInit, Mac as _};
use hyper::HeaderMap;
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::message::OutgoingMessage;

/// Greatest age of a signed time, in milliseconds. A receipt without a time is remembered at least as long.
pub(super) const OLDEST: i64 = 5 * MINUTE;
/// How far a provider's clock may be ahead of ours, in milliseconds.
const AHEAD: i64 = MINUTE;
/// How long after its message was queued a receipt counts, in milliseconds. Signatures of Twilio never expire, so one is
/// remembered until then.
pub(super) const COUNTED: i64 = HOUR;
/// The field of a callback's query that holds [`OutgoingMessage::key`].
pub(crate) const REFERENCE: &str = "message";
/// The field of a callback's query that holds the verification whose call it is about.
pub(crate) const CALL: &str = "call";

/// A request of a provider: a receipt, or keyed digits.
#[derive(Clone, Copy)]
pub struct Callback<'a> {
    pub headers: &'a HeaderMap,
    /// The part of its target after `?`.
    pub query: Option<&'a str>,
    pub body: &'a [u8],
}

impl<'a> Callback<'a> {
    /// The value of a header that came once, as text.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }
}

/// What a provider says became of a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    /// How the message went: as a text message or as a call.
    pub channel: Channel,
    /// Whether it reached the recipient, or somebody or something answered the call; nothing while that is open.
    pub delivered: Option<bool>,
    /// The recipient's number, as the provider writes it.
    pub to: String,
    /// Whether it counts: it is about a message of ours that was queued in the last hour.
    pub counts: bool,
    /// What tells this receipt from every other.
    pub mark: Mark,
    /// Until when the same receipt must not be taken again.
    pub until: Timestamp,
}

/// Fields of a receipt at most. Twilio sends about twenty; they are sorted before the signature can be checked.
const FIELDS: usize = 100;

/// What tells one signed receipt from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark([u8; 16]);

impl Mark {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        Self(std::array::from_fn(|n| digest[n]))
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt").field("delivered", &self.delivered).finish_non_exhaustive()
    }
}

/// What a person keyed into a call, and which call it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedCall {
    /// The verification that the call asked to answer.
    pub verification: VerificationId,
    /// The digits, absent if no key was pressed.
    pub keyed: KeyedDigits,
}

/// Why a receipt, or digits, are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 403: it has no signature, a wrong one, or one of another time.
    #[error("the receipt is not signed as its provider signs")]
    Unsigned,
    /// 400: it is signed, and says nothing that we know.
    #[error("the receipt is signed, and not understood")]
    NotUnderstood,
}

/// Checks a receipt of Twilio: `X-Twilio-Signature` is the Base64 of HMAC-SHA-1 over the callback's URL and the sorted form
/// fields, name and value run together. It has no time in it, so the URL that we give names the message and when it was queued.
pub fn twilio(
    auth_token: &Secret,
    url: &Url,
    signature: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<Receipt, Refusal> {
    let signed = TwilioForm::checked(auth_token, url, signature, body)?;
    let (channel, status) = match (signed.field("MessageStatus"), signed.field("CallStatus")) {
        (Some(status), _) => (Channel::Sms, status),
        (None, Some(status)) => (Channel::Voice, status),
        (None, None) => return Err(Refusal::NotUnderstood),
    };
    let to = signed.field("To").ok_or(Refusal::NotUnderstood)?;
    let delivered = match (channel, status) {
        (Channel::Sms, "delivered") | (Channel::Voice, "completed") => Some(true),
        (Channel::Sms, "undelivered" | "failed") | (Channel::Voice, "busy" | "no-answer" | "failed" | "canceled") => {
            Some(false)
        }
        _ => None,
    };
    let reference = url.query_pairs().find(|(name, _)| name == REFERENCE).map(|(_, key)| key);
    let queued_at = counted(reference.as_deref(), now);
    let until = queued_at.map_or(now.plus(OLDEST), |at| at.plus(COUNTED).max(now.plus(OLDEST)));
    Ok(Receipt { channel, delivered, to: to.to_owned(), counts: queued_at.is_some(), mark: signed.mark, until })
}

/// Checks digits that Twilio brings, signed as its receipts are. The URL that we gave names the verification.
pub fn twilio_digits(
    auth_token: &Secret,
    url: &Url,
    signature: Option<&str>,
    body: &[u8],
) -> Result<KeyedCall, Refusal> {
    let signed = TwilioForm::checked(auth_token, url, signature, body)?;
    let call = url.query_pairs().find(|(name, _)| name == CALL).and_then(|(_, id)| id.parse().ok());
    let (verification, to) = call.zip(signed.field("To")).ok_or(Refusal::NotUnderstood)?;
    let digits = FactorResponse::typed(signed.field("Digits").unwrap_or_default());
    Ok(KeyedCall { verification, keyed: KeyedDigits { to: to.to_owned(), digits } })
}

/// The fields of a form of Twilio whose signature is right.
struct TwilioForm<'a> {
    fields: BTreeSet<(Cow<'a, str>, Cow<'a, str>)>,
    mark: Mark,
}

impl<'a> TwilioForm<'a> {
    fn checked(auth_token: &Secret, url: &Url, signature: Option<&str>, body: &'a [u8]) -> Result<Self, Refusal> {
        let signature = signature.and_then(|text| BASE64.decode(text.as_bytes()).ok()).ok_or(Refusal::Unsigned)?;
        // Twice the same field counts once, as for Twilio's own validators.
        let fields: BTreeSet<_> = url::form_urlencoded::parse(body).take(FIELDS + 1).collect();
        if fields.len() > FIELDS {
            return Err(Refusal::Unsigned);
        }
        let is_right = spellings(url).iter().any(|url| {
            let mut hmac = keyed::<Hmac<Sha1>>(auth_token);
            hmac.update(url.as_bytes());
            for (name, value) in &fields {
                hmac.update(name.as_bytes());
                hmac.update(value.as_bytes());
            }
            hmac.verify_slice(&signature).is_ok()
        });
        if !is_right {
            return Err(Refusal::Unsigned);
        }
        Ok(Self { fields, mark: Mark::of(&signature) })
    }

    fn field(&self, wanted: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_ref())
    }
}

/// When the message was queued that a receipt refers to, if it is one of ours from the last hour.
pub(super) fn counted(reference: Option<&str>, now: Timestamp) -> Option<Timestamp> {
    let queued_at = reference.and_then(OutgoingMessage::queued_at)?;
    (queued_at.plus(COUNTED) > now && queued_at <= now.plus(AHEAD)).then_some(queued_at)
}

/// The URL as we gave it, and with the port of its scheme written out: which of both Twilio signs differs among its
/// systems, says its documentation.
fn spellings(url: &Url) -> Vec<String> {
    let given = url.as_str().to_owned();
    let (before, after) = (&url[..url::Position::AfterHost], &url[url::Position::BeforePath..]);
    match (url.port(), url.port_or_known_default()) {
        (None, Some(port)) => vec![given, format!("{before}:{port}{after}")],
        (Some(_), _) => vec![given, format!("{before}{after}")],
        (None, None) => vec![given],
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    iat: i64,
    jti: String,
    payload_hash: String,
}

#[derive(Deserialize)]
struct VonageStatus {
    status: String,
    to: String,
    client_ref: Option<String>,
    /// Only what is said of a call has it.
    conversation_uuid: Option<String>,
}

/// What Vonage sends after keys were pressed, or none. In an older form, `dtmf` is a text and no number is named: it is not
/// understood.
#[derive(Deserialize)]
struct VonageInput {
    to: String,
    dtmf: VonageKeys,
}

#[derive(Deserialize)]
struct VonageKeys {
    digits: Option<String>,
}

/// Checks a receipt of Vonage: the bearer token is a JWT (RFC 7519) with HS256, whose claims name Vonage, the time and the
/// digest of the body.
pub fn vonage(
    signature_secret: &Secret,
    authorization: Option<&str>,
    query: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<Receipt, Refusal> {
    let (claims, issued_at) = checked(signature_secret, authorization, body, now)?;
    let said: VonageStatus = serde_json::from_slice(body).map_err(|_| Refusal::NotUnderstood)?;
    let VonageStatus { status, to, client_ref, conversation_uuid } = said;
    let channel = if conversation_uuid.is_some() { Channel::Voice } else { Channel::Sms };
    let delivered = match (channel, status.as_str()) {
        (Channel::Sms, "delivered") | (Channel::Voice, "completed") => Some(true),
        (Channel::Sms, "undeliverable" | "rejected")
        | (Channel::Voice, "busy" | "timeout" | "failed" | "rejected" | "unanswered" | "cancelled") => Some(false),
        _ => None,
    };
    // A call has no field for our reference, so it is in the address that we gave.
    let mut fields = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let reference = match channel {
        Channel::Voice => fields.find(|(name, _)| name == REFERENCE).map(|(_, key)| key.into_owned()),
        _ => client_ref,
    };
    let counts = counted(reference.as_deref(), now).is_some();
    Ok(Receipt { channel, delivered, to, counts, mark: Mark::of(claims.jti.as_bytes()), until: issued_at.plus(OLDEST) })
}

/// Checks digits that Vonage brings, signed as its receipts are. Its signature does not cover the URL, so `query`, which names
/// the verification, is only as good as the number that was called: that one is in the body (SEC 98).
pub fn vonage_digits(
    signature_secret: &Secret,
    authorization: Option<&str>,
    query: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<KeyedCall, Refusal> {
    checked(signature_secret, authorization, body, now)?;
    let VonageInput { to, dtmf } = serde_json::from_slice(body).map_err(|_| Refusal::NotUnderstood)?;
    let mut fields = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let call = fields.find(|(name, _)| name == CALL).and_then(|(_, id)| id.parse().ok());
    let verification = call.ok_or(Refusal::NotUnderstood)?;
    let digits = FactorResponse::typed(&dtmf.digits.unwrap_or_default());
    Ok(KeyedCall { verification, keyed: KeyedDigits { to: format!("+{}", to.trim_start_matches('+')), digits } })
}

/// Whether a signed time is neither too old nor too far ahead.
pub(super) fn is_timely(signed_at: Timestamp, now: Timestamp) -> bool {
    signed_at.plus(OLDEST) > now && signed_at <= now.plus(AHEAD)
}

/// The claims of a token of Vonage for this body, and when it was issued.
fn checked(
    secret: &Secret,
    authorization: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(Claims, Timestamp), Refusal> {
    let claims = authorization.and_then(|value| claims(secret, value)).ok_or(Refusal::Unsigned)?;
    let issued_at = Timestamp(claims.iat.saturating_mul(SECOND));
    let is_timely = is_timely(issued_at, now);
    let digest = HEXLOWER.encode(&Sha256::digest(body));
    let is_of_body = bool::from(digest.as_bytes().ct_eq(claims.payload_hash.as_bytes()));
    let is_right = claims.iss == "Vonage" && !claims.jti.is_empty() && is_timely && is_of_body;
    if is_right { Ok((claims, issued_at)) } else { Err(Refusal::Unsigned) }
}

/// The claims of a token with a right signature. No other algorithm than HS256 is known here, whatever the token asks for.
fn claims(secret: &Secret, authorization: &str) -> Option<Claims> {
    let (scheme, token) = authorization.split_once(' ')?;
    let (signed, signature) = token.trim().rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
    let mut hmac = keyed::<Hmac<Sha256>>(secret);
    hmac.update(signed.as_bytes());
    hmac.verify_slice(&decoded(signature)?).ok()?;
    let header: Header = serde_json::from_slice(&decoded(header)?).ok()?;
    let is_known = scheme.eq_ignore_ascii_case("bearer") && header.alg == "HS256";
    is_known.then(|| serde_json::from_slice(&decoded(claims)?).ok()).flatten()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed<H: KeyInit>(secret: &Secret) -> H {
    H::new_from_slice(secret.expose()).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 August 2015, 12:36:00 UTC, the time in the tokens below.
    const NOW: Timestamp = Timestamp(1_440_938_160_000);

    const CALLBACK: &str = "https://mfa.example.com/callbacks/twilio/status";
    const FORM: &str = "MessageSid=SM00000000000000000000000000000001&MessageStatus=delivered&To=%2B15005550006\
                        &From=%2B15005550001&AccountSid=AC00000000000000000000000000000001&ApiVersion=2010-04-01";
    /// Of the callback and the form, made by `RequestValidator` of the package `twilio` 9.13 (Python).
    const SIGNATURE: &str = "0ItGSvrOtFJGyMcPCegFRpw2kIo=";

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    fn of_twilio(url: &str, signature: &str, body: &str) -> Result<Receipt, Refusal> {
        twilio(&secret("canary-secret"), &Url::parse(url).unwrap(), Some(signature), body.as_bytes(), NOW)
    }

    #[test]
    fn a_receipt_of_twilio_is_taken() {
        let receipt = of_twilio(CALLBACK, SIGNATURE, FORM).unwrap();
        assert_eq!((receipt.delivered, receipt.to.as_str()), (Some(true), "+15005550006"));
        assert_eq!(receipt.until, NOW.plus(OLDEST));
        assert!(!format!("{receipt:?}").contains("1500"));
    }

    /// Signatures by `RequestValidator` of the package `twilio` 9.13 (Python).
    #[test]
    fn fields_are_decoded_and_repeated_ones_count_once() {
        let form = FORM.replace("%2B15005550006", "%2B1+500+%C3%A9%26%3D%C3%BC") + "&Empty=";
        assert_eq!(of_twilio(CALLBACK, "SYF61weg8Bz2DZ9xWcvbMPAJ2ik=", &form).unwrap().to, "+1 500 é&=ü");
        let repeated = "a=2&a=1&MessageStatus=sent&To=%2B1&a=1";
        let receipt = of_twilio(CALLBACK, "+yDBW88q7Aqlvu0Cqpamzs2/UB8=", repeated).unwrap();
        assert_eq!(receipt.delivered, None);
    }

    /// The example of Twilio's documentation on the security of webhooks. It is a call's, so it is signed and means nothing.
    #[test]
    fn the_example_of_the_documentation_is_signed() {
        let url = Url::parse("https://mycompany.com/myapp.php?foo=1&bar=2").unwrap();
        let form = "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
        let check = |signature| twilio(&secret("12345"), &url, Some(signature), form.as_bytes(), NOW).unwrap_err();
        assert_eq!(check("RSOYDt4T1cUTdK1PDd93/VVr8B8="), Refusal::NotUnderstood);
        assert_eq!(check("GvWf1cFY/Q7PnoempGyD5oXAezc="), Refusal::Unsigned);
    }

    const DIGITS: &str = "https://mfa.example.com/callbacks/twilio/digits";
    const ASKED: &str = "11111111-2222-4333-8444-555555555555";

    fn digits(query: &str, fields: &[(&str, &str)]) -> Result<KeyedCall, Refusal> {
        let url = Url::parse(&format!("{DIGITS}?{query}")).unwrap();
        let mut hmac = keyed::<Hmac<Sha1>>(&secret("token"));
        hmac.update(url.as_str().as_bytes());
        let sorted: BTreeSet<_> = fields.iter().collect();
        for (name, value) in sorted {
            hmac.update(format!("{name}{value}").as_bytes());
        }
        let signature = BASE64.encode(&hmac.finalize().into_bytes());
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        twilio_digits(&secret("token"), &url, Some(&signature), body.as_bytes())
    }

    #[test]
    fn digits_of_twilio_name_their_verification_and_the_number_that_was_called() {
        let fields = [("CallSid", "CA1"), ("Digits", "042137"), ("To", "+14155550123")];
        let call = digits(&format!("call={ASKED}"), &fields).unwrap();
        assert_eq!((call.verification.to_string().as_str(), call.keyed.to.as_str()), (ASKED, "+14155550123"));
        assert_eq!(call.keyed.digits, FactorResponse::typed("042137"));
        assert!(!format!("{call:?}").contains("042137") && !format!("{call:?}").contains("1415"));
        let silent =
            digits(&format!("call={ASKED}"), &fields[..1].iter().chain(&fields[2..]).copied().collect::<Vec<_>>());
        assert!(silent.unwrap().keyed.digits.is_absent());
        for query in
            ["", "call=", "call=x", "message=1", &format!("call={}", &ASKED[1..]), &format!("call={ASKED}CallSidCA1")]
        {
            assert_eq!(digits(query, &fields), Err(Refusal::NotUnderstood), "{query}");
        }
        assert_eq!(digits(&format!("call={ASKED}"), &fields[..2]), Err(Refusal::NotUnderstood));
        let url = Url::parse(&format!("{DIGITS}?call={ASKED}")).unwrap();
        assert_eq!(twilio_digits(&secret("token"), &url, None, b"Digits=1&To=%2B1"), Err(Refusal::Unsigned));
        assert_eq!(twilio_digits(&secret("token"), &url, Some("AAAA"), b"Digits=1&To=%2B1"), Err(Refusal::Unsigned));
    }

    #[test]
    fn whatever_differs_from_what_twilio_signed_is_refused() {
        for (url, signature, body) in [
            ("https://mfa.example.com/callbacks/twilio/other", SIGNATURE, FORM),
            ("https://mfa.example.com:444/callbacks/twilio/status", "", FORM),
            (CALLBACK, "", FORM),
            (CALLBACK, "not base64", FORM),
            (CALLBACK, "AAAA", FORM),
            (CALLBACK, SIGNATURE, "MessageStatus=delivered&To=%2B15005550006"),
            (CALLBACK, SIGNATURE, ""),
        ] {
            assert_eq!(of_twilio(url, signature, body).unwrap_err(), Refusal::Unsigned, "{url} {signature} {body}");
        }
        let url = Url::parse(CALLBACK).unwrap();
        let absent = twilio(&secret("canary-secret"), &url, None, FORM.as_bytes(), NOW);
        assert_eq!(absent.unwrap_err(), Refusal::Unsigned);
        let other = twilio(&secret("another"), &url, Some(SIGNATURE), FORM.as_bytes(), NOW);
        assert_eq!(other.unwrap_err(), Refusal::Unsigned);
    }

    #[test]
    fn twilio_may_sign_with_or_without_the_port() {
        let spelled = |url: &str| spellings(&Url::parse(url).unwrap());
        assert_eq!(spelled("https://a.example/x?y"), ["https://a.example/x?y", "https://a.example:443/x?y"]);
        assert_eq!(spelled("https://a.example:8443/x"), ["https://a.example:8443/x", "https://a.example/x"]);
    }

    const BODY: &str = r#"{"message_uuid":"aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab","to":"15005550006","from":"15005550001","timestamp":"2015-08-30T12:36:00Z","status":"delivered","client_ref":"4711"}"#;
    /// Claims: `iat` [`NOW`], `jti`, `iss` Vonage, `payload_hash` of [`BODY`]. Made by `PyJWT` 2.15, as the tokens below.
    const TOKEN: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE0NDA5MzgxNjAsImp0aSI6IjExMTExMTExLTIyMjItNDMzMy04NDQ0LTU1NTU1NTU1NTU1NSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjcxZTY2MmJjODk2YzViYjZmNzY0NTc0YTc0OGI2MTc2MmRkMzY4MWViYmEyZDI2ZDI1YmFkN2M2OTlmNjBjYWUiLCJhcGlfa2V5Ijoia2V5IiwiYXBwbGljYXRpb25faWQiOiJhcHAifQ.Ek5n2lWA6D_njXtpZs-hoDMIAxjq_z8Q1p1r_sDqhRo";
    /// With `iss` Other.
    const OTHER_ISSUER: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE0NDA5MzgxNjAsImp0aSI6IjExMTExMTExLTIyMjItNDMzMy04NDQ0LTU1NTU1NTU1NTU1NSIsImlzcyI6Ik90aGVyIiwicGF5bG9hZF9oYXNoIjoiNzFlNjYyYmM4OTZjNWJiNmY3NjQ1NzRhNzQ4YjYxNzYyZGQzNjgxZWJiYTJkMjZkMjViYWQ3YzY5OWY2MGNhZSIsImFwaV9rZXkiOiJrZXkiLCJhcHBsaWNhdGlvbl9pZCI6ImFwcCJ9.IZgDYlyHt57BREd48l3-d6ICvkBEvhNEIxm6FQ8DnH8";
    /// The same claims as [`TOKEN`], signed with HS512.
    const HS512: &str = "Bearer eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE0NDA5MzgxNjAsImp0aSI6IjExMTExMTExLTIyMjItNDMzMy04NDQ0LTU1NTU1NTU1NTU1NSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjcxZTY2MmJjODk2YzViYjZmNzY0NTc0YTc0OGI2MTc2MmRkMzY4MWViYmEyZDI2ZDI1YmFkN2M2OTlmNjBjYWUiLCJhcGlfa2V5Ijoia2V5IiwiYXBwbGljYXRpb25faWQiOiJhcHAifQ.qJuRlHzT4NkpBgFH00OT0aHHSC_1UlCpRgUIryFAfob8eJgoMTTqOHuo0Biph1o6Tjw-aHtY--OvFK039SQWKw";
    /// Not signed at all.
    const NONE: &str = "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpYXQiOjE0NDA5MzgxNjAsImp0aSI6IjExMTExMTExLTIyMjItNDMzMy04NDQ0LTU1NTU1NTU1NTU1NSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjcxZTY2MmJjODk2YzViYjZmNzY0NTc0YTc0OGI2MTc2MmRkMzY4MWViYmEyZDI2ZDI1YmFkN2M2OTlmNjBjYWUiLCJhcGlfa2V5Ijoia2V5IiwiYXBwbGljYXRpb25faWQiOiJhcHAifQ.";
    /// The same claims without `jti`, so that a receipt could be shown twice.
    const NO_ID: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE0NDA5MzgxNjAsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjcxZTY2MmJjODk2YzViYjZmNzY0NTc0YTc0OGI2MTc2MmRkMzY4MWViYmEyZDI2ZDI1YmFkN2M2OTlmNjBjYWUiLCJhcGlfa2V5Ijoia2V5IiwiYXBwbGljYXRpb25faWQiOiJhcHAifQ.GDvTOz8TD1VpVk176LuiJ_DbRDchkxazB8mjiqXlGAk";

    fn of_vonage(authorization: &str, body: &str, now: Timestamp) -> Result<Receipt, Refusal> {
        vonage(&secret("canary-signature-secret"), Some(authorization), None, body.as_bytes(), now)
    }

    #[test]
    fn a_receipt_of_vonage_is_taken() {
        let receipt = of_vonage(TOKEN, BODY, NOW).unwrap();
        assert_eq!((receipt.delivered, receipt.to.as_str()), (Some(true), "15005550006"));
    }

    #[test]
    fn what_became_of_a_call_is_about_its_channel() {
        let reference = format!("message=4711-{}", NOW.0);
        let said = |status: &str| {
            let body = format!(r#"{{"status":"{status}","to":"14155550123","uuid":"a","conversation_uuid":"b"}}"#);
            let token = token(&body);
            let secret = secret("canary-signature-secret");
            vonage(&secret, Some(&token), Some(&reference), body.as_bytes(), NOW).unwrap()
        };
        for (status, delivered) in
            [("completed", Some(true)), ("unanswered", Some(false)), ("rejected", Some(false)), ("ringing", None)]
        {
            let receipt = said(status);
            assert_eq!((receipt.channel, receipt.delivered, receipt.counts), (Channel::Voice, delivered, true));
        }
    }

    #[test]
    fn a_receipt_of_vonage_is_taken_for_five_minutes_and_one_before() {
        for (seconds, taken) in [(-61, false), (-60, true), (0, true), (299, true), (300, false)] {
            assert_eq!(of_vonage(TOKEN, BODY, NOW.plus(seconds * SECOND)).is_ok(), taken, "{seconds}");
        }
    }

    /// A token for this body, as [`TOKEN`] is one for [`BODY`].
    fn token(body: &str) -> String {
        let claims = serde_json::json!({
            "iat": NOW.0 / SECOND, "jti": "1", "iss": "Vonage", "payload_hash": HEXLOWER.encode(&Sha256::digest(body)),
        });
        let part = |json: serde_json::Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let signed = format!("{}.{}", part(serde_json::json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
        let mut hmac = keyed::<Hmac<Sha256>>(&secret("canary-signature-secret"));
        hmac.update(signed.as_bytes());
        format!("Bearer {signed}.{}", BASE64URL_NOPAD.encode(&hmac.finalize().into_bytes()))
    }

    #[test]
    fn digits_of_vonage_name_their_verification_and_the_number_that_was_called() {
        let taken = |query: &str, signed: &str, body: &str| {
            vonage_digits(&secret("canary-signature-secret"), Some(&token(signed)), Some(query), body.as_bytes(), NOW)
        };
        let of = |query: &str, body: &str| taken(query, body, body);
        let query = format!("call={ASKED}");
        let body =
            r#"{"dtmf":{"digits":"042137","timed_out":false},"to":"14155550123","from":"15005550001","uuid":"a"}"#;
        let call = of(&query, body).unwrap();
        assert_eq!((call.verification.to_string().as_str(), call.keyed.to.as_str()), (ASKED, "+14155550123"));
        assert_eq!(call.keyed.digits, FactorResponse::typed("042137"));
        let silent = body.replace("042137", "");
        assert!(of(&query, &silent).unwrap().keyed.digits.is_absent());
        assert_eq!(taken(&query, body, &silent), Err(Refusal::Unsigned));
        let absent = vonage_digits(&secret("canary-signature-secret"), None, Some(&query), body.as_bytes(), NOW);
        assert_eq!(absent, Err(Refusal::Unsigned));
        // The form of 2018 names no number.
        for not_understood in [r#"{"dtmf":"042137","uuid":"a"}"#, r#"{"dtmf":{"digits":"1"}}"#, "[]"] {
            assert_eq!(of(&query, not_understood), Err(Refusal::NotUnderstood), "{not_understood}");
        }
        for query in ["", "call=x", "message=1"] {
            assert_eq!(of(query, body), Err(Refusal::NotUnderstood), "{query}");
        }
    }

    #[test]
    fn whatever_differs_from_what_vonage_signed_is_refused() {
        let altered = format!("{}A", &TOKEN[..TOKEN.len() - 1]);
        let other_scheme = TOKEN.replace("Bearer", "Basic");
        for authorization in
            [OTHER_ISSUER, HS512, NONE, NO_ID, &altered, &other_scheme, "", "Bearer", "Bearer x", "Bearer a.b.c"]
        {
            assert_eq!(of_vonage(authorization, BODY, NOW).unwrap_err(), Refusal::Unsigned, "{authorization}");
        }
        assert_eq!(of_vonage(TOKEN, "{}", NOW).unwrap_err(), Refusal::Unsigned);
        let absent = vonage(&secret("canary-signature-secret"), None, None, BODY.as_bytes(), NOW);
        assert_eq!(absent.unwrap_err(), Refusal::Unsigned);
        let other = vonage(&secret("another"), Some(TOKEN), None, BODY.as_bytes(), NOW);
        assert_eq!(other.unwrap_err(), Refusal::Unsigned);
    }
}
