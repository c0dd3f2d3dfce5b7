//! The provider `smtp` against a real mail server: a private Postfix with STARTTLS, a log-in and a mailbox. It needs root and
//! Debian's packages `postfix` and `sasl2-bin`. Where they are missing the test says so and passes, unless
//! `COUNTERSIGN_REQUIRE_POSTFIX` is set.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use countersign_delivery::{
    DkimSettings, Mailbox, OutgoingMessage, Provider as _, SendError, SmtpLogin, SmtpProvider, SmtpServer, SmtpSettings,
};
use domain::{Channel, Content, MessageId, Secret, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

const REQUIRE: &str = "COUNTERSIGN_REQUIRE_POSTFIX";
const PROGRAMS: [&str; 2] = ["/usr/sbin/postfix", "/usr/sbin/saslpasswd2"];

/// A Postfix of our own, which ends with its value.
struct Postfix {
    dir: TempDir,
    starttls: u16,
    implicit: u16,
}

impl Postfix {
    /// `None` where it cannot run, and need not.
    fn start() -> Option<Self> {
        let missing = PROGRAMS.into_iter().find(|program| !Path::new(program).exists());
        let missing = missing.or_else(|| (!rustix::process::geteuid().is_root()).then_some("the right to be root"));
        if let Some(missing) = missing {
            assert!(std::env::var_os(REQUIRE).is_none(), "{missing} is missing, and {REQUIRE} is set");
            // Straight to standard error: what a passing test prints is otherwise swallowed.
            let _ = writeln!(std::io::stderr(), "skipped: {missing} is missing, so no Postfix took our mail");
            return None;
        }
        let dir = TempDir::with_prefix("postfix-").unwrap();
        // Its processes are other users.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let postfix = Self { dir, starttls: free_port(), implicit: free_port() };
        postfix.write_certificates();
        postfix.write_password();
        for (name, text) in [("main.cf", MAIN), ("master.cf", MASTER)] {
            let text = text.replace("DIR", postfix.dir.path().to_str().unwrap());
            let text = text.replace("STARTTLS_PORT", &postfix.starttls.to_string());
            postfix.put(name, &text.replace("IMPLICIT_PORT", &postfix.implicit.to_string()));
        }
        fs::create_dir(postfix.path("queue")).unwrap();
        let mail = postfix.path("mail");
        fs::create_dir(&mail).unwrap();
        fs::set_permissions(&mail, Permissions::from_mode(0o777)).unwrap();
        postfix.run("start");
        Some(postfix)
    }

    fn run(&self, what: &str) {
        let output = Command::new(PROGRAMS[0]).arg("-c").arg(self.dir.path()).arg(what).output().unwrap();
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        assert!(output.status.success(), "{what}: {}{log}", String::from_utf8_lossy(&output.stderr));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn write_certificates(&self) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        self.put("ca.pem", &pem("CERTIFICATE", authority.as_ref().der()));
        self.put("certificate.pem", &pem("CERTIFICATE", leaf.der()));
        self.put("key.pem", &pem("PRIVATE KEY", &key.serialize_der()));
    }

    fn write_password(&self) {
        let sasl = self.path("sasl");
        fs::create_dir(&sasl).unwrap();
        let passwords = sasl.join("sasldb2");
        let mut program = Command::new(PROGRAMS[1]);
        program.args(["-p", "-c", "-u", "localhost", "-f"]).arg(&passwords).arg("mfa").stdin(Stdio::piped());
        let mut running = program.spawn().unwrap();
        running.stdin.take().unwrap().write_all(b"hunter2").unwrap();
        assert!(running.wait().unwrap().success());
        fs::set_permissions(&passwords, Permissions::from_mode(0o644)).unwrap();
        let check = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n";
        self.put("sasl/smtpd.conf", &format!("{check}sasldb_path: {}\n", passwords.display()));
    }

    fn settings(&self, scheme: &str, port: u16) -> SmtpSettings {
        let server = SmtpServer::parse(&format!("{scheme}://localhost:{port}")).unwrap();
        let from = Mailbox::parse("Example <mfa@login.example.com>").unwrap();
        SmtpSettings::new(vec![server], from).unwrap().ca_file(self.path("ca.pem"))
    }

    /// The mail with this id, as soon as it is in the mailbox.
    async fn delivered(&self, id: i64) -> String {
        let look = || {
            let files = fs::read_dir(self.path("mail/ana/new")).ok()?;
            let mut mails = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
            mails.find(|mail| mail.contains(&format!("Message-ID: <{id}-")))
        };
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..500 {
            ticks.tick().await;
            if let Some(mail) = look() {
                return mail;
            }
        }
        panic!("not delivered; {}", fs::read_to_string(self.path("log")).unwrap_or_default());
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = Command::new(PROGRAMS[0]).arg("-c").arg(self.dir.path()).arg("stop").output();
    }
}

/// `DIR` and the ports are filled in.
const MAIN: &str = "compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = DIR/log
maillog_file_prefixes = DIR
myhostname = localhost
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_maps = inline:{ ana@example.org=ana/ }
virtual_mailbox_base = DIR/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = DIR/certificate.pem
smtpd_tls_key_file = DIR/key.pem
smtpd_tls_received_header = yes
smtpd_tls_session_cache_database =
smtpd_sasl_auth_enable = yes
smtpd_sasl_authenticated_header = yes
smtpd_sasl_local_domain = localhost
cyrus_sasl_config_path = DIR/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
strict_rfc821_envelopes = yes
";
const MASTER: &str = "127.0.0.1:STARTTLS_PORT inet n - n - - smtpd
127.0.0.1:IMPLICIT_PORT inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
";

fn pem(label: &str, der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn message(id: i64, to: &str) -> OutgoingMessage {
    let content = Content::of(to.to_owned(), "Your code is 123456.\n.\nFrom here: größe\n".to_owned());
    OutgoingMessage {
        id: MessageId(id),
        channel: Channel::Email,
        about: None,
        content: content.as_mail(Some("Your code".to_owned()), Some("<p>Your code</p>".to_owned())),
        created_at: Timestamp(1_700_000_000_123),
    }
}

fn login(password: &str) -> SmtpLogin {
    SmtpLogin::new("mfa".to_owned(), Secret::new(password.as_bytes().to_vec())).unwrap()
}

#[tokio::test]
async fn postfix_takes_our_mail_and_delivers_it() {
    let Some(postfix) = Postfix::start() else { return };
    let key = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    let key: Pkcs8V1Der<'_> = key.as_der().unwrap();
    postfix.put("dkim.pem", &pem("PRIVATE KEY", key.as_ref()));
    let dkim = || DkimSettings::new("example.com", "s1", postfix.path("dkim.pem")).unwrap();

    for (first, scheme, port) in [(1, "smtp", postfix.starttls), (11, "smtps", postfix.implicit)] {
        let settings = || postfix.settings(scheme, port);
        let known = SmtpProvider::new(settings().login(login("hunter2")).unwrap().dkim(dkim()).unwrap()).unwrap();
        for id in [first, first + 1] {
            assert_eq!(known.send(&message(id, "ana@example.org")).await, Ok(()), "{scheme}");
            let mail = postfix.delivered(id).await;
            for part in [
                "TLSv1.3",
                "Authenticated sender: mfa",
                "\nDKIM-Signature: v=1; a=ed25519-sha256;",
                "\nAuto-Submitted: auto-generated\n",
                "\nYour code is 123456.\n.\nFrom here: gr=C3=B6=C3=9Fe\n",
            ] {
                assert!(mail.contains(part), "{part} in {mail}");
            }
        }
        // The same connection goes on after a refusal.
        let unknown = known.send(&message(first + 2, "nobody@example.org")).await;
        assert_eq!(unknown, Err(SendError::Unreachable), "{scheme}");
        assert_eq!(known.send(&message(first + 3, "ana@example.org")).await, Ok(()), "{scheme}");
        postfix.delivered(first + 3).await;

        let wrong = SmtpProvider::new(settings().login(login("wrong")).unwrap()).unwrap();
        assert_eq!(wrong.send(&message(4, "ana@example.org")).await, Err(SendError::Denied), "{scheme}");
        // Without a log-in it relays to no other domain, which says nothing about the recipient.
        let stranger = SmtpProvider::new(settings()).unwrap();
        assert_eq!(stranger.send(&message(5, "ana@example.net")).await, Err(SendError::Refused), "{scheme}");

        // It ends all connections. The next message has a new one.
        postfix.run("stop");
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        postfix.run("start");
        assert_eq!(known.send(&message(first + 6, "ana@example.org")).await, Ok(()), "{scheme}");
        postfix.delivered(first + 6).await;
    }
}
