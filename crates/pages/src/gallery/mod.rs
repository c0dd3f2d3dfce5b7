//! Every page and every block with made-up values, for those who work on them. The dev world shows it at `/dev/pages`.

mod enrol;
mod values;
mod ways;

use self::values::{moment, plain};
use crate::block::{Block, Button, Field, Tone, Weight};
use crate::link::{LinkForm, LinkPage, LinkPurpose};
use crate::page::WebPage;
use crate::text::Text;
use crate::trouble::Trouble;

/// The names of all samples. The first shows the blocks, the others are pages as people get them.
pub const SAMPLES: [&str; 37] = [
    "design",
    "link-login",
    "link-enrolment",
    "link-names",
    "link-confirmed",
    "link-goes-on",
    "link-disowned",
    "link-over",
    "link-not-from-page",
    "enrol-choose",
    "enrol-replace",
    "enrol-phone-only",
    "enrol-refused",
    "enrol-authenticator",
    "enrol-authenticator-wrong",
    "enrol-authenticator-used",
    "enrol-authenticator-fast",
    "enrol-authenticator-slow",
    "enrol-pair",
    "enrol-sms",
    "enrol-email",
    "enrol-sms-again",
    "enrol-sms-wrong",
    "enrol-done",
    "enrol-done-replaced",
    "enrol-done-number",
    "enrol-done-push",
    "enrol-locked",
    "enrol-locked-for-good",
    "enrol-too-late",
    "enrol-over",
    "enrol-not-from-page",
    "not-found",
    "not-understood",
    "too-many",
    "unavailable",
    "fault",
];

/// The sample of this name, if there is one.
pub fn sample(name: &str, text: Text<'_>) -> Option<WebPage> {
    let link = |page: LinkPage<'_>| page.page(text);
    Some(match name {
        "design" => design(),
        "link-login" => link(LinkPage::Asks(question(LinkPurpose::Login))),
        "link-enrolment" => {
            let (asked, until) = (moment(0, "14:31\u{a0}UTC"), moment(1, "14:32\u{a0}UTC"));
            let unnamed = LinkForm { client: None, from: None, asked, until, ..question(LinkPurpose::Enrolment) };
            link(LinkPage::Asks(unnamed))
        }
        "link-names" => {
            let strange = LinkForm {
                client: Some("بوابة المستشفى <Klinik & Co> with a name that goes on and on and on"),
                account: "a-very-long-address-without-any-place-to-break-it@subdomain.university.example.org",
                from: Some("2001:db8:85a3:8d3:1319:8a2e:370:7348"),
                ..question(LinkPurpose::Login)
            };
            link(LinkPage::Asks(strange))
        }
        "link-confirmed" => link(LinkPage::Confirmed(None)),
        "link-goes-on" => link(LinkPage::Confirmed(Some("https://portal.example.org/signed-in"))),
        "link-disowned" => link(LinkPage::Disowned),
        "link-over" => link(LinkPage::Over),
        "link-not-from-page" => link(LinkPage::NotFromPage),
        "not-found" => Trouble::NotFound.page(text),
        "not-understood" => Trouble::NotUnderstood.page(text),
        "too-many" => Trouble::TooMany(30).page(text),
        "unavailable" => Trouble::Unavailable.page(text),
        "fault" => Trouble::Fault(Some("5f1d0c2a-00000042")).page(text),
        _ => enrol::sample(name)?.page(text),
    })
}

fn question(purpose: LinkPurpose) -> LinkForm<'static> {
    LinkForm {
        purpose,
        client: Some("Northfield VPN"),
        account: "ana@example.com",
        device: "Ana's mail",
        from: Some("203.0.113.24"),
        caller: Some("192.0.2.10"),
        asked: moment(1, "14:31\u{a0}UTC"),
        until: moment(9, "14:41\u{a0}UTC"),
        action: "/dev/pages".to_owned(),
        hidden: vec![("token", "sample".to_owned())],
    }
}

