//! Loads what decisions and look-ups see.

use domain::{ClientId, ClientView, Digest, UserId, View};

use super::exec::{Failure, Prepared, all, first};
use super::sql;
use crate::hot_state::{UserCounters, user_with_counters};
use crate::rows;
use crate::schema::sql as shared;
use crate::sessions::LiveRow;
use crate::value::{Row as _, Value};

pub(super) fn view(conn: &impl Prepared, user: UserId) -> Result<(View, UserCounters), Failure> {
    let key = [Value::Int(user.0)];
    let found = conn.lend(sql::VIEW, |prepared| {
        let mut rows = prepared.query([user.0])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (user, marks) = user_with_counters(row)?;
        let is_asked = row.int(sql::VIEW_IS_ASKED)? != 0;
        let mut view = View { user: Some(user), ..View::default() };
        view.devices.extend(rows::opt_device(row, &sql::VIEW_DEVICE)?);
        while let Some(row) = rows.next()? {
            view.devices.extend(rows::opt_device(row, &sql::VIEW_DEVICE)?);
        }
        Ok(Some((view, marks, is_asked)))
    })?;
    let Some((mut view, mut marks, is_asked)) = found else { return Ok(Default::default()) };
    // Most answers are to no challenge: a code that the device makes by itself.
    if is_asked {
        for row in all(conn, shared::LIVE_VERIFICATIONS, &key, LiveRow::decode)? {
            row.show(&mut view);
        }
    }
    marks.show(&mut view);
    Ok((view, marks))
}

pub(super) fn client_view(
    conn: &impl Prepared,
    client: ClientId,
    asked: Option<Digest>,
) -> Result<ClientView, Failure> {
    let key = [Value::Int(client.0)];
    Ok(ClientView {
        client: first(conn, shared::CLIENT, &key, rows::client)?,
        newest: first(conn, shared::NEWEST_TOKEN, &key, rows::token_set)?,
        asked: match asked {
            Some(access) => first(conn, shared::TOKEN, &[access.into()], rows::token_set)?,
            None => None,
        },
        newest_of_family: match asked {
            Some(access) => first(conn, shared::NEWEST_OF_FAMILY, &[client.0.into(), access.into()], rows::token_set)?,
            None => None,
        },
    })
}
