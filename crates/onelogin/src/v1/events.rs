//! `/api/1/events`: the audit trail as a list of events (contract 9).
//!
//! A cursor names the event that a page follows. One call searches a bounded part of the trail, so a page may hold fewer
//! events than asked for and still have a next one; the list ends where there is no `after_cursor`. What the order of ids
//! says depends on the database, as contract 9 explains.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use domain::{Timestamp, UserId};
use engine::{EventFilter, EventPage, Fault, ListError, Span};
use serde_json::Value;

use super::user_error;
use crate::access::{Access, ReadAll};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::{Pagination, v1_error, v1_page, v1_success};
use crate::wire::event::EventWire;
use crate::wire::event_types;
use crate::wire::lists::{Unreadable, members};
use crate::wire::time;
use crate::wire::user::Fields;

/// Events on a page, by default and at most.
const LIMIT: u32 = 50;

#[derive(Debug)]
pub(crate) enum Error {
    User(user_error::Error),
    /// With the id as it was asked for.
    NotFound(String),
}

impl Error {
    /// The error of a list, for `map_err`.
    fn of_list(dialect: &Dialect) -> impl Fn(ListError) -> Self {
        let of = user_error::Error::of_list(dialect);
        move |error| Self::User(of(error))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::User(fault.into())
    }
}

impl From<Unreadable> for Error {
    fn from(bad: Unreadable) -> Self {
        Self::User(bad.into())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::User(error) => error.into_response(),
            Self::NotFound(id) => {
                v1_error(StatusCode::NOT_FOUND, "not found", format!("Event for id {id} was not found"))
            }
        }
    }
}

pub(crate) async fn list(dialect: Dialect, access: Access<ReadAll>, call: ApiCall) -> Result<Response, Error> {
    let asked = EventsRequest::read(&call)?;
    let Some(filter) = filter(&call)? else { return Ok(v1_page(&[Value::Null; 0], &Pagination::default())) };
    let caller = match call.query("client_id") {
        Some(public) if !public.is_empty() => match dialect.engine.client_named(public).await? {
            Some(client) => Some(client),
            None => return Ok(v1_page(&[Value::Null; 0], &Pagination::default())),
        },
        _ => None,
    };
    let filter = EventFilter { client: caller, ..filter };
    let found = dialect.list(access.client(), dialect.engine.events(&filter, asked.page())).await;
    let found = found.map_err(Error::of_list(&dialect))?;
    let ends = (found.events.first().map(|event| event.id), found.next);
    let fields = Fields::parse(call.query("fields"));
    let mut events: Vec<_> = found
        .events
        .into_iter()
        .map(|event| fields.of(&EventWire::new(event, dialect.engine.settings().account_id)))
        .collect();
    if asked.backwards {
        events.reverse();
    }
    Ok(v1_page(&events, &asked.pagination(&call, ends)))
}

pub(crate) async fn get(dialect: Dialect, access: Access<ReadAll>, call: ApiCall) -> Result<Response, Error> {
    let asked = call.path("event_id").to_owned();
    let missing = || Error::NotFound(asked.clone());
    let id = asked.parse::<i64>().ok().filter(|id| *id > 0).ok_or_else(missing)?;
    let filter = EventFilter { id: Some(id), ..EventFilter::default() };
    let page = EventPage { beyond: None, descending: false, limit: 1 };
    let found =
        dialect.list(access.client(), dialect.engine.events(&filter, page)).await.map_err(Error::of_list(&dialect))?;
    let event = found.events.into_iter().next().ok_or_else(missing)?;
    Ok(v1_success(&[EventWire::new(event, dialect.engine.settings().account_id)]))
}

/// The types of events. No token is needed, and the `Authorization` header is not looked at.
pub(crate) async fn types(_: Dialect, _: ApiCall) -> Response {
    let mut types = domain::AuditKind::ALL.map(event_types::of);
    types.sort_unstable_by_key(|known| known.id);
    v1_success(&types.as_slice())
}

