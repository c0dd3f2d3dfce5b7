//! How requests to servers that others name, such as webhooks and push services, go wrong.

/// Why another server's answer to a request of ours is missing. The names are stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundFault {
    /// The name means nothing.
    Unresolved,
    /// It means only addresses that may not be called.
    Forbidden,
    /// The connection is refused, or gets no answer.
    Unreachable,
    /// Its certificate is not one we trust for this name, or TLS failed otherwise.
    Tls,
    /// What came back is not HTTP, or ended early.
    Broken,
    /// It took too long.
    Late,
    /// The request cannot be made here: its keys do not open, its address is none, or a header cannot be sent.
    Unusable,
}

impl OutboundFault {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Unresolved, Self::Forbidden, Self::Unreachable, Self::Tls, Self::Broken, Self::Late, Self::Unusable];

    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unresolved => "unresolved",
            Self::Forbidden => "forbidden_address",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Broken => "broken_answer",
            Self::Late => "timeout",
            Self::Unusable => "unusable",
        }
    }

    /// The fault of this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}
