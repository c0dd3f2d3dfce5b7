//! The fields of a line, unparsed.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// The columns of a list.
pub(super) const NAMES: [&str; 11] = [
    "username",
    "email",
    "phone",
    "external_id",
    "type",
    "secret_base32",
    "counter",
    "digits",
    "period",
    "algorithm",
    "display_name",
];

/// The fields of a line, unparsed. An empty field is absent.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fields {
    #[serde(deserialize_with = "scalar")]
    pub(super) username: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) email: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) phone: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) external_id: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) r#type: Option<String>,
    #[serde(deserialize_with = "secret")]
    pub(super) secret_base32: Option<Zeroizing<String>>,
    #[serde(deserialize_with = "scalar")]
    pub(super) counter: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) digits: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) period: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) algorithm: Option<String>,
    #[serde(deserialize_with = "scalar")]
    pub(super) display_name: Option<String>,
}

impl Fields {
    /// Sets the field with this name. Returns whether there is such a field.
    pub(super) fn set(&mut self, name: &str, value: &str) -> bool {
        let slot = match name {
            "username" => &mut self.username,
            "email" => &mut self.email,
            "phone" => &mut self.phone,
            "external_id" => &mut self.external_id,
            "type" => &mut self.r#type,
            "secret_base32" => {
                self.secret_base32 = given(value).map(Zeroizing::new);
                return true;
            }
            "counter" => &mut self.counter,
            "digits" => &mut self.digits,
            "period" => &mut self.period,
            "algorithm" => &mut self.algorithm,
            "display_name" => &mut self.display_name,
            _ => return false,
        };
        *slot = given(value);
        true
    }

    /// Sets a field, unless it is set. Returns whether it was not.
    pub(super) fn set_once(&mut self, name: &str, value: &str) -> bool {
        let taken = match name {
            "secret_base32" => self.secret_base32.is_some(),
            "algorithm" => self.algorithm.is_some(),
            "digits" => self.digits.is_some(),
            "period" => self.period.is_some(),
            _ => self.counter.is_some(),
        };
        if !taken {
            self.set(name, value.trim());
        }
        !taken
    }

    /// Whether a field is set that only devices have.
    pub(super) fn describe_a_device(&self) -> bool {
        [&self.r#type, &self.counter, &self.digits, &self.period, &self.algorithm, &self.display_name]
            .iter()
            .any(|field| field.is_some())
    }
}

pub(super) fn given(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// A text or a whole number; null and the empty text are absent.
fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    struct Scalar;
    impl Visitor<'_> for Scalar {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a whole number")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(given(text))
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string()))
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string()))
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Scalar)
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(scalar(deserializer)?.map(Zeroizing::new))
}
