//! The letter that asks for the proof of an address.

use serde::{Deserialize, Serialize};

use super::store;
use crate::accounts::Account;
use crate::accounts::mailed::{self, Purpose};
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;
use crate::jobs::{Failure, Job};
use crate::links;
use crate::mail::{self, Letter};
use crate::users::{self, User};

/// Of those who name an address and are asked for by nobody in particular, the latest: more letters at once would be a
/// nuisance.
const AT_ONCE: usize = 3;

/// Mails those who name this address, or one of them, what proves it.
#[derive(Clone, Serialize, Deserialize)]
pub struct AskForProof {
    pub email: String,
    pub user_id: Option<UserId>,
}

impl AskForProof {
    /// However often it is asked for before the letter leaves, there is one.
    pub fn enqueue(self, tx: &mut Tx) {
        let whose = self.user_id.map(|id| id.to_string()).unwrap_or_default();
        let key = format!("{whose} {}", self.email);
        tx.enqueue(self).keyed(key);
    }
}

impl Job for AskForProof {
    const KIND: &'static str = "accounts.ask_for_proof";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let (now, ask) = (app.clock.now(), &self);
        app.db
            .transaction(async move |tx| {
                let all = store::who_name(tx, &ask.email).await?;
                if let Some(owner) = all.iter().find(|account| account.proven_email() == Some(&ask.email)) {
                    let others_want_it =
                        all.iter().any(|account| is_asked(ask, account) && account.user_id != owner.user_id);
                    return if others_want_it {
                        tell_owner(app, tx, now, owner.user_id, &ask.email).await
                    } else {
                        Ok(())
                    };
                }
                for account in all.iter().filter(|account| is_asked(ask, account)).take(AT_ONCE) {
                    if let Some(user) = users::undeleted(tx, account.user_id).await? {
                        ask_for_proof(app, tx, now, &user, &ask.email).await?;
                    }
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}

fn is_asked(ask: &AskForProof, account: &Account) -> bool {
    ask.user_id.is_none_or(|id| id == account.user_id)
}

/// Mails to an address what proves that it is this one's, unless enough was mailed there lately.
pub async fn ask_for_proof(app: &App, tx: &mut Tx, now: Instant, user: &User, email: &str) -> Result<()> {
    let Some(token) = mailed::make(tx, now, Purpose::VerifyEmail, user.id, email).await? else { return Ok(()) };
    let letter = Letter::new("Is this your address?")
        .paragraph(format!("Hello {},", user.username))
        .paragraph(format!(
            "the account {} on {} names {email} as its address. If the account is yours, please say so within three days:",
            user.username, app.config.http.public_url
        ))
        .link("This is my address", links::verify_email(&app.config, &token))
        .paragraph("If you know of no such account, do nothing: somebody may have mistyped their own address. Follow the link \
             only for an account of yours, as it can be signed in to by whoever made it.");
    mail::send_on_trial(app, tx, email, &letter);
    Ok(())
}

/// Whoever wants it learns nothing; the one whose it is may want to know.
async fn tell_owner(app: &App, tx: &mut Tx, now: Instant, owner: UserId, email: &str) -> Result<()> {
    let Some(user) = users::undeleted(tx, owner).await? else { return Ok(()) };
    // Made for nobody: it counts the letters.
    if mailed::make(tx, now, Purpose::EmailTaken, owner, email).await?.is_none() {
        return Ok(());
    }
    let letter = Letter::new("Somebody wants to use your address")
        .paragraph(format!("Hello {},", user.username))
        .paragraph(format!(
            "somebody asked to use {email} for another account on {}. It is yours, so that was not done, and they were not \
             told.",
            app.config.http.public_url
        ))
        .paragraph("If that was you: an address belongs to one account. Give this one another address first.")
        .link("Go there", links::home(&app.config));
    mail::send(app, tx, email, &letter, None);
    Ok(())
}
