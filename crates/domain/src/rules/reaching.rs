//! Whether texts, calls and mail may go to a number or an address (SEC 18, SEC 34).

use crate::model::credential::Credential;
use crate::model::factor::FactorKind;
use crate::model::name::trimmed;
use crate::model::policy::Policy;
use crate::model::text;

/// Why nothing may be sent to what somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// It is no number or address, or one of a range that nothing is ever sent to.
    #[error("no usable number or address")]
    Target,
    /// A number of a country that the operator has not listed.
    #[error("the number is not in an allowed country: see the setting messages.countries")]
    Country,
}

/// What a device has that texts, calls or mail go to, if they may go to `target`: a number in a listed country, or a mail
/// address (SEC 34). What somebody wrote becomes a recipient here and nowhere else.
pub fn reaching(factor: FactorKind, target: &str, policy: &Policy) -> Result<Credential, Unreachable> {
    let phone = || {
        let number = text::phone(target).ok_or(Unreachable::Target)?;
        may_be_sent_to(&number, policy).map(|()| number)
    };
    match factor {
        FactorKind::Sms => Ok(Credential::Sms { phone: phone()? }),
        FactorKind::Voice => Ok(Credential::Voice { phone: phone()? }),
        FactorKind::Email => {
            let address = trimmed(target).filter(|address| text::is_email(address));
            Ok(Credential::Email { address: address.ok_or(Unreachable::Target)?.to_owned() })
        }
        FactorKind::Totp | FactorKind::Hotp | FactorKind::Push => Err(Unreachable::Target),
    }
}

/// Whether something may be sent to a device with this credential now: what was allowed when it was enrolled may not be
/// any more (SEC 34).
pub fn may_reach(credential: &Credential, policy: &Policy) -> Result<(), Unreachable> {
    credential.phone().map_or(Ok(()), |number| may_be_sent_to(number, policy))
}

/// Whether texts and calls may go to this canonical number.
fn may_be_sent_to(number: &str, policy: &Policy) -> Result<(), Unreachable> {
    if text::is_refused_range(number) {
        return Err(Unreachable::Target);
    }
    if policy.countries.contain(number) { Ok(()) } else { Err(Unreachable::Country) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::country::Countries;

    #[test]
    fn nothing_is_sent_to_what_could_not_be_enrolled() {
        let policy = Policy { countries: Countries::of(["US"]).unwrap(), ..Policy::default() };
        let reaching = |factor, target| super::reaching(factor, target, &policy);
        let phone = "+14155550123".to_owned();
        assert_eq!(reaching(FactorKind::Sms, &phone), Ok(Credential::Sms { phone: phone.clone() }));
        assert_eq!(reaching(FactorKind::Voice, &phone), Ok(Credential::Voice { phone: phone.clone() }));
        assert_eq!(reaching(FactorKind::Sms, "+1 (415) 555-0123"), Ok(Credential::Sms { phone: phone.clone() }));
        let nowhere = ["+1 900 555 0123", "+19005550123", "+1;x=9005550123", "", "+1415555 0123, +19005550123"];
        let elsewhere = ["+4930123456", "+18765550123"];
        let listed = nowhere.map(|number| (number, Unreachable::Target));
        for (number, why) in listed.into_iter().chain(elsewhere.map(|number| (number, Unreachable::Country))) {
            assert_eq!(reaching(FactorKind::Sms, number), Err(why), "{number}");
            assert_eq!(reaching(FactorKind::Voice, number), Err(why), "{number}");
        }
        let address = "ana@example.com".to_owned();
        assert_eq!(reaching(FactorKind::Email, &address), Ok(Credential::Email { address: address.clone() }));
        assert_eq!(reaching(FactorKind::Email, "ana@example.com, ben@example.com"), Err(Unreachable::Target));
        for factor in [FactorKind::Push, FactorKind::Totp, FactorKind::Hotp] {
            assert_eq!(reaching(factor, &address), Err(Unreachable::Target));
        }
    }
}
