//! The description as a page for people.

use std::fmt::Write as _;

use super::operations::{Operation, Success};
use super::{errors, examples};
use crate::route::{RouteBeside, RoutesBeside};
use crate::wire::fields::{Field, Kind};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0a58ca }
@media (prefers-color-scheme: dark) { :root { --accent: #7db2ff } }
* { box-sizing: border-box }
html { background: Canvas; color: CanvasText }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem }
h1 { font-size: 1.8rem; margin: 0 0 .25rem } h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem }
a { color: var(--accent) } code { font: .92em ui-monospace, monospace; overflow-wrap: anywhere }
nav ul { columns: 14rem; padding-left: 1.2rem }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0 }
details[open] { background: var(--soft) }
summary { cursor: pointer; padding: .5rem .8rem } summary:focus-visible { outline: 3px solid var(--accent) }
summary b { display: inline-block; min-width: 4.6rem } summary span { opacity: .85 }
.inside { padding: 0 .8rem .8rem; overflow-x: auto }
pre { margin: .4rem 0; padding: .6rem .8rem; border: 1px solid var(--line); border-radius: .4rem; max-height: 24rem; overflow: auto; font: .85em/1.45 ui-monospace, monospace }
pre:focus-visible { outline: 3px solid var(--accent) }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-top: 1px solid var(--line); vertical-align: top }
";

pub(super) fn render(
    operations: &[Operation],
    scopes: impl Fn(&Operation) -> Option<Vec<&'static str>>,
    beside: Option<&RoutesBeside>,
) -> String {
    let mut tags: Vec<&str> = operations.iter().map(|operation| operation.tag).collect();
    tags.dedup();
    let mut page = String::with_capacity(64 * 1024);
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>Countersign API</title><style>{STYLE}</style></head><body>\
         <header><h1>Countersign API</h1><p>Multi-factor authentication, in the shapes of the OneLogin MFA API. For \
         programs: <a href=\"/openapi.json\">openapi.json</a>.</p></header><nav aria-label=\"Parts\"><ul>"
    );
    for (number, tag) in tags.iter().chain(beside.map(|beside| &beside.tag)).enumerate() {
        let _ = write!(page, "<li><a href=\"#part-{number}\">{}</a></li>", escaped(tag));
    }
    page.push_str("</ul></nav><main>");
    for (number, tag) in tags.iter().enumerate() {
        heading(&mut page, number, tag);
        for operation in operations.iter().filter(|operation| operation.tag == *tag) {
            one(&mut page, operation, scopes(operation));
        }
        page.push_str("</section>");
    }
    if let Some(beside) = beside {
        heading(&mut page, tags.len(), beside.tag);
        let _ = write!(page, "<p>{}</p>", escaped(beside.about));
        beside.routes.iter().for_each(|route| one_beside(&mut page, route));
        page.push_str("</section>");
    }
    page.push_str("</main></body></html>\n");
    page
}

fn heading(page: &mut String, number: usize, tag: &str) {
    let _ = write!(page, "<section aria-labelledby=\"part-{number}\"><h2 id=\"part-{number}\">{}</h2>", escaped(tag));
}

fn summary(page: &mut String, method: &str, path: &str, summary: &str) {
    let _ = write!(
        page,
        "<details><summary><b>{method}</b> <code>{}</code> <span>{}</span></summary><div class=\"inside\">",
        escaped(path),
        escaped(summary)
    );
}

fn one_beside(page: &mut String, route: &RouteBeside) {
    summary(page, route.method, route.path, route.summary);
    for (caption, fields) in [("In the query", route.query), ("In the body", route.body)] {
        table(page, caption, fields.iter().map(|(name, about)| (*name, String::new(), *about)));
    }
    page.push_str("<p>Answers 200 with JSON.</p></div></details>");
}

