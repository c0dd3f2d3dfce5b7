//! An enveloped XML signature (XML Signature Syntax and Processing, W3C 2008; SAML Core section 5): RSA with SHA-256
//! over exclusive canonical form, the whole element and nothing else referenced by its id, the certificate alongside.

use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

use crate::certificate::Certificate;
use crate::certified_key::CertifiedKey;
use crate::error::Error;
use crate::xml::Element;
use crate::xml::Namespace::Signature;

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

/// The element with a signature over itself. The schemas of assertion and response require it after the issuer. The
/// element must have an `ID`.
pub(crate) fn sign(element: Element, key: &CertifiedKey) -> Result<Element, Error> {
    let id = element.attribute("ID").ok_or(Error::Empty("the id of what is signed"))?;
    let digest = Sha256::digest(element.canonical()?);
    let signed_info = signed_info(id, &BASE64.encode(&digest));
    // Alone, `SignedInfo` declares its namespace, as in canonical form. Inside the signature it inherits it.
    let value = key.sign(signed_info.canonical()?.as_bytes())?;
    let signature = Element::new(Signature, "Signature")
        .child(signed_info)
        .child(Element::text(Signature, "SignatureValue", BASE64.encode(&value)))
        .child(key_info(key.certificate()));
    Ok(element.second(signature))
}

/// The certificate as signatures and metadata show it (XML Signature section 4.4.4).
pub(crate) fn key_info(certificate: &Certificate) -> Element {
    let certificate = Element::text(Signature, "X509Certificate", BASE64.encode(certificate.der()));
    Element::new(Signature, "KeyInfo").child(Element::new(Signature, "X509Data").child(certificate))
}

fn signed_info(id: &str, digest: &str) -> Element {
    let algorithm = |name, uri: &str| Element::new(Signature, name).with("Algorithm", uri);
    let transforms = Element::new(Signature, "Transforms")
        .child(algorithm("Transform", ENVELOPED))
        .child(algorithm("Transform", EXCLUSIVE));
    let reference = Element::new(Signature, "Reference")
        .with("URI", format!("#{id}"))
        .child(transforms)
        .child(algorithm("DigestMethod", SHA256))
        .child(Element::text(Signature, "DigestValue", digest));
    Element::new(Signature, "SignedInfo")
        .child(algorithm("CanonicalizationMethod", EXCLUSIVE))
        .child(algorithm("SignatureMethod", RSA_SHA256))
        .child(reference)
}
