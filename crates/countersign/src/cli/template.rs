//! `countersign template`: what people read in messages.

use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::{Value, json};
use words::{Filling, MessageKind, Segments, SmsAlphabet, Words};

use crate::cli::run::ServeArgs;
use crate::{installation, terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum TemplateArgs {
    /// Show messages as people get them, in words of ours or of the configured templates, with a sample code
    Preview {
        /// Kind of message; all of them if none is given
        #[arg(value_parser = kind())]
        kind: Option<MessageKind>,
        /// Language of the person, as de or ja
        #[arg(long)]
        language: Option<String>,
        /// Show the HTML part of mail as well
        #[arg(long)]
        html: bool,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        serve: Box<ServeArgs>,
    },
}

fn kind() -> impl clap::builder::TypedValueParser<Value = MessageKind> {
    PossibleValuesParser::new(MessageKind::ALL.map(MessageKind::name))
        .try_map(|name| MessageKind::from_name(&name).ok_or_else(|| format!("there is no message {name}")))
}

/// What the previews are filled with.
const SAMPLE: Filling<'static> = Filling {
    code: "314159",
    link: "https://mfa.example.com/link/c2FtcGxlLXRva2VuLWluLWEtcHJldmlldy1vZi1tYWls",
    device: "Ana's phone",
    minutes: 2,
};

impl TemplateArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self::Preview { kind, language, html, json, serve } = self;
        let words = installation::words_of(&serve.load()?)?;
        let kinds = kind.map_or_else(|| MessageKind::ALL.to_vec(), |kind| vec![kind]);
        let previews = kinds.into_iter().map(|kind| Preview::of(kind, &words, language.as_deref()));
        if json {
            terminal::say(&Value::Array(previews.map(|preview| preview.json()).collect()).to_string());
        } else {
            let texts: Vec<String> = previews.map(|preview| preview.text(html)).collect();
            terminal::say(&texts.join("\n\n"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A message as people get it.
struct Preview {
    kind: MessageKind,
    said: words::Worded,
    /// How it travels, if it is a text message.
    segments: Option<Segments>,
}

impl Preview {
    fn of(kind: MessageKind, words: &Words, language: Option<&str>) -> Self {
        let said = words.say(kind, language, SAMPLE);
        let segments = kind.is_sms().then(|| words::segments(&said.text));
        Self { kind, said, segments }
    }

    fn json(&self) -> Value {
        let segments = self.segments.map(|segments| {
            json!({
                "alphabet": alphabet(segments), "places": segments.places, "messages": segments.messages,
            })
        });
        let words::Worded { language: _, subject, text, html } = &self.said;
        json!({ "kind": self.kind.name(), "subject": subject, "text": text, "html": html, "segments": segments })
    }

    fn text(&self, with_html: bool) -> String {
        let mut lines = vec![format!("== {}", self.kind.name())];
        lines.extend(self.said.subject.as_ref().map(|subject| format!("Subject: {subject}\n")));
        lines.push(self.said.text.trim_end().to_owned());
        if let Some(segments) = self.segments {
            let Segments { places, messages, .. } = segments;
            let paid = if messages == 1 { "1 text message".to_owned() } else { format!("{messages} text messages") };
            lines.push(format!("-- {paid}: {places} places in {}", alphabet(segments)));
        }
        lines.extend(self.said.html.as_ref().filter(|_| with_html).map(|html| format!("-- HTML\n{}", html.trim_end())));
        lines.join("\n")
    }
}

fn alphabet(segments: Segments) -> &'static str {
    match segments.alphabet {
        SmsAlphabet::Gsm7 => "GSM-7",
        SmsAlphabet::Ucs2 => "UCS-2",
    }
}
