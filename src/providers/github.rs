//! GitHub, which has OAuth and no OpenID Connect: who somebody is, its API says.

use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse, TokenUrl, http,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::{Departure, Identity, Return, causes, refused, shown};
use crate::config::ProviderConfig;
use crate::error::Result;
use crate::outgoing::Outgoing;
use crate::text;

pub(super) struct GitHub {
    client_id: String,
    client_secret: String,
    /// `https://github.com`, or that of a company.
    site: String,
    api: String,
    outgoing: Outgoing,
}

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// What of its answers is read.
#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

impl GitHub {
    pub fn new(config: &ProviderConfig, api: &str, outgoing: Outgoing) -> Self {
        Self {
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            site: config.issuer.clone(),
            api: api.to_owned(),
            outgoing,
        }
    }

    pub fn departure(&self, departure: &Departure<'_>) -> Result<Url> {
        let client = self.client(departure.redirect_url)?;
        let request = client.authorize_url(|| CsrfToken::new(departure.state.to_owned()));
        let request = request.add_scope(Scope::new("user:email".to_owned()));
        let request = request.add_extra_param("code_challenge", departure.code_challenge);
        Ok(request.add_extra_param("code_challenge_method", "S256").url().0)
    }

    pub async fn identify(&self, back: &Return<'_>) -> Result<Identity> {
        let outgoing = self.outgoing.clone();
        let http = move |request: HttpRequest| {
            let outgoing = outgoing.clone();
            async move { outgoing.ask_provider(request).await }
        };
        let client = self.client(back.redirect_url)?;
        let trade = client.exchange_code(AuthorizationCode::new(back.code.to_owned()));
        let trade = trade.set_pkce_verifier(PkceCodeVerifier::new(back.code_verifier.to_owned()));
        let token = trade.request_async(&http).await.map_err(|error| refused(causes(&error)))?;
        let token = token.access_token().secret();
        let user: User = self.ask("/user", token).await?;
        let emails: Vec<Email> = self.ask("/user/emails", token).await?;
        let proven = emails.into_iter().find(|email| email.primary && email.verified);
        Ok(Identity {
            subject: user.id.to_string(),
            proven_email: proven.and_then(|email| text::email(&email.email).ok()),
            label: shown(&user.login),
            handle: Some(user.login),
            name: user.name,
        })
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str, token: &str) -> Result<T> {
        let request = http::Request::get(format!("{}{path}", self.api))
            .header("accept", "application/vnd.github+json")
            .header("authorization", format!("Bearer {token}"))
            .body(Vec::new());
        let request = request.map_err(|_| refused(format!("{path} cannot be asked")))?;
        let answer = self.outgoing.ask_provider(request).await.map_err(|error| refused(causes(&error)))?;
        match answer.status() {
            http::StatusCode::OK => serde_json::from_slice(answer.body()).map_err(|error| refused(causes(&error))),
            status => Err(refused(format!("{path} was answered with {status}"))),
        }
    }

    fn client(&self, redirect_url: &str) -> Result<Client> {
        let unusable = |error| refused(causes(&error));
        let at = |path| format!("{}/login/oauth/{path}", self.site);
        Ok(BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(self.client_secret.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::new(at("authorize")).map_err(unusable)?)
            .set_token_uri(TokenUrl::new(at("access_token")).map_err(unusable)?)
            .set_redirect_uri(RedirectUrl::new(redirect_url.to_owned()).map_err(unusable)?))
    }
}
