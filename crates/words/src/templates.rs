//! An operator's texts: a folder of templates, read and tried once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, context};

use crate::message::{Brand, CALL_CODES, CALL_MAX, Filling, MessageKind, Part, SMS_MAX};

/// Largest file of a template, in bytes.
const MOST_BYTES: usize = 16 * 1024;
/// Steps that filling one may take.
const FUEL: u64 = 50_000;
/// What templates are tried with: a code that no other text holds, and lives on both sides of the singular.
const SAMPLES: [Filling<'static>; 2] = [
    Filling { code: "314159", link: "https://mfa.example.com/link/c2FtcGxlLW9uZQ", device: "Phone", minutes: 1 },
    Filling { code: "271828", link: "https://mfa.example.com/link/c2FtcGxlLXR3bw", device: "Tablet", minutes: 15 },
];

/// Why a folder of templates cannot be used: a sentence for the operator that names file and line.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {why}", file.display(), line.map_or_else(String::new, |line| format!(", line {line}")))]
pub struct TemplateError {
    file: PathBuf,
    line: Option<usize>,
    why: String,
}

/// Which text a template is for. The language is the first part of its code; empty means every language.
type Place = (MessageKind, Part, String);

/// The templates of an operator.
#[derive(Default)]
pub(crate) struct Templates {
    environment: Environment<'static>,
    /// The name of the template of each place.
    names: BTreeMap<Place, String>,
}

impl Templates {
    /// Reads all templates of a folder and fills each with samples. Hidden files are passed over; any other file that is no
    /// template is an error, since its name may be a slip.
    pub(crate) fn read(folder: &Path, brand: &Brand) -> Result<Self, TemplateError> {
        let fault = |file: &Path, why: String| TemplateError { file: file.to_owned(), line: None, why };
        let cannot_read = |file: &Path| {
            let file = file.to_owned();
            move |error: std::io::Error| TemplateError { file, line: None, why: format!("cannot be read: {error}") }
        };
        let mut read = Self { environment: environment(), names: BTreeMap::new() };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(cannot_read(folder))? {
            files.push(entry.map_err(cannot_read(folder))?.path());
        }
        files.sort();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let place = place(&name).ok_or_else(|| fault(&file, format!("it is no template: {}", known())))?;
            let text = std::fs::read_to_string(&file).map_err(cannot_read(&file))?;
            if text.len() > MOST_BYTES {
                return Err(fault(&file, format!("it has {} bytes; a template has {MOST_BYTES} at most", text.len())));
            }
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            let added = read.environment.add_template_owned(name.clone(), text);
            added.map_err(|error| refused(&file, &error))?;
            for sample in SAMPLES {
                let filled = read.render(&name, brand, sample).map_err(|error| refused(&file, &error))?;
                check(&place, &filled, sample).map_err(|why| fault(&file, why))?;
            }
            read.names.insert(place, name);
        }
        Ok(read)
    }

    /// The operator's text for this part in this language, or for every language. `None` if there is none, or if it cannot
    /// be used with these values.
    pub(crate) fn fill(
        &self,
        kind: MessageKind,
        part: Part,
        language: &str,
        brand: &Brand,
        filling: Filling<'_>,
    ) -> Option<String> {
        let of = |language: &str| self.names.get(&(kind, part, language.to_owned()));
        let name = of(language).or_else(|| of(""))?;
        let filled = self.render(name, brand, filling).ok()?;
        check(&(kind, part, String::new()), &filled, filling).ok()?;
        Some(filled)
    }

    /// Whether any template is in this language.
    pub(crate) fn know(&self, language: &str) -> bool {
        self.names.keys().any(|(_, _, known)| known == language)
    }

    fn render(&self, name: &str, brand: &Brand, filling: Filling<'_>) -> Result<String, minijinja::Error> {
        let values = context! {
            code => filling.code, link => filling.link, minutes => filling.minutes, brand => brand.name.as_str(),
            color => brand.color.as_str(), logo => brand.logo.as_str(), device => filling.shown_device(),
        };
        let filled = self.environment.get_template(name)?.render(values)?;
        // An editor ends a file with a line break that does not belong to the text.
        Ok(if is_html(name) { filled } else { filled.trim().to_owned() })
    }
}

/// No functions, filters, includes or macros: names, conditions and loops.
fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|name| if is_html(name) { AutoEscape::Html } else { AutoEscape::None });
    environment
}

fn is_html(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, part)| part == Part::Html.name())
}

/// Which text a file is for, by its name: `sms.txt`, `email.de.html`.
fn place(name: &str) -> Option<Place> {
    let (front, part) = name.rsplit_once('.')?;
    let (kind, language) = front.split_once('.').unwrap_or((front, ""));
    let (kind, part) = (MessageKind::from_name(kind)?, Part::from_name(part)?);
    let is_language = language.is_empty() && !front.ends_with('.')
        || (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_language && kind.parts().contains(&part)).then(|| (kind, part, language.to_owned()))
}

