use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ED25519, KeyPair as _, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    UnparsedPublicKey,
};
use proptest::prelude::*;

use super::*;

/// RFC 8463, appendix A.3, without the signatures.
const RFC_8463_MAIL: &str = "From: Joe SixPack <joe@football.example.com>\r\n\
    To: Suzie Q <suzie@shopping.example.net>\r\n\
    Subject: Is dinner ready?\r\n\
    Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
    Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\
    \r\n\
    Hi.\r\n\
    \r\n\
    We lost the game.  Are you hungry yet?\r\n\
    \r\n\
    Joe.\r\n";
const RFC_8463_NAMES: [&str; 8] = ["from", "to", "subject", "date", "message-id", "from", "subject", "date"];
const RFC_8463_BODY_HASH: &str = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=";

/// A key for tests, too short to sign with.
const SHORT: &str = "-----BEGIN RSA PRIVATE KEY-----\n\
    MIICXAIBAAKBgQDe2JyBJNLaY+7K30vFXgeDvem4opoP2hTb6HgwCnholudZT+J6\n\
    aylU6h5s2OX8kt4wp6l97goT6Ob6j3syZ8QsYsYODJ2iAK9Jsl4gcHXg9b31IgMk\n\
    lA5TjDUF2QgmhmQvSFQKo4TCq2pmrHgfaLLLbvlH8qiXPWoUfXX4jWq4twIDAQAB\n\
    AoGAPMG6CcvMYRaV6GHw+qKkUdrZeil674952GsNOavhIELkWIlbKh1Fa41ZNjv8\n\
    mFxCj+lmYJshzEPXlcDAygFYjm8wldcwcHhmdpcg+ZO5DrWUxRwJmKCDcCBH/Fhe\n\
    maOG1+zZcTzQQeVbIRovkZbf0h4nYPoSdu3mpzvbxO1LYOECQQDw+lIc0ZWRtyB6\n\
    Le6iSwTIlV2JgmTnmYe2xCBYQkgC4SM62Z/iB0tXLebo+Xvx1jNJWvG8e4ye1fuW\n\
    zGmzlUQrAkEA7LzvAJ0ArE4yTw+TVeUjJQczHwarsykU6C3zTzcyq58UQJQPxhxY\n\
    eT5MOVAMph8dtNAJSC3UV6oWdUMFSy/bpQJBALP5IC5p0R0c+eKGP31yLcZo140F\n\
    l7rpDVTQsZ95ETMlVhxzwFcdP4WCwLwq6Ai8A1270GMGmwVdpyL+08rNpjUCQHrU\n\
    /N1AmRzN5eSHnFaw8S9BMREkEOqAokxlqxyq8yuA+q0XJagRBQbDgCEsm6OF+Y/b\n\
    cTV2MfraUZS+FX0Rc9ECQFRxyiS3+ESuelkEJFuWYQyl5rloV2eK02P1kumRFdSf\n\
    7aNAZps2kCSGYLL3iBbjRWUF2n4fElwW7ovOFm3oX4M=\n\
    -----END RSA PRIVATE KEY-----\n";
/// A key for tests.
const ED25519_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIIRjJpEvoqdykaqFjETxD/ElCTNpI8P/RFfj3f7+CnZE\n\
    -----END PRIVATE KEY-----\n";

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
}

fn ed25519_pem() -> String {
    pem("PRIVATE KEY", Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref())
}

/// What has to verify under a `DKIM-Signature` field, by a second reading of the rules.
fn verifies(signer: &Signer, mail: &[u8]) -> bool {
    let (head, body) = halves(mail);
    let fields = fields(head);
    let signature = &fields[0];
    assert!(signature.is_named("DKIM-Signature"));
    let value = String::from_utf8(signature.value.to_vec()).unwrap();
    let tag = |name: &str| {
        let mut tags = value.split(';').filter_map(|tag| tag.split_once('='));
        let found = tags.find(|(found, _)| found.trim() == name).unwrap().1;
        found.split_whitespace().collect::<String>()
    };
    let names = tag("h");
    let names: Vec<&str> = names.split(':').collect();
    let own = format!("DKIM-Signature:{}b=", value.split_once("b=\r\n").unwrap().0);
    let data = to_sign(&fields[1..], &names, own.as_bytes());
    let signed = BASE64.decode(tag("b").as_bytes()).unwrap();
    let good = match &signer.key {
        Key::Rsa(pair) => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key()).verify(&data, &signed),
        Key::Ed25519(pair) => {
            UnparsedPublicKey::new(&ED25519, pair.public_key()).verify(digest(&SHA256, &data).as_ref(), &signed)
        }
    };
    good.is_ok() && tag("bh") == BASE64.encode(digest(&SHA256, &relaxed_body(body)).as_ref())
}

fn signed(signer: &Signer, mail: &str) -> String {
    signer.field(mail.as_bytes(), Timestamp(1_528_637_909_999)).unwrap() + mail
}

#[test]
fn fields_are_relaxed_as_the_standard_shows() {
    // RFC 6376, section 3.4.5, examples.
    let head = b"A: X\r\nB : Y\t\r\n\tZ  ";
    let relaxed: Vec<_> = fields(head).iter().map(Field::relaxed).collect();
    assert_eq!(relaxed, [b"a:X".to_vec(), b"b:Y Z".to_vec()]);
}

