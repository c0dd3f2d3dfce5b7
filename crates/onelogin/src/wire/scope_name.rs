//! The names of scopes, as OneLogin gives them to credentials (contract 1.5).

use domain::Scope;

/// A scope as people name it.
pub trait ScopeName: Sized {
    /// The exact name.
    fn name(self) -> &'static str;

    /// The scope with this name, in any case.
    fn from_name(name: &str) -> Option<Self>;

    /// The same, for a person who has typed the name: the error lists the scopes.
    fn parse(name: &str) -> Result<Self, String>;
}

impl ScopeName for Scope {
    fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "Authentication Only",
            Self::ReadUsers => "Read Users",
            Self::ManageUsers => "Manage users",
            Self::ReadAll => "Read All",
            Self::ManageAll => "Manage All",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name().eq_ignore_ascii_case(name))
    }

    fn parse(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(|scope| format!("{:?}", scope.name())).join(", ");
        Self::from_name(name).ok_or_else(|| format!("the scopes are {}", known()))
    }
}
