//! Who may be spoken to.

use std::collections::HashSet;

use crate::accounts::preferences::{self, DirectConversationPolicy};
use crate::conversations::store;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;

/// Of these people, those who want somebody to open direct conversations with them.
pub async fn willing(tx: &mut Tx, user: UserId, people: &[UserId]) -> Result<HashSet<UserId>> {
    let (mut willing, mut asking_to_share) = (HashSet::new(), Vec::new());
    for (person, privacy) in preferences::privacies(tx, people).await? {
        match privacy.direct_conversations_from {
            DirectConversationPolicy::Everyone => drop(willing.insert(person)),
            DirectConversationPolicy::Shared => asking_to_share.push(person),
            DirectConversationPolicy::Nobody => {}
        }
    }
    if !asking_to_share.is_empty() {
        willing.extend(store::sharing_with(tx, user, &asking_to_share).await?);
    }
    Ok(willing)
}
