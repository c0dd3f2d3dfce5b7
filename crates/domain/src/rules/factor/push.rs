//! Push: a phone that holds a P-256 private key signs accept, deny or report (SEC 12, decision 31).
//!
//! Signatures are ES256 as 64 bytes r‖s. What is signed names the protocol, the verification, its nonce and the
//! decision, so that a signature can be used for nothing else.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};

use crate::model::challenge::Challenge;
use crate::model::credential::Credential;
use crate::model::digest::{Digest, MacKeys};
use crate::model::id::{DeviceId, UserId, VerificationId};
use crate::model::response::FactorResponse;
use crate::model::time::MINUTE;
use crate::model::verification::Verification;
use crate::rules::factor::evidence::{Evidence, Freshness, Heard, Proof};

/// Characters in a pairing code (decision 33).
pub const PAIRING_CODE_LENGTH: usize = 8;
/// Digits of the number that people type before they accept, where the client asks for one (SEC 12).
pub const NUMBER_LENGTH: usize = 2;
/// Numbers that one prompt may ask for, one after another, as callers ask again.
pub const MAX_NUMBERS: usize = 5;
/// Bytes in a prompt's nonce.
pub const NONCE_LENGTH: usize = 32;

/// What the person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushDecision {
    /// It is me.
    Accept,
    /// It is not, or not now.
    Deny,
    /// It is somebody else: denied, and no prompt is put for a while (SEC 12).
    Report,
}

impl PushDecision {
    /// The word that is signed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Deny => "deny",
            Self::Report => "report",
        }
    }
}

/// A phone's answer to a prompt.
#[derive(Debug, Clone)]
pub struct PushAnswer {
    /// Accept, deny or report.
    pub decision: PushDecision,
    /// Digits the person typed, where the prompt asked for some.
    pub digits: Option<String>,
    /// The phone's own time in Unix milliseconds: signed, stored, shown, never judged.
    pub signed_at: i64,
    /// ES256, 64 bytes r‖s, over [`answer_text`].
    pub signature: Vec<u8>,
}

/// The bytes a phone signs to answer a prompt.
pub fn answer_text(
    verification: VerificationId,
    nonce: &[u8],
    decision: PushDecision,
    digits: Option<&str>,
    signed_at: i64,
) -> String {
    let nonce = data_encoding::BASE64URL_NOPAD.encode(nonce);
    format!("countersign-push-v1\n{verification}\n{nonce}\n{}\n{}\n{signed_at}", decision.word(), digits.unwrap_or("-"))
}

/// The bytes a phone signs to show that it holds the key it is being paired with.
pub fn pairing_text(pairing_code: &str, public_key: &[u8]) -> String {
    let key = data_encoding::BASE64URL_NOPAD.encode(public_key);
    format!("countersign-pair-v1\n{pairing_code}\n{key}")
}

/// What a paired phone asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneAction {
    /// The prompts that wait for it.
    Requests,
    /// To be notified at an address, or no longer.
    Subscription,
    /// To hear of prompts as they come.
    Events,
}

impl PhoneAction {
    /// The word that is signed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Subscription => "subscription",
            Self::Events => "events",
        }
    }
}

/// How far a phone's time may be from the server's in a request that it signs, in milliseconds (SEC 103).
pub const REQUEST_LIFE: i64 = MINUTE;

/// The bytes a phone signs to ask for something (contract 20.3). `says` is what else the request says.
pub fn request_text(
    action: PhoneAction,
    (user, device): (UserId, DeviceId),
    says: Option<&str>,
    signed_at: i64,
) -> String {
    let digest = says.map(|says| data_encoding::BASE64URL_NOPAD.encode(&Digest::of(says.as_bytes()).0));
    let digest = digest.as_deref().unwrap_or("-");
    format!("countersign-app-v1\n{}\n{user}\n{device}\n{digest}\n{signed_at}", action.word())
}

/// Whether this phone has signed this text.
pub fn has_signed(credential: &Credential, text: &str, signature: &[u8]) -> bool {
    let Credential::Push { public_key: Some(public_key) } = credential else { return false };
    is_signed_by(public_key, text, signature)
}

/// Whether this phone has signed this answer to this prompt, whatever it says.
pub fn has_answered(credential: &Credential, asked: &Verification, answer: &PushAnswer) -> bool {
    let Challenge::Approval { nonce, .. } = &asked.challenge else { return false };
    let digits = answer.digits.as_deref();
    let text = answer_text(asked.id, nonce.expose(), answer.decision, digits, answer.signed_at);
    has_signed(credential, &text, &answer.signature)
}

/// Whether a phone has answered with a number that this prompt has asked for before, and no longer does.
pub fn names_older_number(credential: &Credential, asked: &Verification, answer: &PushAnswer) -> bool {
    let Challenge::Approval { nonce, numbers, .. } = &asked.challenge else { return false };
    let (Some(typed), Some((_, before))) = (&answer.digits, numbers.split_last()) else { return false };
    let text = answer_text(asked.id, nonce.expose(), answer.decision, Some(typed), answer.signed_at);
    answer.decision == PushDecision::Accept
        && numbers.last() != Some(typed)
        && before.contains(typed)
        && has_signed(credential, &text, &answer.signature)
}

