//! Taking users and devices over from another system, as many at a time as the database can bear.
//!
//! One person is one decision, however many devices they bring, so no person is ever half imported. An import keeps many
//! people under way at once, and the database's groups fill by themselves.

mod draw;
mod drawn_ids;
mod name_locks;
mod person;
mod tried;
mod turns;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::model::audit::Actor;
use domain::model::name;
use domain::model::user_patch::UserPatch;
use domain::rules::import::{self, Merged};
use domain::{SecretMac, SecretMark, UserField, UserId, View};
use tokio::sync::Mutex;

use self::drawn_ids::DrawnIds;
use self::name_locks::NameLocks;
use self::person::patch;
pub use self::person::{ImportError, ImportOutcome, Imported, Person, Token};
use self::tried::{Outcomes, Tried};
use self::turns::{LineTurn, Turns};
use crate::decision_name::DecisionName;
use crate::{Engine, Fault};
/// How often a person is looked up anew when somebody else changes them meanwhile.
const TRIES: usize = 8;
/// How often a database that is away is waited for, a second each on top of its time limit.
const WAITS: usize = 4;

/// An import under way.
pub struct Import {
    engine: Arc<Engine>,
    users: Mutex<Range<i64>>,
    devices: Mutex<Range<i64>>,
    locks: NameLocks,
    turns: Arc<Turns>,
    /// Counts the people taken.
    moment: AtomicU64,
}

