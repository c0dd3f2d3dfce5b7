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
