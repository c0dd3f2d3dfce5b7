//! Takes the receipts of providers: what became of messages that they had taken (contract 18.3, SEC 97). The provider checks
//! its receipt; here it is taken once, and counted on its route. Nothing else changes: a caller who chooses recipients
//! chooses what receipts say, so none of them takes a route down or brings it back.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use domain::model::country;
use domain::{Channel, Timestamp};

use crate::provider::signature::{Callback, Mark, Receipt, Refusal};
use crate::route::{Ending, Route, Routes};

/// Receipts that are remembered at once. Signed receipts have no rate limit; beyond this number, the one that ends first is
/// forgotten.
const REMEMBERED: usize = 200_000;

/// Takes the receipts of a node.
pub struct Receipts {
    routes: Routes,
    taken: Mutex<Replays>,
}

impl Receipts {
    /// Receipts of messages that went over these routes.
    pub fn over(routes: &Routes) -> Self {
        Self { routes: routes.clone(), taken: Mutex::default() }
    }

    /// Where a provider's receipts are to be sent to, below the public URL.
    pub fn path(provider: &str) -> String {
        format!("/callbacks/{provider}/status")
    }

    /// Whether receipts that are sent to this path can be checked.
    pub fn are_taken_at(&self, path: &str) -> bool {
        self.routes_at(path).next().is_some()
    }

    /// Takes a receipt that was sent to this path.
    pub fn take(&self, path: &str, callback: &Callback<'_>, now: Timestamp) -> Result<(), Refusal> {
        let mut route = self.routes_at(path).next().ok_or(Refusal::Unsigned)?;
        let checked = route.provider().receipt(callback, now);
        let is_replayed =
            |receipt: &Receipt| !self.taken.lock().unwrap_or_else(PoisonError::into_inner).is_new(receipt, now);
        match checked {
            Ok(receipt) if !is_replayed(&receipt) => {
                route = self.routes_at(path).find(|route| route.channel() == receipt.channel).unwrap_or(route);
                if let Some(delivered) = receipt.delivered.filter(|_| receipt.counts) {
                    let number = format!("+{}", receipt.to.trim_start_matches('+'));
                    let outcome = if delivered { Ending::DELIVERED } else { Ending::UNDELIVERED };
                    route.hear(Ending { country: country::of_number(&number).first().copied(), outcome });
                }
                Ok(())
            }
            Err(Refusal::NotUnderstood) => Err(Refusal::NotUnderstood),
            Ok(_) | Err(Refusal::Unsigned) => {
                route.hear(Ending { country: None, outcome: Ending::NOT_TAKEN });
                Err(Refusal::Unsigned)
            }
        }
    }

    /// The routes whose provider's receipts are sent to this path, that of text messages first.
    fn routes_at(&self, path: &str) -> impl Iterator<Item = &Route> {
        let provider = path.strip_prefix("/callbacks/").and_then(|path| path.strip_suffix("/status"));
        let of_both = [Channel::Sms, Channel::Voice].into_iter().flat_map(|channel| self.routes.of(channel));
        of_both.map(Arc::as_ref).filter(move |route| {
            let is_its = provider.is_some_and(|provider| route.provider().name() == provider);
            is_its && route.provider().signs_receipts()
        })
    }
}

/// The receipts that were taken, each until it would no longer count.
#[derive(Debug, Default)]
struct Replays {
    until: HashMap<Mark, Timestamp>,
    by_end: BTreeSet<(Timestamp, Mark)>,
}

