//! The names of factors on the wire (contract 10.1). Clients match on them: they do not change.

use domain::FactorKind;

/// v1 `auth_factor_name`.
pub fn v1_auth_factor_name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Push => "OneLogin Protect",
        FactorKind::Sms => "OneLogin SMS",
        FactorKind::Voice => "OneLogin Voice",
        FactorKind::Email => "OneLogin Email",
        FactorKind::Totp => "Google Authenticator",
        FactorKind::Hotp => "HOTP",
    }
}

/// v1 `type_display_name`, and the name in v1 factor lists.
pub fn v1_type_display_name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Hotp => "HOTP Token",
        other => v1_auth_factor_name(other),
    }
}

/// v2 `name` and `type_display_name`.
pub fn v2_type_display_name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Push => "OneLogin Protect",
        FactorKind::Sms => "OneLogin SMS",
        FactorKind::Voice => "OneLogin Voice",
        FactorKind::Email => "OneLogin Email",
        FactorKind::Totp => "Authenticator",
        FactorKind::Hotp => "HOTP",
    }
}

/// v2 `auth_factor_name`.
pub fn v2_auth_factor_name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Push => "OneLogin",
        FactorKind::Sms => "SMS",
        FactorKind::Voice => "OneLogin Voice",
        FactorKind::Email => "OneLogin Email",
        FactorKind::Totp => "Google Authenticator",
        FactorKind::Hotp => "HOTP",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = include_str!("../../../docs/contract.md");
    const MOVING: &str = include_str!("../../../docs/migrating-from-onelogin.md");

    /// Contract 10.1 keeps names of factors that this version does not have. Each of them is named where somebody who
    /// moves here looks for it.
    #[test]
    fn each_factor_of_the_contract_is_offered_or_said_to_be_absent() {
        let (_, section) = CONTRACT.split_once("### 10.1 ").expect("the section is there");
        let rows = section.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
        let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
        let absent = MOVING.split_once("## What is not there").expect("the section is there").1.to_lowercase();
        let mut offered = 0;
        for row in &rows {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let name = cells[1].split('`').nth(1).expect("a name as code");
            if FactorKind::ALL.iter().any(|kind| v1_auth_factor_name(*kind) == name) {
                offered += 1;
            } else {
                let known = cells[0].split(' ').next().expect("a word").to_lowercase();
                assert!(absent.contains(&known), "{} is neither offered nor said to be absent", cells[0]);
            }
        }
        assert_eq!(offered, FactorKind::ALL.len(), "{rows:?}");
    }
}
