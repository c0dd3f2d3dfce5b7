//! Requests that are signed by Standard Webhooks 1.0, both ways: ours to a gateway that a file describes, and its receipts and
//! keyed digits to us (contract 18.3, 18.6 and 18.9). Pure: the caller brings the request, the key and the time.

use data_encoding::BASE64;
use domain::model::time::SECOND;
use domain::model::webhook;
use domain::{Channel, FactorResponse, KeyedDigits, Secret, Timestamp};
use hyper::header::{HeaderName, HeaderValue};
use reqwest::Request;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::signature::{self, CALL, Callback, KeyedCall, Mark, Receipt, Refusal};

const ID: &str = "webhook-id";
const TIME: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// The key in its written form: `whsec_` and the Base64 of 24 to 64 bytes. Nothing if it is something else.
pub(super) fn key(written: &Secret) -> Option<Secret> {
    let text = std::str::from_utf8(written.expose()).ok()?;
    let key = BASE64.decode(text.strip_prefix("whsec_")?.as_bytes()).ok()?;
    (24..=64).contains(&key.len()).then(|| Secret::new(key))
}

/// Signs a request. The id is the message's, the same at each try.
pub(super) fn sign(request: &mut Request, key: &Secret, id: &str, now: Timestamp) -> Option<()> {
    let seconds = now.unix_seconds();
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let signature = webhook::sign(key, id, seconds, body);
    for (name, value) in [(ID, id.to_owned()), (TIME, seconds.to_string()), (SIGNATURE, signature)] {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::try_from(value).ok()?);
    }
    Some(())
}

/// What a gateway says became of a message.
#[derive(Deserialize)]
struct ReceiptBody {
    status: String,
    to: String,
    /// Our reference, as we gave it.
    id: String,
}

/// What a person keyed into a call. Without `digits`, no key was pressed.
#[derive(Deserialize)]
struct Keyed {
    to: String,
    digits: Option<String>,
}

/// Checks a receipt. The words for what became of it are those of calls or of text messages.
pub(super) fn receipt(key: &Secret, callback: &Callback<'_>, now: Timestamp) -> Result<Receipt, Refusal> {
    let (id, sent_at) = checked(key, callback, now)?;
    let said: ReceiptBody = serde_json::from_slice(callback.body).map_err(|_| Refusal::NotUnderstood)?;
    let (channel, delivered) = match said.status.as_str() {
        "completed" => (Channel::Voice, Some(true)),
        "busy" | "no-answer" | "failed" | "canceled" => (Channel::Voice, Some(false)),
        "delivered" => (Channel::Sms, Some(true)),
        "undelivered" => (Channel::Sms, Some(false)),
        _ => (Channel::Voice, None),
    };
    let queued_at = signature::counted(Some(&said.id), now);
    // A receipt that is sent again has the same id and a new time. Ids of two gateways may be the same, so the key is a part of it.
    let mark = Mark::of(webhook::sign(key, id, 0, b"").as_bytes());
    let oldest = sent_at.plus(signature::OLDEST);
    let until = queued_at.map_or(oldest, |at| at.plus(signature::COUNTED).max(oldest));
    Ok(Receipt { channel, delivered, to: said.to, counts: queued_at.is_some(), mark, until })
}

/// Checks keyed digits. The address is not signed, so the verification in it is only as good as the number that was called:
/// that one is in the body (SEC 98).
pub(super) fn digits(key: &Secret, callback: &Callback<'_>, now: Timestamp) -> Result<KeyedCall, Refusal> {
    checked(key, callback, now)?;
    let Keyed { to, digits } = serde_json::from_slice(callback.body).map_err(|_| Refusal::NotUnderstood)?;
    let mut fields = url::form_urlencoded::parse(callback.query.unwrap_or_default().as_bytes());
    let call = fields.find(|(name, _)| name == CALL).and_then(|(_, id)| id.parse().ok());
    let verification = call.ok_or(Refusal::NotUnderstood)?;
    let digits = FactorResponse::typed(&digits.unwrap_or_default());
    Ok(KeyedCall { verification, keyed: KeyedDigits { to: format!("+{}", to.trim_start_matches('+')), digits } })
}

