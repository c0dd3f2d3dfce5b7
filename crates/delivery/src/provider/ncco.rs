//! What a call says, in the form of Vonage (NCCO): a list of actions, sent with the call, so that Vonage fetches nothing.

use serde_json::{Value, json};

use super::spoken::{DIGITS, Spoken, WAIT, escaped, tongue};

/// A call that says this and ends.
pub(super) fn says(parts: &[Spoken<'_>], language: Option<&str>) -> Value {
    json!([talk(parts, language)])
}

/// A call that asks for digits, and once more if no key was pressed. They go to `action`.
pub(super) fn asks_digits(parts: &[Spoken<'_>], language: Option<&str>, action: &str) -> Value {
    let mut said = talk(parts, language);
    // A key that is pressed ends the words.
    said["bargeIn"] = true.into();
    let heard = json!({
        "action": "input", "type": ["dtmf"], "dtmf": { "maxDigits": DIGITS, "submitOnHash": true, "timeOut": WAIT },
        "eventUrl": [action], "eventMethod": "POST",
    });
    json!([said, heard, said, heard])
}

/// Each part as one text with the marks of SSML, a code character by character with a second between two of them.
fn talk(parts: &[Spoken<'_>], language: Option<&str>) -> Value {
    let spelled = |code: &str| {
        let characters: Vec<_> = code.chars().map(|letter| escaped(&letter.to_string())).collect();
        characters.join("<break time='1s'/>")
    };
    let part = |part: &Spoken<'_>| match part {
        Spoken::Words(words) => escaped(words.trim()),
        Spoken::Code(code) => spelled(code),
    };
    let said: Vec<String> = parts.iter().map(part).collect();
    let mut talk = json!({ "action": "talk", "text": format!("<speak>{}</speak>", said.join(" ")) });
    if let Some(tag) = language.and_then(tongue) {
        talk["language"] = tag.into();
    }
    talk
}

#[cfg(test)]
mod tests {
    use super::super::spoken::parts;
    use super::super::spoken::tests::call;
    use super::*;

    #[test]
    fn a_code_is_spelled_slowly_and_said_twice() {
        let message = call("A<b>: 042", Some("042"));
        let spelled = "A&lt;b&gt;: 0<break time='1s'/>4<break time='1s'/>2";
        let text = format!("<speak>{spelled} {spelled}</speak>");
        let said = json!([{ "action": "talk", "text": text, "language": "fr-FR" }]);
        assert_eq!(says(&parts(&message), Some("fr")), said);
    }

    #[test]
    fn digits_are_asked_for_twice() {
        let said = json!({ "action": "talk", "text": "<speak>Key in</speak>", "bargeIn": true });
        let heard = json!({
            "action": "input", "type": ["dtmf"], "dtmf": { "maxDigits": 6, "submitOnHash": true, "timeOut": 10 },
            "eventUrl": ["https://a.example/x?call=1"], "eventMethod": "POST",
        });
        let asked = asks_digits(&[Spoken::Words("Key in")], Some("tlh"), "https://a.example/x?call=1");
        assert_eq!(asked, json!([said, heard, said, heard]));
    }
}
