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

/// Bytes of a notification, some of them for its end. Whoever has more to tell sends several.
const NOTIFICATION: usize = 7_900;
/// Notifications of one transaction. Whoever has more to tell than fits says "look everywhere".
const NOTIFICATIONS: usize = 64;

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

/// One thing that servers are told, in the order in which they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Mark(Mark, UserId),
    Changed(Subject),
    Log(ConversationId, i32),
    Session(SessionId),
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
    /// leaves the rest undone where it refuses the first. They are also told which transactions were over by then: as one
    /// statement says it, so that whoever has heard a part does not take it for all.
    pub(super) async fn commit(&mut self, node: Uuid) -> QueryResult<()> {
        let since = "pg_snapshot_xmin(pg_current_snapshot())::text";
        let tell = |payload: String| {
            let payload = payload.trim_end_matches('}').replace('\'', "''");
            format!("pg_notify('{CHANNEL}', '{payload},\"since\":' || {since} || '}}')")
        };
        let told: Vec<String> = self.outbox.notifications(node).into_iter().map(tell).collect();
        let commit = match told.is_empty() {
            true => "COMMIT".to_owned(),
            false => format!("SELECT {}; COMMIT", told.join(", ")),
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

    /// What servers are told: nothing where there is nothing to tell. First what is whose, as who comes and goes: the rest is
    /// for those who are there then.
    pub(super) fn notifications(&self, node: Uuid) -> Vec<String> {
        let marks = self.marks.iter().map(|&(user_id, mark)| Told::Mark(mark, user_id));
        let changed = self.changed.iter().map(|&subject| Told::Changed(subject));
        let logs = self.positions().into_iter().map(|(id, seq)| Told::Log(id, seq));
        let sessions = self.ended_sessions.iter().map(|&id| Told::Session(id));
        let told: BTreeSet<Told> = marks.chain(changed).chain(logs).chain(sessions).collect();
        if told.is_empty() && !self.rings {
            return Vec::new();
        }
        let told: Vec<Told> = told.into_iter().collect();
        let parts = self.parts(node, &told);
        if parts.len() > NOTIFICATIONS {
            let all = json!({
                "changed": "*", "jobs": true, "logs": "*", "marks": "*", "node": node, "sessions": "*",
            });
            return vec![all.to_string()];
        }
        parts
    }

    /// In one notification, or else in those of both halves.
    fn parts(&self, node: Uuid, told: &[Told]) -> Vec<String> {
        let part = self.part(node, told);
        if part.len() <= NOTIFICATION || told.len() < 2 {
            return vec![part];
        }
        let (first, second) = told.split_at(told.len() / 2);
        [self.parts(node, first), self.parts(node, second)].concat()
    }

    fn part(&self, node: Uuid, told: &[Told]) -> String {
        let (mut changed, mut logs, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
        let mut marks: BTreeMap<Mark, Vec<UserId>> = BTreeMap::new();
        for told in told {
            match *told {
                Told::Mark(mark, user_id) => marks.entry(mark).or_default().push(user_id),
                Told::Changed(subject) => changed.push(subject),
                Told::Log(id, seq) => logs.push((id, seq)),
                Told::Session(id) => sessions.push(id),
            }
        }
        let part = json!({
            "changed": changed,
            "jobs": self.rings,
            "logs": logs,
            "marks": marks.into_iter().collect::<Vec<_>>(),
            "node": node,
            "sessions": sessions,
        });
        part.to_string()
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
