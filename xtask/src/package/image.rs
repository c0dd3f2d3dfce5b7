//! The container image, in the layout of the OCI image specification: a folder, and the same as one archive. It is made from scratch
//! and without a daemon: one layer with the binary, CA certificates, and the folder for data.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::archive::{Tree, gzip, sha256};
use super::inputs::Inputs;

/// User and group of the server. No distribution gives this number to anyone, and it fits into every range of user namespaces.
pub(super) const USER: u64 = 65_532;
/// The port in the image's own configuration.
const PORT: u16 = 8080;
/// The CA certificates of the machine that makes the image, of the package ca-certificates.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
const SOURCE: &str = "https://github.com/countersign/countersign";

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// An image that was made.
#[derive(Debug)]
pub(super) struct Image {
    /// The folder with the layout.
    pub(super) layout: PathBuf,
    /// The layout as one archive.
    pub(super) archive: PathBuf,
    /// Its name in the layout: the version.
    pub(super) tag: String,
    /// The digest of its manifest, as `sha256:…`.
    pub(super) digest: String,
}

/// Makes the image.
pub(super) fn make(inputs: &Inputs, licences: Option<&Path>, into: &Path) -> Result<Image> {
    make_with(Path::new(AUTHORITIES), inputs, licences, into)
}

/// Makes the image with these CA certificates.
pub(super) fn make_with(authorities: &Path, inputs: &Inputs, licences: Option<&Path>, into: &Path) -> Result<Image> {
    let name = format!("countersign-{}-image", inputs.version);
    let mut layout = Layout { tree: Tree::default() };

    let tar = layer(authorities, inputs, licences)?.tar(inputs.epoch)?;
    let compressed = layout.blob(LAYER, &gzip(&tar)?);
    let created = time(inputs.epoch)?;
    let labels = labels(inputs, &created);
    let config = layout.json(CONFIG, &config(inputs, &created, &labels, &sha256(&tar))?)?;
    let mut manifest = layout.json(
        MANIFEST,
        &json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [compressed], "annotations": labels,
        }),
    )?;
    let digest = manifest["digest"].as_str().unwrap_or_default().to_owned();
    manifest["platform"] = json!({ "architecture": architecture()?, "os": "linux" });
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": inputs.version });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest] });
    layout.tree.file("index.json", 0o644, serde_json::to_vec(&index)?);
    layout.tree.file("oci-layout", 0o644, serde_json::to_vec(&json!({ "imageLayoutVersion": "1.0.0" }))?);

    let archive = into.join(format!("{name}.oci.tar"));
    let packed = layout.tree.tar(inputs.epoch)?;
    std::fs::write(&archive, &packed).with_context(|| format!("cannot write {}", archive.display()))?;
    let folder = into.join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    tar::Archive::new(&packed[..]).unpack(&folder)?;
    Ok(Image { layout: folder, archive, tag: inputs.version.clone(), digest })
}

/// The files of an image layout.
struct Layout {
    tree: Tree,
}

impl Layout {
    /// Adds a blob. Returns its descriptor.
    fn blob(&mut self, kind: &str, content: &[u8]) -> Value {
        let digest = sha256(content);
        self.tree.file(&format!("blobs/sha256/{digest}"), 0o644, content);
        json!({ "mediaType": kind, "digest": format!("sha256:{digest}"), "size": content.len() })
    }

    fn json(&mut self, kind: &str, value: &Value) -> Result<Value> {
        Ok(self.blob(kind, &serde_json::to_vec(value)?))
    }
}

/// The tree of the container.
fn layer(authorities: &Path, inputs: &Inputs, licences: Option<&Path>) -> Result<Tree> {
    let mut tree = Tree::default();
    tree.copy("countersign", 0o755, &inputs.binary)?;
    // The server warns about a folder that others can open. A volume that is made from the image gets this owner and mode.
    tree.folder("data", 0o700, USER);
    tree.file("etc/passwd", 0o644, format!("countersign:x:{USER}:{USER}:Countersign:/data:/countersign\n"));
    tree.file("etc/group", 0o644, format!("countersign:x:{USER}:\n"));
    tree.copy(&AUTHORITIES[1..], 0o644, authorities)
        .context("the image needs the CA certificates of the package ca-certificates: install it")?;
    for library in &inputs.libraries {
        tree.copy(library.to_string_lossy().trim_start_matches('/'), 0o755, library)?;
    }
    if let Some(licences) = licences {
        tree.copy("usr/share/doc/countersign/THIRD-PARTY-LICENCES", 0o644, licences)?;
    }
    Ok(tree)
}

fn config(inputs: &Inputs, created: &str, labels: &Value, diff: &str) -> Result<Value> {
    let libraries = inputs.libraries.len();
    let history = match libraries {
        0 => "a static countersign, and the CA certificates of Debian".to_owned(),
        _ => format!("countersign, {libraries} libraries, and the CA certificates of Debian"),
    };
    Ok(json!({
        "created": created,
        "architecture": architecture()?,
        "os": "linux",
        "config": {
            "User": format!("{USER}:{USER}"),
            "Env": [
                "COUNTERSIGN_DATA_DIR=/data",
                // On every address of the container. Without TLS or a proxy that is named, the server refuses to start so.
                format!("COUNTERSIGN_LISTEN=0.0.0.0:{PORT}"),
                format!("SSL_CERT_FILE={AUTHORITIES}"),
            ],
            "Entrypoint": ["/countersign"],
            "Cmd": ["serve"],
            "WorkingDir": "/data",
            "Volumes": { "/data": {} },
            "ExposedPorts": { format!("{PORT}/tcp"): {} },
            "StopSignal": "SIGTERM",
            "Labels": labels,
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{diff}")] },
        "history": [{ "created": created, "created_by": "cargo xtask package image", "comment": history }],
    }))
}

fn labels(inputs: &Inputs, created: &str) -> Value {
    json!({
        "org.opencontainers.image.title": "Countersign",
        "org.opencontainers.image.description": "A self-hosted multi-factor authentication server",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.source": SOURCE,
        "org.opencontainers.image.url": SOURCE,
        "org.opencontainers.image.version": inputs.version,
        "org.opencontainers.image.created": created,
    })
}

/// This machine's architecture, in the words of Go, which the specification uses.
fn architecture() -> Result<&'static str> {
    let known = [("x86_64", "amd64"), ("aarch64", "arm64")];
    let here = std::env::consts::ARCH;
    let found = known.iter().find(|(rust, _)| *rust == here);
    ensure!(found.is_some(), "images are not made for {here}: add its name of the OCI specification in image.rs");
    Ok(found.map_or("", |(_, go)| go))
}

fn time(epoch: i64) -> Result<String> {
    Ok(jiff::Timestamp::from_second(epoch).context("SOURCE_DATE_EPOCH is no time")?.to_string())
}
