//! The attributes that AWS reads in an assertion ("Configure SAML assertions for the authentication response" in its IAM
//! User Guide). Command-line tools for AWS read the same attributes, and split the roles at the comma.

use crate::error::Error;
use crate::names::NameFormat;
use crate::response::Attribute;

/// The address where AWS accepts assertions: the recipient.
pub const ASSERTION_CONSUMER: &str = "https://signin.aws.amazon.com/saml";
/// The audience of an assertion for AWS, as a URL.
pub const AUDIENCE: &str = "https://signin.aws.amazon.com/saml";
/// The audience of an assertion for AWS, as AWS's own metadata names it.
pub const AUDIENCE_URN: &str = "urn:amazon:webservices";

/// The attribute with the roles that the user may assume.
pub const ROLE: &str = "https://aws.amazon.com/SAML/Attributes/Role";
/// The attribute with the session's name in AWS's logs.
pub const ROLE_SESSION_NAME: &str = "https://aws.amazon.com/SAML/Attributes/RoleSessionName";
/// The attribute with the length of a console session, in seconds.
pub const SESSION_DURATION: &str = "https://aws.amazon.com/SAML/Attributes/SessionDuration";

/// Allowed length of a console session, in seconds.
pub const SESSION_SECONDS: std::ops::RangeInclusive<u32> = 900..=43_200;

/// A role, and our identity provider in that role's AWS account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// ARN of the role, as `arn:aws:iam::123456789012:role/Name`.
    pub role_arn: String,
    /// ARN of the provider, as `arn:aws:iam::123456789012:saml-provider/Name`.
    pub provider_arn: String,
}

/// The attributes of an assertion for AWS. `session_ttl` is in seconds; without it AWS decides.
pub fn attributes(roles: &[Role], session_name: &str, session_ttl: Option<u32>) -> Result<Vec<Attribute>, Error> {
    if roles.is_empty() {
        return Err(Error::Empty("the list of AWS roles"));
    }
    let roles = roles.iter().map(Role::value).collect::<Result<_, _>>()?;
    let mut attributes = vec![attribute(ROLE, roles)];
    let known = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    if !(2..=64).contains(&session_name.len()) || !session_name.chars().all(known) {
        return Err(Error::Aws("session name"));
    }
    attributes.push(attribute(ROLE_SESSION_NAME, vec![session_name.to_owned()]));
    if let Some(seconds) = session_ttl {
        if !SESSION_SECONDS.contains(&seconds) {
            return Err(Error::Aws("session duration"));
        }
        attributes.push(attribute(SESSION_DURATION, vec![seconds.to_string()]));
    }
    Ok(attributes)
}

impl Role {
    /// The role, a comma, the provider. AWS accepts both orders; clients need this one.
    fn value(&self) -> Result<String, Error> {
        if !arn(&self.role_arn, "role/") {
            return Err(Error::Aws("role ARN"));
        }
        if !arn(&self.provider_arn, "saml-provider/") {
            return Err(Error::Aws("identity provider ARN"));
        }
        Ok(format!("{},{}", self.role_arn, self.provider_arn))
    }
}

fn attribute(name: &str, values: Vec<String>) -> Attribute {
    Attribute { name: name.to_owned(), name_format: NameFormat::Uri, values }
}

/// Whether this is an ARN of IAM in some account of some partition: `arn:aws-cn:iam::123456789012:` and the resource. A
/// comma, which IAM allows in the name of a role, would be taken for the one that separates.
fn arn(text: &str, resource: &str) -> bool {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, name] = parts[..] else {
        return false;
    };
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b',' && byte != b':';
    arn == "arn"
        && partition.starts_with("aws")
        && partition.bytes().all(lower)
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && name.strip_prefix(resource).is_some_and(|name| !name.is_empty())
        && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> Role {
        Role {
            role_arn: "arn:aws:iam::123456789012:role/team/Admin+1".to_owned(),
            provider_arn: "arn:aws:iam::123456789012:saml-provider/Countersign".to_owned(),
        }
    }

    #[test]
    fn roles_stand_before_their_provider() {
        let attributes = attributes(&[role(), role()], "jane@example.com", Some(3_600)).unwrap();
        let values: Vec<_> = attributes.iter().map(|attribute| attribute.values.join("|")).collect();
        let both = "arn:aws:iam::123456789012:role/team/Admin+1,arn:aws:iam::123456789012:saml-provider/Countersign";
        assert_eq!(values, [&format!("{both}|{both}"), "jane@example.com", "3600"]);
    }

    #[test]
    fn a_duration_that_is_not_given_is_not_said() {
        assert_eq!(attributes(&[role()], "jane", None).unwrap().len(), 2);
    }

    #[test]
    fn what_aws_would_refuse_is_refused_here() {
        let with_role = |arn: &str| attributes(&[Role { role_arn: arn.to_owned(), ..role() }], "jane", None);
        for wrong in [
            "",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:saml-provider/Countersign",
            "arn:aws:iam::12345:role/Admin",
            "arn:aws:iam:eu:123456789012:role/Admin",
            "arn:aws:sts::123456789012:role/Admin",
            "arn:aws:iam::123456789012:role/A,B",
            "arn:aws:iam::123456789012:role/A B",
            "arn:aws:iam::123456789012:role/A:B",
        ] {
            assert_eq!(with_role(wrong), Err(Error::Aws("role ARN")), "{wrong}");
        }
        assert!(with_role("arn:aws-us-gov:iam::123456789012:role/Admin").is_ok());
        let swapped = Role { role_arn: role().role_arn, provider_arn: role().role_arn };
        assert_eq!(attributes(&[swapped], "jane", None), Err(Error::Aws("identity provider ARN")));
        for name in ["", "j", "jane doe", "jäne", &"j".repeat(65)] {
            assert_eq!(attributes(&[role()], name, None), Err(Error::Aws("session name")), "{name}");
        }
        for seconds in [0, 899, 43_201] {
            assert_eq!(attributes(&[role()], "jane", Some(seconds)), Err(Error::Aws("session duration")));
        }
        assert_eq!(attributes(&[], "jane", None), Err(Error::Empty("the list of AWS roles")));
    }
}
