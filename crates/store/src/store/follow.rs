//! The audit trail read from a position onwards, so that nothing is left out and little is read twice.
//!
//! With SQLite, ids ascend in the order of commits: the position is the last id seen. With PostgreSQL they do not. Each
//! lane of each node has a block of ids, so an entry can be committed long after entries with greater ids. But three
//! things hold, and the position rests on them:
//!
//! 1. Blocks lie on a grid ([`BLOCK`] ids from each multiple on) and belong to one lane each. A lane runs one
//!    transaction after another and gives its ids out in order, so **within a block, ids ascend in the order of
//!    commits**. After a commit whose outcome is unknown, a lane leaves its block, so nothing overtakes an entry that
//!    may still appear.
//! 2. A lane leaves its block when fewer than [`LOW`] ids are left. A block whose last entry is so near its end is over.
//! 3. A lane leaves its block after [`LIFE`] at the latest, by its own monotonic clock. A block is reserved after all
//!    blocks below it, so one that is seen to exist is over [`LIFE`] and [`MARGIN`] later, by the database's clock.
//!
//! So a position is a place in each block that may still grow, and the id from which on no block was looked at yet. All
//! blocks are read in one statement, of one moment: an entry is never seen without those that were committed before it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use domain::Timestamp;
use domain::model::time::MINUTE;

use super::events::look;
use super::handle::{Backend, Store};
use crate::audit_ids::{BLOCK, LIFE, LOW};
use crate::error::Error;
use crate::query::{AuditRow, EventFilter, EventPage, Reading, Span};
use crate::schema::sql;
use crate::value::Value;

/// For commits that hang, and for clocks that run apart.
const MARGIN: i64 = 10 * MINUTE;
/// Blocks looked at for the first time in one reading.
const OPENED: i64 = 64;
/// Blocks in one statement.
const TOGETHER: usize = 128;
/// Blocks below the newest that a new position looks at: more than are filled in the [`LIFE`] of one.
const BEHIND: i64 = 1_024;
/// Readings in a row that may find nothing but entries from before the wanted time.
const SKIPS: usize = 50;

/// How far somebody has read the audit trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The first id of no part looked at yet.
    next: i64,
    /// Parts that may still grow or were not read to their end, by ascending ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<Part>,
    /// What is passed over on the way back to where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Again>,
}

/// A way back to a moment. What happened before it is passed over, but only what had been read already: an entry carries
/// the time at which it was decided, and one that was slow to be recorded, or whose clock was behind, may come much later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Again {
    at: Timestamp,
    /// [`Cursor::next`] when it was gone back.
    next: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<Part>,
}

impl Again {
    fn passes_over(&self, id: i64, at: Timestamp) -> bool {
        let read = id < self.next && !self.open.iter().any(|part| part.holds(id));
        read && at < self.at
    }
}

/// Ids from one that is still to be read up to, not including, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    #[serde(rename = "f")]
    from: i64,
    #[serde(rename = "e")]
    end: i64,
    /// When it was first looked at, in milliseconds of the database's clock.
    #[serde(rename = "s")]
    since: i64,
}

impl Part {
    fn holds(&self, id: i64) -> bool {
        (self.from..self.end).contains(&id)
    }
}

/// How the trail grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// At its end, up to this id.
    AtEnd { last: i64 },
    /// In blocks; it is this moment by the database's clock.
    InBlocks { now: i64 },
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The entries with their ids. Those of a chain come in its order; between chains, in the order of commits with SQLite, and
    /// roughly by time with PostgreSQL.
    pub entries: Vec<(i64, AuditRow)>,
    /// Where to go on.
    pub cursor: Cursor,
}

impl Cursor {
    /// Whether a reader at `later` has read more.
    pub fn is_behind(&self, later: &Self) -> bool {
        let passed = |part: &Part| later.open.iter().any(|other| other.end == part.end && other.from > part.from);
        later.next > self.next || self.open.iter().any(passed)
    }

    /// Back to an id, for what happened since a moment.
    fn back_to(&self, first: i64, moment: Timestamp) -> Self {
        let mut next = first.min(self.next);
        // What was not read yet in the same part comes before it.
        if let Some(part) = self.open.iter().find(|part| part.from < next && next < part.end) {
            next = part.from;
        }
        // Parts wholly below may still grow; all others are opened again.
        let open = self.open.iter().filter(|part| part.end <= next).copied().collect();
        Self { next, open, again: Some(Again { at: moment, next: self.next, open: self.open.clone() }) }
    }

