//! A planned restart, in the middle of a sending.

use std::sync::Arc;

use serde_json::json;

use crate::common::get;
use crate::common::installation::Installation;
use crate::gateway::{Gateway, Handed, Reply};
use crate::{phone, twilio, wait_until, waiting};

/// Keeps SEC 82.
#[test]
fn a_planned_restart_finishes_what_is_being_sent_and_sends_nothing_twice() {
    let gateway = Gateway::start(Arc::new(|_: &Handed| Reply::TakenLate(1_000)));
    let installation = Installation::new(&format!("{}at_once = 1\n", twilio(&gateway, "+14155550100")));
    let (server, mut api) = installation.serve();
    let phones = [("ana", "+14155550123"), ("ben", "+14255550123")].map(|(name, number)| phone(&mut api, name, number));
    let opened = phones.each_ref().map(|phone| api.expect(201, "POST", &phone.verifications(), &phone.opening()));
    wait_until("the gateway has the first", || gateway.handed().len() == 1);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(gateway.handed().len(), 1, "the second was not begun");

    let (server, mut api, admin) = installation.serve_watched();
    assert!(waiting(&get(&admin, "/metrics")) <= 1, "the first is recorded");
    // It was not claimed, so that no lease keeps it back.
    wait_until("the second is sent", || waiting(&get(&admin, "/metrics")) == 0);
    let handed = gateway.handed();
    let numbers: Vec<&str> = handed.iter().map(|handed| handed.to.as_str()).collect();
    assert_eq!(numbers, ["14155550123", "14255550123"]);
    for ((phone, opened), handed) in phones.iter().zip(&opened).zip(&handed) {
        let path = format!("{}/{}", phone.verifications(), opened["id"].as_str().unwrap());
        let answer = json!({ "otp": handed.code(), "device_id": phone.id }).to_string();
        assert_eq!(api.expect(200, "PUT", &path, &answer)["status"], "accepted");
    }
    assert_eq!(server.stop(), Some(0));
}
