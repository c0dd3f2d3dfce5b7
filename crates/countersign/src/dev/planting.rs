//! What is chosen of what a dev world would draw, so that tests of an integration find the same world at each start.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Digest;
use domain::model::long_poll::LongPoll;
use engine::Chance;

/// What is chosen for a world.
#[derive(Debug, Clone, Default)]
pub struct Pinned {
    /// Credentials and passwords are made from this number.
    pub seed: Option<u64>,
    /// How polls of the clients that are made are held.
    pub hold: LongPoll,
    /// The id and the secret of the client that may do everything.
    pub client: Option<(String, String)>,
}

/// The usual chance, except while the world is planted from a number: what is drawn then comes again at each start.
pub(super) struct PlantingChance {
    usual: Arc<dyn Chance>,
    /// The number, and how much was drawn from it.
    repeating: Mutex<Option<(u64, u64)>>,
}

impl PlantingChance {
    /// The usual chance.
    pub(super) fn new(usual: Arc<dyn Chance>) -> Self {
        Self { usual, repeating: Mutex::default() }
    }

    /// From now on, draws from this number; from the usual chance if there is none.
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
}
