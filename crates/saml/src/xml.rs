//! A tree of elements that can be written in one way only: exclusive canonical form (Exclusive XML Canonicalization 1.0,
//! without comments). Writing a sub-tree alone gives the same text as canonicalising it inside its document, so a
//! signature can be made over the text directly.
//!
//! The rules: a namespace is declared at the outermost element that uses it, and always has the same prefix. Attributes
//! have no prefix and are sorted by name. Every element has an end tag. Only the escapes of Canonical XML 1.0 section 2.3
//! are used. There is no declaration, comment or entity.

use std::collections::BTreeMap;

use crate::error::Error;

/// The namespaces in use, each with a fixed prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    Assertion,
    /// The response around an assertion.
    Protocol,
    Metadata,
    Signature,
}

impl Namespace {
    fn prefix(self) -> &'static str {
        match self {
            Self::Assertion => "saml",
            Self::Protocol => "samlp",
            Self::Metadata => "md",
            Self::Signature => "ds",
        }
    }

    pub(crate) fn uri(self) -> &'static str {
        match self {
            Self::Assertion => "urn:oasis:names:tc:SAML:2.0:assertion",
            Self::Protocol => "urn:oasis:names:tc:SAML:2.0:protocol",
            Self::Metadata => "urn:oasis:names:tc:SAML:2.0:metadata",
            Self::Signature => "http://www.w3.org/2000/09/xmldsig#",
        }
    }
}

/// An element. It holds either text or elements: SAML needs no mixed content.
#[derive(Clone)]
pub(crate) struct Element {
    namespace: Namespace,
    name: &'static str,
    attributes: BTreeMap<&'static str, String>,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Text(String),
    Elements(Vec<Element>),
}

impl Element {
    /// An element without content.
    pub(crate) fn new(namespace: Namespace, name: &'static str) -> Self {
        Self { namespace, name, attributes: BTreeMap::new(), content: Content::Elements(Vec::new()) }
    }

    /// An element that holds text.
    pub(crate) fn text(namespace: Namespace, name: &'static str, text: impl Into<String>) -> Self {
        Self { content: Content::Text(text.into()), ..Self::new(namespace, name) }
    }

    /// Adds an attribute.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.insert(name, value.into());
        self
    }

    /// Appends an element.
    pub(crate) fn child(self, child: Element) -> Self {
        self.children([child])
    }

    /// Appends elements. They replace text.
    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        let mut elements = match self.content {
            Content::Elements(elements) => elements,
            Content::Text(_) => Vec::new(),
        };
        elements.extend(children);
        self.content = Content::Elements(elements);
        self
    }

    /// Inserts an element after the first one.
    pub(crate) fn second(mut self, child: Element) -> Self {
        if let Content::Elements(elements) = &mut self.content {
            elements.insert(elements.len().min(1), child);
        }
        self
    }

    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// The text of this element with its content, in exclusive canonical form.
    pub(crate) fn canonical(&self) -> Result<String, Error> {
        let mut out = String::new();
        self.write(&mut out, &mut Vec::new())?;
        Ok(out)
    }

    /// `declared` holds the namespaces that the outer elements declare.
    fn write(&self, out: &mut String, declared: &mut Vec<Namespace>) -> Result<(), Error> {
        let outside = declared.len();
        let prefix = self.namespace.prefix();
        out.extend(["<", prefix, ":", self.name]);
        if !declared.contains(&self.namespace) {
            declared.push(self.namespace);
            out.extend([" xmlns:", prefix, "=\"", self.namespace.uri(), "\""]);
        }
        for (name, value) in &self.attributes {
            out.extend([" ", name, "=\""]);
            escape(value, attribute_escape, out)?;
            out.push('"');
        }
        out.push('>');
        match &self.content {
            Content::Text(text) => escape(text, text_escape, out)?,
            Content::Elements(elements) => elements.iter().try_for_each(|element| element.write(out, declared))?,
        }
        out.extend(["</", prefix, ":", self.name, ">"]);
        declared.truncate(outside);
        Ok(())
    }
}

fn escape(text: &str, escaped: fn(char) -> Option<&'static str>, out: &mut String) -> Result<(), Error> {
    for character in text.chars() {
        match escaped(character) {
            Some(escape) => out.push_str(escape),
            None if allowed(character) => out.push(character),
            None => return Err(Error::Character(character)),
        }
    }
    Ok(())
}

