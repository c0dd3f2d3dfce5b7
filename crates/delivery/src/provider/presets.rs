//! Gateways whose requests are known, as data. The operators' pages are made from this table, so each row also says what
//! to buy there and what to paste where.
//!
//! A row follows the gateway's public documentation, whose address it has. We have no account at most of them, so the pages
//! ask operators to send a test message first. Words that mean an unreachable recipient are there only where the
//! documentation names them: a wrong one would end messages that another gateway could have carried.

use domain::Channel;

use super::preset::{Guide, Preset};

impl Preset {
    /// The preset of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.guide.name == name)
    }
}

/// What most rows have in common.
const ROW: Preset = Preset {
    guide: Guide { name: "", title: "", buy: "", paste: &[], docs: "", caveat: None },
    channels: &[Channel::Sms],
    method: "POST",
    url: "",
    headers: &[],
    form: None,
    json: None,
    basic_auth: false,
    signed: false,
    success: "2xx",
    id_path: None,
    refused_words: &[],
};

const ONE_PLACE: &str = "every message goes to this one place, for all recipients: for one person's server, or to try things out. \
                         It carries codes; it never approves a sign-in";

/// All presets, by name.
pub const PRESETS: &[Preset] = &[
    Preset {
        guide: Guide {
            name: "46elks",
            title: "46elks",
            buy: "credit; a sender's name of up to 11 letters needs no number",
            paste: &[
                ("username", "Dashboard, Account: API username"),
                ("secret", "Dashboard, Account: API password"),
                ("from", "the name, or a number with its plus sign"),
            ],
            docs: "https://46elks.se/documentation",
            caveat: None,
        },
        url: "https://api.46elks.com/a1/sms",
        form: Some(&["from={{ from }}", "to={{ to }}", "message={{ text }}"]),
        basic_auth: true,
        id_path: Some("id"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "africastalking",
            title: "Africa's Talking",
            buy: "credit, and an alphanumeric sender or a short code",
            paste: &[
                ("username", "the name of the application"),
                ("secret", "Settings, API Key"),
                ("from", "the sender or short code"),
            ],
            docs: "https://developers.africastalking.com/docs/sms/sending/bulk",
            caveat: Some("for the sandbox, set url to https://api.sandbox.africastalking.com/version1/messaging"),
        },
        url: "https://api.africastalking.com/version1/messaging",
        headers: &["apiKey: {{ secret }}"],
        form: Some(&["username={{ username }}", "to={{ to }}", "message={{ text }}", "from={{ from }}"]),
        success: "2xx SMSMessageData.Recipients.0.status=Success",
        id_path: Some("SMSMessageData.Recipients.0.messageId"),
        refused_words: &["InvalidPhoneNumber", "UnsupportedNumberType", "UserInBlacklist"],
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "bulksms",
            title: "BulkSMS",
            buy: "credits",
            paste: &[
                ("username", "Settings, Advanced, API tokens: token id"),
                ("secret", "the same: token secret"),
                ("from", "a sender that BulkSMS has approved for you"),
            ],
            docs: "https://www.bulksms.com/developer/json/v1/",
            caveat: None,
        },
        url: "https://api.bulksms.com/v1/messages?auto-unicode=true",
        json: Some(r#"{"from": "{{ from }}", "to": "{{ to }}", "body": "{{ text }}"}"#),
        basic_auth: true,
        id_path: Some("0.id"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "clickatell",
            title: "Clickatell",
            buy: "credit, and an integration of the One API with SMS",
            paste: &[("secret", "Integrations: API key")],
            docs: "https://guides.clickatell.com/clickatell-chat-commerce-platform/developer/channels/whatsapp-and-sms-one-api/api-reference/messages/send-messages",
            caveat: Some("the sender is the one of the integration"),
        },
        url: "https://platform.clickatell.com/v1/message",
        headers: &["Authorization: {{ secret }}"],
        json: Some(r#"{"messages": [{"channel": "sms", "to": "{{ to_digits }}", "content": "{{ text }}"}]}"#),
        success: "2xx messages.0.accepted=true",
        id_path: Some("messages.0.apiMessageId"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "clicksend",
            title: "ClickSend",
            buy: "credit, and a number or an approved sender's name",
            paste: &[
                ("username", "API Credentials: username"),
                ("secret", "API Credentials: API key"),
                ("from", "the number or name"),
            ],
            docs: "https://developers.clicksend.com/docs/messaging/sms",
            caveat: None,
        },
        url: "https://rest.clicksend.com/v3/sms/send",
        json: Some(
            r#"{"messages": [{"from": "{{ from }}", "to": "{{ to }}", "body": "{{ text }}", "custom_string": "{{ id }}"}]}"#,
        ),
        basic_auth: true,
        success: "200 data.messages.0.status=SUCCESS",
        id_path: Some("data.messages.0.message_id"),
        refused_words: &["INVALID_RECIPIENT"],
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "d7networks",
            title: "D7 Networks",
            buy: "credit, and a sender that the recipients' countries allow",
            paste: &[("secret", "API Tokens: token"), ("from", "the sender")],
            docs: "https://d7networks.com/docs/Messages/Send_Message/",
            caveat: None,
        },
        url: "https://api.d7networks.com/messages/v1/send",
        headers: &["Authorization: Bearer {{ secret }}"],
        json: Some(
            r#"{"messages": [{"channel": "sms", "recipients": ["{{ to }}"], "content": "{{ text }}", "msg_type": "text", "data_coding": "auto"}], "message_globals": {"originator": "{{ from }}"}}"#,
        ),
        id_path: Some("request_id"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "exchange",
            title: "Your own exchange",
            buy: "an exchange that calls, speaks a text and hears keys, and in front of it a program of yours that takes the requests below",
            paste: &[
                ("url", "where this program takes requests"),
                (
                    "secret",
                    "make one, as with echo whsec_$(openssl rand -base64 32), and give it to the program: our requests are signed with it",
                ),
            ],
            docs: "https://www.standardwebhooks.com",
            caveat: None,
        },
        channels: &[Channel::Voice],
        json: Some(concat!(
            r#"{"id": "{{ id }}", "to": "{{ to }}", "kind": "{{ kind }}", "say": "{{ spoken }}", "code": "{{ code }}", "#,
            r#""language": "{{ language }}", "reply_url": "{{ reply_url }}", "status_url": "{{ status_url }}"}"#
        )),
        signed: true,
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "gatewayapi",
            title: "GatewayAPI",
            buy: "credit; a sender's name of up to 11 letters needs no number",
            paste: &[("secret", "API, API Keys: token"), ("from", "the name")],
            docs: "https://gatewayapi.com/docs/apis/rest/",
            caveat: Some("for an account on the EU platform, set url to https://gatewayapi.eu/rest/mtsms"),
        },
        url: "https://gatewayapi.com/rest/mtsms",
        headers: &["Authorization: Token {{ secret }}"],
        json: Some(
            r#"{"sender": "{{ from }}", "message": "{{ text }}", "recipients": [{"msisdn": "{{ to_digits }}"}], "userref": "{{ id }}"}"#,
        ),
        id_path: Some("ids.0"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "infobip",
            title: "Infobip",
            buy: "a sender: a number, or a name that is registered for the recipients' countries",
            paste: &[
                ("account", "the account's base URL without https://, such as xxxxx.api.infobip.com"),
                ("secret", "Developer Tools, API Keys"),
                ("from", "the sender"),
            ],
            docs: "https://www.infobip.com/docs/developer-resources/quickstart",
            caveat: None,
        },
        url: "https://{{ account }}/sms/3/messages",
        headers: &["Authorization: App {{ secret }}"],
        json: Some(
            r#"{"messages": [{"sender": "{{ from }}", "destinations": [{"to": "{{ to_digits }}"}], "content": {"text": "{{ text }}"}}]}"#,
        ),
        success: "2xx messages.0.status.groupName=PENDING",
        id_path: Some("messages.0.messageId"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "lox24",
            title: "LOX24",
            buy: "credit; a sender's name needs no number",
            paste: &[
                ("secret", "Account, API keys: the token, client number and colon included"),
                ("from", "the sender"),
            ],
            docs: "https://doc.lox24.eu/api/operations/api_sms_post_collection/",
            caveat: None,
        },
        url: "https://api.lox24.eu/sms",
        headers: &["X-LOX24-AUTH-TOKEN: {{ secret }}"],
        json: Some(
            r#"{"sender_id": "{{ from }}", "phone": "{{ to }}", "text": "{{ text }}", "service_code": "direct", "callback_data": "{{ id }}"}"#,
        ),
        id_path: Some("uuid"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "messagebird",
            title: "Bird (MessageBird)",
            buy: "credit, and a number or a sender's name",
            paste: &[("secret", "Dashboard, Developers: live access key"), ("from", "the number or name")],
            docs: "https://developers.messagebird.com/api/sms-messaging/",
            caveat: Some("for accounts with access keys of MessageBird; the newer Bird workspaces have another API"),
        },
        url: "https://rest.messagebird.com/messages",
        headers: &["Authorization: AccessKey {{ secret }}"],
        form: Some(&[
            "originator={{ from }}",
            "recipients={{ to_digits }}",
            "body={{ text }}",
            "datacoding=auto",
            "reference={{ id }}",
        ]),
        id_path: Some("id"),
        refused_words: &["no (correct) recipients found"],
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "ntfy",
            title: "ntfy",
            buy: "nothing; a topic with a name that cannot be guessed, better with access control",
            paste: &[("account", "the topic"), ("secret", "Account, Access tokens: token")],
            docs: "https://docs.ntfy.sh/publish/",
            caveat: Some(ONE_PLACE),
        },
        url: "https://ntfy.sh/",
        headers: &["Authorization: Bearer {{ secret }}"],
        json: Some(r#"{"topic": "{{ account }}", "message": "{{ text }}"}"#),
        id_path: Some("id"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "plivo",
            title: "Plivo",
            buy: "a number that can send text messages, or a registered sender's name",
            paste: &[
                ("username", "Console: Auth ID"),
                ("secret", "Console: Auth Token"),
                ("from", "the number or name"),
            ],
            docs: "https://www.plivo.com/docs/messaging/api/messages/",
            caveat: None,
        },
        url: "https://api.plivo.com/v1/Account/{{ username }}/Message/",
        json: Some(r#"{"src": "{{ from }}", "dst": "{{ to }}", "text": "{{ text }}", "log": "false"}"#),
        basic_auth: true,
        id_path: Some("message_uuid.0"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "seven",
            title: "seven.io",
            buy: "credit; a sender's name of up to 11 letters needs no number",
            paste: &[("secret", "Developer, API Keys"), ("from", "the name or number")],
            docs: "https://docs.seven.io/en/rest-api/endpoints/sms",
            caveat: None,
        },
        url: "https://gateway.seven.io/api/sms",
        headers: &["X-Api-Key: {{ secret }}"],
        json: Some(r#"{"to": "{{ to }}", "from": "{{ from }}", "text": "{{ text }}", "foreign_id": "{{ id }}"}"#),
        success: "2xx success=100",
        id_path: Some("messages.0.id"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "sinch",
            title: "Sinch",
            buy: "an SMS service plan with a number",
            paste: &[
                ("account", "SMS, APIs: Service plan ID"),
                ("secret", "SMS, APIs: API token"),
                ("from", "the number"),
            ],
            docs: "https://developers.sinch.com/docs/sms/api-reference/sms/batches",
            caveat: Some(
                "for a service plan outside the US, set url with its region, such as https://eu.sms.api.sinch.com/xms/v1/{{ account }}/batches",
            ),
        },
        url: "https://us.sms.api.sinch.com/xms/v1/{{ account }}/batches",
        headers: &["Authorization: Bearer {{ secret }}"],
        json: Some(
            r#"{"from": "{{ from }}", "to": ["{{ to_digits }}"], "body": "{{ text }}", "client_reference": "{{ id }}"}"#,
        ),
        id_path: Some("id"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "slack",
            title: "Slack (incoming webhook)",
            buy: "nothing; an app with an incoming webhook for one private channel",
            paste: &[
                ("username", "the first part of the webhook's URL after /services/, with T"),
                ("account", "the second part, with B"),
                ("secret", "the third part"),
            ],
            docs: "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/",
            caveat: Some(ONE_PLACE),
        },
        url: "https://hooks.slack.com/services/{{ username }}/{{ account }}/{{ secret }}",
        json: Some(r#"{"text": "{{ text }}"}"#),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "telegram",
            title: "Telegram (bot)",
            buy: "nothing; a bot, and a chat in which it may write",
            paste: &[("secret", "the bot's token, from @BotFather"), ("account", "the chat's id")],
            docs: "https://core.telegram.org/bots/api#sendmessage",
            caveat: Some(ONE_PLACE),
        },
        url: "https://api.telegram.org/bot{{ secret }}/sendMessage",
        json: Some(r#"{"chat_id": "{{ account }}", "text": "{{ text }}"}"#),
        success: "200 ok=true",
        id_path: Some("result.message_id"),
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "telnyx",
            title: "Telnyx",
            buy: "a number with a messaging profile",
            paste: &[("secret", "API Keys: key"), ("from", "the number, with its plus sign")],
            docs: "https://developers.telnyx.com/docs/messaging",
            caveat: None,
        },
        url: "https://api.telnyx.com/v2/messages",
        headers: &["Authorization: Bearer {{ secret }}"],
        json: Some(r#"{"from": "{{ from }}", "to": "{{ to }}", "text": "{{ text }}"}"#),
        id_path: Some("data.id"),
        refused_words: &["40310"],
        ..ROW
    },
    Preset {
        guide: Guide {
            name: "textmagic",
            title: "Textmagic",
            buy: "credit, and a number or a registered sender",
            paste: &[
                ("username", "My account: username"),
                ("secret", "Services, API: API v2 key"),
                ("from", "the number or sender"),
            ],
            docs: "https://docs.textmagic.com/",
            caveat: None,
        },
        url: "https://rest.textmagic.com/api/v2/messages",
        headers: &["X-TM-Username: {{ username }}", "X-TM-Key: {{ secret }}"],
        form: Some(&["text={{ text }}", "phones={{ to_digits }}", "from={{ from }}"]),
        id_path: Some("id"),
        ..ROW
    },
];
