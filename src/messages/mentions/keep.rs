//! Keeping whom messages mention.

use std::collections::HashMap;

use futures_util::try_join;

use super::store::{self, BroadcastMention, Mention};
use super::{Mentions, Message, parse};
use crate::conversations::{self, Sight};
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::messages::threads;
use crate::users;

/// A message and whom it mentions, as its author wrote it.
pub(in crate::messages) struct Said<'a> {
    pub message: &'a Message,
    pub mentions: &'a Mentions,
    /// Whether its author may mention everyone at once; from others it is mere text.
    pub calls_everyone: bool,
}

/// Who is named, by whom and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::messages) struct Naming {
    pub user_id: UserId,
    pub author_id: UserId,
    pub conversation_id: ConversationId,
}

/// Of those who are named, those who are told of it, with what they see of the place.
pub(in crate::messages) type Mentionable = HashMap<Naming, Sight>;

impl Mentions {
    /// Those whom they name, in a message of this author and conversation.
    pub(in crate::messages) fn by(
        &self,
        author_id: UserId,
        conversation_id: ConversationId,
    ) -> impl Iterator<Item = Naming> {
        self.users.iter().map(move |&user_id| Naming { user_id, author_id, conversation_id })
    }
}

/// Of those who are named, those who see the conversation and have not blocked the one who names them. Whoever does not
/// exist sees nothing.
pub(in crate::messages) async fn mentionable(tx: &Tx, named: Vec<Naming>) -> Result<Mentionable> {
    if named.is_empty() {
        return Ok(Mentionable::new());
    }
    let mut places: Vec<_> = named.iter().map(|naming| (naming.user_id, naming.conversation_id)).collect();
    places.sort();
    places.dedup();
    let pairs: Vec<_> = named.iter().map(|naming| (naming.user_id, naming.author_id)).collect();
    let (sights, blocks) = try_join!(conversations::sights(tx, &places), users::blocks_of(tx, &pairs))?;
    let told = named.into_iter().filter(|naming| !blocks.contains(&(naming.user_id, naming.author_id)));
    Ok(told.filter_map(|naming| Some((naming, *sights.get(&(naming.user_id, naming.conversation_id))?))).collect())
}

/// Keeps whom these messages mention, of those who can be.
pub(in crate::messages) async fn keep(tx: &Tx, said: &[Said<'_>], mentionable: &Mentionable) -> Result<()> {
    let named: Vec<Mention> = said.iter().flat_map(|said| said.named(mentionable)).collect();
    let broadcasts: Vec<_> = said.iter().flat_map(Said::everyone).collect();
    try_join!(store::insert_mentions(tx, &named), store::insert_broadcast_mentions(tx, &broadcasts))?;
    Ok(())
}

/// Keeps whom a message mentions that has just been edited. Members who were not mentioned before follow its thread.
pub(in crate::messages) async fn change(
    tx: &mut Tx,
    said: Said<'_>,
    mentionable: &Mentionable,
    before: &str,
) -> Result<()> {
    let message = said.message;
    let earlier = forget(tx, message, before).await?;
    keep(tx, std::slice::from_ref(&said), mentionable).await?;
    let Some(root_seq) = message.thread_root_seq else { return Ok(()) };
    let called: Vec<UserId> = said.followers(mentionable).filter(|user| !earlier.contains(user)).collect();
    threads::follow_mentioned(tx, message.conversation_id, root_seq, &called).await
}

/// A message mentions nobody any more, as after `before` was deleted; says whom it did by name.
pub(in crate::messages) async fn forget(tx: &Tx, message: &Message, before: &str) -> Result<Vec<UserId>> {
    // What names nobody was told to nobody.
    if parse(before).is_ok_and(|mentions| mentions == Mentions::default()) {
        return Ok(Vec::new());
    }
    Ok(store::forget(tx, message.conversation_id, message.seq).await?)
}

impl Said<'_> {
    /// Those who are named and told of it.
    pub fn told<'m>(&self, mentionable: &'m Mentionable) -> impl Iterator<Item = (UserId, &'m Sight)> {
        let naming = self.mentions.by(self.message.author_id, self.message.conversation_id);
        naming.filter_map(|naming| Some((naming.user_id, mentionable.get(&naming)?)))
    }

    /// Members among them: whoever is none cannot follow anything here.
    pub fn followers(&self, mentionable: &Mentionable) -> impl Iterator<Item = UserId> {
        self.told(mentionable).filter(|(_, sight)| sight.is_of_member()).map(|(user, _)| user)
    }

    fn named(&self, mentionable: &Mentionable) -> impl Iterator<Item = Mention> {
        let Message { conversation_id, seq, thread_root_seq, author_id, created_at, .. } = *self.message;
        self.told(mentionable).map(move |(user_id, _)| Mention {
            conversation_id,
            seq,
            user_id,
            thread_root_seq,
            author_id,
            created_at,
        })
    }

    fn everyone(&self) -> impl Iterator<Item = BroadcastMention> {
        let Message { conversation_id, seq, thread_root_seq, author_id, created_at, .. } = *self.message;
        let kinds = self.mentions.broadcasts.iter().filter(|_| self.calls_everyone);
        kinds.map(move |&kind| BroadcastMention { conversation_id, seq, kind, thread_root_seq, author_id, created_at })
    }
}