    /// Looks at ids up to `last` for the first time.
    fn open_up_to(&mut self, last: i64, growth: Growth) {
        match growth {
            Growth::AtEnd { .. } if last >= self.next => {
                self.open.push(Part { from: self.next, end: last + 1, since: 0 });
                self.next = last + 1;
            }
            Growth::AtEnd { .. } => {}
            Growth::InBlocks { now } => {
                for _ in 0..OPENED {
                    if last < self.next {
                        return;
                    }
                    let end = block_end(self.next);
                    self.open.push(Part { from: self.next, end, since: now });
                    self.next = end;
                }
            }
        }
    }

    /// Whether an entry of this id is behind the position.
    fn has_read(&self, id: i64) -> bool {
        id < self.next && !self.open.iter().any(|part| part.holds(id))
    }

    /// Whether nothing can appear in a part that was read to its end.
    fn is_over(part: &Part, growth: Growth) -> bool {
        match growth {
            // A part may reach beyond the end where the trail was once PostgreSQL's.
            Growth::AtEnd { last } => part.end <= last + 1,
            Growth::InBlocks { now } => part.end - part.from < LOW || part.since + LIFE + MARGIN <= now,
        }
    }

    /// Takes at most `limit` of the entries found, at most `limit` in each part and of one moment. Those of a part are
    /// taken in the order of their ids, and the parts joined by id where ids tell the order of commits. Where they do not,
    /// an entry waits for the one before it in its chain, and what is ready is joined by time: clocks of nodes may be
    /// apart, and yet no effect is reported before its cause. Says whether there may be more.
    fn take(&mut self, found: Vec<(i64, AuditRow)>, limit: usize, growth: Growth) -> (Vec<(i64, AuditRow)>, bool) {
        let mut parts: Vec<std::collections::VecDeque<(i64, AuditRow)>> =
            self.open.iter().map(|_| std::collections::VecDeque::new()).collect();
        for entry in found {
            if let Some(place) = self.open.iter().position(|part| part.holds(entry.0)) {
                parts[place].push_back(entry);
            }
        }
        for part in &mut parts {
            part.make_contiguous().sort_by_key(|(id, _)| *id);
        }
        let full: Vec<bool> = parts.iter().map(|part| part.len() >= limit).collect();
        let mut taken = Vec::new();
        while taken.len() < limit {
            let heads = parts.iter().enumerate().filter_map(|(place, part)| {
                let (id, entry) = part.front()?;
                match growth {
                    // One writer gives ids in the order of commits. Times only say when a decision began, so a later part
                    // could overtake one that a short page has left open.
                    Growth::AtEnd { .. } => Some((Timestamp(0), *id, place)),
                    // Of the unread entries the one that was committed first is always ready, so something always is.
                    Growth::InBlocks { .. } => {
                        entry.previous.is_none_or(|previous| self.has_read(previous)).then_some((entry.at, *id, place))
                    }
                }
            });
            let Some((_, _, place)) = heads.min() else { break };
            let Some(entry) = parts[place].pop_front() else { break };
            self.open[place].from = entry.0 + 1;
            taken.push(entry);
        }
        let ended: Vec<bool> = parts.iter().zip(full).map(|(part, full)| part.is_empty() && !full).collect();
        let more = ended.iter().any(|ended| !ended);
        let mut ended = ended.into_iter();
        self.open.retain(|part| !(ended.next().unwrap_or(false) && Self::is_over(part, growth)));
        if let Some(again) = &self.again {
            taken.retain(|(id, entry)| !again.passes_over(*id, entry.at));
        }
        (taken, more)
    }
}

/// The end of the block that contains an id, counted from 1.
fn block_end(id: i64) -> i64 {
    (id - 1).max(0) / BLOCK * BLOCK + BLOCK + 1
}

/// The entries in any of these parts, at most so many of each.
fn of_parts(parts: &[Part], limit: usize) -> (String, Vec<Value>) {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (mut text, mut params) = (String::new(), Vec::with_capacity(parts.len() * 3));
    for (number, part) in parts.iter().enumerate() {
        let join = if number == 0 { "" } else { " UNION ALL " };
        let first = params.len() + 1;
        let (low, high, most) = (first, first + 1, first + 2);
        text.push_str(join);
        text.push_str("SELECT * FROM (");
        text.push_str(sql::EVENTS);
        // A text takes everything.
        let _ = write!(text, " AND id >= ${low} AND id < ${high} ORDER BY id LIMIT ${most}) AS part{number}");
        params.extend([Value::Int(part.from), Value::Int(part.end), Value::Int(limit)]);
    }
    (text, params)
}