/// The page that shows every block, and links to the other samples.
fn design() -> WebPage {
    let section = |id, title| Block::Section { id, title: plain(title) };
    let notice = |tone, said| Block::Notice { tone, text: plain(said) };
    let button = |weight, said, disabled| Button { weight, text: plain(said), says: None, disabled };
    let field = |name, label, hint: Option<&str>, fault: Option<&str>, attributes| Field {
        name,
        label: plain(label),
        hint: hint.map(plain),
        fault: fault.map(plain),
        attributes,
    };
    let swatches = |pairs: &[(&'static str, &str)]| {
        Block::Swatches(pairs.iter().map(|(class, name)| (*class, plain(name))).collect())
    };
    let samples = SAMPLES[1..].iter().map(|name| (Weight::Quiet, format!("/dev/pages/{name}"), plain(name)));
    let code = vec![("class", "code"), ("autocomplete", "one-time-code"), ("inputmode", "numeric"), ("maxlength", "9")];
    let blocks = vec![
        Block::Head {
            sign: None,
            title: plain("How pages look"),
            lines: vec![
                plain("Everything a page can be made of."),
                plain("Add ?language=de to see a sample in another language."),
            ],
        },
        section("type", "Type"),
        swatches(&[
            ("type-display", "Display, 32"),
            ("type-title", "Title, 24"),
            ("type-lead", "Lead, 18"),
            ("type-text", "Text, 16"),
            ("type-small", "Small, 13"),
        ]),
        section("colours", "Colours"),
        swatches(&[
            ("shade-accent", "Accent"),
            ("shade-surface", "Surface"),
            ("shade-sunken", "Sunken"),
            ("shade-success", "Success"),
            ("shade-warning", "Warning"),
            ("shade-danger", "Danger"),
        ]),
        section("space", "Space"),
        swatches(&[
            ("space-1", "4"),
            ("space-2", "8"),
            ("space-3", "12"),
            ("space-4", "16"),
            ("space-6", "24"),
            ("space-8", "32"),
        ]),
        section("buttons", "Buttons and fields"),
        Block::Form {
            action: "/dev/pages".to_owned(),
            hidden: Vec::new(),
            fields: vec![
                field(
                    "email",
                    "E-mail address",
                    Some("Where codes are sent."),
                    None,
                    vec![("type", "email"), ("autocomplete", "email")],
                ),
                field("code", "Code", None, Some("This code is not right. Codes have six digits."), code),
            ],
            buttons: vec![
                button(Weight::Primary, "Primary", false),
                button(Weight::Secondary, "Secondary", false),
                button(Weight::Danger, "It was not me", false),
                button(Weight::Quiet, "Quiet", false),
                button(Weight::Primary, "Not now", true),
            ],
        },
        section("notices", "Notices"),
        notice(Tone::Info, "Something to know."),
        notice(Tone::Success, "Something went well."),
        notice(Tone::Warning, "Something to think about before going on."),
        notice(Tone::Danger, "Something went wrong, and what to do next."),
        section("facts", "Facts, a code, steps, a list"),
        Block::Facts(vec![(plain("Asked by"), plain("Northfield VPN")), (plain("From"), plain("203.0.113.24"))]),
        Block::Code(plain("314 159")),
        Block::Steps(vec![
            plain("Open the app on your phone."),
            plain("Scan the picture."),
            plain("Type the code that it shows."),
        ]),
        Block::Rows(vec![
            (plain("Ana's phone"), Tone::Success, plain("Active")),
            (plain("Old phone"), Tone::Warning, plain("Not used for a year")),
            (plain("YubiKey"), Tone::Plain, plain("Waiting")),
        ]),
    ];
    let states = [
        section("states", "States"),
        Block::Empty { title: plain("No devices yet"), text: plain("Add one to sign in with it.") },
        Block::Signs([Tone::Waiting, Tone::Success, Tone::Warning, Tone::Danger, Tone::Plain, Tone::Info].to_vec()),
        section("pages", "Pages"),
        Block::Links(samples.collect()),
    ];
    let blocks = blocks.into_iter().chain(ways::blocks()).chain(states).collect();
    WebPage { title: "How pages look".to_owned(), language: "en", wide: true, blocks, foot: Vec::new(), forwards: None }
}
