//! The names of decisions.

/// Defines the names of decisions, as they stand in metrics and spans.
macro_rules! decision_names {
    ($($name:ident = $text:literal),+ $(,)?) => {
        /// The name of a decision about a user or a client, for metrics and spans.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum DecisionName {
            $(#[doc = concat!("`", $text, "`")] $name),+
        }

        impl DecisionName {
            /// All names, in the order of their counts.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$name),+];

            /// The name in a metric.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }
        }
    };
}

decision_names! {
    AnswerFromDevice = "answer_from_device",
    AnswerLink = "answer_link",
    CreateClient = "create_client",
    CreateUser = "create_user",
    DeleteUser = "delete_user",
    DisableDevice = "disable_device",
    Enrol = "enrol",
    ExchangeSession = "exchange_session",
    Expire = "expire",
    GrantToken = "grant_token",
    Import = "import",
    Invite = "invite",
    IssueTempToken = "issue_temp_token",
    LockUser = "lock_user",
    LogIn = "log_in",
    LogInChallenge = "log_in_challenge",
    LogInStep = "log_in_step",
    LogOut = "log_out",
    NotifyUser = "notify_user",
    OpenVerification = "open_verification",
    ProveVisit = "prove_visit",
    RecordRefusals = "record_refusals",
    RefreshToken = "refresh_token",
    RefuseLogIn = "refuse_log_in",
    RememberVisit = "remember_visit",
    RemoveDevice = "remove_device",
    RevokeClient = "revoke_client",
    RevokeTempToken = "revoke_temp_token",
    RevokeToken = "revoke_token",
    RotateClient = "rotate_client",
    SavePollCeiling = "save_poll_ceiling",
    SubscribePhone = "subscribe_phone",
    UnlockUser = "unlock_user",
    UpdateClient = "update_client",
    UpdateUser = "update_user",
    Verify = "verify",
    WarnOfPrompts = "warn_of_prompts",
}
