//! The pages of an installation: its sheet, its logo, and the response around each page.

use std::sync::OnceLock;

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use web::door::{Answering, Door};
use web::peer::Peer;
use words::Brand;

use crate::app_files::AppFiles;
use crate::asset::{self, Asset};
use crate::block::Block;
use crate::color::{self, BLACK, Color};
use crate::html::Html;
use crate::page::WebPage;

const SHEET: &str = include_str!("../assets/page.css");
const FRAME: &str = include_str!("../templates/page.html");
const BLOCKS: &str = include_str!("../templates/blocks.html");
pub(crate) const APP: &str = include_str!("../templates/app.html");

/// Nothing runs, nothing is loaded from elsewhere, forms go to this server only, and no page is shown inside another.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// The pages of an installation.
pub struct Pages {
    pub(crate) brand: Brand,
    root: String,
    templates: Environment<'static>,
    sheet: Asset,
    icon: Asset,
    logo: Option<Asset>,
    /// Made when the app is first asked for: most servers and tests never need it.
    app: OnceLock<AppFiles>,
}

/// What the frame around a page needs to know of it.
pub(crate) struct Framed<'a> {
    pub(crate) title: &'a str,
    pub(crate) language: &'static str,
    pub(crate) wide: bool,
    /// More elements for the head.
    pub(crate) head: String,
    /// The body of a page is one card. The app has cards and attributes of its element.
    pub(crate) app: Option<Value>,
    pub(crate) body: String,
    pub(crate) foot: &'a [Html],
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pages(…)")
    }
}

impl Pages {
    /// Pages in the look of this brand. `logo` is a PNG. `root` is the path under which a proxy shows this server, as `/mfa`,
    /// or nothing.
    #[expect(clippy::missing_panics_doc, reason = "the templates are compiled in, and the tests fill them all")]
    #[expect(clippy::expect_used, reason = "the templates are compiled in, and the tests fill them all")]
    pub fn new(brand: &Brand, logo: Option<Bytes>, root: &str) -> Self {
        let mut templates = Environment::empty();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        templates.add_template("page", FRAME).expect("a template of ours");
        templates.add_template("blocks", BLOCKS).expect("a template of ours");
        templates.add_template("app", APP).expect("a template of ours");
        let sheet = format!("{}{SHEET}", color::sheet(&brand.color));
        Self {
            templates,
            root: root.trim_end_matches('/').to_owned(),
            sheet: Asset::new("page", "css", "text/css; charset=utf-8", sheet.into()),
            icon: Asset::new("icon", "svg", "image/svg+xml", icon(&brand.name, &brand.color).into()),
            logo: logo.map(|logo| Asset::new("logo", "png", "image/png", logo)),
            brand: brand.clone(),
            app: OnceLock::new(),
        }
    }

    /// A path of this server as a browser has to name it.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// The address of the sheet, for pages of a dev world that are not made of blocks.
    pub fn sheet(&self) -> String {
        self.address(self.sheet.path())
    }

    /// The address of the icon.
    pub fn icon(&self) -> String {
        self.address(self.icon.path())
    }

    /// The name of the brand, and the letter that represents it.
    pub fn brand(&self) -> (&str, String) {
        (&self.brand.name, initial(&self.brand.name))
    }

    /// The files of the app.
    pub(crate) fn app_files(&self) -> &AppFiles {
        self.app.get_or_init(|| AppFiles::new(&self.brand.color))
    }

    /// The files that every page refers to.
    pub(crate) fn common_files(&self) -> impl Iterator<Item = &Asset> {
        [Some(&self.sheet), Some(&self.icon), self.logo.as_ref()].into_iter().flatten()
    }

    /// The paths of all files below `/assets/`, without the path of a proxy.
    pub fn files(&self) -> Vec<String> {
        self.common_files().chain(self.app_files().all()).map(|asset| asset.path().to_owned()).collect()
    }

    /// A template of ours with these values.
    pub(crate) fn filled(&self, template: &str, values: Value) -> Result<String, minijinja::Error> {
        self.templates.get_template(template)?.render(values)
    }

    /// Blocks as HTML.
    pub(crate) fn blocks(&self, blocks: &[Block]) -> Result<String, minijinja::Error> {
        let blocks = blocks.iter().map(Block::value).collect::<Vec<_>>();
        self.filled("blocks", context! { blocks })
    }

