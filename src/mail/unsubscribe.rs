//! Links that put an end to mails of a kind, without signing in. Whoever holds one can do that and nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::app::App;
use crate::id::UserId;
use crate::keys::Keys;

/// What somebody is mailed without asking each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// News of what waits for them.
    Notifications,
}

const ALL: [Purpose; 1] = [Purpose::Notifications];

impl Purpose {
    /// Part of what is signed, for ever.
    fn name(self) -> &'static str {
        match self {
            Self::Notifications => "notifications",
        }
    }
}

/// Made from PUBLIC_URL alone: what a request says of the server's name may be anybody's words.
pub(super) fn link(app: &App, user_id: UserId, purpose: Purpose) -> String {
    format!("{}/unsubscribe?token={}", app.config.http.public_url, token(&app.keys, user_id, purpose))
}

/// Who wants no more mails of which kind, by the token of a link; `None` for one that is not ours.
pub fn who_unsubscribes(app: &App, token: &str) -> Option<(UserId, Purpose)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (id, mac) = bytes.split_first_chunk::<16>()?;
    let user_id = UserId(Uuid::from_bytes(*id));
    let is_of = |purpose: &Purpose| bool::from(mac.ct_eq(&app.keys.unsubscribe_mac(user_id.0, purpose.name())));
    ALL.into_iter().find(is_of).map(|purpose| (user_id, purpose))
}

/// 16 bytes of user, 32 of MAC. It never expires: old mails have buttons too.
fn token(keys: &Keys, user_id: UserId, purpose: Purpose) -> String {
    let mac = keys.unsubscribe_mac(user_id.0, purpose.name());
    URL_SAFE_NO_PAD.encode([user_id.0.as_bytes().as_slice(), &mac].concat())
}
