//! The files of the app on a phone: its script, its service worker, its icons and its manifest (contract 20.1).

use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::app_icon::{self, Shape};
use crate::asset::Asset;

/// The script. It is one file for the browser, and several for those who read it.
const SCRIPT: &str = concat!(
    include_str!("../assets/app/page.js"),
    include_str!("../assets/app/store.js"),
    include_str!("../assets/app/protocol.js"),
    include_str!("../assets/app/view.js"),
    include_str!("../assets/app/requests.js"),
    include_str!("../assets/app/stream.js"),
    include_str!("../assets/app/push.js"),
    include_str!("../assets/app/screens.js"),
    include_str!("../assets/app/answering.js"),
    include_str!("../assets/app/start.js"),
);

/// The service worker. It keeps and signs as the script does.
const WORKER: &str = concat!(
    include_str!("../assets/app/store.js"),
    include_str!("../assets/app/protocol.js"),
    include_str!("../assets/app/worker.js"),
);

/// The colour behind the app while it opens: the canvas of the sheet by day.
const CANVAS: &str = "#f4f5f8";

/// Letters and digits of a pairing code (decision 33).
const CODE: usize = 8;

/// What has its digest in its name.
pub(crate) struct AppFiles {
    pub(crate) script: Asset,
    /// For iOS, which does not read the manifest's.
    pub(crate) touch_icon: Asset,
    pub(crate) icon: Asset,
    large_icon: Asset,
    maskable_icon: Asset,
}

impl AppFiles {
    pub(crate) fn new(color: &str) -> Self {
        let icon =
            |name: &str, size, shape| Asset::new(name, "png", "image/png", app_icon::png(color, size, shape).into());
        Self {
            script: Asset::new("app", "js", "text/javascript; charset=utf-8", SCRIPT.into()),
            touch_icon: icon("touch", 180, Shape::Full),
            icon: icon("app-192", 192, Shape::Rounded),
            large_icon: icon("app-512", 512, Shape::Rounded),
            maskable_icon: icon("app-maskable", 512, Shape::Full),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Asset> {
        [&self.script, &self.touch_icon, &self.icon, &self.large_icon, &self.maskable_icon].into_iter()
    }

    /// The manifest. `address` is how a browser names a path of this server.
    pub(crate) fn manifest(
        &self,
        brand: &str,
        color: &str,
        code: Option<&str>,
        address: impl Fn(&str) -> String,
    ) -> String {
        let app = address("/app");
        let start = match code.and_then(pairing_code) {
            Some(code) => format!("{app}?pair={code}"),
            None => app.clone(),
        };
        let icon = |asset: &Asset, sizes: &str, purpose: &str| {
            let (src, kind) = (address(asset.path()), "image/png");
            json!({ "src": src, "sizes": sizes, "type": kind, "purpose": purpose })
        };
        json!({
            "id": app,
            "name": brand,
            "short_name": brand,
            "start_url": start,
            "scope": app,
            "display": "standalone",
            "theme_color": color,
            "background_color": CANVAS,
            "icons": [
                icon(&self.icon, "192x192", "any"),
                icon(&self.large_icon, "512x512", "any"),
                icon(&self.maskable_icon, "512x512", "maskable"),
            ],
        })
        .to_string()
    }
}

/// The path of the manifest, which repeats the code that a phone pairs with.
pub(crate) fn manifest_path(code: Option<&str>) -> String {
    let query = code.and_then(pairing_code).map_or_else(String::new, |code| format!("?pair={code}"));
    format!("/app/manifest.webmanifest{query}")
}

/// The service worker with what it needs to know. Its cache has another name whenever a file of it has.
pub(crate) fn worker(mut config: serde_json::Value) -> String {
    let version = HEXLOWER.encode(&Sha256::digest(format!("{config}{WORKER}"))[..8]);
    config["version"] = version.into();
    // JSON allows two characters that end a line in older scripts.
    let config = config.to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    format!("\"use strict\";\nconst CONFIG = {config};\n{WORKER}")
}

/// A pairing code as its person may write it, without what is not part of it.
fn pairing_code(text: &str) -> Option<String> {
    let code: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
    let is_code = code.len() == CODE && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| code.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_code_comes_into_the_manifest() {
        for (text, code) in [
            ("7K2M9QXR", Some("7K2M9QXR")),
            ("7k2m-9qxr", Some("7K2M9QXR")),
            ("7K2M9QX", None),
            ("7K2M9QXR&a=b", None),
            ("//evil.ex", None),
            ("7K2M9QX\u{e9}", None),
        ] {
            assert_eq!(pairing_code(text).as_deref(), code, "{text}");
        }
    }
}
