//! Reading one member of a user: absent, cleared by an empty string, or given.

use serde_json::Value;

use super::lenient::Body;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadUserField {
    /// No user has a member of this name.
    Unknown(String),
    /// The value of this member cannot be read or stored.
    Wrong(String),
}

/// A text to set: absent, cleared by an empty string, or given.
#[expect(clippy::option_option, reason = "the shape of a patch: left, cleared, set")]
pub(crate) fn text(body: &Body, field: &str, max: usize) -> Result<Option<Option<String>>, BadUserField> {
    let Some(value) = body.get(field) else { return Ok(None) };
    let text = lines(value, max).ok_or_else(|| BadUserField::Wrong(field.to_owned()))?;
    // Only these two may have more than one line.
    if !matches!(field, "comment" | "notes") && text.contains(['\n', '\r', '\t']) {
        return Err(BadUserField::Wrong(field.to_owned()));
    }
    Ok(Some(Some(text).filter(|text| !text.is_empty())))
}

/// A text without the white space around it; cleared if nothing is left.
#[expect(clippy::option_option, reason = "the shape of a patch: left, cleared, set")]
pub(crate) fn trimmed(body: &Body, field: &str, max: usize) -> Result<Option<Option<String>>, BadUserField> {
    let Some(value) = body.get(field) else { return Ok(None) };
    let wrong = || BadUserField::Wrong(field.to_owned());
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(wrong()),
    };
    if text.chars().nth(max).is_some() {
        return Err(wrong());
    }
    Ok(Some(Some(text).filter(|text| !text.is_empty())))
}

/// An integer to set: absent, cleared by an empty string, or given.
#[expect(clippy::option_option, reason = "the shape of a patch: left, cleared, set")]
pub(crate) fn integer(body: &Body, field: &str) -> Result<Option<Option<i64>>, BadUserField> {
    if body.get(field).is_some_and(|value| value == "") {
        return Ok(Some(None));
    }
    let number = body.int(field).map_err(|wrong| BadUserField::Wrong(wrong.field))?;
    // Some clients read these into 32 bits (contract 1.10).
    match number {
        Some(number) if !(0..=i64::from(i32::MAX)).contains(&number) => Err(BadUserField::Wrong(field.to_owned())),
        number => Ok(number.map(Some)),
    }
}

/// A string or a number's text, of plain characters and line breaks.
pub(crate) fn lines(value: &Value, max: usize) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let plain = domain::model::text::is_clean(&text.replace(['\n', '\r', '\t'], " "));
    (plain && text.chars().nth(max).is_none()).then_some(text)
}
