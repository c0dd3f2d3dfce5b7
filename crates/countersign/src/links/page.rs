//! What the page of a link shows, from what the engine says of it.

use domain::model::time::MINUTE;
use domain::{Purpose, Timestamp};
use engine::LinkQuestion;
use pages::{LinkPage, LinkPurpose, ShownMoment};

/// The question of a link that waits. `token` is the one in its address; the answer is posted to `action`.
pub(super) fn asks<'a>(question: &'a LinkQuestion, token: &str, action: String, now: Timestamp) -> LinkPage<'a> {
    LinkPage::Asks(pages::LinkForm {
        purpose: match question.purpose {
            Purpose::Enrol => LinkPurpose::Enrolment,
            Purpose::Login | Purpose::SignIn => LinkPurpose::Login,
        },
        client: question.client.as_deref(),
        account: &question.account,
        device: &question.device,
        from: question.from.as_deref(),
        caller: question.caller.as_deref(),
        asked: ShownMoment { minutes: now.since(question.asked_at).max(0) / MINUTE, clock: clock(question.asked_at) },
        until: shown_until(question.expires_at, now),
        action,
        hidden: vec![("token", token.to_owned()), ("nonce", question.nonce.clone())],
    })
}

/// The end of something, as seen from `now`. A minute that has begun is one that is left.
pub(crate) fn shown_until(end: Timestamp, now: Timestamp) -> ShownMoment {
    ShownMoment { minutes: (end.since(now).max(1) + MINUTE - 1) / MINUTE, clock: clock(end) }
}

/// A moment as a clock shows it: `14:31 UTC`, in one piece.
fn clock(moment: Timestamp) -> String {
    let written = onelogin::wire_time::with_seconds(moment.0);
    format!("{}\u{a0}UTC", written.get(11..16).unwrap_or(&written))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> LinkQuestion {
        LinkQuestion {
            client: Some("VPN".to_owned()),
            account: "ana@example.com".to_owned(),
            from: None,
            caller: Some("203.0.113.7".to_owned()),
            purpose: Purpose::Login,
            device: "Ana's mail".to_owned(),
            asked_at: Timestamp(1_772_357_400_000),
            expires_at: Timestamp(1_772_358_000_000),
            language: None,
            nonce: "n".to_owned(),
        }
    }

    #[test]
    fn a_minute_that_has_begun_is_left_and_has_not_gone_by() {
        for (seconds, gone, left) in
            [(-5, 0, 11), (0, 0, 10), (1, 0, 10), (60, 1, 9), (599, 9, 1), (600, 10, 1), (900, 15, 1)]
        {
            let question = question();
            let LinkPage::Asks(page) =
                asks(&question, "t", "/link".to_owned(), Timestamp(1_772_357_400_000 + seconds * 1000))
            else {
                panic!("a link that waits asks");
            };
            assert_eq!((page.asked.minutes, page.until.minutes), (gone, left), "{seconds} s");
            assert_eq!((&*page.asked.clock, &*page.until.clock), ("09:30\u{a0}UTC", "09:40\u{a0}UTC"));
        }
    }
}
