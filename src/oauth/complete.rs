//! Coming back from a provider.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::begin::nonce;
use super::link::link;
use super::sign_in::sign_in;
use super::{Linked, store};
use crate::accounts::{SignedIn, TokenDelivery, client_name, digest};
use crate::app::App;
use crate::context::Origin;
use crate::error::{Code, Error, InputCode, Result};
use crate::providers::Return;
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// Characters of a provider's code: more than anybody's has.
const CODE: usize = 4096;

/// What a client sends.
pub struct CompleteInput {
    pub state: String,
    pub code: String,
    pub code_verifier: String,
    pub username: Option<String>,
    pub invitation: Option<String>,
    pub client_name: Option<String>,
    pub token_delivery: TokenDelivery,
}

/// The same, checked.
pub struct CompleteDraft {
    state: String,
    code: String,
    code_verifier: String,
    pub(super) username: Option<String>,
    pub(super) invitation: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) token_delivery: TokenDelivery,
}

impl CompleteDraft {
    pub fn from(input: CompleteInput) -> Result<Self> {
        let mut wrong = Wrong::default();
        let code = wrong.note("code", code(input.code));
        let code_verifier = wrong.note("codeVerifier", verifier(input.code_verifier));
        let username = wrong.note("username", input.username.map(username).transpose());
        let client_name = wrong.note("clientName", client_name(input.client_name));
        wrong.finish(|| {
            Some(Self {
                state: input.state,
                code: code?,
                code_verifier: code_verifier?,
                username: username?,
                invitation: input.invitation,
                client_name: client_name?,
                token_delivery: input.token_delivery,
            })
        })
    }
}

fn username(text: String) -> Result<String, Fault> {
    let name = text::username(&text)?;
    text::unreserved(&name).map(|()| name)
}

/// As long as anybody's; the provider judges the rest.
fn code(text: String) -> Result<String, Fault> {
    match text.len() {
        0 => Err(Fault::required()),
        1..=CODE => Ok(text),
        _ => Err(Fault::too_long(CODE)),
    }
}

/// As RFC 7636 has it.
fn verifier(text: String) -> Result<String, Fault> {
    let is_one = (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    match is_one {
        true => Ok(text),
        false => Err(Fault::new(InputCode::BadFormat, "43 to 128 of A-Z, a-z, 0-9, dash, dot, underscore and tilde")),
    }
}

/// What came of it.
pub struct Completed {
    pub linked: Linked,
    /// `None` where the account was linked to the viewer.
    pub signed_in: Option<SignedIn>,
    pub is_new_user: bool,
}

/// Finishes a round trip: once, by whoever has the verifier, and for the session that began it where it began as one's own.
/// Whatever becomes of it, it is over.
pub async fn complete(app: &App, origin: Origin, viewer: Option<&Viewer>, draft: CompleteDraft) -> Result<Completed> {
    let (now, digest) = (app.clock.now(), digest(&draft.state));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&draft.code_verifier));
    let session = viewer.map(|viewer| viewer.session_id);
    let challenge = &challenge;
    let begun = app
        .db
        .transaction(async move |tx| Ok(store::take_state(tx, &digest, challenge, session, now).await?))
        .await?
        .ok_or_else(invalid)?;
    let provider = app.providers.named(&begun.provider).ok_or_else(invalid)?;
    let back = Return {
        code: &draft.code,
        code_verifier: &draft.code_verifier,
        nonce: &nonce(&draft.state),
        redirect_url: &begun.redirect_url,
    };
    let identity = provider.identify(&back).await?;
    match viewer.filter(|_| begun.session_id.is_some()) {
        Some(viewer) => link(app, viewer, provider, identity).await,
        None => sign_in(app, origin, provider, identity, draft).await,
    }
}

pub(super) fn invalid() -> Error {
    Error::new(Code::TokenInvalid, "This took too long, was finished already, or began elsewhere: begin again")
}