impl Store {
    /// The position behind all that has happened so far.
    pub async fn cursor_at_end(&self) -> Result<Cursor, Error> {
        let (last, growth) = self.growth().await?;
        let Growth::InBlocks { now } = growth else { return Ok(Cursor { next: last + 1, ..Cursor::default() }) };
        if last < 1 {
            return Ok(Cursor { next: 1, ..Cursor::default() });
        }
        let end = block_end(last);
        let first = (end - BLOCK - BEHIND * BLOCK).max(1);
        let mut cursor = Cursor { next: end, ..Cursor::default() };
        for (low, newest) in self.newest_of_blocks(first, end - 1).await? {
            let part = Part { from: newest.map_or(low, |newest| newest + 1), end: low + BLOCK, since: now };
            if !Cursor::is_over(&part, growth) {
                cursor.open.push(part);
            }
        }
        Ok(cursor)
    }

    /// The position before all that has happened since a moment and before all that was not read yet at `read`, from which
    /// nothing of that is passed over, whenever it is recorded.
    pub async fn cursor_since(&self, moment: Timestamp, read: &Cursor) -> Result<Cursor, Error> {
        let filter = EventFilter { at: Span { since: Some(moment), until: None }, ..EventFilter::default() };
        let mut beyond = None;
        loop {
            let found = look(self, &filter, EventPage { beyond, descending: false, limit: 1 }, Reading::Own).await?;
            if let Some((first, _)) = found.entries.first() {
                return Ok(read.back_to(*first, moment));
            }
            beyond = found.next;
            if beyond.is_none() {
                return Ok(read.clone());
            }
        }
    }

    /// At most `limit` entries from a position on.
    pub async fn follow(&self, cursor: &Cursor, limit: usize) -> Result<Followed, Error> {
        let mut cursor = cursor.clone();
        cursor.next = cursor.next.max(1);
        for _ in 0..SKIPS {
            let (last, growth) = self.growth().await?;
            cursor.open_up_to(last, growth);
            let mut found = Vec::new();
            for parts in cursor.open.chunks(TOGETHER) {
                found.extend(self.events_of(of_parts(parts, limit)).await?);
            }
            let (entries, more) = cursor.take(found, limit, growth);
            if !entries.is_empty() || (!more && last < cursor.next) {
                return Ok(Followed { entries, cursor });
            }
        }
        Ok(Followed { entries: Vec::new(), cursor })
    }

