//! The socket of one connection as hyper sees it. Every byte read passes the screen first, and the [`Pulse`] records the
//! times after which slow or idle connections are closed.
//!
//! hyper's own head timer also runs while a connection is idle between requests, so it cannot allow 10 seconds for a head
//! but 60 seconds of idle time.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::limits::Limits;
use crate::screen::{Refused, Screen};

/// Most bytes that are read and dropped after a refusal, until the client stops sending.
const LINGER_BYTES: usize = 1024 * 1024;

/// The monotonic time of connections. It is hyper's timer and not the settable clock: moving that clock must not close
/// connections.
pub(crate) fn monotonic_now() -> Instant {
    TokioTimer::new().now()
}

/// The shared state of one connection's parts. All of them run in one task, so the lock is never contended.
pub(crate) struct Pulse(Mutex<Beats>);

struct Beats {
    /// Heads passed to hyper, requests passed on by hyper, and responses made.
    heads: u32,
    served: u32,
    answered: u32,
    /// The number of the head to refuse, and the reason.
    refused: Option<(u32, Refused)>,
    /// Start of the head that is now arriving. A new connection begins with one.
    head_since: Option<Instant>,
    /// Time of the last write.
    active: Instant,
    /// Start of lingering.
    lingering: Option<Instant>,
    /// The timer of the requests, between two requests.
    alarm: Alarm,
}

impl Pulse {
    pub(crate) fn new(now: Instant) -> Self {
        Self(Mutex::new(Beats {
            heads: 0,
            served: 0,
            answered: 0,
            refused: None,
            head_since: Some(now),
            active: now,
            lingering: None,
            alarm: Alarm::default(),
        }))
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a request reached the service. Returns its refusal, if the screen found one, and its timer.
    pub(crate) fn serve(&self) -> (Option<Refused>, Alarm) {
        let mut beats = self.beats();
        beats.served = beats.served.wrapping_add(1);
        let refused = match beats.refused {
            Some((number, refused)) if number == beats.served => Some(refused),
            _ => None,
        };
        (refused, std::mem::take(&mut beats.alarm))
    }

    /// Records that a response is ready, and keeps the timer for the next request.
    pub(crate) fn answer(&self, now: Instant, alarm: Alarm) {
        let mut beats = self.beats();
        beats.alarm = alarm;
        beats.answered = beats.answered.wrapping_add(1);
        beats.active = now;
        if beats.head_since.is_some() {
            beats.head_since = Some(now);
        }
    }

    /// Whether no request has come yet.
    pub(crate) fn is_unused(&self) -> bool {
        self.beats().served == 0
    }

    /// The time at which the connection must be closed, unless something happens before. Only a request in progress
    /// suspends it, and nothing that the client sends or does not read. Since a stop began, unread answers and a first request that
    /// has not come get only the linger time, so that connections without a request hold up no stop.
    pub(crate) fn deadline(&self, limits: &Limits, stopping: Option<Instant>) -> Option<Instant> {
        let beats = self.beats();
        if let Some(since) = beats.lingering {
            Some(since + limits.linger)
        } else if beats.served != beats.answered {
            // The body and the handler have separate timeouts.
            None
        } else if beats.heads == beats.answered
            && let Some(since) = beats.head_since
        {
            let read = since + limits.head_read;
            Some(stopping.filter(|_| beats.served == 0).map_or(read, |since| read.min(since + limits.linger)))
        } else {
            // It is idle, or the client does not read an answer; pipelined requests wait behind that.
            Some(beats.active + if stopping.is_some() { limits.linger } else { limits.idle })
        }
    }
}

/// A stream whose incoming bytes pass the screen.
pub(crate) struct Wire<S> {
    stream: S,
    screen: Screen,
    pulse: Arc<Pulse>,
    out: Vec<u8>,
    given: usize,
    /// Nothing more is read: a head was refused, or a body's framing is broken.
    cut: bool,
    /// The broken framing has not been reported yet.
    broken: bool,
    lingered: usize,
}

impl<S> Wire<S> {
    pub(crate) fn new(stream: S, limits: &Limits, pulse: Arc<Pulse>) -> Self {
        Self {
            stream,
            screen: Screen::new(limits),
            pulse,
            out: Vec::new(),
            given: 0,
            cut: false,
            broken: false,
            lingered: 0,
        }
    }

