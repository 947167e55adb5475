//! `GOOGLE_…`, `GITHUB_…`, `OIDC_…`, `OAUTH_REDIRECT_URLS`.

use std::collections::HashSet;

use super::variable::{BadValue, as_url, is_loopback, listed, optional, read};
use super::{Http, Pages};

/// Where people sign in besides here.
#[derive(Clone, Debug, Default)]
pub struct OAuth {
    /// In the order in which they are offered.
    pub providers: Vec<ProviderConfig>,
    /// Where providers send the browser back to: the app's page, and `OAUTH_REDIRECT_URLS`, comma-separated.
    pub redirect_urls: Vec<String>,
}

/// A provider.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// `google`, `github`, or one of `OIDC_PROVIDERS`.
    pub key: String,
    /// `OIDC_…_NAME`: to show.
    pub name: String,
    /// `OIDC_…_ICON_URL`: its logo.
    pub icon_url: Option<String>,
    /// `OIDC_…_ISSUER`, as the provider writes it itself; `GITHUB_URL`.
    pub issuer: String,
    /// `…_CLIENT_ID`: what it knows this server by.
    pub client_id: String,
    /// `…_CLIENT_SECRET`: what proves it.
    pub client_secret: String,
    pub kind: ProviderKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// OpenID Connect.
    OpenId,
    /// GitHub, whose API is there.
    GitHub { api: String },
}

impl OAuth {
    pub(super) fn from_env(http: &Http, pages: Option<&Pages>) -> Result<Self, BadValue> {
        let page = pages.map_or_else(|| format!("{}/oauth/callback", http.public_url), |pages| pages.oauth.clone());
        let wanted = "URLs as in https://app.example.org/oauth or org.example.chat:/oauth, comma-separated";
        let more: Vec<String> = read("OAUTH_REDIRECT_URLS", "", wanted, |text| {
            listed(text).map(|url| as_redirect_url(url).then(|| url.to_owned())).collect()
        })?;
        let mut providers = Vec::new();
        if let Some((client_id, client_secret)) = client("GOOGLE")? {
            providers.push(ProviderConfig {
                key: "google".into(),
                name: "Google".into(),
                icon_url: None,
                issuer: "https://accounts.google.com".into(),
                client_id,
                client_secret,
                kind: ProviderKind::OpenId,
            });
        }
        if let Some((client_id, client_secret)) = client("GITHUB")? {
            let own = optional("GITHUB_URL", "an https URL, as in https://github.example.org", as_https)?;
            let own = own.map(|url| url.trim_end_matches('/').to_owned());
            // As GitHub and GitHub Enterprise have it.
            let api = own.as_ref().map_or("https://api.github.com".to_owned(), |url| format!("{url}/api/v3"));
            providers.push(ProviderConfig {
                key: "github".into(),
                name: "GitHub".into(),
                icon_url: None,
                issuer: own.unwrap_or_else(|| "https://github.com".into()),
                client_id,
                client_secret,
                kind: ProviderKind::GitHub { api },
            });
        }
        let wanted = "names of 1 to 32 of a-z and 0-9, each once, comma-separated; google and github have their own";
        let keys: Vec<String> = read("OIDC_PROVIDERS", "", wanted, |text| {
            let keys: Vec<String> = listed(text).map(str::to_owned).collect();
            let is_good = |key: &String| {
                (1..=32).contains(&key.len())
                    && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                    && !["google", "github"].contains(&key.as_str())
            };
            let is_once = keys.iter().collect::<HashSet<_>>().len() == keys.len();
            (is_once && keys.iter().all(is_good)).then_some(keys)
        })?;
        for key in keys {
            let name = format!("OIDC_{}", key.to_uppercase());
            let (issuer, shown) = (format!("{name}_ISSUER"), format!("{name}_NAME"));
            let issuer = read(&issuer, "", "an https URL, as its discovery document writes it", as_https)?;
            let Some((client_id, client_secret)) = client(&name)? else {
                return Err(BadValue(format!("{name}_CLIENT_ID: wants what the provider knows this server by")));
            };
            let shown = read(&shown, &key, "a name to show", |text| (!text.is_empty()).then(|| text.to_owned()))?;
            let icon_url = optional(&format!("{name}_ICON_URL"), "the URL of a picture", as_url)?;
            let kind = ProviderKind::OpenId;
            providers.push(ProviderConfig { key, name: shown, icon_url, issuer, client_id, client_secret, kind });
        }
        Ok(Self { providers, redirect_urls: std::iter::once(page).chain(more).collect() })
    }
}

/// What a provider knows this server by, and what proves it.
fn client(name: &str) -> Result<Option<(String, String)>, BadValue> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let Some(id) = optional(&format!("{name}_CLIENT_ID"), "the id of a client", given)? else { return Ok(None) };
    let secret = read(&format!("{name}_CLIENT_SECRET"), "", "the secret of that client", given)?;
    Ok(Some((id, secret)))
}

fn as_https(text: &str) -> Option<String> {
    as_url(text).filter(|url| url.starts_with("https://"))
}

/// Whether a code may be sent there: https, this machine, or an app under a name of its own, which has a dot (RFC 8252).
fn as_redirect_url(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_loopback),
        scheme => scheme.contains('.'),
    };
    is_safe && url.fragment().is_none()
}
