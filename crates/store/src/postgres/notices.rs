//! Notices only wake: a node that enqueues a message notifies all nodes, so that it is sent at once, and so does one that records
//! a person's answer, so that a poll held elsewhere hears of it. A lost notice costs a poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::UserId;
use tokio::sync::{Notify, broadcast};
use tokio_postgres::AsyncMessage;

use super::connect::Target;

/// Sent in the transaction that enqueues a message, and so delivered once that is committed.
pub(super) const NOTIFY: &str = "NOTIFY countersign_outbox";
/// Sent in the transaction that records the answers of persons; the users whom they are about, by number.
pub(super) const NOTIFY_ANSWERED: &str = "SELECT pg_notify('countersign_answered', $1)";
const LISTEN: &str = "LISTEN countersign_outbox; LISTEN countersign_answered";
const ANSWERED: &str = "countersign_answered";
/// How long to wait before listening again after a connection was lost.
const PAUSE: Duration = Duration::from_secs(1);

/// Wakes `wake_ups` at each notice, for as long as it is polled. `taken` is set once the server turns out to take
/// notices; one that does not, as some of the compatible ones, is left alone.
pub(super) async fn listen(
    target: Arc<Target>,
    wake_ups: Arc<Notify>,
    answered: broadcast::Sender<UserId>,
    taken: Arc<AtomicBool>,
) {
    loop {
        if let Ok((client, mut driver)) = target.dial().await {
            let mut listening = Box::pin(client.batch_execute(LISTEN));
            let mut listens = false;
            loop {
                let message = tokio::select! {
                    answer = &mut listening, if !listens => {
                        listens = true;
                        match answer {
                            Ok(()) => {
                                taken.store(true, Ordering::Relaxed);
                                // What was missed while the listener was away.
                                wake_ups.notify_one();
                            }
                            Err(error) if error.as_db_error().is_some() => {
                                tracing::info!("the database takes no notices: messages of other nodes wait for a poll");
                                return;
                            }
                            Err(_) => break,
                        }
                        continue;
                    }
                    message = std::future::poll_fn(|context| driver.poll_message(context)) => message,
                };
                match message {
                    Some(Ok(AsyncMessage::Notification(notice))) if notice.channel() == ANSWERED => {
                        for user in notice.payload().split(',').filter_map(|user| user.parse().ok()) {
                            // There may be no listener.
                            let _ = answered.send(UserId(user));
                        }
                    }
                    Some(Ok(AsyncMessage::Notification(_))) => wake_ups.notify_one(),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break,
                }
            }
        }
        #[expect(clippy::disallowed_methods, reason = "a server comes back in real time")]
        tokio::time::sleep(PAUSE).await;
    }
}
