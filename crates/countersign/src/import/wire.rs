//! The connection between the reader of a list and an engine: batches of people go one way, their outcomes come back, a line of
//! JSON each, in order. The engine may be a running server's, behind the control socket that only its owner can open, or this
//! process's.
//!
//! The engine's end works on a few batches at once and reads no further: the socket fills, and the reader of the list waits.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use engine::import::{ImportError, Imported, Person};
use engine::{Engine, Import};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::cli::report::sentence;

/// Most devices in a batch.
pub(super) const BATCH: usize = 256;
/// Batches under way at once: enough that one is decided while the next is read.
pub(super) const WINDOW: usize = 4;
/// Longest batch, in bytes: several times what [`BATCH`] devices can fill.
const MAX_BATCH: u64 = 4 * 1024 * 1024;

/// The outcome for one person.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Done(Imported),
    /// The list has a fault.
    Rejected(String),
    /// The engine has failed; another try may succeed.
    Failed(String),
}

/// Imports what arrives, until the other end closes.
pub(crate) async fn serve(
    read: impl AsyncBufRead + Unpin,
    mut write: impl AsyncWrite + Unpin,
    engine: Arc<Engine>,
) -> anyhow::Result<()> {
    let import = Arc::new(Import::new(engine));
    let (started, mut under_way) = mpsc::channel(WINDOW);
    let taking = take_in(read, import, started);
    let answering = async {
        while let Some(batch) = under_way.recv().await {
            let mut text = serde_json::to_vec(&batch.await?)?;
            text.push(b'\n');
            write.write_all(&text).await?;
            write.flush().await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(taking, answering)?;
    Ok(())
}

type Batch = JoinHandle<Vec<Outcome>>;

async fn take_in(
    mut read: impl AsyncBufRead + Unpin,
    import: Arc<Import>,
    started: mpsc::Sender<Batch>,
) -> anyhow::Result<()> {
    loop {
        let mut line = Zeroizing::new(Vec::new());
        if (&mut read).take(MAX_BATCH).read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        // Without the cause: it could quote a secret.
        let Ok(people) = serde_json::from_slice::<Vec<Person>>(&line) else { bail!("a batch cannot be read") };
        // This fixes the order of the people: that of the batches.
        let taking = import.take_all(people);
        let batch = tokio::spawn(async move { taking.await.into_iter().map(outcome).collect() });
        if started.send(batch).await.is_err() {
            return Ok(());
        }
    }
}

fn outcome(taken: Result<Imported, ImportError>) -> Outcome {
    match taken {
        Ok(imported) => Outcome::Done(imported),
        Err(ImportError::Fault(fault)) => Outcome::Failed(sentence(fault)),
        // One person cannot be kept: the others can.
        Err(ImportError::BadField(field)) => Outcome::Rejected(sentence(field)),
        Err(reason) => Outcome::Rejected(reason.to_string()),
    }
}

/// Sends a batch of people.
pub(super) async fn send(write: &mut (impl AsyncWrite + Unpin), people: &[&Person]) -> anyhow::Result<()> {
    let mut text = Zeroizing::new(serde_json::to_vec(people)?);
    text.push(b'\n');
    write.write_all(&text).await.context(HUNG_UP)?;
    write.flush().await.context(HUNG_UP)
}

/// Receives the outcomes of a batch with this number of people.
pub(super) async fn receive(read: &mut (impl AsyncBufRead + Unpin), people: usize) -> anyhow::Result<Vec<Outcome>> {
    let mut line = String::new();
    read.read_line(&mut line).await.context(HUNG_UP)?;
    if line.is_empty() {
        bail!(HUNG_UP);
    }
    match serde_json::from_str::<Vec<Outcome>>(&line) {
        Ok(outcomes) if outcomes.len() == people => Ok(outcomes),
        _ => bail!("the running server does not know how to import; is it of another version?"),
    }
}

const HUNG_UP: &str =
    "the server hung up; what it had acknowledged is imported, and repeating the import takes the rest";

#[cfg(test)]
mod tests {
    use domain::UserField;

    use super::*;

    /// One row that cannot be kept is reported, and the import goes on; only a fault of ours stops it.
    #[test]
    fn a_field_that_cannot_be_kept_rejects_its_row_alone() {
        let row = outcome(Err(ImportError::BadField(UserField::Text)));
        assert!(matches!(row, Outcome::Rejected(reason) if reason.contains("too long")));
        assert!(matches!(outcome(Err(ImportError::Fault(engine::Fault::Busy))), Outcome::Failed(_)));
    }
}
