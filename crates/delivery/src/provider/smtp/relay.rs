//! A mail server, and the connections to it that wait for their next message.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::connection::{Access, Connection};
use super::mail::Mail;
use super::settings::SmtpServer;
use super::trouble::Trouble;

/// How long a connection that has waited may take to say that it is still there.
const PROBE: Duration = Duration::from_secs(1);
/// Messages that one connection carries. Many servers have a limit too, from a hundred up.
const MOST: u32 = 100;

/// A mail server that takes our messages.
pub(super) struct Relay {
    pub(super) server: SmtpServer,
    /// Connections between two messages. One that is in use is not here, so a sending that is cut off takes its connection
    /// with it.
    waiting: Mutex<Vec<Connection>>,
}

impl Relay {
    pub(super) fn new(server: SmtpServer) -> Self {
        Self { server, waiting: Mutex::default() }
    }

    /// Hands over a mail, over a connection that waits or over a new one.
    pub(super) async fn send(&self, mail: &Mail, access: &Access) -> Result<(), Trouble> {
        let mut connection = match self.waiting().await {
            Some(connection) => connection,
            None => Connection::open(&self.server, access).await?,
        };
        let sent = connection.send(mail).await;
        let is_in_step = sent.as_ref().err().is_none_or(Trouble::is_in_step);
        if is_in_step && connection.sent < MOST {
            self.lock().push(connection);
        } else if is_in_step {
            tokio::spawn(connection.quit());
        }
        sent
    }

    /// A connection that has waited and is still there.
    async fn waiting(&self) -> Option<Connection> {
        let mut connection = self.lock().pop()?;
        if let Ok(Ok(())) = timeout(PROBE, connection.reset()).await {
            return Some(connection);
        }
        // What closed one has closed the others, most likely.
        self.lock().clear();
        None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
