//! `kill -9` between the hand-over of a message and its record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use serde_json::json;

use crate::common::installation::Installation;
use crate::common::{get, pause};
use crate::gateway::{Gateway, Handed, Plan, Reply};
use crate::{kill, phone, twilio, wait_until, waiting};

/// When the server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Right after the caller has its answer: the message may be queued, claimed or under way.
    Queued,
    /// The gateway has the message and has not answered.
    Handed,
    /// Half an answer is written.
    HalfAnswered,
    /// So many milliseconds after the whole answer was written: it may be recorded or not.
    Answered(u64),
}

/// Kills a process at a moment, once.
struct Killer {
    moment: Moment,
    /// The process, until it is killed.
    process: AtomicU32,
    /// Whether the caller has its answer.
    is_told: AtomicBool,
}

impl Killer {
    fn kill(&self) {
        wait_until("the caller has an answer", || self.is_told.load(Ordering::SeqCst));
        match self.process.swap(0, Ordering::SeqCst) {
            0 => {}
            process => kill(process),
        }
    }

    fn is_over(&self) -> bool {
        self.process.load(Ordering::SeqCst) == 0
    }
}

impl Plan for Killer {
    fn reply(&self, _: &Handed) -> Reply {
        match self.moment {
            _ if self.is_over() => Reply::Taken,
            Moment::Handed => Reply::Hang,
            Moment::HalfAnswered => Reply::Half,
            Moment::Queued | Moment::Answered(_) => Reply::Taken,
        }
    }

    fn answered(&self, _: &Handed) {
        match self.moment {
            Moment::Queued => {}
            Moment::Handed | Moment::HalfAnswered => self.kill(),
            Moment::Answered(milliseconds) => {
                pause(milliseconds);
                self.kill();
            }
        }
    }
}

/// One message whose server is killed at this moment.
fn killed_at(moment: Moment) {
    let killer = Arc::new(Killer { moment, process: AtomicU32::new(0), is_told: AtomicBool::new(false) });
    let gateway = Gateway::start(killer.clone());
    let installation = Installation::new(&twilio(&gateway, "+14155550100"));
    let (mut server, mut api) = installation.serve();
    let device = phone(&mut api, "ana", "+14155550123");
    killer.process.store(server.child.id(), Ordering::SeqCst);

    let opened = api.expect(201, "POST", &device.verifications(), &device.opening());
    killer.is_told.store(true, Ordering::SeqCst);
    if moment == Moment::Queued {
        killer.kill();
    }
    server.child.wait().unwrap();

    let (_server, mut api, admin) = installation.serve_watched();
    wait_until("the message is sent", || waiting(&get(&admin, "/metrics")) == 0);
    let handed = gateway.handed();
    match moment {
        // The record cannot have been made.
        Moment::Handed | Moment::HalfAnswered => assert_eq!(handed.len(), 2, "{moment:?}: {handed:?}"),
        Moment::Queued | Moment::Answered(_) => assert!((1..=2).contains(&handed.len()), "{moment:?}: {handed:?}"),
    }
    assert!(handed.iter().all(|again| *again == handed[0]), "{moment:?}: {handed:?}");
    let answer = json!({ "otp": handed[0].code(), "device_id": device.id }).to_string();
    let path = format!("{}/{}", device.verifications(), opened["id"].as_str().unwrap());
    assert_eq!(api.expect(200, "PUT", &path, &answer)["status"], "accepted", "{moment:?}");
    api.expect(404, "PUT", &path, &answer);
}

/// Keeps SEC 72 and contract 18.1.
#[test]
fn a_message_arrives_at_most_once_more_after_a_kill_and_is_never_lost() {
    let moments = [Moment::Queued, Moment::Handed, Moment::HalfAnswered, Moment::Answered(0), Moment::Answered(40)];
    thread::scope(|scope| {
        for moment in moments {
            scope.spawn(move || killed_at(moment));
        }
    });
}
