//! Providers that speak OpenID Connect, which say by themselves where they are asked and what they sign with.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, TokenResponse,
};
use url::Url;

use super::{Departure, Identity, Return, causes, refused, shown};
use crate::clock::{Clock, Instant};
use crate::config::ProviderConfig;
use crate::error::Result;
use crate::outgoing::{Outgoing, Unanswered};
use crate::text;

/// How long what a provider says of itself is believed.
const FRESH: TimeDelta = TimeDelta::hours(1);

/// What signatures are taken by: the provider's own keys, none that it shares with anybody.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Reads both kinds of claims, which have the same names and no type in common.
macro_rules! identity {
    ($claims:expr) => {{
        let claims = $claims;
        let email = claims.email().and_then(|email| text::email(email).ok());
        let handle = claims.preferred_username().map(|name| name.to_string()).or_else(|| email.clone());
        let name = claims.name().and_then(|names| names.iter().next().map(|(_, name)| name.to_string()));
        let label = email.clone().or_else(|| handle.clone()).or_else(|| name.clone());
        Identity {
            subject: claims.subject().to_string(),
            // What is said by nobody is not so.
            proven_email: email.filter(|_| claims.email_verified() == Some(true)),
            label: shown(&label.unwrap_or_else(|| claims.subject().to_string())),
            handle,
            name,
        }
    }};
}

pub(super) struct OpenId {
    client_id: String,
    client_secret: String,
    issuer: String,
    outgoing: Outgoing,
    clock: Clock,
    /// What it said of itself, and when.
    said: Mutex<Option<(Instant, Arc<CoreProviderMetadata>)>>,
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

impl OpenId {
    pub fn new(config: &ProviderConfig, outgoing: Outgoing, clock: Clock) -> Self {
        Self {
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            issuer: config.issuer.clone(),
            outgoing,
            clock,
            said: Mutex::default(),
        }
    }

    pub async fn departure(&self, departure: &Departure<'_>) -> Result<Url> {
        let metadata = self.metadata().await?;
        let client = self.client(&metadata, departure.redirect_url)?;
        let (state, nonce) = (CsrfToken::new(departure.state.to_owned()), Nonce::new(departure.nonce.to_owned()));
        let request = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce);
        let request = ["email", "profile"]
            .into_iter()
            .fold(request, |request, scope| request.add_scope(Scope::new(scope.to_owned())));
        let request = request.add_extra_param("code_challenge", departure.code_challenge.to_owned());
        Ok(request.add_extra_param("code_challenge_method", "S256").url().0)
    }

    pub async fn identify(&self, back: &Return<'_>) -> Result<Identity> {
        let metadata = self.metadata().await?;
        let client = self.client(&metadata, back.redirect_url)?;
        let trade = client.exchange_code(AuthorizationCode::new(back.code.to_owned()));
        let trade = trade.map_err(|error| refused(causes(&error)))?;
        let trade = trade.set_pkce_verifier(PkceCodeVerifier::new(back.code_verifier.to_owned()));
        let tokens = trade.request_async(&self.http()).await.map_err(|error| refused(causes(&error)))?;
        let claims = match self.claims(&client, &tokens, back.nonce) {
            // It signs with a key that it did not have when it was asked.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey | SignatureVerificationError::CryptoError(_),
            )) => {
                let metadata = self.asked_anew().await?;
                let client = self.client(&metadata, back.redirect_url)?;
                self.claims(&client, &tokens, back.nonce)
            }
            judged => judged,
        };
        let claims = claims.map_err(|error| refused(causes(&error)))?;
        Ok(match claims.email().is_none() && client.user_info_url().is_some() {
            true => identity!(self.user_info(&client, tokens.access_token(), &claims).await?),
            false => identity!(claims),
        })
    }

    /// What the ID token says, once all of it holds: signature, issuer, audience, party, expiry, nonce, access token.
    fn claims(
        &self,
        client: &Client,
        tokens: &CoreTokenResponse,
        nonce: &str,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let other = |message: &str| ClaimsVerificationError::Other(message.to_owned());
        let unsigned = ClaimsVerificationError::SignatureVerification;
        let token = tokens.id_token().ok_or_else(|| other("there is no ID token"))?;
        let clock = self.clock.clone();
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(move || clock.now());
        let claims = token.claims(&verifier, &Nonce::new(nonce.to_owned()))?;
        // The library looks at the audience alone.
        if claims.authorized_party().is_some_and(|party| party.as_str() != self.client_id) {
            return Err(other("the ID token was made for another party"));
        }
        if let Some(expected) = claims.access_token_hash() {
            let (algorithm, key) =
                (token.signing_alg().map_err(unsigned)?, token.signing_key(&verifier).map_err(unsigned)?);
            let made = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            let made = made.map_err(|error| other(&causes(&error)))?;
            if made != *expected {
                return Err(other("the access token is not the one of the ID token"));
            }
        }
        Ok(claims.clone())
    }

    /// For those whose ID tokens say little.
    async fn user_info(
        &self,
        client: &Client,
        token: &AccessToken,
        claims: &CoreIdTokenClaims,
    ) -> Result<CoreUserInfoClaims> {
        // The library panics at what cannot stand in a header.
        if !token.secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused("the access token is none"));
        }
        let request = client.user_info(token.clone(), Some(claims.subject().clone()));
        let request = request.map_err(|error| refused(causes(&error)))?;
        request.request_async(&self.http()).await.map_err(|error| refused(causes(&error)))
    }

    fn client(&self, metadata: &CoreProviderMetadata, redirect_url: &str) -> Result<Client> {
        let unusable = |error| refused(causes(&error));
        let redirect_url = RedirectUrl::new(redirect_url.to_owned()).map_err(unusable)?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        // It may take the secret in the header, as all do unless they say otherwise.
        let auth_type = match methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic)) {
            true => AuthType::BasicAuth,
            false => AuthType::RequestBody,
        };
        let secret = ClientSecret::new(self.client_secret.clone());
        let client_id = ClientId::new(self.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), client_id, Some(secret));
        Ok(client.set_auth_type(auth_type).set_redirect_uri(redirect_url))
    }

    async fn metadata(&self) -> Result<Arc<CoreProviderMetadata>> {
        let now = self.clock.now();
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match said.filter(|(at, _)| now - *at < FRESH) {
            Some((_, metadata)) => Ok(metadata),
            None => self.asked_anew().await,
        }
    }

    async fn asked_anew(&self) -> Result<Arc<CoreProviderMetadata>> {
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| refused(causes(&error)))?;
        let asked = CoreProviderMetadata::discover_async(issuer, &self.http()).await;
        let metadata = Arc::new(asked.map_err(|error| refused(causes(&error)))?);
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some((self.clock.now(), metadata.clone()));
        Ok(metadata)
    }

    /// As the library asks.
    fn http(
        &self,
    ) -> impl Fn(HttpRequest) -> futures_util::future::BoxFuture<'static, Result<HttpResponse, Unanswered>> + use<>
    {
        let outgoing = self.outgoing.clone();
        move |request| {
            let outgoing = outgoing.clone();
            Box::pin(async move { outgoing.ask_provider(request).await })
        }
    }
}
