//! Limits on messages, over nodes whose first gateway fails: what is handed over is never more than what they allow.

use std::sync::Arc;
use std::thread;

use crate::common::Http;
use crate::gateway::{Gateway, Handed, Reply};
use crate::nodes::Nodes;
use crate::{Phone, phone};

/// Challenges these telephones, on all nodes at once and each on one of them. Gives how many messages were promised.
fn challenge_all(apis: &mut [Http], phones: &[Phone]) -> usize {
    let of = apis.len();
    let challenge =
        |n: usize, api: &mut Http| phones.iter().skip(n).step_by(of).filter(|phone| is_challenged(api, phone)).count();
    let challenge = &challenge;
    thread::scope(|scope| {
        let running: Vec<_> =
            apis.iter_mut().enumerate().map(|(n, api)| scope.spawn(move || challenge(n, api))).collect();
        running.into_iter().map(|one| one.join().unwrap()).sum()
    })
}

/// Whether a challenge is allowed; what is not names the time to wait.
fn is_challenged(api: &mut Http, phone: &Phone) -> bool {
    let answer = api.send("POST", &phone.verifications(), &phone.opening()).unwrap();
    match answer.status {
        201 => true,
        429 => {
            assert!(answer.header("retry-after").is_some());
            false
        }
        other => panic!("{other}: {}", answer.body),
    }
}

/// Keeps SEC 33 and SEC 34.
#[test]
fn no_more_is_handed_over_than_the_limits_allow_on_all_nodes_together_and_a_second_try_counts_nothing() {
    const PER_DEVICE: usize = 5;
    const PER_NUMBER: usize = 10;
    const PER_SERVER: usize = 40;
    let first = Gateway::start(Arc::new(|_: &Handed| Reply::Status(500)));
    let second = Gateway::start(Arc::new(|_: &Handed| Reply::Taken));
    let limits = "message_interval_seconds = 0\nmessages_per_server = 40\n";
    let Some(nodes) = Nodes::over([first, second], limits) else { return };
    // While Germany is still listed.
    let (node, mut api) = nodes.start(0, "['US', 'DE']");
    let abroad = phone(&mut api, "abroad", "+4915112345678");
    assert_eq!(node.stop(), Some(0));
    let (running, mut apis): (Vec<_>, Vec<_>) = (0..3).map(|n| nodes.start(n, "['US']")).unzip();
    // How many messages have arrived at numbers that begin so.
    let to = |digits: &str| {
        nodes.settle();
        nodes.taken().iter().filter(|handed| handed.to.starts_with(digits)).count()
    };

    // One device. A newer code ends an older one that is not sent yet.
    let ana = phone(&mut apis[0], "ana", "+14152000001");
    assert_eq!(challenge_all(&mut apis, &vec![ana; 24]), PER_DEVICE);
    let sent_to_ana = to("14152000001");
    assert!((1..=PER_DEVICE).contains(&sent_to_ana), "{sent_to_ana}");

    // One number of many users.
    let sharing: Vec<_> = (0..30).map(|n| phone(&mut apis[n % 3], &format!("ben{n}"), "+14152000101")).collect();
    assert_eq!((challenge_all(&mut apis, &sharing), to("14152000101")), (PER_NUMBER, PER_NUMBER));

    // A country that is listed no more.
    for api in &mut apis {
        let refused = api.send("POST", &abroad.verifications(), &abroad.opening()).unwrap();
        assert_eq!(refused.status, 422, "{}", refused.body);
    }

    // All of them together.
    let number = |n: usize| format!("+1415{}", 3_000_000 + n * 101);
    let others: Vec<_> = (0..40).map(|n| phone(&mut apis[n % 3], &format!("cem{n}"), &number(n))).collect();
    let left = PER_SERVER - PER_DEVICE - PER_NUMBER;
    assert_eq!((challenge_all(&mut apis, &others), to("14153")), (left, left));
    assert_eq!((to(""), to("49")), (sent_to_ana + PER_NUMBER + left, 0));
    let tried = nodes.gateways[0].handed().len();
    assert!((1..=PER_SERVER).contains(&tried), "the first gateway was tried, and no message twice: {tried}");
    for node in running {
        assert_eq!(node.stop(), Some(0));
    }
}
