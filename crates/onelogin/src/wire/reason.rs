//! Why a call was refused, and whose it was. Both travel beside the answer, for the log, and are not part of it.

use axum::response::Response;
use domain::ClientId;

#[derive(Debug, Clone)]
struct Reason(String);

#[derive(Debug, Clone, Copy)]
struct Caller(ClientId);

/// Attaches the reason, in place of a vaguer one.
pub(crate) fn because(mut answer: Response, why: &str) -> Response {
    answer.extensions_mut().insert(Reason(why.to_owned()));
    answer
}

/// Attaches the client to an answer that is a refusal, or to every answer if `always`.
pub(crate) fn with_client(client: ClientId, always: bool, mut answer: Response) -> Response {
    if always || answer.status().is_client_error() {
        answer.extensions_mut().insert(Caller(client));
    }
    answer
}

/// Why the dialect has refused a call, as its log says it: for a dev world, which shows it.
pub fn refusal_reason(answer: &Response) -> Option<&str> {
    of(answer)
}

/// The client of a call that a dialect with [`crate::DialectOptions::tell_refusals`] has answered, if its token was good.
pub fn answered_client(answer: &Response) -> Option<ClientId> {
    client_of(answer)
}

/// The reason, if one was attached.
pub(crate) fn of(answer: &Response) -> Option<&str> {
    answer.extensions().get::<Reason>().map(|reason| reason.0.as_str())
}

/// The client, if one was attached.
pub(crate) fn client_of(answer: &Response) -> Option<ClientId> {
    answer.extensions().get::<Caller>().map(|caller| caller.0)
}
