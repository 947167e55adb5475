//! Bringing one device to where its owner's bell stands.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tokio::time::Instant as Stopwatch;

use super::store::{self, Unsettled};
use crate::accounts::devices::{self, Device};
use crate::app::App;
use crate::clock::Instant;
use crate::db::{OnConstraint, Tx};
use crate::error::{Error, Result};
use crate::id::{DeviceId, NotificationId};
use crate::jobs::{Failure, Job};
use crate::notifications::{Recipient, recipients, render, unread_count};
use crate::push::{Content, DISMISSED_AT_ONCE, LASTS, Notice, Outcome, deliver, takes_what_shows_nothing};
use crate::realtime::PresenceStatus;

/// What whoever is here has not read by then is pushed all the same.
const READ_WITHIN: TimeDelta = TimeDelta::minutes(1);
/// Pushes of one run; then it is others' turn.
const ONE_RUN: usize = 10;
/// A service that takes longer than this for one push is left alone for a while, so that it holds few of those who wait.
const SLOW: Duration = Duration::from_secs(3);
/// For how long; and at least so long after it did not answer, and then for as long as it has not answered already.
const LEFT_ALONE: TimeDelta = TimeDelta::seconds(30);
/// But no longer than this.
const LEFT_ALONE_AT_MOST: TimeDelta = TimeDelta::hours(1);
/// A device whose service has not answered for so long is forgotten. It is registered again when its app is opened.
const GIVEN_UP: TimeDelta = TimeDelta::days(7);

/// A device is to be told what it was not.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct TellDevice {
    device_id: DeviceId,
}

/// What is to be done about one notification on one device.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Push,
    /// Not now, and not later.
    LeaveOut,
    /// Looked at again then.
    Wait(Instant),
}

impl TellDevice {
    pub(super) fn of(device: &Device) -> Self {
        Self { device_id: device.id }
    }

    /// Two of one device never run at the same moment.
    pub(super) fn enqueue(self, tx: &mut Tx) {
        let key = self.device_id.to_string();
        tx.enqueue(self).keyed(key);
    }
}

impl Job for TellDevice {
    const KIND: &str = "push_device";
    const TIME_LIMIT: Duration = Duration::from_secs(90);
    const AT_ONCE: usize = 32;
    const WAITS: bool = true;

    async fn run(self, app: &App) -> Result<(), Failure> {
        let Some(device) = devices::device(app, self.device_id).await? else { return Ok(()) };
        let next = match device.asked_from > app.clock.now() {
            true => Some(device.asked_from),
            false => bring_up_to_date(app, &device).await?,
        };
        if let Some(at) = next {
            let again = app.db.transaction(async move |tx| {
                let key = self.device_id.to_string();
                tx.enqueue(self).keyed(key).at(at);
                Ok(())
            });
            again.await?;
        }
        Ok(())
    }
}

/// Answers when it is to be looked at again, if it is.
async fn bring_up_to_date(app: &App, device: &Device) -> Result<Option<Instant>> {
    let user = device.user_id;
    let Some(recipient) = recipients(app, &[user]).await?.remove(&user) else { return Ok(None) };
    let is_here = app.realtime.presences.status(user) == PresenceStatus::Online;
    let since = app.clock.now() - LASTS;
    let unsettled = app.db.read(async move |conn| store::unsettled(conn, device, since, ONE_RUN + 1).await).await?;
    let mut next = Next::default();
    let (are_more, mut has_settled) = (unsettled.len() > ONE_RUN, false);
    for what in unsettled.into_iter().take(ONE_RUN) {
        let notice = match fate(&what, &recipient, is_here, app.clock.now()) {
            Fate::Wait(until) => {
                next.is_at(until);
                continue;
            }
            Fate::LeaveOut => None,
            Fate::Push => notice(app, &recipient, what.id).await?,
        };
        has_settled = true;
        let Some(notice) = notice else {
            settle(app, device, what.id, false).await?;
            continue;
        };
        let pushed = push(app, device, &Content::Notice(notice)).await?;
        if let Some(is_shown) = pushed.is_taken {
            settle(app, device, what.id, is_shown).await?;
        }
        if let Then::Stop(until) = pushed.then {
            return Ok(until);
        }
    }
    // Where all of them wait, those that were not looked at came later and do too: it would look at the same ones again and
    // again until then.
    if are_more && has_settled {
        next.is_at(app.clock.now());
    }
    match take_back(app, device, &mut next).await? {
        Then::GoOn => Ok(next.0),
        Then::Stop(until) => Ok(until),
    }
}

/// When a device is looked at again, if it is: the first of the reasons that there are.
#[derive(Default)]
struct Next(Option<Instant>);

impl Next {
    fn is_at(&mut self, instant: Instant) {
        self.0 = Some(self.0.map_or(instant, |next| next.min(instant)));
    }
}