fn one(page: &mut String, operation: &Operation, scopes: Option<Vec<&'static str>>) {
    summary(page, operation.inputs.method, operation.inputs.path, operation.summary);
    let is_guarded = scopes.is_some();
    match scopes {
        Some(scopes) => {
            let _ = write!(page, "<p>Needs an access token of the scope {}.</p>", listed(&scopes));
        }
        None => page.push_str("<p>Needs no access token.</p>"),
    }
    for (caption, fields) in [("In the query", operation.inputs.query), ("In the body", operation.inputs.body)] {
        table(page, caption, fields.iter().map(|field| (field.name, form(field), field.about)));
    }
    let examples = examples::of(operation);
    if examples.is_empty() {
        let _ = write!(page, "<p>Answers {}.</p>", without_example(operation.success));
    }
    for example in examples {
        let when = if example.when.is_empty() { String::new() } else { format!(", {}", escaped(example.when)) };
        let body = serde_json::to_string_pretty(&example.body).unwrap_or_default();
        // Not `escaped`: nothing in a body is marked as code.
        let body = body.replace('&', "&amp;").replace('<', "&lt;");
        let _ = write!(page, "<p>Answers {}{when}:</p><pre tabindex=\"0\">{body}</pre>", example.status);
    }
    refusals(page, operation, is_guarded);
    page.push_str("</div></details>");
}

/// The errors that the operation can answer with.
fn refusals(page: &mut String, operation: &Operation, is_guarded: bool) {
    let mut errors = errors::of(operation, is_guarded);
    errors.sort_unstable();
    page.push_str("<table><thead><tr><th scope=\"col\">Errors</th><th scope=\"col\">When</th></tr></thead><tbody>");
    for (status, when) in errors {
        let _ = write!(page, "<tr><td>{status}</td><td>{}</td></tr>", escaped(when));
    }
    page.push_str("</tbody></table>");
}

/// A table of fields, each with its name, its form and its meaning; nothing if there is none.
fn table<'a>(page: &mut String, caption: &str, fields: impl Iterator<Item = (&'a str, String, &'a str)>) {
    let mut fields = fields.peekable();
    if fields.peek().is_none() {
        return;
    }
    let _ = write!(
        page,
        "<table><thead><tr><th scope=\"col\">{caption}</th><th scope=\"col\">What</th></tr></thead><tbody>"
    );
    for (name, form, about) in fields {
        let (name, about) = (escaped(name), escaped(about));
        let _ = write!(page, "<tr><td><code>{name}</code><br><small>{form}</small></td><td>{about}</td></tr>");
    }
    page.push_str("</tbody></table>");
}

fn form(field: &Field) -> String {
    let needed = if field.required { ", required" } else { "" };
    format!("{}{needed}", kind(field.kind))
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Flag => "true or false",
        Kind::Object => "object",
        Kind::Code => "text or number",
        Kind::Number => "number or its digits",
    }
}

/// The answer in words, where there is no example.
fn without_example(success: Success) -> String {
    match success {
        Success::V1(_) | Success::V1Page(_) | Success::V1One(_) | Success::V1Whole(_) | Success::V1Echo => {
            "200 with JSON".to_owned()
        }
        Success::Object(status, _) | Success::Array(status, _) => format!("{status} with JSON"),
        Success::Nothing => "204 without a body".to_owned(),
        Success::Missing => "404, since nothing of this kind is kept".to_owned(),
        Success::Other(kind) => format!("200 with <code>{kind}</code>"),
    }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("<em>{}</em>", escaped(name))).collect();
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => names.concat(),
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    // Text in backquotes is code.
    let mut page = String::with_capacity(text.len());
    for (number, part) in text.split('`').enumerate() {
        if number > 0 {
            page.push_str(if number % 2 == 1 { "<code>" } else { "</code>" });
        }
        page.push_str(part);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_backquotes_are_code() {
        assert_eq!(escaped("a `<b>` & `c`"), "a <code>&lt;b&gt;</code> &amp; <code>c</code>");
        assert_eq!(escaped("plain"), "plain");
    }

    /// A browser's default behind a page of light text is white.
    #[test]
    fn the_page_sets_both_its_colours() {
        assert!(STYLE.contains("color-scheme: light dark") && STYLE.contains("background: Canvas; color: CanvasText"));
    }
}
