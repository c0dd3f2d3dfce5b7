//! What a response says, and how that becomes XML (SAML Core sections 2 and 3; SAML Profiles section 4.1.4.2, the
//! browser profile without a request before it). What must be the same in several places, such as the issuer of the
//! response and of its assertion, is said once here and written out everywhere.

use data_encoding::BASE64;

use crate::certified_key::CertifiedKey;
use crate::error::Error;
use crate::moment::Moment;
use crate::names::{AuthnContext, Id, NameFormat, NameIdFormat};
use crate::signature;
use crate::xml::Namespace::{Assertion as Saml, Protocol};
use crate::xml::{Element, filled};

const VERSION: &str = "2.0";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// A successful response with one assertion (SAML Core section 3.3.3). Its issuer, its moment and its destination are
/// those of the assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Id of the response, another one than that of the assertion.
    pub id: Id,
    /// What is asserted.
    pub assertion: Assertion,
}

/// What is said about somebody, to whom, and for how long (SAML Core section 2.3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Id of the assertion.
    pub id: Id,
    /// Who says it: the entity id of our metadata (2.2.5).
    pub issuer: String,
    /// When it was said; not necessarily within its validity, which may begin earlier for slow clocks.
    pub issued_at: Moment,
    /// Whom it is about (2.4.1).
    pub subject: NameId,
    /// The address of the service's assertion consumer: `Recipient` (2.4.1.2) and `Destination` (3.2.2).
    pub recipient: String,
    /// The entity id of the service (2.5.1.4).
    pub audience: String,
    /// Start of its validity (2.5.1.2).
    pub not_before: Moment,
    /// End of its validity (2.5.1.2), and of its acceptance by the service (2.4.1.2).
    pub not_on_or_after: Moment,
    /// How and when the subject was authenticated (2.7.2).
    pub authentication: AuthnStatement,
    /// Attributes of the subject (2.7.3).
    pub attributes: Vec<Attribute>,
}

/// The name of a subject (SAML Core section 2.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameId {
    /// The format of `value`.
    pub format: NameIdFormat,
    /// The text of the name, not blank.
    pub value: String,
}

/// An act of authentication (SAML Core section 2.7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthnStatement {
    /// The moment of authentication.
    pub at: Moment,
    /// The id of the session that it opened.
    pub session_index: String,
    /// The means of authentication.
    pub context: AuthnContext,
}

/// A named list of values (SAML Core section 2.7.3.1). A value may be empty, and there may be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute's name, not blank.
    pub name: String,
    /// The format of the name.
    pub name_format: NameFormat,
    /// The values, in the order given.
    pub values: Vec<String>,
}

/// Which elements are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// Only the assertion, as the browser profile requires (SAML Profiles section 4.1.3.5).
    Assertion,
    /// The assertion, and the response around it.
    Both,
}

/// A signed response. Its holder can log in, so `Debug` does not show it (SEC 48).
#[derive(Clone, PartialEq, Eq)]
pub struct SignedResponse(String);

impl Response {
    /// Writes the response and signs it.
    pub fn sign(&self, key: &CertifiedKey, signed: Signed) -> Result<SignedResponse, Error> {
        if self.id == self.assertion.id {
            return Err(Error::SameId);
        }
        let assertion = signature::sign(self.assertion.element()?, key)?;
        let response = self.element(assertion)?;
        let response = match signed {
            Signed::Assertion => response,
            Signed::Both => signature::sign(response, key)?,
        };
        response.canonical().map(SignedResponse)
    }

    fn element(&self, assertion: Element) -> Result<Element, Error> {
        let said = &self.assertion;
        let code = Element::new(Protocol, "StatusCode").with("Value", SUCCESS);
        Ok(Element::new(Protocol, "Response")
            .with("Destination", filled(&said.recipient, "the recipient")?)
            .with("ID", self.id.as_str())
            .with("IssueInstant", said.issued_at.date_time("the issue instant")?)
            .with("Version", VERSION)
            .child(said.issuer()?)
            .child(Element::new(Protocol, "Status").child(code))
            .child(assertion))
    }
}

impl Assertion {
    fn element(&self) -> Result<Element, Error> {
        Ok(Element::new(Saml, "Assertion")
            .with("ID", self.id.as_str())
            .with("IssueInstant", self.issued_at.date_time("the issue instant")?)
            .with("Version", VERSION)
            .child(self.issuer()?)
            .child(self.subject()?)
            .child(self.conditions()?)
            .child(self.authentication()?)
            .children(self.attributes()?))
    }

    fn issuer(&self) -> Result<Element, Error> {
        Ok(Element::text(Saml, "Issuer", filled(&self.issuer, "the issuer")?))
    }

