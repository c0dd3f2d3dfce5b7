//! Gathers values: flags beat the environment, the environment beats the file, the file beats the defaults.
//!
//! An unknown key in the file stops the start. An unknown `COUNTERSIGN_*` variable only causes a warning, since
//! orchestrators set variables under the name of a service.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use toml::Value;

use crate::environment::{text_of, variable, warn_if_exposed};
use crate::place::line_of;
use crate::row::Kind;
use crate::suggest::nearest;
use crate::table::{ELSEWHERE, FUTURE, SETTINGS, Setting};
use crate::value;
use crate::values::{Origin, Values};

/// What flags set.
#[derive(Clone, Default)]
pub struct FlagValues {
    /// The file of `--config`.
    pub config: Option<PathBuf>,
    /// Keys, with the values in the order of the flags.
    pub(crate) flags: Vec<(&'static str, Vec<String>)>,
}

/// The address of a database may hold a password.
impl std::fmt::Debug for FlagValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FlagValues(…)")
    }
}

impl FlagValues {
    /// Also sets this key.
    ///
    /// # Panics
    ///
    /// If the key is unknown.
    #[must_use]
    pub fn with(mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        #[expect(clippy::expect_used, reason = "the flags are made from the table")]
        let setting = Setting::of(key).expect("a setting");
        self.flags.push((setting.row.key, values.into_iter().map(Into::into).collect()));
        self
    }

    /// Also sets what `other` sets.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.config = self.config.or_else(|| other.config.clone());
        self.flags.extend(other.flags.iter().cloned());
        self
    }

    /// The configuration file that a flag or a variable names, as an absolute path.
    pub fn config_file(&self) -> anyhow::Result<Option<PathBuf>> {
        let named = self.config_file_with(&variable)?;
        Ok(named.map(|file| std::path::absolute(&file).unwrap_or(file)))
    }

    fn config_file_with(&self, environment: Environment<'_>) -> anyhow::Result<Option<PathBuf>> {
        match &self.config {
            Some(path) => Ok(Some(path.clone())),
            None => Ok(environment("COUNTERSIGN_CONFIG")?.map(PathBuf::from)),
        }
    }

    /// The ready file that flags and variables name. It is removed before anything else, so that one of an earlier run does
    /// not outlive a start that fails. One that only the file names is removed when the file has been read.
    pub fn ready_file(&self) -> Option<PathBuf> {
        let flagged = self.flags.iter().rev().find(|(key, _)| *key == "ready_file");
        let flag = flagged.and_then(|(_, values)| values.last().cloned());
        flag.or_else(|| variable("COUNTERSIGN_READY_FILE").ok().flatten()).map(PathBuf::from)
    }
}

/// Looks a variable up.
type Environment<'a> = &'a dyn Fn(&str) -> anyhow::Result<Option<String>>;

impl Values {
    /// The values of flags, variables, the file and the defaults.
    pub fn gather(flags: &FlagValues) -> anyhow::Result<Self> {
        Self::gather_with(flags, &variable)
    }

    pub(crate) fn gather_with(flags: &FlagValues, environment: Environment<'_>) -> anyhow::Result<Self> {
        let path = flags.config_file_with(environment)?;
        let (in_file, notes) = match &path {
            Some(path) => read(path)?,
            None => Default::default(),
        };
        let values = SETTINGS.iter().map(|setting| Ok((setting.row.key, one(setting, flags, environment, &in_file)?)));
        Ok(Self { by_key: values.collect::<anyhow::Result<_>>()?, notes })
    }
}

