//! The pages of an invitation with made-up values.

use super::values::moment;
use crate::enrol::{
    AuthenticatorForm, AuthenticatorRetry, EnrolChoice, EnrolDone, EnrolFactor, EnrolFault, EnrolForm, EnrolOffer,
    EnrolPage, PairForm, SentCodeForm,
};

/// Where the forms and links of samples lead.
const HERE: &str = "/dev/pages";
const CLOCK: &str = "14:46\u{a0}UTC";

/// The sample of this name, if there is one.
pub(super) fn sample(name: &str) -> Option<EnrolPage<'static>> {
    let again = |fault| EnrolPage::AuthenticatorAgain(AuthenticatorRetry { form: form(), fault });
    Some(match name {
        "enrol-choose" => EnrolPage::Choose(choice()),
        "enrol-replace" => EnrolPage::Choose(EnrolChoice {
            by: Some("بوابة المستشفى <Klinik & Co> with a name that goes on and on and on"),
            until: moment(3 * 1_440, "4\u{a0}March, 09:30\u{a0}UTC"),
            offers: vec![offer(EnrolFactor::Email, None), offer(EnrolFactor::Authenticator, None)],
            replaces: true,
            ..choice()
        }),
        "enrol-phone-only" => EnrolPage::Choose(EnrolChoice {
            by: None,
            until: moment(14, CLOCK),
            offers: vec![offer(EnrolFactor::Sms, None)],
            help: None,
            ..choice()
        }),
        "enrol-refused" => EnrolPage::Choose(EnrolChoice {
            offers: vec![EnrolOffer {
                refused: true, ..offer(EnrolFactor::Sms, Some("+44\u{a0}•••••\u{a0}•••123"))
            }],
            ..choice()
        }),
        "enrol-authenticator" => EnrolPage::Authenticator(AuthenticatorForm {
            form: form(),
            address: "otpauth://totp/Acme:ana%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme",
            secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            issuer: "Acme",
        }),
        "enrol-authenticator-wrong" => again(EnrolFault::Wrong),
        "enrol-authenticator-used" => again(EnrolFault::Used),
        "enrol-authenticator-fast" => again(EnrolFault::Fast(4)),
        "enrol-authenticator-slow" => again(EnrolFault::Slow(1)),
        "enrol-pair" => EnrolPage::Pair(PairForm {
            form: form(),
            address: "https://mfa.example.com/app#7KQ2M9XD",
            code: "7KQ2M9XD",
            until: moment(14, CLOCK),
            wait: format!("{HERE}/enrol-pair"),
        }),
        "enrol-sms" => EnrolPage::Code(sent(EnrolFactor::Sms)),
        "enrol-email" => {
            EnrolPage::Code(SentCodeForm {
                to: "a•••@example.com".to_owned(), again_in: 0, ..sent(EnrolFactor::Email)
            })
        }
        "enrol-sms-again" => EnrolPage::Code(SentCodeForm { again_in: 0, ..sent(EnrolFactor::Sms) }),
        "enrol-sms-wrong" => EnrolPage::Code(SentCodeForm { fault: Some(EnrolFault::Wrong), ..sent(EnrolFactor::Sms) }),
        "enrol-done" => EnrolPage::Done(done(EnrolFactor::Authenticator, "Authenticator")),
        "enrol-done-replaced" => {
            EnrolPage::Done(EnrolDone { replaced: true, next: None, ..done(EnrolFactor::Email, "Ana's mail") })
        }
        "enrol-done-number" => {
            EnrolPage::Done(EnrolDone { only_number: true, ..done(EnrolFactor::Sms, "Ana's phone") })
        }
        "enrol-done-push" => EnrolPage::Done(EnrolDone { help: None, ..done(EnrolFactor::Push, "Ana's phone") }),
        "enrol-locked" => EnrolPage::Locked { minutes: Some(10), start: Some(HERE.to_owned()) },
        "enrol-locked-for-good" => EnrolPage::Locked { minutes: None, start: None },
        "enrol-too-late" => EnrolPage::TooLate { start: HERE.to_owned() },
        "enrol-over" => EnrolPage::Over,
        "enrol-not-from-page" => EnrolPage::NotFromPage,
        _ => return None,
    })
}

fn form() -> EnrolForm<'static> {
    EnrolForm {
        account: "ana@example.com",
        action: HERE.to_owned(),
        hidden: vec![("token", "sample".to_owned()), ("nonce", "sample".to_owned())],
        start: HERE.to_owned(),
    }
}

fn offer(factor: EnrolFactor, known: Option<&'static str>) -> EnrolOffer {
    EnrolOffer { factor, known: known.map(str::to_owned), refused: false }
}

fn choice() -> EnrolChoice<'static> {
    EnrolChoice {
        form: form(),
        by: Some("Northfield VPN"),
        until: moment(23 * 60, "2\u{a0}March, 09:30\u{a0}UTC"),
        offers: vec![
            offer(EnrolFactor::Sms, Some("+44\u{a0}•••••\u{a0}•••123")),
            offer(EnrolFactor::Email, Some("a••@example.com")),
            offer(EnrolFactor::Push, None),
            offer(EnrolFactor::Authenticator, None),
        ],
        replaces: false,
        help: Some("mailto:help@example.com"),
    }
}

fn sent(factor: EnrolFactor) -> SentCodeForm<'static> {
    SentCodeForm {
        form: form(),
        factor,
        to: "+44\u{a0}•••••\u{a0}•••123".to_owned(),
        again: form().hidden,
        again_in: 30,
        fault: None,
    }
}

fn done(factor: EnrolFactor, device: &'static str) -> EnrolDone<'static> {
    EnrolDone {
        factor,
        account: "ana@example.com",
        device,
        only_number: false,
        replaced: false,
        next: Some((HERE.to_owned(), moment(15, CLOCK))),
        help: Some("mailto:help@example.com"),
    }
}
