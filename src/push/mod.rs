//! Pushes: how one gets to a device, whoever has it told something. To browsers they go by themselves, encrypted for nobody
//! else (Web Push); to Apple's and Google's devices through a service of the operator's own. What is pushed to whom is for
//! the areas above.

mod content;
mod vapid;
mod web_push;
mod webhook;

use std::time::Duration;

use chrono::TimeDelta;

pub use content::{Content, DISMISSED_AT_ONCE, Notice};
pub use vapid::public_key;

use crate::accounts::devices::{Device, Platform};
use crate::app::App;
use crate::error::Result;
use crate::outgoing::{Answer, Unanswered};

/// For how long a service keeps what it cannot deliver at once.
pub const LASTS: TimeDelta = TimeDelta::days(1);

/// How much of its battery a device may spend on it (RFC 8030, 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    Low,
    Normal,
    High,
}

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service has it.
    Delivered,
    /// The service does not know the device any more.
    Gone,
    /// It would not be taken another time either.
    Refused,
    /// Perhaps another time; not before this has passed, where the service said so.
    Later(Option<TimeDelta>),
}

impl Urgency {
    fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// Pushes something to a device. It may take as long as the service likes, up to ten seconds.
pub async fn deliver(app: &App, device: &Device, content: &Content) -> Result<Outcome> {
    match device.platform {
        Platform::WebPush => web_push::deliver(app, device, content).await,
        Platform::Apns | Platform::Fcm => webhook::deliver(app, device, content).await,
    }
}

/// Whether a device may be told something that shows nothing. Safari takes the right to push away from a site that does.
pub fn takes_what_shows_nothing(app: &App, device: &Device) -> bool {
    let endpoint = app.outgoing.named_by_stranger(&device.address);
    device.platform != Platform::WebPush || endpoint.is_none_or(|endpoint| endpoint.host() != "web.push.apple.com")
}

/// What an answer means that is neither yes nor that the device is gone.
fn otherwise(device: &Device, host: &str, answered: Result<Answer, Unanswered>) -> Outcome {
    let (device, host) = (device.id, host.to_owned());
    match answered {
        Ok(answer) if matches!(answer.status, 429 | 500..) => Outcome::Later(answer.retry_after.map(wait)),
        // The text is a stranger's: with its control characters escaped.
        Ok(Answer { status, text, .. }) => {
            let text: String = text.chars().take(200).collect();
            tracing::warn!(%device, host, status, ?text, "a push was refused");
            Outcome::Refused
        }
        Err(Unanswered::Forbidden) => {
            tracing::warn!(%device, host, "a push would leave the public internet: see PUSH_HOSTS");
            Outcome::Refused
        }
        Err(Unanswered::Unreached(why)) => {
            tracing::debug!(%device, host, why, "a push was not answered");
            Outcome::Later(None)
        }
    }
}

/// A day at most: a stranger says it.
fn wait(asked: Duration) -> TimeDelta {
    TimeDelta::from_std(asked).map_or(LASTS, |wait| wait.min(LASTS))
}
