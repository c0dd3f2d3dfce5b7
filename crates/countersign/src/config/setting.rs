//! The table of settings: what can be configured, once. Flags, variables, the keys of the file, what `config show` and
//! `config example` print, and the tests of all of them come from it, so that a setting has one name everywhere:
//! `--login-mfa`, `COUNTERSIGN_LOGIN_MFA`, `mfa` under `[login]`.

use std::sync::LazyLock;

use domain::{CallRate, SendLimits};

use crate::config::value::{self, Value};

/// What all our variables begin with.
pub(crate) const PREFIX: &str = "COUNTERSIGN_";

/// A setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its key in the file; tables are joined by dots.
    pub(crate) key: &'static str,
    /// What its values are.
    pub(crate) kind: Kind,
    /// What it does, for people, in a line or a few.
    pub(crate) about: &'static str,
    /// The value that is in force when nothing is given; `None` is none.
    pub(crate) default: fn() -> Option<Value>,
    /// A value that could be written, as TOML.
    pub(crate) example: &'static str,
    /// Whether commands take it too, not only servers.
    pub(crate) place: bool,
    /// A name that it once had in the file.
    pub(crate) once: Option<&'static str>,
}

/// What the values of a setting are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A text that passes a judgement.
    Text(fn(&str) -> Result<(), String>),
    /// A name that people read; one with nothing to see is refused.
    Label,
    /// A text that is not shown, and that may come from the file which the variable with `_FILE` names.
    Secret,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number, from the least to the most.
    Number(i64, i64),
    /// One of these numbers.
    OneOf(&'static [i64]),
    /// Yes or no.
    YesNo,
    /// An address to listen on, with the port that is meant when none is written.
    Address(Option<u16>),
    /// The name of a file or folder. In a file it is relative to that file's folder.
    Path,
    /// Several of them.
    Paths,
    /// Several texts that each pass a judgement.
    Texts(fn(&str) -> Result<(), String>),
}

impl Setting {
    /// Its variable.
    pub(crate) fn variable(&self) -> &'static str {
        &self.names().0
    }

    /// Its flag, without the dashes.
    pub(crate) fn flag(&self) -> &'static str {
        &self.names().1
    }

    fn names(&self) -> &'static (String, String) {
        static NAMES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
            let variable = |key: &str| format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase());
            SETTINGS.iter().map(|s| (variable(s.key), s.key.replace(['.', '_'], "-"))).collect()
        });
        let place = SETTINGS.iter().position(|setting| setting.key == self.key).unwrap_or_default();
        &NAMES[place]
    }

    /// The table that its key is in, and the key there.
    pub(crate) fn table(&self) -> (Option<&'static str>, &'static str) {
        self.key.split_once('.').map_or((None, self.key), |(table, key)| (Some(table), key))
    }

    /// The setting of this key.
    pub(crate) fn of(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key || setting.once == Some(key))
    }
}

/// Variables that are no settings of the configuration.
pub(crate) const OTHER_VARIABLES: &[&str] = &[
    "COUNTERSIGN_CONFIG",
    "COUNTERSIGN_DATABASE_URL_FILE",
    "COUNTERSIGN_MASTER_KEY",
    "COUNTERSIGN_LOG",
    "COUNTERSIGN_LOG_FORMAT",
    "COUNTERSIGN_MESSAGE_LIMITS",
    "COUNTERSIGN_DEV_HOST",
    "COUNTERSIGN_DEV_KEY",
    "COUNTERSIGN_CLIENT_SECRET",
    "COUNTERSIGN_CLIENT_SECRET_FILE",
];

/// Every variable that is read.
pub(crate) fn variables() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(Setting::variable).chain(OTHER_VARIABLES.iter().copied())
}

/// What a later version will configure, and this one cannot.
pub(crate) const FUTURE: &[(&str, &str)] = &[
    ("smtp", "send mail"),
    ("mail", "send mail"),
    ("email", "send mail"),
    ("sms", "send text messages"),
    ("voice", "make calls"),
    ("push", "send prompts to phones"),
    ("radius", "speak RADIUS"),
    ("ldap", "ask a directory"),
];

fn none() -> Option<Value> {
    None
}

