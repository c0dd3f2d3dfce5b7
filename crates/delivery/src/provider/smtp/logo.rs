//! The sender's logo.

use std::path::Path;
use std::sync::Arc;

/// Largest file, in bytes: it goes out with every mail.
const MOST_BYTES: usize = 64 * 1024;
/// How a PNG begins (PNG, third edition, 5.2), and the length and name of its first chunk, after which its size comes.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// A picture for mail and pages: the bytes of a PNG of at most 64 KiB. Mail programs show no SVG.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo(Arc<[u8]>);

impl std::fmt::Debug for Logo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Logo({} bytes)", self.0.len())
    }
}

impl Logo {
    /// The id of the part of a mail that has it.
    pub(super) const CONTENT_ID: &str = "brand-logo@countersign";
    /// Where the HTML part of a mail finds it (RFC 2392).
    pub const URL: &str = "cid:brand-logo@countersign";

    /// Reads a file, or says in a sentence what is wrong with it.
    pub fn read(file: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        Self::of(bytes).map_err(|why| format!("{} {why}", file.display()))
    }

    pub(super) fn of(bytes: Vec<u8>) -> Result<Self, String> {
        if !bytes.starts_with(SIGNATURE) {
            return Err("is no PNG; convert the picture to PNG".to_owned());
        }
        if bytes.len() > MOST_BYTES {
            let length = bytes.len();
            return Err(format!(
                "has {length} bytes; a logo has {MOST_BYTES} at most, since it goes out with every mail"
            ));
        }
        Ok(Self(bytes.into()))
    }

    /// The file as it is.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_a_png_that_is_not_large() {
        let picture = |length: usize| {
            let mut bytes = SIGNATURE.to_vec();
            bytes.resize(length, 0);
            bytes
        };
        assert!(Logo::of(picture(MOST_BYTES)).is_ok());
        assert!(Logo::of(picture(MOST_BYTES + 1)).unwrap_err().starts_with("has 65537 bytes"));
        for other in [&b""[..], b"\x89PNG", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", b"GIF89a", b"\xff\xd8\xff"]
        {
            assert!(Logo::of(other.to_vec()).unwrap_err().starts_with("is no PNG"), "{other:?}");
        }
    }
}
