//! What one key of the configuration is: its name, type, meaning and default.

pub(crate) use toml::Value;

/// One key. Its section's file declares it, and nothing else does: flag, variable, `config show`, `config example` and the
/// reference page come from it.
#[derive(Debug)]
pub struct Row {
    /// The key in the file; tables are joined by dots.
    pub key: &'static str,
    pub kind: Kind,
    /// What it does, in one to three lines.
    pub about: &'static str,
    /// The value in force when none is given, if there is one. This is the only place of the default.
    pub default: Option<fn() -> Value>,
    /// A possible value, as TOML. Empty: the default is the example.
    pub example: &'static str,
    /// Whether every command takes the flag, not only servers.
    pub everywhere: bool,
    /// An earlier name of the key, which still works in the file.
    pub formerly: Option<&'static str>,
}

/// A row without a default, to begin others from.
pub(crate) const ROW: Row =
    Row { key: "", kind: Kind::Path, about: "", default: None, example: "", everywhere: false, formerly: None };

/// The default of lists.
pub(crate) fn empty() -> Value {
    Value::Array(Vec::new())
}

/// The default of switches that are off.
pub(crate) fn off() -> Value {
    Value::from(false)
}

/// The default of switches that are on.
pub(crate) fn on() -> Value {
    Value::from(true)
}

/// The largest number of most keys.
pub(crate) const MOST: i64 = u32::MAX as i64;

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text that the function accepts.
    Text(fn(&str) -> Result<(), String>),
    /// A name for people. An empty or invisible one is refused.
    Label,
    /// A text that is never shown. The variable with `_FILE` at its end may name a file that contains it.
    Secret,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number from the first to the second, both included.
    Number(i64, i64),
    /// One of these numbers.
    OneOf(&'static [i64]),
    YesNo,
    /// An address to listen on, with the port to use when none is written.
    Address(Option<u16>),
    /// A file or folder. In the configuration file it is relative to that file's folder.
    Path,
    Paths,
    /// Several texts, each accepted by the function.
    Texts(fn(&str) -> Result<(), String>),
}

impl Row {
    /// The value in force when none is given.
    pub fn default(&self) -> Option<Value> {
        self.default.map(|default| default())
    }

    /// The table of the key, and the key in that table.
    pub fn table(&self) -> (Option<&'static str>, &'static str) {
        self.key.rsplit_once('.').map_or((None, self.key), |(table, key)| (Some(table), key))
    }
}
