//! Serving all who listen: one round for everybody to whom something is to be said at the moment.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::{rows, store};
use crate::answer::Answer;
use crate::app::App;
use crate::context::{Loaders, MOST_AT_ONCE};
use crate::db::Xid;
use crate::error::{Code, Result};
use crate::id::UserId;
use crate::realtime::Subject;
use crate::realtime::viewers::{Due, Found, Look, Moment, REPLAYED};

/// How long those are gathered who are served in one round: it is a few statements, for one as for a thousand.
const GATHERED: Duration = Duration::from_millis(20);
/// Before a database that did not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Rounds at once. One that takes long does not hold up the others; while all of them do, more are gathered.
const ROUNDS: usize = 4;

/// Serves for as long as the server runs.
pub async fn tend(app: App) {
    let places = Arc::new(Semaphore::new(ROUNDS));
    loop {
        app.realtime.viewers.until_due().await;
        sleep(GATHERED).await;
        let Ok(place) = places.clone().acquire_owned().await else { return };
        if let Err(error) = look(&app).await {
            tracing::debug!(?error, "could not look for what concerns those who listen");
            sleep(ASK_AGAIN).await;
        }
        let due = app.realtime.viewers.take();
        if !due.is_empty() {
            let app = app.clone();
            tokio::spawn(async move {
                serve(&app, due).await;
                drop(place);
            });
        }
    }
}

/// Finds out of newcomers, and of all when something may have been missed, where they are members, and then what was
/// changed: in this order, so that nothing falls between.
async fn look(app: &App) -> Result<()> {
    let viewers = &app.realtime.viewers;
    let seating = viewers.unseated();
    if !seating.people.is_empty() {
        let people = &seating.people;
        let (seats, memberships) = app
            .db
            .read(async move |conn| Ok((store::seats(conn, people).await?, store::memberships(conn, people).await?)))
            .await?;
        let seats = seats.into_iter().map(|(user_id, id)| (user_id, Subject::Conversation(id)));
        let memberships = memberships.into_iter().map(|(user_id, id)| (user_id, Subject::Group(id)));
        viewers.seat(seating, seats.chain(memberships));
    }
    let at = app.clock.now();
    for looks in viewers.looks().chunks(MOST_AT_ONCE) {
        let (now, mut found) = app
            .db
            .read(async move |conn| {
                // Before the rows: what is committed in between is told again.
                let now = Moment::of(store::moment(conn).await?, at);
                let asks: Vec<_> = looks.iter().filter_map(|look| ask(look, now)).collect();
                Ok((now, rows::of_each(asks.len(), store::changed_since(conn, &asks).await?).into_iter()))
            })
            .await?;
        for look in looks {
            let rows = match (look.after, ask(look, now)) {
                (None, _) => Some(Vec::new()),
                (Some(_), None) => None,
                (Some(_), Some(_)) => found.next(),
            };
            let rows = rows.filter(|rows| rows.len() <= REPLAYED);
            viewers.looked(*look, now, rows.map_or(Found::Gap, Found::Rows));
        }
    }
    Ok(())
}

/// Since when somebody's rows are asked for, if they are.
fn ask(look: &Look, now: Moment) -> Option<(UserId, Xid)> {
    Some((look.user_id, look.after?.resumes(now)?))
}

/// Shows each what is theirs, at once and with the same loaders: what they are about is looked up for all of them.
async fn serve(app: &App, due: Vec<Due>) {
    let mut due = due.into_iter().peekable();
    while due.peek().is_some() {
        let loaders = Arc::<Loaders>::default();
        join_all(due.by_ref().take(MOST_AT_ONCE).map(|due| say(app, due, loaders.clone()))).await;
    }
}

async fn say(app: &App, due: Due, loaders: Arc<Loaders>) {
    let batch = Arc::new(due.batch);
    match (due.show)(batch.clone(), loaders).await {
        Answer::Refused(Code::Unavailable, _) => app.realtime.viewers.put_back(due.listener, &batch),
        answer => drop(due.place.send(answer)),
    }
}
