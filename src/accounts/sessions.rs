//! Sessions: a sign-in on one device, kept going by refresh tokens.
//!
//! A refresh token names its session and generation and carries a MAC over both, keyed by a secret outside the database
//! and salted by the row's `seed`. So the server keeps no token, not even a digest, can answer with the same successor
//! twice, and knows a spent token of its own from a forged one: only the former ends the session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{Session, SignedIn, devices, store, tokens};
use crate::app::App;
use crate::clock::Instant;
use crate::context::Origin;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{SessionId, UserId};
use crate::realtime::{Mark, Subject};
use crate::viewer::Viewer;

/// How long a session goes on after its last refresh.
const SESSION_LIVES: TimeDelta = TimeDelta::days(30);
/// How long the token before the present one is answered with the present one: two tabs refresh at once, or an answer
/// was lost.
const SUCCESSOR_IS_REPEATED: TimeDelta = TimeDelta::seconds(60);

/// Sessions that somebody has at once: with one more, the one that was used least lately ends.
const SESSIONS: i64 = 100;

/// Which of one's sessions to end.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    This(SessionId),
    AllOthers,
}

/// Tokens of a session.
pub struct Tokens {
    pub access: String,
    pub access_expires_at: Instant,
    pub refresh: String,
    pub refresh_expires_at: Instant,
}

/// A refresh token, taken apart.
struct Presented {
    id: SessionId,
    generation: i32,
    mac: [u8; 32],
}

/// Begins a session of this user.
pub(super) async fn begin_session(
    app: &App,
    tx: &mut Tx,
    user_id: UserId,
    client_name: Option<String>,
    origin: Origin,
) -> Result<SignedIn> {
    let now = app.clock.now();
    let session = Session {
        id: SessionId::at(now),
        user_id,
        client_name: client_name.filter(|name| !name.is_empty()).unwrap_or_else(|| "Unknown client".to_owned()),
        ip_address: origin.address.map(|address| address.to_string()),
        seed: rand::random::<[u8; 32]>().to_vec(),
        generation: 1,
        refreshed_at: now,
        created_at: now,
        last_used_at: now,
        expires_at: now + SESSION_LIVES,
        ended_at: None,
    };
    store::insert_session(tx, &session).await?;
    for id in store::sessions_beyond(tx, user_id, now, SESSIONS).await? {
        end(tx, user_id, id, now).await?;
    }
    signed_in(app, session)
}

/// All sessions of somebody, last used first.
pub async fn sessions_of(app: &App, user_id: UserId) -> Result<Vec<Session>> {
    let now = app.clock.now();
    app.db.read(async move |conn| store::sessions_of(conn, user_id, now).await).await
}

/// Trades a refresh token for new tokens. A spent one ends its session: somebody else has it.
pub async fn refresh(app: &App, origin: Origin, token: &str) -> Result<SignedIn> {
    let spent = || Error::unauthenticated().with_message("The refresh token is spent, expired or revoked");
    let presented = Presented::read(token).ok_or_else(spent)?;
    let (now, presented) = (app.clock.now(), &presented);
    let answer = app
        .db
        .transaction(async move |tx| {
            let Some(mut session) = store::lock_session(tx, presented.id).await? else { return Ok(None) };
            let is_ours: bool = presented.mac.ct_eq(&mac(app, &session, presented.generation)).into();
            if !is_ours || !session.is_live(now) {
                return Ok(None);
            }
            match session.generation - presented.generation {
                0 => {
                    session.generation += 1;
                    session.refreshed_at = now;
                    session.last_used_at = now;
                    session.ip_address = origin.address.map(|address| address.to_string());
                    session.expires_at = now + SESSION_LIVES;
                    store::save_refresh(tx, &session).await?;
                    Ok(Some(session))
                }
                1 if now - session.refreshed_at <= SUCCESSOR_IS_REPEATED => Ok(Some(session)),
                _ => {
                    end(tx, session.user_id, session.id, now).await?;
                    Ok(None)
                }
            }
        })
        .await?;
    signed_in(app, answer.ok_or_else(spent)?)
}

