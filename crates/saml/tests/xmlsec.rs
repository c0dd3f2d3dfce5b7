//! What others make of our documents: `xmlsec1` checks the signatures, `xmllint` says whether the text is exclusive
//! canonical form and reads values back. Where the two programs are missing the tests say so and pass, unless
//! `COUNTERSIGN_REQUIRE_XMLSEC` is set.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use countersign_saml::{
    Assertion, Attribute, AuthnContext, AuthnStatement, Binding, Certificate, CertifiedKey, Id, KeySize, Metadata,
    Moment, NameFormat, NameId, NameIdFormat, Response, SelfSigned, Signed, SingleSignOn, generate_private_key,
};
use tempfile::TempDir;

const REQUIRE: &str = "COUNTERSIGN_REQUIRE_XMLSEC";
const NOON: i64 = 1_772_366_400_000;
/// Everything that needs care: markup, quotes, white space at every place, letters of many lands, what looks like
/// escapes, what some parsers normalise, the ends of the planes.
const AWKWARD: &str = " \t\r\n<a b=\"c\" d='e'>&amp;&#13;]]></a><!-- x --> -- \r \r\n\n\t Größe Ωμέγα 漢字 😀 e\u{301} \u{85}\u{2028}\u{FEFF}\u{7F}\u{FFFD}\u{10FFFF} ";

/// What to sign: whether the response is signed too, and the path of each signature.
const SIGNATURES: [(Signed, &[&str]); 2] =
    [(Signed::Assertion, &[OF_ASSERTION]), (Signed::Both, &[OF_ASSERTION, OF_RESPONSE])];
const OF_ASSERTION: &str = "/*/*[local-name()='Assertion']/*[local-name()='Signature']";
const OF_RESPONSE: &str = "/*/*[local-name()='Signature']";

fn key() -> &'static CertifiedKey {
    static KEY: OnceLock<CertifiedKey> = OnceLock::new();
    KEY.get_or_init(|| new_key(KeySize::Rsa2048))
}

fn new_key(size: KeySize) -> CertifiedKey {
    let pkcs8 = generate_private_key(size).unwrap();
    let told = SelfSigned {
        common_name: "Countersign: Größe & Söhne".to_owned(),
        serial: *b"\xF0 sixteen bytes ",
        not_before: Moment(NOON - 86_400_000),
        not_after: Moment(NOON + 50 * 31_557_600_000),
    };
    let certificate = Certificate::self_signed(&pkcs8, &told).unwrap();
    CertifiedKey::new(&pkcs8, certificate).unwrap()
}

fn response(attributes: Vec<Attribute>) -> Response {
    let assertion = Assertion {
        id: Id::from_random([0xAB; 20]),
        issuer: "https://id.example.com/saml?a=1&b=\"2\"".to_owned(),
        issued_at: Moment(NOON),
        subject: NameId { format: NameIdFormat::Persistent, value: AWKWARD.to_owned() },
        recipient: "https://service.example.com/acs?a=1&b=<2>".to_owned(),
        audience: "https://service.example.com".to_owned(),
        not_before: Moment(NOON - 60_000),
        not_on_or_after: Moment(NOON + 300_000),
        authentication: AuthnStatement {
            at: Moment(NOON),
            session_index: AWKWARD.to_owned(),
            context: AuthnContext::TimeSyncToken,
        },
        attributes,
    };
    Response { id: Id::from_random([0xCD; 20]), assertion }
}

fn attribute(name: &str, values: &[&str]) -> Attribute {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Attribute { name: name.to_owned(), name_format: NameFormat::Basic, values }
}

/// Every character of the first planes that XML allows, and samples of the rest.
fn alphabet() -> String {
    let low = (0..0x3000).filter_map(char::from_u32);
    let high = (0x3000..=0x10_FFFF).step_by(97).filter_map(char::from_u32);
    let allowed = |character: &char| match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        other => *other >= ' ',
    };
    low.chain(high).filter(allowed).collect()
}

