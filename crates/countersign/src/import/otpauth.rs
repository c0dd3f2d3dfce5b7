//! Reads a line that is an `otpauth://` address.

use super::fault::Fault;
use super::fields::{Fields, given};

/// Parameters of various apps that change the codes. A device created without them would never match.
pub(super) const CODE_PARAMETERS: [&str; 21] = [
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
pub(super) fn read(line: &[u8]) -> Result<Fields, Fault> {
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
            "secret" | "algorithm" | "digits" | "period" | "counter" => {
                let field = if name == "secret" { "secret_base32" } else { &name };
                if !fields.set_once(field, &value) {
                    return Err(Fault::FieldTwice);
                }
            }
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use domain::Credential;
    use domain::model::hotp::Algorithm;

    use super::super::parse::entry;
    use super::*;

    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

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
    fn an_address_names_user_and_issuer() {
        let address = format!("otpauth://totp/Acme%20Inc:ana%40example.com?secret={SECRET}&algorithm=SHA512&digits=8");
        let fields = read(address.as_bytes()).unwrap();
        assert_eq!(fields.username.as_deref(), Some("ana@example.com"));
        let found = entry(&fields).unwrap().unwrap();
        assert_eq!(found.token.display_name.as_deref(), Some("Acme Inc"));
        let Credential::Totp(totp) = &found.token.credential else { panic!("not a TOTP device") };
        assert_eq!((totp.algorithm, totp.digits, totp.period), (Algorithm::Sha512, 8, 30));

        let fields = read(format!("otpauth://hotp/ben?secret={SECRET}&counter=5&issuer=X&image=y").as_bytes()).unwrap();
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
            assert_eq!(read(wrong.as_bytes()).err(), Some(Fault::NotOtpauth), "{wrong}");
        }
        let other = read(format!("otpauth://yubikey/ana?secret={SECRET}").as_bytes()).unwrap();
        assert_eq!(entry(&other).err(), Some(Fault::Kind));
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
                        let fields = read(address.as_bytes()).unwrap();
                        let found = (fields.username.as_deref(), fields.display_name.as_deref());
                        assert_eq!(found, (Some(account), Some(issuer)), "{address}");
                    }
                }
                // Without the parameter the unencoded colon separates.
                let fields = read(format!("otpauth://totp/{i}:{a}?secret={SECRET}").as_bytes()).unwrap();
                assert_eq!((fields.username.as_deref(), fields.display_name.as_deref()), (Some(account), Some(issuer)));
            }
        }
        let last = read(format!("otpauth://totp/a%3Ab%3Aana?secret={SECRET}").as_bytes()).unwrap();
        assert_eq!((last.username.as_deref(), last.display_name.as_deref()), (Some("ana"), Some("a:b")));
    }

    #[test]
    fn a_qr_code_may_shout() {
        let address = format!("OTPAUTH://HOTP/ACME:JAN?SECRET={SECRET}&COUNTER=4&Digits=8&ISSUER=ACME");
        let fields = read(address.as_bytes()).unwrap();
        let found = entry(&fields).unwrap().unwrap();
        assert_eq!((found.kind, found.token.counter, fields.username.as_deref()), ("hotp", 4, Some("JAN")));
        assert_eq!(found.token.display_name.as_deref(), Some("ACME"));
    }

    #[test]
    fn a_parameter_that_changes_codes_is_not_ignored() {
        for name in CODE_PARAMETERS {
            let address = format!("otpauth://totp/Acme:ana?secret={SECRET}&{}=5", name.to_ascii_uppercase());
            let fault = read(address.as_bytes()).err().unwrap();
            assert!(fault == Fault::Parameter(name) && fault.to_string().contains(name), "{fault}");
        }
        let twice = format!("otpauth://totp/ana?secret={SECRET}&digits=6&digits=8");
        assert_eq!(read(twice.as_bytes()).err(), Some(Fault::FieldTwice));
        let harmless =
            format!("otpauth://totp/ana?secret={SECRET}&image=https://x/y&color=red&lock=true&codeDisplay=z");
        assert!(entry(&read(harmless.as_bytes()).unwrap()).is_ok());
    }
}