const SETTING: Setting =
    Setting { key: "", kind: Kind::Path, about: "", default: none, example: "", place: false, once: None };

const MOST: i64 = u32::MAX as i64;

/// All of them, those of no table first.
pub(crate) static SETTINGS: &[Setting] = &[
    Setting {
        key: "listen",
        kind: Kind::Address(Some(8080)),
        about: "Address and port; a port alone is on loopback, :PORT on every address, port 0 a free one",
        default: || Some(Value::from("127.0.0.1:8080")),
        ..SETTING
    },
    Setting {
        key: "admin_listen",
        kind: Kind::Address(None),
        about: "Address and port of metrics and health, apart from what callers reach; in `dev` a free port",
        example: "\"127.0.0.1:9090\"",
        ..SETTING
    },
    Setting {
        key: "admin_token_file",
        kind: Kind::Path,
        about: "File with a token of 16 characters or more, which metrics then ask for as `Authorization: Bearer`",
        example: "\"/run/secrets/countersign-admin-token\"",
        ..SETTING
    },
    Setting {
        key: "data_dir",
        kind: Kind::Path,
        about: "DataDir that holds the database and the keys",
        example: "\"/var/lib/countersign\"",
        place: true,
        ..SETTING
    },
    Setting {
        key: "database_url",
        kind: Kind::Secret,
        about: "PostgreSQL database to use instead of the data folder's own, as postgres://user@host/name; a password is \
                safer in the variable, or in the file that COUNTERSIGN_DATABASE_URL_FILE names",
        example: "\"postgres://countersign@db.example.com/countersign\"",
        place: true,
        ..SETTING
    },
    Setting {
        key: "database_ca_file",
        kind: Kind::Path,
        about: "Trust only these authorities (PEM) to vouch for the database's server",
        example: "\"/etc/ssl/db-ca.pem\"",
        place: true,
        ..SETTING
    },
    Setting {
        key: "master_key_file",
        kind: Kind::Path,
        about: "File with the master key, instead of keys/master.key in the data folder",
        example: "\"/run/secrets/countersign-master-key\"",
        place: true,
        ..SETTING
    },
    Setting {
        key: "public_url",
        kind: Kind::Text(value::public_url),
        about: "What links in answers begin with, as https://mfa.example.com",
        example: "\"https://mfa.example.com\"",
        ..SETTING
    },
    Setting {
        key: "issuer",
        kind: Kind::Text(value::issuer),
        about: "The name people see in their authenticator app. An app keeps the name it was enrolled with: choose it \
                before the first person enrols. [default: the subdomain]",
        example: "\"Example Inc\"",
        ..SETTING
    },
    Setting {
        key: "subdomain",
        kind: Kind::Text(value::word),
        about: "The account's name, which callers send as `subdomain`",
        default: || Some(Value::from("countersign")),
        ..SETTING
    },
    Setting {
        key: "account_id",
        kind: Kind::Number(0, i32::MAX as i64),
        about: "The account's number in token answers",
        default: || Some(Value::from(1)),
        ..SETTING
    },
    Setting {
        key: "tls_cert_file",
        kind: Kind::Paths,
        about: "Certificate chain (PEM) to serve TLS with; repeatable, each with its key, chosen by the client's name",
        default: || Some(Value::Array(Vec::new())),
        example: "[\"mfa.pem\"]",
        once: Some("tls_cert_files"),
        ..SETTING
    },
    Setting {
        key: "tls_key_file",
        kind: Kind::Paths,
        about: "Key (PEM) of the certificate in the same place of the order",
        default: || Some(Value::Array(Vec::new())),
        example: "[\"mfa.key\"]",
        once: Some("tls_key_files"),
        ..SETTING
    },
    Setting {
        key: "trusted_proxy",
        kind: Kind::Texts(value::proxy),
        about: "A proxy in front that ends TLS and whose X-Forwarded-For is believed: an address, a network as 10.0.0.0/8, or \
                a name that is looked up; repeatable",
        default: || Some(Value::Array(Vec::new())),
        example: "[\"10.0.0.1\"]",
        once: Some("trusted_proxies"),
        ..SETTING
    },
    Setting {
        key: "insecure_http",
        kind: Kind::YesNo,
        about: "Allow plain HTTP on an address that other machines can reach",
        default: || Some(Value::from(false)),
        ..SETTING
    },
    Setting {
        key: "ready_file",
        kind: Kind::Path,
        about: "Where to write, once requests are answered, how to reach the server (JSON)",
        example: "\"/run/countersign/ready.json\"",
        ..SETTING
    },
    Setting {
        key: "root_page",
        kind: Kind::YesNo,
        about: "Whether a browser that opens the server's address finds a line that says what it is",
        default: || Some(Value::from(true)),
        ..SETTING
    },
    Setting {
        key: "auth.strict_v1_scopes",
        kind: Kind::YesNo,
        about: "v1 trigger and verify need a Manage scope",
        default: || Some(Value::from(false)),
        ..SETTING
    },
    Setting {
        key: "auth.strict_v2_scopes",
        kind: Kind::YesNo,
        about: "MFA v2 needs Manage All",
        default: || Some(Value::from(false)),
        ..SETTING
    },
    Setting {
        key: "compat.v2_wrong_otp",
        kind: Kind::OneOf(&[401, 200]),
        about: "Status of a wrong code on PUT registrations: 401 or 200",
        default: || Some(Value::from(401)),
        ..SETTING
    },
    Setting {
        key: "login.mfa",
        kind: Kind::Word(&["off", "optional", "required"]),
        about: "Whether a log-in asks for a factor: off, optional (whoever has a device) or required",
        default: || Some(Value::from("optional")),
        ..SETTING
    },
    Setting {
        key: "login.state_token_seconds",
        kind: Kind::Number(30, 3_600),
        about: "Seconds a log-in's state token lives",
        default: || Some(Value::from(300)),
        ..SETTING
    },
    Setting {
        key: "login.remember_browser_days",
        kind: Kind::Number(0, 365),
        about: "Days for which a browser is remembered once a factor was shown in it; 0 remembers none",
        default: || Some(Value::from(0)),
        ..SETTING
    },
    Setting {
        key: "login.trusted_networks",
        kind: Kind::Texts(value::network),
        about: "Networks from which no factor is asked for",
        default: || Some(Value::Array(Vec::new())),
        example: "[\"192.0.2.0/24\"]",
        ..SETTING
    },
    Setting {
        key: "login.accept_any_subdomain",
        kind: Kind::YesNo,
        about: "Whether any subdomain is taken for ours",
        default: || Some(Value::from(true)),
        ..SETTING
    },
    Setting {
        key: "login.redirect_origins",
        kind: Kind::Texts(value::origin),
        about: "Origins to which a browser may be sent after a log-in",
        default: || Some(Value::Array(Vec::new())),
        example: "[\"https://app.example.com\"]",
        ..SETTING
    },
    Setting {
        key: "messages.countries",
        kind: Kind::Texts(value::country),
        about: "Countries that text messages and calls may go to, by ISO 3166 code or by prefix; none sends neither",
        default: || Some(Value::Array(Vec::new())),
        example: "[\"DE\", \"+44\"]",
        ..SETTING
    },
    Setting {
        key: "limits.calls_per_hour",
        kind: Kind::Number(0, i64::MAX),
        about: "v1 calls per hour and account; 0 for no limit",
        default: || Some(Value::from(5_000)),
        ..SETTING
    },
    Setting {
        key: "limits.bursts",
        kind: Kind::YesNo,
        about: "Whether each client is held to a rate of calls",
        default: || Some(Value::from(true)),
        ..SETTING
    },
    Setting {
        key: "limits.calls_per_second",
        kind: Kind::Number(1, 1_000_000),
        about: "Calls a second of each client, over all nodes; limits.bursts = false lifts the limit",
        default: || Some(Value::from(i64::from(CallRate::default().per_second))),
        ..SETTING
    },
    Setting {
        key: "limits.calls_burst",
        kind: Kind::Number(1, 1_000_000),
        about: "Calls at once of each client, over all nodes; limits.bursts = false lifts the limit",
        default: || Some(Value::from(i64::from(CallRate::default().burst))),
        ..SETTING
    },
    Setting {
        key: "limits.message_interval_seconds",
        kind: Kind::Number(0, 3_600),
        about: "Seconds between two messages to a device; 0 for none",
        default: || Some(Value::from(30)),
        ..SETTING
    },
    Setting {
        key: "limits.messages_per_device",
        kind: Kind::Number(0, SendLimits::MOST_PER_BLOCK as i64),
        about: "Messages to a device in ten minutes; 0 for no limit",
        default: || Some(Value::from(i64::from(SendLimits::default().device_per_ten_minutes))),
        ..SETTING
    },
    Setting {
        key: "limits.messages_per_target",
        kind: Kind::Number(0, SendLimits::MOST_PER_TARGET as i64),
        about: "Messages to a number or address in a day; 0 for no limit",
        default: || Some(Value::from(i64::from(SendLimits::default().target_per_day))),
        ..SETTING
    },
    Setting {
        key: "limits.messages_per_block",
        kind: Kind::Number(0, SendLimits::MOST_PER_BLOCK as i64),
        about: "Messages to a hundred adjacent numbers in an hour; 0 for no limit",
        default: || Some(Value::from(i64::from(SendLimits::default().block_per_hour))),
        ..SETTING
    },
    Setting {
        key: "limits.messages_per_client",
        kind: Kind::Number(0, MOST),
        about: "Messages that a client has sent in a day (UTC); 0 for no limit",
        default: || Some(Value::from(i64::from(SendLimits::default().client_per_day))),
        ..SETTING
    },
    Setting {
        key: "limits.messages_per_server",
        kind: Kind::Number(0, MOST),
        about: "Messages that the server sends in a day (UTC); 0 for no limit",
        default: || Some(Value::from(i64::from(SendLimits::default().server_per_day))),
        ..SETTING
    },
    Setting {
        key: "limits.connections",
        kind: Kind::Number(1, MOST),
        about: "Connections open at once",
        default: || i64::try_from(web::limits::Limits::default().connections).ok().map(Value::from),
        ..SETTING
    },
    Setting {
        key: "limits.connections_per_peer",
        kind: Kind::Number(1, MOST),
        about: "Connections open at once from one address",
        default: || i64::try_from(web::limits::Limits::default().per_peer).ok().map(Value::from),
        ..SETTING
    },
    Setting {
        key: "limits.threads",
        kind: Kind::Number(0, 1_024),
        about: "Threads that answer requests; 0 for one per core",
        default: || Some(Value::from(0)),
        ..SETTING
    },
    Setting {
        key: "names.sms",
        kind: Kind::Label,
        about: "What people read for text messages, in the place of OneLogin SMS: `type_display_name`, and the names in lists of \
                factors. Clients match on `auth_factor_name` and `device_type`, which stay",
        example: "\"Text message\"",
        ..SETTING
    },
    Setting {
        key: "names.voice",
        kind: Kind::Label,
        about: "What people read for calls, in the place of OneLogin Voice",
        example: "\"Phone call\"",
        ..SETTING
    },
    Setting {
        key: "names.email",
        kind: Kind::Label,
        about: "What people read for codes by mail, in the place of OneLogin Email",
        example: "\"E-mail\"",
        ..SETTING
    },
    Setting {
        key: "names.push",
        kind: Kind::Label,
        about: "What people read for prompts on the phone, in the place of OneLogin Protect",
        example: "\"Phone prompt\"",
        ..SETTING
    },
    Setting {
        key: "names.totp",
        kind: Kind::Label,
        about: "What people read for authenticator apps, in the place of Google Authenticator (v1) and Authenticator (v2)",
        example: "\"Authenticator app\"",
        ..SETTING
    },
    Setting {
        key: "names.hotp",
        kind: Kind::Label,
        about: "What people read for tokens that count, in the place of HOTP Token (v1) and HOTP (v2)",
        example: "\"Key fob\"",
        ..SETTING
    },
    Setting {
        key: "webhooks.allow_private",
        kind: Kind::YesNo,
        about: "Whether webhooks that ask for it may be in the installation's own network, and on loopback without TLS",
        default: || Some(Value::from(false)),
        ..SETTING
    },
    Setting {
        key: "webhooks.ca_file",
        kind: Kind::Path,
        about: "The only authorities (PEM) trusted to vouch for receivers",
        example: "\"/etc/ssl/hooks-ca.pem\"",
        ..SETTING
    },
];
