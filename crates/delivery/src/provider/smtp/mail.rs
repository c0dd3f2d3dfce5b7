//! The bytes of a mail. The same message always becomes the same bytes, so a mail that is sent twice is seen to be one.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox as Named, MultiPart, SinglePart};

use super::logo::Logo;
use super::settings::{Mailbox, address_of};
use crate::message::OutgoingMessage;
use crate::provider::SendError;
use crate::provider::dkim::Signer;

/// First moment of the year 10000, which a `Date` field cannot name.
const END_OF_DATES: u64 = 253_402_300_800_000;

/// Who writes, and who vouches for it.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
    pub(super) signer: Option<Signer>,
    /// The picture of the sender, as PNG.
    pub(super) logo: Option<Logo>,
}

/// A mail, ready for a server.
pub(super) struct Mail {
    pub(super) from: Address,
    pub(super) to: Address,
    /// Lines that end with CR and LF.
    pub(super) bytes: Vec<u8>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail(…)")
    }
}

impl Writer {
    /// Writes a message as a mail, signed if there is a signer.
    pub(super) fn write(&self, message: &OutgoingMessage) -> Result<Mail, SendError> {
        let to = address_of(&message.content.to).ok_or(SendError::Unreachable)?;
        let mut bytes = self.unsigned(message, &to).ok_or(SendError::Refused)?;
        if !bytes.ends_with(b"\r\n") {
            bytes.extend_from_slice(b"\r\n");
        }
        if let Some(signer) = &self.signer {
            let field = signer.field(&bytes, message.created_at).map_err(|_| SendError::Refused)?;
            bytes.splice(..0, field.into_bytes());
        }
        Ok(Mail { from: self.from.0.email.clone(), to, bytes })
    }

    fn unsigned(&self, message: &OutgoingMessage, to: &Address) -> Option<Vec<u8>> {
        let content = &message.content;
        let created = u64::try_from(message.created_at.0).ok().filter(|created| *created < END_OF_DATES)?;
        let created = Duration::from_millis(created);
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut builder = lettre::Message::builder().date(SystemTime::UNIX_EPOCH + created).from(self.from.0.clone());
        if let Some(mailbox) = &self.reply_to {
            builder = builder.reply_to(mailbox.0.clone());
        }
        let builder = builder
            .to(Named::new(None, to.clone()))
            .subject(content.subject.as_deref().unwrap_or_default())
            .message_id(Some(format!("<{}@{}>", message.key(), self.from.domain())))
            // Keeps out-of-office replies away (RFC 3834).
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        let text = part(ContentType::TEXT_PLAIN, content.body.clone());
        let mail = match &content.html {
            // Neither quoted-printable nor Base64 has `=_` or `=-` in it, so nothing can end its part.
            Some(html) => {
                let parts = MultiPart::alternative().boundary(format!("=_{}", message.id.0)).singlepart(text);
                let page = part(ContentType::TEXT_HTML, html.clone());
                builder.multipart(match self.logo.as_ref().filter(|_| html.contains(Logo::URL)) {
                    Some(logo) => parts.multipart(
                        MultiPart::related()
                            .boundary(format!("=-{}", message.id.0))
                            .singlepart(page)
                            .singlepart(picture(logo)?),
                    ),
                    None => parts.singlepart(page),
                })
            }
            None => builder.singlepart(text),
        };
        Some(mail.ok()?.formatted())
    }
}

fn picture(logo: &Logo) -> Option<SinglePart> {
    let kind = ContentType::parse("image/png").ok()?;
    Some(Attachment::new_inline(Logo::CONTENT_ID.to_owned()).body(logo.bytes().to_vec(), kind))
}

fn part(kind: ContentType, text: String) -> SinglePart {
    SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(text)
}

