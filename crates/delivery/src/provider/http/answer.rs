//! What the operator says of a gateway's answers: which of them mean sent, and which mean that the
//! recipient cannot be reached.

use serde_json::Value;

use super::super::gateway::{Answer, BadSetting};

/// A place in a JSON answer: names and positions joined by dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn new(key: &'static str, path: &str) -> Result<Self, BadSetting> {
        if path.is_empty() || path.split('.').any(|part| part.is_empty() || part.trim() != part) {
            return Err(BadSetting::new(
                key,
                "a path is names and positions joined by dots, such as messages.0.status",
            ));
        }
        Ok(Self(path.to_owned()))
    }

    /// What the answer has there, as text; nothing if it is a list, an object or null.
    pub(super) fn text(&self, json: &Value) -> Option<String> {
        let place = self.0.split('.').try_fold(json, |json, part| match json {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            _ => json.get(part),
        })?;
        match place {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(place.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Which answers mean sent: `STATUS` or `STATUS PATH=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Success {
    /// First and last status.
    from: u16,
    to: u16,
    member: Option<(Path, String)>,
}

impl Success {
    /// Reads a rule.
    pub(super) fn parse(rule: &str) -> Result<Self, BadSetting> {
        let bad = || {
            BadSetting::new(
                "success",
                "this is a status or a class, and a member if needed: 2xx, or 200 messages.0.status=ok",
            )
        };
        let (status, member) = match rule.trim().split_once(' ') {
            Some((status, member)) => (status, Some(member.trim())),
            None => (rule.trim(), None),
        };
        let (from, to) = match status {
            "1xx" | "2xx" | "3xx" | "4xx" | "5xx" => {
                let hundreds = status[..1].parse::<u16>().map_err(|_| bad())? * 100;
                (hundreds, hundreds + 99)
            }
            _ => status.parse().map(|status| (status, status)).map_err(|_| bad())?,
        };
        if !(200..300).contains(&from) {
            return Err(BadSetting::new("success", "only an answer of 200 to 299 can mean sent"));
        }
        let member = match member {
            Some(member) => {
                let (path, value) = member.split_once('=').ok_or_else(bad)?;
                Some((Path::new("success", path.trim())?, value.trim().to_owned()))
            }
            None => None,
        };
        Ok(Self { from, to, member })
    }

    pub(super) fn accepts(&self, status: u16, json: &Value) -> bool {
        let is_member = |(path, value): &(Path, String)| path.text(json).is_some_and(|text| text == *value);
        (self.from..=self.to).contains(&status) && self.member.as_ref().is_none_or(is_member)
    }
}

/// Whether an answer has one of the words, as a whole word and in any case.
pub(super) fn has_word(answer: &Answer, words: &[String]) -> bool {
    let text = answer.text().to_lowercase();
    words.iter().any(|word| is_in(&text, word))
}

/// Whether a text, in lower case, has a word or several, not as a part of longer ones.
fn is_in(text: &str, word: &str) -> bool {
    let word = word.to_lowercase();
    let is_apart = |neighbour: Option<char>| !neighbour.is_some_and(char::is_alphanumeric);
    text.match_indices(&word).any(|(at, found)| {
        is_apart(text[..at].chars().next_back()) && is_apart(text[at + found.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accepts(rule: &str, status: u16, json: &Value) -> bool {
        Success::parse(rule).unwrap().accepts(status, json)
    }

    #[test]
    fn a_rule_is_a_status_and_a_member() {
        let json = json!({"messages": [{"status": "ok", "code": 0, "sent": true}], "none": null});
        assert!(accepts("2xx", 202, &json));
        assert!(!accepts("2xx", 301, &json));
        assert!(accepts("202", 202, &json));
        assert!(!accepts("202", 200, &json));
        assert!(accepts("2xx messages.0.status=ok", 200, &json));
        assert!(accepts(" 200  messages.0.code = 0 ", 200, &json));
        assert!(accepts("2xx messages.0.sent=true", 200, &json));
        for rule in ["2xx messages.0.status=OK", "2xx messages.1.status=ok", "2xx messages.status=ok", "2xx none=null"]
        {
            assert!(!accepts(rule, 200, &json), "{rule}");
        }
        // An answer that is no JSON has no members.
        assert!(!accepts("2xx messages.0.status=ok", 200, &Value::Null));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for rule in ["", "ok", "2x", "4xx", "500", "99", "2xx status", "2xx =ok", "2xx a..b=ok"] {
            assert_eq!(Success::parse(rule).unwrap_err().key, "success", "{rule}");
        }
    }

    #[test]
    fn a_word_is_a_whole_word() {
        assert!(is_in("{\"code\":21211}", "21211"));
        assert!(is_in("{\"status\":\"invalid_recipient\"}", "INVALID_RECIPIENT"));
        assert!(is_in("no (correct) recipients found", "no (correct) recipients found"));
        assert!(is_in("121211 21211", "21211"));
        assert!(!is_in("{\"code\":121211}", "21211"));
        assert!(!is_in("{\"code\":212110}", "21211"));
    }
}
