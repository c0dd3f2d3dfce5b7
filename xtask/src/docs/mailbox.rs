//! The mailbox of the reader: a mail server on this machine that types each code which arrives, as a person would.

use std::io::{BufRead as _, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use anyhow::{Context as _, Result};

/// Takes mails from now on and types the code of each into `keyboard`. Returns the server's address for
/// `delivery.smtp.servers`.
pub(super) fn open(keyboard: impl Write + Send + 'static) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot open a port for mail")?;
    let address = format!("smtp+plain://{}", listener.local_addr()?);
    thread::spawn(move || {
        let mut keyboard = keyboard;
        for stream in listener.incoming().flatten() {
            converse(&stream, &mut keyboard);
        }
    });
    Ok(address)
}

/// Takes mails until the client is gone.
fn converse(stream: &TcpStream, keyboard: &mut impl Write) {
    let say = |line: &str| (&mut &*stream).write_all(format!("{line}\r\n").as_bytes());
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut answered = say("220 mail.example.com");
    while let (Ok(()), Some(line)) = (answered, lines.next()) {
        answered = match line.split(' ').next().unwrap_or_default() {
            "DATA" => {
                let _ = say("354 go on");
                let code = |line: &String| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
                let mail: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                if let Some(code) = mail.iter().find(|line| code(line)) {
                    let _ = writeln!(keyboard, "{code}").and_then(|()| keyboard.flush());
                }
                say("250 taken")
            }
            "QUIT" => say("221 bye"),
            _ => say("250 fine"),
        };
    }
}
