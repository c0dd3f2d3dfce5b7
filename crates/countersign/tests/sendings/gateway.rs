//! A gateway for text messages whose answers a test chooses. It speaks as Twilio and as Vonage do.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::common::pause;
use crate::wait_until;

/// A message that a gateway was handed. Its number has digits only, as not all write the plus sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handed {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) text: String,
    /// What is to be the same at each try.
    pub(crate) key: String,
}

impl Handed {
    /// The code, with which every text begins.
    pub(crate) fn code(&self) -> &str {
        self.text.split(' ').next().unwrap()
    }

    fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Self> {
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
                None if line.trim_end().is_empty() => break,
                None => None,
            };
        }
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        stream.read_exact(&mut body)?;
        let digits = |number: &str| number.trim_start_matches('+').to_owned();
        if let Ok(json) = serde_json::from_slice::<serde_json::Value>(&body) {
            let text = |name: &str| json[name].as_str().unwrap().to_owned();
            let to = digits(&text("to"));
            return Ok(Self { to, from: text("from"), text: text("text"), key: text("client_ref") });
        }
        let mut form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
        let mut text = |name: &str| form.remove(name).unwrap();
        let (to, from, text) = (digits(&text("To")), text("From"), text("Body"));
        Ok(Self { to, from, text, key: headers["i-twilio-idempotency-token"].clone() })
    }
}

/// What a gateway answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It has taken the message.
    Taken,
    /// It has taken the message, and says so after so many milliseconds.
    TakenLate(u64),
    Status(u16),
    /// 429 with these seconds to wait.
    Busy(u16),
    /// The head of an answer, and then nothing.
    Half,
    /// No answer, while the connection stays open.
    Hang,
    /// The connection is closed without an answer.
    Close,
}

/// What a test does once a gateway has been handed a message, and once it has answered.
pub(crate) trait Plan: Send + Sync + 'static {
    fn reply(&self, handed: &Handed) -> Reply;

    fn answered(&self, _: &Handed) {}
}

impl<F: Fn(&Handed) -> Reply + Send + Sync + 'static> Plan for F {
    fn reply(&self, handed: &Handed) -> Reply {
        self(handed)
    }
}

/// A gateway that is running, and all that it was handed, in order, with its replies.
pub(crate) struct Gateway {
    pub(crate) port: u16,
    handed: Arc<Mutex<Vec<(Handed, Reply)>>>,
    is_closed: Arc<AtomicBool>,
}

impl Gateway {
    pub(crate) fn start(plan: Arc<impl Plan>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let handed = Arc::<Mutex<Vec<_>>>::default();
        let is_closed = Arc::new(AtomicBool::new(false));
        let (all, over) = (handed.clone(), is_closed.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (all, plan) = (all.clone(), plan.clone());
                thread::spawn(move || converse(stream, &all, plan.as_ref()));
            }
        });
        Self { port, handed, is_closed }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Refuses connections from now on.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        let connect = || TcpStream::connect(("127.0.0.1", self.port));
        wait_until("nothing listens", || connect().is_err());
    }

    /// All that it was handed, whatever it answered.
    pub(crate) fn handed(&self) -> Vec<Handed> {
        self.handed.lock().unwrap().iter().map(|(handed, _)| handed.clone()).collect()
    }

    /// All its answers, in the order of what it was handed.
    pub(crate) fn replies(&self) -> Vec<Reply> {
        self.handed.lock().unwrap().iter().map(|(_, reply)| *reply).collect()
    }

    /// What it has said to have taken.
    pub(crate) fn taken(&self) -> Vec<Handed> {
        let all = self.handed.lock().unwrap();
        let taken = all.iter().filter(|(_, reply)| matches!(reply, Reply::Taken | Reply::TakenLate(_)));
        taken.map(|(handed, _)| handed.clone()).collect()
    }
}

fn converse(stream: TcpStream, all: &Mutex<Vec<(Handed, Reply)>>, plan: &impl Plan) {
    let mut stream = BufReader::new(stream);
    let Ok(handed) = Handed::read(&mut stream) else { return };
    let reply = plan.reply(&handed);
    all.lock().unwrap().push((handed.clone(), reply));
    let answer = |head: &str| {
        let answer =
            format!("HTTP/1.1 {head}\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close");
        let _ = stream.get_ref().write_all(format!("{answer}\r\n\r\n{{}}").as_bytes());
    };
    match reply {
        Reply::Taken => answer("201 Created"),
        Reply::TakenLate(wait) => {
            pause(wait);
            answer("201 Created");
        }
        Reply::Status(status) => answer(&format!("{status} So")),
        Reply::Busy(seconds) => answer(&format!("429 So\r\nretry-after: {seconds}")),
        Reply::Half => {
            let _ = stream.get_ref().write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{");
        }
        Reply::Hang | Reply::Close => {}
    }
    plan.answered(&handed);
    if matches!(reply, Reply::Half | Reply::Hang) {
        // Until the other side gives up.
        let _ = stream.get_mut().read(&mut [0]);
    }
}
