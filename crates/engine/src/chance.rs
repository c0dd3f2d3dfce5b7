//! The one home of randomness. Everything else is handed values already drawn.

use domain::model::code::Alphabet;
use domain::{SessionId, VerificationId};
use rand::TryRng;
use rand::rngs::SysRng;

/// Where random bytes come from.
pub trait Chance: Send + Sync {
    /// Fills `bytes` with unpredictable ones.
    fn fill(&self, bytes: &mut [u8]);

    /// The code that this number or address always gets, in digits. Only a dev world has such recipients (decision 4).
    fn code_for(&self, _recipient: &str) -> Option<&'static str> {
        None
    }
}

/// The operating system's generator.
#[derive(Debug, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::expect_used, reason = "without randomness no secret may be made; going on would be worse")]
        SysRng.try_fill_bytes(bytes).expect("the operating system's random generator works");
    }
}

impl dyn Chance + '_ {
    /// An array of random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// `N` random bytes as lower-case hex: a token.
    pub fn hex<const N: usize>(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.bytes::<N>())
    }

    /// A version 4 UUID.
    pub fn verification_id(&self) -> VerificationId {
        VerificationId(self.uuid())
    }

    /// A version 4 UUID.
    pub fn session_id(&self) -> SessionId {
        SessionId(self.uuid())
    }

    fn uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A positive 31-bit number as decimal digits, for clients that can pass only an integer.
    pub fn numeric_id(&self) -> String {
        (u32::from_be_bytes(self.bytes()) >> 1).max(1).to_string()
    }

    /// A code of `length` characters, each equally likely.
    pub fn code(&self, alphabet: Alphabet, length: usize) -> String {
        loop {
            if let Some(code) = alphabet.code(length, &self.bytes::<32>()) {
                return code;
            }
        }
    }
}
