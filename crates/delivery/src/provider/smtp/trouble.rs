//! What a mail server answers, and what its failures mean.

use std::io;

use crate::provider::SendError;

/// What an answer is the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Greeting,
    Hello,
    StartTls,
    /// The server asks for the next part.
    LogInStep,
    LogIn,
    Reset,
    Sender,
    Recipient,
    Data,
    Text,
    Quit,
}

impl Command {
    /// How log lines name it.
    fn word(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::LogInStep | Self::LogIn => "AUTH",
            Self::Reset => "RSET",
            Self::Sender => "MAIL",
            Self::Recipient => "RCPT",
            Self::Data => "DATA",
            Self::Text => "end of data",
            Self::Quit => "QUIT",
        }
    }

    /// The class of the answer that lets the conversation go on.
    fn good(self) -> u16 {
        match self {
            Self::LogInStep | Self::Data => 3,
            _ => 2,
        }
    }
}

/// An answer of a server. Its words stay here: they may quote an address.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// A line of an answer: its code, its words, and whether it is the last.
    pub(super) fn line(line: &str) -> Option<(u16, &str, bool)> {
        let (code, rest) = line.split_at_checked(3)?;
        let code = code.parse().ok().filter(|code| (200..600).contains(code))?;
        match rest.split_at_checked(1) {
            None => Some((code, "", true)),
            Some((" ", words)) => Some((code, words, true)),
            Some(("-", words)) => Some((code, words, false)),
            Some(_) => None,
        }
    }

    /// This answer, if it lets the conversation go on.
    pub(super) fn to(self, command: Command) -> Result<Self, Trouble> {
        match self.code / 100 {
            class if class == command.good() => Ok(self),
            4 | 5 => Err(Trouble::Refused { command, code: self.code, enhanced: self.enhanced() }),
            _ => Err(Trouble::Garbled),
        }
    }

    /// The second and the third number of an enhanced status code (RFC 3463).
    fn enhanced(&self) -> Option<(u16, u16)> {
        let mut numbers = self.lines.first()?.split(' ').next()?.splitn(3, '.').map(str::parse::<u16>);
        let class = numbers.next()?.ok()?;
        let code = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        (class == self.code / 100).then_some(code)
    }
}

/// Why a server did not take a message. It goes to the log, so it holds nothing that a server has said but numbers.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("no answer in time")]
    Late,
    #[error("the name does not resolve: {0}")]
    Name(#[source] io::Error),
    #[error("connection failed: {0}")]
    Connection(#[from] io::Error),
    #[error("TLS failed: {0}")]
    Tls(#[source] io::Error),
    #[error("no STARTTLS is offered; use smtps:// if the server has TLS from the start")]
    NoTls,
    #[error("the name leads to another machine, so the password was not sent")]
    NotLocal,
    #[error("neither AUTH PLAIN nor AUTH LOGIN is offered; leave the user name out if none is needed")]
    NoLogin,
    #[error("no SMTPUTF8 is offered, which the address needs")]
    NoUtf8,
    #[error("the answer is not SMTP")]
    Garbled,
    #[error("refused: {} was answered with {}", command.word(), numbers(*code, *enhanced))]
    Refused { command: Command, code: u16, enhanced: Option<(u16, u16)> },
}

impl Trouble {
    /// Whether the conversation can go on with another message.
    pub(super) fn is_in_step(&self) -> bool {
        // 421 is the server's farewell.
        match self {
            Self::Refused { code, .. } => *code != 421,
            Self::NoUtf8 => true,
            _ => false,
        }
    }

    /// Where in a conversation without a message it happened.
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Name(_) => Stage::Dns,
            Self::Tls(_) => Stage::Tls,
            Self::NoTls | Self::Refused { command: Command::StartTls, .. } => Stage::StartTls,
            Self::NotLocal | Self::NoLogin | Self::Refused { command: Command::LogInStep | Command::LogIn, .. } => {
                Stage::LogIn
            }
            Self::Late | Self::Connection(_) | Self::NoUtf8 | Self::Garbled | Self::Refused { .. } => Stage::Smtp,
        }
    }

    /// What it means to the outbox (contract 18.4).
    pub(super) fn error(&self) -> SendError {
        match *self {
            Self::Late => SendError::TimedOut,
            Self::Name(ref error) | Self::Connection(ref error) => SendError::Io(error.kind()),
            Self::Tls(_) | Self::NoTls | Self::Garbled => SendError::Unavailable,
            Self::NotLocal | Self::NoLogin => SendError::Denied,
            Self::NoUtf8 => SendError::Refused,
            Self::Refused { command, code, enhanced } => refusal(command, code, enhanced),
        }
    }
}

/// The parts of opening a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Dns,
    Tcp,
    Tls,
    StartTls,
    LogIn,
    /// The conversation itself.
    Smtp,
}

impl Stage {
    /// How an operator knows it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::StartTls => "STARTTLS",
            Self::LogIn => "log-in",
            Self::Smtp => "SMTP",
        }
    }

    /// What to do if it fails.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Dns => "look at the server's name, and at this machine's resolver",
            Self::Tcp => "look at the server's host and port, and at firewalls",
            Self::Tls => {
                "look at the server's certificate; if your own authority issued it, name its file in \
                          delivery.smtp.ca_file"
            }
            Self::StartTls => "look at the server's encryption: smtps:// is TLS from the start, smtp:// is STARTTLS",
            Self::LogIn => "look at delivery.smtp.username and delivery.smtp.password",
            Self::Smtp => {
                "look at the server's log, and at whether port and encryption (smtps:// or smtp://) belong together"
            }
        }
    }
}

