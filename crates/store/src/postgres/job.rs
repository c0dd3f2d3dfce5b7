//! A decision that waits for its transaction, and that transaction.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::{BudgetView, Challenge, Change, ClientView, Decision, Verification, VerificationEnd, View};
use tokio::sync::oneshot;

use super::batch::merge;
use super::chains::{self, Trail};
use super::conn::{Conn, Query, decode_first};
use super::failure::Failure;
use super::load::{self, Begin, Fresh, Subject};
use super::notices::NOTIFY_ANSWERED;
use super::sql as own;
use super::states::States;
use crate::apply::{apply, beginning};
use crate::error::Error;
use crate::rows;
use crate::step::Step;
use crate::value::{Value, Write};

/// A decision with its caller.
pub(super) struct Job {
    pub(super) subject: Subject,
    pub(super) rule: Box<dyn Rule>,
}

/// A pure function, what it said last, and who wants to know.
pub(super) trait Rule: Send {
    /// Decides. What was decided before is forgotten.
    fn decide(&mut self, subject: Subject, fresh: &Fresh) -> Result<Vec<Change>, Error>;
    /// Answers the caller: the last decision's reply, or why it does not count.
    fn answer(self: Box<Self>, result: Result<(), Error>);
    /// Whether the caller has gone.
    fn is_abandoned(&self) -> bool;
}

/// How a subject's view is found among the fresh ones.
pub(super) trait Fetch: Default {
    /// `None` if there is no such subject.
    fn fetch(subject: Subject, fresh: &Fresh) -> Option<&Self>;
}

impl Fetch for View {
    fn fetch(subject: Subject, fresh: &Fresh) -> Option<&Self> {
        subject.user().and_then(|user| fresh.users.get(&user)).map(|state| &state.view)
    }
}

impl Fetch for ClientView {
    fn fetch(subject: Subject, fresh: &Fresh) -> Option<&Self> {
        match subject {
            Subject::Client(client, _) => fresh.clients.get(&client),
            Subject::User(_) | Subject::Budget(_) => None,
        }
    }
}

