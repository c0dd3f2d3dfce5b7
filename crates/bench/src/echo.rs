//! The ceiling: bare hyper, which reads a request and answers with as many bytes as Countersign. A server that uses hyper
//! cannot be faster.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use xtask::terminal;

use crate::compare::Load;
use crate::wire::Connection;
use crate::workload::Workload;

/// The head that hyper always sends, without the digits of the length.
const OWN_HEAD: usize = "HTTP/1.1 200 OK\r\ncontent-length: \r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n".len();
const PADDING: HeaderName = HeaderName::from_static("x-padding");
const PADDING_FRAME: usize = "x-padding: \r\n".len();

/// The size of the answers.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Args {
    /// Bytes of an answer's head
    #[arg(long)]
    head_bytes: usize,
    /// Bytes of an answer's body
    #[arg(long)]
    body_bytes: usize,
    /// Threads that answer
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// An echo server in a separate process.
pub(crate) struct Echo {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Bytes of an answer's head and body.
    pub(crate) sizes: (usize, usize),
    /// The server ends when this pipe closes.
    _leash: Option<ChildStdin>,
}

impl Echo {
    /// An echo server with answers as large as that of the server at `address` to this request, whose status is known.
    pub(crate) fn like(
        runtime: &Runtime,
        address: SocketAddr,
        (request, status): (&[u8], u16),
        threads: usize,
    ) -> Result<Self> {
        let sizes = |address| async move {
            let mut line = Connection::open(address).await?;
            let answer = line.exchange(request).await?;
            Ok::<_, anyhow::Error>((answer.status, (answer.head.len(), answer.body.len()), answer.shown()))
        };
        let (told, wanted, shown) = runtime.block_on(sizes(address))?;
        ensure!(told == status, "expected {status}, got {shown}");
        let (head_bytes, body_bytes) = wanted;
        let echo = Self::start(Args { head_bytes, body_bytes, threads })?;
        let (_, own, _) = runtime.block_on(sizes(echo.address))?;
        ensure!(own == wanted, "the echo server answers {own:?} bytes instead of {wanted:?}");
        Ok(echo)
    }

    /// Load of these workloads.
    pub(crate) fn load<E: Workload>(&self, workloads: Vec<E>) -> Load<E> {
        Load::ceiling(self.address, self.child.id(), workloads)
    }

    fn start(args: Args) -> Result<Self> {
        let program = std::env::current_exe().context("cannot tell where this program is")?;
        let mut child = Command::new(program)
            .args(["echo-server", "--head-bytes", &args.head_bytes.to_string()])
            .args(["--body-bytes", &args.body_bytes.to_string(), "--threads", &args.threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the echo server")?;
        let leash = child.stdin.take();
        let mut line = String::new();
        if let Some(told) = child.stdout.take() {
            BufReader::new(told).read_line(&mut line)?;
        }
        let address = line.trim().parse().context("the echo server does not say where it listens")?;
        Ok(Self { child, address, sizes: (args.head_bytes, args.body_bytes), _leash: leash })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The hidden program: serves until standard input closes.
pub(crate) fn run(args: &Args) -> Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = match args.threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        threads => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
    };
    runtime.block_on(serve(*args))
}

async fn serve(args: Args) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    terminal::say(&listener.local_addr()?.to_string());
    let body = Bytes::from(vec![b'.'; args.body_bytes]);
    let padding = padding(args)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (body, padding) = (body.clone(), padding.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (body, padding) = (body.clone(), padding.clone());
            async move {
                // Read the body, as every server must.
                let _ = request.into_body().collect().await;
                let mut response = Response::new(Full::new(body));
                if let Some(padding) = padding {
                    response.headers_mut().insert(PADDING, padding);
                }
                Ok::<_, Infallible>(response)
            }
        });
        tokio::spawn(async move {
            // The load program notices a broken connection.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The field value that fills the head up to its size.
fn padding(args: Args) -> Result<Option<HeaderValue>> {
    let own = OWN_HEAD + args.body_bytes.to_string().len();
    let missing = args.head_bytes.saturating_sub(own + PADDING_FRAME);
    if missing == 0 {
        return Ok(None);
    }
    Ok(Some(HeaderValue::from_bytes(&vec![b'.'; missing])?))
}
