//! What phones and telephones answer: pairing, signed accept or deny, keyed digits.

use domain::model::audit::Actor;
use domain::model::code::Alphabet;
use domain::rules::factor::keypad::prove_keypad;
use domain::rules::factor::push::{
    PAIRING_CODE_LENGTH, PAIRING_CONTEXT, PushAnswer, has_paired, prove_answer, prove_pairing,
};
use domain::rules::phone;
use domain::rules::verification::answer;
use domain::{
    Credential, DeviceId, Heard, KeyedDigits, Outcome, PushSubscription, Reason, UserId, VerificationId, View,
};

use words::{Filling, MessageKind, Worded};

use crate::decision_name::DecisionName;
use crate::{Engine, Fault};

/// A phone that was paired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairedPhone {
    pub user: UserId,
    /// As which device.
    pub device: DeviceId,
    /// The account as the person knows it.
    pub account: String,
    pub device_name: String,
}

impl PairedPhone {
    fn of(view: &View, user: UserId, device: DeviceId) -> Self {
        let account = view.user.as_ref().map(domain::User::account_name).unwrap_or_default();
        let device_name = view.device(device).map(|device| device.display_name.clone()).unwrap_or_default();
        Self { user, device, account, device_name }
    }
}

/// A pairing code as it is drawn: in upper case, without blanks and hyphens, and with the digits that look like some letters
/// (Crockford's Base32). `None` if it can be none.
fn pairing_code(typed: &str) -> Option<String> {
    let marks = typed.chars().filter(|mark| !mark.is_whitespace() && *mark != '-');
    let code: String = marks
        .map(|mark| match mark.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    (code.len() == PAIRING_CODE_LENGTH && code.bytes().all(|byte| Alphabet::Crockford.contains(byte))).then_some(code)
}

/// What came of digits that were keyed into a call.
#[derive(Debug, Clone)]
pub struct AnsweredCall {
    pub outcome: Outcome,
    /// What the call says to the person before it ends.
    pub said: Worded,
}

impl Engine {
    /// Pairs a phone: `public_key` is an uncompressed SEC 1 point, `signature` an ES256 over
    /// [`domain::rules::factor::push::pairing_text`] with the code in upper case, as it is drawn. `None` if the code is unknown,
    /// over, or the signature is not the key's. A phone that lost the answer asks again with the same key, and gets it again.
    /// `subscription` says where the phone is notified.
    pub async fn pair_phone(
        &self,
        pairing_code: &str,
        public_key: &[u8],
        signature: &[u8],
        subscription: Option<&PushSubscription>,
        context: Actor,
    ) -> Result<Option<PairedPhone>, Fault> {
        let Some(code) = self::pairing_code(pairing_code) else { return Ok(None) };
        let hash = self.keys.mac_keys().hash(PAIRING_CONTEXT, &code);
        let Some((user, id)) = self.store.pairing(hash).await? else { return Ok(None) };
        let view = self.store.view(user).await?;
        let Some(asked) = view.verification(id) else { return Ok(None) };
        let device = asked.device_id;
        if let Some(known) = phone::paired(&view, device) {
            let credential = self.open_credential(known)?;
            let again = has_paired(asked, &credential, &code, public_key, signature, self.keys.mac_keys());
            return Ok(again.then(|| PairedPhone::of(&view, user, device)));
        }
        let heard = prove_pairing(asked, &code, public_key, signature, self.keys.mac_keys());
        let credential = Credential::Push { public_key: Some(public_key.to_vec()) };
        let sealed = self.seal_credential(device, user, &credential)?.sealed;
        let outcome = self.answer_from_device(user, heard, Some(sealed), context.clone()).await?;
        if !matches!(outcome, Outcome::Accepted { .. }) {
            // The phone's first request may have been decided meanwhile: it has asked again because no answer came.
            let view = self.store.view(user).await?;
            let Some((asked, known)) = view.verification(id).zip(phone::paired(&view, device)) else { return Ok(None) };
            let credential = self.open_credential(known)?;
            let again = has_paired(asked, &credential, &code, public_key, signature, self.keys.mac_keys());
            return Ok(again.then(|| PairedPhone::of(&view, user, device)));
        }
        self.notify_if_invited(&view, id, context).await;
        if subscription.is_some()
            && let Err(error) = self.note_subscription((user, device), subscription).await
        {
            // It is paired all the same, and says where it is notified when its app is opened again.
            tracing::warn!(%error, device = device.0, "where a phone is notified was not noted");
        }
        Ok(Some(PairedPhone::of(&view, user, device)))
    }

    /// Judges a phone's signed answer to a prompt.
    pub(super) async fn answer_prompt(
        &self,
        verification: VerificationId,
        answer: &PushAnswer,
        context: Actor,
    ) -> Result<Outcome, Fault> {
        let Some((user, view)) = self.view_of(verification).await? else {
            return Ok(Outcome::Refused(Reason::NotOpen));
        };
        let found = view.verification(verification).and_then(|v| Some((v, view.device(v.device_id)?)));
        let Some((asked, device)) = found else { return Ok(Outcome::Refused(Reason::NotOpen)) };
        let credential = self.open_credential(device)?;
        let heard = prove_answer(&credential, asked, answer, self.keys.mac_keys());
        self.answer_from_device(user, heard, None, context).await
    }

    /// Judges digits keyed into the telephone, and says what the call is to answer. `None` if another number was called
    /// than the device's (SEC 98).
    pub async fn answer_call(
        &self,
        verification: VerificationId,
        keyed: &KeyedDigits,
        context: Actor,
    ) -> Result<Option<AnsweredCall>, Fault> {
        let not_open = Outcome::Refused(Reason::NotOpen);
        let Some((user, view)) = self.view_of(verification).await? else {
            return Ok(Some(self.answered_call(not_open, None)));
        };
        let language = view.user.as_ref().and_then(|user| user.profile.language());
        let found = view.verification(verification).and_then(|v| Some((v, view.device(v.device_id)?)));
        let Some((asked, device)) = found else { return Ok(Some(self.answered_call(not_open, language))) };
        let credential = self.open_credential(device)?;
        let Some(heard) = prove_keypad(&credential, asked, keyed, self.keys.mac_keys()) else { return Ok(None) };
        let outcome = self.answer_from_device(user, heard, None, context).await?;
        Ok(Some(self.answered_call(outcome, language)))
    }

    fn answered_call(&self, outcome: Outcome, language: Option<&str>) -> AnsweredCall {
        let kind = match &outcome {
            Outcome::Accepted { .. } => MessageKind::KeypadRight,
            Outcome::Refused(Reason::WrongCode) => MessageKind::KeypadWrong,
            Outcome::Refused(_) | Outcome::Pending { .. } => MessageKind::KeypadLate,
        };
        let said = self.words.say(kind, language, Filling::NOTHING);
        AnsweredCall { outcome, said }
    }

    pub(super) async fn view_of(&self, verification: VerificationId) -> Result<Option<(UserId, View)>, Fault> {
        let Some(user) = self.store.whose_verification(verification).await? else { return Ok(None) };
        Ok(Some((user, self.store.view(user).await?)))
    }

    async fn answer_from_device(
        &self,
        user: UserId,
        heard: Heard,
        credential: Option<domain::Sealed>,
        context: Actor,
    ) -> Result<Outcome, Fault> {
        let now = self.now();
        let decide =
            move |view: &domain::View| answer::answer_from_device(view, &heard, credential.as_ref(), &context, now);
        Ok(self.decide(DecisionName::AnswerFromDevice, user, decide).await?)
    }
}
