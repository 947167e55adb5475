//! Hearing what other servers, and imports beside this one, committed.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::app::App;
use crate::db::{Listener, Xid};
use crate::id::{ConversationId, SessionId, UserId};
use crate::realtime::viewers::News;
use crate::realtime::{Mark, Subject};

/// Between two attempts to open the listening connection; meanwhile followed conversations are polled as often.
const TRY_AGAIN: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Notification {
    node: Uuid,
    /// All transactions before this one were over when it was sent.
    since: Xid,
    /// Each of them is a list, or `*` where all would be far too long.
    logs: Value,
    sessions: Value,
    changed: Value,
    marks: Value,
    /// Whether there is something to do; a server of the version before does not say.
    #[serde(default)]
    jobs: bool,
}

/// Listens for as long as the server runs. While the listening connection is down it asks the table instead, so nothing
/// is missed, only later.
pub async fn listen(app: App) {
    loop {
        match Listener::open(app.db.url()).await {
            Ok(mut listener) => {
                // What was committed before the connection stood was announced to nobody here.
                look_everywhere(&app);
                look_for_ended_sessions(&app).await;
                while let Some(payload) = listener.next().await {
                    hear(&app, &payload).await;
                }
                tracing::warn!("the listening connection is lost; asking the tables instead");
            }
            Err(error) => tracing::debug!(%error, "no listening connection"),
        }
        tokio::time::sleep(TRY_AGAIN).await;
        look_everywhere(&app);
        look_for_ended_sessions(&app).await;
    }
}

fn look_everywhere(app: &App) {
    app.hub.look_everywhere();
    app.realtime.viewers.look_everywhere();
}

async fn hear(app: &App, payload: &str) {
    let Ok(notification) = serde_json::from_str::<Notification>(payload) else {
        tracing::warn!(payload, "a notification that is not ours");
        // Or of another version of ours: whoever relies on having heard everything has to look.
        app.realtime.viewers.look_everywhere();
        return;
    };
    let logs = serde_json::from_value::<Vec<(ConversationId, i32)>>(notification.logs);
    let logs = logs.map(|logs| logs.into_iter().map(|(id, _)| id).collect::<Vec<_>>());
    let changed = serde_json::from_value::<Vec<Subject>>(notification.changed);
    let marks = serde_json::from_value::<Vec<(Mark, Vec<UserId>)>>(notification.marks);
    match (&logs, changed, marks) {
        (Ok(logs), Ok(mut changed), Ok(marks)) => {
            changed.extend(logs.iter().copied().map(Subject::Conversation));
            app.realtime.viewers.hear(News { since: notification.since, at: app.clock.now(), changed, marks });
        }
        _ => app.realtime.viewers.look_everywhere(),
    }
    if notification.node == app.db.node() {
        // The rest of our own is known here, unless the answer to its commit was lost, which `*` does not tell.
        match logs {
            Ok(logs) => app.hub.look(logs.into_iter().filter(|id| app.db.was_in_doubt(*id))),
            Err(_) => app.hub.look_everywhere(),
        }
        return;
    }
    if notification.jobs {
        app.jobs.ring();
    }
    match logs {
        Ok(logs) => app.hub.look(logs),
        Err(_) => app.hub.look_everywhere(),
    }
    match serde_json::from_value::<Vec<SessionId>>(notification.sessions) {
        Ok(sessions) => app.realtime.ended_sessions.insert(sessions),
        Err(_) => look_for_ended_sessions(app).await,
    }
}

/// Asks until it is known: a revocation that was missed would stay missed.
async fn look_for_ended_sessions(app: &App) {
    while let Err(error) = app.realtime.ended_sessions.look(&app.db).await {
        tracing::debug!(?error, "could not read which sessions ended");
        tokio::time::sleep(TRY_AGAIN).await;
        look_everywhere(app);
    }
}