impl Fetch for BudgetView {
    fn fetch(subject: Subject, fresh: &Fresh) -> Option<&Self> {
        match subject {
            Subject::Budget(budget) => fresh.budgets.get(&budget),
            Subject::User(_) | Subject::Client(..) => None,
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
    fn decide(&mut self, subject: Subject, fresh: &Fresh) -> Result<Vec<Change>, Error> {
        self.reply = None;
        let nothing = V::default();
        let view = V::fetch(subject, fresh).unwrap_or(&nothing);
        // A rule sees its view and nothing else, so a panic leaves nothing half done; the others go on.
        let decided = catch_unwind(AssertUnwindSafe(|| (self.decide)(view)));
        let Decision { changes, reply, .. } = decided.map_err(|_| Error::Corrupt("a rule panicked"))?;
        self.reply = Some(reply);
        Ok(changes)
    }

    fn answer(self: Box<Self>, result: Result<(), Error>) {
        let Self { reply, waiting, .. } = *self;
        // The caller may have gone; the decision holds.
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
    let mut decided = Vec::with_capacity(jobs.len());
    for job in jobs {
        // If locked for so long that the caller got a refusal: then it must not be decided.
        let changes = if job.rule.is_abandoned() { Vec::new() } else { job.rule.decide(job.subject, &fresh)? };
        decided.push((job.subject, changes));
    }
    if decided.iter().all(|(_, changes)| changes.is_empty()) {
        return Ok(false);
    }
    let secrets: Vec<_> = decided.iter().flat_map(|(_, changes)| beginning(changes)).collect();
    let recalled = if secrets.is_empty() { HashMap::new() } else { load::recall(conn, &secrets).await? };

    let mut states = States::new(fresh.users, &fresh.heads);
    let mut writes: Vec<VecDeque<Write>> = Vec::with_capacity(decided.len());
    let (mut events, mut enqueued, mut answered) = (Vec::new(), false, Vec::new());
    for (subject, changes) in decided {
        let mut steps = Vec::new();
        let mut about = states.about(subject, &recalled);
        for change in changes {
            enqueued |= matches!(change, Change::Enqueue(_));
            let is_awaited = about.as_ref().is_some_and(|about| is_awaited(&change, &about.state.view));
            if let (Some(user), true) = (subject.user(), is_awaited) {
                answered.push(user.0.to_string());
            }
            apply(change, about.as_mut(), &mut steps)?;
        }
        let mut own = VecDeque::new();
        for step in steps {
            match step {
                Step::Write(write) => own.push_back(write),
                Step::Record(event) => events.push((subject, event)),
            }
        }
        writes.push(own);
    }
    writes.extend(states.writes_beside());
    // Entries that belong to no locked user are rare; the guard on the head keeps their chains whole.
    let unlocked = chains::unlocked(&events);
    if !unlocked.is_empty() {
        fresh.heads.extend(load::heads(conn, unlocked.into_iter()).await?);
    }
    let mut trail = Trail::new(states, fresh.heads);
    for (subject, event) in events {
        trail.record(subject, event, audit_ids)?;
    }

    let (mut queries, must_hit): (Vec<_>, Vec<_>) =
        merge(writes).into_iter().map(|batch| (batch.query, batch.must_hit)).unzip();
    let mut moved = Vec::new();
    for (query, rows) in trail.into_queries() {
        queries.push(query);
        moved.push(rows);
    }
    queries.extend(notice.filter(|_| enqueued).map(|notice| Query::new(notice, [])));
    if notice.is_some() && !answered.is_empty() {
        queries.push(Query::new(NOTIFY_ANSWERED, [answered.join(",").into()]));
    }

    let changed = conn.execute(&queries).await?;
    for (wanted, changed) in must_hit.iter().zip(&changed) {
        match wanted {
            Some((rows, missed)) if changed != rows => return Err((*missed).into()),
            _ => {}
        }
    }
    let missed = |(wanted, changed): (&Option<u64>, &u64)| wanted.is_some_and(|wanted| *changed != wanted);
    if moved.iter().zip(changed.iter().skip(must_hit.len())).any(missed) {
        return Err(Failure::Again("an audit trail has grown meanwhile"));
    }
    Ok(true)
}

/// Whether somebody may wait on another node for this change of a user: for the answer of a person that is still to be
/// collected, or, on a phone, for prompts and their ends, and for the end of the pairing.
fn is_awaited(change: &Change, view: &View) -> bool {
    use VerificationEnd::{Accepted, Expired, Rejected};
    let is_prompt = |asked: &Verification| matches!(asked.challenge, Challenge::Approval { .. });
    match change {
        Change::CloseVerification { end: Accepted { collected, .. } | Rejected { collected, .. }, .. }
            if collected.is_none() =>
        {
            true
        }
        Change::CloseVerification { verification, end: Accepted { .. } | Rejected { .. } | Expired } => {
            view.verification(*verification).is_some_and(is_prompt)
        }
        Change::OpenVerification(asked) => is_prompt(asked),
        Change::EndBegun(_) => view.verifications.iter().any(is_prompt),
        Change::ReplaceChallenge { .. }
        | Change::DisableDevice(_)
        | Change::DeleteDevice(_)
        | Change::DeleteUser { .. } => true,
        _ => false,
    }
}

/// Reserves the ids of the next audit entries: a whole block on the grid (see [`crate::store::follow`]). Not in a deciding transaction, which would hold up all others.
pub(super) async fn reserve_audit_ids(conn: &mut Conn, count: i64) -> Result<Range<i64>, Failure> {
    let reserve = Query::new(own::RESERVE_AUDIT_IDS, [Value::Int(AUDIT_IDS), Value::Int(count)]);
    let rows = conn.fetch(std::slice::from_ref(&reserve)).await?.pop().unwrap_or_default();
    let end = decode_first(&rows, rows::number)?.ok_or(Error::Corrupt("an answer without a row"))?;
    Ok(end - count..end)
}

/// Under which kind the trail's ids are counted, beside those of [`crate::IdKind`].
const AUDIT_IDS: i64 = 0;
