//! The operator's templates of a request: parsed once, filled for each message.
//!
//! What is put into a template is encoded for its place, so no text of a message can add a field, a header or a line.
//! Templates have no functions, filters or includes, and are bounded in size and steps.

use std::fmt::Write as _;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::super::gateway::BadSetting;

/// Longest template, in bytes.
const LONGEST: usize = 16 * 1024;
/// Steps that filling may take.
const STEPS: u64 = 20_000;
/// Longest filled template, in bytes.
const LONGEST_FILLED: usize = 64 * 1024;

/// What is done to a value that is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Nothing: a value of a form, which is encoded as a whole when it is filled, or of a header, which is checked.
    Plain,
    /// As in a path or a query.
    Url,
    /// As inside a string of JSON, without its quotation marks.
    Json,
}

/// Names that templates know only if the setting of the same name is given.
pub(super) const SETTINGS: &[&str] = &["from", "username", "secret", "account"];

/// A template that parses and names nothing unknown.
pub(super) struct Template {
    environment: Environment<'static>,
    key: &'static str,
}

/// The names that templates know, with their values for one message.
pub(super) type Words<'a> = [(&'static str, &'a str)];

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template({})", self.key)
    }
}

impl Template {
    /// Parses the template of a key, and fills it with samples.
    pub(super) fn new(
        key: &'static str,
        source: &str,
        encoding: Encoding,
        samples: &Words<'_>,
    ) -> Result<Self, BadSetting> {
        if source.len() > LONGEST {
            return Err(BadSetting::new(key, format!("a template has at most {LONGEST} bytes")));
        }
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(STEPS));
        environment.set_recursion_limit(32);
        environment.set_formatter(move |output, _: &mut State, value| put(output, value, encoding));
        environment.add_template_owned(key, source.to_owned()).map_err(|error| bad(key, &error))?;
        let made = Self { environment, key };
        made.check_names(samples)?;
        made.filled(samples).map_err(|error| bad(key, &error))?;
        Ok(made)
    }

    /// Whether it puts in the value of this name.
    pub(super) fn uses(&self, name: &str) -> bool {
        let template = self.environment.get_template(self.key);
        template.is_ok_and(|template| template.undeclared_variables(false).contains(name))
    }

    /// Names in a branch that the samples do not take are found too.
    fn check_names(&self, samples: &Words<'_>) -> Result<(), BadSetting> {
        let template = self.environment.get_template(self.key).map_err(|error| bad(self.key, &error))?;
        let mut unknown: Vec<_> = template.undeclared_variables(false).into_iter().collect();
        unknown.retain(|name| samples.iter().all(|(known, _)| known != name));
        unknown.sort_unstable();
        let Some(name) = unknown.first() else { return Ok(()) };
        if let Some(setting) = SETTINGS.iter().find(|setting| *setting == name) {
            return Err(BadSetting::new(setting, format!("{} uses this, and it is not set", self.key)));
        }
        let known: Vec<_> = samples.iter().map(|(known, _)| *known).collect();
        let problem = format!("{name} is unknown; known are {}", known.join(", "));
        Err(BadSetting { key: self.key, line: line_of(template.source(), name), problem })
    }

    /// The filled template. An error says nothing of what was put in.
    pub(super) fn fill(&self, words: &Words<'_>) -> Option<String> {
        let filled = self.filled(words);
        if let Err(error) = &filled {
            let (kind, line) = (error.kind(), error.line());
            tracing::error!(key = self.key, ?kind, line, "template cannot be filled");
        }
        filled.ok().filter(|filled| filled.len() <= LONGEST_FILLED)
    }

    fn filled(&self, words: &Words<'_>) -> Result<String, Error> {
        let context = Value::from_pairs(words.iter().copied());
        self.environment.get_template(self.key)?.render(context)
    }
}

/// Writes one value, encoded.
fn put(output: &mut Output<'_>, value: &Value, encoding: Encoding) -> Result<(), Error> {
    if value.is_undefined() || value.is_none() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let text = value.to_string();
    let encoded = match encoding {
        Encoding::Plain => text,
        Encoding::Url => percent_encoded(&text),
        Encoding::Json => json_escaped(&text),
    };
    output.write_str(&encoded).map_err(|_| Error::from(ErrorKind::WriteFailure))
}

/// All but the unreserved characters of RFC 3986 and the colon as `%XX`. A colon ends nothing in a path or a query, and
/// tokens have one.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => encoded.push(byte.into()),
            // Writing to a string does not fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

/// An error of a template as a sentence. It is made only while settings are checked, with samples in place of values.
fn bad(key: &'static str, error: &Error) -> BadSetting {
    let problem = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "this takes too many steps".to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    BadSetting { key, line: error.line(), problem }
}

/// The first line that has this word.
fn line_of(source: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    source.lines().position(|line| line.split(|c| !is_part(c)).any(|word| word == name)).map(|line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: &Words<'_> = &[("to", "+49"), ("text", "a \"b\"\n&c")];

    fn template(source: &str, encoding: Encoding) -> Result<Template, BadSetting> {
        Template::new("json", source, encoding, SAMPLES)
    }

    fn fill(source: &str, encoding: Encoding) -> String {
        template(source, encoding).unwrap().fill(SAMPLES).unwrap()
    }

    #[test]
    fn a_value_is_encoded_for_its_place() {
        assert_eq!(fill("{{ text }}", Encoding::Plain), "a \"b\"\n&c");
        assert_eq!(fill("?t={{ text }}&to={{ to }}", Encoding::Url), "?t=a%20%22b%22%0A%26c&to=%2B49");
        assert_eq!(fill("{\"t\": \"{{ text }}\"}", Encoding::Json), "{\"t\": \"a \\\"b\\\"\\n&c\"}");
    }

    #[test]
    fn what_does_not_parse_or_names_something_unknown_is_refused_with_its_line() {
        for (source, line, word) in [
            ("\n{{ text", 2, "syntax error"),
            ("{{ text }}\n{{ txt }}", 2, "txt is unknown; known are to, text"),
            ("{{ text }}\n\n{% if false %}{{ recipient }}{% endif %}", 3, "recipient"),
            ("{{ text|safe }}", 1, "safe"),
            ("{{ text|upper }}", 1, "upper"),
            ("{{ range(9) }}", 1, "range"),
            ("\n{% include 'x' %}", 2, ""),
        ] {
            let error = template(source, Encoding::Json).unwrap_err();
            assert_eq!(error.line, Some(line), "{source}: {error}");
            assert!(error.to_string().contains(word), "{source}: {error}");
        }
    }

    #[test]
    fn a_setting_that_a_template_uses_is_needed() {
        let error = template("{{ to }}\n{{ from }}", Encoding::Json).unwrap_err();
        assert_eq!(error.to_string(), "from: json uses this, and it is not set");
    }

    #[test]
    fn a_template_is_bounded_in_size_and_steps() {
        assert!(template(&"x".repeat(LONGEST + 1), Encoding::Plain).is_err());
        let nested = "{% for a in [1, 2, 3, 4, 5, 6, 7, 8] %}".repeat(6) + "x" + &"{% endfor %}".repeat(6);
        let error = template(&nested, Encoding::Plain).unwrap_err();
        assert_eq!(error.problem, "this takes too many steps");
    }
}
