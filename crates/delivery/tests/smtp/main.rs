//! What the provider `smtp` promises, against a server that a test can make do anything (contract 18.4).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod server;

use std::net::SocketAddr;
use std::time::Duration;

use countersign_delivery::{
    Finding, Mailbox, OutgoingMessage, Provider as _, SendError, SmtpLogin, SmtpProvider, SmtpServer, SmtpSettings,
    send,
};
use domain::{Channel, Content, MessageId, Secret, Timestamp};
use tempfile::TempDir;

use crate::server::{Act, Authority, LONG, Script, Server};

fn message(id: i64, to: &str) -> OutgoingMessage {
    let mut content = Content::of(to.to_owned(), "Your code is 123456.\n.\nNot yours?".to_owned());
    content.code = Some("123456".to_owned());
    OutgoingMessage {
        id: MessageId(id),
        channel: Channel::Email,
        about: None,
        content: content.as_mail(Some("Your code".to_owned()), Some("<p>Your code</p>".to_owned())),
        created_at: Timestamp(1_700_000_000_123),
    }
}

fn ana(id: i64) -> OutgoingMessage {
    message(id, "ana@example.org")
}

fn settings(servers: &[String]) -> SmtpSettings {
    let servers = servers.iter().map(|url| SmtpServer::parse(url).unwrap()).collect();
    let from = Mailbox::parse("Example <mfa@login.example.com>").unwrap();
    SmtpSettings::new(servers, from).unwrap().timeout(LONG)
}

fn plain(address: SocketAddr) -> String {
    format!("smtp+plain://{address}")
}

fn to(servers: &[&Server]) -> SmtpProvider {
    let urls: Vec<_> = servers.iter().map(|server| plain(server.address)).collect();
    SmtpProvider::new(settings(&urls)).unwrap()
}

fn login(password: &str) -> SmtpLogin {
    SmtpLogin::new("mfa".to_owned(), Secret::new(password.as_bytes().to_vec())).unwrap()
}

async fn usual() -> Server {
    Server::start(Script::default()).await
}

async fn that(moment: &'static str, act: Act) -> Server {
    Server::start(Script { instead: vec![(moment, act)], ..Script::default() }).await
}

/// Moments of a conversation at which a server can fail.
const MOMENTS: [&str; 7] = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "MIDDLE", "END"];

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let server = usual().await;
    to(&[&server]).send(&ana(7)).await.unwrap();
    assert_eq!(
        server.commands(),
        ["EHLO login.example.com", "MAIL FROM:<mfa@login.example.com>", "RCPT TO:<ana@example.org>", "DATA"]
    );
    let mail = server.mails().pop().unwrap();
    for part in [
        "\r\nMessage-ID: <7-1700000000123@login.example.com>\r\n",
        "\r\nYour code is 123456.\r\n.\r\nNot yours?\r\n--=_7\r\n",
        "<p>Your code</p>",
    ] {
        assert!(mail.contains(part), "{part} in {mail}");
    }
    assert!(mail.ends_with("\r\n--=_7--\r\n"), "{mail}");
}

#[tokio::test]
async fn one_connection_carries_several_messages() {
    let server = usual().await;
    let provider = to(&[&server]);
    for id in 1..=3 {
        provider.send(&ana(id)).await.unwrap();
    }
    assert_eq!((server.connections(), server.mails().len()), (1, 3));
    assert_eq!(server.commands().iter().filter(|command| *command == "RSET").count(), 2);
}

#[tokio::test]
async fn a_connection_is_left_after_a_hundred_messages() {
    let server = usual().await;
    let provider = to(&[&server]);
    for id in 1..=101 {
        provider.send(&ana(id)).await.unwrap();
    }
    server.has_seen("QUIT").await;
    assert_eq!((server.connections(), server.mails().len()), (2, 101));
}

#[tokio::test]
async fn messages_at_the_same_time_have_connections_of_their_own() {
    let server = usual().await;
    let provider = to(&[&server]);
    let (one, two) = (ana(1), ana(2));
    let (one, two) = tokio::join!(provider.send(&one), provider.send(&two));
    assert_eq!((one, two, server.connections()), (Ok(()), Ok(()), 2));
    provider.send(&ana(3)).await.unwrap();
    assert_eq!((server.connections(), server.mails().len()), (2, 3));
}

