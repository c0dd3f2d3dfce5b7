//! What a call says, in the language of Twilio (`TwiML`): one document, sent with the call, so that Twilio fetches nothing.

use super::spoken::{DIGITS, Spoken, WAIT, escaped, tongue};

/// The media type of such a document.
pub(super) const TYPE: &str = "application/xml; charset=utf-8";

/// A call that says this and ends.
pub(super) fn says(parts: &[Spoken<'_>], language: Option<&str>) -> String {
    format!("<Response>{}</Response>", verbs(parts, language))
}

/// A call that asks for digits, and once more if no key was pressed. They go to `action`.
pub(super) fn asks_digits(parts: &[Spoken<'_>], language: Option<&str>, action: &str) -> String {
    let (said, action) = (verbs(parts, language), escaped(action));
    let asked = format!(
        "<Gather input=\"dtmf\" numDigits=\"{DIGITS}\" finishOnKey=\"#\" timeout=\"{WAIT}\" method=\"POST\" \
         action=\"{action}\">{said}</Gather>"
    );
    format!("<Response>{asked}{asked}</Response>")
}

/// Each part, a code character by character with a second between two of them: this needs no markup that only some
/// voices know.
fn verbs(parts: &[Spoken<'_>], language: Option<&str>) -> String {
    let language = language.and_then(tongue).map_or_else(String::new, |tag| format!(" language=\"{tag}\""));
    let say = |text: &str| format!("<Say{language}>{}</Say>", escaped(text.trim()));
    let spelled = |code: &str| {
        let characters: Vec<_> = code.chars().map(|letter| say(&letter.to_string())).collect();
        characters.join("<Pause length=\"1\"/>")
    };
    let verb = |part: &Spoken<'_>| match part {
        Spoken::Words(words) => say(words),
        Spoken::Code(code) => spelled(code),
    };
    parts.iter().map(verb).collect()
}

#[cfg(test)]
mod tests {
    use super::super::spoken::parts;
    use super::super::spoken::tests::call;
    use super::*;

    #[test]
    fn a_code_is_spelled_slowly_and_said_twice() {
        let message = call("Code: 042", Some("042"));
        let spelled = "<Say language=\"de-DE\">Code:</Say><Say language=\"de-DE\">0</Say><Pause length=\"1\"/>\
                       <Say language=\"de-DE\">4</Say><Pause length=\"1\"/><Say language=\"de-DE\">2</Say>";
        assert_eq!(says(&parts(&message), Some("de")), format!("<Response>{spelled}{spelled}</Response>"));
    }

    #[test]
    fn digits_are_asked_for_twice() {
        let asked = "<Gather input=\"dtmf\" numDigits=\"6\" finishOnKey=\"#\" timeout=\"10\" method=\"POST\" \
                     action=\"https://a.example/x?call=1&amp;b=2\"><Say language=\"en-US\">Key in</Say></Gather>";
        let twiml = asks_digits(&[Spoken::Words("Key in")], Some("en"), "https://a.example/x?call=1&b=2");
        assert_eq!(twiml, format!("<Response>{asked}{asked}</Response>"));
    }

    #[test]
    fn nothing_in_the_words_is_markup() {
        let words = Spoken::Words("A<b>&\"\u{1}\u{fffe}é");
        assert_eq!(says(&[words], Some("tlh")), "<Response><Say>A&lt;b&gt;&amp;&quot;  é</Say></Response>");
        assert_eq!(says(&[words], None), says(&[words], Some("tlh")));
    }
}
