//! What standbys mean for what was confirmed. A fail-over keeps a commit only if a standby held it before the answer
//! left (SEC 84), so a server that starts says where that is not so, and a commit that a standby did not confirm is not
//! taken for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client};

use super::hosts::Driver;
use crate::error::OpenError;

/// Warns where a fail-over could forget what was confirmed.
pub(super) async fn warn_if_asynchronous(client: &Client) -> Result<(), OpenError> {
    if is_asynchronous(client).await? {
        tracing::warn!(
            "the database replicates asynchronously: a fail-over can make used codes usable again and counted failures \
             forgotten; set synchronous_standby_names (with Patroni: synchronous_mode: true)"
        );
    }
    Ok(())
}

/// Whether standbys are fed, and commits wait for none of them. How a single standby is fed is shown to superusers only,
/// so the settings are asked.
pub(super) async fn is_asynchronous(client: &Client) -> Result<bool, OpenError> {
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM pg_stat_replication) > 0 \
             AND (coalesce(current_setting('synchronous_standby_names', true), '') = '' \
             OR current_setting('synchronous_commit', true) = 'local')",
            &[],
        )
        .await?;
    Ok(row.try_get(0)?)
}

/// How often the server has warned on a connection.
///
/// A `COMMIT` that is cancelled while it waits for its standby succeeds, and only a warning tells that no standby has
/// it. A commit compares the count before and after: the warning travels ahead of the answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Warnings(Arc<AtomicUsize>);

impl Warnings {
    /// Polls a connection to its end, and counts.
    pub(super) fn drive(&self, mut driver: Driver) {
        let warnings = self.clone();
        // It ends when the client is dropped; its callers learn why it ended.
        tokio::spawn(async move {
            while let Some(Ok(message)) = std::future::poll_fn(|context| driver.poll_message(context)).await {
                if matches!(message, AsyncMessage::Notice(notice) if notice.parsed_severity() == Some(Severity::Warning))
                {
                    warnings.0.fetch_add(1, Ordering::Release);
                }
            }
        });
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}
