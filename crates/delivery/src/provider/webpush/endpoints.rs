//! Which subscriptions are taken (contract 18.14 and 20.5). A phone names the address that this server is to call, so only
//! those of known push services are called, and those that the operator has listed (SEC 69).

use domain::PushSubscription;
use egress::Reach;
use url::{Host, Url};

use super::keys::Keys;
use crate::outbound::Target;
use crate::provider::gateway::is_this_machine;

/// Push services of browsers with one address: Google, Mozilla.
const ORIGINS: [&str; 2] = ["https://fcm.googleapis.com", "https://updates.push.services.mozilla.com"];
/// Push services of browsers whose hosts are below these names: Microsoft, Apple.
const ABOVE: [&str; 2] = [".notify.windows.com", ".push.apple.com"];
/// Longest endpoint, in characters.
const LONGEST: usize = 1_000;

/// The endpoints to which messages may go.
#[derive(Debug, Clone, Default)]
pub struct PushEndpoints {
    /// As URLs begin with them, besides those of the browsers.
    listed: Vec<String>,
    allow_private: bool,
}

/// What is wrong with a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSubscription {
    /// Not `https`, too long, or not of a listed origin.
    #[error("this endpoint is not of a push service that is allowed")]
    Endpoint,
    /// `p256dh` is no point of P-256, or `auth` has not 16 bytes.
    #[error("the keys of a subscription are a point of P-256 and 16 bytes")]
    Keys,
}

/// How far a call to an endpoint may go, and whose the host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) reach: Reach,
    /// Whether the phone chose the host, below the name of a push service. What it chose may not exist.
    pub(super) is_chosen: bool,
}

impl PushEndpoints {
    /// The browsers' push services, and these origins. With `allow_private` the latter may be at private addresses, and
    /// on loopback without TLS. The error is a sentence about one of them.
    pub fn new(origins: &[String], allow_private: bool) -> Result<Self, String> {
        for origin in origins {
            Self::check_origin(origin)?;
            if origin.starts_with("http://") && !allow_private {
                return Err(format!(
                    "{origin} is not https: write https://…, or set push.allow_private_endpoints for a push service on this \
                     machine"
                ));
            }
        }
        Ok(Self { listed: origins.to_vec(), allow_private })
    }

    /// Whether this can be listed: an origin over https, or over http on this machine. The error is a sentence.
    pub fn check_origin(text: &str) -> Result<(), String> {
        let url = Url::parse(text).ok().filter(|url| url.origin().ascii_serialization() == text);
        let Some(url) = url else {
            return Err(format!("{text} is no origin; write https://push.example.com, without a path or a user name"));
        };
        match url.scheme() {
            "https" => Ok(()),
            "http" if url.host().is_some_and(|host| is_this_machine(&host)) => Ok(()),
            _ => Err(format!("{text} is not https: write https://…; http is for a push service on this machine")),
        }
    }

    /// Whether messages can be sent to this subscription. Where its host leads is judged at each sending.
    pub fn accepts(&self, subscription: &PushSubscription) -> Result<(), BadSubscription> {
        self.listed(&subscription.endpoint)?;
        Keys::of(subscription).map(drop).ok_or(BadSubscription::Keys)
    }

    /// The same of an endpoint alone.
    pub fn accepts_endpoint(&self, endpoint: &str) -> Result<(), BadSubscription> {
        self.listed(endpoint).map(drop)
    }

