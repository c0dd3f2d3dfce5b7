//! Passwords: Argon2id, few at a time (SEC 43).
//!
//! Hashes that came from elsewhere take longer than our own, so the time would show who has one, and who does not exist. The hasher
//! knows how long each kind takes at least, and says by how much a refusal must wait to take as long as the longest kind
//! that is about (SEC 31).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use domain::ClientId;
use domain::rules::password_check::PasswordCheck;
use zeroize::Zeroizing;

use crate::clock::Stopwatch;
use crate::fault::Fault;
use crate::login::foreign_password::{BCRYPT_COST_MAX, ForeignPassword, LEGACY, Recipe, SALT, examined};
use crate::login::hash_queue::{Named, Queue};
use crate::login::password_fault::{PasswordError, PasswordFault};

/// Memory, in KiB.
const MEMORY: u32 = 47_104;
/// The same for passwords that are no secret.
const LOW_MEMORY: u32 = 1_024;
/// Fewest characters, whatever the policy.
const MIN: usize = 8;
/// Most characters. Longer ones are refused, never cut.
const MAX: usize = 128;

/// How much memory a new password hash takes, in KiB (SEC 43).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PasswordCost {
    /// What people's passwords need.
    #[default]
    Full,
    /// Of passwords that are no secret: everyone can read those of a dev world.
    Low,
}

impl PasswordCost {
    fn memory(self) -> u32 {
        match self {
            Self::Full => MEMORY,
            Self::Low => LOW_MEMORY,
        }
    }

    /// What our hashes of this cost begin with.
    fn prefix(self) -> String {
        format!("$argon2id$v=19$m={},t=1,p=1$", self.memory())
    }

    /// A hash that no password has: its digest is all zero.
    fn of_nothing(self) -> String {
        format!("{}{}${}", self.prefix(), "A".repeat(22), "A".repeat(43))
    }
}

/// Computes password hashes off the request threads, two at a time.
#[derive(Debug, Default)]
pub(crate) struct PasswordHasher {
    cost: PasswordCost,
    queue: Queue,
    /// The shortest time that each kind of comparison was seen to take, in milliseconds.
    paces: Mutex<BTreeMap<Comparison, i64>>,
}

/// How long a comparison takes: that of our own hash, or with a bcrypt hash of this cost before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Comparison {
    /// Nothing was compared.
    Nothing,
    /// Argon2id alone. A salted SHA-256 before it takes no time.
    Own,
    /// A bcrypt hash of this cost, and Argon2id.
    Bcrypt(u32),
}

impl Comparison {
    fn of(stored: &str) -> Self {
        match Recipe::read(stored) {
            Some((Recipe::Bcrypt { cost, .. }, _)) => Self::Bcrypt(cost),
            _ => Self::Own,
        }
    }

    /// Whether it takes far longer than our own.
    fn is_long(self) -> bool {
        matches!(self, Self::Bcrypt(cost) if cost > 10)
    }
}

/// Whether a password may be set. The floor always holds; `validate` adds the block-list, which takes long for long
/// passwords: never on a request thread ([`PasswordHasher::hash_new`]).
fn judge(password: &str, validate: bool) -> Result<(), PasswordFault> {
    judge_length(password)?;
    if validate && is_common(password) {
        return Err(PasswordFault::TooCommon);
    }
    Ok(())
}

fn judge_length(password: &str) -> Result<(), PasswordFault> {
    let length = password.chars().count();
    if length < MIN {
        return Err(PasswordFault::TooShort);
    }
    if length > MAX {
        return Err(PasswordFault::TooLong);
    }
    Ok(())
}

/// Whether a password is among those tried first: it is guessed within the ten thousand likeliest.
fn is_common(password: &str) -> bool {
    zxcvbn::zxcvbn(password, &[]).guesses() <= 10_000
}

/// The cost of the bcrypt hash in a stored hash, if there is one.
pub(crate) fn bcrypt_cost(stored: &str) -> Option<u32> {
    match Comparison::of(stored) {
        Comparison::Bcrypt(cost) => Some(cost),
        Comparison::Nothing | Comparison::Own => None,
    }
}

/// Whether a stored hash is to be renewed by the next right password: it came from elsewhere, or its cost is below
/// today's (SEC 43).
fn is_old(stored: &str, cost: PasswordCost) -> bool {
    !stored.starts_with(&cost.prefix())
}

impl PasswordHasher {
    pub(crate) fn new(cost: PasswordCost) -> Self {
        Self { cost, ..Self::default() }
    }

