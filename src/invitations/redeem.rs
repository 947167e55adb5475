//! Using an invitation.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::store::{self, Used};
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Code, Error, Result};

/// Uses an invitation once more. Unknown, spent, expired and revoked look alike.
pub(super) async fn redeem(tx: &mut Tx, token: &str, now: Instant) -> Result<Used> {
    // Whatever is no token is looked for all the same.
    let bytes = URL_SAFE_NO_PAD.decode(token.trim()).unwrap_or_default();
    let used = store::use_once(tx, &digest(&bytes), now).await?;
    used.ok_or_else(|| Error::new(Code::TokenInvalid, "This invitation is wrong, spent or expired"))
}

/// As it is kept. The token is as random as a key, so that no salt and no slow hash is needed.
pub(super) fn digest(token: &[u8]) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}