/// What a query filters by, without the caller. `None` if nothing can match.
fn filter(call: &ApiCall) -> Result<Option<EventFilter>, Error> {
    let given = |name: &str| call.query(name).filter(|value| !value.is_empty());
    let moment = |name: &'static str| match given(name) {
        None => Ok(None),
        Some(text) => time::read(text).map(|at| Some(Timestamp(at))).ok_or(unreadable(name)),
    };
    let mut at = Span { since: moment("since")?, until: moment("until")? };
    if let Some(moment) = moment("created_at")? {
        at = Span { since: Some(moment), until: Some(moment) };
    }
    let number = |name: &'static str| given(name).map(|text| integer(name, text)).transpose();
    let (id, user) = (number("id")?, number("user_id")?.map(UserId));
    let kinds = match given("event_type_id") {
        None => None,
        Some(ids) => {
            let mut kinds = Vec::new();
            for id in members("event_type_id", ids)? {
                kinds.extend(event_types::kinds(id.parse().map_err(|_| unreadable("event_type_id"))?));
            }
            Some(kinds)
        }
    };
    // No event has a directory or a resolution.
    if number("directory_id")?.is_some() || given("resolution").is_some() {
        return Ok(None);
    }
    Ok(Some(EventFilter { id, kinds, user, client: None, at }))
}

/// An id within 32 bits; larger ones are refused in the words that clients know.
fn integer(name: &'static str, text: &str) -> Result<i64, Error> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unreadable(name));
    }
    let fits = text.parse().ok().filter(|number| *number <= i64::from(i32::MAX));
    fits.ok_or(Error::User(user_error::Error::Words("Integer value must be <= 2147483647")))
}

fn unreadable(name: &str) -> Error {
    Error::User(user_error::Error::incorrect(name))
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EventsRequest {
    limit: u32,
    /// Whether the greatest ids come first.
    descending: bool,
    /// The event that the page follows, or precedes if it is read backwards.
    beyond: Option<i64>,
    backwards: bool,
}

impl EventsRequest {
    fn read(call: &ApiCall) -> Result<Self, Error> {
        let cursor = |name: &'static str| match call.query(name).filter(|cursor| !cursor.is_empty()) {
            None => Ok(None),
            Some(text) => parse_cursor(text).map(Some).ok_or_else(|| unreadable(name)),
        };
        let (after, before) = (cursor("after_cursor")?, cursor("before_cursor")?);
        let limit = call.query("limit").and_then(|text| text.parse().ok()).filter(|limit| *limit > 0);
        let descending = matches!(call.query("sort").map(str::trim), Some("-id" | "-created_at"));
        Ok(Self {
            limit: limit.unwrap_or(LIMIT).min(LIMIT),
            descending,
            beyond: after.or(before),
            backwards: after.is_none() && before.is_some(),
        })
    }

    fn page(self) -> EventPage {
        EventPage { beyond: self.beyond, descending: self.descending != self.backwards, limit: self.limit }
    }

    /// The pages before and after. `first` is the first event found, `next` the one after which the search would go on.
    fn pagination(self, call: &ApiCall, (first, next): (Option<i64>, Option<i64>)) -> Pagination {
        // A page that was asked for by a cursor has a page on that side.
        let came_from = self.beyond.and(first);
        let (before, after) = if self.backwards { (next, came_from) } else { (came_from, next) };
        let link = |name: &str, id: i64| {
            let rest =
                call.fields().iter().filter(|(name, _)| !matches!(name.as_str(), "after_cursor" | "before_cursor"));
            let rest = rest.map(|(name, value)| (name.as_str(), value.as_str()));
            let cursor = cursor(id);
            let query: Vec<_> = rest.chain([(name, cursor.as_str())]).collect();
            let query = serde_urlencoded::to_string(query).unwrap_or_default();
            format!("{}{}?{query}", call.base_url(), call.target())
        };
        Pagination {
            before_cursor: before.map(cursor),
            after_cursor: after.map(cursor),
            previous_link: before.map(|id| link("before_cursor", id)),
            next_link: after.map(|id| link("after_cursor", id)),
        }
    }
}

fn cursor(id: i64) -> String {
    BASE64URL_NOPAD.encode(format!("event={id}").as_bytes())
}

fn parse_cursor(text: &str) -> Option<i64> {
    let plain = BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()?;
    std::str::from_utf8(&plain).ok()?.strip_prefix("event=")?.parse().ok().filter(|id| *id > 0)
}