fn refusal(command: Command, code: u16, enhanced: Option<(u16, u16)>) -> SendError {
    match command {
        // That a recipient cannot be reached at present, or is greylisted (4.7.x), says nothing about the server.
        Command::Recipient
            if code < 500 && code != 421 && (is_about_recipient(enhanced) || matches!(enhanced, Some((7, _)))) =>
        {
            SendError::Deferred
        }
        _ if code < 500 => SendError::Unavailable,
        // The server has not heard of a message yet, so it is not the message that it refuses.
        Command::Greeting | Command::Hello | Command::StartTls | Command::Reset | Command::Quit => {
            SendError::Unavailable
        }
        Command::LogInStep | Command::LogIn => SendError::Denied,
        // "Authentication required" and its kin (RFC 4954, section 6), whatever command it answers.
        _ if matches!(code, 530 | 534 | 535 | 538) => SendError::Denied,
        Command::Recipient if is_about_recipient(enhanced) => SendError::Unreachable,
        Command::Recipient | Command::Sender | Command::Data | Command::Text => SendError::Refused,
    }
}

/// Whether a refusal of the recipient means the recipient. Many servers say only at this point that they do not accept our
/// sender (5.1.7, 5.1.8), are congested (5.4.5), may not relay for us or have blocked us (5.7.x): see RFC 3463.
fn is_about_recipient(enhanced: Option<(u16, u16)>) -> bool {
    match enhanced {
        Some((1, 7 | 8) | (4, 5)) => false,
        None | Some((0 | 1 | 2 | 4, _)) => true,
        Some(_) => false,
    }
}

fn numbers(code: u16, enhanced: Option<(u16, u16)>) -> String {
    match enhanced {
        Some((subject, detail)) => format!("{code} {}.{subject}.{detail}", code / 100),
        None => code.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(command: Command, line: &str) -> Trouble {
        let (code, words, _) = Reply::line(line).unwrap();
        Reply { code, lines: vec![words.to_owned()] }.to(command).unwrap_err()
    }

    #[test]
    fn a_line_has_a_code_and_words() {
        assert_eq!(Reply::line("250 2.1.0 ok"), Some((250, "2.1.0 ok", true)));
        assert_eq!(Reply::line("250-SIZE 1"), Some((250, "SIZE 1", false)));
        assert_eq!(Reply::line("354"), Some((354, "", true)));
        for line in ["", "2", "25", "250x", "abc d", "+50 ok", "199 ok", "600 ok", "25\u{e9} ok"] {
            assert_eq!(Reply::line(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_refusal_means_what_its_command_says() {
        for (command, line, error) in [
            (Command::Recipient, "550 5.1.1 no such user", SendError::Unreachable),
            (Command::Recipient, "550 no such user", SendError::Unreachable),
            (Command::Recipient, "552 5.2.2 mailbox full", SendError::Unreachable),
            (Command::Recipient, "550 5.4.1 access denied", SendError::Unreachable),
            (Command::Recipient, "554 5.7.1 relay access denied", SendError::Refused),
            (Command::Recipient, "550 5.1.8 sender address rejected", SendError::Refused),
            (Command::Recipient, "550 5.4.5 daily limit exceeded", SendError::Refused),
            (Command::Recipient, "503 5.5.1 bad sequence", SendError::Refused),
            (Command::Recipient, "530 5.7.0 authentication required", SendError::Denied),
            (Command::Recipient, "450 4.7.1 greylisted", SendError::Deferred),
            (Command::Recipient, "450 4.2.0 greylisted", SendError::Deferred),
            (Command::Recipient, "450 4.1.2 domain not found", SendError::Deferred),
            (Command::Recipient, "452 4.2.2 mailbox full", SendError::Deferred),
            (Command::Recipient, "451 try again", SendError::Deferred),
            (Command::Recipient, "452 4.3.1 disk full", SendError::Unavailable),
            (Command::Recipient, "421 4.2.0 closing", SendError::Unavailable),
            (Command::Sender, "550 5.1.8 bad sender", SendError::Refused),
            (Command::Sender, "530 5.7.0 must issue STARTTLS first", SendError::Denied),
            (Command::Data, "554 no valid recipients", SendError::Refused),
            (Command::Text, "554 5.6.0 spam", SendError::Refused),
            (Command::Text, "452 4.3.1 disk full", SendError::Unavailable),
            (Command::LogIn, "535 5.7.8 bad credentials", SendError::Denied),
            (Command::LogIn, "454 4.7.0 temporary failure", SendError::Unavailable),
            (Command::Greeting, "554 no SMTP here", SendError::Unavailable),
            (Command::Hello, "550 go away", SendError::Unavailable),
        ] {
            assert_eq!(trouble(command, line).error(), error, "{line}");
        }
        // Not an answer to this command at all.
        assert!(matches!(trouble(Command::Data, "250 ok"), Trouble::Garbled));
    }

    #[test]
    fn the_log_gets_numbers_and_no_words() {
        let shown = trouble(Command::Recipient, "550 5.1.1 <ana@example.org>: no such user").to_string();
        assert_eq!(shown, "refused: RCPT was answered with 550 5.1.1");
        let shown = trouble(Command::Text, "554 5.ana.1 spam").to_string();
        assert_eq!(shown, "refused: end of data was answered with 554");
    }

    #[test]
    fn a_conversation_goes_on_after_a_refusal_and_after_nothing_else() {
        assert!(trouble(Command::Recipient, "550 no such user").is_in_step());
        assert!(!trouble(Command::Recipient, "421 closing").is_in_step());
        for other in [Trouble::Late, Trouble::Garbled, Trouble::Connection(io::ErrorKind::UnexpectedEof.into())] {
            assert!(!other.is_in_step());
        }
    }
}
