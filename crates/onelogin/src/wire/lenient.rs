//! Reading the fields of a body as leniently as the clients need and no more (contract 1.2).
//!
//! Documentation and SDKs disagree field by field on whether a value is a string or a number, so both are accepted
//! where they can mean the same. Everything else is a [`WrongType`] that names its field, for the endpoint to refuse in
//! its own words. Fields that no endpoint reads are ignored.

use std::fmt;

use domain::FactorResponse;
use serde_json::{Map, Value};
use web::json::{self, JsonError};

use crate::wire::fields::Inputs;

/// The longest answer to a challenge that is read, in characters; a YubiKey's has 44.
const MAX_OTP: usize = 128;
/// The longest line that is read where no narrower limit is known yet, in characters.
const LINE_MAX: usize = 1_000;

/// The fields of a request body.
///
/// `Debug` shows their names only: the values may be codes and secrets.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Body {
    members: Map<String, Value>,
    /// What the endpoint reads; `None` for an object within a body.
    inputs: Option<&'static Inputs>,
}

/// A field whose value is of the wrong type, too long, or not one line of plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrongType {
    /// The field's name as the endpoint asked for it.
    pub field: String,
}

impl Body {
    /// Wraps an object that has been parsed.
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self { members, inputs: None }
    }

    /// The same body, of an endpoint that reads these fields.
    pub(crate) fn of(self, inputs: &'static Inputs) -> Self {
        Self { inputs: Some(inputs), ..self }
    }

    /// Parses a JSON body; an empty one has no fields.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, JsonError> {
        json::parse_object(text).map(Self::new)
    }

    /// Sets a field that is absent or `null`.
    pub(crate) fn set_absent(&mut self, field: &str, value: &str) {
        if !self.has(field) {
            self.members.insert(field.to_owned(), Value::String(value.to_owned()));
        }
    }

    /// The names of all fields with any value but `null`, known to the endpoint or not.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str())
    }

    /// Whether a field is present with any value but `null`.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// The value of a field as it was sent; `null` is absent.
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        if let Some(inputs) = self.inputs {
            inputs.reads_body(field);
        }
        self.members.get(field).filter(|value| !value.is_null())
    }

    /// A line of text of at most `max` characters: a string, or a number as its text. An empty string is a value.
    pub(crate) fn text(&self, field: &str, max: usize) -> Result<Option<String>, WrongType> {
        let text = match self.get(field) {
            None => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(wrong(field)),
        };
        if is_line(&text, max) { Ok(Some(text)) } else { Err(wrong(field)) }
    }

    /// An integer: a JSON integer, or a string of decimal digits with an optional minus sign and white space around it.
    pub(crate) fn int(&self, field: &str) -> Result<Option<i64>, WrongType> {
        let number = match self.get(field) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) if !text.contains('+') => text.trim_ascii().parse().ok(),
            Some(_) => None,
        };
        number.map(Some).ok_or_else(|| wrong(field))
    }

    /// A truth value: a JSON boolean, or `"true"` or `"false"` in any case.
    pub(crate) fn flag(&self, field: &str) -> Result<Option<bool>, WrongType> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(wrong(field)),
        }
    }

    /// A line of text that people type or scripts read from a prompt, without the ASCII white space around it; where
    /// nothing is left, the field is absent.
    pub(crate) fn typed(&self, field: &str, max: usize) -> Result<Option<String>, WrongType> {
        let text = match self.get(field) {
            None => return Ok(None),
            Some(Value::String(text)) => text.trim_ascii().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(wrong(field)),
        };
        if is_line(&text, max) { Ok(Some(text).filter(|text| !text.is_empty())) } else { Err(wrong(field)) }
    }

    /// [`Self::typed`] with the usual limit.
    pub(crate) fn filled(&self, field: &str) -> Result<Option<String>, WrongType> {
        self.typed(field, LINE_MAX)
    }

    /// The answer to a challenge, from the first of `fields` that holds one. Every endpoint reads codes here. An empty
    /// string is no answer (decision 19). A number with a sign, a fraction or an exponent is not a code.
    pub(crate) fn answer(&self, fields: &[&str]) -> Result<FactorResponse, WrongType> {
        for field in fields {
            let answer = match self.get(field) {
                None => FactorResponse::none(),
                Some(Value::String(text)) => FactorResponse::typed(text),
                Some(Value::Number(number)) => {
                    number.as_u64().map(FactorResponse::number).ok_or_else(|| wrong(field))?
                }
                Some(_) => return Err(wrong(field)),
            };
            if !is_line(answer.expose(), MAX_OTP) {
                return Err(wrong(field));
            }
            if !answer.is_absent() {
                return Ok(answer);
            }
        }
        Ok(FactorResponse::none())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Body")?;
        formatter.debug_list().entries(self.members.keys()).finish()
    }
}

fn wrong(field: &str) -> WrongType {
    WrongType { field: field.to_owned() }
}

/// Whether `text` is one line of at most `max` characters, without controls and without characters that change the
/// order in which a reader sees the others (SEC 36). Lone surrogates and NUL were refused by the parser already.
pub(crate) fn is_line(text: &str, max: usize) -> bool {
    text.chars().all(is_plain) && text.chars().nth(max).is_none()
}

fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Body {
        Body::parse(text.as_bytes()).unwrap()
    }

    fn wrong_type<T>(field: &str) -> Result<T, WrongType> {
        Err(wrong(field))
    }

    #[test]
    fn text_is_a_string_or_a_numbers_text() {
        let body = body(r#"{"a":"x","b":12,"c":null,"d":"","e":["x"],"f":true,"g":{},"h":-1.5}"#);
        assert_eq!(body.text("a", 10), Ok(Some("x".to_owned())));
        assert_eq!(body.text("b", 10), Ok(Some("12".to_owned())));
        assert_eq!(body.text("c", 10), Ok(None));
        assert_eq!(body.text("z", 10), Ok(None));
        assert_eq!(body.text("d", 10), Ok(Some(String::new())));
        assert_eq!(body.text("h", 10), Ok(Some("-1.5".to_owned())));
        for field in ["e", "f", "g"] {
            assert_eq!(body.text(field, 10), wrong_type(field));
        }
    }

    #[test]
    fn text_has_a_length_counted_in_characters() {
        let body = body(r#"{"a":"äöüß"}"#);
        assert_eq!(body.text("a", 4).map(|text| text.is_some()), Ok(true));
        assert_eq!(body.text("a", 3), wrong_type("a"));
    }

    #[test]
    fn text_is_one_plain_line() {
        for bad in ["a\\nb", "\\u0007", "\\u007f", "\\u0085", "a\\u202eb", "\\u2066", "\\u2028", "\\t"] {
            assert_eq!(body(&format!(r#"{{"a":"{bad}"}}"#)).text("a", 100), wrong_type("a"), "{bad}");
        }
        assert!(body(r#"{"a":"Zoë's \"phone\" 📱 אב"}"#).text("a", 100).is_ok());
    }

    #[test]
    fn an_integer_is_a_number_or_its_digits() {
        let body = body(
            r#"{"a":300,"b":"300","c":"-7","d":null,"e":"","f":"3.0","g":3.5,"h":"+3","i":true,"j":"99999999999999999999","k":"3 4","l":3e2,"m":9223372036854775808,"n":" 6\n"}"#,
        );
        assert_eq!(body.int("a"), Ok(Some(300)));
        assert_eq!(body.int("b"), Ok(Some(300)));
        assert_eq!(body.int("c"), Ok(Some(-7)));
        assert_eq!(body.int("d"), Ok(None));
        assert_eq!(body.int("n"), Ok(Some(6)), "as scripts read it from a prompt");
        for field in ["e", "f", "g", "h", "i", "j", "k", "l", "m"] {
            assert_eq!(body.int(field), wrong_type(field));
        }
    }

    #[test]
    fn a_flag_is_a_boolean_or_its_word() {
        let body = body(r#"{"a":true,"b":"false","c":"True","d":null,"e":1,"f":"yes","g":""}"#);
        assert_eq!(body.flag("a"), Ok(Some(true)));
        assert_eq!(body.flag("b"), Ok(Some(false)));
        assert_eq!(body.flag("c"), Ok(Some(true)));
        assert_eq!(body.flag("d"), Ok(None));
        for field in ["e", "f", "g"] {
            assert_eq!(body.flag(field), wrong_type(field));
        }
    }

    #[test]
    fn a_code_is_read_from_the_first_field_that_has_one() {
        const NAMES: &[&str] = &["otp_token", "otp", "otp_code"];
        let answer = |text: &str| body(text).answer(NAMES);
        let typed = |text| Ok(FactorResponse::typed(text));
        assert_eq!(answer(r#"{"otp_token":"012345"}"#), typed("012345"));
        assert_eq!(answer(r#"{"otp":12345}"#), Ok(FactorResponse::number(12345)));
        assert_eq!(answer(r#"{"otp_token":"","otp":null,"otp_code":" 1\n"}"#), typed("1"));
        assert_eq!(answer(r#"{"otp_token":"\n","otp":"2"}"#), typed("2"));
        assert_eq!(answer(r#"{"otp_token":"1","otp":"2"}"#), typed("1"));
        for absent in ["{}", r#"{"otp":""}"#, r#"{"otp":null}"#, r#"{"otp":" \n"}"#, r#"{"code":"1"}"#] {
            assert_eq!(answer(absent), Ok(FactorResponse::none()), "{absent}");
        }
        for bad in ["-1", "1.0", "1e3", "12345.5", "-0", "true", "[]", "{}", "\"1\\n2\"", "99999999999999999999"] {
            assert_eq!(answer(&format!(r#"{{"otp":{bad}}}"#)), wrong_type("otp"), "{bad}");
        }
        assert_eq!(answer(&format!(r#"{{"otp":"{}"}}"#, "1".repeat(129))), wrong_type("otp"));
    }

    #[test]
    fn what_people_type_has_no_white_space_around_it() {
        let body = body(r#"{"a":" ana \r\n","b":"\n","c":7,"d":"a\nb","e":["x"]}"#);
        assert_eq!(body.typed("a", 3), Ok(Some("ana".to_owned())));
        assert_eq!(body.typed("b", 3), Ok(None));
        assert_eq!(body.typed("c", 3), Ok(Some("7".to_owned())));
        for field in ["d", "e"] {
            assert_eq!(body.typed(field, 10), wrong_type(field));
        }
    }

    #[test]
    fn nothing_secret_is_shown_for_debugging() {
        assert_eq!(format!("{:?}", body(r#"{"otp":"424242"}"#)), r#"Body["otp"]"#);
    }

    #[test]
    fn an_empty_body_has_no_fields() {
        for text in ["", "null", "{}"] {
            assert_eq!(body(text).names().count(), 0);
        }
        assert!(!body(r#"{"a":null}"#).has("a"));
        assert!(body(r#"{"a":0}"#).has("a"));
    }
}
