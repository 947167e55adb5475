//! Threads: the replies under a message, who follows them, and how far each has read in them.
//!
//! Whoever writes in a thread follows it, and so does each member who is mentioned there, until they say otherwise. The
//! position in a thread moves by writing there, by marking it read and by joining the conversation, and by nothing else:
//! following shows what is unread already.

mod follow;
pub mod graphql;
mod list;
mod loaders;
mod mark_read;
mod replies;
mod root;
mod store;

pub use follow::{follow, unfollow};
pub use list::{ConversationThreadCursor, FollowedThreadCursor, ThreadFilter, followed, in_conversation};
pub use loaders::{ParticipantsOf, ThreadStateOf, ThreadUnder, UnreadThreadsOf};
pub use mark_read::{MarkThreadReadDraft, mark_thread_read};
pub(super) use replies::Replies;
pub use root::{Root, root};
pub use store::{ReplyCount, Thread, ThreadState};

use super::Message;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::realtime::{Mark, Subject};

/// People shown of those who wrote in a thread.
pub const PARTICIPANTS: usize = 100;

/// Takes a reply, deleted by now, out of what counts its thread.
pub(super) async fn uncount(tx: &mut Tx, reply: &Message, root_seq: i32) -> Result<()> {
    store::uncount_reply(tx, reply.conversation_id, root_seq, reply.seq).await?;
    store::forget_written(tx, reply.conversation_id, root_seq, reply.author_id, reply.seq).await?;
    tx.outbox().changed.push(Subject::Thread(reply.conversation_id, root_seq));
    Ok(())
}

/// Members who are mentioned in a reply from now on follow its thread.
pub(super) async fn follow_mentioned(tx: &mut Tx, id: ConversationId, root_seq: i32, members: &[UserId]) -> Result<()> {
    let mut replies = Replies::default();
    members.iter().for_each(|&user_id| replies.add_follower(id, root_seq, user_id));
    replies.keep(tx).await?;
    let subject = Mark::Changed(Subject::Thread(id, root_seq));
    tx.outbox().marks.extend(members.iter().map(|user_id| (*user_id, subject)));
    Ok(())
}
