//! A transaction under way, and what leaves when it is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};

use diesel::QueryResult;
use diesel_async::SimpleAsyncConnection;
use diesel_async::pooled_connection::deadpool::Object;
use serde_json::json;
use uuid::Uuid;

use super::Conn;
use super::connect::CHANNEL;
use crate::error::Error;
use crate::id::{ConversationId, SessionId, UserId};
use crate::jobs::{Job, NewJob};
use crate::log::Event;
use crate::realtime::{Mark, Signal, Subject};

/// Bytes of a notification, some of them for its end. Who has more to tell says "look everywhere".
const NOTIFICATION: usize = 7_900;

/// A transaction; stores take it as their connection.
pub struct Tx {
    /// `None` only while it is dropped.
    conn: Option<Object<Conn>>,
    outbox: Outbox,
    has_ended: bool,
    /// What it does about rows that somebody else holds.
    pub(super) busy: Busy,
    stepped_back_from: Option<Uuid>,
}

/// What becomes of a row that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Waited for. Of several rows this could wait for another one that waits for us.
    Wait,
    /// Passed over.
    PassOver,
}

/// What a transaction wants told.
#[derive(Default)]
pub struct Outbox {
    /// Entries of logs, in the order they were appended.
    pub events: Vec<Event>,
    /// Sessions that ended.
    pub ended_sessions: Vec<SessionId>,
    /// What is different for all who are there, beside these conversations themselves.
    pub changed: Vec<Subject>,
    /// What may be different for somebody alone.
    pub marks: Vec<(UserId, Mark)>,
    /// People of whom something changed that belongs to their presence. Told on this server alone.
    pub presences: Vec<UserId>,
    /// What passes in conversations. Told on this server alone.
    pub signals: Vec<(ConversationId, Signal)>,
    /// Work that is to be done; enqueued as it is committed.
    pub jobs: Vec<NewJob>,
    /// Whether some of it can be done at once.
    pub(super) rings: bool,
}

impl Tx {
    pub(super) fn new(conn: Object<Conn>) -> Self {
        Self {
            conn: Some(conn),
            outbox: Outbox::default(),
            has_ended: false,
            busy: Busy::Wait,
            stepped_back_from: None,
        }
    }

    /// Sent when it is first polled, so that what is polled after it is part of the transaction without waiting for the
    /// answer.
    pub(super) async fn begin(&self) -> QueryResult<()> {
        let mut conn: &Conn = self;
        conn.batch_execute("BEGIN").await
    }

    /// Tells all servers, this one too, who hear of it when it is committed, and commits: one message, of which PostgreSQL
    /// leaves the rest undone where it refuses the first. They are also told which transactions were over by then.
    pub(super) async fn commit(&mut self, node: Uuid) -> QueryResult<()> {
        let commit = match self.outbox.notification(node) {
            Some(payload) => {
                let payload = payload.trim_end_matches('}').replace('\'', "''");
                let since = "pg_snapshot_xmin(pg_current_snapshot())::text";
                format!("SELECT pg_notify('{CHANNEL}', '{payload},\"since\":' || {since} || '}}'); COMMIT")
            }
            None => "COMMIT".to_owned(),
        };
        self.batch_execute(&commit).await?;
        self.has_ended = true;
        Ok(())
    }

    /// Undoes it. Where that fails too the connection goes with it.
    pub(super) async fn roll_back(mut self) {
        self.has_ended = self.batch_execute("ROLLBACK").await.is_ok();
    }

    /// What is to be done about a row that many may want at once. Who passes it over steps back.
    pub fn busy(&self) -> Busy {
        self.busy
    }

    /// Ends this attempt: somebody else holds the row with this id. `Db::transaction` begins anew when it is free.
    pub fn step_back(&mut self, from: Uuid) -> Error {
        self.stepped_back_from = Some(from);
        Error::unavailable("somebody else holds it")
    }

    pub(super) fn stepped_back_from(&self) -> Option<Uuid> {
        self.stepped_back_from
    }

    /// What is to be told once this is committed.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Has work done once this is committed: at once, unless it is said `at` when.
    pub fn enqueue<J: Job>(&mut self, job: J) -> &mut NewJob {
        self.outbox.jobs.push(NewJob::of(&job));
        self.outbox.jobs.last_mut().expect("pushed just now")
    }

    pub(super) fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }
}

impl Outbox {
    /// The conversations concerned, with their latest position.
    fn positions(&self) -> BTreeMap<ConversationId, i32> {
        self.events.iter().map(|event| (event.conversation_id, event.seq)).collect()
    }

    pub(super) fn conversations(&self) -> Vec<ConversationId> {
        self.positions().into_keys().collect()
    }

    /// What servers are told; `None` when there is nothing to tell.
    pub(super) fn notification(&self, node: Uuid) -> Option<String> {
        let positions = self.positions();
        let is_silent = self.ended_sessions.is_empty() && self.changed.is_empty() && self.marks.is_empty();
        if positions.is_empty() && is_silent && !self.rings {
            return None;
        }
        let mut marks: BTreeMap<Mark, Vec<Uuid>> = BTreeMap::new();
        for (user_id, mark) in &self.marks {
            marks.entry(*mark).or_default().push(user_id.0);
        }
        let changed: BTreeSet<Subject> = self.changed.iter().copied().collect();
        let notification = json!({
            "changed": changed,
            "jobs": self.rings,
            "logs": positions.iter().map(|(conversation, seq)| (conversation.0, seq)).collect::<Vec<_>>(),
            "marks": marks.into_iter().collect::<Vec<_>>(),
            "node": node,
            "sessions": self.ended_sessions.iter().map(|session| session.0).collect::<Vec<_>>(),
        });
        let notification = notification.to_string();
        Some(match notification.len() <= NOTIFICATION {
            true => notification,
            false => {
                let all = json!({
                    "changed": "*", "jobs": true, "logs": "*", "marks": "*", "node": node, "sessions": "*",
                });
                all.to_string()
            }
        })
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("there until it is dropped")
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("there until it is dropped")
    }
}

impl Drop for Tx {
    /// One that was left in the middle ends with its connection, at once: nobody else gets that, or waits for its locks.
    fn drop(&mut self) {
        if !self.has_ended
            && let Some(conn) = self.conn.take()
        {
            drop(Object::take(conn));
        }
    }
}
