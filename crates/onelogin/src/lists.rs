//! Lists: what a call may ask for, whose turn it is, and what it costs its client (SEC 37, contract 1.9).
//!
//! A list that is read quickly is a call like any other. One that is not counts as so many calls more, after it was read:
//! how dear it is cannot be seen before.

use domain::ClientId;
use engine::Turn;

use crate::App;

/// Filters in one call, at most.
pub const FILTERS: usize = 20;
/// Ids and types in one filter, at most.
pub const IDS: usize = 100;
/// For each so many milliseconds of reading, a list counts as one call more.
const UNIT: u128 = 5;

/// A parameter of a list that cannot be read, or is one too many; its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl App {
    /// Has a list read when it is the client's turn.
    pub async fn list<T>(
        &self,
        client: ClientId,
        read: impl Future<Output = Result<T, engine::Error>>,
    ) -> Result<T, engine::Error> {
        let turn = self.engine.turn_at_a_list(client).await?;
        // A caller that hangs up pays as well.
        let _bill = Bill { app: self, client, turn };
        read.await
    }
}

/// Charged when it is dropped.
struct Bill<'a> {
    app: &'a App,
    client: ClientId,
    turn: Turn,
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        let calls = self.turn.lasted().as_millis() / UNIT;
        self.app.bursts.charge(self.client, u32::try_from(calls).unwrap_or(u32::MAX));
    }
}

/// The members of a filter that is a list, at most [`IDS`]. Empty members are left out.
pub(crate) fn members<'v>(name: &str, value: &'v str) -> Result<Vec<&'v str>, Unreadable> {
    let members: Vec<_> = value.split(',').map(str::trim).filter(|member| !member.is_empty()).collect();
    if members.len() > IDS { Err(Unreadable(name.to_owned())) } else { Ok(members) }
}