#[tokio::test]
async fn a_refusal_means_what_the_refused_command_says() {
    for (moment, said, error) in [
        ("CONNECT", "554 no service", SendError::Unavailable),
        ("EHLO", "550 go away", SendError::Unavailable),
        ("MAIL", "550 5.1.8 bad sender", SendError::Refused),
        ("MAIL", "530 5.7.0 authentication required", SendError::Denied),
        ("RCPT", "550 5.1.1 <ana@example.org> unknown", SendError::Unreachable),
        ("RCPT", "554 5.7.1 relay access denied", SendError::Refused),
        ("DATA", "554 5.5.1 no", SendError::Refused),
        ("END", "554 5.6.0 content rejected", SendError::Refused),
    ] {
        let server = that(moment, Act::Say(said)).await;
        assert_eq!(to(&[&server]).send(&ana(1)).await, Err(error), "{moment} {said}");
        assert!(server.mails().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_cannot_now_leaves_the_message_to_the_next() {
    for moment in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END"] {
        let first = that(moment, Act::Say("450 4.7.1 greylisted, come back later")).await;
        // A refusal of RCPT is about the recipient, any other is about the server.
        let error = if moment == "RCPT" { SendError::Deferred } else { SendError::Unavailable };
        assert_eq!(to(&[&first]).send(&ana(1)).await, Err(error), "{moment}");
        let second = usual().await;
        to(&[&first, &second]).send(&ana(1)).await.unwrap();
        assert_eq!((first.mails().len(), second.mails().len()), (0, 1), "{moment}");
    }
}

#[tokio::test]
async fn a_recipient_who_is_refused_is_no_matter_for_the_next_server() {
    let (first, second) = (that("RCPT", Act::Say("550 5.1.1 unknown")).await, usual().await);
    assert_eq!(to(&[&first, &second]).send(&ana(1)).await, Err(SendError::Unreachable));
    assert_eq!(second.connections(), 0);
}

#[tokio::test]
async fn what_may_pass_is_reported_before_what_stays() {
    let (greylists, refuses) =
        (that("RCPT", Act::Say("450 later")).await, that("MAIL", Act::Say("550 bad sender")).await);
    assert_eq!(to(&[&refuses, &greylists]).send(&ana(1)).await, Err(SendError::Deferred));
    assert_eq!(to(&[&greylists, &refuses]).send(&ana(1)).await, Err(SendError::Deferred));
}

#[tokio::test]
async fn a_connection_that_breaks_at_any_moment_leaves_the_message_to_the_next_server() {
    for moment in MOMENTS {
        let (first, second) = (that(moment, Act::Close).await, usual().await);
        let alone = to(&[&first]).send(&ana(1)).await.unwrap_err();
        assert!(matches!(alone, SendError::Io(_)), "{moment}: {alone}");
        let provider = to(&[&first, &second]);
        provider.send(&ana(1)).await.unwrap();
        provider.send(&ana(2)).await.unwrap();
        // The first is tried each time, over a new connection.
        assert_eq!((first.connections(), second.connections(), second.mails().len()), (3, 1, 2), "{moment}");
    }
}

#[tokio::test]
async fn a_server_that_is_silent_leaves_time_for_the_next() {
    let mut all = tokio::task::JoinSet::new();
    for moment in MOMENTS {
        all.spawn(async move {
            let (first, second) = (that(moment, Act::Hang).await, usual().await);
            let urls = [plain(first.address), plain(second.address)];
            let provider = SmtpProvider::new(settings(&urls).timeout(Duration::from_millis(1_500))).unwrap();
            assert_eq!(send(&provider, &ana(1)).await, Ok(()), "{moment}");
            assert_eq!(second.mails().len(), 1, "{moment}");
        });
    }
    all.join_all().await;
}

#[tokio::test]
async fn a_server_that_is_silent_and_alone_is_late() {
    let server = that("END", Act::Hang).await;
    let settings = settings(&[plain(server.address)]).timeout(Duration::from_millis(100));
    assert_eq!(SmtpProvider::new(settings).unwrap().send(&ana(1)).await, Err(SendError::TimedOut));
}

#[tokio::test]
async fn a_server_that_is_not_there_leaves_the_message_to_the_next() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = usual().await;
    let urls = [plain(gone), plain(server.address)];
    let alone = SmtpProvider::new(settings(&urls[..1])).unwrap();
    let refused = alone.send(&ana(1)).await.unwrap_err();
    assert_eq!(refused, SendError::Io(std::io::ErrorKind::ConnectionRefused));
    assert!(refused.is_unsent());
    SmtpProvider::new(settings(&urls)).unwrap().send(&ana(1)).await.unwrap();
}

#[tokio::test]
async fn a_sending_that_is_cut_off_takes_its_connection_with_it() {
    for moment in ["RCPT", "MIDDLE", "END"] {
        let server = that(moment, Act::Hang).await;
        let provider = to(&[&server]);
        let message = ana(1);
        for times in [1, 2] {
            tokio::select! {
                sent = provider.send(&message) => panic!("{sent:?}"),
                () = server.has_hung(times) => {}
            }
        }
        assert_eq!(server.connections(), 2, "{moment}");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_meanwhile_costs_no_message() {
    let server = usual().await;
    let provider = to(&[&server]);
    for id in 1..=3 {
        provider.send(&ana(id)).await.unwrap();
        server.close_all();
    }
    assert_eq!((server.connections(), server.mails().len()), (3, 3));
}

#[tokio::test]
async fn a_connection_is_used_again_after_a_refusal_and_not_after_a_farewell() {
    for (said, connections) in [("550 5.1.1 unknown", 1), ("450 later", 1), ("421 closing", 2)] {
        let server = that("RCPT", Act::Say(said)).await;
        let provider = to(&[&server]);
        for id in 1..=2 {
            provider.send(&ana(id)).await.unwrap_err();
        }
        assert_eq!(server.connections(), connections, "{said}");
    }
}

#[tokio::test]
async fn what_is_not_smtp_is_not_understood() {
    let endless = "250-x\r\n".repeat(200);
    let long = "x".repeat(5_000);
    for said in ["HTTP/1.1 400 Bad Request", "SSH-2.0-OpenSSH", "", endless.leak(), long.leak(), "150 wait", "354 go"] {
        let server = that("EHLO", Act::Say(said)).await;
        assert_eq!(to(&[&server]).send(&ana(1)).await, Err(SendError::Unavailable), "{said:.20}");
    }
}

#[tokio::test]
async fn an_address_beyond_ascii_goes_to_servers_that_take_it() {
    let (old, new) = (usual().await, Server::start(Script { utf8: true, ..Script::default() }).await);
    let message = message(1, "größe@example.org");
    assert_eq!(to(&[&old]).send(&message).await, Err(SendError::Refused));
    to(&[&old, &new]).send(&message).await.unwrap();
    assert_eq!((old.mails().len(), new.mails().len()), (0, 1));
    let sender = new.commands().into_iter().find(|command| command.starts_with("MAIL")).unwrap();
    assert_eq!(sender, "MAIL FROM:<mfa@login.example.com> SMTPUTF8 BODY=8BITMIME");
}

#[tokio::test]
async fn a_login_is_made_with_what_the_server_offers() {
    for (mechanisms, commands) in
        [("LOGIN PLAIN", &["AUTH PLAIN AG1mYQBodW50ZXIy"][..]), ("GSSAPI LOGIN", &["AUTH LOGIN"])]
    {
        let server = Server::start(Script { mechanisms: Some(mechanisms), ..Script::default() }).await;
        let with = |password| settings(&[plain(server.address)]).login(login(password)).unwrap();
        SmtpProvider::new(with("hunter2")).unwrap().send(&ana(1)).await.unwrap();
        assert_eq!(server.commands()[1..=commands.len()], *commands);
        let wrong = SmtpProvider::new(with("wrong")).unwrap();
        assert_eq!(wrong.send(&ana(1)).await, Err(SendError::Denied));
    }
    for mechanisms in [None, Some("GSSAPI XOAUTH2")] {
        let server = Server::start(Script { mechanisms, ..Script::default() }).await;
        let provider = SmtpProvider::new(settings(&[plain(server.address)]).login(login("hunter2")).unwrap()).unwrap();
        assert_eq!(provider.send(&ana(1)).await, Err(SendError::Denied));
        assert_eq!(server.commands().len(), 1, "nothing is said after EHLO");
    }
}

/// A server with a certificate for this name, and a file with its authority.
async fn secure(name: &str, script: Script) -> (TempDir, std::path::PathBuf, Server) {
    let authority = Authority::of(name);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    (dir, file, Server::start(Script { tls: Some(authority.acceptor), ..script }).await)
}

#[tokio::test]
async fn tls_is_for_servers_that_an_authority_vouches_for() {
    for (scheme, implicit) in [("smtp", false), ("smtps", true)] {
        let (_dir, file, server) =
            secure("localhost", Script { implicit, mechanisms: Some("PLAIN"), ..Script::default() }).await;
        let url = |host: &str| [format!("{scheme}://{host}:{}", server.address.port())];
        let with = |settings: SmtpSettings| SmtpProvider::new(settings.login(login("hunter2")).unwrap()).unwrap();

        let unknown = with(settings(&url("localhost")));
        assert_eq!(unknown.send(&ana(1)).await, Err(SendError::Unavailable), "{scheme}: of an unknown authority");
        let renamed = with(settings(&url("127.0.0.1")).ca_file(file.clone()));
        assert_eq!(renamed.send(&ana(1)).await, Err(SendError::Unavailable), "{scheme}: for another name");
        assert!(!server.commands().iter().any(|command| command == "TLS" || command.starts_with("AUTH")));

        let known = with(settings(&url("localhost")).ca_file(file));
        known.send(&ana(1)).await.unwrap();
        known.send(&ana(2)).await.unwrap();
        let commands = server.commands();
        let tls = commands.iter().position(|command| command == "TLS").unwrap();
        let auth = commands.iter().position(|command| command.starts_with("AUTH")).unwrap();
        assert!(tls < auth && commands[tls + 1].starts_with("EHLO"), "{commands:?}");
        assert_eq!(server.mails().len(), 2);
    }
}

#[tokio::test]
async fn a_server_that_does_not_offer_starttls_is_told_nothing() {
    let server = Server::start(Script { mechanisms: Some("PLAIN"), ..Script::default() }).await;
    let settings = settings(&[format!("smtp://{}", server.address)]).login(login("hunter2")).unwrap();
    assert_eq!(SmtpProvider::new(settings).unwrap().send(&ana(1)).await, Err(SendError::Unavailable));
    assert_eq!(server.commands(), ["EHLO login.example.com"]);
}

#[tokio::test]
async fn an_answer_from_in_front_of_starttls_is_not_taken_for_one_behind_it() {
    let early = Act::Say("220 go ahead\r\n250-fake\r\n250 AUTH PLAIN");
    let (_dir, file, server) =
        secure("localhost", Script { instead: vec![("STARTTLS", early)], ..Script::default() }).await;
    let settings = settings(&[format!("smtp://localhost:{}", server.address.port())]).ca_file(file);
    assert_eq!(SmtpProvider::new(settings).unwrap().send(&ana(1)).await, Err(SendError::Unavailable));
    assert_eq!(server.commands(), ["EHLO login.example.com", "STARTTLS"]);
    assert!(server.mails().is_empty());
}

/// What a probe of the only server finds. No secret and no mail address may be in it.
async fn probed(settings: SmtpSettings) -> Finding {
    let probes = SmtpProvider::new(settings).unwrap().probe().await;
    let shown = format!("{probes:?}");
    assert!(!shown.contains("hunter") && !shown.contains('@'), "{shown}");
    assert_eq!(probes.len(), 1);
    assert!(probes[0].server.as_ref().is_some_and(|server| server.contains("://")), "{shown}");
    probes[0].found.clone()
}

#[tokio::test]
async fn a_probe_logs_in_and_sends_nothing() {
    let server = Server::start(Script { mechanisms: Some("PLAIN"), ..Script::default() }).await;
    let found = probed(settings(&[plain(server.address)]).login(login("hunter2")).unwrap()).await;
    assert!(matches!(found, Finding::Fine(_)), "{found:?}");
    assert_eq!(server.commands(), ["EHLO login.example.com", "AUTH PLAIN AG1mYQBodW50ZXIy", "RSET", "QUIT"]);
}

#[tokio::test]
async fn a_probe_says_which_part_failed() {
    let server = Server::start(Script { mechanisms: Some("PLAIN"), ..Script::default() }).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (_dir, _, strange) = secure("localhost", Script::default()).await;
    let refusing = that("EHLO", Act::Say("550 go away")).await;
    let at = |url: String| settings(&[url]);
    for (settings, part) in [
        (at("smtp+plain://nowhere.invalid".to_owned()), "DNS: "),
        (at(plain(closed)), "TCP: "),
        (at(format!("smtps://{}", server.address)), "TLS: "),
        (at(format!("smtp://localhost:{}", strange.address.port())), "TLS: "),
        (at(format!("smtp://{}", server.address)), "STARTTLS: "),
        (at(plain(server.address)).login(login("hunter3")).unwrap(), "log-in: "),
        (at(plain(refusing.address)), "SMTP: "),
    ] {
        let found = probed(settings).await;
        assert!(matches!(&found, Finding::Failed(why) if why.starts_with(part)), "{part}: {found:?}");
    }
}

#[tokio::test]
async fn a_probe_asks_each_server() {
    let (good, bad) = (usual().await, that("CONNECT", Act::Say("554 no SMTP here")).await);
    let probes = to(&[&bad, &good]).probe().await;
    assert!(matches!(probes[0].found, Finding::Failed(_)) && matches!(probes[1].found, Finding::Fine(_)), "{probes:?}");
    assert_eq!(probes[0].server, Some(plain(bad.address)));
}