    /// The confirmation has no `NotBefore`, which is forbidden for bearers, and no `InResponseTo`, which is forbidden for
    /// unsolicited responses (SAML Profiles sections 4.1.4.2 and 4.1.5).
    fn subject(&self) -> Result<Element, Error> {
        let name = Element::text(Saml, "NameID", filled(&self.subject.value, "the name of the subject")?)
            .with("Format", self.subject.format.uri());
        let data = Element::new(Saml, "SubjectConfirmationData")
            .with("NotOnOrAfter", self.not_on_or_after.date_time("the end of validity")?)
            .with("Recipient", filled(&self.recipient, "the recipient")?);
        let confirmation = Element::new(Saml, "SubjectConfirmation").with("Method", BEARER).child(data);
        Ok(Element::new(Saml, "Subject").child(name).child(confirmation))
    }

    fn conditions(&self) -> Result<Element, Error> {
        if self.not_before.seconds() >= self.not_on_or_after.seconds() {
            return Err(Error::Period("the assertion"));
        }
        let audience = Element::text(Saml, "Audience", filled(&self.audience, "the audience")?);
        Ok(Element::new(Saml, "Conditions")
            .with("NotBefore", self.not_before.date_time("the begin of validity")?)
            .with("NotOnOrAfter", self.not_on_or_after.date_time("the end of validity")?)
            .child(Element::new(Saml, "AudienceRestriction").child(audience)))
    }

    fn authentication(&self) -> Result<Element, Error> {
        let AuthnStatement { at, session_index, context } = &self.authentication;
        let class =
            Element::text(Saml, "AuthnContextClassRef", filled(context.uri(), "the context of authentication")?);
        Ok(Element::new(Saml, "AuthnStatement")
            .with("AuthnInstant", at.date_time("the moment of authentication")?)
            .with("SessionIndex", filled(session_index, "the session index")?)
            .child(Element::new(Saml, "AuthnContext").child(class)))
    }

    /// `None` without attributes: the schema requires at least one in the statement.
    fn attributes(&self) -> Result<Option<Element>, Error> {
        if self.attributes.is_empty() {
            return Ok(None);
        }
        let attributes: Vec<_> = self.attributes.iter().map(Attribute::element).collect::<Result<_, _>>()?;
        Ok(Some(Element::new(Saml, "AttributeStatement").children(attributes)))
    }
}

impl Attribute {
    /// Values have no `xsi:type`. It is optional, and its value would use a prefix that exclusive canonicalisation
    /// ignores.
    fn element(&self) -> Result<Element, Error> {
        let values = self.values.iter().map(|value| Element::text(Saml, "AttributeValue", value));
        Ok(Element::new(Saml, "Attribute")
            .with("Name", filled(&self.name, "the name of an attribute")?)
            .with("NameFormat", self.name_format.uri())
            .children(values))
    }
}

impl SignedResponse {
    /// The XML text.
    pub fn xml(&self) -> &str {
        &self.0
    }

    /// Standard Base64 in one line, for a form or an API answer (contract 6.1; SAML Bindings section 3.5.4).
    pub fn base64(&self) -> String {
        BASE64.encode(self.0.as_bytes())
    }
}

