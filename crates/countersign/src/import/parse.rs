//! Parses one line of a list. Pure: a line goes in, an entry or a fault comes out.
//!
//! No fault repeats text of the line, because a secret may be in any column of a hand-made list.

use domain::model::hotp::{Algorithm, Hotp};
use domain::model::name;
use domain::model::totp::{PERIOD, Totp};
use domain::rules::import::{self, Unfit};
use domain::{Credential, Secret};
use engine::import::Token;
use zeroize::Zeroizing;

use super::fault::Fault;
use super::fields::Fields;

/// The device of a line.
pub(super) struct Entry {
    /// The device for the engine.
    pub(super) token: Token,
    /// `totp` or `hotp`.
    pub(super) kind: &'static str,
    /// The secret as the line spells it.
    pub(super) secret: Zeroizing<String>,
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
pub(super) fn base32(text: &str) -> Result<Secret, Fault> {
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

#[cfg(test)]
mod tests {
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
}
