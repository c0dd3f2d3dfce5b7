//! The blocks of a page on which a person chooses a way and sets it up.

use super::values::plain;
use crate::block::{Block, Button, Field, Tone, Way, Weight};
use crate::pictogram::Pictogram;
use crate::qr::Qr;

/// Ways to choose from, a picture for cameras, what is folded away.
pub(super) fn blocks() -> Vec<Block> {
    let number = Field {
        name: "number",
        label: plain("Another number"),
        hint: None,
        fault: None,
        attributes: vec![("type", "tel"), ("autocomplete", "tel")],
    };
    let folded = Way {
        fields: vec![number],
        folded: Some((plain("What is used without the field."), plain("A field, folded away"))),
        ..way("message", Pictogram::Message, Weight::Secondary, (Tone::Warning, "Weaker"))
    };
    let choices = [
        way("app", Pictogram::Authenticator, Weight::Primary, (Tone::Success, "Recommended")),
        way("phone", Pictogram::Phone, Weight::Secondary, (Tone::Plain, "Plain")),
        way("mail", Pictogram::Mail, Weight::Secondary, (Tone::Plain, "Plain")),
        folded,
    ];
    let code = Qr::new("https://mfa.example.com/app#7KQ2M9XD");
    let picture = code.map(|code| Block::Picture(code, plain("QR code of a sample address")));
    let others = [
        Block::Labelled { label: plain("A code below what it is for"), code: plain("7KQ2 M9XD") },
        Block::Key {
            summary: plain("A key, folded away"),
            facts: vec![(plain("Account"), plain("ana@example.com"))],
            name: plain("Key"),
            groups: vec!["JBSW".to_owned(), "Y3DP".to_owned()],
        },
        Block::Notice { tone: Tone::Waiting, text: plain("Something is under way.") },
        Block::Apart(vec![(Weight::Secondary, "/dev/pages".to_owned(), plain("A link to a window apart"))]),
        Block::Aside {
            text: plain("Something in small letters."),
            link: Some(("/dev/pages".to_owned(), plain("More of it"))),
        },
    ];
    let title = plain("Ways to choose from, a picture for cameras, a key");
    let choices = choices.into_iter().map(|choice| Block::Way(Box::new(choice)));
    [Block::Section { id: "ways", title }].into_iter().chain(choices).chain(picture).chain(others).collect()
}

fn way(key: &'static str, picture: Pictogram, weight: Weight, (tone, badge): (Tone, &str)) -> Way {
    Way {
        key,
        picture,
        title: plain(&format!("A way: {key}")),
        badge: Some((tone, plain(badge))),
        text: plain("What it is good for."),
        action: "/dev/pages".to_owned(),
        hidden: Vec::new(),
        fields: Vec::new(),
        folded: None,
        button: Button { weight, text: plain("Use it"), says: None, disabled: false },
    }
}
