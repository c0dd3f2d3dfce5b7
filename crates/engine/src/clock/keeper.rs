//! Keeps the highest time seen, and takes the machine's clock for right when an operator says so.

use domain::rules::verification::end;
use domain::{Timestamp, UserId};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::trusted::{ClockReading, KEY, read, written};
use crate::decision_name::DecisionName;
use crate::{Engine, Fault};

/// How often it is written, in milliseconds.
const KEEP: i64 = 1_000;
/// Users whose things are ended at once.
const AT_ONCE: usize = 64;

impl Engine {
    /// How the clocks stand.
    pub fn clock_reading(&self) -> ClockReading {
        self.time.read()
    }

    /// Takes the machine's clock for right although a higher time was seen. What is over by the higher time is ended first,
    /// so that it does not begin again.
    pub async fn accept_clock(&self) -> Result<ClockReading, Fault> {
        // Twice: the first may take a while, and the second ends what was over meanwhile.
        for _ in 0..2 {
            self.end_over(self.time.now(), self.time.clock.now()).await?;
        }
        while self.store.redate_tokens(self.time.clock.now()).await? {}
        self.forget_callers();
        let epoch = self.time.state().epoch;
        let held = self.store.meta(KEY).await?.as_deref().and_then(read).map_or(epoch, |(held, _)| held.max(epoch));
        let wall = self.time.clock.now();
        self.store.raise_meta(KEY, &written(held + 1, wall)).await?;
        let mut state = self.time.state();
        state.trusted.accept(wall, self.time.clock.monotonic());
        state.epoch = held + 1;
        drop(state);
        Ok(self.time.read())
    }

    /// Ends everything that is over by `over`, so that it stays so when it is `from` again, and what people began after `from`.
    async fn end_over(&self, over: Timestamp, from: Timestamp) -> Result<(), Fault> {
        while self.store.sweep(over).await?.more {}
        // The clean-up leaves users alone whom somebody is deciding about.
        let mut after = Some(UserId(0));
        while let Some(behind) = after {
            let (users, next) = self.store.users_with_ends(behind, over, from).await?;
            let mut due = Vec::new();
            for (user, seen) in users {
                match seen {
                    // With most of them nothing is over.
                    Ok(view) if end::end_over(&view, over, from).changes.is_empty() => {}
                    Ok(_) => due.push(user),
                    // Nothing in a row that is damaged lets anybody in.
                    Err(error @ store::Error::Corrupt(_)) => {
                        tracing::error!(user = user.0, %error, "a user's row is damaged; restore the database from a backup");
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            let ended = due
                .into_iter()
                .map(|user| self.decide(DecisionName::Expire, user, move |view| end::end_over(view, over, from)));
            // So many at once that they share commits, and no more than may wait for one.
            stream::iter(ended).map(Ok).try_for_each_concurrent(AT_ONCE, |ended| ended).await?;
            after = next;
        }
        while self.store.end_access_tokens(over, from).await? {}
        self.forget_callers();
        Ok(())
    }

    /// Keeps the highest time seen, for as long as the process lives.
    pub(crate) async fn run_time_keeper(&self) {
        let mut known = None;
        self.time.state().kept = true;
        loop {
            self.time.clock.sleep(KEEP).await;
            let commits = self.store.stats().commits;
            // Trusted time is looked at in any case: a leap shows by that.
            self.time.now();
            if known == Some(commits) && !self.store.is_shared() {
                continue;
            }
            match self.time.keep(&self.store).await {
                // Its own commit, where that is counted, is none to be followed by another.
                Ok(()) => known = Some(if self.store.stats().commits == commits { commits } else { commits + 1 }),
                Err(error) => tracing::debug!(%error, "the time was not written down and will be in a second"),
            }
        }
    }

    /// Writes down the highest time seen, at the end of a process that has kept it all along. A command that opens the
    /// database for one job leaves the time alone, and so a database that it only reads stays as it is.
    pub async fn keep_time(&self) {
        if !self.time.state().kept {
            return;
        }
        if let Err(error) = self.time.keep(&self.store).await {
            tracing::debug!(%error, "the time was not written down");
        }
    }
}