/// Canonical XML 1.0 section 2.3, text nodes.
fn text_escape(character: char) -> Option<&'static str> {
    match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#xD;"),
        _ => None,
    }
}

/// Canonical XML 1.0 section 2.3, attribute nodes.
fn attribute_escape(character: char) -> Option<&'static str> {
    match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#x9;"),
        '\n' => Some("&#xA;"),
        '\r' => Some("&#xD;"),
        _ => None,
    }
}

/// Whether XML allows every character of a text.
pub fn is_writable(text: &str) -> bool {
    text.chars().all(allowed)
}

/// The value, unless it is empty or blank (SAML Core sections 1.3.1 and 1.3.2).
pub(crate) fn filled<'a>(value: &'a str, what: &'static str) -> Result<&'a str, Error> {
    if value.trim_matches(|character| matches!(character, ' ' | '\t' | '\r' | '\n')).is_empty() {
        return Err(Error::Empty(what));
    }
    Ok(value)
}

/// XML 1.0 section 2.2, production `Char`. A `char` is never a surrogate.
fn allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::Namespace::{Assertion, Protocol, Signature};
    use super::*;

    const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

    #[test]
    fn attributes_stand_in_order_and_every_element_ends() {
        let element = Element::new(Assertion, "A").with("b", "2").with("a", "1").with("B", "0");
        let expected = format!(r#"<saml:A xmlns:saml="{SAML}" B="0" a="1" b="2"></saml:A>"#);
        assert_eq!(element.canonical().unwrap(), expected);
    }

    #[test]
    fn a_namespace_is_declared_where_it_is_first_used_and_again_in_the_next_branch() {
        let leaf = || Element::new(Signature, "L").child(Element::new(Signature, "M"));
        let tree = Element::new(Protocol, "R").child(leaf()).child(leaf());
        let branch = r#"<ds:L xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:M></ds:M></ds:L>"#;
        let expected =
            format!(r#"<samlp:R xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">{branch}{branch}</samlp:R>"#);
        assert_eq!(tree.canonical().unwrap(), expected);
        assert_eq!(leaf().canonical().unwrap(), branch);
    }

    #[test]
    fn text_and_attributes_are_escaped_each_in_its_way() {
        let awkward = "<&>\"'\t\n\r ü😀";
        let element = Element::text(Assertion, "A", awkward).with("a", awkward);
        let expected = format!(
            "<saml:A xmlns:saml=\"{SAML}\" a=\"&lt;&amp;>&quot;'&#x9;&#xA;&#xD; ü😀\">&lt;&amp;&gt;\"'\t\n&#xD; ü😀</saml:A>"
        );
        assert_eq!(element.canonical().unwrap(), expected);
    }

    #[test]
    fn what_xml_cannot_carry_is_refused() {
        for character in ['\0', '\u{1}', '\u{8}', '\u{B}', '\u{C}', '\u{E}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            let refused = Err(Error::Character(character));
            assert_eq!(Element::text(Assertion, "A", format!("x{character}")).canonical(), refused);
            assert_eq!(Element::new(Assertion, "A").with("a", character).canonical(), refused);
        }
        for character in ['\t', ' ', '\u{7F}', '\u{85}', '\u{D7FF}', '\u{E000}', '\u{FFFD}', '\u{10000}', '\u{10FFFF}']
        {
            assert!(Element::text(Assertion, "A", character).canonical().is_ok(), "{character:?}");
        }
    }

    #[test]
    fn the_second_place_is_behind_the_first() {
        let names = |element: &Element| match &element.content {
            Content::Elements(elements) => elements.iter().map(|element| element.name).collect::<Vec<_>>(),
            Content::Text(_) => Vec::new(),
        };
        let empty = Element::new(Assertion, "A");
        let full = empty.clone().child(Element::new(Assertion, "B")).child(Element::new(Assertion, "D"));
        assert_eq!(names(&empty.second(Element::new(Assertion, "C"))), ["C"]);
        assert_eq!(names(&full.second(Element::new(Assertion, "C"))), ["B", "C", "D"]);
    }
}
