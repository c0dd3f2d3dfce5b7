//! The transactions that write what decisions decide.

use domain::{Budget, BudgetView, ClientId, ClientView, Decision, Digest, UserId, View};

use super::handle::{Store, forward};
use crate::error::Error;

impl Store {
    /// Lets `f` decide on this user's fresh view and applies what it decided, in one transaction. Its reply is given
    /// once the changes are durable. `f` may run more than once and must depend on nothing but its view.
    pub async fn decide<T, F>(&self, user: UserId, f: F) -> Result<T, Error>
    where
        F: Fn(&View) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        forward!(self.decide(user, f))
    }

    /// The same for an API caller and its tokens. `asked` is the digest of the access token that the decision is about.
    pub async fn decide_client<T, F>(&self, client: ClientId, asked: Option<Digest>, f: F) -> Result<T, Error>
    where
        F: Fn(&ClientView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        forward!(self.decide_client(client, asked, f))
    }

    /// The same for what holds over all users: messages to a recipient, of a client and of the server, and a client's
    /// calls. No decision about a user waits for one of these.
    pub async fn decide_budget<T, F>(&self, budget: Budget, f: F) -> Result<T, Error>
    where
        F: Fn(&BudgetView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        forward!(self.decide_budget(budget, f))
    }
}
