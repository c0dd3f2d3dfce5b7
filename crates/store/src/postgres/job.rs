//! A decision that waits for its transaction, and that transaction.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::{AuditEvent, Change, ClientView, Decision, View};
use tokio::sync::oneshot;

use super::batch::{columns, merge};
use super::conn::{Conn, Query, decode_first};
use super::failure::Failure;
use super::load::{self, Begin, Fresh, Subject};
use super::sql as own;
use crate::apply::{Step, apply};
use crate::error::Error;
use crate::query::AuditChain;
use crate::trail::{self, Head};
use crate::value::{Value, Write};
use crate::{rows, sql};

/// A decision with whoever waits for it.
pub(super) struct Job {
    pub(super) subject: Subject,
    pub(super) rule: Box<dyn Rule>,
}

/// A pure function, what it said last, and who wants to know.
pub(super) trait Rule: Send {
    /// Decides. What was decided before is forgotten.
    fn decide(&mut self, subject: Subject, fresh: &mut Fresh) -> Result<Vec<Change>, Error>;
    /// Tells whoever waits: the last decision's reply, or why it does not count.
    fn answer(self: Box<Self>, result: Result<(), Error>);
    /// Whether nobody waits any more.
    fn is_abandoned(&self) -> bool;
}

/// How a subject's view is found among the fresh ones.
pub(super) trait Fetch: Default {
    fn fetch(subject: Subject, fresh: &mut Fresh) -> Self;
}

impl Fetch for View {
    fn fetch(subject: Subject, fresh: &mut Fresh) -> Self {
        match subject {
            Subject::User(user) => fresh.users.remove(&user).unwrap_or_default(),
            Subject::Client(..) => Self::default(),
        }
    }
}

impl Fetch for ClientView {
    fn fetch(subject: Subject, fresh: &mut Fresh) -> Self {
        match subject {
            Subject::User(_) => Self::default(),
            Subject::Client(client, _) => fresh.clients.remove(&client).unwrap_or_default(),
        }
    }
}

struct Task<V, T, F> {
    decide: F,
    reply: Option<T>,
    waiting: oneshot::Sender<Result<T, Error>>,
    view: std::marker::PhantomData<fn(&V)>,
}

impl Job {
    pub(super) fn new<V, T, F>(subject: Subject, decide: F) -> (Self, oneshot::Receiver<Result<T, Error>>)
    where
        V: Fetch + 'static,
        T: Send + 'static,
        F: Fn(&V) -> Decision<T> + Send + 'static,
    {
        let (waiting, answer) = oneshot::channel();
        (
            Self { subject, rule: Box::new(Task { decide, reply: None, waiting, view: std::marker::PhantomData }) },
            answer,
        )
    }

    pub(super) fn answer(self, result: Result<(), Error>) {
        self.rule.answer(result);
    }
}

impl<V, T, F> Rule for Task<V, T, F>
where
    V: Fetch,
    T: Send,
    F: Fn(&V) -> Decision<T> + Send,
{
    fn decide(&mut self, subject: Subject, fresh: &mut Fresh) -> Result<Vec<Change>, Error> {
        self.reply = None;
        let view = V::fetch(subject, fresh);
        // A rule sees its view and nothing else, so a panic leaves nothing half done; the others go on.
        let decided = catch_unwind(AssertUnwindSafe(|| (self.decide)(&view)));
        let Decision { changes, reply } = decided.map_err(|_| Error::Corrupt("a rule panicked"))?;
        self.reply = Some(reply);
        Ok(changes)
    }

    fn answer(self: Box<Self>, result: Result<(), Error>) {
        let Self { reply, waiting, .. } = *self;
        // Whoever asked may have gone away; what was decided stays decided.
        let _ = waiting.send(result.and_then(|()| reply.ok_or(Error::Unavailable("not run"))));
    }

    fn is_abandoned(&self) -> bool {
        self.waiting.is_closed()
    }
}

/// Runs jobs in one transaction: locks and loads their subjects, lets each decide, writes what they decided and commits.
/// Three round trips, however many they are. Jobs about one subject stand in different waves: a later wave is loaded
/// after the earlier one has written, so each decides on what those before it left, for two round trips and no further
/// commit. Rolling back is the caller's.
pub(super) async fn run(
    conn: &mut Conn,
    waves: &mut [Vec<Job>],
    audit_ids: &mut Range<i64>,
    notice: Option<&'static str>,
) -> Result<(), Failure> {
    let mut written = false;
    for (number, jobs) in waves.iter_mut().enumerate() {
        let begin = if number == 0 { Begin::Transaction } else { Begin::Again };
        written |= run_wave(conn, jobs, begin, audit_ids, notice).await?;
    }
    // Nothing to keep, and so nothing to wait for a disk for.
    if written { conn.commit().await } else { conn.roll_back().await }
}

