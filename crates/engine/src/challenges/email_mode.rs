//! What mails to devices carry by default (contract 18.13).

/// What a mail to a device carries where its caller does not say (decision 29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmailMode {
    #[default]
    Code,
    Link,
    /// A code and a link. Either answers, once.
    Both,
}

impl EmailMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Code, Self::Link, Self::Both];

    /// The word that operators write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Link => "link",
            Self::Both => "both",
        }
    }

    /// The mode of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}
