//! Parses one line of a list. Pure: a line goes in, an entry or a fault comes out.
//!
//! No fault repeats text of the line, because a secret may be in any column of a hand-made list.

use std::fmt;

use domain::model::hotp::{Algorithm, Hotp};
use domain::model::name;
use domain::model::totp::{PERIOD, Totp};
use domain::rules::import::{self, ImportField, Unfit};
use domain::{Credential, Secret};
use engine::import::Token;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// The columns of a list.
pub(super) const NAMES: [&str; 11] = [
    "username",
    "email",
    "phone",
    "external_id",
    "type",
    "secret_base32",
    "counter",
    "digits",
    "period",
    "algorithm",
    "display_name",
];

/// The fields of a line, unparsed. An empty field is absent.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fields {
    #[serde(deserialize_with = "scalar")]
    pub(super) username: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) email: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) phone: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) external_id: Option<String>,
    #[serde(deserialize_with = "scalar")]
    r#type: Option<String>,
    #[serde(deserialize_with = "secret")]
    secret_base32: Option<Zeroizing<String>>,
    #[serde(deserialize_with = "scalar")]
    counter: Option<String>,
    #[serde(deserialize_with = "scalar")]
    digits: Option<String>,
    #[serde(deserialize_with = "scalar")]
    period: Option<String>,
    #[serde(deserialize_with = "scalar")]
    algorithm: Option<String>,
    #[serde(deserialize_with = "scalar")]
    display_name: Option<String>,
}

impl Fields {
    /// Sets the field with this name. Returns whether there is such a field.
    pub(super) fn set(&mut self, name: &str, value: &str) -> bool {
        let slot = match name {
            "username" => &mut self.username,
            "email" => &mut self.email,
            "phone" => &mut self.phone,
            "external_id" => &mut self.external_id,
            "type" => &mut self.r#type,
            "secret_base32" => {
                self.secret_base32 = given(value).map(Zeroizing::new);
                return true;
            }
            "counter" => &mut self.counter,
            "digits" => &mut self.digits,
            "period" => &mut self.period,
            "algorithm" => &mut self.algorithm,
            "display_name" => &mut self.display_name,
            _ => return false,
        };
        *slot = given(value);
        true
    }

    /// Sets a field that is not set yet.
    fn set_once(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let taken = match name {
            "secret_base32" => self.secret_base32.is_some(),
            "algorithm" => self.algorithm.is_some(),
            "digits" => self.digits.is_some(),
            "period" => self.period.is_some(),
            _ => self.counter.is_some(),
        };
        if taken {
            return Err(Fault::FieldTwice);
        }
        self.set(name, value.trim());
        Ok(())
    }

