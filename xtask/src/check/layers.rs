//! Who may depend on whom. Cargo refuses circles; these laws refuse the shortcuts that are not circles: a rule that
//! reads a clock, a dialect that asks another dialect, a library that knows the binary.

use super::complaints::Complaints;
use crate::metadata::{Metadata, Package};

/// Each crate with the crates of this workspace that it may use. A new crate gets its line here, beside its paragraph
/// in ARCHITECTURE.md; dialects (`onelogin` and its coming sisters) never name one another.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("store", &["domain"]),
    ("egress", &[]),
    ("delivery", &["domain", "store", "egress"]),
    ("words", &[]),
    ("engine", &["domain", "store", "delivery", "egress", "saml", "words"]),
    ("web", &[]),
    ("pages", &["web", "words"]),
    ("saml", &[]),
    ("onelogin", &["domain", "engine", "web"]),
    ("config", &["domain", "store", "delivery", "engine", "web", "onelogin", "words"]),
    ("selftest", &["domain", "engine", "config"]),
    (
        "countersign",
        &["domain", "store", "delivery", "engine", "web", "onelogin", "config", "selftest", "words", "pages"],
    ),
    ("testkit", &["domain", "store", "delivery", "engine", "web", "onelogin", "config", "countersign", "pushtest"]),
    ("pgtest", &[]),
    ("pushtest", &[]),
    ("xtask", &[]),
    ("bench", &["pgtest", "xtask"]),
];

/// For tests only: the tests of every crate may use these, and nothing else may.
const TEST_SUPPORT: &[&str] = &["testkit", "pgtest", "pushtest"];

/// What would give `domain` a runtime, a database, a network, a clock or dice, however indirectly. `getrandom` is missing
/// because the cryptographic crates bring it for callers who want it; `clippy.toml` forbids it here.
const IMPURE: &[&str] = &[
    "async-channel",
    "async-io",
    "async-std",
    "async-trait",
    "axum",
    "chrono",
    "fastrand",
    "futures",
    "futures-core",
    "futures-util",
    "http",
    "http-body",
    "hyper",
    "hyper-util",
    "jiff",
    "libsqlite3-sys",
    "mio",
    "postgres",
    "rand",
    "reqwest",
    "rusqlite",
    "smol",
    "socket2",
    "sqlx",
    "time",
    "tokio",
    "tokio-postgres",
    "tower",
    "tracing",
];

/// `domain` has no async, database, HTTP, clock or randomness among all that it needs to run.
pub(super) fn domain_is_pure(tree: &Metadata) -> Complaints {
    let Some(domain) = tree.members().find(|member| member.short_name() == "domain") else {
        return vec!["there is no crate named domain".to_owned()];
    };
    let needed = tree.needed_to_run(domain);
    let impure = IMPURE.iter().filter(|name| needed.contains(*name));
    impure
        .map(|name| {
            format!("domain needs {name}; see the path with: cargo tree -p countersign-domain -e normal -i {name}")
        })
        .collect()
}

/// Crates use only the crates of the workspace that [`LAYERS`] grants them. In its tests a crate may use itself, with a
/// feature that only tests have.
pub(super) fn downwards_only(tree: &Metadata) -> Complaints {
    tree.members().flat_map(|member| judge(member, tree)).collect()
}

fn judge(member: &Package, tree: &Metadata) -> Complaints {
    let own = member.short_name();
    let Some((_, granted)) = LAYERS.iter().find(|(name, _)| *name == own) else {
        return vec![format!("{own} has no line in xtask/src/check/layers.rs: say there what it may use")];
    };
    let inner = member.dependencies.iter().filter_map(|used| {
        let other = tree.members().find(|other| other.name == used.name)?;
        Some((other.short_name(), used.kind.as_deref() == Some("dev")))
    });
    inner
        .filter(|(used, in_test)| {
            let for_tests = TEST_SUPPORT.contains(used) || *used == own;
            !((*in_test && for_tests) || granted.contains(used))
        })
        .map(|(used, _)| format!("{own} must not use {used}"))
        .collect()
}