    pub(super) fn listed(&self, endpoint: &str) -> Result<Listed, BadSubscription> {
        let bad = BadSubscription::Endpoint;
        // Parsers take the first two away, and the third for a slash.
        let is_strange = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if endpoint.chars().count() > LONGEST || endpoint.chars().any(is_strange) {
            return Err(bad);
        }
        let url = Url::parse(endpoint).map_err(|_| bad)?;
        let target = Target::of(&url).ok_or(bad)?;
        let origin = url.origin().ascii_serialization();
        let listed = if self.listed.contains(&origin) {
            let reach = if self.allow_private { Reach::Private } else { Reach::Public };
            Listed { reach, is_chosen: false }
        } else if ORIGINS.contains(&origin.as_str()) {
            Listed { reach: Reach::Public, is_chosen: false }
        } else if matches!(&target.host, Host::Domain(name) if ABOVE.iter().any(|above| name.ends_with(above)))
            && url.port().is_none()
        {
            Listed { reach: Reach::Public, is_chosen: true }
        } else {
            return Err(bad);
        };
        let may_be_plain = listed.reach == Reach::Private && is_this_machine(&target.host);
        if target.https || may_be_plain { Ok(listed) } else { Err(bad) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_endpoints_of_listed_push_services_are_taken() {
        let own = ["https://push.example.com".to_owned(), "https://up.example.net:8443".to_owned()];
        let endpoints = PushEndpoints::new(&own, false).unwrap();
        let long = |length: usize| format!("https://push.example.com/{}", "x".repeat(length - 25));
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc:def",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://web.push.apple.com/abc",
            "https://wns2-db5p.notify.windows.com/w/?token=abc",
            "https://push.example.com/up?x=1",
            "https://push.example.com:443/",
            "https://up.example.net:8443/abc",
            &long(LONGEST),
        ] {
            assert_eq!(endpoints.accepts_endpoint(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "fcm.googleapis.com",
            "http://fcm.googleapis.com/abc",
            "http://push.example.com/abc",
            "ftp://push.example.com/abc",
            "https://fcm.googleapis.com.example.org/abc",
            "https://example.org/https://fcm.googleapis.com",
            "https://fcm.googleapis.com:8443/abc",
            "https://ana@fcm.googleapis.com/abc",
            "https://ana:word@push.example.com/abc",
            "https://push.apple.com/abc",
            "https://evilpush.apple.com/abc",
            "https://web.push.apple.com:8443/abc",
            "https://web.push.apple.com.example.org/abc",
            "https://up.example.net/abc",
            "https://sub.push.example.com/abc",
            "https://fcm.googleapis.com\\@example.org/abc",
            "https://fcm.googleapis.com/a\nb",
            " https://fcm.googleapis.com/abc",
            "https://127.0.0.1/abc",
            "https://[::1]/abc",
            &long(LONGEST + 1),
        ] {
            assert_eq!(endpoints.accepts_endpoint(bad), Err(BadSubscription::Endpoint), "{bad:?}");
        }
    }

    #[test]
    fn private_reach_is_for_origins_that_the_operator_has_listed() {
        let own = ["http://localhost:9000".to_owned(), "https://push.internal".to_owned()];
        let endpoints = PushEndpoints::new(&own, true).unwrap();
        let reach = |endpoint| endpoints.listed(endpoint).map(|listed| listed.reach);
        assert_eq!(reach("http://localhost:9000/abc"), Ok(Reach::Private));
        assert_eq!(reach("https://push.internal/abc"), Ok(Reach::Private));
        assert_eq!(reach("https://fcm.googleapis.com/abc"), Ok(Reach::Public));
        assert_eq!(reach("https://web.push.apple.com/abc"), Ok(Reach::Public));
        assert_eq!(reach("http://push.internal/abc"), Err(BadSubscription::Endpoint));
        assert_eq!(reach("http://localhost:9001/abc"), Err(BadSubscription::Endpoint));
    }

    #[test]
    fn an_origin_is_https_and_nothing_more_than_an_origin() {
        for good in ["https://push.example.com", "https://push.example.com:8443", "https://10.0.0.1"] {
            assert!(PushEndpoints::new(&[good.to_owned()], false).is_ok(), "{good}");
        }
        for bad in [
            "push.example.com",
            "https://push.example.com/",
            "https://push.example.com/up",
            "https://push.example.com:443",
            "https://ana@push.example.com",
            "https://*.example.com/",
            "http://push.example.com",
            "http://localhost:9000",
        ] {
            assert!(PushEndpoints::new(&[bad.to_owned()], false).is_err(), "{bad}");
        }
        assert!(PushEndpoints::new(&["http://push.example.com".to_owned()], true).is_err());
    }

    #[test]
    fn keys_are_a_point_of_the_curve_and_sixteen_bytes() {
        let endpoints = PushEndpoints::default();
        let accepts = |p256dh: &str, auth: &str| {
            let endpoint = "https://fcm.googleapis.com/abc".to_owned();
            endpoints.accepts(&PushSubscription { endpoint, p256dh: p256dh.to_owned(), auth: auth.to_owned() })
        };
        let (p256dh, auth) = (
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        );
        assert_eq!(accepts(p256dh, auth), Ok(()));
        let compressed = "AiVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx";
        // The last byte is another one, so this is beside the curve.
        let beside = p256dh.replace("Aiw4", "Aiw8");
        for bad in ["", "AA", compressed, &beside, &format!("{p256dh}="), &"A".repeat(87)] {
            assert_eq!(accepts(bad, auth), Err(BadSubscription::Keys), "{bad}");
        }
        for bad in ["", "BTBZMqHH6r4Tts7J_aSI", "BTBZMqHH6r4Tts7J_aSIggAA", "BTBZMqHH6r4Tts7J/aSIgg"] {
            assert_eq!(accepts(p256dh, bad), Err(BadSubscription::Keys), "{bad}");
        }
    }
}
