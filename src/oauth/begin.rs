//! Setting out for a provider.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::store::{self, State};
use crate::accounts::{Fresh, digest, secret};
use crate::app::App;
use crate::error::{InputCode, Result};
use crate::providers::Departure;
use crate::text::{Fault, Wrong};

/// How long somebody may be away.
const AWAY: TimeDelta = TimeDelta::minutes(10);

/// What a round trip is for.
#[derive(Clone, Copy)]
pub enum Purpose<'a> {
    SignIn,
    /// Link the account to the one who has given proof.
    Link(&'a Fresh),
}

/// What a client sends.
pub struct BeginInput {
    pub provider: String,
    pub redirect_url: String,
    pub code_challenge: String,
}

/// The same, checked.
pub struct BeginDraft {
    provider: String,
    redirect_url: String,
    code_challenge: String,
}

impl BeginDraft {
    pub fn from(app: &App, input: BeginInput) -> Result<Self> {
        let mut wrong = Wrong::default();
        let unknown = || Fault::new(InputCode::NotAllowed, "There is no such provider here");
        let provider = app.providers.named(&input.provider).map(|provider| provider.key.clone()).ok_or_else(unknown);
        let provider = wrong.note("provider", provider);
        let redirect_url = wrong.note("redirectUrl", allowed(app, input.redirect_url));
        let code_challenge = wrong.note("codeChallenge", challenge(input.code_challenge));
        wrong
            .finish(|| Some(Self { provider: provider?, redirect_url: redirect_url?, code_challenge: code_challenge? }))
    }
}

/// Letter by letter one of those that are configured: what is only like one may lead elsewhere, and codes with it.
fn allowed(app: &App, url: String) -> Result<String, Fault> {
    match app.config.oauth.redirect_urls.contains(&url) {
        true => Ok(url),
        false => Err(Fault::new(InputCode::NotAllowed, "Not one of the pages to come back to (OAUTH_REDIRECT_URLS)")),
    }
}

/// A SHA-256 in base64url, as S256 has it.
fn challenge(text: String) -> Result<String, Fault> {
    match URL_SAFE_NO_PAD.decode(&text) {
        Ok(digest) if digest.len() == 32 => Ok(text),
        _ => Err(Fault::new(InputCode::BadFormat, "Not the SHA-256 of a verifier in base64url (PKCE, S256)")),
    }
}

/// Where to send the browser, and the state that it comes back with.
pub struct Begun {
    pub authorization_url: String,
    pub state: String,
}

/// Begins a round trip. OAUTH_FAILED where the provider cannot be asked.
pub async fn begin(app: &App, purpose: Purpose<'_>, draft: BeginDraft) -> Result<Begun> {
    let state = secret();
    let departure = Departure {
        state: &state,
        nonce: &nonce(&state),
        code_challenge: &draft.code_challenge,
        redirect_url: &draft.redirect_url,
    };
    let provider = app.providers.named(&draft.provider).ok_or_else(super::complete::invalid)?;
    let authorization_url = provider.departure(&departure).await?.to_string();
    let (now, digest) = (app.clock.now(), digest(&state));
    app.db
        .transaction(async move |tx| {
            let session_id = match purpose {
                Purpose::SignIn => None,
                Purpose::Link(fresh) => {
                    fresh.hold(app, tx).await?;
                    Some(fresh.viewer().session_id)
                }
            };
            let row = State {
                session_id,
                provider: draft.provider,
                redirect_url: draft.redirect_url,
                code_challenge: draft.code_challenge,
                expires_at: now + AWAY,
            };
            Ok(store::insert_state(tx, &digest, &row).await?)
        })
        .await?;
    Ok(Begun { authorization_url, state })
}

/// What the ID token has to name, so that it is of this round trip: made of the state, and so not kept.
pub(super) fn nonce(state: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("nonce {state}")))
}