/// Runs jobs about different subjects. Tells whether anything was written.
async fn run_wave(
    conn: &mut Conn,
    jobs: &mut [Job],
    begin: Begin,
    audit_ids: &mut Range<i64>,
    notice: Option<&'static str>,
) -> Result<bool, Failure> {
    let subjects: Vec<_> = jobs.iter().map(|job| job.subject).collect();
    let mut fresh = load::lock(conn, &subjects, begin).await?;
    let known: Vec<_> = subjects.iter().map(|subject| subject.chain()).collect();
    let mut writes: Vec<VecDeque<Write>> = Vec::with_capacity(jobs.len());
    let mut events = Vec::new();
    let mut enqueued = false;
    for job in jobs {
        if job.rule.is_abandoned() {
            // Locked for so long that the caller was told no: then no it is.
            writes.push(VecDeque::new());
            continue;
        }
        let mut steps = Vec::new();
        for change in job.rule.decide(job.subject, &mut fresh)? {
            enqueued |= matches!(change, Change::Enqueue(_));
            apply(change, &mut steps);
        }
        let mut own = VecDeque::with_capacity(steps.len());
        for step in steps {
            match step {
                Step::Write(write) => own.push_back(write),
                Step::Record(event) => events.push(event),
            }
        }
        writes.push(own);
    }
    if events.is_empty() && writes.iter().all(VecDeque::is_empty) {
        return Ok(false);
    }

    let trail = record(conn, events, &known, fresh.heads, audit_ids).await?;
    let (mut queries, must_hit): (Vec<_>, Vec<_>) =
        merge(writes).into_iter().map(|batch| (batch.query, batch.must_hit)).unzip();
    let heads_at = queries.len();
    let heads = trail.moved.as_ref().map(|(_, rows)| *rows);
    queries.extend(trail.moved.map(|(query, _)| query));
    queries.extend(trail.inserted);
    queries.extend(notice.filter(|_| enqueued).map(|notice| Query::new(notice, [])));

    let changed = conn.execute(&queries).await?;
    let missed = |(wanted, changed): (&Option<u64>, &u64)| wanted.is_some_and(|wanted| *changed != wanted);
    if must_hit.iter().zip(&changed).any(missed) {
        return Err(Error::Corrupt("a change found nothing to change").into());
    }
    if heads.is_some_and(|wanted| changed[heads_at] != wanted) {
        return Err(Failure::Again("an audit trail has grown meanwhile"));
    }
    Ok(true)
}

/// The statements that write entries of the trail.
#[derive(Default)]
struct Trail {
    inserted: Vec<Query>,
    /// The statement that moves heads, and how many.
    moved: Option<(Query, u64)>,
}

/// Chains the events. `heads` are the newest entries of the chains that are `known`; one without is empty.
async fn record(
    conn: &mut Conn,
    events: Vec<AuditEvent>,
    known: &[AuditChain],
    mut heads: HashMap<(i64, i64), Head>,
    audit_ids: &mut Range<i64>,
) -> Result<Trail, Failure> {
    // Entries that belong to nobody who is locked are rare; the guard on the head keeps their chains whole.
    let mut asked: Vec<_> = events.iter().map(AuditChain::of).filter(|chain| !known.contains(chain)).collect();
    asked.dedup();
    if !asked.is_empty() {
        heads.extend(load::heads(conn, asked.into_iter()).await?);
    }

    let before: HashMap<_, _> = heads.iter().map(|(chain, head)| (*chain, head.audit_id)).collect();
    let mut grown = Vec::new();
    let mut entries = Vec::new();
    for event in events {
        let audit_id = audit_ids.next().ok_or(Error::Unavailable("too many entries for one transaction"))?;
        let chain = AuditChain::of(&event).numbers();
        let head = heads.entry(chain).or_default();
        let (write, next) = trail::append(event, head, audit_id);
        *head = next;
        entries.push(write.params);
        if !grown.contains(&chain) {
            grown.push(chain);
        }
    }
    let mut trail = Trail::default();
    if entries.is_empty() {
        return Ok(trail);
    }
    trail.inserted.push(columns(own::INSERT_AUDITS, entries.into_iter()));
    let (mut new, mut moved) = (Vec::new(), Vec::new());
    for chain in grown {
        let Some(head) = heads.remove(&chain) else { continue };
        let mut row = vec![
            Value::Int(chain.0),
            Value::Int(chain.1),
            head.audit_id.into(),
            head.position.into(),
            head.hash.into(),
        ];
        match before.get(&chain) {
            Some(previous) => {
                row.push((*previous).into());
                moved.push(row);
            }
            None => new.push(row),
        }
    }
    if !new.is_empty() {
        trail.inserted.push(columns(own::INSERT_AUDIT_HEADS, new.into_iter()));
    }
    if !moved.is_empty() {
        let rows = moved.len() as u64;
        trail.moved = Some((columns(own::MOVE_AUDIT_HEADS, moved.into_iter()), rows));
    }
    Ok(trail)
}

/// Reserves the ids of the next audit entries. Not in a deciding transaction, which would hold up all others.
pub(super) async fn reserve_audit_ids(conn: &mut Conn, count: i64) -> Result<Range<i64>, Failure> {
    let reserve = Query::new(sql::RESERVE_IDS, [Value::Int(AUDIT_IDS), Value::Int(count)]);
    let rows = conn.fetch(std::slice::from_ref(&reserve)).await?.pop().unwrap_or_default();
    let end = decode_first(&rows, rows::number)?.ok_or(Error::Corrupt("an answer without a row"))?;
    Ok(end - count..end)
}

/// Under which kind the trail's ids are counted, beside those of [`crate::IdKind`].
const AUDIT_IDS: i64 = 0;
