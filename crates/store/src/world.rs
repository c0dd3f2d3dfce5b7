//! Which world a database belongs to. A dev world shows every code to anybody and has credentials in clear; an
//! installation that is served must never become one. A mark in `meta` says which it is, and only one can be set.

use crate::error::Error;
use crate::schema::migrations::Migration;

/// The key of the mark in `meta`.
pub(crate) const MARK: &str = "world";
/// The key in `meta` of the value that shows whether the master key is the right one. A database without it
/// is no installation yet.
pub const KEY_CHECK: &str = "key_check";

/// What kind of installation a database belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Of `countersign dev`.
    Dev,
    /// Of `countersign serve`.
    Serve,
}

impl World {
    /// What the mark says.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Serve => "serve",
        }
    }

    pub(crate) fn read(mark: &[u8]) -> Result<Self, Error> {
        [Self::Dev, Self::Serve]
            .into_iter()
            .find(|world| world.name().as_bytes() == mark)
            .ok_or(Error::Corrupt("the mark of the world"))
    }
}

/// What is known of a database's world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is marked.
    Marked(World),
    /// It was made before there were marks, and looks like this.
    Unmarked(World),
    /// It holds no installation yet.
    Nothing,
}

impl Known {
    /// Judges what was found: the mark, traces of a dev world, and whether keys were ever checked against this database.
    pub(crate) fn judge(mark: Option<&[u8]>, dev: bool, sealed: bool) -> Result<Self, Error> {
        Ok(match (mark, dev, sealed) {
            (Some(mark), ..) => Self::Marked(World::read(mark)?),
            (None, true, _) => Self::Unmarked(World::Dev),
            (None, false, true) => Self::Unmarked(World::Serve),
            (None, false, false) => Self::Nothing,
        })
    }

    /// The world, if there is one.
    pub fn world(self) -> Option<World> {
        match self {
            Self::Marked(world) | Self::Unmarked(world) => Some(world),
            Self::Nothing => None,
        }
    }
}

/// What was found at a place.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What is known of its world.
    pub known: Known,
    /// The value that shows whether a master key is the right one, if keys were ever checked against this database.
    pub key_check: Option<Vec<u8>>,
    /// The migrations that opening it would run, oldest first.
    pub pending: Vec<Migration>,
}

impl Looked {
    /// Whether there is an installation: keys were checked against this database. A database without is empty, or left
    /// half made.
    pub fn is_sealed(&self) -> bool {
        self.key_check.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_more_than_traces_and_traces_more_than_keys() {
        let judge = |mark: Option<&str>, dev, sealed| Known::judge(mark.map(str::as_bytes), dev, sealed);
        assert_eq!(judge(Some("serve"), true, true), Ok(Known::Marked(World::Serve)));
        assert_eq!(judge(Some("dev"), false, true), Ok(Known::Marked(World::Dev)));
        assert_eq!(judge(None, true, true), Ok(Known::Unmarked(World::Dev)));
        assert_eq!(judge(None, true, false), Ok(Known::Unmarked(World::Dev)));
        assert_eq!(judge(None, false, true), Ok(Known::Unmarked(World::Serve)));
        assert_eq!(judge(None, false, false), Ok(Known::Nothing));
        assert!(judge(Some("prod"), false, true).is_err(), "what cannot be read opens nothing");
    }
}
