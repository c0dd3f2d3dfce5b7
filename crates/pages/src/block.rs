//! What pages are made of. A page is a list of blocks, and how a block looks is written once, in `templates/blocks.html`
//! and `assets/page.css`.

use minijinja::{Value, context};

use crate::html::Html;
use crate::pictogram::Pictogram;
use crate::qr::Qr;

/// How something ended, or how it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Info,
    Success,
    Warning,
    Danger,
    /// It is under way.
    Waiting,
}

impl Tone {
    /// Its class in the sheet.
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
            Self::Waiting => "waiting",
        }
    }

    /// Its drawing, in a square of 24. Screen readers pass over it: the words beside it say the same.
    fn drawing(self) -> Value {
        let path = match self {
            Self::Waiting => {
                return Value::from_safe_string(r#"<span class="turning" aria-hidden="true"></span>"#.to_owned());
            }
            Self::Plain => r#"<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>"#,
            Self::Info => r#"<circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 8v.01"/>"#,
            Self::Success => r#"<path d="M5 12.5l4.5 4.5L19 7.5"/>"#,
            Self::Warning => r#"<path d="M12 4l9 16H3z"/><path d="M12 10v4M12 17v.01"/>"#,
            Self::Danger => r#"<path d="M7 7l10 10M17 7L7 17"/>"#,
        };
        Value::from_safe_string(format!(
            r#"<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">{path}</svg>"#
        ))
    }
}

/// What a button is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// What the page is for. One of a page at most.
    Primary,
    Secondary,
    /// It refuses or deletes.
    Danger,
    /// A way out.
    Quiet,
}

impl Weight {
    fn class(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Danger => "danger",
            Self::Quiet => "quiet",
        }
    }
}

/// A button of a form.
#[derive(Debug, Clone)]
pub struct Button {
    pub weight: Weight,
    pub text: Html,
    /// What the form says if this one is pressed: name and value.
    pub says: Option<(&'static str, &'static str)>,
    pub disabled: bool,
}

/// A line to write into.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: &'static str,
    pub label: Html,
    pub hint: Option<Html>,
    /// What is wrong with what was written.
    pub fault: Option<Html>,
    /// Attributes of the element beyond its name.
    pub attributes: Vec<(&'static str, &'static str)>,
}

