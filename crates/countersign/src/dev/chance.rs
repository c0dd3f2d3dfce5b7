//! The randomness of a dev world, which may be drawn from a number, so that two runs answer the same requests with the same
//! bytes. It is known to this folder alone: `serve` is built with [`engine::chance::SystemChance`].

use std::sync::{Arc, Mutex, PoisonError};

use domain::Digest;
use engine::Chance;

use super::recipients::Rule;

/// The code of [`Rule::KnownCode`].
const KNOWN_CODE: &str = "123456";

/// The usual randomness, or numbers that each start draws again. Recipients by rule may have a code that is known.
pub(super) struct DevChance {
    usual: Arc<dyn Chance>,
    source: Mutex<Source>,
}

/// Where bytes come from.
#[derive(Default)]
enum Source {
    #[default]
    Usual,
    /// One sequence, while the world is made.
    Making { seed: u64, drawn: u64 },
    /// One sequence for requests, which come one after another, and one for the work beside them, which comes at any time.
    Running { seed: u64, requests: u64, work: u64 },
}

impl DevChance {
    /// Draws from the usual randomness.
    pub(super) fn new(usual: Arc<dyn Chance>) -> Self {
        Self { usual, source: Mutex::default() }
    }

    /// From now on, draws from this number, or from the usual randomness if there is none.
    pub(super) fn repeat(&self, seed: Option<u64>) {
        self.set(seed.map_or(Source::Usual, |seed| Source::Making { seed, drawn: 0 }));
    }

    /// The same for a world that answers requests.
    pub(super) fn run_from(&self, seed: Option<u64>) {
        self.set(seed.map_or(Source::Usual, |seed| Source::Running { seed, requests: 0, work: 0 }));
    }

    fn set(&self, source: Source) {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = source;
    }
}

impl Chance for DevChance {
    fn fill(&self, bytes: &mut [u8]) {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, drawn) = match &mut *source {
            Source::Usual => {
                drop(source);
                return self.usual.fill(bytes);
            }
            Source::Making { seed, drawn } => (format!("{seed}"), drawn),
            Source::Running { seed, requests, .. } if web::request_id::current().is_some() => {
                (format!("{seed} request"), requests)
            }
            Source::Running { seed, work, .. } => (format!("{seed} work"), work),
        };
        for part in bytes.chunks_mut(32) {
            let block = Digest::of(format!("countersign dev world {name} {drawn}").as_bytes());
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
            assert_eq!(DevChance::new(usual.clone()).code_for(known), Some("123456"));
        }
        assert_eq!(DevChance::new(usual).code_for("+14155550101"), None);
    }

    #[test]
    fn a_number_gives_the_same_bytes_each_time_and_none_twice() {
        let drawn = |set: fn(&DevChance, Option<u64>), seed| {
            let chance = DevChance::new(Arc::new(SystemChance));
            set(&chance, seed);
            let mut bytes = [[0; 40]; 3];
            for bytes in &mut bytes {
                chance.fill(bytes);
            }
            bytes
        };
        for set in [DevChance::repeat, DevChance::run_from] {
            let bytes = drawn(set, Some(7));
            assert_eq!(bytes, drawn(set, Some(7)));
            assert_ne!(bytes, drawn(set, Some(8)));
            assert_ne!(drawn(set, None), drawn(set, None));
            assert!(bytes[0] != bytes[1] && bytes[1] != bytes[2]);
        }
        assert_ne!(drawn(DevChance::repeat, Some(7)), drawn(DevChance::run_from, Some(7)));
    }
}
