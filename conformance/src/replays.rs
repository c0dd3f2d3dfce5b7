//! Replays of clients that no registry delivers. A file in `crates/onelogin/tests/clients/` sends what such a client
//! sends, and checks what it reads. The page lists clients and flows from those files, so every listed replay is
//! tested.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

const FOLDER: &str = "../crates/onelogin/tests/clients";
/// Start of a file's first line: client and version, then how the client reaches a self-hosted server.
const OPENING: &str = "//! Replay of ";
/// Start of a line that says what the client cannot do, and why.
const CANNOT: &str = "//! Cannot: ";

/// A part of the API that clients use.
pub(crate) struct Flow {
    pub(crate) title: &'static str,
    /// Prefix of its steps' names.
    pub(crate) steps: &'static str,
    /// Prefix of the names of its replay tests.
    tests: &'static str,
}

pub(crate) const FLOWS: &[Flow] = &[
    Flow { title: "tokens", steps: "oauth.", tests: "oauth_" },
    Flow { title: "users", steps: "users.", tests: "users_" },
    Flow { title: "MFA v1", steps: "mfa.v1.", tests: "mfa_v1_" },
    Flow { title: "MFA v2", steps: "mfa.v2.", tests: "mfa_v2_" },
    Flow { title: "log-in", steps: "login.", tests: "login_" },
    Flow { title: "SAML", steps: "saml.", tests: "saml_" },
    Flow { title: "Smart MFA", steps: "smart.", tests: "smart_" },
    Flow { title: "events", steps: "events.", tests: "events_" },
];

/// A replayed client.
pub(crate) struct Replay {
    pub(crate) client: String,
    pub(crate) reach: String,
    pub(crate) file: String,
    /// The `steps` of its flows.
    pub(crate) flows: Vec<&'static str>,
    /// What the client cannot do, whatever the server.
    pub(crate) cannot: Vec<String>,
}

/// All replays, sorted by client.
pub(crate) fn read() -> Result<Vec<Replay>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let mut replays = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if let Some(replay) = parse(&name, &text) {
            ensure!(!replay.flows.is_empty(), "{} replays nothing", path.display());
            replays.push(replay);
        }
    }
    replays.sort_by_key(|replay| replay.client.to_lowercase());
    Ok(replays)
}

/// The description in a file. `None` if the file replays no client.
fn parse(name: &str, text: &str) -> Option<Replay> {
    let (client, reach) = text.lines().next()?.strip_prefix(OPENING)?.trim_end_matches('.').split_once("; ")?;
    let tests: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("async fn ")).collect();
    let has = |flow: &&Flow| tests.iter().any(|test| test.starts_with(flow.tests));
    Some(Replay {
        client: client.to_owned(),
        reach: reach.to_owned(),
        file: name.to_owned(),
        flows: FLOWS.iter().filter(has).map(|flow| flow.steps).collect(),
        cannot: text.lines().filter_map(|line| line.strip_prefix(CANNOT)).map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{parse, read};

    #[test]
    fn a_file_names_its_client_and_its_flows() {
        let text = "//! Replay of example-sdk 1.2 (Ada); base URL.\n//! Cannot: fly.\nasync fn login_works() {}\n";
        let replay = parse("ada.rs", text).unwrap();
        assert_eq!((replay.client.as_str(), replay.reach.as_str()), ("example-sdk 1.2 (Ada)", "base URL"));
        assert_eq!((replay.flows, replay.cannot), (vec!["login."], vec!["fly.".to_owned()]));
        assert!(parse("main.rs", "//! All of them.\n").is_none());
    }

    #[test]
    fn every_client_that_no_registry_has_is_replayed() {
        let replays = read().unwrap();
        for name in [
            "(Ruby)",
            "(PHP)",
            "(Java)",
            "(Go)",
            "(.NET)",
            "(Node.js)",
            "onelogin-mcp",
            "OneLoginByOneIdentity",
            "saml2aws",
            "aws-runas",
            "Cerberus",
            "masl",
            "clisso",
            "onelogin-auth-cli",
            "onelogin-aws-role",
            "Pritunl",
            "openvpn-onelogin-auth",
        ] {
            assert!(replays.iter().any(|replay| replay.client.contains(name)), "{name} is not replayed");
        }
    }
}