fn fate(what: &Unsettled, recipient: &Recipient, is_here: bool, now: Instant) -> Fate {
    let may_read_it_in_the_app = is_here && !what.is_urgent && now < what.created_at + READ_WITHIN;
    let is_wanted = what.is_urgent || !recipient.is_quiet_about(what.created_at);
    match recipient.preferences.notifications.is_push_enabled && is_wanted {
        false => Fate::LeaveOut,
        true if may_read_it_in_the_app => Fate::Wait(what.created_at + READ_WITHIN),
        true => Fate::Push,
    }
}

/// What is shown; `None` where there is nothing to show any more.
async fn notice(app: &App, recipient: &Recipient, id: NotificationId) -> Result<Option<Notice>> {
    let user = recipient.user_id;
    let Some(rendered) = render(app, &[(user, id)]).await?.pop().filter(|rendered| rendered.is_unread) else {
        return Ok(None);
    };
    Ok(Some(Notice {
        id: id.to_string(),
        kind: rendered.kind.name(),
        title: rendered.title,
        body: Some(rendered.body).filter(|body| recipient.preferences.notifications.shows_previews && !body.is_empty()),
        conversation_id: rendered.conversation_id.map(|id| id.written(rendered.is_direct)),
        is_urgent: rendered.is_urgent,
        unread_count: unread_count(app, user).await?,
    }))
}

/// Takes back what was shown and is not to be any more.
async fn take_back(app: &App, device: &Device, next: &mut Next) -> Result<Then> {
    let over = app.db.read(async move |conn| store::over(conn, device, DISMISSED_AT_ONCE).await).await?;
    if over.is_empty() {
        return Ok(Then::GoOn);
    }
    if over.len() == DISMISSED_AT_ONCE {
        next.is_at(app.clock.now());
    }
    let mut then = Then::GoOn;
    let ids: Vec<_> = over.iter().filter(|(_, is_shown)| *is_shown).map(|(id, _)| id.to_string()).collect();
    if !ids.is_empty() && takes_what_shows_nothing(app, device) {
        let unread_count = unread_count(app, device.user_id).await?;
        let pushed = push(app, device, &Content::Dismissal { ids, unread_count }).await?;
        if pushed.is_taken.is_none() {
            return Ok(pushed.then);
        }
        then = pushed.then;
    }
    let ids = &over.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    app.db.transaction(async move |tx| Ok(store::forget(tx, device.id, ids).await?)).await?;
    Ok(then)
}

/// What became of one push.
struct Pushed {
    /// Whether it was taken; `None` where that is still open, or where nobody is there any more.
    is_taken: Option<bool>,
    then: Then,
}

/// Whether more may be pushed to the device.
enum Then {
    GoOn,
    /// Not before that, or never.
    Stop(Option<Instant>),
}

async fn push(app: &App, device: &Device, content: &Content) -> Result<Pushed> {
    let began = Stopwatch::now();
    let outcome = deliver(app, device, content).await?;
    let (is_slow, now) = (began.elapsed() > SLOW, app.clock.now());
    let (is_taken, failing_since, until) = match outcome {
        Outcome::Delivered => (Some(true), None, is_slow.then(|| now + LEFT_ALONE)),
        Outcome::Refused => (Some(false), None, is_slow.then(|| now + LEFT_ALONE)),
        Outcome::Later(asked) => {
            let since = device.failing_since.unwrap_or(now);
            let wait = (now - since).clamp(LEFT_ALONE, LEFT_ALONE_AT_MOST).max(asked.unwrap_or_default());
            (None, Some(since), Some(now + wait))
        }
        Outcome::Gone => (None, None, None),
    };
    if outcome == Outcome::Gone || failing_since.is_some_and(|since| now - since > GIVEN_UP) {
        tracing::info!(device = %device.id, ?outcome, "a push device is forgotten");
        app.db.transaction(async move |tx| devices::forget(tx, device).await).await?;
        return Ok(Pushed { is_taken: None, then: Then::Stop(None) });
    }
    if failing_since != device.failing_since || until.is_some() {
        let from = until.unwrap_or(now);
        let noted = app.db.transaction(async move |tx| devices::leave_alone(tx, device, failing_since, from).await);
        noted.await?;
    }
    let then = until.map_or(Then::GoOn, |until| Then::Stop(Some(until)));
    Ok(Pushed { is_taken, then })
}

/// Whatever becomes of it, it is not pushed to this device again.
async fn settle(app: &App, device: &Device, id: NotificationId, is_shown: bool) -> Result<()> {
    let settled = app.db.transaction(async move |tx| {
        let gone = || Error::not_found("push device");
        store::settle(tx, device.id, id, is_shown).await.on_constraint("pushes_device_id_fkey", gone)
    });
    settled.await
}
