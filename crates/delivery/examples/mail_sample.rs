//! Sends sample mails for others to judge: `cargo run -p countersign-delivery --example mail_sample -- SERVER KEY LOGO` signs
//! them with the key in the file KEY, as selector `sample` of `example.com`, and hands them to the server, which is a URL as
//! in contract 18.4. The second one shows the picture in the file LOGO. `conformance/python/mail_accept.py` receives and reads them.

use std::path::{Path, PathBuf};

use countersign_delivery::{
    DkimSettings, Logo, Mailbox, OutgoingMessage, Provider as _, SmtpProvider, SmtpServer, SmtpSettings,
};
use domain::{Channel, Content, MessageId, Timestamp};

/// Subjects and texts that need care: white space, dots and marks of parts at the ends of lines, letters of many lands.
const SAMPLES: [(&str, &str); 4] = [
    ("Your code", "Your code is 123456.\n\nIt is valid for 5 minutes.\n"),
    ("Größe, 漢字 and 😀: a subject that is too long for one line of a mail, so it is folded", "Größe 漢字 😀 123456"),
    ("", ""),
    (" \t= ", ".\n..\n--=_4\n--=_4--\n \t \nend with space \t\n\n\nFrom here 123456\n\n\n"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(server), Some(key), Some(logo)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("the arguments are a server, the file of a key and the file of a picture".into());
    };
    let from = Mailbox::parse("Example, Größe & Co. <mfa@login.example.com>")?;
    let settings = SmtpSettings::new(vec![SmtpServer::parse(&server)?], from)?
        .logo(Some(Logo::read(Path::new(&logo))?))
        .reply_to(Mailbox::parse("Help <help@example.com>")?)
        .dkim(DkimSettings::new("example.com", "sample", PathBuf::from(key))?)?;
    let provider = SmtpProvider::new(settings)?;
    for (id, (subject, body)) in (1..).zip(SAMPLES) {
        let picture = if id == 2 { format!("<img src=\"{}\">", Logo::URL) } else { String::new() };
        let (subject, html) = (Some(subject.to_owned()), Some(format!("<p>{body}</p>{picture}")));
        let mut content = Content::of("ana@example.org".to_owned(), body.to_owned()).as_mail(subject, html);
        content.code = Some("123456".to_owned());
        let message = OutgoingMessage {
            id: MessageId(id),
            channel: Channel::Email,
            about: None,
            content,
            created_at: Timestamp(1_700_000_000_000 + id),
        };
        provider.send(&message).await?;
    }
    Ok(())
}
