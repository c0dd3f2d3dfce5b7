//! Under which kinds the calls of each hour are numbered, beside the ids in `sequence`.

use domain::Timestamp;
use domain::model::time::HOUR;

use crate::value::Value;

/// Hours that are kept apart before their rows' kinds come round again: more than three years.
const HOURS: i64 = 30_000;

/// The kind of an hour's calls: below those of ids and audit entries.
pub(crate) fn kind(hour: i64) -> i64 {
    -1 - hour.rem_euclid(HOURS)
}

/// The kinds that the clean-up keeps: this hour's, and the one before for nodes whose clocks are behind.
pub(crate) fn kept(now: Timestamp) -> [Value; 2] {
    let hour = now.0.div_euclid(HOUR);
    [kind(hour).into(), kind(hour - 1).into()]
}
