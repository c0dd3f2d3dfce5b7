//! Small drawings beside a choice. The words beside them say the same, so screen readers pass over them.

use minijinja::Value;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictogram {
    /// An app that shows codes.
    Authenticator,
    /// A telephone with a tick.
    Phone,
    /// A mail in its envelope.
    Mail,
    /// A text message in a balloon.
    Message,
}

impl Pictogram {
    /// In a square of 24.
    pub(crate) fn drawing(self) -> Value {
        let path = match self {
            Self::Authenticator => {
                r#"<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/><path d="M12 3v1M21 12h-1M12 21v-1M3 12h1"/>"#
            }
            Self::Phone => r#"<rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="M9.5 12l2 2 3.5-4"/>"#,
            Self::Mail => r#"<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="M4 7.5l8 6 8-6"/>"#,
            Self::Message => {
                r#"<path d="M5.5 4.5h13a2.5 2.5 0 0 1 2.5 2.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4h-1A2.5 2.5 0 0 1 3 14V7a2.5 2.5 0 0 1 2.5-2.5z"/><path d="M8 10.5v.01M12 10.5v.01M16 10.5v.01"/>"#
            }
        };
        Value::from_safe_string(format!(
            r#"<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">{path}</svg>"#
        ))
    }
}
