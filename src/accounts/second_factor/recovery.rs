//! Recovery codes.

use super::{codes, judge, store};
use crate::accounts::{Fresh, Incident, alarm};
use crate::app::App;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;
use crate::realtime::{Mark, Subject};

/// New ones, shown once; the old ones work no longer.
pub async fn regenerate(app: &App, fresh: &Fresh) -> Result<Vec<String>> {
    app.db
        .transaction(async move |tx| {
            let before = fresh.hold(app, tx).await?;
            // It was switched off meanwhile.
            if before.second_factor_at.is_none() {
                return Err(judge::wrong());
            }
            let codes = renew(app, tx, before.user_id).await?;
            tx.outbox().marks.push((before.user_id, Mark::Changed(Subject::Viewer)));
            alarm(app, tx, &before, Incident::RecoveryCodesMade).await?;
            Ok(codes)
        })
        .await
}

/// How many are left.
pub async fn count(app: &App, user_id: UserId) -> Result<i64> {
    app.db.read(async move |conn| store::count_codes(conn, user_id).await).await
}

pub(super) async fn renew(app: &App, tx: &mut Tx, user_id: UserId) -> Result<Vec<String>> {
    let codes = codes::recovery_codes();
    let kept = codes.iter().map(|code| app.keys.recovery_code_mac(user_id.0, &code.replace('-', "")));
    store::save_codes(tx, user_id, &kept.collect::<Vec<_>>()).await?;
    Ok(codes)
}
