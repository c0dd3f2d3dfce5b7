//! The values in force, by key, and where each comes from.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Value;

use crate::environment::text_of;
use crate::place::line_of;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Flag(&'static str),
    Variable(String),
    /// The configuration file at this path.
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag --{name}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(_) => f.write_str("file"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Every key's value and origin.
#[derive(Clone, Default)]
pub struct Values {
    pub(crate) by_key: HashMap<&'static str, (Option<Value>, Origin)>,
    /// Keys of the file that have a new name, as sentences.
    pub(crate) notes: Vec<String>,
}

/// Values may be secrets.
impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Values(…)")
    }
}

impl Values {
    /// The value of this key, if it has one, and its origin.
    pub fn of(&self, key: &str) -> (Option<&Value>, &Origin) {
        match self.by_key.get(key) {
            Some((value, origin)) => (value.as_ref(), origin),
            None => (None, &Origin::Default),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.of(key).0.and_then(Value::as_str).map(str::to_owned)
    }

    pub(crate) fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    pub(crate) fn yes(&self, key: &str) -> bool {
        self.of(key).0.and_then(Value::as_bool).unwrap_or_default()
    }

    /// A number. Its row bounds it.
    pub(crate) fn number<N: TryFrom<i64> + Default>(&self, key: &str) -> N {
        self.of(key).0.and_then(Value::as_integer).and_then(|number| N::try_from(number).ok()).unwrap_or_default()
    }

    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        let values = self.of(key).0.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Texts that the row has checked to parse.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, key: &str) -> Vec<T> {
        self.texts(key).iter().filter_map(|text| text.parse().ok()).collect()
    }

    pub(crate) fn paths(&self, key: &str) -> Vec<PathBuf> {
        self.texts(key).into_iter().map(PathBuf::from).collect()
    }

    pub(crate) fn address(&self, key: &str) -> Option<SocketAddr> {
        self.text(key).and_then(|text| text.parse().ok())
    }

    /// An error about the value of this key, which says where it comes from.
    pub(crate) fn wrong(&self, key: &str, why: impl fmt::Display) -> anyhow::Error {
        let place = match self.of(key).1 {
            Origin::File(path) => {
                let line = text_of(path).map_or_else(|_| String::new(), |text| line_of(&text, key));
                format!("{}{line}: {key}", path.display())
            }
            Origin::Variable(name) => format!("the variable {name}"),
            Origin::Flag(name) => format!("the flag --{name}"),
            Origin::Default => key.to_owned(),
        };
        anyhow::anyhow!("{place}: {why}")
    }

    /// Whether a flag or a variable sets this key.
    pub(crate) fn is_from_outside(&self, key: &str) -> bool {
        matches!(self.of(key).1, Origin::Flag(_) | Origin::Variable(_))
    }
}
