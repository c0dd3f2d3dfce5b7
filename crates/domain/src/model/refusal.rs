//! Why something was refused: what a caller may hear of it, and the rule that did it, which only the audit trail and the
//! log show.

use crate::model::time::Timestamp;

/// Why something was refused. On the wire most of these look alike; the audit trail tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No such user.
    NoUser,
    /// No such device of this user.
    NoDevice,
    /// Too many wrong answers, or an administrator's lock: nothing was evaluated.
    Locked {
        /// Which lock it is. Callers never hear it (SEC 26).
        by: Rule,
        /// Its end, where there is one.
        until: Option<Timestamp>,
    },
    /// The verification or state token is unknown, over, used, or another device's.
    NotOpen,
    /// The device must be triggered and its state token given.
    StateTokenMissing,
    /// A code is needed and none was given.
    CodeMissing,
    WrongCode,
    /// Right once, and already accepted.
    Replay,
    /// The person said no.
    Denied,
    /// This challenge is not answered by typing a code here.
    NotTyped,
}

impl Reason {
    /// The word in the audit trail.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoUser => "no_user",
            Self::NoDevice => "no_device",
            Self::Locked { .. } => "locked",
            Self::NotOpen => "not_open",
            Self::StateTokenMissing => "state_token_missing",
            Self::CodeMissing => "code_missing",
            Self::WrongCode => "wrong_code",
            Self::Replay => "replay",
            Self::Denied => "denied",
            Self::NotTyped => "not_typed",
        }
    }

    /// The rule behind it.
    pub fn rule(&self) -> Rule {
        match self {
            Self::NoUser => Rule::UserUnknown,
            Self::NoDevice => Rule::DeviceUnknown,
            Self::Locked { by, .. } => *by,
            Self::NotOpen | Self::StateTokenMissing => Rule::NotOpen,
            Self::CodeMissing | Self::NotTyped => Rule::NotTyped,
            Self::WrongCode => Rule::WrongCode,
            Self::Replay => Rule::Replay,
            Self::Denied => Rule::Denied,
        }
    }
}

/// The rules that refuse. The names are stored; they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    UserUnknown,
    /// Suspended, or locked by an administrator.
    UserBarred,
    UserInactive,
    UserNotApproved,
    DeviceUnknown,
    /// By too many wrong answers, or by an operator (SEC 22).
    DeviceDisabled,
    /// Wrong answers with all devices of a user (SEC 23).
    UserThrottle,
    /// Wrong answers with one device (SEC 21).
    DeviceThrottle,
    /// Wrong temporary tokens (SEC 24).
    TempTokenThrottle,
    /// Wrong passwords (SEC 31).
    PasswordThrottle,
    WrongPassword,
    /// The log-in needs a second factor, and none can be shown (SEC 92).
    NoFactor,
    NotOpen,
    NotTyped,
    WrongCode,
    /// Accepted once already (SEC 1).
    Replay,
    Denied,
    WrongSecret,
    /// The client is over or revoked, or calls from elsewhere than it may (SEC 42).
    ClientBarred,
}

impl Rule {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserUnknown => "user.unknown",
            Self::UserBarred => "user.barred",
            Self::UserInactive => "user.inactive",
            Self::UserNotApproved => "user.not_approved",
            Self::DeviceUnknown => "device.unknown",
            Self::DeviceDisabled => "device.disabled",
            Self::UserThrottle => "throttle.user",
            Self::DeviceThrottle => "throttle.device",
            Self::TempTokenThrottle => "throttle.temp_token",
            Self::PasswordThrottle => "throttle.password",
            Self::WrongPassword => "password.wrong",
            Self::NoFactor => "factor.none",
            Self::NotOpen => "answer.not_open",
            Self::NotTyped => "answer.not_typed",
            Self::WrongCode => "answer.wrong",
            Self::Replay => "answer.replay",
            Self::Denied => "answer.denied",
            Self::WrongSecret => "client.wrong_secret",
            Self::ClientBarred => "client.barred",
        }
    }
}
