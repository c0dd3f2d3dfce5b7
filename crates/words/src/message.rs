//! What a message is: its kind, its parts, and what is put into them.

/// Longest text message, in characters.
pub const SMS_MAX: usize = 160;
/// Longest words of a call, in characters: a minute of speech, said once. Some are said twice, and a call ends after two
/// minutes.
pub(crate) const CALL_MAX: usize = 700;
/// How often a call says its code at most. Gateways bound what a call may hold, and each character is an element of it.
pub(crate) const CALL_CODES: usize = 4;
/// Most characters of a device's name that a message shows: a text message has 160 for everything.
pub(crate) const DEVICE_MAX: usize = 24;

/// What a message is for. Its name is the beginning of the names of its templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageKind {
    /// A text message with a code.
    Sms,
    /// A call that speaks a code.
    Voice,
    /// A call that asks for digits which a screen shows.
    Keypad,
    /// What such a call says after the right digits.
    KeypadRight,
    /// After wrong digits.
    KeypadWrong,
    /// After digits that can no longer be right or wrong.
    KeypadLate,
    /// A mail with a code.
    Email,
    /// A mail with a link.
    EmailLink,
    /// A mail with a code and a link, of which either is enough.
    EmailBoth,
    /// A prompt on a paired phone.
    Push,
    /// A prompt that asks for a number which a screen shows.
    PushNumber,
    /// A mail to somebody who has been sent too many prompts.
    WarningEmail,
    /// The same as a text message.
    WarningSms,
    /// A mail with the link of an invitation.
    InvitationEmail,
    /// The same as a text message.
    InvitationSms,
    /// A mail that says that a device was added.
    AddedEmail,
    /// The same as a text message.
    AddedSms,
    /// An operator's test of mail.
    TestEmail,
    /// An operator's test of text messages and calls.
    TestSms,
}

impl MessageKind {
    /// Every kind there is.
    pub const ALL: [Self; 19] = [
        Self::Sms,
        Self::Voice,
        Self::Keypad,
        Self::KeypadRight,
        Self::KeypadWrong,
        Self::KeypadLate,
        Self::Email,
        Self::EmailLink,
        Self::EmailBoth,
        Self::Push,
        Self::PushNumber,
        Self::WarningEmail,
        Self::WarningSms,
        Self::InvitationEmail,
        Self::InvitationSms,
        Self::AddedEmail,
        Self::AddedSms,
        Self::TestEmail,
        Self::TestSms,
    ];

    /// The beginning of the names of its templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Keypad => "keypad",
            Self::KeypadRight => "keypad-right",
            Self::KeypadWrong => "keypad-wrong",
            Self::KeypadLate => "keypad-late",
            Self::Email => "email",
            Self::EmailLink => "email-link",
            Self::EmailBoth => "email-both",
            Self::Push => "push",
            Self::PushNumber => "push-number",
            Self::WarningEmail => "warning-email",
            Self::WarningSms => "warning-sms",
            Self::InvitationEmail => "invitation-email",
            Self::InvitationSms => "invitation-sms",
            Self::AddedEmail => "added-email",
            Self::AddedSms => "added-sms",
            Self::TestEmail => "test-email",
            Self::TestSms => "test-sms",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a text of this kind is of no use without the code.
    pub fn has_code(self) -> bool {
        matches!(self, Self::Sms | Self::Voice | Self::Email | Self::EmailBoth)
    }

    /// Whether a text of this kind is of no use without the link.
    pub fn has_link(self) -> bool {
        matches!(self, Self::EmailLink | Self::EmailBoth | Self::InvitationEmail | Self::InvitationSms)
    }

    /// Whether a text of this kind names a device.
    pub fn has_device(self) -> bool {
        matches!(self, Self::AddedEmail | Self::AddedSms)
    }

    /// The parts of a message of this kind.
    pub fn parts(self) -> &'static [Part] {
        match self {
            Self::Email
            | Self::EmailLink
            | Self::EmailBoth
            | Self::WarningEmail
            | Self::InvitationEmail
            | Self::AddedEmail
            | Self::TestEmail => &[Part::Subject, Part::Text, Part::Html],
            _ => &[Part::Text],
        }
    }

    /// Whether its text travels as a text message.
    pub fn is_sms(self) -> bool {
        matches!(self, Self::Sms | Self::WarningSms | Self::InvitationSms | Self::AddedSms | Self::TestSms)
    }

    /// Whether its text is spoken in a call. A test is too, and has the length of a text message.
    pub fn is_call(self) -> bool {
        matches!(self, Self::Voice | Self::Keypad | Self::KeypadRight | Self::KeypadWrong | Self::KeypadLate)
    }
}

/// A part of a message. Its name is the end of the name of its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The subject line of a mail.
    Subject,
    /// The text; of a mail, the part for readers without HTML.
    Text,
    /// The HTML part of a mail.
    Html,
}

impl Part {
    /// The end of the name of its template.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "txt",
            Self::Html => "html",
        }
    }

    /// The part of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Subject, Self::Text, Self::Html].into_iter().find(|part| part.name() == name)
    }
}

/// What is put into a text.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// The code; empty where a message has none.
    pub code: &'a str,
    /// The whole address of the link; empty where a message has none.
    pub link: &'a str,
    /// The name of a device, as somebody chose it; empty where a message names none.
    pub device: &'a str,
    /// The life of code and link in whole minutes.
    pub minutes: i64,
}

/// How the sender presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    pub name: String,
    /// The colour of mail and pages, as `#rrggbb`.
    pub color: String,
    /// Where the HTML part of a mail finds the logo, as a URL. Empty without a logo.
    pub logo: String,
}

/// A message in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Worded {
    /// The language of the text, as the first part of its code: `de`.
    pub language: String,
    /// The subject line, for mail.
    pub subject: Option<String>,
    pub text: String,
    /// The HTML part, for mail.
    pub html: Option<String>,
}

impl<'a> Filling<'a> {
    /// Nothing, for a message with none of it; and what others are made from.
    pub const NOTHING: Self = Self { code: "", link: "", device: "", minutes: 0 };

    /// Without what a message of this kind does not have.
    pub(crate) fn of(self, kind: MessageKind) -> Self {
        let keep = |kept: bool, text: &'a str| if kept { text } else { "" };
        Self {
            code: keep(kind.has_code(), self.code),
            link: keep(kind.has_link(), self.link),
            device: keep(kind.has_device(), self.device),
            ..self
        }
    }

    /// The device's name as messages show it: without characters that control or override the direction, and not longer
    /// than fits.
    pub(crate) fn shown_device(self) -> String {
        let is_shown = |character: &char| {
            !character.is_control() && !matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        };
        self.device.chars().filter(is_shown).take(DEVICE_MAX).collect::<String>().trim().to_owned()
    }
}

impl std::fmt::Debug for Worded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worded(…)")
    }
}
