//! `[login]`: the log-in flow.

use domain::model::time::SECOND;
use domain::{MfaPolicy, SignInPolicy};
use engine::Network;

use crate::row::{Kind, ROW, Row, Value, empty, on};
use crate::section::Section;
use crate::values::Values;

/// The words of `login.mfa`.
const MFA_WORDS: [&str; 3] = [MfaPolicy::Off.name(), MfaPolicy::Optional.name(), MfaPolicy::Required.name()];

/// The configured log-in flow.
#[derive(Debug, Clone)]
pub struct LoginConfig {
    pub policy: SignInPolicy,
    /// Networks from which a log-in needs no factor.
    pub trusted_networks: Vec<Network>,
    accept_any_subdomain: bool,
    redirect_origins: Vec<String>,
}

impl LoginConfig {
    /// An origin without TLS, if one is listed. Only a dev world sends browsers there.
    pub(crate) fn plain_redirect(&self) -> Option<&str> {
        self.redirect_origins.iter().map(String::as_str).find(|origin| !origin.starts_with("https://"))
    }
}

impl Section for LoginConfig {
    const HEADING: Option<&'static str> = Some("Logging in");

    const ROWS: &'static [Row] = &[
        Row {
            key: "login.mfa",
            kind: Kind::Word(&MFA_WORDS),
            about: "Whether a log-in asks for a factor: off, optional (users who have a device) or required",
            default: Some(|| Value::from(MfaPolicy::default().name())),
            ..ROW
        },
        Row {
            key: "login.state_token_seconds",
            kind: Kind::Number(30, 3_600),
            about: "Seconds a log-in's state token lives",
            default: Some(|| Value::from(300)),
            ..ROW
        },
        Row {
            key: "login.remember_browser_days",
            kind: Kind::Number(0, 365),
            about: "Days for which a browser is remembered after a factor was shown in it; 0 remembers none",
            default: Some(|| Value::from(0)),
            ..ROW
        },
        Row {
            key: "login.trusted_networks",
            kind: Kind::Texts(network),
            about: "Networks from which no factor is asked for",
            default: Some(empty),
            example: "[\"192.0.2.0/24\"]",
            ..ROW
        },
        Row {
            key: "login.accept_any_subdomain",
            kind: Kind::YesNo,
            about: "Whether every subdomain is accepted as ours",
            default: Some(on),
            ..ROW
        },
        Row {
            key: "login.redirect_origins",
            kind: Kind::Texts(origin),
            about: "Origins to which a browser may be sent after a log-in or a link; https, and http on loopback in dev",
            default: Some(empty),
            example: "[\"https://app.example.com\"]",
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        let mfa = values.text("login.mfa").and_then(|word| MfaPolicy::from_name(&word)).unwrap_or_default();
        Ok(Self {
            policy: SignInPolicy {
                mfa,
                ttl: values.number::<i64>("login.state_token_seconds") * SECOND,
                remember_days: values.number("login.remember_browser_days"),
            },
            trusted_networks: values.parsed("login.trusted_networks"),
            accept_any_subdomain: values.yes("login.accept_any_subdomain"),
            redirect_origins: values.texts("login.redirect_origins"),
        })
    }

    fn set_dialect(&self, options: &mut onelogin::DialectOptions) {
        options.accept_any_subdomain = self.accept_any_subdomain;
        options.redirect_origins.clone_from(&self.redirect_origins);
    }
}

fn network(text: &str) -> Result<(), String> {
    text.parse::<Network>().map(drop).map_err(|error| format!("{text}: {error}"))
}

/// An origin over https, or one on this very machine, which only a dev world takes (SEC 66).
fn origin(text: &str) -> Result<(), String> {
    let url = url::Url::parse(text).ok().filter(|url| url.origin().ascii_serialization() == text);
    let Some(url) = url else {
        return Err(format!("{text} is no origin; write https://app.example.com, without a path"));
    };
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here => Ok(()),
        _ => Err(format!(
            "{text} is not https: write https://…; http is for localhost, 127.0.0.1 and [::1] in a dev world"
        )),
    }
}
