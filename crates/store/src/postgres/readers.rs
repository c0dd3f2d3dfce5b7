//! Looks users up before decisions and answers: calls at the same time share a few statements.

use std::collections::HashMap;
use std::sync::Arc;

use domain::UserId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::conn::Conn;
use super::connect::{PLANNING, Target};
use super::failure::Failure;
use super::limits::DEADLINE;
use super::load;
use crate::error::Error;
use crate::user_state::SeenUser;

/// Most that share a look-up.
const GROUP: usize = 64;

/// Somebody who wants to see a user.
pub(super) struct Asked {
    pub(super) user: UserId,
    pub(super) waiting: oneshot::Sender<Result<SeenUser, Error>>,
}

/// Answers until every sender is gone. Several readers share one queue.
pub(super) async fn run(target: Arc<Target>, queue: Arc<tokio::sync::Mutex<mpsc::Receiver<Asked>>>) {
    let mut conn = None;
    let mut group = Vec::with_capacity(GROUP);
    loop {
        // Let go of before answering, so that the next reader takes the next group meanwhile.
        if queue.lock().await.recv_many(&mut group, GROUP).await == 0 {
            return;
        }
        let mut users: Vec<_> = group.iter().map(|asked| asked.user).collect();
        users.sort_unstable_by_key(|user| user.0);
        users.dedup();
        let mut found = look_up(&target, &mut conn, &users).await;
        if let Err(Failure::Lost(_) | Failure::Again(_)) = found {
            found = look_up(&target, &mut conn, &users).await;
        }
        for Asked { user, waiting } in group.drain(..) {
            let answer = match &found {
                Ok(users) => users.get(&user).cloned().unwrap_or_else(|| Ok(SeenUser::default())),
                Err(failure) => Err((*failure).into()),
            };
            let _ = waiting.send(answer);
        }
    }
}

/// The connection is kept if all went well.
async fn look_up(
    target: &Target,
    kept: &mut Option<Conn>,
    users: &[UserId],
) -> Result<HashMap<UserId, Result<SeenUser, Error>>, Failure> {
    let work = async {
        let mut conn = match kept.take().filter(Conn::is_idle) {
            Some(conn) => conn,
            None => target.connect(PLANNING).await?,
        };
        let views = load::users(&mut conn, users).await?;
        *kept = Some(conn);
        Ok(views)
    };
    timeout(DEADLINE, work).await.unwrap_or(Err(Failure::Job(Error::Unavailable("the database does not answer"))))
}
