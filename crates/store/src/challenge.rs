//! How a challenge is stored in its row: its kind and form as JSON, and what an answer is compared with in columns of their
//! own, so that the end of a verification wipes that part and leaves the rest readable (SEC 10).

use domain::model::code::Alphabet;
use domain::{Challenge, KeyedHash, Secret};
use serde::{Deserialize, Serialize};

use crate::error::Error;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    Own,
    Untriggered,
    Code {
        length: u8,
        alphabet: Alphabet,
    },
    Keypad,
    Approval {
        number: Option<String>,
        /// The numbers before, oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        past: Vec<String>,
    },
    Pairing,
}

/// A challenge taken apart.
pub(crate) struct Parts {
    pub(crate) form: String,
    pub(crate) answer: Option<Vec<u8>>,
    pub(crate) pairing_hash: Option<Vec<u8>>,
}

pub(crate) fn split(challenge: &Challenge) -> Parts {
    let (form, answer, pairing_hash) = match challenge {
        Challenge::Own => (Form::Own, None, None),
        Challenge::Untriggered => (Form::Untriggered, None, None),
        Challenge::Code { hash, length, alphabet } => {
            (Form::Code { length: *length, alphabet: *alphabet }, Some(hash.to_bytes().to_vec()), None)
        }
        Challenge::Keypad { hash } => (Form::Keypad, Some(hash.to_bytes().to_vec()), None),
        Challenge::Approval { nonce, numbers } => {
            let mut past = numbers.clone();
            (Form::Approval { number: past.pop(), past }, Some(nonce.expose().to_vec()), None)
        }
        Challenge::Pairing { hash } => (Form::Pairing, None, Some(hash.to_bytes().to_vec())),
    };
    #[expect(clippy::expect_used, reason = "no map with odd keys and no writer that fails")]
    let form = serde_json::to_string(&form).expect("a form is always JSON");
    Parts { form, answer, pairing_hash }
}

/// Puts a challenge together. What was wiped comes back as a hash that nothing has, or an empty nonce.
pub(crate) fn join(form: &str, answer: Option<&[u8]>, pairing_hash: Option<&[u8]>) -> Result<Challenge, Error> {
    let hash = |bytes: Option<&[u8]>| {
        KeyedHash::from_bytes(bytes.unwrap_or(&[0; 36])).ok_or(Error::Corrupt("a challenge's hash"))
    };
    let form = serde_json::from_str(form).map_err(|_| Error::Corrupt("a challenge"))?;
    Ok(match form {
        Form::Own => Challenge::Own,
        Form::Untriggered => Challenge::Untriggered,
        Form::Code { length, alphabet } => Challenge::Code { hash: hash(answer)?, length, alphabet },
        Form::Keypad => Challenge::Keypad { hash: hash(answer)? },
        Form::Approval { number, past } => Challenge::Approval {
            nonce: Secret::new(answer.unwrap_or_default().to_vec()),
            numbers: past.into_iter().chain(number).collect(),
        },
        Form::Pairing => Challenge::Pairing { hash: hash(pairing_hash)? },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::MacKeys;

    #[test]
    fn every_challenge_survives_its_row() {
        let hash = MacKeys::new(vec![(7, Secret::new(vec![1; 32]))]).hash("context", "123456");
        for challenge in [
            Challenge::Own,
            Challenge::Untriggered,
            Challenge::Code { hash, length: 6, alphabet: Alphabet::Alphanumeric },
            Challenge::Keypad { hash },
            Challenge::Approval { nonce: Secret::new(vec![5; 32]), numbers: vec!["42".into()] },
            Challenge::Approval { nonce: Secret::new(vec![5; 32]), numbers: vec![] },
            Challenge::Approval { nonce: Secret::new(vec![5; 32]), numbers: vec!["41".into(), "42".into()] },
            Challenge::Pairing { hash },
        ] {
            let parts = split(&challenge);
            let back = join(&parts.form, parts.answer.as_deref(), parts.pairing_hash.as_deref()).unwrap();
            assert_eq!(back, challenge);
        }
    }

    #[test]
    fn a_wiped_challenge_keeps_its_form_and_recognises_nothing() {
        let keys = MacKeys::new(vec![(0, Secret::new(vec![1; 32]))]);
        let hash = keys.hash("context", "123456");
        let parts = split(&Challenge::Code { hash, length: 6, alphabet: Alphabet::Digits });
        let Challenge::Code { hash, length: 6, alphabet: Alphabet::Digits } = join(&parts.form, None, None).unwrap()
        else {
            panic!("another challenge")
        };
        assert!(!keys.matches(&hash, "context", "123456"));
    }
}