/// The whole numbers that a file in the form of a configuration sets below a table. It may set nothing else, and neither flags nor
/// variables count.
pub fn numbers_of(file: &Path, table: &str) -> anyhow::Result<Vec<(&'static str, i64)>> {
    let flags = FlagValues { config: Some(file.to_owned()), ..FlagValues::default() };
    let values = Values::gather_with(&flags, &|_| Ok(None))?;
    let mut numbers = Vec::new();
    for setting in SETTINGS.iter() {
        let key = setting.row.key;
        let (Some(value), Origin::File(_)) = values.of(key) else { continue };
        match value.as_integer() {
            Some(number) if key.split_once('.').is_some_and(|(of, _)| of == table) => numbers.push((key, number)),
            _ => bail!("{}: {key} is no number of [{table}]; remove it", file.display()),
        }
    }
    Ok(numbers)
}

type InFile = Vec<(&'static Setting, Value, PathBuf)>;

/// The value of a setting. An error names the flag, variable or file.
fn one(
    setting: &'static Setting,
    flags: &FlagValues,
    environment: Environment<'_>,
    in_file: &InFile,
) -> anyhow::Result<(Option<Value>, Origin)> {
    let mut flagged: Option<Value> = None;
    for text in flags.flags.iter().filter(|(key, _)| *key == setting.row.key).flat_map(|(_, values)| values) {
        let read = value::read(setting.row.kind, text);
        let read = read.map_err(|why| anyhow::anyhow!("the flag --{}: {why}", &setting.flag))?;
        flagged = match (flagged, read) {
            (Some(Value::Array(mut parts)), Some(Value::Array(more))) => {
                parts.extend(more);
                Some(Value::Array(parts))
            }
            (before, read) => read.or(before),
        };
    }
    if flagged.is_some() {
        return Ok((flagged, Origin::Flag(&setting.flag)));
    }
    let name = &setting.variable;
    let (name, text) = match environment(name)? {
        None if matches!(setting.row.kind, Kind::Secret) => {
            let name = format!("{name}_FILE");
            let path = environment(&name)?.map(PathBuf::from);
            let text = path.as_deref().map(text_of).transpose().with_context(|| format!("the variable {name}"))?;
            path.as_deref().map(warn_if_exposed).transpose()?;
            (name, text)
        }
        text => (name.to_owned(), text),
    };
    if let Some(text) = text {
        let read = value::read(setting.row.kind, &text).map_err(|why| anyhow::anyhow!("the variable {name}: {why}"))?;
        if read.is_some() {
            return Ok((read, Origin::Variable(name)));
        }
    }
    let filed = in_file.iter().find(|(known, ..)| known.row.key == setting.row.key);
    Ok(match filed {
        Some((_, value, path)) => (Some(value.clone()), Origin::File(path.clone())),
        None => (setting.row.default(), Origin::Default),
    })
}

/// What a file sets, and a sentence for each earlier name in it.
fn read(path: &Path) -> anyhow::Result<(InFile, Vec<String>)> {
    let text = text_of(path)?;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let shown = whole.display();
    let table: toml::Table =
        toml::from_str(&text).map_err(|error| anyhow::anyhow!("{shown}, {}", no_toml(&text, &error)))?;
    let (mut found, mut notes) = (InFile::new(), Vec::new());
    let add = |found: &mut InFile, setting: &'static Setting, value: Value| {
        let key = setting.row.key;
        if found.iter().any(|(known, ..)| known.row.key == key) {
            let other = setting.row.formerly.map_or_else(|| format!("{key}_file"), str::to_owned);
            bail!("{shown}: {key} is set twice, once as {other}");
        }
        found.push((setting, value, whole.clone()));
        Ok(())
    };
    let mut take = |key: String, given: &Value| -> anyhow::Result<()> {
        if let Some(setting) = secret_of(&key) {
            let place = || format!("{shown}{}: {key}", line_of(&text, &key));
            let path = value::of_file(Kind::Path, given).map_err(|why| anyhow::anyhow!("{}: {why}", place()))?;
            let Some(path) = path.and_then(|path| beside(&whole, Kind::Path, path).as_str().map(PathBuf::from)) else {
                return Ok(());
            };
            let secret = text_of(&path).with_context(place)?.trim().to_owned();
            if secret.is_empty() {
                bail!("{}: {} is empty", place(), path.display());
            }
            warn_if_exposed(&path)?;
            return add(&mut found, setting, secret.into());
        }
        let Some(setting) = Setting::of(&key) else {
            bail!("{shown}{}: {}", line_of(&text, &key), unknown_key(&key));
        };
        if setting.row.formerly == Some(key.as_str()) {
            notes.push(format!("{key} in {shown} is called {} now; the old name goes on working", setting.row.key));
        }
        let read = value::of_file(setting.row.kind, given);
        let read = read.map_err(|why| anyhow::anyhow!("{shown}{}: {key}: {why}", line_of(&text, &key)))?;
        match read {
            Some(value) => add(&mut found, setting, beside(&whole, setting.row.kind, value)),
            None => Ok(()),
        }
    };
    for (key, value) in keys(table, "") {
        take(key, &value)?;
    }
    Ok((found, notes))
}

