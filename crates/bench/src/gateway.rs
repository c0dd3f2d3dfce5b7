//! A gateway for text messages on a socket of this machine: it takes every message, once a run asks for it, and counts them.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;

/// What it answers.
const TAKEN: &[u8] = br#"{"id":"1"}"#;

/// A gateway in a thread of this process. It serves until the process ends.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    taken: Arc<AtomicU64>,
    /// Requests wait for a permit of this until it is closed.
    shut: Arc<Semaphore>,
}

impl Gateway {
    /// A gateway that takes messages only after [`Self::open`].
    pub(crate) fn shut() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for a gateway")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (taken, shut) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
        let served = (taken.clone(), shut.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::spawn(move || runtime.block_on(serve(listener, served)));
        Ok(Self { address, taken, shut })
    }

    /// A gateway that takes messages at once.
    pub(crate) fn start() -> Result<Self> {
        let gateway = Self::shut()?;
        gateway.open();
        Ok(gateway)
    }

    /// Takes what has come, and what comes.
    pub(crate) fn open(&self) {
        self.shut.close();
    }

    /// Messages that it has taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Writes the file that describes it to Countersign.
    pub(crate) fn describe(&self, file: &Path) -> Result<()> {
        let text = format!(
            "url = \"http://{}/send\"\njson = '''{{\"to\": \"{{{{ to }}}}\", \"text\": \"{{{{ text }}}}\"}}'''\n",
            self.address
        );
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// A gateway that takes connections and never answers.
pub(crate) fn black_hole() -> Result<SocketAddr> {
    Ok(Gateway::shut()?.address)
}

async fn serve(listener: TcpListener, (taken, shut): (Arc<AtomicU64>, Arc<Semaphore>)) -> Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (taken, shut) = (taken.clone(), shut.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (taken, shut) = (taken.clone(), shut.clone());
            async move {
                let is_message = request.method() == hyper::Method::POST;
                let _ = request.into_body().collect().await;
                // It fails once it is closed, which opens the gateway.
                let _ = shut.acquire().await;
                if is_message {
                    taken.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(TAKEN))))
            }
        });
        tokio::spawn(async move {
            // Countersign notices a broken connection.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
