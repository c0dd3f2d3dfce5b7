//! What the pages of an invitation show, from what the engine says of it.

use domain::model::text::{masked_address, masked_phone};
use domain::model::time::{MINUTE, SECOND};
use domain::{FactorKind, Timestamp};
use engine::{BegunEnrolment, FinishedEnrolment, InvitationQuestion, SentTo, WaitingPhone};
use pages::{
    AuthenticatorForm, AuthenticatorRetry, EnrolChoice, EnrolDone, EnrolFactor, EnrolFault, EnrolForm, EnrolOffer,
    EnrolPage, PairForm, SentCodeForm, TARGET,
};

use crate::links::shown_until;

/// Time until another code may be asked for, in milliseconds.
const AGAIN: i64 = 30 * SECOND;

/// Where the pages of one invitation are.
pub(super) struct Place {
    pub(super) token: String,
    pub(super) nonce: String,
    /// Where forms are posted to.
    pub(super) action: String,
    /// The address of the invitation itself.
    pub(super) start: String,
    /// What the address of the page that waits begins with.
    pub(super) wait: String,
}

/// The kind of factor that a page's word means.
pub(super) fn kind(factor: EnrolFactor) -> FactorKind {
    match factor {
        EnrolFactor::Authenticator => FactorKind::Totp,
        EnrolFactor::Push => FactorKind::Push,
        EnrolFactor::Email => FactorKind::Email,
        EnrolFactor::Sms => FactorKind::Sms,
    }
}

/// The page's word for a kind of factor, if these pages enrol it.
fn factor_of(kind: FactorKind) -> Option<EnrolFactor> {
    EnrolFactor::ALL.into_iter().find(|factor| self::kind(*factor) == kind)
}

/// What was wrong with a code.
pub(super) fn fault(minutes_ahead: Option<i64>) -> EnrolFault {
    match minutes_ahead {
        Some(minutes) if minutes >= 0 => EnrolFault::Fast(minutes),
        Some(minutes) => EnrolFault::Slow(-minutes),
        None => EnrolFault::Wrong,
    }
}

/// The page of a device that is finished. `address` gives a path as a browser has to name it.
pub(super) fn done(finished: &FinishedEnrolment, address: impl Fn(&str) -> String, now: Timestamp) -> EnrolPage<'_> {
    EnrolPage::Done(EnrolDone {
        factor: factor_of(finished.factor).unwrap_or(EnrolFactor::Authenticator),
        account: &finished.account,
        device: &finished.device_name,
        only_number: finished.only_phones,
        replaced: finished.replaced,
        next: finished
            .next
            .as_ref()
            .map(|(token, until)| (address(&format!("/enroll/{token}")), shown_until(*until, now))),
        help: None,
    })
}