/// The numbers of a prompt that is asked for again, `drawn` being the next. None repeats: the caller that was shown it before
/// could collect what the person approves for another caller. `None` once it has asked for [`MAX_NUMBERS`].
pub fn renumbered(before: &[String], drawn: &str) -> Option<Vec<String>> {
    if before.len() >= MAX_NUMBERS {
        return None;
    }
    let length = drawn.len();
    let all = 10_u64.checked_pow(u32::try_from(length).ok()?)?;
    let first: u64 = drawn.parse().ok()?;
    let mut candidates = (0..all).map(|step| format!("{:0length$}", (first + step) % all));
    let next = candidates.find(|number| !before.contains(number))?;
    Some(before.iter().cloned().chain([next]).collect())
}

/// What a pairing code is bound to before it is hashed.
pub const PAIRING_CONTEXT: &str = "pairing";

/// Judges a phone's answer: a valid signature over exactly this prompt proves or denies, anything else is no answer at
/// all. Wrong digits under a valid signature are a wrong answer, but for a number that this prompt has asked for before:
/// it was right when the person read it.
pub fn prove_answer(credential: &Credential, asked: &Verification, answer: &PushAnswer, keys: &MacKeys) -> Heard {
    Heard::of(asked, evidence_of_answer(credential, asked, answer, keys))
}

fn evidence_of_answer(credential: &Credential, asked: &Verification, answer: &PushAnswer, keys: &MacKeys) -> Evidence {
    let Credential::Push { public_key: Some(public_key) } = credential else { return Evidence::Absent };
    let Challenge::Approval { nonce, numbers, .. } = &asked.challenge else { return Evidence::Absent };
    let text = answer_text(asked.id, nonce.expose(), answer.decision, answer.digits.as_deref(), answer.signed_at);
    if !is_signed_by(public_key, &text, &answer.signature) {
        return Evidence::Absent;
    }
    let proof = Proof::of_device(asked.device_id, Some(asked.id), Freshness::ThisChallenge);
    match answer.decision {
        PushDecision::Deny => Evidence::Denied(proof),
        PushDecision::Report => Evidence::Reported(proof),
        PushDecision::Accept if numbers.last() == answer.digits.as_ref() => Evidence::Proved(proof),
        PushDecision::Accept if answer.digits.as_ref().is_some_and(|typed| numbers.contains(typed)) => Evidence::Absent,
        PushDecision::Accept => {
            let response = FactorResponse::typed(answer.digits.as_deref().unwrap_or_default());
            Evidence::Refuted(response.fingerprint(asked.device_id, Some(asked.id), keys))
        }
    }
}

/// Judges a pairing: the code must be the one of this verification and the phone must hold the key it names.
pub fn prove_pairing(
    asked: &Verification,
    pairing_code: &str,
    public_key: &[u8],
    signature: &[u8],
    keys: &MacKeys,
) -> Heard {
    let right = names_pairing(asked, pairing_code, public_key, signature, keys);
    let proof = Proof::of_device(asked.device_id, Some(asked.id), Freshness::ThisChallenge);
    Heard::of(asked, if right { Evidence::Proved(proof) } else { Evidence::Absent })
}

/// Whether this registration has paired this very phone, which asks again because the answer was lost. It proves nothing
/// and changes nothing.
pub fn has_paired(
    asked: &Verification,
    credential: &Credential,
    pairing_code: &str,
    public_key: &[u8],
    signature: &[u8],
    keys: &MacKeys,
) -> bool {
    asked.paired_with().is_some()
        && matches!(credential, Credential::Push { public_key: Some(known) } if known == public_key)
        && names_pairing(asked, pairing_code, public_key, signature, keys)
}

/// Whether the code is the one of this registration, and the phone holds the key that it names.
fn names_pairing(
    asked: &Verification,
    pairing_code: &str,
    public_key: &[u8],
    signature: &[u8],
    keys: &MacKeys,
) -> bool {
    let Challenge::Pairing { hash } = &asked.challenge else { return false };
    keys.matches(hash, PAIRING_CONTEXT, pairing_code)
        && is_uncompressed(public_key)
        && is_signed_by(public_key, &pairing_text(pairing_code, public_key), signature)
}

/// Whether a key has the one form in which it is stored and named (contract 20.2).
fn is_uncompressed(public_key: &[u8]) -> bool {
    public_key.len() == 65 && public_key.first() == Some(&4)
}

fn is_signed_by(public_key: &[u8], text: &str, signature: &[u8]) -> bool {
    let Ok(key) = VerifyingKey::from_sec1_bytes(public_key) else { return false };
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    key.verify(text.as_bytes(), &signature).is_ok()
}
