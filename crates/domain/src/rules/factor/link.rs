//! A link that was mailed: the person opens it and confirms, or says that it was somebody else (SEC 11).

use crate::model::challenge::Challenge;
use crate::model::digest::Digest;
use crate::model::verification::Verification;
use crate::rules::factor::evidence::{Evidence, Freshness, Heard, Proof};

/// What the person chose on the page of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkDecision {
    /// It is me.
    Confirm,
    /// It was not me.
    Disown,
}

/// Judges what came from the page of the link with this token. The only way to answer a [`Challenge::Link`] without a code.
/// Another token says nothing: with 256 bits it is no guess.
pub fn prove_link(asked: &Verification, token: &Digest, decision: LinkDecision) -> Heard {
    let proof = Proof::of_device(asked.device_id, Some(asked.id), Freshness::ThisChallenge);
    let evidence = match &asked.challenge {
        Challenge::Link(link) if link.token.matches(token) => match decision {
            LinkDecision::Confirm => Evidence::Proved(proof),
            LinkDecision::Disown => Evidence::Denied(proof),
        },
        _ => Evidence::Absent,
    };
    Heard::of(asked, evidence)
}
