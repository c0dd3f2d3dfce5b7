//! Pages of the list of users, and their position in the list (contract 1.9): v1 has it in the body, v2 in headers.
//!
//! A page has a number and a size, and a cursor holds both. Cursors are opaque to callers. A cursor that is not ours is
//! refused: if it meant the first page, a client would read the list forever.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use data_encoding::{BASE64URL, BASE64URL_NOPAD};
use engine::{Engine, Page, UserFilter, UserPage};

use crate::wire::call::ApiCall;
use crate::wire::envelope::Pagination;

/// Users on a page, by default and at most.
const USERS: u32 = 50;

/// The query fields that choose a page. All others belong to the list and are kept in links.
const PAGING: &[&str] = &["limit", "page", "cursor", "after_cursor", "before_cursor"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageRequest {
    limit: u32,
    page: u64,
    descending: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadPage {
    /// The parameter that holds a cursor that we did not make.
    Cursor(&'static str),
    /// The list cannot be sorted by this.
    Sort(String),
}

impl PageRequest {
    /// Reads a v1 query: `limit`, `after_cursor`, `before_cursor`. An unknown sort order is ignored.
    pub(crate) fn v1(call: &ApiCall) -> Result<Self, BadPage> {
        Self::read(call, &["after_cursor", "before_cursor"], None, descending(call).unwrap_or(false))
    }

    /// Reads a v2 query: `limit`, `page`, `cursor`.
    pub(crate) fn v2(call: &ApiCall) -> Result<Self, BadPage> {
        Self::read(call, &["cursor"], call.query("page"), descending(call)?)
    }

    /// An invalid size or number counts as absent, a size that is too large as the largest.
    fn read(call: &ApiCall, cursors: &[&'static str], page: Option<&str>, descending: bool) -> Result<Self, BadPage> {
        for name in cursors {
            if let Some(cursor) = call.query(name).filter(|cursor| !cursor.is_empty()) {
                let (limit, page) = parse_cursor(cursor).ok_or(BadPage::Cursor(name))?;
                return Ok(Self { limit, page, descending });
            }
        }
        let positive = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        Ok(Self {
            limit: call.query("limit").and_then(positive).unwrap_or(USERS).min(USERS),
            page: page.and_then(positive).map_or(1, u64::from),
            descending,
        })
    }

    /// The users of this page, and its position.
    pub(crate) async fn find(
        self,
        engine: &Engine,
        filter: &UserFilter,
    ) -> Result<(UserPage, PagePosition), engine::Fault> {
        let found = if self.descending {
            let total = engine.users(filter, Page { limit: 1, offset: 0 }).await?.total;
            let (limit, offset) = self.counted_backwards(total);
            let mut found = engine.users(filter, Page { limit, offset }).await?;
            found.users.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            found.users.reverse();
            found
        } else {
            engine.users(filter, Page { limit: self.limit, offset: self.before() }).await?
        };
        let place = PagePosition { asked: self, items: found.users.len(), total: found.total };
        Ok((found, place))
    }

    /// Rows before this page.
    fn before(self) -> u64 {
        (self.page - 1).saturating_mul(u64::from(self.limit))
    }

    /// Limit and offset of this page in a list that is counted from the end.
    fn counted_backwards(self, total: u64) -> (u32, u64) {
        let end = total.saturating_sub(self.before());
        let start = end.saturating_sub(u64::from(self.limit));
        (u32::try_from(end - start).unwrap_or(self.limit), start)
    }
}

/// Whether the largest id comes first.
fn descending(call: &ApiCall) -> Result<bool, BadPage> {
    // A plus sign in a query is a space, unless it was escaped.
    match call.query("sort").map(str::trim) {
        None | Some("" | "id" | "+id") => Ok(false),
        Some("-id") => Ok(true),
        Some(other) => Err(BadPage::Sort(other.trim_start_matches(['+', '-']).to_owned())),
    }
}

/// As OneLogin writes it, with padding: Python SDK 2 decodes it and sends its content.
fn cursor(limit: u32, page: u64) -> String {
    BASE64URL.encode(format!("limit={limit}&page={page}").as_bytes())
}

fn parse_cursor(text: &str) -> Option<(u32, u64)> {
    let plain = BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()?;
    let (limit, page) = std::str::from_utf8(&plain).ok()?.strip_prefix("limit=")?.split_once("&page=")?;
    let (limit, page): (u32, u32) = (limit.parse().ok()?, page.parse().ok()?);
    ((1..=USERS).contains(&limit) && page > 0).then_some((limit, u64::from(page)))
}

/// The position of a page in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PagePosition {
    asked: PageRequest,
    items: usize,
    total: u64,
}

impl PagePosition {
    /// A page of an empty list.
    pub(crate) fn of_nothing(asked: PageRequest) -> Self {
        Self { asked, items: 0, total: 0 }
    }

    fn pages(self) -> u64 {
        self.total.div_ceil(u64::from(self.asked.limit))
    }

    /// The page before; beyond the end of the list, its last page.
    fn previous(self) -> Option<u64> {
        let page = (self.asked.page - 1).min(self.pages());
        (page > 0).then_some(page)
    }

    fn next(self) -> Option<u64> {
        (self.asked.page < self.pages()).then(|| self.asked.page + 1)
    }

    fn cursor(self, page: u64) -> String {
        cursor(self.asked.limit, page)
    }

    /// The `pagination` of a v1 list.
    pub(crate) fn pagination(self, call: &ApiCall) -> Pagination {
        let link = |name, page: u64| url(call, &[(name, self.cursor(page))]);
        Pagination {
            before_cursor: self.previous().map(|page| self.cursor(page)),
            after_cursor: self.next().map(|page| self.cursor(page)),
            previous_link: self.previous().map(|page| link("before_cursor", page)),
            next_link: self.next().map(|page| link("after_cursor", page)),
        }
    }

    /// The headers of a v2 list. At either end of the list the cursor's header is absent.
    pub(crate) fn headers(self, call: &ApiCall) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut number = |name, number: u64| headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
        number("current-page", self.asked.page);
        number("page-items", self.items as u64);
        number("total-count", self.total);
        number("total-pages", self.pages());
        let link = |page: u64, rel| {
            let url = url(call, &[("limit", self.asked.limit.to_string()), ("page", page.to_string())]);
            format!("<{url}>; rel=\"{rel}\"")
        };
        let links = [(Some(1), "first"), (Some(self.pages().max(1)), "last"), (self.next(), "next")];
        let links: Vec<_> = links.into_iter().filter_map(|(page, rel)| Some(link(page?, rel))).collect();
        let mut text = |name, text: String| {
            // Infallible: URLs and cursors are ASCII without controls.
            HeaderValue::try_from(text).ok().map(|value| headers.insert(name, value))
        };
        text(header::LINK, links.join(", "));
        if let Some(page) = self.previous() {
            text(HeaderName::from_static("before-cursor"), self.cursor(page));
        }
        if let Some(page) = self.next() {
            text(HeaderName::from_static("after-cursor"), self.cursor(page));
        }
        headers
    }
}

/// The list's own URL with another page.
fn url(call: &ApiCall, page: &[(&str, String)]) -> String {
    let rest = call.fields().iter().filter(|(name, _)| !PAGING.contains(&name.as_str()));
    let rest = rest.map(|(name, value)| (name.as_str(), value.as_str()));
    let query: Vec<_> = rest.chain(page.iter().map(|(name, value)| (*name, value.as_str()))).collect();
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    format!("{}{}?{query}", call.base_url(), call.target())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(query: &str) -> ApiCall {
        ApiCall::to(&format!("/api/2/users?{query}"), "https://mfa.example")
    }

    fn asked(limit: u32, page: u64) -> PageRequest {
        PageRequest { limit, page, descending: false }
    }

    fn place(limit: u32, page: u64, total: u64) -> PagePosition {
        PagePosition { asked: asked(limit, page), items: 1, total }
    }

    #[test]
    fn a_page_is_read_leniently_and_a_cursor_strictly() {
        for (query, limit, page) in [
            ("", 50, 1),
            ("limit=5&page=3", 5, 3),
            ("limit=0&page=0", 50, 1),
            ("limit=500", 50, 1),
            ("limit=x&page=-1", 50, 1),
            ("cursor=", 50, 1),
            (&format!("limit=7&cursor={}", cursor(5, 3)), 5, 3),
        ] {
            assert_eq!(PageRequest::v2(&call(query)), Ok(asked(limit, page)), "{query}");
        }
        assert_eq!(PageRequest::v1(&call("page=3")), Ok(asked(50, 1)), "v1 knows no page numbers");
        assert_eq!(PageRequest::v1(&call(&format!("before_cursor={}", cursor(5, 2)))), Ok(asked(5, 2)));
        for bad in ["x", "bGltaXQ9NTA", &cursor(51, 1), &cursor(0, 1), &cursor(5, 0)] {
            assert_eq!(PageRequest::v2(&call(&format!("cursor={bad}"))), Err(BadPage::Cursor("cursor")), "{bad}");
        }
    }

    #[test]
    fn a_list_is_sorted_by_id_in_either_direction() {
        for plain in ["sort=id", "sort=+id", "sort=%2Bid", "sort="] {
            assert_eq!(PageRequest::v2(&call(plain)), Ok(asked(50, 1)), "{plain}");
        }
        assert!(PageRequest::v2(&call("sort=-id")).unwrap().descending);
        assert_eq!(PageRequest::v2(&call("sort=-created_at")), Err(BadPage::Sort("created_at".to_owned())));
        assert_eq!(PageRequest::v1(&call("sort=-created_at")), Ok(asked(50, 1)));
    }

    #[test]
    fn pages_counted_counted_backwards_cover_the_list() {
        let pages: Vec<_> = (1..=4).map(|page| asked(2, page).counted_backwards(5)).collect();
        assert_eq!(pages, [(2, 3), (2, 1), (1, 0), (0, 0)]);
    }

    #[test]
    fn the_first_middle_and_last_page_know_their_neighbours() {
        let around = |page, total| {
            let place = place(2, page, total);
            (place.previous(), place.next())
        };
        assert_eq!(around(1, 5), (None, Some(2)));
        assert_eq!(around(2, 5), (Some(1), Some(3)));
        assert_eq!(around(3, 5), (Some(2), None));
        assert_eq!(around(9, 5), (Some(3), None));
        assert_eq!(around(1, 0), (None, None));
        assert_eq!(around(7, 0), (None, None));
    }

    #[test]
    fn v2_tells_its_place_in_headers() {
        let headers = place(2, 2, 5).headers(&call("email=a%40b.c&limit=2&page=2"));
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("current-page"), Some("2"));
        assert_eq!(header("page-items"), Some("1"));
        assert_eq!(header("total-count"), Some("5"));
        assert_eq!(header("total-pages"), Some("3"));
        assert_eq!(header("before-cursor"), Some(cursor(2, 1).as_str()));
        assert_eq!(header("after-cursor"), Some(cursor(2, 3).as_str()));
        let url = |page: u8| format!("https://mfa.example/api/2/users?email=a%40b.c&limit=2&page={page}");
        let link = format!("<{}>; rel=\"first\", <{}>; rel=\"last\", <{}>; rel=\"next\"", url(1), url(3), url(3));
        assert_eq!(header("link"), Some(link.as_str()));
        let only = place(50, 1, 0).headers(&call(""));
        assert!(!only.contains_key("before-cursor") && !only.contains_key("after-cursor"));
        assert_eq!(only["total-pages"], "0");
    }

    #[test]
    fn v1_tells_its_place_in_the_body() {
        let call = call("firstname=A&limit=2&after_cursor=x");
        let url = |name: &str, page| {
            let escaped = cursor(2, page).replace('=', "%3D");
            format!("https://mfa.example/api/2/users?firstname=A&{name}={escaped}")
        };
        assert_eq!(
            place(2, 2, 5).pagination(&call),
            Pagination {
                before_cursor: Some(cursor(2, 1)),
                after_cursor: Some(cursor(2, 3)),
                previous_link: Some(url("before_cursor", 1)),
                next_link: Some(url("after_cursor", 3)),
            }
        );
        assert_eq!(place(2, 1, 1).pagination(&call), Pagination::default());
    }
}
