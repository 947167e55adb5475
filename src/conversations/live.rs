//! What happens in a conversation, heard by one task for all who are told of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Sight;
use super::ends::{ENDING, End};
use super::follow::Followed;
use crate::answer::Answer;
use crate::app::App;
use crate::error::Result;
use crate::log::{self, Batch, Follower};
use crate::subscription::{Outlet, Sharing, Tail, Told, Topic};

/// Before a database that did not answer is asked again.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A batch as its group is told of it.
pub(super) struct Live {
    pub batch: Batch,
    /// Ends in this batch, and those that had followed it when it was shown: to whom they belong, it is not to be shown
    /// with what was written since.
    pub ends: Vec<End>,
}

/// What a group was told of a log.
pub(super) fn live(told: &Told) -> &Live {
    told.event.downcast_ref().expect("groups of logs are told of nothing else")
}

/// Joins those who follow the log and are shown it in the same words. `from` is a position that the log has reached.
pub(super) fn join(app: &App, sight: Sight, from: i32, sharing: &Sharing) -> Tail {
    app.groups.join(Topic::Log(sight.id()), sharing.shape(), from, |outlet| {
        let (app, sharing) = (app.clone(), sharing.clone());
        async move {
            let mut follower = Follower::new(app.db.clone(), &app.hub, sight.id(), from);
            while let Ok(batch) = follower.next().await {
                let answer = show(&sharing, sight, &batch).await;
                let Ok(ends) = ends(&app, sight, &batch, follower.is_caught_up()).await else { break };
                outlet.send(batch.seq, Told::new(Arc::new(Live { batch, ends }), answer));
            }
        }
    })
}

/// Joins those who have to know where their sight ends, and nothing else.
pub(super) fn join_for_ends(app: &App, sight: Sight) -> Tail {
    app.groups.join(Topic::Ends(sight.id()), None, sight.as_of(), |outlet| hear_ends(app.clone(), sight, outlet))
}

async fn hear_ends(app: App, sight: Sight, outlet: Outlet) {
    let mut follower = Follower::new(app.db.clone(), &app.hub, sight.id(), sight.as_of());
    while let Ok(batch) = follower.next().await {
        let Ok(ends) = End::among(&batch.events) else { break };
        match ends.is_empty() && !batch.has_gap {
            true => outlet.pass(batch.seq),
            false => outlet.send(batch.seq, Told::new(Arc::new(Live { batch, ends }), None)),
        }
    }
}

async fn show(sharing: &Sharing, sight: Sight, batch: &Batch) -> Option<Answer> {
    // At a gap each has to be judged anew.
    match batch.has_gap {
        true => None,
        false => sharing.show(Arc::new(Followed { sight: sight.of_all(), batch: batch.clone() })).await,
    }
}

/// The ends in a batch, and those behind it. Asked when it has been shown: whatever was written until then may stand
/// in it. What another server wrote and this one has not heard of yet is not among them, as it is not for one who follows
/// alone.
async fn ends(app: &App, sight: Sight, batch: &Batch, is_last: bool) -> Result<Vec<End>> {
    let mut ends = End::among(&batch.events)?;
    if is_last {
        return Ok(ends);
    }
    loop {
        match log::of_kinds(&app.db, sight.id(), batch.seq, &ENDING).await {
            Err(error) if error.passes() => sleep(ASK_AGAIN).await,
            since => {
                ends.extend(End::among(&since?)?);
                return Ok(ends);
            }
        }
    }
}
