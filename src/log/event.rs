//! An entry of a log.

use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::id::{ConversationId, UserId};
use crate::schema::conversation_events;

/// What an event is about. Each area names its own kinds, in its `events.rs`; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(pub i16);

/// One change of a conversation. It refers to what changed and never copies it: whoever reads it later sees the present
/// state, so that a replay does not leak what was deleted since.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conversation_events)]
pub struct Event {
    pub conversation_id: ConversationId,
    /// Position in the log: 1, 2, 3 …
    pub seq: i32,
    pub(super) kind: i16,
    /// Who did it; `None` for the server.
    pub actor_id: Option<UserId>,
    /// The message it is about.
    pub subject_seq: Option<i32>,
    pub(super) payload: Option<serde_json::Value>,
    pub occurred_at: Instant,
}

impl Event {
    pub fn kind(&self) -> Kind {
        Kind(self.kind)
    }

    /// What else the kind keeps.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T> {
        let payload = self.payload.clone().unwrap_or_default();
        serde_json::from_value(payload)
            .map_err(|error| Error::internal(format!("event {} of {:?}: {error}", self.seq, self.conversation_id)))
    }
}

/// Hands out the next positions of one log. Whoever has one holds the row lock of the conversation.
#[derive(Debug)]
pub struct Writer {
    conversation_id: ConversationId,
    seq: i32,
    events: Vec<Event>,
}

impl Writer {
    /// Goes on after `seq`, the log's latest position as the locked row has it.
    pub fn after(conversation_id: ConversationId, seq: i32) -> Self {
        Self { conversation_id, seq, events: Vec::new() }
    }

    /// The latest position, with what was appended here.
    pub fn seq(&self) -> i32 {
        self.seq
    }

    /// Appends an event about a message, or about the message that it is itself (`subject_seq: None`).
    pub fn about_message(&mut self, kind: Kind, actor: UserId, subject_seq: Option<i32>, at: Instant) -> Result<i32> {
        let seq = self.next()?;
        self.push(Event { subject_seq: Some(subject_seq.unwrap_or(seq)), ..self.blank(seq, kind, Some(actor), at) })
    }

    /// Appends an event about a message, with what its kind keeps.
    pub fn about_message_with(
        &mut self,
        kind: Kind,
        actor: UserId,
        subject_seq: i32,
        payload: &impl Serialize,
        at: Instant,
    ) -> Result<i32> {
        let seq = self.next()?;
        let (subject_seq, payload) = (Some(subject_seq), Some(kept(payload)?));
        self.push(Event { subject_seq, payload, ..self.blank(seq, kind, Some(actor), at) })
    }

    /// Appends an event with what its kind keeps.
    pub fn with(&mut self, kind: Kind, actor: Option<UserId>, payload: &impl Serialize, at: Instant) -> Result<i32> {
        let seq = self.next()?;
        self.push(Event { payload: Some(kept(payload)?), ..self.blank(seq, kind, actor, at) })
    }

    /// What was appended, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn next(&self) -> Result<i32> {
        self.seq.checked_add(1).ok_or_else(|| Error::internal(format!("the log of {:?} is full", self.conversation_id)))
    }

    fn push(&mut self, event: Event) -> Result<i32> {
        self.seq = event.seq;
        self.events.push(event);
        Ok(self.seq)
    }

    fn blank(&self, seq: i32, kind: Kind, actor_id: Option<UserId>, occurred_at: Instant) -> Event {
        Event {
            conversation_id: self.conversation_id,
            seq,
            kind: kind.0,
            actor_id,
            subject_seq: None,
            payload: None,
            occurred_at,
        }
    }
}

fn kept(payload: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(payload).map_err(Error::internal)
}
