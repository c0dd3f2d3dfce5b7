//! What is read of users, clients and verifications, as committed at some recent moment: never for decisions.

use domain::{Budget, Client, ClientId, ClientView, Device, Digest, KeyedHash, Purpose, Spent, TokenSet, UserId};
use domain::{Verification, VerificationId, View};

use super::handle::{Store, forward};
use crate::error::Error;
use crate::query::{Page, UserFilter, UserPage};

impl Store {
    /// A user as committed at some recent moment. Good for proofs and for answers, never for decisions.
    pub async fn view(&self, user: UserId) -> Result<View, Error> {
        forward!(self.view(user))
    }

    /// A user's devices as committed at some recent moment, for lists: their counters and last uses are not looked at.
    /// `None` if there is no such user.
    pub async fn devices(&self, user: UserId) -> Result<Option<Vec<Device>>, Error> {
        forward!(self.devices(user))
    }

    /// The client that shows this id, revoked or not.
    pub async fn client_by_public_id(&self, client_id: &str) -> Result<Option<Client>, Error> {
        forward!(self.client_by_public_id(client_id))
    }

    /// A client as committed at some recent moment.
    pub async fn client_view(&self, client: ClientId, asked: Option<Digest>) -> Result<ClientView, Error> {
        forward!(self.client_view(client, asked))
    }

    /// All clients, revoked ones too, by ascending id.
    pub async fn clients(&self) -> Result<Vec<Client>, Error> {
        forward!(self.clients())
    }

    /// The token set of an access token, live or not, and its client.
    pub async fn token(&self, access: Digest) -> Result<Option<(TokenSet, Client)>, Error> {
        forward!(self.token(access))
    }

    /// The users that match, by ascending id. Few lists are read at once, apart from all else, and none for longer than
    /// the options of the database say; beyond that the answer is [`Error::Unavailable`].
    pub async fn users(&self, filter: &UserFilter, page: Page) -> Result<UserPage, Error> {
        forward!(self.users(filter, page))
    }

    /// The names of the custom attributes that the first `users` users have. A list, as [`Self::users`] is.
    pub async fn attribute_names(&self, users: u32) -> Result<Vec<String>, Error> {
        forward!(self.attribute_names(users))
    }

    /// The verification a caller knows by `wire_id`, ended or not (SEC 7: looked up by user and id together). Once it
    /// has ended, what its answer was compared with is wiped: the challenge keeps its kind only (SEC 10).
    pub async fn verification_by_wire_id(
        &self,
        user: UserId,
        wire_id: &str,
        purpose: Purpose,
    ) -> Result<Option<Verification>, Error> {
        forward!(self.verification_by_wire_id(user, wire_id, purpose))
    }

    /// The verification with this id, ended or not.
    pub async fn verification_by_id(&self, id: VerificationId) -> Result<Option<Verification>, Error> {
        forward!(self.verification_by_id(id))
    }

    /// Whose pending registration a pairing code belongs to.
    pub async fn pairing(&self, hash: KeyedHash) -> Result<Option<(UserId, VerificationId)>, Error> {
        forward!(self.pairing(hash))
    }

    /// What was taken out of the budgets of days, of the clients and of the server.
    pub async fn day_budgets(&self) -> Result<Vec<(Budget, Spent)>, Error> {
        forward!(self.day_budgets())
    }
}
