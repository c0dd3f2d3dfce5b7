//! The statements that only SQLite runs.

use crate::conditions::Words;
use crate::schema::columns;
use crate::schema::text::joined;

/// A budget, nothing where there is none, and what time the machine has.
pub(super) const BUDGET: &str = joined!(
    "SELECT ",
    columns::BUDGET.names,
    ", CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT 1) LEFT JOIN budget ON budget.kind = $1 \
        AND budget.subject = $2"
);
/// The names that the first users' custom attributes have.
pub(super) const ATTRIBUTE_NAMES: &str = "SELECT DISTINCT a.key FROM (SELECT profile FROM \"user\" ORDER BY id LIMIT $1) u, \
    json_each(u.profile, '$.custom_attributes') a";
/// Bytes of the database.
pub(super) const PAGES: &str = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";

/// What only SQLite says so.
pub(crate) const WORDS: Words = Words {
    has_attribute: "EXISTS (SELECT 1 FROM json_each(profile, '$.custom_attributes') WHERE key = ? AND ",
    matches: "GLOB ?",
    pattern: |text| text.replace('[', "[[]").replace('?', "[?]"),
};