fn awkward() -> Response {
    response(vec![
        attribute(AWKWARD, &[AWKWARD, "", "\n", "\r", "\t", " "]),
        attribute("none", &[]),
        attribute(&alphabet(), &[&alphabet()]),
    ])
}

/// A folder for documents, and the programs that read them.
struct Desk(TempDir);

impl Desk {
    /// `None` if a program is missing and `COUNTERSIGN_REQUIRE_XMLSEC` is not set.
    fn new() -> Option<Self> {
        let missing =
            ["xmlsec1", "xmllint"].into_iter().find(|name| Command::new(name).arg("--version").output().is_err());
        if let Some(name) = missing {
            assert!(std::env::var_os(REQUIRE).is_none(), "{name} is missing, and {REQUIRE} is set");
            // Straight to standard error: what a passing test prints is otherwise swallowed.
            let _ = writeln!(std::io::stderr(), "skipped: {name} is missing, so it judged no SAML document");
            return None;
        }
        Some(Self(TempDir::new().unwrap()))
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Whether the signature at this place verifies with the certificate that the service was given.
    fn verifies(&self, xml: &str, signature: &str, certificate: &Certificate) -> bool {
        let (document, certificate) = (self.put("document.xml", xml), self.put("certificate.pem", &certificate.pem()));
        let mut xmlsec = Command::new("xmlsec1");
        xmlsec.args(["--verify", "--enabled-reference-uris", "same-doc", "--node-xpath", signature]);
        for element in ["assertion:Assertion", "protocol:Response"] {
            xmlsec.args(["--id-attr:ID", &format!("urn:oasis:names:tc:SAML:2.0:{element}")]);
        }
        xmlsec.arg("--pubkey-cert-pem").args([certificate, document]).output().unwrap().status.success()
    }

    /// What `xmllint` prints with these options, without the line break at its end.
    fn xmllint(&self, xml: &str, options: &[&str]) -> String {
        let document = self.put("document.xml", xml);
        let output = Command::new("xmllint").args(options).arg(document).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut text = String::from_utf8(output.stdout).unwrap();
        if text.ends_with('\n') {
            text.pop();
        }
        text
    }

    fn canonical(&self, xml: &str) -> bool {
        self.xmllint(xml, &["--exc-c14n"]) == xml
    }

    fn read(&self, xml: &str, path: &str) -> String {
        self.xmllint(xml, &["--xpath", &format!("string({path})")])
    }
}

#[test]
fn awkward_responses_verify() {
    let Some(desk) = Desk::new() else { return };
    for (signed, places) in SIGNATURES {
        let document = awkward().sign(key(), signed).unwrap();
        for place in places {
            assert!(desk.verifies(document.xml(), place, key().certificate()), "{signed:?} {place}");
        }
    }
}

#[test]
fn a_response_without_attributes_and_a_longer_key_verify() {
    let Some(desk) = Desk::new() else { return };
    let key = new_key(KeySize::Rsa3072);
    let document = response(Vec::new()).sign(&key, Signed::Both).unwrap();
    for place in [OF_ASSERTION, OF_RESPONSE] {
        assert!(desk.verifies(document.xml(), place, key.certificate()), "{place}");
    }
}

#[test]
fn every_document_is_in_exclusive_canonical_form() {
    let Some(desk) = Desk::new() else { return };
    for (signed, _) in SIGNATURES {
        assert!(desk.canonical(awkward().sign(key(), signed).unwrap().xml()), "{signed:?}");
    }
    let service = |binding| SingleSignOn { binding, location: format!("https://id.example.com/?q={AWKWARD}") };
    let metadata = Metadata {
        entity_id: "https://id.example.com/saml".to_owned(),
        certificates: vec![key().certificate().clone(), new_key(KeySize::Rsa2048).certificate().clone()],
        name_id_formats: vec![NameIdFormat::EmailAddress, NameIdFormat::Persistent],
        single_sign_on: vec![service(Binding::HttpRedirect), service(Binding::HttpPost)],
    };
    assert!(desk.canonical(&metadata.xml().unwrap()));
    assert!(!desk.canonical("<a b='1'/>"), "the comparison compares");
}

#[test]
fn values_are_read_back_as_they_were_given() {
    let Some(desk) = Desk::new() else { return };
    let document = awkward().sign(key(), Signed::Assertion).unwrap();
    let element = |name: &str| format!("//*[local-name()='{name}']");
    let attribute = |number: usize| format!("{}[{number}]", element("Attribute"));
    assert_eq!(desk.read(document.xml(), &element("NameID")), AWKWARD);
    assert_eq!(desk.read(document.xml(), &format!("{}/@SessionIndex", element("AuthnStatement"))), AWKWARD);
    assert_eq!(desk.read(document.xml(), &format!("{}/@Name", attribute(1))), AWKWARD);
    for (number, value) in (1..).zip([AWKWARD, "", "\n", "\r", "\t", " "]) {
        assert_eq!(desk.read(document.xml(), &format!("{}/*[{number}]", attribute(1))), value, "{number}");
    }
    assert_eq!(desk.read(document.xml(), &format!("{}/@Name", attribute(3))), alphabet());
    assert_eq!(desk.read(document.xml(), &format!("{}/*", attribute(3))), alphabet());
}

#[test]
fn a_tampered_response_fails() {
    let Some(desk) = Desk::new() else { return };
    let document = response(vec![attribute("role", &["reader"]), attribute("empty", &[""])]);
    let document = document.sign(key(), Signed::Both).unwrap();
    let certificate = key().certificate();
    for place in [OF_ASSERTION, OF_RESPONSE] {
        assert!(desk.verifies(document.xml(), place, certificate), "{place}");
    }
    let within = [
        (">reader<", ">writer<"),
        (">reader<", "> reader<"),
        ("Name=\"role\"", "Name=\"Role\""),
        ("<saml:AttributeValue></saml:AttributeValue>", "<saml:AttributeValue> </saml:AttributeValue>"),
        ("<saml:AttributeValue></saml:AttributeValue>", ""),
        ("nameid-format:persistent", "nameid-format:transient"),
        ("NotOnOrAfter=\"2026-03-01T12:05:00Z\"", "NotOnOrAfter=\"2036-03-01T12:05:00Z\""),
        ("<saml:Audience>https://service", "<saml:Audience>https://others"),
        (" 漢字 ", " 汉字 "),
    ];
    for (was, is) in within {
        let tampered = document.xml().replacen(was, is, 1);
        assert_ne!(tampered, document.xml(), "{was}");
        for place in [OF_ASSERTION, OF_RESPONSE] {
            assert!(!desk.verifies(&tampered, place, certificate), "{was} {place}");
        }
    }
    // Around the assertion only the signature of the response watches.
    let tampered = document.xml().replacen("status:Success", "status:Requester", 1);
    assert!(desk.verifies(&tampered, OF_ASSERTION, certificate));
    assert!(!desk.verifies(&tampered, OF_RESPONSE, certificate));
}

#[test]
fn a_tampered_signature_or_another_key_fails() {
    let Some(desk) = Desk::new() else { return };
    let document = response(Vec::new()).sign(key(), Signed::Assertion).unwrap();
    let certificate = key().certificate();
    assert!(desk.verifies(document.xml(), OF_ASSERTION, certificate));
    assert!(!desk.verifies(document.xml(), OF_ASSERTION, new_key(KeySize::Rsa2048).certificate()));
    let (before, after) = document.xml().split_once("<ds:SignatureValue>").unwrap();
    let other = if after.starts_with('A') { 'B' } else { 'A' };
    let tampered = format!("{before}<ds:SignatureValue>{other}{}", &after[1..]);
    assert!(!desk.verifies(&tampered, OF_ASSERTION, certificate));
}
