//! How a call to a webhook ended, for people.

use domain::model::outbound::OutboundFault;
use domain::model::webhook::WebhookAnswer;

/// An answer in one word.
pub(super) fn label(answer: Option<WebhookAnswer>) -> String {
    match answer {
        None => "–".to_owned(),
        Some(WebhookAnswer::Status(status)) => status.to_string(),
        Some(WebhookAnswer::Fault(fault)) => fault.name().to_owned(),
    }
}

/// Advice on an answer that is not a success.
pub(super) fn advice(answer: WebhookAnswer) -> &'static str {
    match answer {
        WebhookAnswer::Status(300..=399) => {
            "redirects are not followed, so create it with the address that takes events"
        }
        WebhookAnswer::Status(401 | 403) => "create it with the headers that the receiver asks for (--header)",
        WebhookAnswer::Status(_) => "the receiver's own log says why; anything from 200 to 299 is a yes",
        WebhookAnswer::Fault(OutboundFault::Unresolved) => {
            "look at its address with `countersign webhook list`, and at this machine's DNS"
        }
        WebhookAnswer::Fault(OutboundFault::Forbidden) => {
            "the address is not public; to call into your own network set allow_private = true under [webhooks], restart \
             the server, and create the webhook with --allow-private (plain http is for loopback only)"
        }
        WebhookAnswer::Fault(OutboundFault::Unreachable) => {
            "see whether the receiver runs, and whether a firewall is between"
        }
        WebhookAnswer::Fault(OutboundFault::Tls) => {
            "the receiver must show a certificate for its name that the public authorities vouch for, or those in ca_file \
             under [webhooks]"
        }
        WebhookAnswer::Fault(OutboundFault::Broken) => "what listens there does not speak HTTP/1.1, or hung up",
        WebhookAnswer::Fault(OutboundFault::Late) => {
            "a call must be answered within 5 seconds, so take events first and work on them later"
        }
        WebhookAnswer::Fault(OutboundFault::Unusable) => {
            "its secret does not open with this server's master key; delete it and create it anew"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_a_call_has_its_word_and_its_advice() {
        let faults = OutboundFault::ALL.map(WebhookAnswer::Fault);
        let answers = [302, 401, 500].map(WebhookAnswer::Status).into_iter().chain(faults);
        let advised: std::collections::HashSet<_> = answers.clone().map(advice).collect();
        assert_eq!(advised.len(), 3 + faults.len());
        assert_eq!(advice(WebhookAnswer::Status(403)), advice(WebhookAnswer::Status(401)));
        assert!(advice(WebhookAnswer::Fault(OutboundFault::Forbidden)).contains("--allow-private"));
        assert_eq!((label(None), label(Some(WebhookAnswer::Status(503)))), ("–".to_owned(), "503".to_owned()));
        assert_eq!(label(Some(WebhookAnswer::Fault(OutboundFault::Late))), "timeout");
    }
}
