//! A workload makes the next request and checks its answer. It is driven as fast as answers come or at a constant rate;
//! the driver knows nothing about its content.

use anyhow::{Result, ensure};

use crate::device::Device;
use crate::wire::Answer;

/// Requests over one connection, one in flight.
pub(crate) trait Workload: Send + 'static {
    /// The next request; `None` when nothing is left to send.
    fn request(&mut self) -> Option<&[u8]>;

    /// Judges the answer to it. An error is what must not happen.
    fn check(&mut self, answer: &Answer<'_>) -> Result<Outcome>;
}

/// What a right answer counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// A spent code was refused.
    Refused,
    /// The first half of an operation.
    Half,
}

/// Which codes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// Fresh codes only.
    Fresh,
    /// Each fresh code, then the same code again.
    FreshThenSpent,
    /// Fresh codes to the echo server, which answers 200 to everything.
    Echo,
}

/// Codes of devices in turn. A device belongs to one workload, so it never has two requests in flight, and every refusal
/// of a fresh code is the server's mistake.
#[derive(Clone)]
pub(crate) struct Codes {
    devices: Vec<Device>,
    turn: usize,
    traffic: Traffic,
    /// Whether the code that was just accepted must be sent again.
    again: bool,
    /// Whether the code that was just sent is spent.
    is_spent: bool,
}

impl Codes {
    /// One workload for each share of the devices.
    pub(crate) fn shared(devices: Vec<Device>, connections: usize, traffic: Traffic) -> Vec<Self> {
        let shares = shares(devices, connections).into_iter();
        shares.map(|devices| Self { devices, turn: 0, traffic, again: false, is_spent: false }).collect()
    }

    /// The same codes for the echo server.
    pub(crate) fn for_echo(workloads: &[Self]) -> Vec<Self> {
        workloads.iter().map(|workload| Self { traffic: Traffic::Echo, ..workload.clone() }).collect()
    }

    /// The devices with their new state.
    pub(crate) fn gathered(workloads: Vec<Self>) -> Vec<Device> {
        workloads.into_iter().flat_map(|workload| workload.devices).collect()
    }
}

impl Workload for Codes {
    fn request(&mut self) -> Option<&[u8]> {
        let again = std::mem::take(&mut self.again);
        let last = self.devices.get_mut(self.turn)?;
        self.is_spent = again && last.spent().is_some();
        if !self.is_spent {
            self.turn = (self.turn + 1) % self.devices.len();
            self.devices[self.turn].fresh();
        }
        Some(self.devices[self.turn].request())
    }

    fn check(&mut self, answer: &Answer<'_>) -> Result<Outcome> {
        let outcome = if self.is_spent { refused(answer) } else { accepted(answer) };
        self.again = self.traffic == Traffic::FreshThenSpent && !self.is_spent;
        outcome.map_err(|wrong| {
            // The state of this device on the server is unknown now.
            let device = self.devices.swap_remove(self.turn);
            (self.turn, self.again) = (0, false);
            wrong.context(format!("user {}", device.user))
        })
    }
}

/// Judges the answer to a fresh code.
pub(crate) fn accepted(answer: &Answer<'_>) -> Result<Outcome> {
    ensure!(answer.status == 200, "a fresh code was answered {}", answer.shown());
    Ok(Outcome::Done)
}

/// Judges the answer to a spent code.
pub(crate) fn refused(answer: &Answer<'_>) -> Result<Outcome> {
    ensure!(answer.status != 200, "A SPENT CODE WAS ACCEPTED AGAIN");
    ensure!(answer.status == 401, "a spent code was answered {}", answer.shown());
    Ok(Outcome::Refused)
}

/// The same read-only requests again and again.
#[derive(Clone)]
pub(crate) struct Ask {
    requests: Vec<Vec<u8>>,
    turn: usize,
    /// The status of the right answer, and a text in its body.
    expected: (u16, &'static str),
}

impl Ask {
    /// One workload for each share of the requests, with the expected status and text.
    pub(crate) fn shared(requests: Vec<Vec<u8>>, connections: usize, expected: (u16, &'static str)) -> Vec<Self> {
        let shares = shares(requests, connections).into_iter();
        shares.map(|requests| Self { requests, turn: 0, expected }).collect()
    }

    /// The same bytes for the echo server on every connection.
    pub(crate) fn for_echo(request: &[u8], connections: usize) -> Vec<Self> {
        Self::shared(vec![request.to_vec(); connections], connections, (200, ""))
    }
}

impl Workload for Ask {
    fn request(&mut self) -> Option<&[u8]> {
        self.turn = (self.turn + 1) % self.requests.len().max(1);
        self.requests.get(self.turn).map(Vec::as_slice)
    }

    fn check(&mut self, answer: &Answer<'_>) -> Result<Outcome> {
        let (status, words) = self.expected;
        ensure!(answer.status == status && answer.holds(words), "expected {status} {words}, got {}", answer.shown());
        Ok(Outcome::Done)
    }
}

/// Distributes things evenly, in turn.
pub(crate) fn shares<T>(things: Vec<T>, count: usize) -> Vec<Vec<T>> {
    let mut shares: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
    for (index, thing) in things.into_iter().enumerate() {
        shares[index % count].push(thing);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::super::device::Token;
    use super::*;

    fn answer(status: u16) -> Answer<'static> {
        Answer { status, head: b"", body: b"" }
    }

    fn codes(traffic: Traffic) -> Codes {
        let device = |user| {
            Device::new(Token::new(b"12345678901234567890", 0), user, |body| format!("{user} {body}").into_bytes())
        };
        Codes::shared(vec![device(1), device(2)], 1, traffic).remove(0)
    }

    fn sent(workload: &mut Codes) -> String {
        String::from_utf8(workload.request().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn each_code_is_sent_twice_and_accepted_once() {
        let mut workload = codes(Traffic::FreshThenSpent);
        for (user, code) in [(2, "755224"), (1, "755224"), (2, "287082")] {
            let expected = format!(r#"{user} {{"otp_token":"{code}"}}"#);
            assert_eq!(sent(&mut workload), expected);
            assert_eq!(workload.check(&answer(200)).unwrap(), Outcome::Done);
            assert_eq!(sent(&mut workload), expected);
            assert_eq!(workload.check(&answer(401)).unwrap(), Outcome::Refused);
        }
    }

    #[test]
    fn a_wrong_answer_is_a_violation_and_ends_the_devices_part() {
        let mut workload = codes(Traffic::FreshThenSpent);
        sent(&mut workload);
        assert!(workload.check(&answer(401)).is_err());
        sent(&mut workload);
        workload.check(&answer(200)).unwrap();
        sent(&mut workload);
        assert!(workload.check(&answer(200)).is_err());
        assert!(workload.request().is_none());
    }

    #[test]
    fn things_are_dealt_out_evenly() {
        assert_eq!(shares(vec![1, 2, 3, 4, 5], 2), [vec![1, 3, 5], vec![2, 4]]);
    }
}