/// The id of a request with a right signature of a fitting time, and this time.
fn checked<'a>(key: &Secret, callback: &Callback<'a>, now: Timestamp) -> Result<(&'a str, Timestamp), Refusal> {
    let id = callback.header(ID).filter(|id| !id.is_empty()).ok_or(Refusal::Unsigned)?;
    let seconds: i64 = callback.header(TIME).and_then(|text| text.parse().ok()).ok_or(Refusal::Unsigned)?;
    let sent_at = Timestamp(seconds.saturating_mul(SECOND));
    let right = webhook::sign(key, id, seconds, callback.body);
    // While a key is exchanged for another, there is one signature for each.
    let mut signatures = callback.header(SIGNATURE).unwrap_or_default().split(' ');
    let is_signed = signatures.any(|signature| bool::from(signature.as_bytes().ct_eq(right.as_bytes())));
    if is_signed && signature::is_timely(sent_at, now) { Ok((id, sent_at)) } else { Err(Refusal::Unsigned) }
}

#[cfg(test)]
mod tests {
    use domain::model::time::{HOUR, MINUTE};
    use hyper::HeaderMap;

    use super::*;

    /// 30 August 2015, 12:36:00 UTC.
    const NOW: Timestamp = Timestamp(1_440_938_160_000);
    const CALLED: &str = "call=11111111-2222-4333-8444-555555555555";

    fn secret() -> Secret {
        key(&Secret::new(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_vec())).unwrap()
    }

