//! The ceiling: bare hyper, which reads a request and answers with as many bytes as Countersign. A server that uses hyper
//! cannot be faster.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::runtime::Runtime;

use crate::compare::Load;
use crate::helper::{self, Helper};
use crate::wire::Connection;
use crate::workload::Workload;

/// The head that hyper always sends, without the digits of the length.
const OWN_HEAD: usize = "HTTP/1.1 200 OK\r\ncontent-length: \r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n".len();
const PADDING: HeaderName = HeaderName::from_static("x-padding");
const PADDING_FRAME: usize = "x-padding: \r\n".len();

/// The size of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub(crate) struct AnswerSize {
    /// Bytes of an answer's head
    #[arg(long)]
    pub(crate) head_bytes: usize,
    /// Bytes of an answer's body
    #[arg(long)]
    pub(crate) body_bytes: usize,
}

/// The arguments of the hidden program.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    size: AnswerSize,
    /// Threads that answer
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// An echo server in a separate process.
pub(crate) struct Echo {
    helper: Helper,
    pub(crate) size: AnswerSize,
}

impl Echo {
    /// An echo server with answers as large as that of the server at `address` to this request, whose status is known.
    pub(crate) fn like(
        runtime: &Runtime,
        address: SocketAddr,
        (request, status): (&[u8], u16),
        threads: usize,
    ) -> Result<Self> {
        let size = |address| async move {
            let mut line = Connection::open(address).await?;
            let answer = line.exchange(request).await?;
            let size = AnswerSize { head_bytes: answer.head.len(), body_bytes: answer.body.len() };
            Ok::<_, anyhow::Error>((answer.status, size, answer.shown()))
        };
        let (told, wanted, shown) = runtime.block_on(size(address))?;
        ensure!(told == status, "expected {status}, got {shown}");
        let mut args = wanted.args();
        args.extend(["--threads".to_owned(), threads.to_string()]);
        let helper = Helper::start("echo-server", &args)?;
        let (_, own, _) = runtime.block_on(size(helper.address))?;
        ensure!(own == wanted, "the echo server answers {own:?} instead of {wanted:?}");
        Ok(Self { helper, size: wanted })
    }

    /// Load of these workloads.
    pub(crate) fn load<E: Workload>(&self, workloads: Vec<E>) -> Load<E> {
        Load::yardstick(&self.helper, workloads)
    }
}

impl AnswerSize {
    /// As arguments of a hidden program.
    pub(crate) fn args(self) -> Vec<String> {
        let Self { head_bytes, body_bytes } = self;
        vec!["--head-bytes".to_owned(), head_bytes.to_string(), "--body-bytes".to_owned(), body_bytes.to_string()]
    }

    /// An answer of this size.
    pub(crate) fn answer(self) -> Result<Response<Full<Bytes>>> {
        let mut answer = Response::new(Full::new(Bytes::from(vec![b'.'; self.body_bytes])));
        let own = OWN_HEAD + self.body_bytes.to_string().len();
        let missing = self.head_bytes.saturating_sub(own + PADDING_FRAME);
        if missing > 0 {
            answer.headers_mut().insert(PADDING, HeaderValue::from_bytes(&vec![b'.'; missing])?);
        }
        Ok(answer)
    }
}

/// The hidden program: serves until standard input closes.
pub(crate) fn run(args: &Args) -> Result<()> {
    helper::end_with_parent();
    let runtime = match args.threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        threads => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
    };
    runtime.block_on(serve(args.size))
}

async fn serve(size: AnswerSize) -> Result<()> {
    let listener = helper::listen().await?;
    let answer = size.answer()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer.clone();
            async move {
                // Read the body, as every server must.
                let _ = request.into_body().collect().await;
                Ok::<_, Infallible>(answer)
            }
        });
        tokio::spawn(async move {
            // The load program notices a broken connection.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