#[cfg(test)]
mod tests {
    use domain::{Channel, Content, MessageId, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn writer() -> Writer {
        Writer {
            from: Mailbox::parse("Example <mfa@login.example.com>").unwrap(),
            reply_to: Some(Mailbox::parse("help@example.com").unwrap()),
            signer: None,
            logo: None,
        }
    }

    fn message(content: Content) -> OutgoingMessage {
        OutgoingMessage {
            id: MessageId(4_711),
            channel: Channel::Email,
            about: None,
            content,
            created_at: Timestamp(1_700_000_000_123),
        }
    }

    fn content(to: &str, body: &str, subject: &str) -> Content {
        let html = format!("<p>{body}</p>\n");
        let mut content = Content::of(to.to_owned(), body.to_owned()).as_mail(Some(subject.to_owned()), Some(html));
        content.code = Some("123456".to_owned());
        content
    }

    fn written(content: Content) -> String {
        String::from_utf8(writer().write(&message(content)).unwrap().bytes).unwrap()
    }

    /// Names of the fields in front of the first empty line.
    fn fields(mail: &str) -> Vec<&str> {
        let head = mail.split_once("\r\n\r\n").unwrap().0;
        let names = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        names.map(|line| line.split_once(':').unwrap().0).collect()
    }

    #[test]
    fn a_mail_is_text_and_html_with_the_fields_of_the_contract() {
        let mail =
            written(content("ana@example.org", "Your code is 123456.\n\nIt is valid for 5 minutes.", "Your code"));
        let expected = "\
            Date: Tue, 14 Nov 2023 22:13:20 +0000\n\
            From: Example <mfa@login.example.com>\n\
            Reply-To: help@example.com\n\
            To: ana@example.org\n\
            Subject: Your code\n\
            Message-ID: <4711-1700000000123@login.example.com>\n\
            Auto-Submitted: auto-generated\n\
            MIME-Version: 1.0\n\
            Content-Type: multipart/alternative; boundary=\"=_4711\"\n\
            \n\
            --=_4711\n\
            Content-Type: text/plain; charset=utf-8\n\
            Content-Transfer-Encoding: quoted-printable\n\
            \n\
            Your code is 123456.\n\
            \n\
            It is valid for 5 minutes.\n\
            --=_4711\n\
            Content-Type: text/html; charset=utf-8\n\
            Content-Transfer-Encoding: quoted-printable\n\
            \n\
            <p>Your code is 123456.\n\
            \n\
            It is valid for 5 minutes.</p>\n\
            \n\
            --=_4711--\n";
        assert_eq!(mail.replace("\r\n", "\n"), expected);
    }

    #[test]
    fn a_message_becomes_the_same_mail_at_each_try() {
        let one = content("ana@example.org", "Your code is 123456", "Your code");
        assert_eq!(written(one.clone()), written(one));
    }

    #[test]
    fn a_logo_goes_with_the_mail_that_shows_it() {
        let logo = Some(Logo::of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()).unwrap());
        let writer = Writer { logo, ..writer() };
        let written = |html: &str| {
            let mut content = content("ana@example.org", "Your code", "Your code");
            content.html = Some(html.to_owned());
            String::from_utf8(writer.write(&message(content)).unwrap().bytes).unwrap()
        };
        let shown = written("<img src=\"cid:brand-logo@countersign\">");
        let parts = [
            "multipart/alternative; boundary=\"=_4711\"",
            "text/plain",
            "multipart/related; boundary=\"=-4711\"",
            "text/html",
            "Content-ID: <brand-logo@countersign>\r\n",
            "Content-Disposition: inline",
            "image/png",
            "iVBORw0KGgoAAAANSUhEUg==",
            "--=-4711--",
            "--=_4711--",
        ];
        let places: Vec<_> =
            parts.iter().map(|part| shown.find(part).unwrap_or_else(|| panic!("{part}: {shown}"))).collect();
        assert!(places.is_sorted(), "{shown}");
        assert!(!written("<p>no picture</p>").contains("image/png"));
    }

    #[test]
    fn words_without_html_are_one_part() {
        let plain = written(Content::of("ana@example.org".to_owned(), "Code 123456".to_owned()));
        assert!(plain.contains("Content-Type: text/plain") && !plain.contains("multipart"), "{plain}");
    }

    #[test]
    fn a_domain_is_written_in_ascii() {
        let mail = writer().write(&message(content("ana@größe.example", "Code 123456", "Größe"))).unwrap();
        assert_eq!(mail.to.to_string(), "ana@xn--gre-6ka8i.example");
        assert!(mail.bytes.is_ascii());
    }

    #[test]
    fn what_is_no_address_cannot_be_reached() {
        for to in [
            "",
            "ana",
            "ana@",
            "@example.org",
            "ana@exa mple.org",
            "ana\r\n@example.org",
            "a@example.org\r\nX: y",
            "\"a\r\nX: y\"@example.org",
            "\"a\n\"@example.org",
        ] {
            let refused = writer().write(&message(content(to, "Code 123456", "Code"))).unwrap_err();
            assert_eq!(refused, SendError::Unreachable, "{to:?}");
        }
    }

    #[test]
    fn a_moment_without_a_date_is_refused() {
        let at = |created_at| OutgoingMessage { created_at, ..message(content("ana@example.org", "123456", "Code")) };
        for moment in [-1, i64::MIN, 253_402_300_800_000, i64::MAX] {
            assert_eq!(writer().write(&at(Timestamp(moment))).unwrap_err(), SendError::Refused);
        }
        writer().write(&at(Timestamp(253_402_300_799_999))).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// No words of anybody add a field, end a part or a line, or break a limit of RFC 5322.
        #[test]
        fn no_text_gets_out_of_its_place(
            body in "(?s).{0,40}(\r|\n|\r\n|--=[_-]4711|\\.)?.{0,40}",
            subject in "(?s).{0,30}(\r|\n|\r\n(Bcc: a@b.example)?)?.{0,80}",
            has_logo: bool,
        ) {
            let logo = has_logo.then(|| {
                let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
                png.extend((0..=255).cycle().take(1_000));
                Logo::of(png).unwrap()
            });
            let mut content = content("ana@example.org", &body, &subject);
            if has_logo {
                content.html = Some(format!("<p>{body}</p><img src=\"{}\">", Logo::URL));
            }
            let mail = Writer { logo, ..writer() }.write(&message(content)).unwrap();
            let mail = String::from_utf8(mail.bytes).unwrap();
            prop_assert!(mail.is_ascii());
            prop_assert_eq!(fields(&mail), [
                "Date", "From", "Reply-To", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
            ]);
            let lines = mail.strip_suffix("\r\n").unwrap().split("\r\n");
            for line in lines.clone() {
                prop_assert!(!line.contains(['\r', '\n']) && line.len() <= 998, "{line:?}");
            }
            prop_assert_eq!(lines.clone().filter(|line| line.starts_with("--=_4711")).count(), 3);
            prop_assert_eq!(lines.filter(|line| line.starts_with("--=-4711")).count(), if has_logo { 3 } else { 0 });
        }
    }
}
