//! Judges an image layout by the OCI image specification: descriptors, digests, media types, and what the image promises. Then
//! programs of others read it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use flate2::read::GzDecoder;
use serde_json::Value;

use super::archive::sha256;
use super::image::{Image, USER};
use crate::left_out;
use crate::places::program;
use crate::step::output;
use crate::terminal;

/// Judges the folder, and has skopeo read both forms.
pub(super) fn judge(image: &Image) -> Result<()> {
    let diff = layout(&image.layout).with_context(|| format!("{} breaks the specification", image.layout.display()))?;
    let Ok(skopeo) = program(&["skopeo"]) else {
        return left_out::for_now("the image by skopeo", "skopeo is not installed");
    };
    for place in [format!("oci:{}", image.layout.display()), format!("oci-archive:{}", image.archive.display())] {
        let read = output(Command::new(&skopeo).args(["inspect", &format!("{place}:{}", image.tag)]))?;
        let read: Value = serde_json::from_str(&read)?;
        ensure!(read["Digest"] == image.digest, "skopeo finds another digest in {place}: {}", read["Digest"]);
        ensure!(
            read["Os"] == "linux" && read["Labels"].is_object(),
            "skopeo does not find what the image says: {read}"
        );
    }
    // A copy decompresses the layer and compares it with the configuration.
    let copy = tempfile::tempdir().context("cannot make a temporary folder")?;
    let target = format!("dir:{}", copy.path().display());
    let source = format!("oci:{}:{}", image.layout.display(), image.tag);
    output(Command::new(&skopeo).args([
        "--insecure-policy",
        "copy",
        "--quiet",
        "--dest-decompress",
        &source,
        &target,
    ]))?;
    ensure!(copy.path().join(&diff).is_file(), "skopeo's copy has no layer {diff}");
    terminal::say(&format!("ok     the image {} ({}) is read by skopeo", image.tag, image.digest));
    Ok(())
}

/// Checks a layout. Returns the digest of the layer's content, without its prefix.
fn layout(folder: &Path) -> Result<String> {
    let version = read(&folder.join("oci-layout"))?;
    ensure!(version["imageLayoutVersion"] == "1.0.0", "oci-layout does not say version 1.0.0");
    let index = read(&folder.join("index.json"))?;
    ensure!(index["schemaVersion"] == 2, "the index has another schema version than 2");
    let manifests = index["manifests"].as_array().context("the index lists no manifests")?;
    ensure!(manifests.len() == 1, "the index lists {} manifests", manifests.len());
    let manifest = json(folder, &manifests[0], "application/vnd.oci.image.manifest.v1+json")?;
    ensure!(
        manifest["mediaType"] == manifests[0]["mediaType"],
        "the manifest and the index name different media types"
    );
    let config = json(folder, &manifest["config"], "application/vnd.oci.image.config.v1+json")?;
    let layers = manifest["layers"].as_array().context("the manifest lists no layers")?;
    let diffs = config["rootfs"]["diff_ids"].as_array().context("the configuration lists no layers")?;
    ensure!(layers.len() == 1 && diffs.len() == 1, "there are {} layers and {} digests", layers.len(), diffs.len());
    let compressed = blob(folder, &layers[0], "application/vnd.oci.image.layer.v1.tar+gzip")?;
    let mut tar = Vec::new();
    std::io::copy(&mut GzDecoder::new(&compressed[..]), &mut tar).context("the layer is not gzip")?;
    let diff = sha256(&tar);
    ensure!(diffs[0] == format!("sha256:{diff}"), "the layer's content has another digest than diff_ids says");
    let user = format!("{USER}:{USER}");
    ensure!(config["config"]["User"] == user, "the image runs as {}", config["config"]["User"]);
    ensure!(manifests[0]["platform"]["architecture"] == config["architecture"], "two architectures are named");
    content(&tar)?;
    Ok(diff)
}

