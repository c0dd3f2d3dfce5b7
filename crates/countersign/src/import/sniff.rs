//! Recognizes files that are not a list, by their beginning: exports of authenticators and spreadsheets. The message names the
//! file's kind and how to make a list of it.

use super::fault::MIGRATION;

/// Beginnings of files that are not lists.
const BEGINNINGS: [(&[u8], &str); 22] = [
    (b"PK\x03\x04", "a spreadsheet (.xlsx, .ods) or a ZIP archive; save the sheet as CSV, or unpack the archive"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet of an old Excel; save it as CSV"),
    (b"\x1f\x8b", "compressed by gzip; unpack it first"),
    (b"BZh", "compressed by bzip2; unpack it first"),
    (b"\xfd7zXZ", "compressed by xz; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"\x89PNG", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF8", PICTURE),
    (b"RIFF", PICTURE),
    (b"%PDF", "a PDF; export the list as text"),
    (b"SQLite format 3\0", "an SQLite database; export its accounts as text"),
    (b"\x03\xd9\xa2\x9a", "a KeePass database; export it as CSV with the columns below"),
    (b"bplist", "a property list; export the accounts as text"),
    (b"Salted__", "encrypted; decrypt it, or export without a password"),
    (b"age-encryption.org", "encrypted by age; decrypt it first"),
    (b"-----BEGIN PGP", "encrypted or signed by PGP; decrypt it first"),
    (b"-----BEGIN", "a PEM file, that is a key or a certificate, and no list"),
    (b"dn:", "LDIF; write it as CSV with the columns below"),
    (b"<", "XML or HTML; write it as CSV with the columns below"),
    (b"BEGIN:VCARD", "a list of visiting cards; write it as CSV with the columns below"),
];

const PICTURE: &str = "a picture; read its QR code and put the otpauth:// address into a text file";

/// JSON of other programs: parts of its text, its name, and what to do.
const EXPORTS: [(&[&str], &str); 10] = [
    (
        &["\"db\"", "\"slots\": [", "\"header\""],
        "an encrypted export of Aegis; export it unencrypted, as a text file of otpauth:// addresses",
    ),
    (
        &["\"db\"", "\"header\""],
        "an export of Aegis; export it as a text file of otpauth:// addresses, or run: jq -c '.db.entries[] | \
         {username: .name, display_name: .issuer, type: .type, secret_base32: .info.secret, algorithm: .info.algo, \
         digits: .info.digits, period: .info.period, counter: .info.counter} | with_entries(select(.value != null))' FILE",
    ),
    (&["\"servicesEncrypted\""], "an encrypted backup of 2FAS; export it without a password"),
    (
        &["\"services\"", "\"schemaVersion\""],
        "a backup of 2FAS; run: jq -c '.services[] | {username: .otp.account, display_name: .otp.issuer, \
         secret_base32: .secret, algorithm: .otp.algorithm, digits: .otp.digits, period: .otp.period} | \
         with_entries(select(.value != null))' FILE",
    ),
    (&["\"tokenOrder\"", "\"tokens\""], "an export of FreeOTP+; export it as key URIs, which are otpauth:// addresses"),
    (
        &["\"secret\"", "\"used_frequency\""],
        "an export of andOTP; run: jq -c '.[] | {username: .label, display_name: .issuer, type: (.type | \
         ascii_downcase), secret_base32: .secret, algorithm, digits, period, counter} | \
         with_entries(select(.value != null))' FILE",
    ),
    (
        &["\"encrypted\": false", "\"items\""],
        "an export of Bitwarden; take username and secret out of its logins into a CSV with the columns below",
    ),
    (&["\"encrypted\": true"], "an encrypted export of Bitwarden; export it unencrypted"),
    (&["\"realm\"", "\"users\""], "an export of Keycloak; write its users as CSV with the columns below"),
    (
        &["\"secret\"", "\"kind\"", "\"timer\""],
        "an export of Raivo; run: jq -c '.[] | {username: .account, display_name: .issuer, type: (.kind | \
         ascii_downcase), secret_base32: .secret, algorithm, digits, period: .timer, counter}' FILE",
    ),
];

/// CSV of other programs: some of its columns, and its name.
const HEADERS: [(&[&str], &str); 3] = [
    (&["login_username", "login_totp"], "an export of Bitwarden"),
    (&["\"title\"", "\"totp\""], "an export of KeePassXC"),
    (&["grouping", "totp"], "an export of LastPass"),
];

/// The kind of a file with this beginning and what to do, if it is not a list.
pub(super) fn name(beginning: &[u8]) -> Option<String> {
    let text = beginning.trim_ascii_start();
    if let Some((_, is)) = BEGINNINGS.iter().find(|(mark, _)| text.starts_with(mark)) {
        let is = if text.starts_with(b"<") && contains(text, "KeyContainer") {
            "PSKC (RFC 6030); write its keys as CSV with the columns below, the secrets in Base32"
        } else {
            is
        };
        return Some((*is).to_owned());
    }
    if text.len() >= 17 && text[..17].eq_ignore_ascii_case(b"otpauth-migration") {
        return Some(MIGRATION.to_owned());
    }
    if beginning.contains(&0) {
        return Some("no text, or UTF-16 without a mark; save it as text in UTF-8".to_owned());
    }
    if text.starts_with(b"{") || text.starts_with(b"[") { json(text) } else { header(text) }
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}

/// The kind of a JSON text that is not an object a line.
fn json(text: &[u8]) -> Option<String> {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<serde::de::IgnoredAny>();
    let over_lines = match values.next() {
        Some(Ok(_)) => values.byte_offset() > first.len(),
        // The text is cut off; or it is broken, and then each line reports that.
        Some(Err(error)) => error.is_eof() && first.len() < text.len(),
        None => false,
    };
    // A first line that can be read belongs to a list.
    let ours = !over_lines && super::parse::json(first.trim_ascii()).is_ok();
    if ours {
        return None;
    }
    // Spaced, so that one spelling of each part is enough.
    let spaced = spaced(text);
    let known = EXPORTS.iter().find(|(parts, _)| parts.iter().all(|part| contains(&spaced, part)));
    match known {
        Some((_, is)) => Some((*is).to_owned()),
        None if text.starts_with(b"[") => Some("a JSON array; write an object a line: jq -c '.[]' FILE".to_owned()),
        None if over_lines => {
            Some("a JSON document over several lines; write an object a line: jq -c . FILE".to_owned())
        }
        None => None,
    }
}

/// The same JSON with one blank after each colon and no other blank outside of strings.
fn spaced(text: &[u8]) -> Vec<u8> {
    let (mut out, mut in_text, mut escaped) = (Vec::with_capacity(text.len()), false, false);
    for byte in text {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            out.push(*byte);
        } else if !byte.is_ascii_whitespace() {
            in_text = *byte == b'"';
            out.push(*byte);
            if *byte == b':' {
                out.push(b' ');
            }
        }
    }
    out
}

/// The kind of another program's CSV.
fn header(text: &[u8]) -> Option<String> {
    let first = text.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default().to_ascii_lowercase();
    let (_, whose) = HEADERS.iter().find(|(parts, _)| parts.iter().all(|part| contains(&first, part)))?;
    Some(format!("{whose}; rename its columns to those below and leave the others out"))
}
