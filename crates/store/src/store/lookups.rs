//! What is read of users, clients and verifications, as committed at some recent moment: never for decisions.

use domain::{Budget, Client, ClientId, ClientView, Device, Digest, KeyedHash, Purpose, Spent, TokenSet, UserId};
use domain::{VerificationId, View};

use super::handle::{Store, forward};
use crate::error::Error;
use crate::query::{Page, UserFilter, UserPage};
use crate::schema::sql;
use crate::user_state::{Found, KnownVerification};
use crate::value::{self, Value};

impl Store {
    /// A user as committed at some recent moment. Good for proofs and for answers, never for decisions.
    pub async fn view(&self, user: UserId) -> Result<View, Error> {
        forward!(self.view(user))
    }

    /// A user's devices as committed at some recent moment, for lists. `None` if there is no such user.
    pub async fn devices(&self, user: UserId) -> Result<Option<Vec<Device>>, Error> {
        let view = self.view(user).await?;
        Ok(view.user.map(|_| view.devices))
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

    /// The verification a caller knows by `wire_id`, as it waits, or its result (SEC 7: looked up by user and id together).
    pub async fn verification_by_wire_id(
        &self,
        user: UserId,
        wire_id: &str,
        purpose: Purpose,
    ) -> Result<Option<KnownVerification>, Error> {
        let known = self.known_verifications(user).await?;
        Ok(known.into_iter().find(|known| known.wire_id == wire_id && known.purpose == purpose))
    }

    /// The verifications of a user that callers may ask for, oldest first: those that wait, then the newest results, which are
    /// kept until an hour after their time.
    pub async fn known_verifications(&self, user: UserId) -> Result<Vec<KnownVerification>, Error> {
        forward!(self.known_verifications(user))
    }

    /// To whom a verification was put that a person answers, while it waits. Where no message is needed (a device's own
    /// code), the caller names the user.
    pub async fn whose_verification(&self, id: VerificationId) -> Result<Option<UserId>, Error> {
        self.whose(value::id(id).into(), Found::Verification).await
    }

    /// Whose pending registration a pairing code belongs to.
    pub async fn pairing(&self, hash: KeyedHash) -> Result<Option<(UserId, VerificationId)>, Error> {
        forward!(self.pairing(hash))
    }

    /// Whose verification waits for the link whose token has this digest.
    pub async fn link(&self, token: Digest) -> Result<Option<(UserId, VerificationId)>, Error> {
        forward!(self.link(token))
    }

    /// Who is invited by the link whose token has this digest.
    pub async fn invited(&self, token: Digest) -> Result<Option<UserId>, Error> {
        self.whose(token.into(), Found::Invitation).await
    }

    /// Whose key this is.
    pub(super) async fn whose(&self, key: Value, found: Found) -> Result<Option<UserId>, Error> {
        Ok(self.find_number(sql::LOOKUP, vec![key, found.number().into()]).await?.map(UserId))
    }

    /// What was taken out of the budgets of days, of the clients and of the server.
    pub async fn day_budgets(&self) -> Result<Vec<(Budget, Spent)>, Error> {
        forward!(self.day_budgets())
    }
}