    /// The entries of these ids, at most a few hundred, in this order.
    pub async fn events_with_ids(&self, ids: &[i64]) -> Result<Vec<(i64, AuditRow)>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<_> = (1..=ids.len()).map(|number| format!("${number}")).collect();
        let statement = format!("{} AND id IN ({})", sql::EVENTS, places.join(", "));
        let mut found = self.events_of((statement, ids.iter().map(|id| Value::Int(*id)).collect())).await?;
        found.sort_by_key(|(id, _)| ids.iter().position(|wanted| wanted == id));
        Ok(found)
    }

    /// The greatest id so far, 0 without any, and how the trail grows.
    async fn growth(&self) -> Result<(i64, Growth), Error> {
        match &self.backend {
            Backend::Sqlite(_) => {
                let last = self.event_bounds().await?.map_or(0, |(_, last)| last);
                Ok((last, Growth::AtEnd { last }))
            }
            Backend::Postgres(db) => {
                let (last, now) = Box::pin(db.trail_end()).await?;
                Ok((last, Growth::InBlocks { now }))
            }
        }
    }

    async fn events_of(&self, (statement, params): (String, Vec<Value>)) -> Result<Vec<(i64, AuditRow)>, Error> {
        self.entries(statement, params, Reading::Own).await
    }

    /// The first id of each block from one block to another, and the greatest id that is used in it.
    async fn newest_of_blocks(&self, first: i64, last: i64) -> Result<Vec<(i64, Option<i64>)>, Error> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(Vec::new()),
            Backend::Postgres(db) => Box::pin(db.newest_of_blocks(first, last, BLOCK)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: i64, at: i64) -> (i64, AuditRow) {
        behind(None, id, at)
    }

    fn behind(previous: Option<i64>, id: i64, at: i64) -> (i64, AuditRow) {
        let row = AuditRow {
            position: 1,
            previous,
            at: Timestamp(at),
            kind: "user.created".to_owned(),
            user: None,
            client: None,
            device: None,
            verification: None,
            reason: None,
            ip: None,
            request: None,
            rule: None,
            format: domain::AuditEvent::FORMAT,
            hash: [0; 32],
        };
        (id, row)
    }

    /// A trail of blocks as they are at one moment.
    fn read(cursor: &mut Cursor, trail: &[(i64, AuditRow)], limit: usize, now: i64) -> Vec<i64> {
        let last = trail.iter().map(|(id, _)| *id).max().unwrap_or(0);
        let growth = Growth::InBlocks { now };
        cursor.open_up_to(last, growth);
        let mut found = Vec::new();
        for part in &cursor.open {
            let mut inside: Vec<_> =
                trail.iter().filter(|(id, _)| (part.from..part.end).contains(id)).cloned().collect();
            inside.sort_by_key(|(id, _)| *id);
            found.extend(inside.into_iter().take(limit));
        }
        cursor.take(found, limit, growth).0.into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn an_entry_that_appears_below_others_is_not_lost() {
        let mut cursor = Cursor { next: 1, ..Cursor::default() };
        let mut trail = vec![entry(1, 10), entry(BLOCK + 1, 11), entry(2 * BLOCK + 1, 12)];
        assert_eq!(read(&mut cursor, &trail, 100, 0), [1, BLOCK + 1, 2 * BLOCK + 1]);
        trail.push(entry(2, 20));
        trail.push(entry(2 * BLOCK + 2, 19));
        assert_eq!(read(&mut cursor, &trail, 100, 1), [2 * BLOCK + 2, 2], "joined by time");
        assert_eq!(read(&mut cursor, &trail, 100, 2), [0_i64; 0]);
        // Nearly an hour later the same lane still writes there.
        trail.push(entry(3, 30));
        assert_eq!(read(&mut cursor, &trail, 100, LIFE), [3]);
        assert_eq!(cursor.open.len(), 3);
        assert_eq!(read(&mut cursor, &trail, 100, LIFE + MARGIN), [0_i64; 0]);
        assert_eq!(cursor.open.len(), 0, "all are over");
    }

    #[test]
    fn a_later_part_does_not_overtake_what_a_short_page_left() {
        let mut cursor = Cursor { next: 1, ..Cursor::default() };
        cursor.open_up_to(3, Growth::AtEnd { last: 3 });
        let first = vec![entry(1, 30), entry(2, 31), entry(3, 3)];
        let page = |cursor: &mut Cursor, found: Vec<(i64, AuditRow)>, limit| {
            cursor.take(found, limit, Growth::AtEnd { last: 4 }).0.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(page(&mut cursor, first.clone()[..1].to_vec(), 1), [1]);
        cursor.open_up_to(4, Growth::AtEnd { last: 4 });
        assert_eq!(page(&mut cursor, vec![first[1].clone(), first[2].clone(), entry(4, 4)], 10), [2, 3, 4]);
    }

    #[test]
    fn an_entry_waits_for_the_one_before_it_in_its_chain() {
        // Three nodes whose clocks are apart write one chain, each in its block: 1, 2, BLOCK + 1, 2 * BLOCK + 1, 3.
        let (second, third) = (BLOCK + 1, 2 * BLOCK + 1);
        let trail = [
            entry(1, 90),
            behind(Some(1), 2, 91),
            behind(Some(2), second, 50),
            behind(Some(second), third, 10),
            behind(Some(third), 3, 92),
            entry(second + 1, 60),
        ];
        for limit in [1, 2, 100] {
            let mut cursor = Cursor { next: 1, ..Cursor::default() };
            let mut seen = Vec::new();
            for _ in 0..trail.len() {
                let page = read(&mut cursor, &trail, limit, 0);
                assert!(page.len() <= limit);
                seen.extend(page);
            }
            assert_eq!(seen, [1, 2, second, third, second + 1, 3], "pages of {limit}");
        }
        // One whose cause is in a block that was not looked at yet waits too.
        let mut cursor = Cursor { next: 1, ..Cursor::default() };
        cursor.open_up_to(1, Growth::InBlocks { now: 0 });
        let effect = behind(Some(second), 1, 10);
        assert_eq!(cursor.take(vec![effect.clone()], 9, Growth::InBlocks { now: 0 }), (vec![], true));
        assert_eq!(read(&mut cursor, &[effect, entry(second, 20)], 9, 0), [second, 1]);
    }

    #[test]
    fn a_block_that_is_nearly_full_is_over_and_one_that_is_not_is_read_on() {
        let mut cursor = Cursor { next: 1, ..Cursor::default() };
        let trail: Vec<_> = (1..=BLOCK - LOW + 1).map(|id| entry(id, id)).collect();
        let mut seen = Vec::new();
        while seen.len() < trail.len() {
            let some = read(&mut cursor, &trail, 100, 0);
            assert!((1..=100).contains(&some.len()));
            seen.extend(some);
        }
        assert_eq!(seen, (1..=BLOCK - LOW + 1).collect::<Vec<_>>());
        read(&mut cursor, &trail, 100, 0);
        assert_eq!((cursor.open.len(), cursor.next), (0, BLOCK + 1));
    }

    #[test]
    fn a_short_page_never_takes_the_later_before_the_earlier() {
        let mut cursor = Cursor { next: 1, ..Cursor::default() };
        let trail: Vec<_> =
            (0..10).flat_map(|n| [entry(1 + n, 100 + 2 * n), entry(BLOCK + 1 + n, 101 + 2 * n)]).collect();
        let mut seen = Vec::new();
        for _ in 0..7 {
            seen.extend(read(&mut cursor, &trail, 3, 0));
        }
        let expected: Vec<_> = (0..10).flat_map(|n| [1 + n, BLOCK + 1 + n]).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_trail_that_grows_at_its_end_is_read_once() {
        let mut cursor = Cursor { next: 1, ..Cursor::default() };
        for (last, expected) in [(3, vec![1, 2, 3]), (3, vec![]), (5, vec![4, 5])] {
            let trail: Vec<_> = (1..=last).map(|id| entry(id, id)).collect();
            let growth = Growth::AtEnd { last };
            cursor.open_up_to(last, growth);
            let inside =
                trail.into_iter().filter(|(id, _)| cursor.open.iter().any(|part| (part.from..part.end).contains(id)));
            let (taken, more) = cursor.take(inside.collect(), 100, growth);
            assert_eq!((taken.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), more), (expected, false));
            assert!(cursor.open.is_empty());
        }
        // A part that PostgreSQL left open goes on until the file's ids have passed it.
        let mut cursor =
            Cursor { next: BLOCK + 1, open: vec![Part { from: 5, end: BLOCK + 1, since: 0 }], again: None };
        let (taken, _) = cursor.take(vec![entry(5, 5)], 100, Growth::AtEnd { last: 5 });
        assert_eq!((taken.len(), cursor.open[0].from), (1, 6));
    }

    #[test]
    fn on_the_way_back_only_what_was_read_is_passed_over() {
        let mut cursor = Cursor { next: 1, ..Cursor::default() };
        let mut trail: Vec<_> = (1..=4).map(|id| entry(id, 10 * id)).collect();
        trail.extend([entry(BLOCK + 1, 15), entry(BLOCK + 2, 45)]);
        assert_eq!(read(&mut cursor, &trail, 100, 0).len(), 6);
        // Recorded after that, though decided before the moment: in a block that was read, and in one that is new.
        trail.extend([entry(5, 25), entry(2 * BLOCK + 1, 5)]);
        let mut back = cursor.back_to(3, Timestamp(30));
        assert!(back.is_behind(&cursor) && !cursor.is_behind(&back));
        let mut told = read(&mut back, &trail, 100, 0);
        told.sort_unstable();
        assert_eq!(told, [3, 4, 5, BLOCK + 2, 2 * BLOCK + 1]);
        // To an id behind something unread in the same block, and beyond all that was read.
        for first in [9, 5 * BLOCK] {
            let mut back = cursor.back_to(first, Timestamp(99));
            let mut told = read(&mut back, &trail, 100, 0);
            told.sort_unstable();
            assert_eq!(told, [5, 2 * BLOCK + 1], "{first}");
        }
    }

    #[test]
    fn a_position_survives_being_stored() {
        let open = vec![Part { from: 1, end: 5, since: 7 }];
        let again = Some(Again { at: Timestamp(3), next: 12, open: open.clone() });
        let cursor = Cursor { next: 9, open, again };
        let text = serde_json::to_string(&cursor).unwrap();
        assert_eq!(
            text,
            r#"{"next":9,"open":[{"f":1,"e":5,"s":7}],"again":{"at":3,"next":12,"open":[{"f":1,"e":5,"s":7}]}}"#
        );
        assert_eq!(serde_json::from_str::<Cursor>(&text).unwrap(), cursor);
        assert_eq!((block_end(1), block_end(BLOCK), block_end(BLOCK + 1)), (BLOCK + 1, BLOCK + 1, 2 * BLOCK + 1));
    }
}