/// What has to be in the layer, with owner and mode, and nothing with the set-user bit.
fn content(tar: &[u8]) -> Result<()> {
    let mut missing = vec![
        ("countersign", 0, 0o755),
        ("data/", USER, 0o700),
        ("etc/passwd", 0, 0o644),
        ("etc/ssl/certs/ca-certificates.crt", 0, 0o644),
    ];
    for entry in tar::Archive::new(tar).entries()? {
        let entry = entry?;
        let (path, mode) = (entry.path()?.display().to_string(), entry.header().mode()?);
        let owner = entry.header().uid()?;
        ensure!(mode & 0o6022 == 0, "{path} can be written by others, or sets a user: its mode is {mode:o}");
        missing.retain(|wanted| *wanted != (path.as_str(), owner, mode));
    }
    ensure!(missing.is_empty(), "the layer does not contain, with this owner and mode: {missing:?}");
    Ok(())
}

fn json(folder: &Path, descriptor: &Value, kind: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&blob(folder, descriptor, kind)?)?)
}

/// The content that a descriptor names, if media type, size and digest are right.
fn blob(folder: &Path, descriptor: &Value, kind: &str) -> Result<Vec<u8>> {
    ensure!(descriptor["mediaType"] == kind, "{} is not {kind}", descriptor["mediaType"]);
    let digest = descriptor["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
    let digest = digest.context("a descriptor has no digest")?;
    let path = folder.join("blobs/sha256").join(digest);
    let content = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(descriptor["size"] == content.len(), "{digest} has {} bytes and not {}", content.len(), descriptor["size"]);
    ensure!(sha256(&content) == digest, "{digest} has another content");
    Ok(content)
}

fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::archive::Tree;
    use super::super::image::make_with;
    use super::super::inputs::Inputs;
    use super::*;

    /// Makes an image of a small program. Returns it and the folder that holds it.
    fn image() -> (Image, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let [binary, authorities] = ["binary", "authorities"].map(|name| folder.path().join(name));
        std::fs::write(&binary, "a program").unwrap();
        std::fs::write(&authorities, "a certificate").unwrap();
        let inputs = Inputs {
            binary,
            version: "1.2.3".to_owned(),
            epoch: 1_700_000_000,
            libraries: Vec::new(),
            into: folder.path().to_owned(),
            generated: super::super::inputs::Generated { files: Vec::new() },
        };
        (make_with(&authorities, &inputs, None, folder.path()).unwrap(), folder)
    }

    fn refusal(image: &Image) -> String {
        layout(&image.layout).unwrap_err().to_string()
    }

    #[test]
    fn an_image_follows_the_specification_and_is_the_same_each_time() {
        let ((one, _first), (other, _second)) = (image(), image());
        layout(&one.layout).unwrap();
        assert_eq!(one.digest, other.digest);
        assert_eq!(std::fs::read(&one.archive).unwrap(), std::fs::read(&other.archive).unwrap());
    }

    #[test]
    fn a_changed_or_missing_blob_is_found() {
        let (image, _folder) = image();
        let path = image.layout.join("blobs/sha256").join(image.digest.trim_start_matches("sha256:"));
        let content = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, content.replace("Countersign", "Countersigm")).unwrap();
        assert!(refusal(&image).contains("another content"), "{}", refusal(&image));
        std::fs::write(&path, content + " ").unwrap();
        assert!(refusal(&image).contains("bytes and not"), "{}", refusal(&image));
        std::fs::remove_file(&path).unwrap();
        assert!(refusal(&image).contains("cannot read"), "{}", refusal(&image));
    }

    #[test]
    fn a_layer_that_others_can_write_or_without_its_data_is_refused() {
        let judged = |change: &dyn Fn(&mut Tree)| {
            let mut tree = Tree::default();
            change(&mut tree);
            for (path, mode) in
                [("countersign", 0o755), ("etc/passwd", 0o644), ("etc/ssl/certs/ca-certificates.crt", 0o644)]
            {
                tree.file(path, mode, "x");
            }
            content(&tree.tar(0).unwrap()).map_err(|error| error.to_string())
        };
        judged(&|tree| tree.folder("data", 0o700, USER)).unwrap();
        assert!(judged(&|tree| tree.folder("data", 0o700, 0)).unwrap_err().contains("data/"));
        assert!(judged(&|_| {}).unwrap_err().contains("data/"));
        let open = judged(&|tree| {
            tree.folder("data", 0o700, USER);
            tree.file("su", 0o4755, "x");
        });
        assert!(open.unwrap_err().contains("sets a user"));
    }
}