    /// Returns bytes that the screen has buffered.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let some = (self.out.len() - self.given).min(buf.remaining());
        buf.put_slice(&self.out[self.given..self.given + some]);
        self.given += some;
        if self.given == self.out.len() {
            self.out = Vec::new();
            self.given = 0;
        }
    }

    /// Screens the bytes that were just read after `start`.
    fn screen(&mut self, buf: &mut ReadBuf<'_>, start: usize) {
        let passed = self.screen.feed(&buf.filled()[start..], &mut self.out);
        buf.set_filled(start + passed.direct);
        let mut beats = self.pulse.beats();
        beats.heads = beats.heads.wrapping_add(passed.heads);
        if let Some(refused) = passed.refused {
            beats.refused = Some((beats.heads, refused));
            self.cut = true;
        }
        if !self.screen.within_head() {
            beats.head_since = None;
        } else if beats.head_since.is_none() || passed.heads > 0 {
            beats.head_since = Some(monotonic_now());
        }
        self.broken = passed.broken;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        loop {
            if !wire.out.is_empty() {
                wire.give(buf);
                return Poll::Ready(Ok(()));
            }
            if wire.broken {
                (wire.broken, wire.cut) = (false, true);
                let error = "the framing of the request body is broken";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
            }
            if wire.cut {
                // Nothing after a refused head is read; the answer to it ends the connection.
                return Poll::Pending;
            }
            let start = buf.filled().len();
            ready!(Pin::new(&mut wire.stream).poll_read(cx, buf))?;
            if buf.filled().len() == start {
                return Poll::Ready(Ok(()));
            }
            wire.screen(buf, start);
            if buf.filled().len() > start {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let written = ready!(Pin::new(&mut wire.stream).poll_write(cx, buf))?;
        wire.pulse.beats().active = monotonic_now();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let written = ready!(Pin::new(&mut wire.stream).poll_write_vectored(cx, bufs))?;
        wire.pulse.beats().active = monotonic_now();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    /// Closes our side. If the client may still be sending, its bytes are read and dropped for a moment: closing with
    /// unread bytes would reset the connection and lose the answer.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        ready!(Pin::new(&mut wire.stream).poll_shutdown(cx))?;
        if !wire.cut && wire.screen.between_requests() {
            return Poll::Ready(Ok(()));
        }
        {
            let mut beats = wire.pulse.beats();
            if beats.lingering.is_none() {
                beats.lingering = Some(monotonic_now());
            }
        }
        let mut waste = [0; 4096];
        while wire.lingered < LINGER_BYTES {
            let mut waste = ReadBuf::new(&mut waste);
            match ready!(Pin::new(&mut wire.stream).poll_read(cx, &mut waste)) {
                Ok(()) if !waste.filled().is_empty() => wire.lingered += waste.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// One timer for all deadlines of one kind. It is reset only if a deadline moves closer or if it fires early, so that a
/// busy connection does not touch it.
#[derive(Default)]
pub(crate) struct Alarm(Option<Set>);

struct Set {
    sleep: Pin<Box<dyn Sleep>>,
    to: Instant,
}

impl Alarm {
    /// Ready once `deadline` has passed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline else { return Poll::Pending };
        let timer = TokioTimer::new();
        let set = self.0.get_or_insert_with(|| Set { sleep: timer.sleep_until(deadline), to: deadline });
        if deadline < set.to {
            set.again(&timer, deadline);
        }
        loop {
            ready!(set.sleep.as_mut().poll(cx));
            if timer.now() >= deadline {
                return Poll::Ready(());
            }
            set.again(&timer, deadline);
        }
    }
}

impl Set {
    fn again(&mut self, timer: &TokioTimer, at: Instant) {
        timer.reset(&mut self.sleep, at);
        self.to = at;
    }
}
