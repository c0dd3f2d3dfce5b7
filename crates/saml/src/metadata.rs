//! The metadata that a service reads (SAML Metadata sections 2.3.2 and 2.4.3): our entity id, the certificates of our
//! signatures, and the log-in addresses. During a key rotation it lists the old and the new certificate.

use crate::certificate::Certificate;
use crate::error::Error;
use crate::names::NameIdFormat;
use crate::signature::key_info;
use crate::xml::Namespace::Metadata as Md;
use crate::xml::{Element, Namespace, filled};

/// The description of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Our entity id: the issuer of every assertion.
    pub entity_id: String,
    /// The certificates that verify our signatures: at least one, the current one first.
    pub certificates: Vec<Certificate>,
    /// The formats of our subjects' names.
    pub name_id_formats: Vec<NameIdFormat>,
    /// The log-in addresses: at least one.
    pub single_sign_on: Vec<SingleSignOn>,
}

/// A log-in address (SAML Metadata section 2.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleSignOn {
    /// How the browser sends its request.
    pub binding: Binding,
    /// The URL where users log in.
    pub location: String,
}

/// How a browser carries a message (SAML Bindings section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// In the query of a URL (3.4).
    HttpRedirect,
    /// In a form (3.5).
    HttpPost,
}

impl Binding {
    /// The URI of this binding.
    pub fn uri(self) -> &'static str {
        match self {
            Self::HttpRedirect => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            Self::HttpPost => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        }
    }
}

impl Metadata {
    /// The XML document. It is not signed: it is fetched over TLS or copied by hand.
    pub fn xml(&self) -> Result<String, Error> {
        if self.certificates.is_empty() {
            return Err(Error::Empty("the list of certificates"));
        }
        if self.single_sign_on.is_empty() {
            return Err(Error::Empty("the list of log-in addresses"));
        }
        let keys = self
            .certificates
            .iter()
            .map(|certificate| Element::new(Md, "KeyDescriptor").with("use", "signing").child(key_info(certificate)));
        let formats = self.name_id_formats.iter().map(|format| Element::text(Md, "NameIDFormat", format.uri()));
        let services: Vec<_> = self.single_sign_on.iter().map(SingleSignOn::element).collect::<Result<_, _>>()?;
        let provider = Element::new(Md, "IDPSSODescriptor")
            .with("WantAuthnRequestsSigned", "false")
            .with("protocolSupportEnumeration", Namespace::Protocol.uri())
            .children(keys)
            .children(formats)
            .children(services);
        Element::new(Md, "EntityDescriptor")
            .with("entityID", filled(&self.entity_id, "the entity id")?)
            .child(provider)
            .canonical()
    }
}

impl SingleSignOn {
    fn element(&self) -> Result<Element, Error> {
        Ok(Element::new(Md, "SingleSignOnService")
            .with("Binding", self.binding.uri())
            .with("Location", filled(&self.location, "a log-in address")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            entity_id: "https://id.example.com/saml".to_owned(),
            certificates: vec![Certificate::from_der(vec![1]), Certificate::from_der(vec![2])],
            name_id_formats: vec![NameIdFormat::EmailAddress],
            single_sign_on: vec![SingleSignOn {
                binding: Binding::HttpRedirect,
                location: "https://id.example.com/login?a=1&b=2".to_owned(),
            }],
        }
    }

    #[test]
    fn metadata_names_both_certificates_of_a_rotation() {
        let key = |base64| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
                 <ds:X509Data><ds:X509Certificate>{base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
                 </md:KeyDescriptor>"
            )
        };
        let expected = [
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
             entityID=\"https://id.example.com/saml\"><md:IDPSSODescriptor WantAuthnRequestsSigned=\"false\" \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">",
            &key("AQ=="),
            &key("Ag=="),
            "<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\
             <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
             Location=\"https://id.example.com/login?a=1&amp;b=2\"></md:SingleSignOnService>\
             </md:IDPSSODescriptor></md:EntityDescriptor>",
        ];
        assert_eq!(metadata().xml().unwrap(), expected.concat());
    }

    #[test]
    fn metadata_that_would_serve_nobody_is_refused() {
        let refused = |metadata: Metadata| matches!(metadata.xml(), Err(Error::Empty(_)));
        assert!(refused(Metadata { entity_id: String::new(), ..metadata() }));
        assert!(refused(Metadata { certificates: Vec::new(), ..metadata() }));
        assert!(refused(Metadata { single_sign_on: Vec::new(), ..metadata() }));
        assert!(metadata().xml().is_ok());
    }
}
