//! What one line of a list says. Pure: a line goes in, an entry or the reason against it comes out.
//!
//! No reason ever repeats what the line holds, since a secret may stand in any column of a list that somebody made by
//! hand.

use std::fmt;

use data_encoding::{Encoding, Specification};
use domain::factor::hotp::{Algorithm, Hotp};
use domain::factor::totp::{PERIOD, Totp};
use domain::import::{self, Unfit};
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

/// The fields of a line as they stand there. What is empty is absent.
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
    /// Sets the field of this name; says whether there is one.
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
}

fn given(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// The device of a line.
pub(super) struct Entry {
    /// As it will be kept.
    pub(super) token: Token,
    /// `totp` or `hotp`.
    pub(super) kind: &'static str,
    /// The secret as the line spells it.
    pub(super) secret: Zeroizing<String>,
}

/// Why a line cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Longer than any line of a list is.
    TooLong,
    /// Not UTF-8.
    NotText,
    /// Not a JSON object.
    NotJson,
    /// A JSON object with a field that no list has.
    UnknownField,
    /// A JSON object with a field twice.
    FieldTwice,
    /// A list, an object, a truth value or a fraction where a text or a whole number belongs.
    WrongType,
    /// A CSV line with more or fewer columns than the header.
    Columns,
    /// Not an `otpauth://` address.
    NotOtpauth,
    /// A field that must be there is not.
    Missing(&'static str),
    /// `type` is neither.
    Kind,
    /// The secret is not Base32.
    NotBase32,
    /// A number is none.
    NotNumber(&'static str),
    /// No such hash function.
    Algorithm,
    /// HOTP is defined with SHA-1 only.
    HotpAlgorithm,
    /// More lines than a user can have devices.
    TooManyLines,
    /// Another line of the same user is at fault, and nobody is imported by halves.
    Sibling(u64),
    /// What it says is not fit for use.
    Unfit(Unfit),
    /// The engine's reason.
    Refused(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the line is too long"),
            Self::NotText => f.write_str("the line is not UTF-8"),
            Self::NotJson => f.write_str("the line is not a JSON object"),
            Self::UnknownField => write!(f, "a field has an unknown name; the fields are {}", NAMES.join(", ")),
            Self::FieldTwice => f.write_str("a field is given twice"),
            Self::WrongType => f.write_str("a field is neither a text nor a whole number"),
            Self::Columns => f.write_str("the line has not as many columns as the header"),
            Self::NotOtpauth => f.write_str("the line is not an otpauth:// address with a user's name"),
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Kind => f.write_str("type must be totp or hotp"),
            Self::NotBase32 => f.write_str("secret_base32 is not Base32"),
            Self::NotNumber(name) => write!(f, "{name} is not a whole number"),
            Self::Algorithm => f.write_str("algorithm must be SHA1, SHA256 or SHA512"),
            Self::HotpAlgorithm => f.write_str("a hotp device uses SHA1 and nothing else"),
            Self::TooManyLines => f.write_str("a user has at most 20 devices"),
            Self::Sibling(line) => {
                write!(f, "line {line} of the same user cannot be imported, and nobody is imported by halves")
            }
            Self::Unfit(unfit) => unfit.fmt(f),
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
        // serde's words may quote what stands there; only their beginning is looked at.
        let words = error.to_string();
        match error.classify() {
            serde_json::error::Category::Data if words.starts_with("unknown field") => Fault::UnknownField,
            serde_json::error::Category::Data if words.starts_with("duplicate field") => Fault::FieldTwice,
            serde_json::error::Category::Data => Fault::WrongType,
            _ => Fault::NotJson,
        }
    })
}

/// The fields of an `otpauth://` line: the account is the user's name, the issuer the device's.
pub(super) fn otpauth(line: &[u8]) -> Result<Fields, Fault> {
    let text = std::str::from_utf8(line).map_err(|_| Fault::NotText)?;
    let address = url::Url::parse(text.trim()).map_err(|_| Fault::NotOtpauth)?;
    let label = percent_decoded(address.path().trim_start_matches('/')).ok_or(Fault::NotOtpauth)?;
    if address.scheme() != "otpauth" || label.is_empty() {
        return Err(Fault::NotOtpauth);
    }
    let (issuer, account) = match label.split_once(':') {
        Some((issuer, account)) => (issuer.trim(), account.trim()),
        None => ("", label.trim()),
    };
    let mut fields = Fields::default();
    fields.set("username", account);
    fields.set("type", address.host_str().unwrap_or_default());
    fields.set("display_name", issuer);
    for (name, value) in address.query_pairs() {
        match &*name {
            "secret" => fields.set("secret_base32", &value),
            "issuer" => value.is_empty() || fields.set("display_name", value.trim()),
            "algorithm" | "digits" | "period" | "counter" => fields.set(&name, &value),
            // Pictures and colours of one app or another.
            _ => true,
        };
    }
    Ok(fields)
}

/// The device that fields describe.
pub(super) fn entry(fields: &Fields) -> Result<Entry, Fault> {
    let username = fields.username.as_ref().ok_or(Fault::Missing("username"))?;
    import::judge_name("username", username)?;
    if let Some(email) = &fields.email {
        import::judge_email(email)?;
    }
    let texts =
        [("phone", &fields.phone), ("external_id", &fields.external_id), ("display_name", &fields.display_name)];
    for (name, value) in texts {
        if let Some(value) = value {
            import::judge_name(name, value)?;
        }
    }
    let text = fields.secret_base32.as_ref().ok_or(Fault::Missing("secret_base32"))?;
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
    let token = Token { credential, counter, display_name: fields.display_name.clone() };
    Ok(Entry { token, kind, secret: text.clone() })
}

fn number(name: &'static str, text: Option<&String>, default: u64) -> Result<u64, Fault> {
    text.map_or(Ok(default), |text| text.parse().map_err(|_| Fault::NotNumber(name)))
}

/// Base32 as people write it: either case, in groups, padded or not. Bits beyond the last whole byte are ignored, as
/// every authenticator does.
fn base32(text: &str) -> Result<Secret, Fault> {
    static LENIENT: std::sync::LazyLock<Option<Encoding>> = std::sync::LazyLock::new(|| {
        let mut specification = Specification::new();
        specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
        specification.translate.from.push_str("abcdefghijklmnopqrstuvwxyz");
        specification.translate.to.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        specification.ignore.push_str(" -");
        specification.check_trailing_bits = false;
        specification.encoding().ok()
    });
    let encoding = LENIENT.as_ref().ok_or(Fault::NotBase32)?;
    encoding.decode(text.trim_end_matches(['=', ' ']).as_bytes()).map(Secret::new).map_err(|_| Fault::NotBase32)
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
    use super::*;

    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn read(line: &str) -> Result<Entry, Fault> {
        entry(&json(line.as_bytes())?)
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
        assert_eq!(base32("GEZDGNBVGY3TQOJQGF").unwrap().expose(), b"12345678901", "stray bits are nobody's loss");
        for wrong in ["GEZDGNBVGY3TQOJ1", "GEZDGNBVGY3TQOJQG", "é"] {
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
            (r#"{"username":"ana"}"#.to_owned(), Fault::Missing("secret_base32")),
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
        let found = entry(&fields).unwrap();
        assert_eq!(found.token.display_name.as_deref(), Some("Acme Inc"));
        let Credential::Totp(totp) = &found.token.credential else { panic!("not a TOTP device") };
        assert_eq!((totp.algorithm, totp.digits, totp.period), (Algorithm::Sha512, 8, 30));

        let fields =
            otpauth(format!("otpauth://hotp/ben?secret={SECRET}&counter=5&issuer=X&image=y").as_bytes()).unwrap();
        let found = entry(&fields).unwrap();
        assert_eq!((found.kind, found.token.counter), ("hotp", 5));
        assert_eq!(found.token.display_name.as_deref(), Some("X"));

        for wrong in ["https://totp/ana?secret=x", "otpauth://totp/?secret=x", "ana", "otpauth://totp/%zz?secret=x"] {
            assert_eq!(otpauth(wrong.as_bytes()).err(), Some(Fault::NotOtpauth), "{wrong}");
        }
        let other = otpauth(format!("otpauth://yubikey/ana?secret={SECRET}").as_bytes()).unwrap();
        assert_eq!(entry(&other).err(), Some(Fault::Kind));
    }
}
