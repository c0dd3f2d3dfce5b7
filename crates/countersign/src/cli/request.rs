//! What the command line asks of an installation. A request is data: a running server executes it as one more job of its
//! single writer, and only when no server runs does the command open the database itself (decision 3).

use std::pin::Pin;

use engine::Engine;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::report::Report;
use crate::installation::Intent;

/// The requests of one noun, as `user` or `client`.
pub(crate) trait Request: Serialize + DeserializeOwned + Send + 'static {
    /// The noun's name on the control socket.
    const NOUN: &'static str;

    /// What the request needs of the installation.
    fn intent(&self) -> Intent;

    /// Executes the request. The error is a sentence for the person who asked.
    fn execute(self, engine: &Engine) -> impl Future<Output = Result<Report, String>> + Send;
}

/// A request that is being executed.
pub(crate) type Executing<'a> = Pin<Box<dyn Future<Output = Result<Report, String>> + Send + 'a>>;

/// How a running server executes the requests of a noun.
pub(crate) struct Noun {
    pub(crate) name: &'static str,
    /// `None` if the request cannot be read, for example because another version wrote it.
    pub(crate) execute: for<'a> fn(&'a Engine, Value) -> Option<Executing<'a>>,
}

impl Noun {
    pub(crate) const fn of<R: Request>() -> Self {
        Self { name: R::NOUN, execute: execute::<R> }
    }
}

fn execute<R: Request>(engine: &Engine, request: Value) -> Option<Executing<'_>> {
    let request: R = serde_json::from_value(request).ok()?;
    Some(Box::pin(request.execute(engine)))
}
