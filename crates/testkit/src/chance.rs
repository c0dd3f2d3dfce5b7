//! Chance that repeats itself, so that whole exchanges can be compared with what was recorded.

use std::sync::atomic::{AtomicU64, Ordering};

use engine::Chance;
use sha2::{Digest as _, Sha256};

/// The same bytes in the same order in every run: SHA-256 of a counter.
#[derive(Debug, Default)]
pub struct SeededChance {
    drawn: AtomicU64,
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            let number = self.drawn.fetch_add(1, Ordering::SeqCst);
            let block = Sha256::digest(number.to_be_bytes());
            part.copy_from_slice(&block[..part.len()]);
        }
    }
}
