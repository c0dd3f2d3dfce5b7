//! What every section of the configuration offers.

use toml::Value;

use crate::row::Row;
use crate::values::Values;

/// A section: its keys, and how their values become a typed struct. Each file of `sections/` holds one.
pub(crate) trait Section: Sized {
    /// The heading of its flags in `--help`; none for flags of general use.
    const HEADING: Option<&'static str> = None;
    const ROWS: &'static [Row];

    /// The section of these values.
    fn read(values: &Values) -> anyhow::Result<Self>;

    /// Sets what the section decides about the OneLogin dialect.
    fn set_dialect(&self, _options: &mut onelogin::DialectOptions) {}

    /// What `config show` prints instead of the raw value of this key.
    fn shown(&self, _key: &str) -> Option<Value> {
        None
    }
}
