//! `[names]`: what people read for each factor.

use domain::FactorKind;
use onelogin::FactorNames;

use crate::row::{Kind, ROW, Row};
use crate::section::Section;
use crate::values::Values;

/// The configured names of factors.
#[derive(Debug, Clone)]
pub(crate) struct NamesConfig {
    names: FactorNames,
}

impl Section for NamesConfig {
    const HEADING: Option<&'static str> = Some("FactorNames of factors");

    const ROWS: &'static [Row] = &[
        Row {
            key: "names.sms",
            kind: Kind::Label,
            about: "What people read for text messages instead of OneLogin SMS: `type_display_name`, and the names in lists of \
                    factors. Clients match on `auth_factor_name` and `device_type`, which stay",
            example: "\"Text message\"",
            ..ROW
        },
        Row {
            key: "names.voice",
            kind: Kind::Label,
            about: "What people read for calls instead of OneLogin Voice",
            example: "\"Phone call\"",
            ..ROW
        },
        Row {
            key: "names.email",
            kind: Kind::Label,
            about: "What people read for codes by mail instead of OneLogin Email",
            example: "\"E-mail\"",
            ..ROW
        },
        Row {
            key: "names.push",
            kind: Kind::Label,
            about: "What people read for prompts on the phone instead of OneLogin Protect",
            example: "\"Phone prompt\"",
            ..ROW
        },
        Row {
            key: "names.totp",
            kind: Kind::Label,
            about: "What people read for authenticator apps instead of Google Authenticator (v1) and Authenticator (v2)",
            example: "\"Authenticator app\"",
            ..ROW
        },
        Row {
            key: "names.hotp",
            kind: Kind::Label,
            about: "What people read for hardware tokens instead of HOTP Token (v1) and HOTP (v2)",
            example: "\"Key fob\"",
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        let named = FactorKind::ALL.into_iter().filter_map(|kind| Some((kind, values.text(key_of(kind))?)));
        Ok(Self { names: FactorNames::new(named) })
    }

    fn set_dialect(&self, options: &mut onelogin::DialectOptions) {
        options.names = self.names.clone();
    }
}

/// The key that names a factor for people.
pub(crate) fn key_of(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Push => "names.push",
        FactorKind::Sms => "names.sms",
        FactorKind::Voice => "names.voice",
        FactorKind::Email => "names.email",
        FactorKind::Totp => "names.totp",
        FactorKind::Hotp => "names.hotp",
    }
}
