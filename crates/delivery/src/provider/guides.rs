//! What an operator needs to know of each provider, for pages and for help: those in code here, the others from the table of
//! presets.

use super::preset::Guide;
use super::presets::PRESETS;

/// What an operator needs to know of each provider that can be configured: those in code, then the presets.
pub fn guides() -> impl Iterator<Item = &'static Guide> {
    IN_CODE.iter().chain(PRESETS.iter().map(|preset| &preset.guide))
}

/// What to enter so that a provider's receipts arrive; nothing for those that sign none (contract 18.3).
pub fn receipts_guide(provider: &str) -> Option<&'static str> {
    match provider {
        "twilio" => Some(
            "nothing needs to be entered. With `public_url`, each message names `PUBLIC_URL/callbacks/twilio/status` as its\n\
             `StatusCallback`. Twilio calls it instead of the address of a messaging service. Twilio signs with the account's\n\
             primary auth token, so `auth_token` must be that one. If Twilio cannot reach the address, the log says so once, and\n\
             messages are sent without receipts until the next start",
        ),
        "vonage" => Some(
            "copy the signature secret (dashboard, API Settings) to `signature_secret`. With it and `public_url`, each message\n\
             names `PUBLIC_URL/callbacks/vonage/status` as its `webhook_url`. Vonage documents that this overrides the addresses\n\
             of account and application. If the dashboard asks for a status or delivery-receipt URL, enter the same address, with\n\
             POST. The Messages API always signs with SHA-256, whatever method is selected in the dashboard. Receipts for other\n\
             systems' messages may arrive too: they are answered and not counted",
        ),
        _ => None,
    }
}

/// What goes between us and a provider of one's own, with an example that a test compares; nothing for any other.
pub fn calls_guide(provider: &str) -> Option<&'static str> {
    (provider == "exchange").then_some(EXCHANGE)
}

/// With `public_url = "https://mfa.example.com"` and the two keys of the example.
pub(super) const EXCHANGE: &str = r#"## What your program is asked

Each call is a POST with a JSON body, signed by [Standard Webhooks](https://www.standardwebhooks.com) with `secret`. Libraries for most
languages check the signature. This one is signed with `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`, which is no key to use:

```http
POST /calls HTTP/1.1
content-type: application/json
webhook-id: 4711-1440938160000
webhook-timestamp: 1440938160
webhook-signature: v1,IWSDR1SEKXiF/im41SdnsXu7p0Y3y5ORLt/R7tNGByw=

{"id": "4711-1440938160000", "to": "+14155550123", "kind": "digits", "say": "This is Example Inc. Please key in the six digits shown on your screen, then press the hash key.", "code": "", "language": "en", "reply_url": "https://mfa.example.com/callbacks/exchange/digits?call=11111111-2222-4333-8444-555555555555", "status_url": "https://mfa.example.com/callbacks/exchange/status"}
```

| member | |
| --- | --- |
| `id` | the message, the same at each try: call only once for it |
| `to` | the number to call |
| `kind` | `code`: say `say` and hang up. `digits`: say `say`, then wait for six keys and send them to `reply_url`. `message`: a test, say `say` and hang up |
| `say`, `language` | what to say, and its language (`en`). A code in it is spelled and said twice: speak slowly |
| `code` | the code by itself, for an exchange that spells better; empty if there is none |
| `reply_url`, `status_url` | where digits and receipts go; empty if none are taken |

Let it ring for 30 seconds, end the call after two minutes, and record nothing. An answer of 200 to 299 means that you have taken the call. Any other
is a failure: 429 with `Retry-After` asks for a pause, 5xx is tried again.

## What keyed digits look like

To take digits, the file needs a second key, made as the first, which signs what comes back, and the configuration `public_url`:

```toml
callback_secret = "…"
```

Without it, calls speak codes only, and v2 does not offer voice. With it, your program posts the keys, signed with `callback_secret` and the time
at which it sends them. `to` is the number that was called; if no key was pressed, leave `digits` out. This one is signed
with `whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`, which is no key to use:

```http
POST /callbacks/exchange/digits?call=11111111-2222-4333-8444-555555555555 HTTP/1.1
content-type: application/json
webhook-id: call-1
webhook-timestamp: 1440938172
webhook-signature: v1,XBUBZA9kRQQ/lRBH8bR5KD7LSC9WsKLO7zTPI87RLTI=

{"to": "+14155550123", "digits": "042137"}
```

The answer says how the call ends:

```json
{"hang_up":true,"language":"en","say":"This is Example Inc. Thank you, the digits are right. Goodbye."}
```

An answer without a body means that nothing was counted: the call goes on. 403 means that the signature, its time (five minutes at most) or the number is
wrong. 503 means to send the same again after a second.

## What became of a call

If you like, post it to `status_url`, signed with `callback_secret` too: `completed`, `busy`, `no-answer`, `failed` or `canceled`. It changes counts only.

```json
{"id": "4711-1440938160000", "to": "+14155550123", "status": "completed"}
```
"#;

/// The guides of the providers in code.
const IN_CODE: &[Guide] = &[
    Guide {
        name: "twilio",
        title: "Twilio",
        buy: "a number that can send text messages, or a messaging service with one",
        paste: &[
            ("account_sid", "Console, Account Info: Account SID"),
            ("auth_token", "Console, Account Info: Auth Token"),
            ("from", "the number, with its plus sign; or messaging_service_sid instead"),
        ],
        docs: "https://www.twilio.com/docs/messaging/api/message-resource",
        caveat: Some("countries must be allowed in the console's Geo permissions"),
    },
    Guide {
        name: "vonage",
        title: "Vonage",
        buy: "credit, and a number or a sender's name that the recipients' countries allow",
        paste: &[
            ("api_key", "Dashboard, API Settings: API key"),
            ("api_secret", "Dashboard, API Settings: API secret"),
            ("from", "the number without plus sign, or the name"),
            ("signature_secret", "for receipts; Dashboard, API Settings: Signature secret"),
        ],
        docs: "https://developer.vonage.com/en/api/messages",
        caveat: Some("the account's SMS setting must be Messages API"),
    },
    Guide {
        name: "sns",
        title: "Amazon SNS",
        buy: "nothing, but the account must be out of the SMS sandbox and have a monthly spending limit above its default",
        paste: &[
            ("region", "a region that sends text messages, such as eu-central-1"),
            ("access_key_id", "IAM, a user whose only right is sns:Publish: Access key ID"),
            ("secret_access_key", "the same: Secret access key"),
            ("sender_id", "the sender's name, where the recipients' countries allow one"),
        ],
        docs: "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html",
        caveat: None,
    },
    Guide {
        name: "smtp",
        title: "Mail server (SMTP)",
        buy: "a mail server that takes mail for your domain's sender",
        paste: &[
            ("servers", "the server's address, such as smtps://mail.example.com"),
            ("username", "the sender's account there"),
            ("password", "its password"),
            ("from", "the sender, such as Example <login@example.com>"),
        ],
        docs: "https://www.rfc-editor.org/rfc/rfc6409",
        caveat: None,
    },
];
