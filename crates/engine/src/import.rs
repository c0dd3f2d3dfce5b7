//! Taking users and devices over from another system, as many at a time as the database can bear.
//!
//! One person is one decision, however many devices they bring, so nobody is ever half here. Whoever imports keeps many
//! people under way at once, and the database's groups fill by themselves.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::import::{self, EXTERNAL_ID, Field, Incoming, Merged, Revised, Spent, Unfit};
use domain::name;
use domain::user::UserPatch;
use domain::verification::Context;
use domain::{Credential, Device, DeviceId, DeviceStatus, SecretMac, SecretMark, User, UserId, View};
use serde::{Deserialize, Serialize};
use store::IdKind;
use tokio::sync::{Mutex, MutexGuard};

use crate::turns::{Turn, Turns};
use crate::{Engine, Error, users};

/// Ids reserved at a time: at most this many of each kind stay unused.
const STOCK: u16 = 1024;
/// Locks among which names are spread. Far more than people under way, so that strangers seldom meet.
const LANES: usize = 1 << 14;
/// How often a person is looked up anew when somebody else changes them meanwhile.
const TRIES: usize = 8;
/// How often a database that is away is waited for, a second each on top of its own patience.
const WAITS: usize = 4;

/// A person as a list describes them.
#[derive(Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of contract 3.1")]
pub struct Person {
    pub username: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub external_id: Option<String>,
    /// Their devices.
    pub tokens: Vec<Token>,
    /// Whether what is here is set to what the list says.
    #[serde(default)]
    pub update: bool,
}

/// A device as a list describes it. It travels in clear on the way into the engine, and is sealed there.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    /// Its secret, and how codes are made of it.
    pub credential: Credential,
    /// The next counter of a HOTP token.
    pub counter: u64,
    /// Its name.
    pub display_name: Option<String>,
}

impl Person {
    /// Puts what is looked for and what people read into the form that is kept. A name in which there is nothing to see is
    /// none.
    fn tidy(&mut self) {
        self.external_id = self.external_id.as_deref().map(name::spelling).filter(|id| !id.is_empty());
        for token in &mut self.tokens {
            token.display_name = token.display_name.as_deref().and_then(name::label).map(str::to_owned);
        }
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({} tokens)", self.tokens.len())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A person who is here now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Their id.
    pub user: UserId,
    /// Whether they are new.
    pub created: bool,
    /// What became of the person's own fields.
    pub person: Fate,
    /// Their devices in the list's order: the id, and what became of it.
    pub devices: Vec<(DeviceId, Fate)>,
    /// Those of them, by their place in the list, whose secret another user's device has too.
    #[serde(default)]
    pub shared: Vec<usize>,
}

/// What became of a part of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It was not here.
    New,
    /// It was here, and the list says nothing else.
    Same,
    /// It was here and the list says otherwise; it was left as it is.
    Differs(Vec<Field>),
    /// It was here, and is now as the list says.
    Updated,
}

impl Fate {
    /// Of what was here and differs so.
    fn of(fields: Vec<Field>, update: bool) -> Self {
        match (fields.is_empty(), update) {
            (true, _) => Self::Same,
            (false, true) => Self::Updated,
            (false, false) => Self::Differs(fields),
        }
    }
}

