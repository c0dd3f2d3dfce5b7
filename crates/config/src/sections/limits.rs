//! `[limits]`: calls, messages, connections and threads.

use domain::model::time::SECOND;
use domain::{CallRate, SendLimits};
use engine::PollLimits;
use web::limits::Limits;

use crate::row::{Kind, MOST, ROW, Row, Value, on};
use crate::section::Section;
use crate::values::Values;

/// The configured limits on calls, messages, connections and threads.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    pub sends: SendLimits,
    /// What connections and requests may use.
    pub front: Limits,
    /// Event streams of phones that may be open, in all and from one address.
    pub event_streams: (usize, usize),
    /// Threads that answer requests; 0 for one per core.
    pub threads: usize,
    hourly_quota: u64,
    burst_limit: bool,
    call_rate: CallRate,
}

impl LimitsConfig {
    /// How many polls may be held. A tenth of the connections is kept for other requests.
    pub fn held(&self) -> PollLimits {
        let most = |connections: usize| connections - connections.div_ceil(10);
        PollLimits { all: most(self.front.connections), client: most(self.front.per_peer) }
    }
}

impl Section for LimitsConfig {
    const HEADING: Option<&'static str> = Some("Limits");

    const ROWS: &'static [Row] = &[
        Row {
            key: "limits.calls_per_hour",
            kind: Kind::Number(0, i64::MAX),
            about: "v1 calls per hour and account; 0 for no limit",
            default: Some(|| Value::from(5_000)),
            ..ROW
        },
        Row {
            key: "limits.bursts",
            kind: Kind::YesNo,
            about: "Whether each client is held to a rate of calls",
            default: Some(on),
            ..ROW
        },
        Row {
            key: "limits.calls_per_second",
            kind: Kind::Number(1, 1_000_000),
            about: "Calls a second of each client, over all nodes; limits.bursts = false lifts the limit",
            default: Some(|| Value::from(i64::from(CallRate::default().per_second))),
            ..ROW
        },
        Row {
            key: "limits.calls_burst",
            kind: Kind::Number(1, 1_000_000),
            about: "Calls at once of each client, over all nodes; limits.bursts = false lifts the limit",
            default: Some(|| Value::from(i64::from(CallRate::default().burst))),
            ..ROW
        },
        Row {
            key: "limits.message_interval_seconds",
            kind: Kind::Number(0, 3_600),
            about: "Seconds between two messages to a device; 0 for none",
            default: Some(|| Value::from(SendLimits::default().device_interval / SECOND)),
            ..ROW
        },
        Row {
            key: "limits.messages_per_device",
            kind: Kind::Number(0, SendLimits::MOST_PER_BLOCK as i64),
            about: "Messages to a device in ten minutes; 0 for no limit",
            default: Some(|| Value::from(i64::from(SendLimits::default().device_per_ten_minutes))),
            ..ROW
        },
        Row {
            key: "limits.messages_per_target",
            kind: Kind::Number(0, SendLimits::MOST_PER_TARGET as i64),
            about: "Messages to a number or address in a day; 0 for no limit",
            default: Some(|| Value::from(i64::from(SendLimits::default().target_per_day))),
            ..ROW
        },
        Row {
            key: "limits.messages_per_block",
            kind: Kind::Number(0, SendLimits::MOST_PER_BLOCK as i64),
            about: "Messages to a hundred adjacent numbers in an hour; 0 for no limit",
            default: Some(|| Value::from(i64::from(SendLimits::default().block_per_hour))),
            ..ROW
        },
        Row {
            key: "limits.messages_per_client",
            kind: Kind::Number(0, MOST),
            about: "Messages that a client has sent in a day (UTC); 0 for no limit",
            default: Some(|| Value::from(i64::from(SendLimits::default().client_per_day))),
            ..ROW
        },
        Row {
            key: "limits.messages_per_server",
            kind: Kind::Number(0, MOST),
            about: "Messages that the server sends in a day (UTC); 0 for no limit",
            default: Some(|| Value::from(i64::from(SendLimits::default().server_per_day))),
            ..ROW
        },
        Row {
            key: "limits.connections",
            kind: Kind::Number(1, MOST),
            about: "Connections open at once",
            default: Some(|| Value::from(i64::try_from(Limits::default().connections).unwrap_or(MOST))),
            ..ROW
        },
        Row {
            key: "limits.connections_per_peer",
            kind: Kind::Number(1, MOST),
            about: "Connections open at once from one address, or from one IPv6 network of 64 bits",
            default: Some(|| Value::from(i64::try_from(Limits::default().per_peer).unwrap_or(MOST))),
            ..ROW
        },
        Row {
            key: "limits.event_streams",
            kind: Kind::Number(0, 1_000_000),
            about: "Event streams of phones open at once; a quarter of limits.connections if it is not set",
            example: "2500",
            ..ROW
        },
        Row {
            key: "limits.event_streams_per_peer",
            kind: Kind::Number(0, 1_000_000),
            about: "Event streams open at once from one address, counted as connections are; a quarter of limits.connections_per_peer if it is not set",
            example: "250",
            ..ROW
        },
        Row {
            key: "limits.threads",
            kind: Kind::Number(0, 1_024),
            about: "Threads that answer requests; 0 for one per core",
            default: Some(|| Value::from(0)),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        let quarter = |key, of| match values.of(key).0 {
            Some(_) => values.number(key),
            None => values.number::<usize>(of) / 4,
        };
        Ok(Self {
            event_streams: (
                quarter("limits.event_streams", "limits.connections"),
                quarter("limits.event_streams_per_peer", "limits.connections_per_peer"),
            ),
            sends: SendLimits {
                device_interval: values.number::<i64>("limits.message_interval_seconds") * SECOND,
                device_per_ten_minutes: values.number("limits.messages_per_device"),
                target_per_day: values.number("limits.messages_per_target"),
                block_per_hour: values.number("limits.messages_per_block"),
                client_per_day: values.number("limits.messages_per_client"),
                server_per_day: values.number("limits.messages_per_server"),
            },
            front: Limits {
                connections: values.number("limits.connections"),
                per_peer: values.number("limits.connections_per_peer"),
                ..Limits::default()
            },
            threads: values.number("limits.threads"),
            hourly_quota: values.number("limits.calls_per_hour"),
            burst_limit: values.yes("limits.bursts"),
            call_rate: CallRate {
                per_second: values.number("limits.calls_per_second"),
                burst: values.number("limits.calls_burst"),
            },
        })
    }

    fn set_dialect(&self, options: &mut onelogin::DialectOptions) {
        options.hourly_quota = self.hourly_quota;
        options.burst_limit = self.burst_limit;
        options.call_rate = self.call_rate;
    }
}
