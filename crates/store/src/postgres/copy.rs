//! Puts many rows into a table at once.

use std::pin::pin;

use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use crate::value::Value;

/// Puts rows into a table, of these columns.
pub(crate) async fn copy_in<R: AsRef<[Value]>>(
    client: &Client,
    (name, columns): (&str, &str),
    rows: impl IntoIterator<Item = R>,
) -> Result<(), tokio_postgres::Error> {
    let shape = client.prepare(&format!("SELECT {columns} FROM {name} LIMIT 0")).await?;
    let types: Vec<Type> = shape.columns().iter().map(|column| column.type_().clone()).collect();
    let sink = client.copy_in(&format!("COPY {name} ({columns}) FROM STDIN BINARY")).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for row in rows {
        writer.as_mut().write_raw(row.as_ref()).await?;
    }
    writer.finish().await?;
    Ok(())
}