    /// Begins a log-in for a name: of one name two are under way at most.
    pub(crate) fn named(&self, name: &str) -> Result<Named<'_>, Fault> {
        self.queue.named(name)
    }

    /// Compares a password with a stored hash, and hashes a right one anew with `salt` if the stored hash is old. Without a hash
    /// the password is wrong, and finding out takes as long as with one of ours. What kind of comparison it was tells how long
    /// the refusal has to wait ([`Self::wait`]).
    ///
    /// Whether the password was right leaves this file in a [`PasswordCheck`] only, so a wrong one cannot be acted on without being
    /// counted.
    pub(crate) async fn check(
        &self,
        client: Option<ClientId>,
        password: Zeroizing<String>,
        stored: Option<String>,
        salt: [u8; SALT],
    ) -> Result<(PasswordCheck, Comparison), Fault> {
        let (is_right, kind) = self.matches(client, password.clone(), stored.clone()).await?;
        let renewed = match &stored {
            Some(hash) if is_right && is_old(hash, self.cost) => Some(self.hash(client, password, salt).await?),
            _ => None,
        };
        Ok((PasswordCheck::new(stored, is_right, renewed), kind))
    }

    async fn matches(
        &self,
        client: Option<ClientId>,
        password: Zeroizing<String>,
        stored: Option<String>,
    ) -> Result<(bool, Comparison), Fault> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.cost.of_nothing());
        let kind = Comparison::of(&stored);
        let compared = self.at_work(client, kind.is_long(), move || {
            use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
            let watch = Stopwatch::start();
            let recipe = Recipe::read(&stored);
            let hash = recipe.as_ref().map_or(stored.as_str(), |(_, hash)| hash);
            let parsed = PasswordHash::new(hash).map_err(|_| Fault::internal("a stored password hash is not one"))?;
            // How many there are depends on what was typed alone, not on whether there is a hash.
            let mut spellings = domain::model::name::secret_spellings(&password).into_iter().map(Zeroizing::new);
            let is_right = spellings.any(|spelling| {
                let digest = match &recipe {
                    Some((recipe, _)) => recipe.digest(&spelling).unwrap_or_default(),
                    None => spelling,
                };
                Argon2::default().verify_password(digest.as_bytes(), &parsed).is_ok()
            });
            Ok::<_, Fault>((is_right && exists, watch.elapsed()))
        });
        let (is_right, took) = compared.await?;
        self.note(kind, took);
        Ok((is_right, kind))
    }

    /// Finds out how long a comparison with a bcrypt hash of this cost takes, if that is not known.
    pub(crate) async fn learn(&self, cost: u32) -> Result<(), Fault> {
        let cost = cost.min(BCRYPT_COST_MAX);
        if self.paces().contains_key(&Comparison::Bcrypt(cost)) {
            return Ok(());
        }
        let recipe = Recipe::Bcrypt { cost, salt: [0; SALT] };
        let hash = format!("{LEGACY}{}:{}", recipe.spelled(), self.cost.of_nothing());
        self.matches(None, Zeroizing::new("any password".to_owned()), Some(hash)).await?;
        Ok(())
    }

    /// How many milliseconds a refusal after such a comparison waits, so that it takes as long as the longest kind.
    pub(crate) fn wait(&self, kind: Comparison) -> i64 {
        let paces = self.paces();
        let own = paces.get(&kind).copied().unwrap_or(0);
        paces.values().copied().max().unwrap_or(0) - own
    }

    /// How many milliseconds the longest kind of comparison takes at least.
    pub(crate) fn longest(&self) -> i64 {
        self.wait(Comparison::Nothing)
    }

    /// The shortest time counts: what else a busy machine adds, it adds to all kinds.
    fn note(&self, kind: Comparison, took: i64) {
        let mut paces = self.paces();
        let known = paces.entry(kind).or_insert(took);
        *known = took.min(*known);
    }

    fn paces(&self) -> MutexGuard<'_, BTreeMap<Comparison, i64>> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hash of what another system kept of a password: wrapped in Argon2id, and replaced by the next right password
    /// (contract 3.2, decision 28).
    pub(crate) async fn hash_foreign(
        &self,
        client: Option<ClientId>,
        foreign: ForeignPassword,
        salt: [u8; SALT],
    ) -> Result<String, PasswordError> {
        let (recipe, digest) = examined(foreign)?;
        let hash = self.hash(client, digest, salt).await?;
        Ok(format!("{LEGACY}{}:{hash}", recipe.spelled()))
    }

    /// The hash of a password that somebody sets, if it may be set; `validate` adds the block-list.
    pub(crate) async fn hash_new(
        &self,
        client: Option<ClientId>,
        password: Zeroizing<String>,
        validate: bool,
        salt: [u8; SALT],
    ) -> Result<String, PasswordError> {
        judge_length(&password)?;
        let cost = self.cost;
        self.at_work(client, false, move || {
            judge(&password, validate)?;
            Ok(argon2id(&password, salt, cost)?)
        })
        .await
    }

    /// Does expensive work in its turn and off the request threads.
    async fn at_work<T: Send + 'static, E: From<Fault> + Send + 'static>(
        &self,
        client: Option<ClientId>,
        is_long: bool,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let _turn = self.queue.turn(client, is_long).await?;
        tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?
    }

    /// The Argon2id hash of `password` in PHC form. Refuses with [`Fault::Busy`] when too many wait.
    pub(crate) async fn hash(
        &self,
        client: Option<ClientId>,
        password: Zeroizing<String>,
        salt: [u8; SALT],
    ) -> Result<String, Fault> {
        let cost = self.cost;
        self.at_work(client, false, move || argon2id(&password, salt, cost)).await
    }
}