impl Import {
    /// Begins an import.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            users: Mutex::new(0..0),
            devices: Mutex::new(0..0),
            locks: NameLocks::default(),
            turns: Arc::default(),
            moment: AtomicU64::new(0),
        }
    }

    /// Takes people over, all at the same time, but for those who share a name, an address or an id: of them the earlier
    /// comes first, and ids are drawn in the list's order. The results have their order. Their places are
    /// taken when this is called, not when its answer is waited for.
    pub fn take_all(
        self: &Arc<Self>,
        mut people: Vec<Person>,
    ) -> impl Future<Output = Vec<Result<Imported, ImportError>>> + Send + use<> {
        people.iter_mut().for_each(Person::tidy);
        let drawing = self.turns.enter(vec![DRAWING.to_owned()]);
        let turns: Vec<LineTurn> = people.iter().map(|person| self.turns.enter(spoken_for(person))).collect();
        let import = self.clone();
        async move { import.take_in_turn(people, drawing, turns).await }
    }

    async fn take_in_turn(
        self: Arc<Self>,
        people: Vec<Person>,
        mut drawing: LineTurn,
        turns: Vec<LineTurn>,
    ) -> Vec<Result<Imported, ImportError>> {
        let moment = self.moment.load(Ordering::SeqCst);
        let mark =
            |token: &Token| SecretMark::of(&token.credential, self.engine.installation_key.key()).map(|mark| mark.mac);
        let secrets: Vec<Vec<_>> = people.iter().map(|person| person.tokens.iter().map(mark).collect()).collect();
        let asked: Vec<_> = people.iter().map(|p| (p.external_id.as_deref(), p.username.as_str())).collect();
        // If this fails, each finds out by itself.
        let found = self.engine.store.find_users(&asked).await.unwrap_or_default();
        drawing.wait().await;
        let mut drawn = Vec::with_capacity(people.len());
        for (place, person) in people.iter().enumerate() {
            // Who is here needs no id of a user, and perhaps none of a device.
            let is_new = matches!(found.get(place), Some(None));
            drawn.push(if is_new { self.draw_ids(person.tokens.len()).await } else { DrawnIds::default() });
        }
        drop(drawing);
        let mut hints = found.into_iter().map(|user| Hint { moment, user });
        let under_way: Vec<_> = people
            .into_iter()
            .zip(turns)
            .zip(drawn)
            .map(|((person, mut turn), drawn)| {
                let (import, hint) = (self.clone(), hints.next());
                tokio::spawn(async move {
                    turn.wait().await;
                    import.take(&person, hint, &drawn).await
                })
            })
            .collect();
        let mut taken = Vec::with_capacity(under_way.len());
        for person in under_way {
            taken.push(person.await.unwrap_or_else(|gone| Err(ImportError::Fault(Fault::internal(gone)))));
        }
        self.find_shared(&secrets, &mut taken).await;
        taken
    }

    /// Finds out which secrets are also another user's. They are taken over all the same, so this is looked at once all of
    /// them are here, and two people of one list both show it.
    async fn find_shared(&self, secrets: &[Vec<Option<SecretMac>>], taken: &mut [Result<Imported, ImportError>]) {
        let asked: Vec<SecretMac> = secrets.iter().flatten().flatten().copied().collect();
        let holders = match self.engine.store.secret_holders(&asked).await {
            Ok(holders) => holders,
            Err(error) => return tracing::warn!(%error, "whether others have the same secrets was not looked at"),
        };
        for (secrets, imported) in secrets.iter().zip(taken) {
            let Ok(imported) = imported else { continue };
            let others = |secret: &SecretMac| {
                holders.get(secret).is_some_and(|users| users.iter().any(|user| *user != imported.user))
            };
            let shared = secrets.iter().enumerate().filter(|(_, secret)| secret.as_ref().is_some_and(others));
            imported.shared = shared.map(|(place, _)| place).collect();
        }
    }

    /// Takes one person over with all their devices, or nothing of them. Who is here already is merged.
    async fn take(&self, person: &Person, hint: Option<Hint>, drawn: &DrawnIds) -> Result<Imported, ImportError> {
        import::judge_username(&person.username)?;
        let said = patch(person)?;
        let mut names = Vec::with_capacity(person.tokens.len());
        for token in &person.tokens {
            import::judge(&token.credential)?;
            let name = token.display_name.as_deref();
            let name = name.unwrap_or_else(|| import::default_name(token.credential.kind()));
            import::judge_name("display_name", name)?;
            names.push(name);
        }
        // Two entries of one list may name the same person: the second must find what the first made.
        let mut held = self.locks.hold(person).await;
        // What was looked up before somebody else here had these names in hand may be true no longer.
        let mut hint = hint.filter(|hint| held.last() <= hint.moment);
        let mut waits = 0;
        let mut tried = Tried::default();
        for _ in 0..TRIES {
            match self.try_take(person, &said, &names, hint.take(), drawn, &mut tried).await {
                Ok(Some(mut imported)) => {
                    tried.claim(&mut imported);
                    held.mark(self.moment.fetch_add(1, Ordering::SeqCst) + 1);
                    return Ok(imported);
                }
                Ok(None) => {}
                // Whether it was written or not: the next look shows it.
                Err(ImportError::Fault(Fault::Unavailable(error))) if waits < WAITS => {
                    tracing::debug!(%error, "waiting for the database");
                    waits += 1;
                    self.engine.clock.sleep(crate::clock::RETRY).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(ImportError::Fault(Fault::Busy))
    }

    /// `None` if the person was changed by somebody else meanwhile.
    async fn try_take(
        &self,
        person: &Person,
        said: &UserPatch,
        names: &[&str],
        hint: Option<Hint>,
        ids: &DrawnIds,
        tried: &mut Tried,
    ) -> Result<Option<Imported>, ImportError> {
        let store = &self.engine.store;
        let found = match hint {
            Some(hint) => hint.user,
            None => store.find_user(person.external_id.as_deref(), &person.username).await?,
        };
        let view = match found {
            Some(id) => store.view(id).await?,
            None => View::default(),
        };
        let (incoming, outcomes) = self.draw(person, said, names, ids, view.user.clone(), &view.devices).await?;
        let user = incoming.drawn;
        let (by, now) = (Actor::default(), self.engine.now());
        if view.user.is_some() {
            let first = import::merge(&view, &incoming, &by, now);
            if first.changes.is_empty() {
                return ended(first.reply, user, outcomes);
            }
        }
        let renamed = view.user.is_some() && person.update;
        tried.note(user, &outcomes);
        match self.engine.decide(DecisionName::Import, user, move |view| import::merge(view, &incoming, &by, now)).await
        {
            Ok(merged) => ended(merged, user, outcomes),
            Err(store::Error::Conflict(store::UniqueField::Username)) if renamed => {
                Err(ImportError::Taken(UserField::Username))
            }
            // As somebody's user name: they came meanwhile, and the next look finds them. As an address it stays theirs.
            Err(store::Error::Conflict(store::UniqueField::Username)) => {
                match store.user_by_username(&person.username).await? {
                    Some(_) => Ok(None),
                    None => Err(ImportError::Taken(UserField::Username)),
                }
            }
            Err(store::Error::Conflict(store::UniqueField::Email)) => Err(ImportError::Taken(UserField::Email)),
            Err(error) => Err(error.into()),
        }
    }
}

/// What whole batches take turns for.
const DRAWING: &str = "\u{2}";

/// What a person is known by, and somebody else in the list may be too.
fn spoken_for(person: &Person) -> Vec<String> {
    let names = [Some(person.username.as_str()), person.email.as_deref()];
    let keys = names.into_iter().flatten().map(name::key).filter(|key| !key.is_empty());
    keys.chain(person.external_id.as_ref().map(|id| format!("\u{1}{id}"))).collect()
}

/// Who somebody was when it was looked up.
#[derive(Debug, Clone, Copy)]
struct Hint {
    moment: u64,
    user: Option<UserId>,
}

fn ended(merged: Merged, user: UserId, outcomes: Outcomes) -> Result<Option<Imported>, ImportError> {
    match merged {
        Merged::Merged { created } => {
            let shared = Vec::new();
            Ok(Some(Imported { user, created, person: outcomes.person, devices: outcomes.devices, shared }))
        }
        Merged::Stale => Ok(None),
        Merged::OtherPerson => Err(ImportError::OtherPerson),
        Merged::TooManyDevices => Err(ImportError::TooManyDevices),
    }
}
