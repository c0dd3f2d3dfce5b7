//! A push service's side of RFC 8292: who sends, by a signature that another library checks than the one that made it.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

/// A day, in seconds: no token may live longer.
const DAY: i64 = 24 * 3_600;

/// A token that was right, and the key that signed it.
pub(crate) struct Sender {
    pub(crate) public_key: String,
    pub(crate) claims: Value,
}

/// Who sends by this header, or what is wrong with it.
pub(crate) fn verified(header: &str, origin: &str, now: i64) -> Result<Sender, &'static str> {
    let parts = header.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k="));
    let (token, public_key) = parts.ok_or("this is no authorization by vapid")?;
    let (signed, signature) = token.rsplit_once('.').ok_or("the token has no signature")?;
    let (head, claims) = signed.split_once('.').ok_or("the token has no claims")?;
    let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| "this is no base64url");
    let key = bytes(public_key)?;
    if key.len() != 65 {
        return Err("the key is no uncompressed point");
    }
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
        .verify(signed.as_bytes(), &bytes(signature)?)
        .map_err(|_| "the signature is wrong")?;
    let json = |text: &str| serde_json::from_slice::<Value>(&bytes(text)?).map_err(|_| "this is no JSON");
    if json(head)?["alg"] != "ES256" {
        return Err("the token is not signed by ES256");
    }
    let claims = json(claims)?;
    let ends_at = claims["exp"].as_i64().ok_or("the token has no end")?;
    if claims["aud"] != origin {
        return Err("the token is for another origin");
    }
    if !(now..=now + DAY).contains(&ends_at) {
        return Err("the token is over, or lives longer than a day");
    }
    if claims
        .get("sub")
        .is_some_and(|sub| !sub.as_str().is_some_and(|sub| sub.starts_with("mailto:") || sub.starts_with("https:")))
    {
        return Err("the contact is no address");
    }
    Ok(Sender { public_key: public_key.to_owned(), claims })
}
