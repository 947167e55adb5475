//! Looking at people: how present they are, then what changes of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_stream::try_stream;
use chrono::TimeDelta;
use futures_util::Stream;
use futures_util::future::try_join_all;

use super::{Presence, PresenceOf};
use crate::clock::Instant;
use crate::context::Scope;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::subscription::Delivery;
use crate::users::{User, UserById};
use crate::viewer::Viewer;

/// Between two looks at everybody: who sees whom also changes where nobody tells of it, as on another server.
const LOOKS_EVERY: TimeDelta = TimeDelta::minutes(5);
/// Before a database that did not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A delivery: people whose presence, as the viewer sees it, is new.
pub type Looked = Vec<(Arc<User>, Arc<Presence>)>;

/// What was shown of whom.
type Shown = HashMap<UserId, Arc<Presence>>;

/// The present state of all, then changes; what the viewer cannot see changing delivers nothing. What is seen is each
/// one's own: nobody shares it.
pub fn look(
    scope: Arc<Scope>,
    viewer: Viewer,
    people: Vec<UserId>,
) -> impl Stream<Item = Result<Delivery, Error>> + use<> {
    let (clock, realtime) = (scope.app().clock.clone(), scope.app().realtime.clone());
    let session_ended = realtime.ended_sessions.watch(viewer.session_id);
    // Before the first look, so that no change falls between the two.
    let watch = realtime.presences.watch(viewer.user_id, people);
    let mut shown = Shown::new();
    try_stream! {
        yield Delivery::of(news(&scope, viewer, watch.users(), &mut shown).await?);
        let mut next_look = clock.now() + LOOKS_EVERY;
        // A stream under way waits for a database that does not answer.
        let mut owed = HashSet::new();
        loop {
            let changed = tokio::select! {
                biased;
                () = session_ended.cancelled() => break,
                changed = watch.changes() => changed,
                () = clock.reach(first_end(&shown).map_or(next_look, |end| end.min(next_look))), if owed.is_empty() => {
                    next_look = clock.now() + LOOKS_EVERY;
                    watch.users().to_vec()
                }
                () = tokio::time::sleep(ASK_AGAIN), if !owed.is_empty() => Vec::new(),
            };
            owed.extend(changed);
            let wanted: Vec<_> = owed.iter().copied().collect();
            if let Ok(news) = news(&scope, viewer, &wanted, &mut shown).await {
                owed.clear();
                if !news.is_empty() {
                    yield Delivery::of(news);
                }
            }
        }
    }
}

/// When the first custom status ends of those shown; perhaps it has.
fn first_end(shown: &Shown) -> Option<Instant> {
    shown.values().filter_map(|presence| presence.custom_status.as_ref()?.expires_at).min()
}

/// Those of these people whose presence is not what was shown.
async fn news(scope: &Scope, viewer: Viewer, people: &[UserId], shown: &mut Shown) -> Result<Looked> {
    scope.forget_loaded();
    let presences = people.iter().map(|id| scope.load::<PresenceOf>((viewer.user_id, *id)));
    let presences = try_join_all(presences).await?;
    let found = people.iter().zip(presences).filter_map(|(id, presence)| Some((*id, presence?)));
    let changed: Vec<_> = found.filter(|(id, presence)| shown.get(id) != Some(presence)).collect();
    let users = try_join_all(changed.iter().map(|(id, _)| scope.load::<UserById>(*id))).await?;
    let news = users.into_iter().zip(&changed).filter_map(|(user, (_, presence))| Some((user?, presence.clone())));
    let news = news.collect();
    shown.extend(changed);
    Ok(news)
}
