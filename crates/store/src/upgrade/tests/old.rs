//! Rows as the version before had them, and the nouns that they amount to. The rows are written out by hand, as that version
//! wrote them.

use std::fmt::Write as _;

use domain::model::code::Alphabet;
use domain::model::session::Terms;
use domain::*;
use uuid::Uuid;

pub(super) const NOW: Timestamp = Timestamp(1_700_000_000_000);
/// A user with everything.
pub(super) const USER: UserId = UserId(101);
/// A user with nothing.
pub(super) const EMPTY: UserId = UserId(102);
/// A user whose only device is disabled, with a secret that another user's device has too.
pub(super) const LEFT: UserId = UserId(103);
/// A user with 40 results.
pub(super) const ANSWERED: UserId = UserId(104);

/// The state token of a log-in and of its challenge.
pub(super) const LOG_IN: Digest = Digest([0xc1; 32]);
/// The state token of a challenge whose result was not collected.
pub(super) const CHALLENGED: Digest = Digest([0xc2; 32]);
pub(super) const SESSION: Digest = Digest([0xc3; 32]);
const BROWSING: Digest = Digest([0xc4; 32]);
const REMEMBERED: Digest = Digest([0xc5; 32]);
/// A session token that was handed in.
pub(super) const OVER: Digest = Digest([0xc6; 32]);
pub(super) const SECRET: SecretMac = SecretMac([0x51; 16]);
pub(super) const SHARED_SECRET: SecretMac = SecretMac([0x52; 16]);

fn hash(byte: u8) -> KeyedHash {
    KeyedHash::from_bytes(&[byte; 36]).unwrap()
}

pub(super) fn pairing_hash() -> KeyedHash {
    hash(0xa6)
}

pub(super) fn id(number: u128) -> VerificationId {
    VerificationId(Uuid::from_u128(number))
}

/// Bytes as SQLite writes them.
fn hex(bytes: &[u8]) -> String {
    format!("x'{}'", data_encoding::HEXLOWER.encode(bytes))
}

/// The same statements in PostgreSQL's words: bytes are written otherwise.
pub(super) fn of_postgres(statements: &str) -> String {
    let mut parts = statements.split("x'");
    let mut words = parts.next().unwrap().to_owned();
    for part in parts {
        let (bytes, rest) = part.split_once('\'').unwrap();
        write!(words, "decode('{bytes}', 'hex'){rest}").unwrap();
    }
    words
}

/// Limits as they were packed.
fn packed(throttles: &[Throttle]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for throttle in throttles {
        let (kind, subject) = throttle.key.numbers();
        let (wrong, wrong_at) = throttle.last_wrong.unwrap_or((Digest([0; 32]), Timestamp(0)));
        bytes.push(u8::try_from(kind).unwrap());
        bytes.extend(subject.to_be_bytes());
        bytes.extend(throttle.consecutive.to_be_bytes());
        bytes.extend(throttle.locked_until.map_or(0, |at| at.0).to_be_bytes());
        bytes.extend(wrong_at.0.to_be_bytes());
        bytes.extend(wrong.0);
        bytes.extend(u16::try_from(throttle.recent.len()).unwrap().to_be_bytes());
        throttle.recent.iter().for_each(|at| bytes.extend(at.0.to_be_bytes()));
    }
    bytes
}

