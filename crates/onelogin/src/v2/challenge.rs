//! What enrolling and verifying have in common: the terms of a challenge, its state, and single results as objects or
//! arrays.

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::time::SECOND;
use domain::{ClientOptions, DeviceId, Status, UserId};
use engine::{Handle, MailRequest, MessageTemplate, VerificationState, minutes};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use crate::access::Access;
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::json;
use crate::wire::error::CommonError;
use crate::wire::lenient::Body;
use crate::wire::origin::listed;
use crate::wire::profile::CompatProfile;
use crate::wire::temp_token::token_device_id;

/// Default life of a registration or verification, in seconds.
const DEFAULT_LIFE: i64 = 120;
/// The same of one that is sent by mail, which takes its time, and is read elsewhere than where it was asked for.
const DEFAULT_MAIL_LIFE: i64 = 600;
/// Shortest life in seconds.
const MIN_LIFE: i64 = 120;
/// Longest life in seconds.
const MAX_LIFE: i64 = 900;
/// Longest address that a browser is sent to, in characters as it is sent.
const MAX_ADDRESS: usize = 2_000;

/// Where links may lead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkTargets<'a> {
    /// Whether mail can carry links at all.
    pub are_offered: bool,
    /// The listed origins.
    pub origins: &'a [String],
}

impl<'a> LinkTargets<'a> {
    pub(crate) fn of(dialect: &'a Dialect) -> Self {
        Self { are_offered: dialect.engine.offers_links(), origins: &dialect.options.redirect_origins }
    }

    /// The address to go on to, as it was parsed (SEC 66).
    fn listed(self, address: &str) -> Option<String> {
        let url = listed(address, self.origins).filter(|_| self.are_offered)?;
        (url.as_str().len() <= MAX_ADDRESS).then(|| url.into())
    }
}

/// How long a challenge lives, and what its message says.
#[derive(Debug)]
pub(crate) struct ChallengeTerms {
    /// Life in milliseconds.
    pub ttl: i64,
    /// The same of what is sent by mail.
    pub mail_ttl: i64,
    /// The caller's own text for an SMS.
    pub template: Option<MessageTemplate>,
    /// What a mail carries.
    pub mail: MailRequest,
}

impl ChallengeTerms {
    /// Reads `expires_in`, `custom_message` and `redirect_to`, which asks for a link and must be on a listed origin (SEC 66). It
    /// is judged whatever the device, and has an effect on mail only.
    pub(crate) fn read(body: &Body, targets: LinkTargets<'_>, options: &ClientOptions) -> Result<Self, Error> {
        let life = body.int("expires_in")?;
        if life.is_some_and(|life| !(MIN_LIFE..=MAX_LIFE).contains(&life)) {
            return Err(Error::invalid("expires_in"));
        }
        let mail = match body.filled("redirect_to")? {
            None => MailRequest::AsSet,
            Some(address) => {
                let redirect_to = targets.listed(&address).ok_or(Error::invalid("redirect_to"))?;
                MailRequest::Link { redirect_to }
            }
        };
        let ttl = life.unwrap_or(DEFAULT_LIFE) * SECOND;
        let mail_ttl = life.unwrap_or(DEFAULT_MAIL_LIFE) * SECOND;
        let host = options.webotp_host.as_ref();
        let template = body.filled("custom_message")?.map(|text| MessageTemplate::parse(&text, minutes(ttl), host));
        Ok(Self { ttl, mail_ttl, template: template.transpose()?, mail })
    }
}

/// The user of the path. A client with `Authentication Only` must be logging that user in (contract 7.5, 7.7).
pub(crate) async fn user_of<A>(dialect: &Dialect, access: &Access<A>, call: &ApiCall) -> Result<UserId, Error> {
    let user = call.user_id();
    if !access.in_log_in(dialect, user).await? {
        return Err(Error::Common(CommonError::ScopeTooSmall));
    }
    user.ok_or(Error::NotFound)
}

/// How a client of this profile refers to registrations and verifications.
pub(crate) fn handle(profile: CompatProfile) -> Handle {
    if profile == CompatProfile::NumericIds { Handle::Digits } else { Handle::Uuid }
}

/// The state of a registration or verification. Its members have the documented order (contract 7.3).
#[derive(Serialize, ToSchema)]
#[schema(as = Standing)]
pub(crate) struct StateWire {
    id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
}

impl StateWire {
    pub(crate) fn accepted(id: String, device: DeviceId) -> Self {
        Self { id, status: "accepted", device_id: Some(device.to_string()) }
    }

    /// Accepted by a temporary token of `user`: the device is the one that the token is listed as.
    pub(crate) fn accepted_by_token(id: String, user: UserId) -> Self {
        Self { id, status: "accepted", device_id: Some(token_device_id(user)) }
    }

    pub(crate) fn status(&self) -> &'static str {
        self.status
    }

    /// `None` if it is over. A registration has a device `only_when_accepted`.
    pub(crate) fn of(reading: VerificationState, only_when_accepted: bool) -> Option<Self> {
        let (status, told) = match reading.status {
            Status::Pending { .. } => ("pending", !only_when_accepted),
            Status::Accepted { .. } => ("accepted", true),
            Status::Rejected { .. } => ("rejected", !only_when_accepted),
            Status::Expired => return None,
        };
        Some(Self { id: reading.wire_id, status, device_id: told.then(|| reading.device.to_string()) })
    }
}

