//! Compat profiles: which clients' expectations the answers meet where they contradict each other (contract 15).

use domain::ClientProfile;
use serde::{Deserialize, Serialize};

/// A compat profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum CompatProfile {
    /// What most clients take.
    #[default]
    Default,
    /// Integer `device_id` in 7.7, 200 in 4.7, an object in 4.4.
    Python4,
    /// Verification ids of 31-bit digits.
    NumericIds,
    /// Arrays of one where the documentation's samples show them.
    DocsLiteral,
}

impl CompatProfile {
    /// Every profile there is.
    pub const ALL: [Self; 4] = [Self::Default, Self::Python4, Self::NumericIds, Self::DocsLiteral];

    /// The name used in configuration and on the command line. It is stored with the client.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Python4 => "python4",
            Self::NumericIds => "numeric_ids",
            Self::DocsLiteral => "docs_literal",
        }
    }

    /// The profile with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The same, for a person who has typed the name: the error lists the profiles.
    pub fn parse(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::from_name(name).ok_or_else(|| format!("the profiles are {}", known()))
    }

    /// The profile of a client. One that this version does not know is answered as most clients are.
    pub(crate) fn of(profile: &ClientProfile) -> Self {
        Self::from_name(profile.name()).unwrap_or_default()
    }
}

impl From<CompatProfile> for ClientProfile {
    fn from(profile: CompatProfile) -> Self {
        Self::named(profile.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_keeps_the_name_of_its_profile() {
        for profile in CompatProfile::ALL {
            assert_eq!(CompatProfile::of(&profile.into()), profile);
        }
        assert_eq!(ClientProfile::from(CompatProfile::default()), ClientProfile::default());
        assert_eq!(CompatProfile::of(&ClientProfile::named("later")), CompatProfile::Default);
    }
}
