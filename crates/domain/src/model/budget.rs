//! What limits remember that hold over all users and all nodes (SEC 33, SEC 37).
//!
//! A budget is a subject of decisions, as a user is: it is locked, read fresh, and decided about by a pure function. No
//! decision about a user reads one, so proving a code never waits for messages to others.

use crate::model::country;
use crate::model::digest::KeyedHash;
use crate::model::id::ClientId;
use crate::model::time::{DAY, HOUR, Timestamp};

/// What a budget limits, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Messages to a hundred adjacent numbers, or to one address.
    Block(KeyedHash),
    /// Messages that a client had sent, by day.
    Client(ClientId),
    /// Messages that all had sent, by day.
    Server,
    /// Calls of a client.
    Calls(ClientId),
    /// Calls of all clients beyond the hourly quota, by hour.
    Reserve,
    /// Those of one client, by hour.
    ReserveOf(ClientId),
    /// Those of [`Budget::Reserve`] that clients take together that may only look, by hour (SEC 95).
    ReserveOfReaders,
    /// Those of [`Budget::Block`] that callers asked for that may only look (SEC 95).
    BlockOfReaders(KeyedHash),
    /// What all messages cost, by day (SEC 101).
    SpendOfServer,
    /// What messages cost that a client had sent, by day.
    SpendOfClient(ClientId),
    /// What messages to a country's numbers cost, by day.
    SpendOfCountry(&'static str),
    /// Whether a country's numbers are closed (SEC 102).
    PrefixOfCountry(&'static str),
    /// Whether a thousand adjacent numbers are closed.
    PrefixOfBlock(KeyedHash),
}

impl Budget {
    /// The stored pair: kind and subject.
    pub fn stored(self) -> (i64, Vec<u8>) {
        match self {
            Self::Block(block) => (1, block.to_bytes().to_vec()),
            Self::Client(client) => (2, client.0.to_be_bytes().to_vec()),
            Self::Server => (3, Vec::new()),
            Self::Calls(client) => (4, client.0.to_be_bytes().to_vec()),
            Self::Reserve => (5, Vec::new()),
            Self::ReserveOf(client) => (6, client.0.to_be_bytes().to_vec()),
            Self::BlockOfReaders(block) => (7, block.to_bytes().to_vec()),
            Self::ReserveOfReaders => (8, Vec::new()),
            Self::SpendOfServer => (9, Vec::new()),
            Self::SpendOfClient(client) => (10, client.0.to_be_bytes().to_vec()),
            Self::SpendOfCountry(country) => (11, country.as_bytes().to_vec()),
            Self::PrefixOfCountry(country) => (12, country.as_bytes().to_vec()),
            Self::PrefixOfBlock(block) => (13, block.to_bytes().to_vec()),
        }
    }

    /// The budget stored so.
    pub fn from_stored(kind: i64, subject: &[u8]) -> Option<Self> {
        let client = || subject.try_into().ok().map(|id| ClientId(i64::from_be_bytes(id)));
        match kind {
            1 => KeyedHash::from_bytes(subject).map(Self::Block),
            2 => client().map(Self::Client),
            3 => subject.is_empty().then_some(Self::Server),
            4 => client().map(Self::Calls),
            5 => subject.is_empty().then_some(Self::Reserve),
            6 => client().map(Self::ReserveOf),
            7 => KeyedHash::from_bytes(subject).map(Self::BlockOfReaders),
            8 => subject.is_empty().then_some(Self::ReserveOfReaders),
            9 => subject.is_empty().then_some(Self::SpendOfServer),
            10 => client().map(Self::SpendOfClient),
            11 => country(subject).map(Self::SpendOfCountry),
            12 => country(subject).map(Self::PrefixOfCountry),
            13 => KeyedHash::from_bytes(subject).map(Self::PrefixOfBlock),
            _ => None,
        }
    }

    /// The client whose budget it is.
    pub fn client(self) -> Option<ClientId> {
        match self {
            Self::Client(client) | Self::SpendOfClient(client) => Some(client),
            _ => None,
        }
    }

    /// The country whose budget it is.
    pub fn country(self) -> Option<&'static str> {
        if let Self::SpendOfCountry(country) | Self::PrefixOfCountry(country) = self { Some(country) } else { None }
    }
}

