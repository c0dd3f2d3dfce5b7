//! The accept loop: accepts sockets, serves screened connections, and shuts down in order.
//!
//! It enforces the limits of connections (SEC 61) and the order of a shutdown (SEC 82): no new connections; idle ones are
//! closed; busy ones get time; the rest are dropped. An error of one connection affects only that connection.
//!
//! Each connection is served by one runtime to its end, TLS handshake included ([`crate::threads`]).

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::rt::Timer;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::front::Front;
use crate::limits::Limits;
use crate::peer::Peer;
use crate::slots::Slots;
use crate::threads::Turns;
use crate::tls::Certificates;
use crate::wire::{Alarm, Pulse, Wire, monotonic_now};

/// Pause of accepting while the process is out of descriptors or memory.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Serves `front` on `listener`, each connection on the runtime whose turn it is, until `shutdown` completes and the
/// connections have drained.
///
/// Running out of file descriptors pauses the loop. Only a broken listener ends it.
pub async fn serve(
    listener: TcpListener,
    front: Front,
    turns: Turns,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_from(listener, front, turns, None, shutdown).await
}

/// [`serve`] over TLS.
pub async fn serve_tls(
    listener: TcpListener,
    front: Front,
    turns: Turns,
    certificates: Arc<Certificates>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    front.ends_tls();
    serve_from(listener, front, turns, Some(certificates), shutdown).await
}

/// The source of connections: a listener, or a broken one in a test.
trait Source {
    /// The next connection, which belongs to no runtime yet.
    async fn accept(&self) -> io::Result<(StdTcpStream, SocketAddr)>;
}

impl Source for TcpListener {
    async fn accept(&self) -> io::Result<(StdTcpStream, SocketAddr)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        Ok((stream.into_std()?, peer))
    }
}

async fn serve_from(
    source: impl Source,
    front: Front,
    mut turns: Turns,
    certificates: Option<Arc<Certificates>>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let limits = *front.limits();
    let slots = Slots::new(limits.connections, limits.per_peer);
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut failing = false;

    let ended = loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break Ok(()),
            Some(ended) = connections.join_next() => {
                report(ended);
                continue;
            }
            accepted = source.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                failing = false;
                let Some(slot) = slots.take(peer.ip()) else {
                    tracing::debug!(%peer, "connection refused: too many are open");
                    continue;
                };
                // Each answer is small and written whole: waiting to fill a segment only adds delay.
                let _ = stream.set_nodelay(true);
                let (front, stopped) = (front.clone(), stopped.clone());
                let held = (slot, front.opened());
                // Each kind has its task: a plain connection has no room for a handshake.
                match certificates.as_ref().map(|certificates| certificates.acceptor()) {
                    None => connections.spawn_on(plain(stream, peer, front, stopped, held), turns.next()),
                    Some(acceptor) => {
                        connections.spawn_on(secured(stream, peer, acceptor, front, stopped, held), turns.next())
                    }
                };
            }
            Err(error) => match after_failed_accept(&error) {
                AfterFailure::GoOn => {}
                AfterFailure::Pause => {
                    if !failing {
                        tracing::warn!(%error, "cannot accept connections for now");
                        failing = true;
                    }
                    tokio::select! {
                        () = &mut shutdown => break Ok(()),
                        () = TokioTimer::new().sleep(BACK_OFF) => {}
                    }
                }
                AfterFailure::End => break Err(error),
            },
        }
    };

    drop(source);
    // Without a receiver there is no connection to stop.
    let _ = stop.send(true);
    let drained = tokio::time::timeout(limits.drain, async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    });
    if drained.await.is_err() {
        tracing::warn!(connections = connections.len(), "connections dropped: they did not finish in time");
        connections.shutdown().await;
    }
    ended
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a connection's task panicked");
    }
}

#[derive(Debug, PartialEq, Eq)]
enum AfterFailure {
    GoOn,
    Pause,
    End,
}

