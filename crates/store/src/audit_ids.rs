//! Blocks of ids for audit entries: with PostgreSQL, each lane of each node gives out ids of a block that is reserved for
//! it. `follow.rs` says what readers of the trail rely on.

use domain::model::time::HOUR;

/// Ids of a lane's block.
pub(crate) const BLOCK: i64 = 16_384;
/// How few ids left make a lane leave its block: never fewer than one transaction may need.
pub(crate) const LOW: i64 = 4_096;
/// How long a lane stays in a block, in milliseconds.
pub(crate) const LIFE: i64 = HOUR;