/// A user with devices of every status, everything that can be asked and open, and limits; users beside it; 40 results.
pub(super) fn everything() -> String {
    let counters: Vec<u8> = [[203, 41, NOW.0 + 777], [204, 57_000_000, 0], [999, 5, 0]]
        .as_flattened()
        .iter()
        .flat_map(|number: &i64| number.to_be_bytes())
        .collect();
    let gone = Throttle::new(ThrottleKey::Device(DeviceId(999)));
    let limits = packed(&[throttles(), vec![gone]].concat());
    let (counters, limits, token) = (hex(&counters), hex(&limits), hex(&[0xa9; 36]));
    let mut rows = format!(
        r#"INSERT INTO "user" (id, username, email, phone, external_id, status, locked_until, temp_hash, temp_expires_at,
            temp_reusable, temp_used_at, profile, created_at, updated_at, counters, throttles) VALUES
            (101, 'Ana', 'ana@example.com', '+14155550101', 'e-101', 3, 1700000060000, {token}, 1700000300000, 1,
            1700000000500, '{{"texts":{{"external_id":"e-101"}},"state":1,"status_under_lock":1}}', 1690000000000,
            1695000000000, {counters}, {limits}),
            (102, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, '{{}}', 1, 1, NULL, NULL),
            (103, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, '{{}}', 1, 1, x'', x''),
            (104, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, '{{}}', 1, 1, NULL, NULL);
        INSERT INTO login_name (key, place, user_id, is_username, is_email) VALUES ('ana', 0, 101, 1, 0),
            ('ana@example.com', 0, 101, 0, 1);
        INSERT INTO device (id, user_id, factor, display_name, status, credential, created_at, secret_mac, secret_counts)
            VALUES (201, 101, 2, 'Hidden', 0, x'2001', 1700000000001, NULL, NULL),
            (202, 101, 5, 'Begun', 1, x'2002', 1700000000002, {secret}, 60),
            (203, 101, 6, 'Token "1"', 2, x'2003', 1700000000003, NULL, NULL),
            (204, 101, 5, 'Clock', 2, x'2004', 1700000000004, {shared}, 30),
            (205, 101, 1, '電話', 3, x'2005', 1700000000005, NULL, NULL),
            (206, 101, 4, 'Mail', 2, x'', 1690000000006, NULL, NULL),
            (207, 103, 5, 'Copy', 3, x'2007', 1700000000007, {shared}, 30);
        "#,
        secret = hex(&SECRET.0),
        shared = hex(&SHARED_SECRET.0),
    );
    let pending = ["0", "NULL", "NULL"];
    let mut asked = |row: i64,
                     wire_id: &str,
                     device: i64,
                     purpose: i64,
                     challenge: &str,
                     secret: [&str; 2],
                     status: [&str; 3],
                     more: &str| {
        let [answer, pairing] = secret;
        let [status, closed_at, consumed_at] = status;
        write!(
            rows,
            "INSERT INTO verification (row_id, id, wire_id, user_id, device_id, purpose, challenge, answer, pairing_hash, \
             status, closed_at, consumed_at, created_at, expires_at, attempts, state_token, client_id, live) VALUES ({row}, {}, \
             '{wire_id}', 101, {device}, {purpose}, '{challenge}', {answer}, {pairing}, {status}, {closed_at}, {consumed_at}, \
             1700000000000, 1700000120000, {more}); ",
            hex(Uuid::from_u128(row.unsigned_abs().into()).as_bytes()),
        )
        .unwrap();
    };
    let none = ["NULL", "NULL"];
    let of = |byte: u8| hex(&[byte; 36]);
    let wire = |row: u128| id(row).to_string();
    asked(301, "1234567890", 204, 1, r#""own""#, none, pending, "2, NULL, 7, 1");
    asked(302, &wire(302), 206, 0, r#""untriggered""#, none, pending, "0, NULL, NULL, 1");
    let code = r#"{"code":{"length":6,"alphabet":"digits"}}"#;
    asked(303, &wire(303), 201, 0, code, [&of(0xa3), "NULL"], pending, "0, NULL, NULL, 1");
    asked(304, &wire(304), 206, 1, r#""keypad""#, [&of(0xa4), "NULL"], pending, "4, NULL, NULL, 1");
    let approval = r#"{"approval":{"number":"42","past":["07"]}}"#;
    let log_in = format!("0, {}, 7, 1", hex(&LOG_IN.0));
    asked(305, &wire(305), 205, 2, approval, ["x'0b0b'", "NULL"], pending, &log_in);
    asked(306, &wire(306), 202, 0, r#""pairing""#, ["NULL", &of(0xa6)], pending, "0, NULL, NULL, 1");
    let challenged = format!("1, {}, NULL, 1", hex(&CHALLENGED.0));
    asked(307, &wire(307), 206, 2, code, none, ["1", "1700000007000", "NULL"], &challenged);
    asked(308, "ended-accepted", 204, 1, r#""own""#, none, ["1", "1700000008000", "1700000009000"], "0, NULL, NULL, 0");
    let unnumbered = r#"{"approval":{"number":null}}"#;
    asked(309, "ended-rejected", 205, 1, unnumbered, none, ["2", "1700000008500", "NULL"], "0, NULL, NULL, 0");
    asked(310, "ended-expired", 204, 1, r#""own""#, none, ["3", "1700000120000", "NULL"], "0, NULL, NULL, 0");
    let bare = r#"{"terms":{"app":null,"return_to_url":null,"origins":[],"fields":[],"browser":null}}"#;
    let full = r#"{"terms":{"app":3,"return_to_url":"https://a.example/","origins":["https://a.example","https://b.example"],"fields":["email"],"browser":null,"ip":"10.0.0.1","prompted":[205]}}"#;
    let session = |token: Digest, attempts: i64| format!("{attempts}, {}, 7, 1", hex(&token.0));
    asked(311, &wire(311), 0, 2, full, none, pending, &session(LOG_IN, 3));
    asked(312, &wire(312), 0, 3, full, none, pending, &session(SESSION, 0));
    asked(313, &wire(313), 0, 4, bare, none, pending, &session(BROWSING, 0));
    asked(314, &wire(314), 0, 5, bare, none, pending, &session(REMEMBERED, 0));
    let over = format!("0, {}, 7, 0", hex(&OVER.0));
    asked(315, &wire(315), 0, 3, full, none, ["1", "1700000001000", "1700000001000"], &over);
    for n in 0..40 {
        write!(
            rows,
            "INSERT INTO verification (row_id, id, wire_id, user_id, device_id, purpose, challenge, status, closed_at, attempts, \
             created_at, expires_at, live) VALUES ({0}, {1}, 'result-{n}', 104, 9, 1, '\"own\"', 1, 2, 0, 1, 3, 0); ",
            400 + n,
            hex(Uuid::from_u128(400 + n).as_bytes()),
        )
        .unwrap();
    }
    rows
}

/// `users` users from 1000 on, with a device each.
pub(super) fn crowd(users: i64) -> String {
    let numbers =
        format!("WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < {})", 999 + users);
    format!(
        "INSERT INTO \"user\" (id, status, profile, created_at, updated_at) {numbers} SELECT i, 1, '{{}}', 1, 1 FROM n; \
         INSERT INTO device (id, user_id, factor, display_name, status, credential, created_at) \
         {numbers} SELECT i, i, 2, 'Pocket', 2, x'01', 1 FROM n;"
    )
}

fn throttles() -> Vec<Throttle> {
    let mut device = Throttle::new(ThrottleKey::Device(DeviceId(204)));
    (device.consecutive, device.last_wrong) = (4, Some((Digest([0xd1; 32]), NOW.plus(3))));
    let mut user = Throttle::new(ThrottleKey::User);
    (user.recent, user.locked_until) = (vec![NOW.plus(-5), NOW], Some(NOW.plus(60_000)));
    let mut sent = Throttle::new(ThrottleKey::Send(FactorKind::Email));
    sent.recent = vec![NOW.plus(1)];
    vec![device, user, sent]
}

fn device(id: i64, factor: FactorKind, name: &str, status: DeviceStatus) -> Device {
    Device {
        id: DeviceId(id),
        user_id: USER,
        factor,
        display_name: name.to_owned(),
        status,
        credential: Sealed(vec![0x20, u8::try_from(id - 200).unwrap()]),
        secret: None,
        last_counter: -1,
        created_at: Timestamp(1_700_000_000_000 + id - 200),
        last_used_at: None,
        subscription: None,
    }
}

fn asked(number: u128, device: i64, purpose: Purpose, challenge: Challenge) -> Verification {
    Verification {
        id: id(number),
        wire_id: id(number).to_string(),
        user_id: USER,
        device_id: DeviceId(device),
        purpose,
        challenge,
        status: Status::NEW,
        state_token: None,
        client_id: None,
        created_at: NOW,
        expires_at: NOW.plus(120_000),
    }
}

fn session(number: u128, kind: SessionKind, token: Digest) -> Session {
    Session {
        id: SessionId(id(number).0),
        user_id: USER,
        kind,
        token,
        client_id: Some(ClientId(7)),
        created_at: NOW,
        expires_at: NOW.plus(120_000),
    }
}

/// What decisions see of [`USER`].
pub(super) fn view() -> View {
    let mark = |mac, seconds| Some(SecretMark { mac, counts: Counts::Seconds(seconds) });
    let devices = vec![
        Device {
            credential: Sealed(Vec::new()),
            created_at: Timestamp(1_690_000_000_006),
            ..device(206, FactorKind::Email, "Mail", DeviceStatus::Active)
        },
        device(201, FactorKind::Sms, "Hidden", DeviceStatus::Registering),
        Device { secret: mark(SECRET, 60), ..device(202, FactorKind::Totp, "Begun", DeviceStatus::Pending) },
        Device {
            last_counter: 41,
            last_used_at: Some(NOW.plus(777)),
            ..device(203, FactorKind::Hotp, "Token \"1\"", DeviceStatus::Active)
        },
        Device {
            secret: mark(SHARED_SECRET, 30),
            last_counter: 57_000_000,
            ..device(204, FactorKind::Totp, "Clock", DeviceStatus::Active)
        },
        device(205, FactorKind::Push, "電話", DeviceStatus::Disabled),
    ];
    let code = |hash| Challenge::Code { hash, length: 6, alphabet: Alphabet::Digits };
    let nonce = Secret::new(vec![11, 11]);
    let approval =
        Challenge::Approval { nonce, numbers: vec!["07".to_owned(), "42".to_owned()], asked: AskedFrom::default() };
    let verifications = vec![
        Verification {
            wire_id: "1234567890".to_owned(),
            status: Status::Pending { attempts: 2 },
            client_id: Some(ClientId(7)),
            ..asked(301, 204, Purpose::Login, Challenge::Own)
        },
        asked(302, 206, Purpose::Enrol, Challenge::Untriggered),
        asked(303, 201, Purpose::Enrol, code(hash(0xa3))),
        Verification {
            status: Status::Pending { attempts: 4 },
            ..asked(304, 206, Purpose::Login, Challenge::Keypad { hash: hash(0xa4) })
        },
        Verification {
            state_token: Some(LOG_IN),
            client_id: Some(ClientId(7)),
            ..asked(305, 205, Purpose::SignIn, approval)
        },
        asked(306, 202, Purpose::Enrol, Challenge::Pairing { hash: pairing_hash() }),
        Verification {
            status: Status::Accepted { at: NOW.plus(7_000), collected: None },
            state_token: Some(CHALLENGED),
            ..asked(307, 206, Purpose::SignIn, code(KeyedHash::NONE))
        },
    ];
    let terms = Terms {
        app: Some(3),
        return_to_url: Some("https://a.example/".to_owned()),
        origins: vec!["https://a.example".to_owned(), "https://b.example".to_owned()],
        fields: vec!["email".to_owned()],
        browser: None,
        ip: Some("10.0.0.1".to_owned()),
        prompted: vec![DeviceId(205)],
    };
    let sessions = vec![
        session(311, SessionKind::LogIn { terms: terms.clone(), attempts: 3 }, LOG_IN),
        session(312, SessionKind::SessionToken { terms }, SESSION),
        session(313, SessionKind::Browsing, BROWSING),
        session(314, SessionKind::RememberedBrowser, REMEMBERED),
    ];
    View { user: Some(user()), devices, verifications, sessions, throttles: throttles() }
}

fn user() -> User {
    let mut profile = Profile { state: 1, ..Profile::default() };
    profile.texts.insert("external_id".to_owned(), "e-101".to_owned());
    User {
        id: USER,
        username: Some("Ana".to_owned()),
        email: Some("ana@example.com".to_owned()),
        phone: Some("+14155550101".to_owned()),
        status: UserStatus::Active,
        lock: Some(UserLock::Until(NOW.plus(60_000))),
        temp_token: Some(TempToken {
            hash: hash(0xa9),
            expires_at: NOW.plus(300_000),
            reusable: true,
            used_at: Some(NOW.plus(500)),
        }),
        profile,
        created_at: Timestamp(1_690_000_000_000),
        updated_at: Timestamp(1_695_000_000_000),
    }
}
