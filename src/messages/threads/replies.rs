//! What replies change of their threads: each thread and each of those who follow it is written once, however many come
//! together.

use std::collections::BTreeMap;

use futures_util::try_join;

use super::store::{self, Follower, Thread};
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::messages::Message;
use crate::realtime::Subject;

#[derive(Default)]
pub(in crate::messages) struct Replies {
    /// What is added to the counters.
    threads: BTreeMap<(ConversationId, i32), Thread>,
    followers: BTreeMap<(ConversationId, i32, UserId), Follower>,
}

impl Replies {
    /// Counts a message if it is a reply. Its author follows the thread, and has read it up to there. In the order of
    /// `seq`: the last one is the last reply.
    pub fn add(&mut self, message: &Message) {
        let Some(root_seq) = message.thread_root_seq else { return };
        let id = message.conversation_id;
        let thread = self.threads.entry((id, root_seq)).or_insert_with(|| Thread::empty(id, root_seq));
        thread.reply_count += 1;
        thread.last_reply_seq = Some(message.seq);
        thread.last_reply_at = Some(message.created_at);
        let author = self.follower(id, root_seq, message.author_id);
        author.last_read_seq = message.seq;
        author.last_written_seq = Some(message.seq);
    }

    /// Somebody follows a thread from now on, wherever they are in it.
    pub fn add_follower(&mut self, id: ConversationId, root_seq: i32, user_id: UserId) {
        self.follower(id, root_seq, user_id);
    }

    fn follower(&mut self, id: ConversationId, root_seq: i32, user_id: UserId) -> &mut Follower {
        self.followers.entry((id, root_seq, user_id)).or_insert(Follower {
            conversation_id: id,
            root_seq,
            user_id,
            is_following: true,
            last_read_seq: 0,
            last_written_seq: None,
        })
    }

    /// The threads in which somebody has written.
    pub fn subjects(&self) -> Vec<Subject> {
        self.threads.keys().map(|&(id, root_seq)| Subject::Thread(id, root_seq)).collect()
    }

    /// Writes it, under the lock of the conversations.
    pub async fn keep(self, tx: &Tx) -> Result<()> {
        let threads: Vec<Thread> = self.threads.into_values().collect();
        let followers: Vec<Follower> = self.followers.into_values().collect();
        try_join!(store::add_replies(tx, &threads), store::keep_followers(tx, &followers))?;
        Ok(())
    }
}