/// Why a person was not taken over. Nothing of them was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// What the list says cannot be right.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Another user has this name or mail address.
    #[error("another user has this {0}")]
    Taken(&'static str),
    /// The name is taken by somebody else.
    #[error("the user of this username has another external_id")]
    OtherPerson,
    /// SEC 35.
    #[error("a user has at most 20 devices")]
    TooManyDevices,
    /// Not the list's fault: going on makes no sense.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<store::Error> for ImportError {
    fn from(error: store::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// An import under way.
pub struct Import {
    engine: Arc<Engine>,
    users: Mutex<Range<i64>>,
    devices: Mutex<Range<i64>>,
    lanes: Vec<Mutex<u64>>,
    turns: Arc<Turns>,
    /// Counts the people taken.
    moment: AtomicU64,
}

impl Import {
    /// Begins an import.
    pub fn new(engine: Arc<Engine>) -> Self {
        let lanes = std::iter::repeat_with(Mutex::default).take(LANES).collect();
        Self {
            engine,
            users: Mutex::new(0..0),
            devices: Mutex::new(0..0),
            lanes,
            turns: Arc::default(),
            moment: AtomicU64::new(0),
        }
    }

    /// Takes people over, all at the same time, but for those who share a name, an address or an id: of them the earlier
    /// comes first, and ids are drawn in the list's order. What became of each is told in their order. Their places are
    /// taken when this is called, not when its answer is waited for.
    pub fn take_all(
        self: &Arc<Self>,
        mut people: Vec<Person>,
    ) -> impl Future<Output = Vec<Result<Imported, ImportError>>> + Send + use<> {
        people.iter_mut().for_each(Person::tidy);
        let drawing = self.turns.enter(vec![DRAWING.to_owned()]);
        let turns: Vec<Turn> = people.iter().map(|person| self.turns.enter(spoken_for(person))).collect();
        let import = self.clone();
        async move { import.take_in_turn(people, drawing, turns).await }
    }

    async fn take_in_turn(
        self: Arc<Self>,
        people: Vec<Person>,
        mut drawing: Turn,
        turns: Vec<Turn>,
    ) -> Vec<Result<Imported, ImportError>> {
        let moment = self.moment.load(Ordering::SeqCst);
        let mark = |token: &Token| SecretMark::of(&token.credential, self.engine.marked.key()).map(|mark| mark.mac);
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
            taken.push(person.await.unwrap_or_else(|gone| Err(ImportError::Failed(Error::internal(gone)))));
        }
        self.find_shared(&secrets, &mut taken).await;
        taken
    }

    /// Finds out which secrets are also another user's. They are taken over all the same, so this is looked at once all of
    /// them are here, and two people of one list are both told of.
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

    /// Takes one person over with all their devices, or nothing of them. Whoever is here already is merged with.
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
        let mut held = self.hold(person).await;
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
                Err(ImportError::Failed(Error::Unavailable(error))) if waits < WAITS => {
                    tracing::debug!(%error, "waiting for the database");
                    waits += 1;
                    self.engine.clock.sleep(crate::clock::RETRY).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(ImportError::Failed(Error::Busy))
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
        let (incoming, fates) = self.draw(person, said, names, ids, view.user.clone(), &view.devices).await?;
        let user = incoming.drawn;
        let (by, now) = (Context::default(), self.engine.now());
        if view.user.is_some() {
            let first = import::merge(&view, &incoming, &by, now);
            if first.changes.is_empty() {
                return ended(first.reply, user, fates);
            }
        }
        let renamed = view.user.is_some() && person.update;
        tried.note(user, &fates);
        match store.decide(user, move |view| import::merge(view, &incoming, &by, now)).await {
            Ok(merged) => ended(merged, user, fates),
            Err(store::Error::Conflict(store::Field::Username)) if renamed => Err(ImportError::Taken("username")),
            // As somebody's user name: they came meanwhile, and the next look finds them. As an address it stays theirs.
            Err(store::Error::Conflict(store::Field::Username)) => {
                match store.user_by_username(&person.username).await? {
                    Some(_) => Ok(None),
                    None => Err(ImportError::Taken("username")),
                }
            }
            Err(store::Error::Conflict(store::Field::Email)) => Err(ImportError::Taken("email")),
            Err(error) => Err(error.into()),
        }
    }

    /// Finds out which tokens are here already, and draws and seals the others.
    async fn draw(
        &self,
        person: &Person,
        said: &UserPatch,
        names: &[&str],
        ids: &DrawnIds,
        known: Option<User>,
        here: &[Device],
    ) -> Result<(Incoming, Fates), ImportError> {
        let drawn = match &known {
            Some(user) => user.id,
            None => UserId(match ids.user {
                Some(id) => id,
                None => self.next_id(&self.users, IdKind::User).await?,
            }),
        };
        let mut ready = ids.devices.iter().copied();
        let now = self.engine.now();
        let mut seen: Vec<(DeviceId, Credential)> = Vec::with_capacity(here.len() + person.tokens.len());
        for device in here {
            seen.push((device.id, self.engine.open_credential(device)?));
        }
        let mut devices: Vec<Device> = Vec::new();
        let mut revised: Vec<Revised> = Vec::new();
        let mut found = Vec::with_capacity(person.tokens.len());
        for (token, name) in person.tokens.iter().zip(names) {
            if let Some((id, other)) = seen.iter().find(|(_, other)| import::same_token(other, &token.credential)) {
                let stored = here.iter().find(|device| device.id == *id);
                let Some(device) = stored.or_else(|| devices.iter().find(|device| device.id == *id)) else { continue };
                let mut fields = import::token_differences(other, device, &token.credential, token.counter);
                let says_otherwise = |said: &String| name::spelling(said) != name::spelling(&device.display_name);
                if token.display_name.as_ref().is_some_and(says_otherwise) {
                    fields.push(Field::DisplayName);
                }
                // Of two lines about one device the first counts.
                let first = stored.is_some() && !revised.iter().any(|revised| revised.device == *id);
                let update = person.update && first;
                if update && !fields.is_empty() {
                    let kept = self.engine.seal_credential(*id, drawn, &token.credential)?;
                    revised.push(Revised {
                        device: *id,
                        was: device.credential.clone(),
                        credential: kept.sealed,
                        secret: kept.secret,
                        display_name: token.display_name.clone(),
                        spent: spent(other, token)?,
                    });
                }
                found.push((*id, Fate::of(fields, update)));
                continue;
            }
            let id = DeviceId(match ready.next() {
                Some(id) => id,
                None => self.next_id(&self.devices, IdKind::Device).await?,
            });
            let factor = token.credential.kind();
            let last_counter = match &token.credential {
                Credential::Hotp(_) => import::last_counter(token.counter)?,
                // What was used of it here is remembered by its secret.
                _ => domain::device::NO_COUNTER,
            };
            let kept = self.engine.seal_credential(id, drawn, &token.credential)?;
            devices.push(Device {
                id,
                user_id: drawn,
                factor,
                display_name: (*name).to_owned(),
                status: DeviceStatus::Active,
                credential: kept.sealed,
                secret: kept.secret,
                last_counter,
                created_at: now,
                last_used_at: None,
            });
            seen.push((id, token.credential.clone()));
            found.push((id, Fate::New));
        }
        let compared = here.iter().map(|device| device.id).collect();
        let user = match &known {
            Some(known) => Fate::of(import::user_differences(known, said), person.update),
            None => Fate::New,
        };
        let update = person.update;
        let incoming = Incoming { user: said.clone(), known, drawn, devices, compared, revised, update };
        Ok((incoming, Fates { person: user, devices: found }))
    }

    /// The ids of somebody new. If they cannot be drawn now, each is drawn when it is needed.
    async fn draw_ids(&self, tokens: usize) -> DrawnIds {
        let user = self.next_id(&self.users, IdKind::User).await.ok();
        let mut devices = Vec::with_capacity(tokens);
        for _ in 0..tokens {
            devices.extend(self.next_id(&self.devices, IdKind::Device).await.ok());
        }
        DrawnIds { user, devices }
    }

    async fn next_id(&self, stock: &Mutex<Range<i64>>, kind: IdKind) -> Result<i64, Error> {
        let mut stock = stock.lock().await;
        if stock.is_empty() {
            *stock = self.engine.store.reserve_ids(kind, STOCK).await?;
        }
        stock.next().ok_or(Error::Busy)
    }

    /// Keeps everybody else with this name or this id in the other system waiting.
    async fn hold(&self, person: &Person) -> Held<'_> {
        let lane = |text: &str| {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default()
        };
        let name = lane(&name::key(&person.username));
        let other = person.external_id.as_deref().map(lane).filter(|other| *other != name);
        // Always in the same order, or two people could wait for each other.
        let (first, second) = match other {
            Some(other) if other < name => (other, Some(name)),
            other => (name, other),
        };
        let held = self.lanes[first].lock().await;
        let also = match second {
            Some(lane) => Some(self.lanes[lane].lock().await),
            None => None,
        };
        Held(held, also)
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

/// Ids drawn in the order of the list.
#[derive(Debug, Default)]
struct DrawnIds {
    user: Option<i64>,
    devices: Vec<i64>,
}

/// What was tried to be made of a person. Whether a try was kept may be unknown, and then the next look shows it: what is
/// here under an id that was drawn for this person and nobody else, or is as this list says, was made by a try (SEC 80).
#[derive(Debug, Default)]
struct Tried {
    user: Option<(UserId, Fate)>,
    devices: Vec<(DeviceId, Fate)>,
}

impl Tried {
    fn note(&mut self, user: UserId, fates: &Fates) {
        let made = |fate: &Fate| matches!(fate, Fate::New | Fate::Updated);
        // What was new once may be looked at again, and stays new.
        if made(&fates.person) && self.user.as_ref().is_none_or(|(before, _)| *before != user) {
            self.user = Some((user, fates.person.clone()));
        }
        for (id, fate) in fates.devices.iter().filter(|(_, fate)| made(fate)) {
            if !self.devices.iter().any(|(before, _)| before == id) {
                self.devices.push((*id, fate.clone()));
            }
        }
    }

    /// Tells what a try before has made as made.
    fn claim(&self, imported: &mut Imported) {
        if let Some((user, fate)) = &self.user
            && *user == imported.user
            && imported.person == Fate::Same
        {
            imported.created = imported.created || *fate == Fate::New;
            imported.person = fate.clone();
        }
        for (id, fate) in &mut imported.devices {
            if let Some((_, made)) = self.devices.iter().find(|(tried, _)| tried == id)
                && *fate == Fate::Same
            {
                *fate = made.clone();
            }
        }
    }
}

/// Who somebody was when it was looked up.
#[derive(Debug, Clone, Copy)]
struct Hint {
    moment: u64,
    user: Option<UserId>,
}

/// Names in hand. Each lane remembers when it last served.
struct Held<'a>(MutexGuard<'a, u64>, Option<MutexGuard<'a, u64>>);

impl Held<'_> {
    fn last(&self) -> u64 {
        self.1.as_ref().map_or(*self.0, |also| (*self.0).max(**also))
    }

    fn mark(&mut self, moment: u64) {
        *self.0 = moment;
        if let Some(also) = &mut self.1 {
            **also = moment;
        }
    }
}

/// What becomes of a person's parts.
struct Fates {
    person: Fate,
    devices: Vec<(DeviceId, Fate)>,
}

/// How what is spent is counted once `here` is as the list says.
fn spent(here: &Credential, said: &Token) -> Result<Spent, Unfit> {
    Ok(match (here, &said.credential) {
        (Credential::Totp(here), Credential::Totp(said)) => Spent::Steps { from: here.period, to: said.period },
        _ => Spent::AtLeast(import::last_counter(said.counter)?),
    })
}

fn ended(merged: Merged, user: UserId, fates: Fates) -> Result<Option<Imported>, ImportError> {
    match merged {
        Merged::Merged { created } => {
            let shared = Vec::new();
            Ok(Some(Imported { user, created, person: fates.person, devices: fates.devices, shared }))
        }
        Merged::Stale => Ok(None),
        Merged::OtherPerson => Err(ImportError::OtherPerson),
        Merged::TooManyDevices => Err(ImportError::TooManyDevices),
    }
}

fn patch(person: &Person) -> Result<UserPatch, ImportError> {
    if let Some(email) = &person.email {
        import::judge_email(email)?;
    }
    if let Some(phone) = &person.phone {
        import::judge_phone(phone)?;
    }
    if let Some(value) = &person.external_id {
        import::judge_name(EXTERNAL_ID, value)?;
    }
    let said = UserPatch {
        username: Some(Some(person.username.clone())),
        email: person.email.clone().map(Some),
        phone: person.phone.clone().map(Some),
        texts: person.external_id.iter().map(|id| (EXTERNAL_ID.to_owned(), Some(id.clone()))).collect(),
        ..UserPatch::default()
    };
    users::judged(said).map_err(ImportError::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_a_log_shows_nothing() {
        let token = Token {
            credential: Credential::Hotp(domain::factor::hotp::Hotp {
                secret: domain::Secret::new(b"12345678901234567890".to_vec()),
                digits: 6,
            }),
            counter: 0,
            display_name: Some("Pocket".to_owned()),
        };
        let person = Person {
            username: "ana".to_owned(),
            email: None,
            phone: None,
            external_id: None,
            tokens: vec![token],
            update: false,
        };
        assert_eq!(format!("{person:?} {:?}", person.tokens[0]), "Person(1 tokens) Token(…)");
    }
}
