//! The scope that each client's documentation asks for (`scopes.md`). Runs and replays use credentials of this scope.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};

use crate::replays::{FLOWS, Flow};

const TABLE: &str = include_str!("../scopes.md");
/// The flow of a row that covers all flows without a row.
const OTHERS: &str = "*";

/// A row of the table.
struct Row {
    client: &'static str,
    flow: &'static str,
    scope: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        match cells[..] {
            [client, flow, scope, _] if client != "client" && !client.starts_with('-') => {
                Some(Row { client, flow, scope })
            }
            _ => None,
        }
    })
}

/// The scope for the run of an unmodified client.
pub(crate) fn of_run(name: &str, version: &str) -> Result<&'static str> {
    let exact = format!("{name} {version}");
    let row = rows().find(|row| row.client == exact).or_else(|| rows().find(|row| row.client == name));
    row.map(|row| row.scope).with_context(|| format!("scopes.md names no scope for {exact}"))
}

/// The scope for codes that a client has sent: v1's and v2's flows have the same one.
pub(crate) fn of_messages(name: &str) -> Result<&'static str> {
    let of = |flow| rows().find(|row| row.client == name && row.flow == flow).map(|row| row.scope);
    let scope = of("mfa_v1").with_context(|| format!("scopes.md has no row for {name}, mfa_v1"))?;
    ensure!(of("mfa_v2") == Some(scope), "scopes.md has another scope for {name}, mfa_v2");
    Ok(scope)
}

/// The flows of an unmodified client with a separate scope: the prefix of their steps' names, and the scope.
pub(crate) fn of_flows(name: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = rows().filter(move |row| row.client == name && row.flow != OTHERS);
    rows.filter_map(|row| Some((known(row.flow)?.steps, row.scope)))
}

/// The scopes of an unmodified client, for the page.
pub(crate) fn of_column(name: &str, version: &str) -> String {
    let own = words(&format!("{name} {version}"));
    if own.is_empty() { words(name) } else { own }
}

/// The scopes of a client, for the page: the scope of most flows, then those of single flows.
pub(crate) fn words(client: &str) -> String {
    let mut words = String::new();
    let mut said: Vec<&str> = Vec::new();
    for row in rows().filter(|row| row.client == client) {
        if said.contains(&row.scope) {
            continue;
        }
        said.push(row.scope);
        if row.flow == OTHERS {
            words.push_str(row.scope);
            continue;
        }
        let flows = rows().filter(|other| other.client == client && other.scope == row.scope);
        let flows: Vec<&str> = flows.map(|other| title(other.flow)).collect();
        let _ = write!(words, "; {}: {}", row.scope, flows.join(", "));
    }
    words
}

/// A flow's name on the page.
fn title(flow: &'static str) -> &'static str {
    known(flow).map_or(flow, |known| known.title)
}

fn known(flow: &str) -> Option<&'static Flow> {
    FLOWS.iter().find(|known| known.steps.trim_end_matches('.').replace('.', "_") == flow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::CLIENTS;

    #[test]
    fn every_client_has_a_scope_that_there_is() {
        for client in CLIENTS {
            of_run(client.name, client.version).unwrap();
        }
        for replay in crate::replays::read().unwrap() {
            let stem = replay.file.trim_end_matches(".rs");
            assert!(rows().any(|row| row.client == stem && row.flow == OTHERS), "{stem} has no scope");
        }
        for row in rows() {
            let there_is = ["Authentication Only", "Read Users", "Manage users", "Read All", "Manage All"];
            assert!(there_is.contains(&row.scope), "{} of {}", row.scope, row.client);
            assert!(row.flow == OTHERS || known(row.flow).is_some(), "{} is no flow", row.flow);
        }
    }

    #[test]
    fn a_client_of_several_scopes_says_what_each_is_for() {
        assert_eq!(words("pam"), "Read Users; Authentication Only: log-in, MFA v2");
        assert_eq!(words("graph"), "Read All");
    }
}