/// The names that a template may have, for people.
fn known() -> String {
    let parts = |kind: MessageKind| kind.parts().iter().map(move |part| format!("{}.{}", kind.name(), part.name()));
    let names: Vec<String> = MessageKind::ALL.into_iter().flat_map(parts).collect();
    format!(
        "templates are called {}, with a language before the last part if it is for one, as email.de.txt",
        names.join(", ")
    )
}

/// Whether a filled text can be sent.
fn check((kind, part, _): &Place, filled: &str, filling: Filling<'_>) -> Result<(), String> {
    let is_words = *part != Part::Subject;
    if kind.has_code() && is_words && !filled.contains(filling.code) {
        return Err("the code is missing; put {{ code }} where it belongs".to_owned());
    }
    // In HTML the slashes of an address are escaped, and what follows the last of them is not.
    let token = filling.link.rsplit('/').next().unwrap_or_default();
    if kind.has_link() && is_words && !filled.contains(token) {
        return Err("the link is missing; put {{ link }} where it belongs".to_owned());
    }
    let is_open = !token.is_empty() && filled.contains(token);
    if is_open && !(kind.has_link() && is_words) {
        return Err(
            "there is no link in this text; one belongs into the words of email-link, email-both and invitations"
                .to_owned(),
        );
    }
    if !kind.has_code() && !filling.code.is_empty() && filled.contains(filling.code) {
        return Err("this message has no code: the digits are on the screen only, or there are none".to_owned());
    }
    if filled.trim().is_empty() {
        return Err("it is empty once it is filled".to_owned());
    }
    if *part == Part::Subject && filled.chars().any(char::is_control) {
        return Err("a subject is one line".to_owned());
    }
    let length = filled.chars().count();
    if kind.is_sms() && length > SMS_MAX {
        return Err(format!("it has {length} characters once it is filled; a text message has {SMS_MAX} at most"));
    }
    if kind.is_call() && length > CALL_MAX {
        return Err(format!(
            "it has {length} characters once it is filled; the words of a call have {CALL_MAX} at most"
        ));
    }
    if kind.is_call() && kind.has_code() {
        let codes = filled.matches(filling.code).count();
        if codes > CALL_CODES {
            return Err(format!("it says the code {codes} times; a call says it {CALL_CODES} times at most"));
        }
    }
    if kind.is_sms() && filled.chars().any(|character| character.is_control() && character != '\n') {
        return Err("it has control characters".to_owned());
    }
    Ok(())
}

