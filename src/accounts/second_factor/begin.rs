//! Setting up an authenticator app.

use super::{codes, store};
use crate::accounts::Fresh;
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::users;

/// What the app needs. Shown once.
pub struct Begun {
    /// In base32, to type in.
    pub secret: String,
    /// The same as an address, for a QR code.
    pub provisioning_url: String,
}

/// Makes a secret, which comes into force with the first code made of it. Begun again, the one before is forgotten.
pub async fn begin(app: &App, fresh: &Fresh) -> Result<Begun> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let account = fresh.hold(app, tx).await?;
            if account.second_factor_at.is_some() {
                let message = "There is a second factor: switch it off first";
                return Err(Error::new(Code::FailedPrecondition, message).with("reason", "SECOND_FACTOR_IS_ON"));
            }
            let user = users::undeleted(tx, account.user_id).await?.ok_or_else(Error::unauthenticated)?;
            let secret = codes::secret();
            store::save(tx, user.id, &app.keys.seal_second_factor(user.id.0, &secret), now).await?;
            let shown = codes::app(secret.to_vec(), app.config.http.host(), &user.username)?;
            Ok(Begun { secret: shown.get_secret_base32(), provisioning_url: shown.get_url() })
        })
        .await
}
