//! Hearing what other servers, and imports beside this one, committed.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::app::App;
use crate::db::Listener;
use crate::id::{ConversationId, SessionId};

/// Between two attempts to open the listening connection; meanwhile followed conversations are polled as often.
const TRY_AGAIN: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Notification {
    node: Uuid,
    logs: Value,
    sessions: Value,
}

/// Listens for as long as the server runs. While the listening connection is down it asks the table instead, so nothing
/// is missed, only later.
pub async fn listen(app: App) {
    loop {
        match Listener::open(app.db.url()).await {
            Ok(mut listener) => {
                // What was committed before the connection stood was announced to nobody here.
                app.hub.look_everywhere();
                look_for_ended_sessions(&app).await;
                while let Some(payload) = listener.next().await {
                    hear(&app, &payload).await;
                }
                tracing::warn!("the listening connection is lost; asking the tables instead");
            }
            Err(error) => tracing::debug!(%error, "no listening connection"),
        }
        tokio::time::sleep(TRY_AGAIN).await;
        app.hub.look_everywhere();
        look_for_ended_sessions(&app).await;
    }
}

async fn hear(app: &App, payload: &str) {
    let Ok(notification) = serde_json::from_str::<Notification>(payload) else {
        tracing::warn!(payload, "a notification that is not ours");
        return;
    };
    if notification.node == app.db.node() {
        // Our own is known here, unless the answer to its commit was lost.
        if let Ok(logs) = serde_json::from_value::<Vec<(Uuid, i32)>>(notification.logs) {
            app.hub.look(logs.into_iter().map(|(id, _)| ConversationId(id)).filter(|id| app.db.was_in_doubt(*id)));
        }
        return;
    }
    match serde_json::from_value::<Vec<(Uuid, i32)>>(notification.logs) {
        Ok(logs) => app.hub.look(logs.into_iter().map(|(id, _)| ConversationId(id))),
        Err(_) => app.hub.look_everywhere(),
    }
    match serde_json::from_value::<Vec<Uuid>>(notification.sessions) {
        Ok(sessions) => app.realtime.ended_sessions.insert(sessions.into_iter().map(SessionId)),
        Err(_) => look_for_ended_sessions(app).await,
    }
}

/// Asks until it is known: a revocation that was missed would stay missed.
async fn look_for_ended_sessions(app: &App) {
    while let Err(error) = app.realtime.ended_sessions.look(&app.db).await {
        tracing::debug!(?error, "could not read which sessions ended");
        tokio::time::sleep(TRY_AGAIN).await;
        app.hub.look_everywhere();
    }
}