fn country(subject: &[u8]) -> Option<&'static str> {
    country::known(std::str::from_utf8(subject).ok()?)
}

/// What was taken out of a budget so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent {
    /// Of a day's budget: messages, or micro-units of money, of the day that began at `since`. Of calls: thousandths of a call that were
    /// missing from a full bucket at `since`. Of a reserve: calls of the hour that began at `since`. Of a prefix: its trial
    /// messages, after it was closed until `since`; none while it is open and judged from `since` on.
    pub taken: i64,
    pub since: Timestamp,
    /// What is remembered one by one.
    pub kept: SpentList,
}

/// What a budget remembers one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SpentList {
    #[default]
    Nothing,
    /// Of a block: its recent messages.
    Messages(Vec<Sent>),
    /// Of a day's budget: days besides the one in hand.
    Days(Vec<DayTaken>),
    /// Of a prefix that is closed.
    Trials(Trials),
}

/// The trial messages to a prefix since it was closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trials {
    /// How many were let through.
    pub given: u32,
    /// When the first was.
    pub first: Timestamp,
    /// When the last was.
    pub last: Timestamp,
}

/// A message to somebody in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// When it was counted.
    pub at: Timestamp,
    /// To whom: the beginning of a keyed digest, recognisable only by us.
    pub target: [u8; 8],
}

/// What was taken of a day's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayTaken {
    /// When the day began.
    pub began: Timestamp,
    /// How many messages, or micro-units, were taken of it.
    pub taken: i64,
}

impl Spent {
    /// The recent messages of a block.
    pub fn messages(&self) -> &[Sent] {
        if let SpentList::Messages(messages) = &self.kept { messages } else { &[] }
    }

    /// The days of a client or the server besides the one in hand.
    pub fn days(&self) -> &[DayTaken] {
        if let SpentList::Days(days) = &self.kept { days } else { &[] }
    }

    /// From when on nothing of this need be remembered.
    pub fn over_at(&self, budget: Budget) -> Timestamp {
        match budget {
            Budget::Block(_) | Budget::BlockOfReaders(_) => {
                self.messages().iter().map(|sent| sent.at).max().unwrap_or_default().plus(DAY)
            }
            // A clock that is set back must find the day it comes back to.
            Budget::Client(_)
            | Budget::Server
            | Budget::SpendOfServer
            | Budget::SpendOfClient(_)
            | Budget::SpendOfCountry(_) => self.since.plus(7 * DAY),
            // Messages that are judged later are newer.
            Budget::PrefixOfCountry(_) | Budget::PrefixOfBlock(_) => self.since.plus(DAY),
            Budget::Calls(_) => self.since.plus(HOUR),
            Budget::Reserve | Budget::ReserveOf(_) | Budget::ReserveOfReaders => self.since.plus(2 * HOUR),
        }
    }
}

/// A budget as a decision sees it: read fresh, under its lock, in the deciding transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BudgetView {
    /// What was taken out of it so far.
    pub spent: Spent,
    /// The database's own clock, the same for all nodes.
    pub clock: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::digest::MacKeys;
    use crate::model::secret::Secret;

    #[test]
    fn every_budget_is_found_again() {
        let block = MacKeys::new(vec![(7, Secret::new(vec![1; 32]))]).hash("a", "b");
        let id = ClientId(i64::MAX);
        let ours = [Budget::Client(id), Budget::Calls(id), Budget::ReserveOf(id)];
        let others = [Budget::Block(block), Budget::BlockOfReaders(block), Budget::Server, Budget::Reserve];
        let others = others.into_iter().chain([Budget::ReserveOfReaders, Budget::SpendOfServer]);
        let others = others.chain([Budget::SpendOfClient(id), Budget::SpendOfCountry("DE")]);
        let others = others.chain([Budget::PrefixOfCountry("DE"), Budget::PrefixOfBlock(block)]);
        for budget in ours.into_iter().chain(others) {
            let (kind, subject) = budget.stored();
            assert_eq!(Budget::from_stored(kind, &subject), Some(budget));
        }
        assert_eq!(Budget::from_stored(2, &[]), None);
        assert_eq!(Budget::from_stored(11, b"QQ"), None);
        assert_eq!(Budget::from_stored(99, &[]), None);
    }
}