    /// The page as HTML.
    pub(crate) fn html(&self, page: &WebPage) -> Result<String, minijinja::Error> {
        let (title, language, wide) = (&page.title, page.language, page.wide);
        let body = self.blocks(&page.blocks)?;
        self.framed(Framed { title, language, wide, head: String::new(), app: None, body, foot: &page.foot })
    }

    /// The frame around the body of a page.
    pub(crate) fn framed(&self, page: Framed<'_>) -> Result<String, minijinja::Error> {
        let text = |text: &str| Html::text(text).value();
        let file = |asset: &Asset| text(&self.address(asset.path()));
        let values = context! {
            language => page.language,
            title_text => text(page.title),
            brand => text(&self.brand.name),
            initial => initial(&self.brand.name),
            wide => page.wide,
            head => Value::from_safe_string(page.head),
            app => page.app.unwrap_or_else(|| Value::from("")),
            sheet => file(&self.sheet),
            icon => file(&self.icon),
            logo => self.logo.as_ref().map_or_else(|| Value::from(""), file),
            body => Value::from_safe_string(page.body),
            foot => page.foot.iter().map(Html::value).collect::<Vec<_>>(),
        };
        self.filled("page", values)
    }

    /// The response that shows a page.
    pub fn response(&self, status: StatusCode, page: &WebPage) -> Response {
        let mut response = shown(status, page.language, self.html(page));
        if let Some((seconds, address)) = &page.forwards
            && let Ok(refresh) = HeaderValue::try_from(format!("{seconds}; url={address}"))
        {
            response.headers_mut().insert(header::REFRESH, refresh);
        }
        response
    }
}

/// The response with this HTML, and the headers of every page.
pub(crate) fn shown(status: StatusCode, language: &'static str, html: Result<String, minijinja::Error>) -> Response {
    let html = match html {
        Ok(html) => html,
        Err(error) => {
            // The tests fill every page, so this is a fault of ours.
            tracing::error!(%error, "a page cannot be filled");
            return (StatusCode::INTERNAL_SERVER_ERROR, "The page cannot be shown.\n").into_response();
        }
    };
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
    response
}

/// The headers of every page.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// Answers requests for the files of pages.
impl Door for Pages {
    fn takes(&self, path: &str) -> bool {
        path.starts_with(asset::FOLDER)
    }

    fn body_bytes(&self) -> usize {
        0
    }

    fn answer(&self, request: Request<Bytes>, _: Option<Peer>) -> Answering<'_> {
        let assets = self.common_files().chain(self.app_files().all());
        let response = asset::answer(assets, request.method(), request.uri().path());
        Box::pin(std::future::ready(response))
    }
}

/// The first letter of the brand's name.
fn initial(name: &str) -> String {
    let first = name.chars().find(|character| character.is_alphanumeric()).unwrap_or('•');
    first.to_uppercase().collect()
}

/// The picture in the window's tab: the brand's first letter on its colour.
fn icon(name: &str, color: &str) -> String {
    let color = Color::parse(color).unwrap_or(BLACK);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="{color}"/><text x="16" y="22.5" font-family="system-ui,sans-serif" font-size="18" font-weight="700" text-anchor="middle" fill="{}">{}</text></svg>"#,
        color.ink(),
        initial(name)
    )
}

#[cfg(test)]
mod tests {
    use web::door::Door as _;

    use super::*;
    use crate::gallery::{self, SAMPLES};

    fn words(name: &str) -> words::Words {
        let brand = Brand { name: name.to_owned(), color: "#1a56db".to_owned(), logo: String::new() };
        words::Words::new(brand, "en")
    }

    fn pages(name: &str) -> Pages {
        Pages::new(words(name).brand(), Some(Bytes::from_static(b"\x89PNG")), "")
    }

