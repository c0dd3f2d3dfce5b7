//! One conversation with one mail server (RFC 5321), command by command.
//!
//! It is ours and not a library's for three reasons. An answer must be known by its command: a 5xx to the recipient ends a
//! message, and another does not. A conversation that was cut off must never be used again, or the next mail becomes a part
//! of the last. What a stranger says in front of STARTTLS must not be read as an answer behind it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use data_encoding::BASE64;
use lettre::Address;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::mail::Mail;
use super::settings::{Encryption, SmtpLogin, SmtpServer};
use super::trouble::{Command, Reply, Stage, Trouble};

/// How long a new connection may take, up to the moment when it can take a message (contract 18.1).
const CONNECT: Duration = Duration::from_secs(3);
/// Longest line of an answer, in bytes. The standard's is 512.
const LONGEST_LINE: u64 = 2_048;
/// Most lines of an answer.
const MOST_LINES: usize = 128;

/// What all connections of a provider have in common.
pub(super) struct Access {
    /// Who we say we are: a domain that the mails come from, since a machine's own name is often none.
    pub(super) hello: String,
    pub(super) login: Option<SmtpLogin>,
    pub(super) tls: TlsConnector,
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection that can take a message.
pub(super) struct Connection {
    stream: BufReader<Box<dyn Duplex>>,
    offers: Offers,
    /// Messages that it has carried.
    pub(super) sent: u32,
}

/// What a server says that it can do.
#[derive(Debug, Default)]
struct Offers {
    start_tls: bool,
    utf8: bool,
    log_in: Option<Mechanism>,
}

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    /// AUTH PLAIN (RFC 4616).
    Plain,
    /// AUTH LOGIN, which is older and all that some servers have.
    Login,
}

impl Connection {
    /// Connects, encrypts and logs in.
    pub(super) async fn open(server: &SmtpServer, access: &Access) -> Result<Self, Trouble> {
        let opened = async { Self::ready(connect(resolve(server).await?).await?, server, access).await };
        timeout(CONNECT, opened).await.unwrap_or(Err(Trouble::Late))
    }

    /// Opens a conversation and ends it, without a message. The error says where it failed.
    pub(super) async fn probe(server: &SmtpServer, access: &Access) -> Result<(), (Stage, Trouble)> {
        let staged = |trouble: Trouble| (trouble.stage(), trouble);
        let late = |_| Err(Trouble::Name(io::ErrorKind::TimedOut.into()));
        let addresses = timeout(CONNECT, resolve(server)).await.unwrap_or_else(late).map_err(staged)?;
        let connected = timeout(CONNECT, connect(addresses)).await.unwrap_or(Err(Trouble::Late));
        let socket = connected.map_err(|trouble| (Stage::Tcp, trouble))?;
        let ready = timeout(CONNECT, Self::ready(socket, server, access)).await.unwrap_or(Err(Trouble::Late));
        let mut connection = ready.map_err(staged)?;
        timeout(CONNECT, connection.reset()).await.unwrap_or(Err(Trouble::Late)).map_err(staged)?;
        connection.quit().await;
        Ok(())
    }

    async fn ready(socket: TcpStream, server: &SmtpServer, access: &Access) -> Result<Self, Trouble> {
        if server.encryption == Encryption::None && access.login.is_some() {
            // The settings have judged the name. This is where it leads.
            let address = socket.peer_addr()?;
            if !address.ip().to_canonical().is_loopback() {
                return Err(Trouble::NotLocal);
            }
        }
        let mut connection = Self::over(socket);
        if server.encryption == Encryption::Implicit {
            connection = connection.encrypted(server, access).await?;
        }
        connection.answer(Command::Greeting).await?;
        connection.hello(access).await?;
        if server.encryption == Encryption::StartTls {
            if !connection.offers.start_tls {
                return Err(Trouble::NoTls);
            }
            connection.command(Command::StartTls, "STARTTLS").await?;
            connection = connection.encrypted(server, access).await?;
            connection.hello(access).await?;
        }
        if let Some(login) = &access.login {
            connection.log_in(login).await?;
        }
        Ok(connection)
    }

    fn over(stream: impl Duplex + 'static) -> Self {
        Self { stream: BufReader::new(Box::new(stream)), offers: Offers::default(), sent: 0 }
    }

    async fn encrypted(self, server: &SmtpServer, access: &Access) -> Result<Self, Trouble> {
        // What came ahead of the handshake would be read as if it had come behind it.
        if !self.stream.buffer().is_empty() {
            return Err(Trouble::Garbled);
        }
        let name = ServerName::try_from(server.name()).map_err(|error| Trouble::Tls(io::Error::other(error)))?;
        let stream = access.tls.connect(name, self.stream.into_inner()).await.map_err(Trouble::Tls)?;
        Ok(Self::over(stream))
    }