/// What `MiniJinja` refuses, for the operator.
fn refused(file: &Path, error: &minijinja::Error) -> TemplateError {
    let why = match error.kind() {
        ErrorKind::UndefinedError => {
            "it uses a name that is not known here; there are code, link, device, minutes, brand, color and logo"
                .to_owned()
        }
        ErrorKind::OutOfFuel => "it takes too many steps".to_owned(),
        kind => error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
    };
    TemplateError { file: file.to_owned(), line: error.line(), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;

    fn brand() -> Brand {
        Brand { name: "Acme".to_owned(), color: "#1a56db".to_owned(), logo: String::new() }
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn error(name: &str, text: &str) -> String {
        let folder = folder(&[(name, text)]);
        let error = Templates::read(folder.path(), &brand()).err().unwrap().to_string();
        error.strip_prefix(&format!("{}/", folder.path().display())).unwrap().to_owned()
    }

    #[test]
    fn an_operators_text_takes_the_place_of_ours_in_its_language_or_in_all() {
        let folder = folder(&[
            ("sms.de.txt", "Code {{ code }}\n"),
            ("email.subject", "{{ brand }}: {{ code }}"),
            ("email.html", "<p style='color:{{ color }}'>{{ code }} {{ brand }}</p>"),
            (".hidden", "anything"),
        ]);
        let words = Words::with_templates(Brand { name: "A&B".to_owned(), ..brand() }, "en", folder.path()).unwrap();
        let filling = Filling { code: "123456", minutes: 2, ..Filling::NOTHING };
        assert_eq!(words.say(MessageKind::Sms, Some("de-AT"), filling).text, "Code 123456");
        assert!(words.say(MessageKind::Sms, Some("en"), filling).text.starts_with("123456 is your A&B code"));
        let german = Words::with_templates(brand(), "de", folder.path()).unwrap();
        for person in [None, Some("de"), Some("pl")] {
            assert_eq!(german.say(MessageKind::Sms, person, filling).text, "Code 123456", "{person:?}");
        }
        let mail = words.say(MessageKind::Email, Some("ja"), filling);
        assert_eq!(mail.subject.as_deref(), Some("A&B: 123456"));
        assert_eq!(mail.html.as_deref(), Some("<p style='color:#1a56db'>123456 A&amp;B</p>"));
        assert!(mail.text.contains("認証コード"), "what is missing is ours");
    }

    #[test]
    fn an_operators_notice_names_the_device_and_no_other_message_knows_it() {
        let folder = folder(&[
            ("added-sms.txt", "New: {{ device }}"),
            ("added-email.html", "<p>{{ device }}</p>"),
            ("sms.txt", "{{ code }}{{ device }}"),
            ("invitation-sms.txt", "{{ link }} {{ minutes // 60 }} h"),
        ]);
        let words = Words::with_templates(brand(), "en", folder.path()).unwrap();
        let filling = Filling { code: "123456", link: "https://a.example/enroll/x", device: "<Ana>", minutes: 1_440 };
        let said = |kind| words.say(kind, None, filling);
        assert_eq!(said(MessageKind::AddedSms).text, "New: <Ana>");
        assert_eq!(said(MessageKind::AddedEmail).html.as_deref(), Some("<p>&lt;Ana&gt;</p>"));
        assert_eq!(said(MessageKind::Sms).text, "123456");
        assert_eq!(said(MessageKind::InvitationSms).text, "https://a.example/enroll/x 24 h");
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_file_and_line() {
        for (name, text, why) in [
            ("sms.txt", "no code", "sms.txt: the code is missing; put {{ code }} where it belongs"),
            ("sms.txt", "{{ code }}\n{{ user }}", "sms.txt, line 2: it uses a name that is not known here"),
            ("sms.txt", "{{ code }}\n\n{% if %}", "sms.txt, line 3: syntax error"),
            ("sms.txt", "{{ code }}{% include 'email.txt' %}", "sms.txt, line 1: syntax error"),
            (
                "email.html",
                "{% for a in '1234567890' %}{% for b in '1234567890' %}{% for c in '1234567890' %}{% for d in '1234567890' %}{% for e in '1234567890' %}{{ code }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
                "email.html, line 1: it takes too many steps",
            ),
            ("keypad.txt", "press {{ code }}", "keypad.txt: this message has no code"),
            ("email.subject", "a\nb", "email.subject: a subject is one line"),
            ("email.txt", "{% if minutes > 5 %}{{ code }}{% endif %}", "email.txt: the code is missing"),
            ("email-link.txt", "{{ code }}", "email-link.txt: the link is missing; put {{ link }} where it belongs"),
            ("email-link.html", "<p>nothing</p>", "email-link.html: the link is missing"),
            ("email-both.txt", "{{ link }}", "email-both.txt: the code is missing"),
            ("email-both.txt", "{{ code }}", "email-both.txt: the link is missing"),
            ("email-link.subject", "{{ link }}", "email-link.subject: there is no link in this text"),
            ("email.txt", "{{ code }} {{ link }}", "email.txt: there is no link in this text"),
            ("email-link.txt", "{{ link }} 314159 271828", "email-link.txt: this message has no code"),
            (
                "invitation-sms.txt",
                "come in",
                "invitation-sms.txt: the link is missing; put {{ link }} where it belongs",
            ),
            ("invitation-email.txt", "{{ link }} 314159 271828", "invitation-email.txt: this message has no code"),
            ("voice.txt", "{{ code", "voice.txt, line 1: syntax error"),
            ("mail.txt", "{{ code }}", "mail.txt: it is no template: templates are called sms.txt, "),
            ("sms.html", "{{ code }}", "sms.html: it is no template"),
            ("sms.DE.txt", "{{ code }}", "sms.DE.txt: it is no template"),
            ("sms..txt", "{{ code }}", "sms..txt: it is no template"),
        ] {
            let error = error(name, text);
            assert!(error.starts_with(why), "{error}");
        }
        let long = format!("{{{{ code }}}}{}", "x".repeat(155));
        assert_eq!(
            error("sms.txt", &long),
            "sms.txt: it has 161 characters once it is filled; a text message has 160 at most"
        );
        let spoken = |letters: usize| format!("{{{{ code }}}}{}", "x".repeat(letters));
        for kind in ["voice", "keypad-late"] {
            let (text, length) = if kind == "voice" { (spoken(695), 701) } else { ("x".repeat(701), 701) };
            let why = format!("{length} characters once it is filled; the words of a call have 700 at most");
            assert_eq!(error(&format!("{kind}.txt"), &text), format!("{kind}.txt: it has {why}"));
        }
        assert!(Templates::read(folder(&[("voice.txt", &spoken(694))]).path(), &brand()).is_ok());
        assert_eq!(
            error("voice.txt", &"{{ code }} ".repeat(5)),
            "voice.txt: it says the code 5 times; a call says it 4 times at most"
        );
        assert!(error("email.txt", &"{{ code }}".repeat(2_000)).contains("a template has 16384 at most"));
    }

    #[test]
    fn a_text_that_fails_only_with_some_values_gives_way_to_ours() {
        let folder = folder(&[("sms.txt", "{% if minutes == 7 %}nothing{% else %}{{ code }}{% endif %}")]);
        let words = Words::with_templates(brand(), "en", folder.path()).unwrap();
        let text =
            |minutes| words.say(MessageKind::Sms, None, Filling { code: "123456", minutes, ..Filling::NOTHING }).text;
        assert_eq!(text(3), "123456");
        assert!(text(7).starts_with("123456 is your Acme code"));
    }
}
