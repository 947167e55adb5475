//! Who follows which log on this server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::Event;
use crate::id::ConversationId;

/// Events kept for a follower that is busy; one further behind reads the table.
const KEPT: usize = 256;

/// The topics of followed conversations. A clone is the same hub. Everything here may vanish at any moment: nothing
/// stored depends on it.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<HashMap<ConversationId, broadcast::Sender<News>>>>);

/// What a follower hears.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// This was committed here.
    Event(Arc<Event>),
    /// Something may have been committed elsewhere: read the table.
    Look,
}

/// A place at a topic; gives it up when dropped.
pub(super) struct Ear {
    /// `None` only while it is dropped.
    news: Option<broadcast::Receiver<News>>,
    /// What was listened to and left for later.
    next: Option<News>,
    conversation_id: ConversationId,
    hub: Hub,
}

impl Hub {
    /// Hands committed events to those who follow. Events of one conversation come in the order of `seq` from each
    /// caller, but two callers may overtake one another; followers sort it out.
    pub fn publish(&self, events: Vec<Event>) {
        let topics = self.topics();
        for event in events {
            if let Some(topic) = topics.get(&event.conversation_id) {
                // Nobody there any more is no error: the topic goes with its last follower.
                let _ = topic.send(News::Event(Arc::new(event)));
            }
        }
    }

    /// Has the followers of these conversations read the table.
    pub fn look(&self, conversations: impl IntoIterator<Item = ConversationId>) {
        let topics = self.topics();
        for id in conversations {
            if let Some(topic) = topics.get(&id) {
                let _ = topic.send(News::Look);
            }
        }
    }

    /// Has everyone read the table.
    pub fn look_everywhere(&self) {
        for topic in self.topics().values() {
            let _ = topic.send(News::Look);
        }
    }

    pub(super) fn listen_to(&self, conversation_id: ConversationId) -> Ear {
        let news = self.topics().entry(conversation_id).or_insert_with(|| broadcast::Sender::new(KEPT)).subscribe();
        Ear { news: Some(news), next: None, conversation_id, hub: self.clone() }
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<ConversationId, broadcast::Sender<News>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ear {
    /// What comes next; for one who did not keep up, that the table is to be read.
    pub async fn next(&mut self) -> Option<News> {
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        match self.news.as_mut()?.recv().await {
            Ok(news) => Some(news),
            Err(RecvError::Lagged(_)) => Some(News::Look),
            Err(RecvError::Closed) => None,
        }
    }

    /// What has come already.
    pub fn try_next(&mut self) -> Option<News> {
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        match self.news.as_mut()?.try_recv() {
            Ok(news) => Some(news),
            Err(TryRecvError::Lagged(_)) => Some(News::Look),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }

    /// Whether nothing has come of what is beyond a position. What is not, is passed over: it was in the table already.
    pub fn is_silent_beyond(&mut self, position: i32) -> bool {
        while let Some(news) = self.try_next() {
            if !matches!(&news, News::Event(event) if event.seq <= position) {
                self.next = Some(news);
                return false;
            }
        }
        true
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        // Under the lock, so that of two who go at once the second one sees that it is the last.
        let mut topics = self.hub.topics();
        self.news = None;
        if topics.get(&self.conversation_id).is_some_and(|topic| topic.receiver_count() == 0) {
            topics.remove(&self.conversation_id);
        }
    }
}