    async fn hello(&mut self, access: &Access) -> Result<(), Trouble> {
        let reply = self.command(Command::Hello, &format!("EHLO {}", access.hello)).await?;
        self.offers = Offers::default();
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace().map(str::to_ascii_uppercase);
            match words.next().as_deref() {
                Some("STARTTLS") => self.offers.start_tls = true,
                Some("SMTPUTF8") => self.offers.utf8 = true,
                Some("AUTH") => {
                    for word in words {
                        match word.as_str() {
                            "PLAIN" => self.offers.log_in = Some(Mechanism::Plain),
                            "LOGIN" if self.offers.log_in.is_none() => self.offers.log_in = Some(Mechanism::Login),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn log_in(&mut self, login: &SmtpLogin) -> Result<(), Trouble> {
        let (name, password) = (login.username.as_bytes(), login.password.expose());
        let coded = |bytes: &[u8]| Zeroizing::new(BASE64.encode(bytes));
        match self.offers.log_in.ok_or(Trouble::NoLogin)? {
            Mechanism::Plain => {
                let plain = Zeroizing::new([&b"\0"[..], name, b"\0", password].concat());
                let line = Zeroizing::new(format!("AUTH PLAIN {}", *coded(&plain)));
                self.command(Command::LogIn, &line).await?;
            }
            Mechanism::Login => {
                self.command(Command::LogInStep, "AUTH LOGIN").await?;
                self.command(Command::LogInStep, &coded(name)).await?;
                self.command(Command::LogIn, &coded(password)).await?;
            }
        }
        Ok(())
    }

    /// Begins anew, if the server is still there.
    pub(super) async fn reset(&mut self) -> Result<(), Trouble> {
        self.command(Command::Reset, "RSET").await.map(drop)
    }

    /// Hands over a mail. It is the server's when this returns `Ok`.
    pub(super) async fn send(&mut self, mail: &Mail) -> Result<(), Trouble> {
        let ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        let utf8 = match (ascii(&mail.from) && ascii(&mail.to), self.offers.utf8) {
            (true, _) => "",
            (false, true) => " SMTPUTF8 BODY=8BITMIME",
            (false, false) => return Err(Trouble::NoUtf8),
        };
        self.command(Command::Sender, &format!("MAIL FROM:<{}>{utf8}", mail.from)).await?;
        self.command(Command::Recipient, &format!("RCPT TO:<{}>", mail.to)).await?;
        self.command(Command::Data, "DATA").await?;
        self.write(&stuffed(&mail.bytes)).await?;
        self.answer(Command::Text).await?;
        self.sent += 1;
        Ok(())
    }

    /// Ends the conversation. The mails are with the server by then, so a failure changes nothing.
    pub(super) async fn quit(mut self) {
        let _ = timeout(CONNECT, self.command(Command::Quit, "QUIT")).await;
    }

    async fn command(&mut self, command: Command, line: &str) -> Result<Reply, Trouble> {
        let line = Zeroizing::new(format!("{line}\r\n"));
        self.write(line.as_bytes()).await?;
        self.answer(command).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Reads an answer, which is of the class that `command` hopes for.
    async fn answer(&mut self, command: Command) -> Result<Reply, Trouble> {
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES {
            let line = self.line().await?;
            let (code, text, is_last) = Reply::line(&line).ok_or(Trouble::Garbled)?;
            lines.push(text.to_owned());
            if is_last {
                return Reply { code, lines }.to(command);
            }
        }
        Err(Trouble::Garbled)
    }

    async fn line(&mut self) -> Result<String, Trouble> {
        let mut line = Vec::new();
        (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        match line.strip_suffix(b"\n") {
            Some(line) => Ok(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()),
            None if line.len() < usize::try_from(LONGEST_LINE).unwrap_or(usize::MAX) => {
                Err(Trouble::Connection(io::ErrorKind::UnexpectedEof.into()))
            }
            None => Err(Trouble::Garbled),
        }
    }
}

async fn resolve(server: &SmtpServer) -> Result<Vec<SocketAddr>, Trouble> {
    Ok(lookup_host((server.name(), server.port)).await.map_err(Trouble::Name)?.collect())
}

/// Connects to the first of a server's addresses that answers. Each has its share of the time, so that one that is silent
/// does not take it from the others.
async fn connect(addresses: Vec<SocketAddr>) -> Result<TcpStream, Trouble> {
    let share = CONNECT / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut failed = Trouble::Connection(io::ErrorKind::NotFound.into());
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                // Commands are short, and each waits for its answer.
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Ok(Err(error)) => failed = Trouble::Connection(error),
            Err(_) => failed = Trouble::Late,
        }
    }
    Err(failed)
}

/// A mail with the line that ends it. A dot at the start of a line is doubled, or it could be that end (RFC 5321, section
/// 4.5.2).
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + 64);
    let mut starts = true;
    for byte in mail {
        if starts && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        starts = *byte == b'\n';
    }
    out.extend_from_slice(if starts { b".\r\n" } else { b"\r\n.\r\n" });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_mail_ends_it() {
        assert_eq!(stuffed(b".\r\na.b\r\n..\r\n"), b"..\r\na.b\r\n...\r\n.\r\n");
        assert_eq!(stuffed(b"no end"), b"no end\r\n.\r\n");
        // Some servers take a lone line feed for an end of line.
        assert_eq!(stuffed(b"a\n.\r\n"), b"a\n..\r\n.\r\n");
        assert_eq!(stuffed(b""), b".\r\n");
    }
}