    fn headers(values: [(&str, &str); 3]) -> HeaderMap {
        values.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    /// A request that was signed so long ago, in milliseconds.
    fn signed(id: &str, age: i64, body: &str) -> HeaderMap {
        let seconds = NOW.plus(-age).unix_seconds();
        let signature = format!("v1,AAAA {}", webhook::sign(&secret(), id, seconds, body.as_bytes()));
        headers([(ID, id), (TIME, &seconds.to_string()), (SIGNATURE, &signature)])
    }

    fn keyed(headers: &HeaderMap, query: &str, body: &str) -> Result<KeyedCall, Refusal> {
        digits(&secret(), &Callback { headers, query: Some(query), body: body.as_bytes() }, NOW)
    }

    fn received(headers: &HeaderMap, body: &str) -> Result<Receipt, Refusal> {
        receipt(&secret(), &Callback { headers, query: None, body: body.as_bytes() }, NOW)
    }

    /// The example of the specification.
    #[test]
    fn a_request_is_signed_as_the_specification_says() {
        let body = r#"{"test": 2432232314}"#;
        let mut request = Request::new(hyper::Method::POST, "https://exchange.example/".parse().unwrap());
        *request.body_mut() = Some(body.into());
        sign(&mut request, &secret(), "msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp(1_614_265_330_000)).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!((header(ID), header(TIME)), ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"));
        assert_eq!(header(SIGNATURE), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_has_its_prefix_and_24_to_64_bytes() {
        let of = |length| key(&Secret::new(format!("whsec_{}", BASE64.encode(&vec![7; length])).into_bytes()));
        assert_eq!([23, 24, 64, 65].map(|length| of(length).is_some()), [false, true, true, false]);
        for other in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"] {
            assert!(key(&Secret::new(other.as_bytes().to_vec())).is_none(), "{other}");
        }
    }

    #[test]
    fn digits_of_an_exchange_name_their_verification_and_the_number_that_was_called() {
        for (body, digits) in [
            (r#"{"to": "+14155550123", "digits": "012345"}"#, FactorResponse::typed("012345")),
            (r#"{"to": "14155550123", "digits": null, "more": 1}"#, FactorResponse::typed("")),
            (r#"{"to": "+14155550123"}"#, FactorResponse::typed("")),
        ] {
            let call = keyed(&signed("1", 0, body), CALLED, body).unwrap();
            assert_eq!(call.verification, "11111111-2222-4333-8444-555555555555".parse().unwrap());
            assert_eq!(call.keyed, KeyedDigits { to: "+14155550123".to_owned(), digits }, "{body}");
        }
        for (query, body) in [
            (CALLED, r#"{"digits": "012345"}"#),
            (CALLED, r#"{"to": "+1", "digits": 12345}"#),
            (CALLED, "[]"),
            ("call=1", r#"{"to": "+1"}"#),
            ("", r#"{"to": "+1"}"#),
        ] {
            assert_eq!(keyed(&signed("1", 0, body), query, body), Err(Refusal::NotUnderstood), "{query} {body}");
        }
    }

    #[test]
    fn only_what_is_signed_by_the_key_for_this_time_and_body_is_taken() {
        let body = r#"{"to": "+14155550123", "digits": "012345"}"#;
        let with = |name: &'static str, value: &str| {
            let mut headers = signed("1", 0, body);
            headers.insert(name, value.parse().unwrap());
            headers
        };
        let twice = {
            let mut headers = signed("1", 0, body);
            headers.append(SIGNATURE, "v1,x".parse().unwrap());
            headers
        };
        let seconds = NOW.unix_seconds();
        let other = webhook::sign(&Secret::new(vec![7; 32]), "1", seconds, body.as_bytes());
        for (what, headers) in [
            ("nothing", HeaderMap::new()),
            ("another id", with(ID, "2")),
            ("no id", with(ID, "")),
            ("another time", with(TIME, &(seconds - 1).to_string())),
            ("no time", with(TIME, "now")),
            ("another key", with(SIGNATURE, &other)),
            ("no version", with(SIGNATURE, other.trim_start_matches("v1,"))),
            ("no signature", with(SIGNATURE, "")),
            ("two headers", twice),
            ("another body", signed("1", 0, "{}")),
            ("too old", signed("1", 5 * MINUTE, body)),
            ("too early", signed("1", -61_000, body)),
        ] {
            assert_eq!(keyed(&headers, CALLED, body), Err(Refusal::Unsigned), "{what}");
        }
        for age in [5 * MINUTE - 1_000, 0, -MINUTE] {
            assert!(keyed(&signed("1", age, body), CALLED, body).is_ok(), "{age}");
        }
    }

    #[test]
    fn a_receipt_is_told_by_its_id_and_remembered_as_long_as_it_could_count() {
        let body = |status: &str| format!(r#"{{"id": "4711-{}", "status": "{status}", "to": "+14155550123"}}"#, NOW.0);
        for (status, channel, delivered) in [
            ("completed", Channel::Voice, Some(true)),
            ("no-answer", Channel::Voice, Some(false)),
            ("delivered", Channel::Sms, Some(true)),
            ("undelivered", Channel::Sms, Some(false)),
            ("ringing", Channel::Voice, None),
        ] {
            let body = body(status);
            let receipt = received(&signed("1", 0, &body), &body).unwrap();
            assert_eq!((receipt.channel, receipt.delivered, receipt.counts), (channel, delivered, true), "{status}");
            assert_eq!((receipt.to.as_str(), receipt.until), ("+14155550123", NOW.plus(HOUR)));
        }
        let body = body("completed");
        let mark = |id, age| received(&signed(id, age, &body), &body).unwrap().mark;
        assert_eq!(mark("1", 0), mark("1", MINUTE), "it is sent again");
        assert_ne!(mark("1", 0), mark("2", 0));
        for strange in [r#"{"id": "x", "status": "completed", "to": "+1"}"#, &body.replace(&NOW.0.to_string(), "1")] {
            assert!(!received(&signed("1", 0, strange), strange).unwrap().counts, "{strange}");
        }
        assert_eq!(received(&signed("1", 0, "{}"), "{}"), Err(Refusal::NotUnderstood));
    }
}
