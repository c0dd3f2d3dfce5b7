//! The names of factors on the wire (contract 10.1). `auth_factor_name` and `device_type` never change: clients compare
//! them. The operator may choose what people read, `type_display_name`.

use std::sync::Arc;

use domain::FactorKind;

/// The operator's names for factors, which replace the usual ones in both versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactorNames(Vec<(FactorKind, Arc<str>)>);

impl FactorNames {
    /// A factor without a name here keeps its usual ones; of two names for one factor the first counts. The caller checks
    /// that each is a line of plain text.
    pub fn new(names: impl IntoIterator<Item = (FactorKind, String)>) -> Self {
        Self(names.into_iter().map(|(kind, name)| (kind, name.into())).collect())
    }

    /// v1 `type_display_name`, and the name in v1 factor lists.
    pub fn v1_type_display_name(&self, kind: FactorKind) -> &str {
        self.given(kind).unwrap_or(row(kind).v1_shown)
    }

    /// v2 `name` and `type_display_name`.
    pub fn v2_type_display_name(&self, kind: FactorKind) -> &str {
        self.given(kind).unwrap_or(row(kind).v2_shown)
    }

    fn given(&self, kind: FactorKind) -> Option<&str> {
        self.0.iter().find(|(named, _)| *named == kind).map(|(_, name)| &**name)
    }
}

/// The usual names of one factor.
struct Row {
    /// v1 `auth_factor_name`, and `device_type` of the log-in flow.
    v1: &'static str,
    /// `type_display_name` in version 1.
    v1_shown: &'static str,
    /// `auth_factor_name` in version 2.
    v2: &'static str,
    /// v2 `name` and `type_display_name`.
    v2_shown: &'static str,
}

/// The names of most factors are the same everywhere.
const fn everywhere(name: &'static str) -> Row {
    Row { v1: name, v1_shown: name, v2: name, v2_shown: name }
}

fn row(kind: FactorKind) -> Row {
    match kind {
        FactorKind::Push => Row { v2: "OneLogin", ..everywhere("OneLogin Protect") },
        FactorKind::Sms => Row { v2: "SMS", ..everywhere("OneLogin SMS") },
        FactorKind::Voice => everywhere("OneLogin Voice"),
        FactorKind::Email => everywhere("OneLogin Email"),
        FactorKind::Totp => Row { v2_shown: "Authenticator", ..everywhere("Google Authenticator") },
        FactorKind::Hotp => Row { v1_shown: "HOTP Token", ..everywhere("HOTP") },
    }
}

/// v1 `auth_factor_name`, which clients compare.
pub fn v1_auth_factor_name(kind: FactorKind) -> &'static str {
    row(kind).v1
}

/// v2 `auth_factor_name`, which clients compare.
pub(crate) fn v2_auth_factor_name(kind: FactorKind) -> &'static str {
    row(kind).v2
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = include_str!("../../../../docs/contract.md");
    const MOVING: &str = include_str!("../../../../docs/start/migrating-from-onelogin.md");

    #[test]
    fn an_operators_name_takes_the_place_of_both_usual_ones() {
        let names = FactorNames::new([(FactorKind::Totp, "Authenticator app".to_owned())]);
        assert_eq!(names.v1_type_display_name(FactorKind::Totp), "Authenticator app");
        assert_eq!(names.v2_type_display_name(FactorKind::Totp), "Authenticator app");
        assert_eq!(names.v1_type_display_name(FactorKind::Hotp), "HOTP Token");
        assert_eq!(names.v2_type_display_name(FactorKind::Hotp), "HOTP");
    }

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