/// A single result: an object, or an array of one for clients written to the letter of the documentation's samples
/// (contract 14.3).
pub(crate) fn one(status: StatusCode, profile: CompatProfile, result: &impl Serialize) -> Response {
    if profile == CompatProfile::DocsLiteral { json(status, &[result]) } else { json(status, result) }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn read(text: &str) -> Result<ChallengeTerms, Error> {
        read_where(text, true)
    }

    fn read_where(text: &str, are_offered: bool) -> Result<ChallengeTerms, Error> {
        let targets = LinkTargets { are_offered, origins: &["https://app.example.com".to_owned()] };
        ChallengeTerms::read(&Body::parse(text.as_bytes()).unwrap(), targets, &ClientOptions::default())
    }

    fn is_invalid(text: &str, parameter: &str) -> bool {
        matches!(read(text), Err(Error::Invalid(named)) if named == parameter)
    }

    #[test]
    fn a_life_out_of_range_is_refused() {
        for (text, seconds, by_mail) in [
            ("{}", 120, 600),
            (r#"{"expires_in":null}"#, 120, 600),
            (r#"{"expires_in":"120"}"#, 120, 120),
            (r#"{"expires_in":900}"#, 900, 900),
        ] {
            let terms = read(text).unwrap();
            assert_eq!((terms.ttl, terms.mail_ttl), (seconds * SECOND, by_mail * SECOND), "{text}");
        }
        for text in ["119", "901", "-1", "\"0\"", "\"abc\"", "true", "[300]", "300.5"] {
            assert!(is_invalid(&format!(r#"{{"expires_in":{text}}}"#), "expires_in"), "{text}");
        }
    }

    #[test]
    fn a_redirect_leads_to_a_listed_origin() {
        let address = "https://app.example.com/done?a=b";
        let terms = read(&format!(r#"{{"redirect_to":"{address}"}}"#)).unwrap();
        assert_eq!(terms.mail, MailRequest::Link { redirect_to: address.to_owned() });
        let long = format!(r#"{{"redirect_to":"https://app.example.com/{}"}}"#, "\u{e9}".repeat(400));
        assert!(is_invalid(&long, "redirect_to"));
        let without = read_where(&format!(r#"{{"redirect_to":"{address}"}}"#), false);
        let is_refused = matches!(without, Err(Error::Invalid(named)) if named == "redirect_to");
        assert!(is_refused, "there is nothing that a link could begin with");
        for address in
            ["https://app.example.com.evil.example/", "https://a@app.example.com/", "http://app.example.com/", "/done"]
        {
            assert!(is_invalid(&format!(r#"{{"redirect_to":"{address}"}}"#), "redirect_to"), "{address}");
        }
        assert!(is_invalid(r#"{"redirect_to":"https://example.com/"}"#, "redirect_to"));
        assert!(is_invalid(r#"{"redirect_to":["https://example.com/"]}"#, "redirect_to"));
        assert!(read(r#"{"redirect_to":null}"#).is_ok());
    }

    #[test]
    fn a_template_needs_the_code_and_counts_its_length_with_it() {
        assert!(read(r#"{"custom_message":"{{otp_code}} for {{otp_expiry}} min"}"#).unwrap().template.is_some());
        assert!(is_invalid(r#"{"custom_message":"hello"}"#, "custom_message"));
        assert!(is_invalid(
            &format!(r#"{{"custom_message":"{{{{otp_code}}}}{}"}}"#, "x".repeat(155)),
            "custom_message"
        ));
    }

    fn bytes(standing: Option<StateWire>) -> String {
        serde_json::to_string(&standing.unwrap()).unwrap()
    }

    fn reading(status: Status) -> VerificationState {
        VerificationState {
            wire_id: "406fefd4-8a36-4aee-880c-f3e4a928e27d".to_owned(),
            status,
            device: DeviceId(3_919_988),
        }
    }

    #[test]
    fn a_standing_has_the_documented_length() {
        let at = Timestamp(0);
        let pending = bytes(StateWire::of(reading(Status::NEW), true));
        assert_eq!(pending, r#"{"id":"406fefd4-8a36-4aee-880c-f3e4a928e27d","status":"pending"}"#);
        assert_eq!(pending.len(), 64);
        let accepted = bytes(StateWire::of(reading(Status::Accepted { at, collected: None }), true));
        assert_eq!(
            accepted,
            r#"{"id":"406fefd4-8a36-4aee-880c-f3e4a928e27d","status":"accepted","device_id":"3919988"}"#
        );
        assert_eq!(accepted.len(), 87);
    }

    #[test]
    fn a_verification_always_names_its_device() {
        let at = Timestamp(0);
        for status in [Status::NEW, Status::Accepted { at, collected: None }, Status::Rejected { at, collected: None }]
        {
            assert!(bytes(StateWire::of(reading(status), false)).ends_with(r#""device_id":"3919988"}"#));
        }
        assert!(StateWire::of(reading(Status::Expired), false).is_none());
    }
}
