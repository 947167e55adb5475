//! The mail to one person.

use serde::{Deserialize, Serialize};

use super::super::{Kind, Recipient, Rendered, recipients, unread_since};
use super::store::{self, Mailed};
use super::{APART, LATELY, OLDEST, SETTLED};
use crate::accounts;
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::UserId;
use crate::jobs::{Failure, Job};
use crate::links;
use crate::mail::{self, Letter, Purpose};
use crate::realtime::PresenceStatus;

/// Mails somebody what is unread, if they are away and want it. Of one person there is one at most.
#[derive(Serialize, Deserialize)]
pub struct Digest {
    pub user_id: UserId,
}

impl Job for Digest {
    const KIND: &'static str = "digests.mail";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let (now, user_id) = (app.clock.now(), self.user_id);
        let Some(recipient) = recipients(app, &[user_id]).await?.remove(&user_id) else { return Ok(()) };
        // To an address that nobody has proven, letters of one person would go to another.
        let Some(address) = accounts::proven_email(app, user_id).await? else { return Ok(()) };
        if !recipient.preferences.notifications.is_email_enabled {
            return Ok(());
        }
        let before = app.db.read(async move |conn| store::mailed(conn, user_id).await).await?;
        let (since, up_to) = (before.map_or(now - OLDEST, |mailed| mailed.up_to.max(now - OLDEST)), now - SETTLED);
        let mut unread = unread_since(app, user_id, since).await?;
        // Of what was done to their account they had a mail at once.
        unread.retain(|waits| waits.created_at < up_to && waits.kind != Kind::Security);
        if unread.is_empty() {
            return Ok(());
        }
        if let Some(later) = too_early(app, now, &recipient, before, &unread).await? {
            return Ok(self.wait(app, later).await?);
        }
        let letter = &letter(app, &recipient, &unread);
        let (address, mailed) = (&address, Mailed { up_to, sent_at: now });
        app.db
            .transaction(async move |tx| {
                // Not, where another one has mailed meanwhile.
                if store::save(tx, user_id, before, mailed).await? {
                    mail::send(app, tx, address, letter, Some((user_id, Purpose::Notifications)));
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}

impl Digest {
    async fn wait(&self, app: &App, until: Instant) -> Result<()> {
        let user_id = self.user_id;
        app.db
            .transaction(async move |tx| {
                tx.enqueue(Self { user_id }).keyed(user_id.to_string()).at(until);
                Ok(())
            })
            .await
    }
}

/// When to ask again, if not now: while they are here they see it; mails keep their distance; and quiet hours are for what
/// is not urgent. What is takes with it all that waits, as they look anyway.
async fn too_early(
    app: &App,
    now: Instant,
    recipient: &Recipient,
    before: Option<Mailed>,
    unread: &[Rendered],
) -> Result<Option<Instant>> {
    let soon = now + app.config.mail.delay;
    if let Some(next) = before.map(|mailed| mailed.sent_at + APART).filter(|next| *next > now) {
        return Ok(Some(next));
    }
    let is_silent = recipient.is_quiet && !unread.iter().any(|waits| waits.is_urgent);
    Ok((is_silent || is_here(app, now, recipient.user_id).await?).then_some(soon))
}

/// Whether somebody is here, with eyes for what comes. At another server that is not known: then if they were seen lately.
async fn is_here(app: &App, now: Instant, user_id: UserId) -> Result<bool> {
    match app.realtime.presences.status(user_id) {
        PresenceStatus::Online => Ok(true),
        PresenceStatus::Offline => {
            let seen = app.db.read(async move |conn| store::last_seen_at(conn, user_id).await).await?;
            Ok(seen.is_some_and(|seen| now - seen < LATELY))
        }
        _ => Ok(false),
    }
}

/// Who did what where; and what was written, for those who want that in mails.
fn letter(app: &App, recipient: &Recipient, unread: &[Rendered]) -> Letter {
    let subject = match unread {
        [only] => only.title.clone(),
        several => format!("{} notifications", several.len()),
    };
    let letter = unread.iter().fold(Letter::new(subject), |letter, waits| {
        let letter = letter.paragraph(&waits.title);
        match recipient.preferences.notifications.shows_previews && !waits.body.is_empty() {
            true => letter.quote(&waits.body),
            false => letter,
        }
    });
    letter.link("See them all", links::home(&app.config))
}