fn argon2id(password: &str, salt: [u8; SALT], cost: PasswordCost) -> Result<String, Fault> {
    let params = Params::new(cost.memory(), 1, 1, None).map_err(|e| Fault::internal(e.to_string()))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = [0; 32];
    let password = Zeroizing::new(domain::model::name::secret_spelling(password));
    argon.hash_password_into(password.as_bytes(), &salt, &mut hash).map_err(|e| Fault::internal(e.to_string()))?;
    let b64 = |bytes: &[u8]| data_encoding::BASE64_NOPAD.encode(bytes);
    Ok(format!("{}{}${}", cost.prefix(), b64(&salt), b64(&hash)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::foreign_password::SaltOrder;

    #[test]
    fn short_long_and_common_passwords_are_refused() {
        assert!(judge("seven77", false).is_err());
        assert!(judge(&"x".repeat(129), false).is_err());
        assert!(judge("password1", true).is_err());
        assert!(judge("password1", false).is_ok());
        assert!(judge("correct staple horse", true).is_ok());
    }

    #[tokio::test]
    async fn a_long_password_holds_up_nobody() {
        let hasher = PasswordHasher::default();
        let word = |text: String| Zeroizing::new(text);
        // All turns are taken: what is judged now is judged on the thread that asks.
        let turns = (hasher.queue.turn(None, false).await.unwrap(), hasher.queue.turn(None, false).await.unwrap());
        let mut common = std::pin::pin!(hasher.hash_new(None, word("password1".to_owned()), true, [7; SALT]));
        let mut polled = tokio::task::unconstrained(common.as_mut());
        let waits =
            std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut polled).poll(cx).is_pending()));
        assert!(waits.await, "it was judged before its turn");
        assert!(matches!(
            hasher.hash_new(None, word("x".repeat(129)), true, [7; SALT]).await,
            Err(PasswordError::Refused(_))
        ));
        drop(turns);
        assert!(matches!(common.await, Err(PasswordError::Refused(PasswordFault::TooCommon))));
        assert!(hasher.hash_new(None, word("correct staple horse".to_owned()), true, [7; SALT]).await.is_ok());
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_no_other() {
        let hasher = PasswordHasher::default();
        let word = |text: &str| Zeroizing::new(text.to_owned());
        let hash = hasher.hash(None, word("open sesame"), [7; SALT]).await.unwrap();
        assert!(!is_old(&hash, PasswordCost::Full));
        assert!(hasher.matches(None, word("open sesame"), Some(hash.clone())).await.unwrap().0);
        assert!(!hasher.matches(None, word("open sesam"), Some(hash)).await.unwrap().0);
        assert!(!hasher.matches(None, word("open sesame"), None).await.unwrap().0);
    }

    #[tokio::test]
    async fn a_password_is_right_whatever_keyboard_types_it() {
        let hasher = PasswordHasher::default();
        let word = |text: &str| Zeroizing::new(text.to_owned());
        let (composed, apart) = ("grüße dich", "gru\u{308}ße\u{a0}dich");
        for set in [composed, apart] {
            let hash = hasher.hash(None, word(set), [7; SALT]).await.unwrap();
            for typed in [composed, apart] {
                assert!(hasher.matches(None, word(typed), Some(hash.clone())).await.unwrap().0, "{set:?} {typed:?}");
            }
            assert!(!hasher.matches(None, word("Grüße dich"), Some(hash)).await.unwrap().0);
        }
        // bcrypt of the letters taken apart, as another system hashed what it was sent.
        let theirs = bcrypt::hash_with_salt("gru\u{308}ße", 4, [3; SALT]).unwrap().to_string();
        let stored = hasher.hash_foreign(None, ForeignPassword::Bcrypt(word(&theirs)), [7; SALT]).await.unwrap();
        for typed in ["grüße", "gru\u{308}ße"] {
            assert!(hasher.matches(None, word(typed), Some(stored.clone())).await.unwrap().0, "{typed:?}");
        }
    }

    #[tokio::test]
    async fn a_digest_from_elsewhere_is_wrapped_and_known_by_its_password() {
        let hasher = PasswordHasher::default();
        let word = |text: &str| Zeroizing::new(text.to_owned());
        // `printf %s pepper'open sesame' | sha256sum`, and the other way round.
        for (order, digest) in [
            (SaltOrder::SaltFirst, "1a62cb3bb3ecfcd0e49236c037d100f64ec07a1a3c5964db8d0bfb8a31a221fa"),
            (SaltOrder::PasswordFirst, "cd7149b0388d05a35aff577050a917c55704d074d31f969fe268217b5a87f21c"),
        ] {
            let foreign = ForeignPassword::Salted { digest: word(digest), salt: "pepper".to_owned(), order };
            let stored = hasher.hash_foreign(None, foreign, [7; SALT]).await.unwrap();
            assert!(is_old(&stored, PasswordCost::Full));
            assert!(hasher.matches(None, word("open sesame"), Some(stored.clone())).await.unwrap().0, "{order:?}");
            assert!(!hasher.matches(None, word(digest), Some(stored)).await.unwrap().0, "the digest is no password");
        }
    }

    /// The hash is one of the test vectors of jBCrypt, which first published them.
    #[tokio::test]
    async fn a_bcrypt_hash_is_wrapped_and_known_by_its_password() {
        let hasher = PasswordHasher::default();
        let word = |text: &str| Zeroizing::new(text.to_owned());
        for version in ["2a", "2b", "2y"] {
            let theirs = format!("${version}$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i");
            let stored = hasher.hash_foreign(None, ForeignPassword::Bcrypt(word(&theirs)), [7; SALT]).await.unwrap();
            assert!(is_old(&stored, PasswordCost::Full) && !stored.contains("0YHzrHM6tf"), "{stored}");
            assert!(hasher.matches(None, word("abc"), Some(stored.clone())).await.unwrap().0);
            assert!(!hasher.matches(None, word("abd"), Some(stored.clone())).await.unwrap().0);
            assert!(!hasher.matches(None, word(&theirs), Some(stored)).await.unwrap().0, "the hash is no password");
        }
    }

    #[tokio::test]
    async fn what_no_system_kept_is_refused() {
        let word = |text: &str| Zeroizing::new(text.to_owned());
        let salted = |digest: &str, salt: &str| ForeignPassword::Salted {
            digest: word(digest),
            salt: salt.to_owned(),
            order: SaltOrder::SaltFirst,
        };
        for foreign in [
            salted("ab12", ""),
            salted(&"AB".repeat(32), ""),
            salted(&"ab".repeat(32), &"x".repeat(41)),
            ForeignPassword::Bcrypt(word("open sesame")),
            ForeignPassword::Bcrypt(word("$2x$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i")),
            ForeignPassword::Bcrypt(word("$2b$31$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i")),
        ] {
            let refused = PasswordHasher::default().hash_foreign(None, foreign, [7; SALT]).await;
            assert!(matches!(refused, Err(PasswordError::Refused(_))));
        }
    }

    #[tokio::test]
    async fn a_hash_is_in_phc_form_and_any_verifier_accepts_it() {
        use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
        let hash =
            PasswordHasher::default().hash(None, Zeroizing::new("open sesame".to_owned()), [7; SALT]).await.unwrap();
        let parsed = PasswordHash::new(&hash).unwrap();
        assert!(Argon2::default().verify_password(b"open sesame", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"open sesam", &parsed).is_err());
    }

    /// SEC 31: whatever is compared, a refusal takes as long as the longest comparison there may be.
    #[tokio::test]
    async fn each_kind_waits_for_the_longest() {
        let hasher = PasswordHasher::default();
        for (kind, took) in [
            (Comparison::Own, 70),
            (Comparison::Own, 90),
            (Comparison::Bcrypt(14), 1_800),
            (Comparison::Bcrypt(11), 300),
        ] {
            hasher.note(kind, took);
        }
        let waits = [Comparison::Nothing, Comparison::Own, Comparison::Bcrypt(11), Comparison::Bcrypt(14)]
            .map(|kind| hasher.wait(kind));
        assert_eq!(waits, [1_800, 1_730, 1_500, 0]);
        let fresh = PasswordHasher::default();
        fresh.learn(4).await.unwrap();
        assert!(fresh.paces().contains_key(&Comparison::Bcrypt(4)));
        assert_eq!(fresh.wait(Comparison::Nothing), fresh.longest());
    }
}