impl std::fmt::Debug for SignedResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedResponse({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Certificate, KeySize, SelfSigned, generate_private_key};

    const NOON: i64 = 1_772_366_400_000;

    fn key() -> CertifiedKey {
        let pkcs8 = generate_private_key(KeySize::Rsa2048).unwrap();
        let told = SelfSigned {
            common_name: "Countersign".to_owned(),
            serial: [1; 16],
            not_before: Moment(NOON),
            not_after: Moment(NOON + 1_000),
        };
        let certificate = Certificate::self_signed(&pkcs8, &told).unwrap();
        CertifiedKey::new(&pkcs8, certificate).unwrap()
    }

    fn response() -> Response {
        let assertion = Assertion {
            id: Id::from_random([0xAB; 20]),
            issuer: "https://id.example.com/saml".to_owned(),
            issued_at: Moment(NOON),
            subject: NameId { format: NameIdFormat::EmailAddress, value: "jane@example.com".to_owned() },
            recipient: "https://service.example.com/acs".to_owned(),
            audience: "https://service.example.com".to_owned(),
            not_before: Moment(NOON - 60_000),
            not_on_or_after: Moment(NOON + 300_000),
            authentication: AuthnStatement {
                at: Moment(NOON - 5_000),
                session_index: "_s1".to_owned(),
                context: AuthnContext::PasswordProtectedTransport,
            },
            attributes: vec![
                Attribute {
                    name: "groups".to_owned(),
                    name_format: NameFormat::Basic,
                    values: vec!["R&D".to_owned(), String::new()],
                },
                Attribute { name: "none".to_owned(), name_format: NameFormat::Unspecified, values: Vec::new() },
            ],
        };
        Response { id: Id::from_random([0xCD; 20]), assertion }
    }

    /// The document without its signatures, and how many there were.
    fn unsigned(xml: &str) -> (String, usize) {
        let (mut rest, mut out, mut count) = (xml, String::new(), 0);
        while let Some((before, after)) = rest.split_once("<ds:Signature ") {
            out.push_str(before);
            rest = after.split_once("</ds:Signature>").unwrap().1;
            count += 1;
        }
        (out + rest, count)
    }

    #[test]
    fn a_response_says_what_it_was_told_to() {
        let signed = response().sign(&key(), Signed::Assertion).unwrap();
        let expected = concat!(
            r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" "#,
            r#"Destination="https://service.example.com/acs" ID="_cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" "#,
            r#"IssueInstant="2026-03-01T12:00:00Z" Version="2.0">"#,
            r#"<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://id.example.com/saml</saml:Issuer>"#,
            r#"<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode>"#,
            r#"</samlp:Status>"#,
            r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" "#,
            r#"ID="_abababababababababababababababababababab" IssueInstant="2026-03-01T12:00:00Z" Version="2.0">"#,
            r#"<saml:Issuer>https://id.example.com/saml</saml:Issuer>"#,
            r#"<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">"#,
            r#"jane@example.com</saml:NameID>"#,
            r#"<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">"#,
            r#"<saml:SubjectConfirmationData NotOnOrAfter="2026-03-01T12:05:00Z" "#,
            r#"Recipient="https://service.example.com/acs"></saml:SubjectConfirmationData>"#,
            r#"</saml:SubjectConfirmation></saml:Subject>"#,
            r#"<saml:Conditions NotBefore="2026-03-01T11:59:00Z" NotOnOrAfter="2026-03-01T12:05:00Z">"#,
            r#"<saml:AudienceRestriction><saml:Audience>https://service.example.com</saml:Audience>"#,
            r#"</saml:AudienceRestriction></saml:Conditions>"#,
            r#"<saml:AuthnStatement AuthnInstant="2026-03-01T11:59:55Z" SessionIndex="_s1"><saml:AuthnContext>"#,
            r#"<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"#,
            r#"</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"#,
            r#"<saml:AttributeStatement>"#,
            r#"<saml:Attribute Name="groups" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic">"#,
            r#"<saml:AttributeValue>R&amp;D</saml:AttributeValue><saml:AttributeValue></saml:AttributeValue>"#,
            r#"</saml:Attribute>"#,
            r#"<saml:Attribute Name="none" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified">"#,
            r#"</saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>"#,
        );
        assert_eq!(unsigned(signed.xml()), (expected.to_owned(), 1));
        assert_eq!(BASE64.decode(signed.base64().as_bytes()).unwrap(), signed.xml().as_bytes());
    }

    #[test]
    fn a_signature_stands_behind_the_issuer_of_what_it_signs() {
        let key = key();
        let (one, both) = [Signed::Assertion, Signed::Both].map(|signed| response().sign(&key, signed).unwrap()).into();
        assert_eq!(unsigned(one.xml()).0, unsigned(both.xml()).0);
        assert_eq!(unsigned(both.xml()).1, 2);
        let behind_issuer = |xml: &str| xml.matches("</saml:Issuer><ds:Signature ").count();
        assert_eq!((behind_issuer(one.xml()), behind_issuer(both.xml())), (1, 2));
        let references = |xml: &str| {
            let parts = xml.split("URI=\"#_").skip(1);
            parts.map(|part| part[..2].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(references(both.xml()), ["cd", "ab"]);
    }

    #[test]
    fn the_same_response_is_the_same_text() {
        let key = key();
        assert_eq!(response().sign(&key, Signed::Both), response().sign(&key, Signed::Both));
    }

    #[test]
    fn nobody_without_attributes_has_an_attribute_statement() {
        let mut response = response();
        response.assertion.attributes.clear();
        assert!(!response.sign(&key(), Signed::Both).unwrap().xml().contains("AttributeStatement"));
    }

    #[test]
    fn what_must_not_be_empty_is_refused_when_it_is() {
        let key = key();
        let spoilers: [fn(&mut Assertion); 7] = [
            |assertion| assertion.issuer.clear(),
            |assertion| assertion.subject.value = " \t\r\n".to_owned(),
            |assertion| assertion.recipient.clear(),
            |assertion| assertion.audience.clear(),
            |assertion| assertion.authentication.session_index.clear(),
            |assertion| assertion.authentication.context = AuthnContext::Other(String::new()),
            |assertion| assertion.attributes[0].name.clear(),
        ];
        for (number, spoil) in spoilers.into_iter().enumerate() {
            let mut response = response();
            spoil(&mut response.assertion);
            let refused = response.sign(&key, Signed::Assertion);
            assert!(matches!(refused, Err(Error::Empty(_))), "{number}: {refused:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let key = key();
        let sign = |response: Response| response.sign(&key, Signed::Both).unwrap_err();
        let same = Response { id: response().assertion.id, ..response() };
        assert_eq!(sign(same), Error::SameId);
        let mut short = response();
        short.assertion.not_on_or_after = Moment(short.assertion.not_before.0 + 999);
        assert_eq!(sign(short), Error::Period("the assertion"));
        let mut control = response();
        control.assertion.attributes[0].values.push("\u{0}".to_owned());
        assert_eq!(sign(control), Error::Character('\0'));
    }

    #[test]
    fn a_signed_response_does_not_show_itself() {
        let signed = response().sign(&key(), Signed::Assertion).unwrap();
        assert!(format!("{signed:?}").len() < 40, "{signed:?}");
    }
}
