//! Fixed values instead of random ones, so that tests of an integration find the same dev world at each start.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Digest;
use domain::model::long_poll::LongPoll;
use engine::Chance;

use super::recipients::Rule;

/// The code of [`Rule::KnownCode`].
const KNOWN_CODE: &str = "123456";

/// The fixed values of a world.
#[derive(Debug, Clone, Default)]
pub struct Pinned {
    /// Number from which credentials and passwords are derived.
    pub seed: Option<u64>,
    /// How polls of the world's clients are held.
    pub hold: LongPoll,
    /// Id and secret of the client with the scope `Manage All`.
    pub client: Option<(String, String)>,
}

/// The usual randomness, except while the world is seeded from a number: then each start draws the same. Recipients by rule
/// may have a code that is known.
pub(super) struct PlantingChance {
    usual: Arc<dyn Chance>,
    /// The number, and how many blocks were drawn from it.
    repeating: Mutex<Option<(u64, u64)>>,
}

impl PlantingChance {
    /// Draws from the usual randomness.
    pub(super) fn new(usual: Arc<dyn Chance>) -> Self {
        Self { usual, repeating: Mutex::default() }
    }

    /// From now on, draws from this number, or from the usual randomness if there is none.
    pub(super) fn repeat(&self, seed: Option<u64>) {
        *self.repeating.lock().unwrap_or_else(PoisonError::into_inner) = seed.map(|seed| (seed, 0));
    }
}

impl Chance for PlantingChance {
    fn fill(&self, bytes: &mut [u8]) {
        let mut repeating = self.repeating.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((seed, drawn)) = repeating.as_mut() else {
            drop(repeating);
            return self.usual.fill(bytes);
        };
        for part in bytes.chunks_mut(32) {
            let block = Digest::of(format!("countersign dev world {seed} {drawn}").as_bytes());
            part.copy_from_slice(&block.0[..part.len()]);
            *drawn += 1;
        }
    }

    fn code_for(&self, recipient: &str) -> Option<&'static str> {
        (Rule::of(recipient) == Some(Rule::KnownCode)).then_some(KNOWN_CODE)
    }
}

#[cfg(test)]
mod tests {
    use engine::chance::SystemChance;

    use super::*;

    #[test]
    fn only_a_dev_world_knows_a_code_beforehand() {
        let usual: Arc<dyn Chance> = Arc::new(SystemChance);
        for known in ["+12025550191", "ana+known-code@example.com"] {
            assert_eq!(usual.code_for(known), None);
            assert_eq!(PlantingChance::new(usual.clone()).code_for(known), Some("123456"));
        }
        assert_eq!(PlantingChance::new(usual).code_for("+14155550101"), None);
    }
}