/// Ends the session that makes this call. Its devices go with it, and so does the one of this token, whichever session of
/// the viewer's registered it.
pub async fn log_out(app: &App, viewer: &Viewer, push_token: Option<&str>) -> Result<()> {
    let now = app.clock.now();
    // What cannot even be asked for is no token; whoever leaves is let go all the same.
    let address = push_token.map(devices::address_in).filter(|address| !address.contains('\0'));
    app.db
        .transaction(async move |tx| {
            // Sessions are locked before devices.
            end(tx, viewer.user_id, viewer.session_id, now).await?;
            if let Some(address) = &address {
                devices::delete_address(tx, viewer.user_id, address).await?;
            }
            Ok(())
        })
        .await
}

/// Ends one session of the viewer, or all but the one that makes this call, and says which. One that has ended already
/// counts; whoever asks by one that has ended meanwhile ends nothing more.
pub async fn revoke(app: &App, viewer: &Viewer, which: Which) -> Result<Vec<SessionId>> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            // All at once and in one order: two that end each other do not wait for each other for ever.
            let live = store::lock_sessions_of(tx, viewer.user_id, now).await?;
            if !live.contains(&viewer.session_id) {
                return Err(Error::unauthenticated());
            }
            let chosen: Vec<_> = match which {
                Which::AllOthers => live.into_iter().filter(|id| *id != viewer.session_id).collect(),
                Which::This(id) if store::is_session_of(tx, id, viewer.user_id).await? => vec![id],
                Which::This(_) => return Err(Error::not_found("session")),
            };
            for &id in &chosen {
                end(tx, viewer.user_id, id, now).await?;
            }
            Ok(chosen)
        })
        .await
}

/// Keeps the viewer's session from ending until the transaction has; UNAUTHENTICATED where it has ended.
pub(super) async fn hold(tx: &mut Tx, viewer: &Viewer, now: Instant) -> Result<()> {
    let session = store::lock_session(tx, viewer.session_id).await?;
    session.filter(|session| session.is_live(now)).map(drop).ok_or_else(Error::unauthenticated)
}

/// Ends all sessions of somebody but the one that stays, and says which those were.
pub(super) async fn end_others(
    tx: &mut Tx,
    user_id: UserId,
    stays: Option<SessionId>,
    now: Instant,
) -> Result<Vec<SessionId>> {
    let mut others = store::lock_sessions_of(tx, user_id, now).await?;
    others.retain(|id| Some(*id) != stays);
    for &id in &others {
        end(tx, user_id, id, now).await?;
    }
    Ok(others)
}

/// Ends a session of somebody: its tokens stop at once, on every server, its sockets close, its devices are told nothing
/// more, and the others hear of it.
async fn end(tx: &mut Tx, user_id: UserId, id: SessionId, now: Instant) -> Result<()> {
    store::end_session(tx, id, now).await?;
    devices::delete_of_session(tx, id).await?;
    tx.outbox().ended_sessions.push(id);
    tx.outbox().marks.push((user_id, Mark::Changed(Subject::Session(id))));
    Ok(())
}

fn signed_in(app: &App, session: Session) -> Result<SignedIn> {
    let viewer = Viewer { user_id: session.user_id, session_id: session.id };
    let (access, access_expires_at) = tokens::access_token(app, &viewer)?;
    let tokens = Tokens {
        access,
        access_expires_at,
        refresh: written(&session, &mac(app, &session, session.generation)),
        refresh_expires_at: session.expires_at,
    };
    Ok(SignedIn { viewer, session, tokens })
}

fn mac(app: &App, session: &Session, generation: i32) -> [u8; 32] {
    app.keys.refresh_token(&[session.id.0.as_bytes(), &generation.to_be_bytes(), &session.seed])
}

/// 16 bytes of session, 4 of generation, 32 of MAC.
fn written(session: &Session, mac: &[u8; 32]) -> String {
    let bytes = [session.id.0.as_bytes(), session.generation.to_be_bytes().as_slice(), mac].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Presented {
    fn read(token: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, mac) = rest.split_first_chunk::<4>()?;
        Some(Self {
            id: SessionId(Uuid::from_bytes(*id)),
            generation: i32::from_be_bytes(*generation),
            mac: mac.try_into().ok()?,
        })
    }
}
