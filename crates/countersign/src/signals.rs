//! What each signal does. The default action of most would end the process at once, undrained, so every signal but KILL is
//! handled.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The action that a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignalAction {
    /// Finish open requests and end.
    End,
    /// Reload certificates and configuration.
    Reload,
}

/// The signals that a server handles.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Signal,
    on_hang_up: SignalAction,
}

impl Signals {
    /// Handles them from now on. At a hang-up a server reloads, as `systemctl reload` expects; a dev world runs in a terminal
    /// and ends with it. Call it within a runtime.
    pub(crate) fn hear(on_hang_up: SignalAction) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hang_up: signal(SignalKind::hangup())?,
            on_hang_up,
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) -> SignalAction {
        tokio::select! {
            _ = self.terminate.recv() => SignalAction::End,
            _ = self.interrupt.recv() => SignalAction::End,
            _ = self.quit.recv() => SignalAction::End,
            _ = self.hang_up.recv() => self.on_hang_up,
        }
    }
}

/// Makes every command ignore the two user-defined signals. Call it within a runtime.
pub(crate) fn ignore_the_rest() -> io::Result<()> {
    // A handler stays in force when its stream is dropped.
    drop(signal(SignalKind::user_defined1())?);
    drop(signal(SignalKind::user_defined2())?);
    Ok(())
}
