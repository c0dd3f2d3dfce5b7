//! The compose files: judged as text, and copied beside the image.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::inputs::Inputs;
use crate::places::{Workspace, program};
use crate::step::{output, run as run_command};
use crate::terminal;
use crate::{left_out, npm};

/// The judge, which has the JSON schema of the compose specification inside.
const JUDGE: (&str, &str) = ("dclint", "3.1.0");
/// Its rules of taste, and one against ports on every address: a proxy with TLS is what callers reach.
const LEFT_OUT: [&str; 5] = [
    "services-alphabetical-order",
    "service-keys-order",
    "top-level-properties-order",
    "require-quotes-in-ports",
    "no-unbound-port-interfaces",
];
const FILES: [&str; 3] = ["compose.yml", "compose.postgres.yml", "haproxy.cfg"];

/// Copies the files. Their images must have the version that is packed.
pub(super) fn copy(places: &Workspace, inputs: &Inputs, into: &Path) -> Result<()> {
    for name in FILES {
        let text = std::fs::read_to_string(places.root.join("packaging/compose").join(name))
            .with_context(|| format!("cannot read packaging/compose/{name}"))?;
        let image = format!("image: countersign:${{COUNTERSIGN_VERSION:-{}}}", inputs.version);
        ensure!(
            !text.contains("image: countersign:") || text.contains(&image),
            "packaging/compose/{name} names another version of the image: it must say `{image}`"
        );
        std::fs::write(into.join(name), text)?;
    }
    Ok(())
}

/// Has others judge the files: the compose specification's schema, and the proxy itself.
pub(super) fn judge(places: &Workspace) -> Result<()> {
    let folder = places.root.join("packaging/compose");
    if program(&["npm"]).is_ok() && program(&["node"]).is_ok() {
        let home = places.folder("tools/compose")?;
        npm::install(&home, &npm::list(&[JUDGE]))?;
        let judge = home.join("node_modules/.bin/dclint");
        let mut judging = Command::new(judge);
        judging.arg(&folder).args(["--max-warnings", "0", "--disable-rule"]).args(LEFT_OUT);
        run_command(&mut judging).context("the compose files break their specification")?;
        terminal::say("ok     the compose files follow the compose specification");
    } else {
        left_out::for_now("the compose files by their specification", "node and npm are not installed")?;
    }
    proxy(&folder.join("haproxy.cfg"))?;
    left_out::always("the compose files under an engine", "that needs a daemon");
    Ok(())
}

/// Has the proxy read its configuration, with a certificate of this machine and servers that have an address here.
fn proxy(file: &Path) -> Result<()> {
    let Ok(haproxy) = program(&["haproxy", "/usr/sbin/haproxy"]) else {
        return left_out::for_now("the configuration of the proxy", "haproxy is not installed");
    };
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let [key, certificate, both] = ["key.pem", "certificate.pem", "tls.pem"].map(|name| folder.path().join(name));
    let mut making = Command::new("openssl");
    making.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    making.args(["-subj", "/CN=mfa.example.com", "-keyout"]).arg(&key).arg("-out").arg(&certificate);
    output(&mut making)?;
    let pem = [std::fs::read(&key)?, std::fs::read(&certificate)?].concat();
    std::fs::write(&both, pem)?;
    let mut text = std::fs::read_to_string(file)?;
    for (there, here) in [
        ("/run/secrets/tls.pem", both.to_string_lossy().as_ref()),
        ("server-1:8080", "127.0.0.1:8080"),
        ("server-2:8080", "127.0.0.1:8080"),
    ] {
        ensure!(text.contains(there), "{} does not name {there}", file.display());
        text = text.replace(there, here);
    }
    let changed = folder.path().join("haproxy.cfg");
    std::fs::write(&changed, text)?;
    output(Command::new(haproxy).args(["-c", "-q", "-f"]).arg(&changed))
        .context("HAProxy refuses its configuration")?;
    terminal::say("ok     HAProxy takes its configuration");
    Ok(())
}