/// One of several ways, with what it is good for. It is a form, so that choosing it is pressing its button.
#[derive(Debug, Clone)]
pub struct Way {
    /// A word that no other choice of the page has.
    pub key: &'static str,
    pub picture: Pictogram,
    pub title: Html,
    /// What is to be said of it at a glance.
    pub badge: Option<(Tone, Html)>,
    pub text: Html,
    pub action: String,
    pub hidden: Vec<(&'static str, String)>,
    pub fields: Vec<Field>,
    /// What is used without the fields. They are then folded away below the second text.
    pub folded: Option<(Html, Html)>,
    pub button: Button,
}

/// A part of a page.
#[derive(Debug, Clone)]
pub enum Block {
    /// The title, with a sign above it and lines below.
    Head { sign: Option<Tone>, title: Html, lines: Vec<Html> },
    /// The title of a section.
    Section { id: &'static str, title: Html },
    /// Pairs of a name and a value.
    Facts(Vec<(Html, Html)>),
    /// Something to heed.
    Notice { tone: Tone, text: Html },
    /// A code to read.
    Code(Html),
    /// The same below what it is for.
    Labelled { label: Html, code: Html },
    /// A form that posts to `action`.
    Form { action: String, hidden: Vec<(&'static str, String)>, fields: Vec<Field>, buttons: Vec<Button> },
    /// One of several ways.
    Way(Box<Way>),
    /// A picture for cameras, with what it is for those who do not see it.
    Picture(Qr, Html),
    /// What to type where a picture cannot be read: folded away until it is asked for. The key is in groups, and one tap
    /// selects the whole of it without the gaps.
    Key { summary: Html, facts: Vec<(Html, Html)>, name: Html, groups: Vec<String> },
    /// Something to know, in small letters, with a link if there is more of it elsewhere.
    Aside { text: Html, link: Option<(String, Html)> },
    /// Links that look like buttons.
    Links(Vec<(Weight, String, Html)>),
    /// The same, each in a window apart, so that this page stays.
    Apart(Vec<(Weight, String, Html)>),
    /// What to do, in order.
    Steps(Vec<Html>),
    /// Things, each with the state it is in.
    Rows(Vec<(Html, Tone, Html)>),
    /// What is shown where there is nothing.
    Empty { title: Html, text: Html },
    /// Signs of all tones, one sign beside the other, to be looked at.
    Signs(Vec<Tone>),
    /// Classes of the sheet, to be looked at.
    Swatches(Vec<(&'static str, Html)>),
}

impl Block {
    /// As the template takes it.
    pub(crate) fn value(&self) -> Value {
        let pairs = |facts: &[(Html, Html)]| {
            let fact = |(name, value): &(Html, Html)| context! { name => name.value(), value => value.value() };
            facts.iter().map(fact).collect::<Vec<_>>()
        };
        let links = |links: &[(Weight, String, Html)]| {
            let link = |(weight, href, text): &(Weight, String, Html)| {
                context! { class => weight.class(), href => Html::text(href).value(), text => text.value() }
            };
            links.iter().map(link).collect::<Vec<_>>()
        };
        match self {
            Self::Head { sign, title, lines } => {
                let line = |(place, text): (usize, &Html)| {
                    context! { class => if place == 0 { "lead" } else { "muted" }, text => text.value() }
                };
                context! {
                    kind => "head",
                    sign => sign.map_or("", Tone::class),
                    drawing => sign.map_or_else(|| Value::from(""), Tone::drawing),
                    title => title.value(),
                    lines => lines.iter().enumerate().map(line).collect::<Vec<_>>(),
                }
            }
            Self::Section { id, title } => context! { kind => "section", id => *id, title => title.value() },
            Self::Facts(facts) => context! { kind => "facts", facts => pairs(facts) },
            Self::Notice { tone, text } => context! {
                kind => "notice",
                tone => tone.class(),
                role => match tone {
                    Tone::Danger => "alert",
                    Tone::Waiting => "status",
                    _ => "",
                },
                drawing => tone.drawing(),
                text => text.value(),
            },
            Self::Code(code) => context! { kind => "code", label => "", text => code.value() },
            Self::Labelled { label, code } => {
                context! { kind => "code", label => label.value(), text => code.value() }
            }
            Self::Form { action, hidden, fields, buttons } => {
                let form = form(action, hidden, "", fields, buttons);
                context! { kind => "form", class => "buttons", ..form }
            }
            Self::Way(choice) => choice.value(),
            Self::Picture(code, alt) => context! {
                kind => "picture", side => code.side(), path => code.path(), alt => alt.value(),
            },
            Self::Key { summary, facts, name, groups } => context! {
                kind => "key",
                summary => summary.value(),
                facts => pairs(facts),
                name => name.value(),
                groups => groups.iter().map(|group| Html::text(group).value()).collect::<Vec<_>>(),
            },
            Self::Aside { text, link } => {
                let (href, link) = link.as_ref().map(|(href, said)| (Html::text(href).value(), said.value())).unzip();
                context! { kind => "aside", text => text.value(), href => href, link => link }
            }
            Self::Links(list) => context! { kind => "links", apart => false, links => links(list) },
            Self::Apart(list) => context! { kind => "links", apart => true, links => links(list) },
            Self::Steps(steps) => {
                context! { kind => "steps", steps => steps.iter().map(Html::value).collect::<Vec<_>>() }
            }
            Self::Rows(rows) => {
                let row = |(text, tone, badge): &(Html, Tone, Html)| {
                    context! { text => text.value(), tone => tone.class(), badge => badge.value() }
                };
                context! { kind => "rows", rows => rows.iter().map(row).collect::<Vec<_>>() }
            }
            Self::Empty { title, text } => context! { kind => "empty", title => title.value(), text => text.value() },
            Self::Signs(tones) => {
                let sign = |tone: &Tone| context! { class => tone.class(), drawing => tone.drawing() };
                context! { kind => "signs", signs => tones.iter().map(sign).collect::<Vec<_>>() }
            }
            Self::Swatches(swatches) => {
                let swatch = |(class, text): &(&'static str, Html)| context! { class => *class, text => text.value() };
                context! { kind => "swatches", swatches => swatches.iter().map(swatch).collect::<Vec<_>>() }
            }
        }
    }
}

/// What every form has. `key` is put before the ids of its fields.
fn form(action: &str, hidden: &[(&'static str, String)], key: &str, fields: &[Field], buttons: &[Button]) -> Value {
    let hidden = hidden.iter().map(|(name, value)| context! { name => *name, value => Html::text(value).value() });
    context! {
        key => "",
        folded => "",
        action => Html::text(action).value(),
        hidden => hidden.collect::<Vec<_>>(),
        fields => fields.iter().map(|field| field.value(key)).collect::<Vec<_>>(),
        buttons => buttons.iter().map(Button::value).collect::<Vec<_>>(),
    }
}

impl Way {
    fn value(&self) -> Value {
        let key = format!("{}-", self.key);
        let form = form(&self.action, &self.hidden, &key, &self.fields, std::slice::from_ref(&self.button));
        let (tone, badge) = self.badge.as_ref().map(|(tone, text)| (tone.class(), text.value())).unzip();
        let is_first = self.button.weight == Weight::Primary;
        let folded = self.folded.as_ref();
        // What is wrong with a field has to be seen.
        let is_open = self.fields.iter().any(|field| field.fault.is_some());
        let folded = folded
            .map(|(text, summary)| context! { text => text.value(), summary => summary.value(), open => is_open });
        context! {
            kind => "form",
            folded => folded,
            class => if is_first { "way first" } else { "way" },
            key => self.key,
            drawing => self.picture.drawing(),
            title => self.title.value(),
            tone => tone,
            badge => badge,
            text => self.text.value(),
            ..form
        }
    }
}

impl Button {
    fn value(&self) -> Value {
        let (name, value) = self.says.unwrap_or_default();
        context! { class => self.weight.class(), text => self.text.value(), name, value, disabled => self.disabled }
    }
}

impl Field {
    /// As the template takes it. `key` sets its id apart from that of a field with the same name in another form.
    fn value(&self, key: &str) -> Value {
        let name = self.name;
        let id = format!("{key}{name}");
        let described = [("fault", &self.fault), ("hint", &self.hint)].into_iter();
        let described = described.filter(|(_, text)| text.is_some()).map(|(part, _)| format!("{id}-{part}"));
        let described = described.collect::<Vec<_>>().join(" ");
        let attributes = self.attributes.iter().map(|(name, value)| context! { name => *name, value => *value });
        context! {
            name,
            label => self.label.value(),
            hint => self.hint.as_ref().map_or_else(|| Value::from(""), Html::value),
            fault => self.fault.as_ref().map_or_else(|| Value::from(""), Html::value),
            attributes => attributes.collect::<Vec<_>>(),
            id,
            described_by => described,
        }
    }
}
