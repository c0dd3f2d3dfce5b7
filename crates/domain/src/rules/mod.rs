//! The rules: functions from a view of what is stored to a [`Decision`](crate::model::change::Decision).

pub mod app;
pub mod basis;
pub mod client;
pub mod conversion;
pub mod enrolment;
pub mod factor;
pub mod import;
pub mod message_end;
pub mod need;
pub mod password_check;
pub mod rate;
pub mod reaching;
pub mod reserve;
pub mod risk;
pub mod sends;
pub mod sign_in;
pub mod simulation;
pub mod standing;
pub mod temp_token;
pub mod throttle;
pub mod trusted_time;
pub mod user;
pub mod verification;
pub mod warning;
pub mod webhook;
