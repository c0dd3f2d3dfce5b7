//! Our few kinds of value in PostgreSQL's binary form, and its rows as [`Row`]s.

use std::error::Error as StdError;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use crate::error::Error;
use crate::value::{Row, Value};

type Dyn = Box<dyn StdError + Sync + Send>;

/// A parameter: a value, or a whole column of them where one statement does many rows.
#[derive(Debug, Clone)]
pub(super) enum Param {
    One(Value),
    Many(Vec<Value>),
}

impl From<Value> for Param {
    fn from(value: Value) -> Self {
        Self::One(value)
    }
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Dyn> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Int(number) => match *ty {
                Type::INT8 => out.put_i64(*number),
                Type::INT4 => out.put_i32(i32::try_from(*number)?),
                Type::INT2 => out.put_i16(i16::try_from(*number)?),
                _ => return Err("a number for a column of another type".into()),
            },
            Self::Text(text) => {
                if *ty == Type::JSONB {
                    // The version of its binary form.
                    out.put_u8(1);
                }
                out.put_slice(text.as_bytes());
            }
            Self::Blob(bytes) => out.put_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(
            *ty,
            Type::INT8 | Type::INT4 | Type::INT2 | Type::TEXT | Type::VARCHAR | Type::JSON | Type::JSONB | Type::BYTEA
        )
    }

    to_sql_checked!();
}

impl ToSql for Param {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Dyn> {
        match self {
            Self::One(value) => value.to_sql(ty, out),
            Self::Many(values) => values.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        match ty.kind() {
            Kind::Array(member) => Value::accepts(member),
            _ => Value::accepts(ty),
        }
    }

    to_sql_checked!();
}

struct Int(i64);

impl<'a> FromSql<'a> for Int {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Dyn> {
        Ok(Self(match *ty {
            Type::INT2 => i16::from_sql(ty, raw)?.into(),
            Type::INT4 => i32::from_sql(ty, raw)?.into(),
            _ => i64::from_sql(ty, raw)?,
        }))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::INT2)
    }
}

struct Text<'a>(&'a str);

impl<'a> FromSql<'a> for Text<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Dyn> {
        let raw = if *ty == Type::JSONB { raw.get(1..).unwrap_or_default() } else { raw };
        Ok(Self(std::str::from_utf8(raw)?))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TEXT | Type::VARCHAR | Type::JSON | Type::JSONB)
    }
}

const SHAPE: Error = Error::Corrupt("a column has another type than expected");

impl Row for tokio_postgres::Row {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, Error> {
        let value: Option<Int> = self.try_get(column).map_err(|_| SHAPE)?;
        Ok(value.map(|number| number.0))
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, Error> {
        let value: Option<Text<'_>> = self.try_get(column).map_err(|_| SHAPE)?;
        Ok(value.map(|text| text.0))
    }

    fn opt_blob(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        self.try_get(column).map_err(|_| SHAPE)
    }
}