    /// Whether a field is set that only devices have.
    fn describe_a_device(&self) -> bool {
        [&self.r#type, &self.counter, &self.digits, &self.period, &self.algorithm, &self.display_name]
            .iter()
            .any(|field| field.is_some())
    }
}

fn given(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// The device of a line.
pub(super) struct Entry {
    /// The device for the engine.
    pub(super) token: Token,
    /// `totp` or `hotp`.
    pub(super) kind: &'static str,
    /// The secret as the line spells it.
    pub(super) secret: Zeroizing<String>,
}

/// Why a line cannot be imported, or what is remarkable about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    TooLong,
    /// The line is not UTF-8.
    NotText,
    /// The line is not a JSON object.
    NotJson,
    /// A JSON object has a field with an unknown name.
    UnknownField,
    /// A field occurs twice.
    FieldTwice,
    /// A field is an array, an object, a boolean or a fraction.
    WrongType,
    /// A CSV line has more or fewer columns than the header.
    Columns,
    /// The line is not an `otpauth://` address.
    NotOtpauth,
    /// One address holds several authenticators, as one app hands them to another.
    Migration,
    /// A parameter changes the codes, and is not supported.
    Parameter(&'static str),
    /// A device without a secret.
    NoSecret,
    /// A required field is absent.
    Missing(&'static str),
    /// `type` is neither `totp` nor `hotp`.
    Kind,
    /// The secret is not Base32.
    NotBase32,
    /// A field is not a whole number.
    NotNumber(&'static str),
    /// The hash function is unknown.
    Algorithm,
    /// HOTP is defined with SHA-1 only.
    HotpAlgorithm,
    /// More lines than a user can have devices.
    TooManyLines,
    /// Another line of the same user has a fault, and a user is imported wholly or not at all.
    Sibling(u64),
    /// A value cannot be used.
    Unfit(Unfit),
    /// These fields of an existing user or device differ, and were left as they are. Not a reject.
    Differs(Vec<ImportField>),
    /// Another user has a device with this secret. Not a reject.
    Shared,
    /// The engine's reason.
    Refused(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the line is too long"),
            Self::NotText => f.write_str("the line is not UTF-8; save the list as UTF-8"),
            Self::NotJson => f.write_str("the line is not a JSON object"),
            Self::UnknownField => write!(f, "a field has an unknown name; the fields are {}", NAMES.join(", ")),
            Self::FieldTwice => f.write_str("a field is given twice"),
            Self::WrongType => f.write_str("a field is neither a text nor a whole number"),
            Self::Columns => f.write_str("the line has not as many columns as the header"),
            Self::NotOtpauth => f.write_str("the line is not an otpauth:// address with a user's name"),
            Self::Migration => write!(f, "the line is {}", super::sniff::MIGRATION),
            Self::Parameter(name) => write!(
                f,
                "the parameter {name} changes the codes and is not known here; the known ones are secret, issuer, \
                 algorithm, digits, period and counter"
            ),
            Self::NoSecret => f.write_str("secret_base32 is missing, though the line describes a device"),
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Kind => f.write_str("type must be totp or hotp"),
            Self::NotBase32 => f.write_str("secret_base32 is not Base32"),
            Self::NotNumber(name) => write!(f, "{name} is not a whole number"),
            Self::Algorithm => f.write_str("algorithm must be SHA1, SHA256 or SHA512"),
            Self::HotpAlgorithm => f.write_str("a hotp device uses SHA1 and nothing else"),
            Self::TooManyLines => f.write_str("a user has at most 20 devices"),
            Self::Sibling(line) => {
                write!(
                    f,
                    "line {line} of the same user cannot be imported, and a user is imported wholly or not at all"
                )
            }
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::Differs(fields) => {
                let names: Vec<_> = fields.iter().map(|field| field.name()).collect();
                write!(
                    f,
                    "differs from what is stored in {}, and was left as it is; --update sets it",
                    names.join(", ")
                )
            }
            Self::Shared => {
                f.write_str("taken, but another user has a device with this secret: one authenticator answers for both")
            }
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}

impl From<Unfit> for Fault {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

/// The fields of a JSON line.
pub(super) fn json(line: &[u8]) -> Result<Fields, Fault> {
    let text = std::str::from_utf8(line).map_err(|_| Fault::NotText)?;
    if !text.trim_start().starts_with('{') {
        return Err(Fault::NotJson);
    }
    serde_json::from_str(text).map_err(|error| {
        // serde's message may quote the line, so only its beginning is used.
        let words = error.to_string();
        match error.classify() {
            serde_json::error::Category::Data if words.starts_with("unknown field") => Fault::UnknownField,
            serde_json::error::Category::Data if words.starts_with("duplicate field") => Fault::FieldTwice,
            serde_json::error::Category::Data => Fault::WrongType,
            _ => Fault::NotJson,
        }
    })
}

/// Parameters of various apps that change the codes. A device created without them would never match.
const CODE_PARAMETERS: [&str; 21] = [
    "algo",
    "alg",
    "hash",
    "hashalgorithm",
    "digit",
    "length",
    "codelength",
    "interval",
    "step",
    "timestep",
    "timer",
    "offset",
    "skew",
    "t0",
    "epoch",
    "encoder",
    "encoding",
    "charset",
    "pin",
    "pin_length",
    "truncation",
];

/// The fields of an `otpauth://` line: the account is the user's name, the issuer the device's. Scheme, type and names
/// of parameters come in either case, since a QR code has a shorter form for capitals.
pub(super) fn otpauth(line: &[u8]) -> Result<Fields, Fault> {
    let text = std::str::from_utf8(line).map_err(|_| Fault::NotText)?;
    let (scheme, rest) = text.trim().split_once("://").ok_or(Fault::NotOtpauth)?;
    if scheme.eq_ignore_ascii_case("otpauth-migration") {
        return Err(Fault::Migration);
    }
    if !scheme.eq_ignore_ascii_case("otpauth") {
        return Err(Fault::NotOtpauth);
    }
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, label) = place.split_once('/').ok_or(Fault::NotOtpauth)?;

    let mut fields = Fields::default();
    let mut issuer = None;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let name = name.to_ascii_lowercase();
        match &*name {
            "issuer" => issuer = given(value.trim()),
            "secret" => fields.set_once("secret_base32", &value)?,
            "algorithm" | "digits" | "period" | "counter" => fields.set_once(&name, &value)?,
            // Other parameters, such as pictures and colours, change no code.
            _ => {
                if let Some(known) = CODE_PARAMETERS.into_iter().find(|known| *known == name) {
                    return Err(Fault::Parameter(known));
                }
            }
        }
    }
    let Label { prefix, account } =
        Label::split(label.trim_start_matches('/'), issuer.as_deref()).ok_or(Fault::NotOtpauth)?;
    if account.is_empty() {
        return Err(Fault::NotOtpauth);
    }
    fields.set("username", &account);
    fields.set("type", kind);
    fields.set("display_name", &issuer.unwrap_or(prefix));
    if fields.secret_base32.is_none() {
        return Err(Fault::Missing("secret_base32"));
    }
    Ok(fields)
}

/// Both parts of a label, decoded.
struct Label {
    /// The issuer in front of the account; empty if there is none.
    prefix: String,
    account: String,
}

impl Label {
    /// Splits a label. An issuer may contain colons: the parameter `issuer` shows where it ends; without it the last
    /// unencoded colon separates, else the last encoded one (`%3A`).
    fn split(label: &str, issuer: Option<&str>) -> Option<Self> {
        let halves =
            |prefix: &str, account: &str| Self { prefix: prefix.trim().to_owned(), account: account.trim().to_owned() };
        let whole = percent_decoded(label)?;
        if let Some(issuer) = issuer {
            // Some apps write a blank as `+` in a label too.
            for spelling in [whole.clone(), whole.replace('+', " ")] {
                let after = spelling.trim_start().strip_prefix(issuer).map(str::trim_start);
                if let Some(account) = after.and_then(|after| after.strip_prefix(':')) {
                    // The account is taken from the label: a `+` in it is a plus.
                    let account = &whole[whole.len() - account.len()..];
                    return Some(halves(issuer, account));
                }
            }
        }
        if let Some((prefix, account)) = label.rsplit_once(':') {
            return Some(halves(&percent_decoded(prefix)?, &percent_decoded(account)?));
        }
        Some(match whole.rsplit_once(':') {
            Some((prefix, account)) => halves(prefix, account),
            None => halves("", &whole),
        })
    }
}

/// The device that the fields describe; `None` if they describe a person only.
pub(super) fn entry(fields: &Fields) -> Result<Option<Entry>, Fault> {
    let username = fields.username.as_ref().ok_or(Fault::Missing("username"))?;
    import::judge_username(username)?;
    if let Some(email) = &fields.email {
        import::judge_email(email)?;
    }
    if let Some(phone) = &fields.phone {
        import::judge_phone(phone)?;
    }
    let shown = fields.display_name.as_deref().and_then(name::label);
    for (name, value) in [("external_id", fields.external_id.as_deref()), ("display_name", shown)] {
        if let Some(value) = value {
            import::judge_name(name, value)?;
        }
    }
    let Some(text) = &fields.secret_base32 else {
        return if fields.describe_a_device() { Err(Fault::NoSecret) } else { Ok(None) };
    };
    let secret = base32(text)?;
    let digits = number("digits", fields.digits.as_ref(), 6)?;
    let digits = u8::try_from(digits).map_err(|_| Unfit::Digits)?;
    let algorithm = match fields.algorithm.as_deref() {
        Some(name) => import::algorithm(name).ok_or(Fault::Algorithm)?,
        None => Algorithm::Sha1,
    };
    let (kind, credential, counter) = match fields.r#type.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("totp") => {
            let period = number("period", fields.period.as_ref(), PERIOD.into())?;
            let period = u32::try_from(period).map_err(|_| Unfit::Period)?;
            ("totp", Credential::Totp(Totp { secret, algorithm, digits, period }), 0)
        }
        Some("hotp") => {
            if algorithm != Algorithm::Sha1 {
                return Err(Fault::HotpAlgorithm);
            }
            let counter = number("counter", fields.counter.as_ref(), 0)?;
            import::last_counter(counter)?;
            ("hotp", Credential::Hotp(Hotp { secret, digits }), counter)
        }
        Some(_) => return Err(Fault::Kind),
    };
    import::judge(&credential)?;
    let token = Token { credential, counter, display_name: shown.map(str::to_owned) };
    Ok(Some(Entry { token, kind, secret: text.clone() }))
}

fn number(name: &'static str, text: Option<&String>, default: u64) -> Result<u64, Fault> {
    text.map_or(Ok(default), |text| text.parse().map_err(|_| Fault::NotNumber(name)))
}

/// Base32 as people write it: either case, in groups, padded or not, and of any length: bits beyond the last whole byte
/// are dropped, as every authenticator does.
fn base32(text: &str) -> Result<Secret, Fault> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8));
    let (mut held, mut bits) = (0_u32, 0);
    for symbol in text.trim_end_matches(|c| c == '=' || is_between_groups(c)).chars() {
        let value = match symbol.to_ascii_uppercase() {
            letter @ 'A'..='Z' => letter as u32 - 'A' as u32,
            digit @ '2'..='7' => digit as u32 - '2' as u32 + 26,
            other if is_between_groups(other) => continue,
            _ => return Err(Fault::NotBase32),
        };
        (held, bits) = (held << 5 | value, bits + 5);
        if bits >= 8 {
            bits -= 8;
            #[expect(clippy::cast_possible_truncation, reason = "only the lowest byte is wanted")]
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

/// Whether lists put this character between the groups of a secret: white space of every kind, invisible characters, points and dashes.
fn is_between_groups(symbol: char) -> bool {
    symbol.is_whitespace()
        || matches!(symbol, '-' | '.' | '_' | '\u{b7}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2010}'..='\u{2015}')
        || matches!(symbol, '\u{2060}' | '\u{2212}' | '\u{feff}')
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (hex, after) = rest.split_at_checked(2)?;
        bytes.extend(data_encoding::HEXUPPER_PERMISSIVE.decode(hex).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// A text or a whole number; null and the empty text are absent.
fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    struct Scalar;
    impl Visitor<'_> for Scalar {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a whole number")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(given(text))
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string()))
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string()))
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Scalar)
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(scalar(deserializer)?.map(Zeroizing::new))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn read(line: &str) -> Result<Entry, Fault> {
        entry(&json(line.as_bytes())?).map(|entry| entry.expect("a device"))
    }

    fn fault(line: &str) -> Fault {
        read(line).err().unwrap_or_else(|| panic!("{line} was taken"))
    }

    #[test]
    fn a_name_and_a_secret_are_enough() {
        let entry = read(&format!(r#"{{"username":"ana","secret_base32":"{SECRET}"}}"#)).unwrap();
        let secret = Secret::new(b"12345678901234567890".to_vec());
        assert_eq!(entry.token.credential, Credential::Totp(Totp::with_secret(secret)));
        assert_eq!((entry.kind, entry.token.counter, entry.token.display_name), ("totp", 0, None));
    }

    #[test]
    fn numbers_may_be_texts_and_null_is_nothing() {
        let line = format!(
            r#"{{"username":"ana","type":"HOTP","secret_base32":"{SECRET}","counter":"7","digits":8,"email":null,
            "phone":"","algorithm":"sha-1","period":30}}"#
        );
        let entry = read(&line).unwrap();
        let secret = Secret::new(b"12345678901234567890".to_vec());
        assert_eq!(entry.token.credential, Credential::Hotp(Hotp { secret, digits: 8 }));
        assert_eq!((entry.kind, entry.token.counter), ("hotp", 7));
    }

    #[test]
    fn a_secret_is_read_as_people_write_it() {
        let expected = base32(SECRET).unwrap();
        for spelling in ["gezdgnbvgy3tqojqgezdgnbvgy3tqojq", "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"] {
            assert_eq!(base32(spelling).unwrap(), expected, "{spelling}");
        }
        assert_eq!(base32("GEZDGNBVGY3TQOJQGE======").unwrap().expose(), b"12345678901");
        assert_eq!(base32("GEZDGNBVGY3TQOJQGF").unwrap().expose(), b"12345678901", "stray bits are dropped");
        for wrong in ["GEZDGNBVGY3TQOJ1", "GEZDGNBV=GY3TQOJQ", "é"] {
            assert_eq!(base32(wrong), Err(Fault::NotBase32), "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_it() {
        let with = |more: &str| format!(r#"{{"username":"ana","secret_base32":"{SECRET}"{more}}}"#);
        let cases = [
            ("x".to_owned(), Fault::NotJson),
            ("[1]".to_owned(), Fault::NotJson),
            (format!(r#"{{"username":"ana","secret_base32":"{SECRET}""#), Fault::NotJson),
            (format!(r#"{{"username":"ana","{SECRET}":1}}"#), Fault::UnknownField),
            (with(&format!(r#","secret_base32":"{SECRET}""#)), Fault::FieldTwice),
            (with(&format!(r#","email":["{SECRET}"]"#)), Fault::WrongType),
            (with(r#","digits":6.5"#), Fault::WrongType),
            (format!(r#"{{"secret_base32":"{SECRET}"}}"#), Fault::Missing("username")),
            (r#"{"username":"ana","type":"totp"}"#.to_owned(), Fault::NoSecret),
            (with(&format!(r#","type":"{SECRET}""#)), Fault::Kind),
            (with(&format!(r#","digits":"{SECRET}""#)), Fault::NotNumber("digits")),
            (with(r#","digits":9"#), Fault::Unfit(Unfit::Digits)),
            (with(r#","digits":300"#), Fault::Unfit(Unfit::Digits)),
            (with(r#","period":5"#), Fault::Unfit(Unfit::Period)),
            (with(r#","algorithm":"MD5""#), Fault::Algorithm),
            (with(r#","type":"hotp","algorithm":"SHA256""#), Fault::HotpAlgorithm),
            (with(r#","type":"hotp","counter":-1"#), Fault::NotNumber("counter")),
            (with(r#","type":"hotp","counter":99999999999999999"#), Fault::Unfit(Unfit::Counter)),
            (with(r#","email":"ana""#), Fault::Unfit(Unfit::Email)),
            (with(r#","display_name":"a\u0007b""#), Fault::Unfit(Unfit::Text("display_name"))),
            (r#"{"username":"ana","secret_base32":"GEZDGNBV"}"#.to_owned(), Fault::Unfit(Unfit::Secret)),
        ];
        for (line, expected) in cases {
            let found = fault(&line);
            assert_eq!(found, expected, "{line}");
            assert!(!found.to_string().contains(SECRET), "{found}");
        }
        assert_eq!(json(b"{\"username\":\"\xff\"}").err(), Some(Fault::NotText));
    }

    #[test]
    fn an_address_names_user_and_issuer() {
        let address = format!("otpauth://totp/Acme%20Inc:ana%40example.com?secret={SECRET}&algorithm=SHA512&digits=8");
        let fields = otpauth(address.as_bytes()).unwrap();
        assert_eq!(fields.username.as_deref(), Some("ana@example.com"));
        let found = entry(&fields).unwrap().unwrap();
        assert_eq!(found.token.display_name.as_deref(), Some("Acme Inc"));
        let Credential::Totp(totp) = &found.token.credential else { panic!("not a TOTP device") };
        assert_eq!((totp.algorithm, totp.digits, totp.period), (Algorithm::Sha512, 8, 30));

        let fields =
            otpauth(format!("otpauth://hotp/ben?secret={SECRET}&counter=5&issuer=X&image=y").as_bytes()).unwrap();
        let found = entry(&fields).unwrap().unwrap();
        assert_eq!((found.kind, found.token.counter), ("hotp", 5));
        assert_eq!(found.token.display_name.as_deref(), Some("X"));

        for wrong in [
            "https://totp/ana?secret=x",
            "otpauth://totp/?secret=x",
            "otpauth://totp/Acme:?secret=x",
            "ana",
            "otpauth://totp/%zz?secret=x",
        ] {
            assert_eq!(otpauth(wrong.as_bytes()).err(), Some(Fault::NotOtpauth), "{wrong}");
        }
        let other = otpauth(format!("otpauth://yubikey/ana?secret={SECRET}").as_bytes()).unwrap();
        assert_eq!(entry(&other).err(), Some(Fault::Kind));
    }

    /// Percent-encodes what is not unreserved or among `keep`.
    fn encoded(text: &str, keep: &str) -> String {
        text.bytes().fold(String::new(), |mut out, byte| {
            let plain = char::from(byte);
            if byte.is_ascii_alphanumeric() || "-._~".contains(plain) || keep.contains(plain) {
                out.push(plain);
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        })
    }

    #[test]
    fn an_issuer_may_hold_a_colon() {
        let issuers = [
            "Acme",
            "Text: More Text",
            "NotABug.org: Free code hosting",
            "a:b:c",
            "Grüße & Co: 50 %",
            "A+B",
            "C/D: E",
            "https://mfa.example.com:8443",
            "?#",
        ];
        let accounts =
            ["ana", "no@mail.example", "ana+test@example.com", "CORP\\ana", "Ana Müller", "a/b", "50%", "urn-1"];
        for issuer in issuers {
            for account in accounts {
                let whole = |text: &str| encoded(text, "");
                let (i, a) = (whole(issuer), whole(account));
                let quoted = |text: &str| encoded(text, "/@:+");
                let blanks = whole(issuer).replace("%20", "+");
                // As apps write it: all encoded, the colon too, the path's characters left, a blank before the account.
                let labels = [
                    format!("{i}:{a}"),
                    format!("{i}%3A{a}"),
                    format!("{}:{}", quoted(issuer), quoted(account)),
                    format!("{i}:%20{a}"),
                    a.clone(),
                ];
                for label in labels {
                    for parameter in [&i, &blanks] {
                        let address = format!("otpauth://totp/{label}?secret={SECRET}&issuer={parameter}");
                        let fields = otpauth(address.as_bytes()).unwrap();
                        let found = (fields.username.as_deref(), fields.display_name.as_deref());
                        assert_eq!(found, (Some(account), Some(issuer)), "{address}");
                    }
                }
                // Without the parameter the unencoded colon separates.
                let fields = otpauth(format!("otpauth://totp/{i}:{a}?secret={SECRET}").as_bytes()).unwrap();
                assert_eq!((fields.username.as_deref(), fields.display_name.as_deref()), (Some(account), Some(issuer)));
            }
        }
        let last = otpauth(format!("otpauth://totp/a%3Ab%3Aana?secret={SECRET}").as_bytes()).unwrap();
        assert_eq!((last.username.as_deref(), last.display_name.as_deref()), (Some("ana"), Some("a:b")));
    }

    #[test]
    fn a_qr_code_may_shout() {
        let address = format!("OTPAUTH://HOTP/ACME:JAN?SECRET={SECRET}&COUNTER=4&Digits=8&ISSUER=ACME");
        let fields = otpauth(address.as_bytes()).unwrap();
        let found = entry(&fields).unwrap().unwrap();
        assert_eq!((found.kind, found.token.counter, fields.username.as_deref()), ("hotp", 4, Some("JAN")));
        assert_eq!(found.token.display_name.as_deref(), Some("ACME"));
    }

    #[test]
    fn secrets_of_every_length() {
        let letters = "GEZDGNBVGY3TQOJQ234567ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for length in 16..=103 {
            let text: String = letters.chars().cycle().take(length).collect();
            // What another decoder makes of the longest beginning that has no letter too many.
            let whole = (length * 5 / 8 * 8).div_ceil(5);
            let mut lenient = data_encoding::Specification::new();
            lenient.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
            lenient.check_trailing_bits = false;
            let bytes = lenient.encoding().unwrap().decode(&text.as_bytes()[..whole]).unwrap();
            assert_eq!(base32(&text).unwrap().expose(), bytes, "{length}");
            // The codes of both are the same.
            let line = format!(r#"{{"username":"ana","type":"hotp","secret_base32":"{text}"}}"#);
            let Credential::Hotp(hotp) = read(&line).unwrap().token.credential else { panic!("a HOTP device") };
            let code = |secret: &Secret| domain::model::hotp::code(secret, Algorithm::Sha1, 1, 6);
            assert_eq!(code(&hotp.secret), code(&Secret::new(bytes)));
        }
        let expected = base32("GEZDGNBVGY3TQOJQGEZDGN").unwrap();
        assert_eq!(expected.expose().len(), 13);
        for spelling in [
            "gezd gnbv gy3t qojq gezd gn",
            "GEZD-GNBV-GY3T-QOJQ-GEZD-GN",
            "GEZD.GNBV.GY3T.QOJQ.GEZD.GN",
            "GEZD\u{a0}GNBV\u{202f}GY3T\tQOJQ\u{2013}GEZD\u{200b}GN",
            "\u{feff}GEZDGNBVGY3TQOJQGEZDGN====\r\n",
        ] {
            assert_eq!(base32(spelling).unwrap(), expected, "{spelling}");
        }
    }

    #[test]
    fn a_parameter_that_changes_codes_is_not_ignored() {
        for name in CODE_PARAMETERS {
            let address = format!("otpauth://totp/Acme:ana?secret={SECRET}&{}=5", name.to_ascii_uppercase());
            let fault = otpauth(address.as_bytes()).err().unwrap();
            assert!(fault == Fault::Parameter(name) && fault.to_string().contains(name), "{fault}");
        }
        let twice = format!("otpauth://totp/ana?secret={SECRET}&digits=6&digits=8");
        assert_eq!(otpauth(twice.as_bytes()).err(), Some(Fault::FieldTwice));
        let harmless =
            format!("otpauth://totp/ana?secret={SECRET}&image=https://x/y&color=red&lock=true&codeDisplay=z");
        assert!(entry(&otpauth(harmless.as_bytes()).unwrap()).is_ok());
    }
}
