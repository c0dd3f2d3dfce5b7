//! What each signal does. The default action of most is to end the process at once, undrained; none is left to it but
//! KILL, which nobody can decide on.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignalAction {
    /// To finish what is under way and end.
    End,
    /// To read again what may have changed.
    Reload,
}

/// The signals that a server hears.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Signal,
    on_hang_up: SignalAction,
}

impl Signals {
    /// Hears them from now on. A server reads again at a hang-up, as `systemctl reload` means it; a dev world, which
    /// somebody runs in a terminal, ends with it. To be called within a runtime.
    pub(crate) fn hear(on_hang_up: SignalAction) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hang_up: signal(SignalKind::hangup())?,
            on_hang_up,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> SignalAction {
        tokio::select! {
            _ = self.terminate.recv() => SignalAction::End,
            _ = self.interrupt.recv() => SignalAction::End,
            _ = self.quit.recv() => SignalAction::End,
            _ = self.hang_up.recv() => self.on_hang_up,
        }
    }
}

/// Has the two signals without a meaning do nothing, in every command. To be called within a runtime.
pub(crate) fn ignore_the_rest() -> io::Result<()> {
    // A handler stays in force when its stream is dropped.
    drop(signal(SignalKind::user_defined1())?);
    drop(signal(SignalKind::user_defined2())?);
    Ok(())
}