/// The secret that a key with `_file` at its end names a file for.
fn secret_of(key: &str) -> Option<&'static Setting> {
    let setting = Setting::of(key.strip_suffix("_file")?)?;
    matches!(setting.row.kind, Kind::Secret).then_some(setting)
}

/// The keys of a table and of the tables in it, joined by dots. A table that no key is in counts as an unknown key.
fn keys(table: toml::Table, before: &str) -> Vec<(String, Value)> {
    let of = |(name, value): (String, Value)| {
        let key = format!("{before}{name}");
        let inside = format!("{key}.");
        match value {
            Value::Table(inner) if SETTINGS.iter().any(|setting| setting.row.key.starts_with(&inside)) => {
                keys(inner, &inside)
            }
            value => vec![(key, value)],
        }
    };
    table.into_iter().flat_map(of).collect()
}

/// A relative path in the file is relative to the file's folder.
fn beside(file: &Path, kind: Kind, value: Value) -> Value {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let whole = |value: Value| match value {
        Value::String(name) => Value::String(folder.join(name).to_string_lossy().into_owned()),
        other => other,
    };
    match (kind, value) {
        (Kind::Path, value) => whole(value),
        (Kind::Paths, Value::Array(names)) => Value::Array(names.into_iter().map(whole).collect()),
        (_, value) => value,
    }
}

/// Where a text is not TOML. The text is not quoted, since it may contain a secret.
fn no_toml(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
    let message = error.message();
    let why = if message.contains("literal string") {
        "a text is missing its closing '".to_owned()
    } else if message.contains("basic string") {
        "a text is missing its closing \"".to_owned()
    } else if message.contains("duplicate key") {
        "this key is set twice".to_owned()
    } else if message.contains("key with no value") || message.contains("expected `=`") {
        "a key is missing its value; write KEY = VALUE".to_owned()
    } else if message.contains("string values must be quoted") {
        "a text belongs in quotes".to_owned()
    } else {
        format!("this is no TOML: {}", message.lines().next().unwrap_or_default())
    };
    format!("line {line}: {why}")
}

fn unknown_key(key: &str) -> String {
    let first = key.split('.').next().unwrap_or(key);
    if let Some((_, what)) = FUTURE.iter().find(|(name, _)| *name == first) {
        return format!("this version cannot {what} yet, so there is no key `{key}`");
    }
    if let Some((_, place)) = ELSEWHERE.iter().find(|(name, _)| *name == first) {
        return format!("unknown key `{key}`. Its settings are under [{place}]");
    }
    let (table, last) = key.rsplit_once('.').map_or((None, key), |(table, last)| (Some(table), last));
    let of_table = SETTINGS.iter().filter(|setting| setting.row.table().0 == table);
    let tables = SETTINGS.iter().filter_map(|setting| setting.row.table().0).filter(|_| table.is_none());
    match nearest(last, of_table.map(|setting| setting.row.table().1).chain(tables)) {
        Some(near) => format!("unknown key `{key}`. Did you mean `{near}`?"),
        None => format!("unknown key `{key}`; `countersign config example` shows all of them"),
    }
}