impl Replays {
    /// Whether a receipt is taken for the first time; from now on it is known. When too many are remembered, the one that
    /// ends first is forgotten.
    fn is_new(&mut self, receipt: &Receipt, now: Timestamp) -> bool {
        while let Some((until, _)) = self.by_end.first()
            && (*until <= now || self.by_end.len() >= REMEMBERED)
        {
            if let Some((_, mark)) = self.by_end.pop_first() {
                self.until.remove(&mark);
            }
        }
        if self.until.contains_key(&receipt.mark) {
            return false;
        }
        self.until.insert(receipt.mark, receipt.until);
        self.by_end.insert((receipt.until, receipt.mark));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use domain::Secret;
    use domain::model::time::{HOUR, MINUTE, SECOND};
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use hyper::HeaderMap;
    use sha1::Sha1;

    use super::*;
    use crate::breaker::RouteState;
    use crate::{Calling, Provider, TwilioProvider, TwilioSettings};

    const NOW: Timestamp = Timestamp(1_440_938_160_000);
    const CALLBACK: &str = "https://mfa.example.com/callbacks/twilio/status";
    const PATH: &str = "/callbacks/twilio/status";

    fn receipts() -> Receipts {
        let provider = TwilioProvider::new(TwilioSettings {
            account_sid: "AC00000000000000000000000000000001".to_owned(),
            auth_token: Secret::new(b"token".to_vec()),
            from: Some("+15005550001".to_owned()),
            messaging_service_sid: None,
            voice_from: None,
            digits_callback: None,
            base_url: None,
            status_callback: Some(CALLBACK.to_owned()),
            calling: Calling::by(Arc::new(|| NOW)),
        });
        Receipts::over(&Routes::over([Arc::new(provider.unwrap()) as Arc<dyn Provider>]))
    }

    /// What is sent with a receipt: query, signature, form.
    struct Sent(String, String, String);

    fn sent(query: &str, status: &str, sid: &str) -> Sent {
        let fields = [("MessageSid", sid), ("MessageStatus", status), ("To", "+4915112345678")];
        let mut signed = format!("{CALLBACK}?{query}");
        for (name, value) in fields {
            signed.extend([name, value]);
        }
        let mut hmac = <Hmac<Sha1>>::new_from_slice(b"token").unwrap();
        hmac.update(signed.as_bytes());
        let signature = data_encoding::BASE64.encode(&hmac.finalize().into_bytes());
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Sent(query.to_owned(), signature, form)
    }

    fn of(queued_at: Timestamp, status: &str, sid: &str) -> Sent {
        sent(&format!("message=4711-{}", queued_at.0), status, sid)
    }

    fn take(receipts: &Receipts, Sent(query, signature, form): &Sent, now: Timestamp) -> Result<(), Refusal> {
        let headers = HeaderMap::from_iter([("x-twilio-signature".parse().unwrap(), signature.parse().unwrap())]);
        receipts.take(PATH, &Callback { headers: &headers, query: Some(query), body: form.as_bytes() }, now)
    }

    /// What was counted: delivered, undelivered, not taken.
    fn counted(receipts: &Receipts) -> (u64, u64, u64) {
        let health = &receipts.routes.health(NOW)[0];
        let of = |outcome| health.receipts.iter().filter(|(ending, _)| ending.outcome == outcome).map(|(_, n)| n).sum();
        (of("delivered"), of("undelivered"), of("not_taken"))
    }

    #[test]
    fn what_a_receipt_says_is_counted_by_country() {
        let receipts = receipts();
        for (status, sid) in [("delivered", "1"), ("undelivered", "2"), ("failed", "3"), ("sent", "4"), ("queued", "5")]
        {
            assert_eq!(take(&receipts, &of(NOW, status, sid), NOW), Ok(()), "{status}");
        }
        assert_eq!(counted(&receipts), (1, 2, 0));
        let health = &receipts.routes.health(NOW)[0];
        assert!(health.receipts.keys().all(|ending| ending.country == Some("DE")), "{health:?}");
        assert_eq!((health.delivered(), health.undelivered()), (Some(1), Some(2)));
    }

    #[test]
    fn of_sixteen_copies_of_a_receipt_one_is_taken() {
        let (receipts, sent, together) = (receipts(), of(NOW, "delivered", "1"), Barrier::new(16));
        let racer = || {
            together.wait();
            take(&receipts, &sent, NOW).is_ok()
        };
        let won = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..16).map(|_| scope.spawn(racer)).collect();
            racers.into_iter().map(|racer| usize::from(racer.join().unwrap())).sum::<usize>()
        });
        assert_eq!((won, counted(&receipts)), (1, (1, 0, 15)));
    }

    /// The signature has no time and is right for ever. The time is in the address that was signed.
    #[test]
    fn a_receipt_that_is_shown_again_counts_at_no_time() {
        let (receipts, sent) = (receipts(), of(NOW, "delivered", "1"));
        take(&receipts, &sent, NOW.plus(SECOND)).unwrap();
        for later in [5 * MINUTE, 6 * MINUTE, HOUR - 1] {
            assert_eq!(take(&receipts, &sent, NOW.plus(later)), Err(Refusal::Unsigned), "{later}");
        }
        // From now on it is a receipt of long ago, and so it is taken and not counted.
        for later in [HOUR, HOUR + SECOND, 100 * HOUR] {
            let _ = take(&receipts, &sent, NOW.plus(later));
        }
        assert_eq!(counted(&receipts).0, 1);
    }

    #[test]
    fn a_receipt_counts_for_an_hour_after_its_message_was_queued() {
        for (age, counts) in [(-MINUTE - 1, 0), (-MINUTE, 1), (0, 1), (HOUR - 1, 1), (HOUR, 0), (100 * HOUR, 0)] {
            let receipts = receipts();
            assert_eq!(take(&receipts, &of(NOW.plus(-age), "delivered", "1"), NOW), Ok(()), "{age}");
            assert_eq!(counted(&receipts).0, counts, "{age}");
        }
    }

    #[test]
    fn a_receipt_without_our_reference_is_taken_and_not_counted() {
        for query in [
            "",
            "message=",
            "message=4711",
            "message=4711-144093816000",
            "message=4711-14409381600000",
            "message=x-1440938160000",
            "other=4711-1440938160000",
        ] {
            let receipts = receipts();
            assert_eq!(take(&receipts, &sent(query, "delivered", "1"), NOW), Ok(()), "{query}");
            assert_eq!(counted(&receipts), (0, 0, 0), "{query}");
        }
    }

    /// URL and fields are signed run together, so where the URL ends can be moved. What is moved names no time of ours.
    #[test]
    fn no_part_of_a_signed_receipt_is_another_receipt() {
        let Sent(query, signature, form) = of(NOW, "delivered", "1");
        let field = "MessageSid=1&";
        let moved = [
            Sent(format!("{query}MessageSid1"), signature.clone(), form.replace(field, "")),
            Sent(query[..query.len() - 1].to_owned(), signature, form.replace(field, "0MessageSid=1&")),
        ];
        for moved in moved {
            let receipts = receipts();
            assert_eq!(take(&receipts, &moved, NOW), Ok(()), "{}", moved.0);
            assert_eq!(counted(&receipts), (0, 0, 0), "{}", moved.0);
        }
    }

    #[test]
    fn no_receipt_takes_a_route_down_or_brings_it_back() {
        let receipts = receipts();
        let route = receipts.routes.of(Channel::Sms).next().unwrap();
        for number in 0..100 {
            take(&receipts, &of(NOW, "undelivered", &number.to_string()), NOW).unwrap();
        }
        assert_eq!(route.state(NOW), RouteState::Up);
        (0..5).for_each(|_| route.note(None, Err(crate::SendError::TimedOut), NOW));
        take(&receipts, &of(NOW, "delivered", "x"), NOW).unwrap();
        assert_eq!(route.state(NOW), RouteState::DownUntil(NOW.plus(30_000)));
    }

    #[test]
    fn only_paths_of_providers_that_sign_receipts_take_any() {
        let receipts = receipts();
        assert!(receipts.are_taken_at(PATH) && Receipts::path("twilio") == PATH);
        for path in [
            "/callbacks/vonage/status",
            "/callbacks/twilio",
            "/callbacks/twilio/status/x",
            "/callbacks//status",
            "/callbacks/status",
            "/twilio/status",
        ] {
            assert!(!receipts.are_taken_at(path), "{path}");
        }
    }

    fn receipt(number: usize, until: Timestamp) -> Receipt {
        Receipt {
            channel: Channel::Sms,
            delivered: None,
            to: String::new(),
            counts: true,
            mark: Mark::of(&number.to_be_bytes()),
            until,
        }
    }

    #[test]
    fn a_receipt_is_taken_once_while_it_is_remembered() {
        let mut replays = Replays::default();
        let receipt = receipt(1, NOW.plus(MINUTE));
        assert!(replays.is_new(&receipt, NOW));
        assert!(!replays.is_new(&receipt, NOW));
        assert!(!replays.is_new(&receipt, NOW.plus(MINUTE - 1)));
        assert!(replays.is_new(&receipt, NOW.plus(MINUTE)));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut replays = Replays::default();
        for number in 0..REMEMBERED + 10 {
            assert!(replays.is_new(&receipt(number, NOW.plus(1 + i64::try_from(number).unwrap())), NOW));
        }
        assert_eq!((replays.until.len(), replays.by_end.len()), (REMEMBERED, REMEMBERED));
    }
}
