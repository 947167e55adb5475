//! What messages ring: who wrote what to whom, as `notifications` asks for it.

use super::draft::Draft;
use super::mentions::{self, MentionKind, Mentionable, Said};
use super::{Message, store};
use crate::app::App;
use crate::conversations::Kind;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;
use crate::notifications::{self, Call, Letter};

/// Whom a draft may ring.
pub(super) fn letter(author_id: UserId, draft: &Draft) -> Letter<'_> {
    Letter {
        conversation_id: draft.conversation.id,
        author_id,
        is_direct: draft.conversation.kind == Kind::Direct,
        root: draft.thread_root,
        quoted: draft.reply_to,
        named: &draft.mentions.users,
    }
}

/// Whom a message rings that was sent, by the place of its letter.
pub(super) fn said<'a>(letter: usize, said: &Said<'a>, mentionable: &Mentionable) -> notifications::Said<'a> {
    let broadcasts = said.mentions.broadcasts.iter().filter(|_| said.calls_everyone);
    let calls = broadcasts.map(|kind| match kind {
        MentionKind::Here => Call::Here,
        MentionKind::User | MentionKind::Everyone => Call::Everyone,
    });
    notifications::Said {
        letter,
        seq: said.message.seq,
        thread_root_seq: said.message.thread_root_seq,
        content: said.message.content.as_deref().unwrap_or_default(),
        at: said.message.created_at,
        named: said.told(mentionable).map(|(user, _)| user).collect(),
        // Everyone is more than those who are here.
        calls: calls.reduce(|one, other| if one == other { one } else { Call::Everyone }),
    }
}

/// Whom an edited message rings: those whom it names now and did not before, where they were not told of it for another
/// reason. Everyone is not called again.
pub(super) async fn edited(
    app: &App,
    tx: &mut Tx,
    now: &Said<'_>,
    mentionable: &Mentionable,
    before: &str,
    is_direct: bool,
) -> Result<()> {
    let Message { conversation_id, seq, author_id, thread_root_seq, .. } = *now.message;
    let earlier = mentions::parse(before).unwrap_or_default().users;
    let mut ring = said(0, now, mentionable);
    ring.calls = None;
    ring.named.retain(|user| !earlier.contains(user));
    if ring.named.is_empty() {
        return Ok(());
    }
    let told = notifications::told_before(tx, conversation_id, seq, &ring.named).await?;
    ring.named.retain(|user| !told.contains(user));
    let named = ring.named.clone();
    let root = match thread_root_seq {
        Some(root_seq) => store::at(tx, &[(conversation_id, root_seq)]).await?.pop().map(|root| root.id),
        None => None,
    };
    let letter = Letter { conversation_id, author_id, is_direct, root, quoted: None, named: &named };
    notifications::ring_again(app, tx, letter, ring).await
}