    #[test]
    fn every_page_is_whole_in_every_language() {
        let words = words("Acme <b>&");
        let pages = pages("Acme <b>&");
        for language in words::Words::LANGUAGES {
            let text = crate::Text::new(&words, &[language]);
            for name in SAMPLES {
                let html = pages.html(&gallery::sample(name, text).unwrap()).unwrap();
                // The first sample is for developers, in English only.
                let language = if name == SAMPLES[0] { "en" } else { language };
                assert!(html.contains(&format!("<html lang=\"{language}\"")), "{name}");
                for empty in
                    ["<p></p>", "<h1></h1>", "<h2></h2>", "<dt></dt>", "<dd></dd>", "></button>", "></a>", "></label>"]
                {
                    assert!(!html.contains(empty), "{name} in {language} has {empty}: {html}");
                }
                for class in ["lead", "muted", "text", "hint"] {
                    assert!(!html.contains(&format!("<p class=\"{class}\"></p>")), "{name} in {language}: {html}");
                }
                assert!(html.contains("<title>") && !html.contains("<title> ·"), "{name} in {language}");
                assert!(!html.contains(['{', '}', '\u{E000}', '\u{2068}']), "{name} in {language}: {html}");
                assert!(!html.contains("<b>") && html.contains("Acme &lt;b&gt;&amp;"), "{name}: {html}");
            }
        }
    }

    /// What the policy would stop must not be there in the first place.
    #[test]
    fn no_page_has_a_script_a_style_or_anything_from_elsewhere() {
        let words = words("Acme");
        for name in SAMPLES {
            let html = pages("Acme").html(&gallery::sample(name, crate::Text::new(&words, &[])).unwrap()).unwrap();
            for wrong in
                ["<script", " style=", " onclick", " onload", "src=\"http", "href=\"//", "javascript:", "<iframe"]
            {
                assert!(!html.contains(wrong), "{name} has {wrong}");
            }
        }
    }

    #[tokio::test]
    async fn a_file_is_kept_for_good_and_its_name_changes_with_it() {
        let [one, other] = ["Acme", "Bcme"].map(pages);
        assert_eq!(one.sheet.path(), other.sheet.path());
        assert_ne!(one.icon.path(), other.icon.path());
        let get = |path: &str| Request::get(path).body(Bytes::new()).unwrap();
        assert!(one.takes(one.sheet.path()) && !one.takes("/api/1/users"));
        let response = one.answer(get(one.sheet.path()), None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(one.answer(get(other.icon.path()), None).await.status(), StatusCode::NOT_FOUND);
        let posted = Request::post(one.sheet.path()).body(Bytes::new()).unwrap();
        assert_eq!(one.answer(posted, None).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn behind_a_proxy_files_are_below_its_path() {
        let words = words("Acme");
        let page = gallery::sample("design", crate::Text::new(&words, &[])).unwrap();
        let html = Pages::new(words.brand(), None, "/mfa/").html(&page).unwrap();
        assert!(html.contains("href=\"/mfa/assets/page-"), "{html}");
    }

    /// The sheet's own colours, by day and by night, as WCAG 2.2 has it (1.4.3, 1.4.11).
    #[test]
    fn every_colour_of_the_sheet_can_be_read_on_what_is_behind_it() {
        let [day, night] = {
            let mut sheets = SHEET.split("prefers-color-scheme: dark");
            [sheets.next().unwrap(), sheets.next().unwrap()]
        };
        for sheet in [day, night] {
            let color = |name: &str| {
                let value = sheet.split(&format!("--{name}: ")).nth(1).and_then(|rest| rest.split(';').next());
                Color::parse(value.unwrap()).unwrap()
            };
            let surfaces = ["canvas", "surface", "sunken"].map(color);
            for text in ["ink", "muted"] {
                assert!(surfaces.iter().all(|behind| color(text).contrast(*behind) >= 4.5), "{text}");
            }
            for tone in ["success", "warning", "danger"] {
                let tint = color(&format!("{tone}-tint"));
                for behind in [tint, color("surface")] {
                    assert!(color(tone).contrast(behind) >= 4.5, "{tone}");
                }
                assert!(color("ink").contrast(tint) >= 4.5, "ink on {tone}");
            }
            assert!(surfaces.iter().all(|behind| color("edge").contrast(*behind) >= 3.0), "edges of fields");
        }
    }

    /// The brand's colour is made readable on the sheet's surfaces, so both lists are one.
    #[test]
    fn the_brand_is_measured_against_the_sheets_own_surfaces() {
        for surface in color::DAY.iter().chain(&color::NIGHT) {
            assert!(SHEET.contains(&format!(": {surface};")), "{surface}");
        }
    }
}
