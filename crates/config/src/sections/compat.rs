//! `[compat]`: answers where documentation and clients disagree.

use crate::row::{Kind, ROW, Row, Value};
use crate::section::Section;
use crate::values::Values;

/// The configured answers where documentation and clients disagree.
#[derive(Debug, Clone)]
pub(crate) struct CompatConfig {
    v2_wrong_otp_200: bool,
}

impl Section for CompatConfig {
    const HEADING: Option<&'static str> = Some("Answers");

    const ROWS: &'static [Row] = &[Row {
        key: "compat.v2_wrong_otp",
        kind: Kind::OneOf(&[401, 200]),
        about: "Status of a wrong code on PUT registrations: 401 or 200",
        default: Some(|| Value::from(401)),
        ..ROW
    }];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { v2_wrong_otp_200: values.number::<i64>("compat.v2_wrong_otp") == 200 })
    }

    fn set_dialect(&self, options: &mut onelogin::DialectOptions) {
        options.v2_wrong_otp_200 = self.v2_wrong_otp_200;
    }
}
