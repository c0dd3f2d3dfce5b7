//! The parts of a request as templates: body, headers, and the settings that they may use.

use domain::Secret;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};

use super::super::gateway::{self, BadSetting};
use super::super::preset::Preset;
use super::settings::HttpSettings;
use super::template::{Encoding, SETTINGS, Template, Words};

/// What a request carries.
pub(super) enum Body {
    None,
    Form(Vec<(String, Template)>),
    Json(Box<Template>),
}

/// The settings that templates may use.
pub(super) struct Own(Vec<(&'static str, String)>);

impl Own {
    pub(super) fn of(settings: &HttpSettings) -> Result<Self, BadSetting> {
        let secret = settings.secret.as_ref().map(text_of).transpose()?;
        let given = [settings.from.clone(), settings.username.clone(), secret, settings.account.clone()];
        let given = SETTINGS.iter().zip(given).filter_map(|(name, value)| Some((*name, value?)));
        let own: Vec<_> = given.collect();
        for (name, value) in &own {
            gateway::needed(name, value)?;
        }
        Ok(Self(own))
    }

    pub(super) fn words(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl Body {
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let (fields, json) = match self {
            Self::None => (&[][..], None),
            Self::Form(fields) => (&fields[..], None),
            Self::Json(template) => (&[][..], Some(template.as_ref())),
        };
        fields.iter().map(|(_, value)| value).chain(json)
    }

    /// The operator's body, or the preset's if the operator gives none.
    pub(super) fn new(
        settings: &HttpSettings,
        preset: Option<&Preset>,
        samples: &Words<'_>,
    ) -> Result<Self, BadSetting> {
        let (form, json) = match (&settings.form, &settings.json) {
            (Some(_), Some(_)) => return Err(BadSetting::new("form", "this and json exclude each other")),
            (None, None) => (
                preset.and_then(|preset| preset.form).map(owned),
                preset.and_then(|preset| preset.json).map(str::to_owned),
            ),
            (form, json) => (form.clone(), json.clone()),
        };
        if let Some(fields) = form {
            return Ok(Self::Form(fields.iter().map(|line| field(line, samples)).collect::<Result<_, _>>()?));
        }
        let Some(json) = json else { return Ok(Self::None) };
        let template = Template::new("json", &json, Encoding::Json, samples)?;
        let filled = template.fill(samples).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&filled).map_err(|error| BadSetting {
            key: "json",
            line: Some(error.line()),
            problem: "this is no JSON when it is filled; put names in quotation marks".to_owned(),
        })?;
        Ok(Self::Json(Box::new(template)))
    }
}

pub(super) fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|&item| item.to_owned()).collect()
}

fn text_of(secret: &Secret) -> Result<String, BadSetting> {
    let text = std::str::from_utf8(secret.expose());
    text.map(str::to_owned).map_err(|_| BadSetting::new("secret", "this is not UTF-8"))
}

/// `Name: value`. The name is not a template.
pub(super) fn header(line: &str, samples: &Words<'_>) -> Result<(HeaderName, Template), BadSetting> {
    let bad = |problem: &str| BadSetting::new("headers", problem);
    let (name, value) = line.split_once(':').ok_or_else(|| bad("each of them is Name: value"))?;
    let name =
        HeaderName::try_from(name.trim()).map_err(|_| bad("a header's name has a character that none can have"))?;
    if [HOST, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
        return Err(bad("Host, Content-Length and Transfer-Encoding are ours"));
    }
    let template = Template::new("headers", value.trim(), Encoding::Plain, samples)?;
    // The text of a message may have several lines, so it cannot be in a header.
    let filled = template.fill(samples).and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
    filled.ok_or_else(|| bad("a value has a line break when it is filled"))?;
    Ok((name, template))
}

/// `name=value`. The name is not a template.
fn field(line: &str, samples: &Words<'_>) -> Result<(String, Template), BadSetting> {
    let (name, value) = line.split_once('=').unwrap_or_default();
    if name.trim().is_empty() {
        return Err(BadSetting::new("form", "each of them is name=value"));
    }
    Ok((name.trim().to_owned(), Template::new("form", value, Encoding::Plain, samples)?))
}
