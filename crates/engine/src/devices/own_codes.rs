//! The codes that a user's devices show, for dev worlds: a tester has no authenticator app that follows the world's clock.
//! `serve` never calls this.

use domain::model::hotp;
use domain::{Credential, Device, UserId};

use crate::{Engine, Fault};

/// A device that makes codes of a secret, and what it shows.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnCode {
    pub device: Device,
    pub code: String,
    /// Whether this code was accepted already, so that it is refused now.
    pub is_used: bool,
    /// The code after it.
    pub next_code: String,
    /// Seconds that a code is shown; nothing where codes are counted.
    pub period: Option<u32>,
    /// Whole seconds until the next code, at least 1.
    pub seconds_left: Option<i64>,
}

/// Codes are secret.
impl std::fmt::Debug for OwnCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnCode({}, …)", self.device.id)
    }
}

impl Engine {
    /// What the devices of a user show that make codes of a secret, in the order in which they were enrolled.
    pub async fn own_codes(&self, user: UserId) -> Result<Vec<OwnCode>, Fault> {
        let (view, now) = (self.store.view(user).await?, self.now());
        let mut codes = Vec::new();
        for device in view.devices.iter().filter(|device| device.factor.makes_codes()) {
            let last = device.last_counter;
            let shown = match self.open_credential(device)? {
                Credential::Totp(totp) => {
                    let step = totp.step(now);
                    let period = i64::from(totp.period.max(1));
                    OwnCode {
                        device: device.clone(),
                        code: totp.code(now),
                        is_used: last >= step,
                        next_code: totp.code(now.plus(period * 1_000)),
                        period: Some(totp.period),
                        seconds_left: Some(period - now.unix_seconds().rem_euclid(period)),
                    }
                }
                Credential::Hotp(token) => {
                    let code = |ahead: i64| {
                        let counter = last.saturating_add(ahead).cast_unsigned();
                        hotp::code(&token.secret, hotp::Algorithm::Sha1, counter, token.digits)
                    };
                    OwnCode {
                        device: device.clone(),
                        code: code(1),
                        is_used: false,
                        next_code: code(2),
                        period: None,
                        seconds_left: None,
                    }
                }
                Credential::Sms { .. }
                | Credential::Voice { .. }
                | Credential::Email { .. }
                | Credential::Push { .. } => continue,
            };
            codes.push(shown);
        }
        Ok(codes)
    }
}