/// What the loop does after a failed accept.
fn after_failed_accept(error: &io::Error) -> AfterFailure {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput};
    /// "Bad file descriptor" on every Unix.
    const EBADF: i32 = 9;
    match error.kind() {
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted => AfterFailure::GoOn,
        InvalidInput => AfterFailure::End,
        _ if error.raw_os_error() == Some(EBADF) => AfterFailure::End,
        _ => AfterFailure::Pause,
    }
}

/// Serves an accepted socket on the current runtime. What is `held` for the connection ends with it.
async fn plain<H>(stream: StdTcpStream, peer: SocketAddr, front: Front, stopped: watch::Receiver<bool>, held: H) {
    match TcpStream::from_std(stream) {
        Ok(stream) => connection(stream, peer, front, stopped).await,
        Err(error) => tracing::debug!(%peer, %error, "connection cannot be served"),
    }
    drop(held);
}

/// The same, over TLS.
async fn secured<H>(
    stream: StdTcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    front: Front,
    mut stopped: watch::Receiver<bool>,
    held: H,
) {
    match TcpStream::from_std(stream) {
        // The handshake is boxed: it ends, and the connection stays.
        Ok(stream) => match Box::pin(shaken(acceptor.accept(stream), *front.limits(), &mut stopped)).await {
            Some(Ok(stream)) => connection(stream, peer, front, stopped).await,
            Some(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
            None => tracing::debug!(%peer, "TLS handshake timed out"),
        },
        Err(error) => tracing::debug!(%peer, %error, "connection cannot be served"),
    }
    drop(held);
}

/// A handshake, or nothing when its time is over. Since a stop began, it has only the linger time, as a first request has.
async fn shaken<T>(
    handshake: impl Future<Output = T>,
    limits: Limits,
    stopped: &mut watch::Receiver<bool>,
) -> Option<T> {
    let mut handshake = pin!(handshake);
    let before_a_stop = tokio::time::timeout(limits.head_read, async {
        tokio::select! {
            biased;
            shaken = &mut handshake => Some(shaken),
            _ = stopped.wait_for(|stopped| *stopped) => None,
        }
    });
    match before_a_stop.await.ok()? {
        Some(shaken) => Some(shaken),
        None => tokio::time::timeout(limits.linger, handshake).await.ok(),
    }
}

/// Serves one connection to its end.
async fn connection<S>(stream: S, peer: SocketAddr, front: Front, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = *front.limits();
    let now = monotonic_now();
    let pulse = Arc::new(Pulse::new(now));
    let wire = Wire::new(stream, &limits, Arc::clone(&pulse));
    let beats = Arc::clone(&pulse);
    let service = service_fn(move |request: Request<Incoming>| {
        let (front, pulse) = (front.clone(), Arc::clone(&beats));
        let (refused, mut alarm) = pulse.serve();
        // Boxed, so that a connection has no room for an answer while it is idle or its body is a long stream.
        Box::pin(async move {
            let response = front.answer_screened(request, Some(Peer(peer)), refused, &mut alarm).await;
            pulse.answer(monotonic_now(), alarm);
            Ok::<_, Infallible>(response)
        })
    });

    let mut builder = http1::Builder::new();
    // Answers are small: copying the body after the head is cheaper than writing two pieces.
    builder.writev(false);
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_header_size(limits.head_bytes + 1024);
    if limits.head_fields > 100 {
        // hyper's default of 100 needs no allocation.
        builder.max_headers(limits.head_fields);
    }
    let mut serving = pin!(builder.serve_connection(TokioIo::new(wire), service));
    let mut stopping = pin!(stopped.wait_for(|stopped| *stopped));
    let (mut stop, mut is_shut) = (None, false);
    let mut alarm = Alarm::default();

    poll_fn(|cx| {
        if serving.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if stop.is_none() && stopping.as_mut().poll(cx).is_ready() {
            stop = Some(monotonic_now());
        }
        // A caller that has just connected is about to ask. It is answered, or else the deadline ends it.
        if stop.is_some() && !is_shut && !pulse.is_unused() {
            is_shut = true;
            serving.as_mut().graceful_shutdown();
            if serving.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        alarm.poll(cx, pulse.deadline(&limits, stop))
    })
    .await;
}

#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
