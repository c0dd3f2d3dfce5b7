//! `[auth]`: what scopes allow.

use crate::row::{Kind, ROW, Row, off};
use crate::section::Section;
use crate::values::Values;

/// The configured effect of scopes.
#[derive(Debug, Clone)]
pub(crate) struct AuthConfig {
    strict_v1_scopes: bool,
    strict_v2_scopes: bool,
}

impl Section for AuthConfig {
    const HEADING: Option<&'static str> = Some("Scopes");

    const ROWS: &'static [Row] = &[
        Row {
            key: "auth.strict_v1_scopes",
            kind: Kind::YesNo,
            about: "v1 trigger and verify need a Manage scope",
            default: Some(off),
            ..ROW
        },
        Row {
            key: "auth.strict_v2_scopes",
            kind: Kind::YesNo,
            about: "MFA v2 needs Manage All",
            default: Some(off),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self {
            strict_v1_scopes: values.yes("auth.strict_v1_scopes"),
            strict_v2_scopes: values.yes("auth.strict_v2_scopes"),
        })
    }

    fn set_dialect(&self, options: &mut onelogin::DialectOptions) {
        options.strict_v1_scopes = self.strict_v1_scopes;
        options.strict_v2_scopes = self.strict_v2_scopes;
    }
}
