//! Providers at which people sign in: what the server asks them, and what it believes them.
//!
//! The browser goes there with a state, a nonce and a challenge, and comes back with a code. The code is traded, and who
//! somebody is comes of that answer alone, over connections of our own (`Outgoing::ask_provider`). Whatever of it does not
//! hold is OAUTH_FAILED, with the reason in the log: what a provider says is shown to nobody. Its tokens end with the request.

mod github;
mod openid;

use std::sync::Arc;

use url::Url;

use crate::clock::Clock;
use crate::config::{OAuth, ProviderConfig, ProviderKind};
use crate::error::{Code, Error, Result};
use crate::outgoing::Outgoing;
use crate::text;
use github::GitHub;
use openid::OpenId;

/// Those that are configured. A clone is cheap.
#[derive(Clone)]
pub struct Providers(Arc<[Provider]>);

/// A provider.
pub struct Provider {
    /// Short, to name it by.
    pub key: String,
    /// To show.
    pub name: String,
    /// Where its logo is.
    pub icon_url: Option<String>,
    /// Whose accounts these are, whatever the provider is called here.
    pub issuer: String,
    protocol: Protocol,
}

enum Protocol {
    OpenId(Box<OpenId>),
    GitHub(Box<GitHub>),
}

/// A round trip on its way there.
pub struct Departure<'a> {
    pub state: &'a str,
    /// Comes back within the ID token.
    pub nonce: &'a str,
    /// PKCE, S256.
    pub code_challenge: &'a str,
    pub redirect_url: &'a str,
}

/// The same on its way back.
pub struct Return<'a> {
    pub code: &'a str,
    pub code_verifier: &'a str,
    pub nonce: &'a str,
    pub redirect_url: &'a str,
}

/// Who somebody is, as their provider says.
#[derive(Debug)]
pub struct Identity {
    /// What the provider knows them by, for ever.
    pub subject: String,
    /// An address that the provider says is theirs; none that they have only claimed.
    pub proven_email: Option<String>,
    /// What they call themselves there, as it is.
    pub handle: Option<String>,
    pub name: Option<String>,
    /// What they know the account by.
    pub label: String,
}

impl Providers {
    pub fn new(config: &OAuth, outgoing: &Outgoing, clock: &Clock) -> Self {
        Self(config.providers.iter().map(|provider| Provider::new(provider, outgoing, clock)).collect())
    }

    pub fn all(&self) -> &[Provider] {
        &self.0
    }

    /// The one of this name.
    pub fn named(&self, key: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.key == key)
    }

    /// The one that has an issuer's accounts.
    pub fn of(&self, issuer: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.issuer == issuer)
    }
}

impl Provider {
    fn new(config: &ProviderConfig, outgoing: &Outgoing, clock: &Clock) -> Self {
        let protocol = match &config.kind {
            ProviderKind::OpenId => Protocol::OpenId(Box::new(OpenId::new(config, outgoing.clone(), clock.clone()))),
            ProviderKind::GitHub { api } => Protocol::GitHub(Box::new(GitHub::new(config, api, outgoing.clone()))),
        };
        Self {
            key: config.key.clone(),
            name: config.name.clone(),
            icon_url: config.icon_url.clone(),
            issuer: config.issuer.clone(),
            protocol,
        }
    }

    /// Where to send the browser.
    pub async fn departure(&self, departure: &Departure<'_>) -> Result<Url> {
        let url = match &self.protocol {
            Protocol::OpenId(provider) => provider.departure(departure).await,
            Protocol::GitHub(provider) => provider.departure(departure),
        }?;
        // Browsers are sent nowhere else, whatever a provider says of itself.
        match url.scheme() {
            "https" => Ok(url),
            _ => Err(refused("its authorization endpoint is not https")),
        }
    }

    /// Who comes back.
    pub async fn identify(&self, back: &Return<'_>) -> Result<Identity> {
        let identity = match &self.protocol {
            Protocol::OpenId(provider) => provider.identify(back).await,
            Protocol::GitHub(provider) => provider.identify(back).await,
        }?;
        // As long as OpenID Connect has it, and nothing that could not be kept.
        match (1..=255).contains(&identity.subject.len()) && !identity.subject.contains(char::is_control) {
            true => Ok(identity),
            false => Err(refused("its name for the account is none")),
        }
    }
}

/// One answer for all that goes wrong at a provider.
fn refused(cause: impl ToString) -> Error {
    Error::new(Code::OauthFailed, "The provider refused or did not answer: begin again").caused_by(cause)
}

/// What went wrong and why, without what was answered.
fn causes(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What somebody may be told of themselves: on one line, and not for ever.
fn shown(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text::cut(plain.trim(), 100)
}