#[test]
fn a_body_is_relaxed_as_the_standard_shows() {
    assert_eq!(relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
    // An empty body stays one, and its hash is the one that the standard gives (section 3.4.4).
    for empty in [&b""[..], b"\r\n", b" \t\r\n\r\n"] {
        assert_eq!(relaxed_body(empty), b"");
    }
    assert_eq!(
        BASE64.encode(digest(&SHA256, &relaxed_body(b"\r\n")).as_ref()),
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    );
    assert_eq!(relaxed_body(b"no end"), b"no end\r\n");
}

#[test]
fn the_example_of_rfc_8463_gets_its_signature() {
    let seed = BASE64.decode(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
    let key = Key::Ed25519(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap());
    let (head, body) = halves(RFC_8463_MAIL.as_bytes());
    assert_eq!(BASE64.encode(digest(&SHA256, &relaxed_body(body)).as_ref()), RFC_8463_BODY_HASH);
    let own = format!(
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\
         \r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\
         \r\n bh={RFC_8463_BODY_HASH};\r\n b="
    );
    let data = to_sign(&fields(head), &RFC_8463_NAMES, own.as_bytes());
    assert_eq!(
        BASE64.encode(&key.sign(&data).unwrap()),
        "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
    );
}

#[test]
fn the_rsa_signature_of_rfc_8463_is_over_what_we_would_sign() {
    let own = format!(
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n \
         q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n date : message-id : from : subject : date;\r\n \
         bh={RFC_8463_BODY_HASH};\r\n b="
    );
    let data = to_sign(&fields(halves(RFC_8463_MAIL.as_bytes()).0), &RFC_8463_NAMES, own.as_bytes());
    let public = BASE64
        .decode(
            b"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb\
              3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
        )
        .unwrap();
    let signature = BASE64
        .decode(
            b"F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeef\
              Osk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
        )
        .unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, public);
    public.verify(&data, &signature).unwrap();
}

#[test]
fn each_field_is_signed_once_more_than_it_occurs() {
    let signer = Signer::new("football.example.com", "s1", ed25519_pem().as_bytes()).unwrap();
    let mail = signed(&signer, RFC_8463_MAIL);
    let field = mail.split_once("\r\nFrom:").unwrap().0;
    let (shown, _) = field.split_once(" bh=").unwrap();
    assert_eq!(
        shown,
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com;\r\n s=s1; \
         t=1528637909;\r\n h=Date:Date:From:From:Reply-To:\r\n  To:To:Subject:Subject:Message-ID:\r\n  \
         Message-ID:Auto-Submitted:MIME-Version:Content-Type;\r\n"
    );
    assert!(verifies(&signer, mail.as_bytes()));
    for added in ["Subject: Win!", "Reply-To: mallory@example.org", "To: x@example.org", "Content-Type: text/html"] {
        let altered = mail.replacen("\r\nTo:", &format!("\r\n{added}\r\nTo:"), 1);
        assert!(altered != mail && !verifies(&signer, altered.as_bytes()), "{added}");
    }
    assert!(!verifies(&signer, mail.replace("hungry", "thirsty").as_bytes()));
}

#[test]
fn both_forms_of_an_rsa_key_and_an_ed25519_key_are_taken() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = pair.as_der().unwrap();
    // A key of PKCS #1 is the last field of one of PKCS #8, behind 26 bytes for this size.
    let pkcs1 = &pkcs8.as_ref()[26..];
    for pem in [pem("PRIVATE KEY", pkcs8.as_ref()), pem("RSA PRIVATE KEY", pkcs1), ed25519_pem()] {
        let signer = Signer::new("football.example.com", "s1", pem.as_bytes()).unwrap();
        assert!(verifies(&signer, signed(&signer, RFC_8463_MAIL).as_bytes()));
    }
}

#[test]
fn other_keys_are_refused() {
    let refused = |pem: &str| Signer::new("example.com", "s1", pem.as_bytes()).unwrap_err();
    assert_eq!(refused(""), BadKey::NoKey);
    assert_eq!(refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), BadKey::NoKey);
    assert_eq!(refused(&pem("RSA PRIVATE KEY", b"\x30\x00")), BadKey::Kind);
    assert_eq!(refused(SHORT), BadKey::Kind);
    let elliptic = pem("PRIVATE KEY", &rcgen::KeyPair::generate().unwrap().serialize_der());
    assert_eq!(refused(&elliptic), BadKey::Kind);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A server on the way may change white space, and nothing else.
    #[test]
    fn any_body_verifies_after_its_white_space_has_changed(lines in prop::collection::vec("[ \t]{0,3}[a-z=.<>\u{e4}]{0,9}[ \t]{0,3}", 0..9)) {
        let signer = Signer::new("example.com", "s1", ED25519_KEY.as_bytes()).unwrap();
        let mail = signed(&signer, &format!("From: a@example.com\r\nSubject: x\r\n\r\n{}", lines.join("\r\n")));
        prop_assert!(verifies(&signer, mail.as_bytes()));
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        let touched = format!("{head}\r\n\r\n{}\r\n\r\n", body.replace("\r\n", " \t\r\n").replace('\t', " \t "));
        prop_assert!(verifies(&signer, touched.as_bytes()));
        let longer = format!("{head}\r\n\r\n{body}x");
        prop_assert!(!verifies(&signer, longer.as_bytes()));
    }
}
