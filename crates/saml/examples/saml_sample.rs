//! Writes a sample for others to judge: `cargo run -p countersign-saml --example saml_sample -- FOLDER UNIX_SECONDS` puts
//! `response.xml`, `both.xml` (response signed too), their Base64 beside them, `certificate.pem`, `certificate.der` and
//! `metadata.xml` into a folder. The response is for AWS and holds from a minute before the given moment to five after.
//! `conformance/python/saml_accept.py` reads them.

use std::path::Path;

use countersign_saml::{
    Assertion, Attribute, AuthnContext, AuthnStatement, Binding, Certificate, CertifiedKey, Id, KeySize, Metadata,
    Moment, NameFormat, NameId, NameIdFormat, Response, SelfSigned, Signed, SingleSignOn, aws, generate_private_key,
};

const ISSUER: &str = "https://id.example.com/saml";
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(now)) = (arguments.next(), arguments.next()) else {
        return Err("the arguments are a folder and the time in seconds since 1970".into());
    };
    let (folder, now) = (Path::new(&folder), now.parse::<i64>()?.saturating_mul(1_000));
    let key = key(now)?;
    for (name, signed) in [("response", Signed::Assertion), ("both", Signed::Both)] {
        let response = response(now)?.sign(&key, signed)?;
        std::fs::write(folder.join(format!("{name}.xml")), response.xml())?;
        std::fs::write(folder.join(format!("{name}.b64")), response.base64())?;
    }
    std::fs::write(folder.join("certificate.pem"), key.certificate().pem())?;
    std::fs::write(folder.join("certificate.der"), key.certificate().der())?;
    std::fs::write(folder.join("metadata.xml"), metadata(&key).xml()?)?;
    Ok(())
}

fn key(now: i64) -> Result<CertifiedKey, countersign_saml::Error> {
    let pkcs8 = generate_private_key(KeySize::Rsa2048)?;
    let told = SelfSigned {
        common_name: "Countersign sample".to_owned(),
        serial: *b"a sample serial.",
        not_before: Moment(now - DAY),
        not_after: Moment(now + 3_650 * DAY),
    };
    let certificate = Certificate::self_signed(&pkcs8, &told)?;
    CertifiedKey::new(&pkcs8, certificate)
}

fn response(now: i64) -> Result<Response, countersign_saml::Error> {
    let role = |name| aws::Role {
        role_arn: format!("arn:aws:iam::123456789012:role/{name}"),
        provider_arn: "arn:aws:iam::123456789012:saml-provider/Countersign".to_owned(),
    };
    let mut attributes = aws::attributes(&[role("Reader"), role("team/Writer")], "jane@example.com", Some(3_600))?;
    let awkward = [" <a&b>\t\"c\"\r\n'd' Größe 漢字 😀 ]]> ", "", "<!-- x -->"];
    attributes.push(Attribute {
        name: "awkward <&>\"\t\n\r".to_owned(),
        name_format: NameFormat::Unspecified,
        values: awkward.map(str::to_owned).to_vec(),
    });
    let assertion = Assertion {
        id: Id::from_random([0xA5; Id::BYTES]),
        issuer: ISSUER.to_owned(),
        issued_at: Moment(now),
        subject: NameId { format: NameIdFormat::Persistent, value: "jane & joe <jane@example.com>".to_owned() },
        recipient: aws::ASSERTION_CONSUMER.to_owned(),
        audience: aws::AUDIENCE.to_owned(),
        not_before: Moment(now - MINUTE),
        not_on_or_after: Moment(now + 5 * MINUTE),
        authentication: AuthnStatement {
            at: Moment(now),
            session_index: "_sample".to_owned(),
            context: AuthnContext::TimeSyncToken,
        },
        attributes,
    };
    Ok(Response { id: Id::from_random([0x5A; Id::BYTES]), assertion })
}

fn metadata(key: &CertifiedKey) -> Metadata {
    Metadata {
        entity_id: ISSUER.to_owned(),
        certificates: vec![key.certificate().clone()],
        name_id_formats: vec![NameIdFormat::EmailAddress, NameIdFormat::Persistent],
        single_sign_on: vec![SingleSignOn {
            binding: Binding::HttpRedirect,
            location: "https://id.example.com/login?a=1&b=2".to_owned(),
        }],
    }
}
