//! Writes the app's files into a folder, for the checks in a browser: `cargo run -p countersign-pages --example app_files --
//! FOLDER`. `files.json` lists them: path, file, status and headers.

use std::path::Path;

use axum::response::Response;
use bytes::Bytes;
use countersign_pages::{AppPage, Pages, Text};
use http::Request;
use serde_json::{Value, json};
use web::door::Door as _;
use words::{Brand, Words};

/// A public key as push services take it: the point of RFC 8291, appendix A.
const PUSH_KEY: &str = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: app_files FOLDER")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let brand = Brand { name: "Northfield".to_owned(), color: "#1a56db".to_owned(), logo: String::new() };
    let words = Words::new(brand, "en");
    let pages = Pages::new(words.brand(), None, "");
    let mut files = Vec::new();
    for language in Words::LANGUAGES {
        for (ending, push_key, code) in
            [("", Some(PUSH_KEY), None), ("-silent", None, None), ("-pair", Some(PUSH_KEY), Some("7K2M9QXR"))]
        {
            let text = Text::new(&words, &[language]);
            let page = pages.app(AppPage { text, issuer: "Northfield", push_key, code, framed: false });
            files.push(write(folder, &format!("/app-{language}{ending}"), page).await?);
        }
    }
    files.push(write(folder, "/app/worker.js", pages.app_worker(&words, Some(PUSH_KEY))).await?);
    files.push(write(folder, "/app/manifest.webmanifest", pages.app_manifest(None)).await?);
    files.push(write(folder, "/app/manifest.webmanifest?pair=7K2M9QXR", pages.app_manifest(Some("7K2M9QXR"))).await?);
    for path in pages.files() {
        let request = Request::get(&path).body(Bytes::new())?;
        files.push(write(folder, &path, pages.answer(request, None).await).await?);
    }
    std::fs::write(folder.join("files.json"), serde_json::to_string_pretty(&files)?)?;
    Ok(())
}

async fn write(folder: &Path, path: &str, response: Response) -> Result<Value, Box<dyn std::error::Error>> {
    let file = path.trim_start_matches('/').replace(['/', '?', '='], "_");
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default()));
    let listed = json!({ "path": path, "file": file, "status": response.status().as_u16(),
                         "headers": headers.collect::<std::collections::BTreeMap<_, _>>() });
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    std::fs::write(folder.join(&file), body)?;
    Ok(listed)
}
