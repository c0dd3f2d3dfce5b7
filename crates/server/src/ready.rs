//! The ready file: written once requests are answered, so that scripts need not guess.

use std::path::Path;

use serde_json::{Value, json};

use crate::folder::write_private;

/// What `serve` tells: where it listens, and no more.
pub fn served(base_url: &str) -> Value {
    json!({ "base_url": base_url })
}

/// Writes the file (0600), under another name first.
pub fn write(path: &Path, ready: &Value) -> anyhow::Result<()> {
    write_private(path, &format!("{ready}\n"))
}