impl Place {
    fn form<'a>(&self, account: &'a str, registration: Option<&str>) -> EnrolForm<'a> {
        let mut hidden = vec![("token", self.token.clone()), ("nonce", self.nonce.clone())];
        hidden.extend(registration.map(|id| ("registration", id.to_owned())));
        EnrolForm { account, action: self.action.clone(), hidden, start: self.start.clone() }
    }

    /// What can be enrolled.
    pub(super) fn choose<'a>(&self, question: &'a InvitationQuestion, now: Timestamp) -> EnrolPage<'a> {
        self.choice(question, None, now)
    }

    /// The same, after something that could not be begun.
    pub(super) fn choose_again<'a>(
        &self,
        question: &'a InvitationQuestion,
        refused: EnrolFactor,
        now: Timestamp,
    ) -> EnrolPage<'a> {
        self.choice(question, Some(refused), now)
    }

    fn choice<'a>(
        &self,
        question: &'a InvitationQuestion,
        refused: Option<EnrolFactor>,
        now: Timestamp,
    ) -> EnrolPage<'a> {
        let offer = |kind: &FactorKind| {
            let factor = factor_of(*kind)?;
            let known = match factor {
                EnrolFactor::Email => question.email.as_deref().map(masked_address),
                EnrolFactor::Sms => question.phone.as_deref().map(hidden_phone),
                EnrolFactor::Authenticator | EnrolFactor::Push => None,
            };
            Some(EnrolOffer { factor, known, refused: refused == Some(factor) })
        };
        EnrolPage::Choose(EnrolChoice {
            form: self.form(&question.account, None),
            by: question.client.as_deref(),
            until: shown_until(question.expires_at, now),
            offers: question.offered.iter().filter_map(offer).collect(),
            replaces: question.replaces,
            help: None,
        })
    }

    /// The page of a device that was begun.
    pub(super) fn begun<'a>(
        &self,
        factor: EnrolFactor,
        begun: &'a BegunEnrolment,
        question: &'a InvitationQuestion,
        now: Timestamp,
    ) -> EnrolPage<'a> {
        let form = self.form(&question.account, Some(&begun.registration));
        let until = begun.enrolled.registration.as_ref().map_or(now, |registration| registration.expires_at);
        match (factor, &begun.enrolled.setup) {
            (EnrolFactor::Authenticator, Some(setup)) => EnrolPage::Authenticator(AuthenticatorForm {
                form,
                address: setup.url.as_deref().unwrap_or_default(),
                secret: &setup.verification_token,
                issuer: begun.issuer.as_str(),
            }),
            (EnrolFactor::Push, Some(setup)) => EnrolPage::Pair(PairForm {
                form,
                address: setup.url.as_deref().unwrap_or_default(),
                code: &setup.verification_token,
                until: shown_until(until, now),
                wait: format!("{}{}", self.wait, begun.wait),
            }),
            _ => EnrolPage::Code(self.sent(factor, form, begun.sent.as_ref(), None)),
        }
    }

    /// The page of a phone that is not paired yet, once more.
    pub(super) fn waits<'a>(&self, waiting: &'a WaitingPhone, handle: &str, now: Timestamp) -> EnrolPage<'a> {
        EnrolPage::Pair(PairForm {
            form: self.form(&waiting.account, None),
            address: &waiting.address,
            code: &waiting.pairing_code,
            until: shown_until(waiting.expires_at, now),
            wait: format!("{}{handle}", self.wait),
        })
    }

    /// The page of a device whose code was not taken.
    pub(super) fn again<'a>(
        &self,
        (kind, sent): (FactorKind, Option<&SentTo>),
        registration: &str,
        fault: EnrolFault,
        question: &'a InvitationQuestion,
    ) -> EnrolPage<'a> {
        let form = self.form(&question.account, Some(registration));
        match factor_of(kind) {
            Some(factor @ (EnrolFactor::Sms | EnrolFactor::Email)) => {
                EnrolPage::Code(self.sent(factor, form, sent, Some(fault)))
            }
            _ => EnrolPage::AuthenticatorAgain(AuthenticatorRetry { form, fault }),
        }
    }

    fn sent<'a>(
        &self,
        factor: EnrolFactor,
        form: EnrolForm<'a>,
        sent: Option<&SentTo>,
        fault: Option<EnrolFault>,
    ) -> SentCodeForm<'a> {
        let mut again = vec![("token", self.token.clone()), ("nonce", self.nonce.clone())];
        // What the profile says is found there again. The page does not spell it out.
        again.extend(sent.filter(|sent| !sent.is_of_profile).map(|sent| (TARGET, sent.to.clone())));
        let to = masked(factor, sent.map(|sent| sent.to.as_str()));
        let again_in = u64::try_from(AGAIN / SECOND).unwrap_or_default();
        SentCodeForm { form, factor, to, again, again_in, fault }
    }

    /// Nothing is judged for the moment.
    pub(super) fn locked(&self, until: Option<Timestamp>, now: Timestamp) -> EnrolPage<'static> {
        let minutes = until.map(|until| (until.since(now).max(1) + MINUTE - 1) / MINUTE);
        EnrolPage::Locked { minutes, start: Some(self.start.clone()) }
    }
}

/// A number or address as the page shows it.
fn masked(factor: EnrolFactor, target: Option<&str>) -> String {
    let target = target.unwrap_or_default();
    if factor == EnrolFactor::Sms { hidden_phone(target) } else { masked_address(target) }
}

/// A number with all but its last digits hidden.
fn hidden_phone(number: &str) -> String {
    masked_phone(number).replace('x', "•")
}
