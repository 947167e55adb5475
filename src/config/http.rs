//! `LISTEN`, `PUBLIC_URL`, `CORS_ORIGINS`, `TRUSTED_PROXIES`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::Uri;
use ipnet::IpNet;

use super::Graphiql;
use super::variable::{BadValue, is_loopback, listed, optional, read};

/// How the server is reached.
#[derive(Clone, Debug)]
pub struct Http {
    /// `LISTEN`: address and port to accept connections on.
    pub listen: SocketAddr,
    /// `PUBLIC_URL`: where people reach the server; derived from `LISTEN` when absent. Without a slash at its end.
    pub public_url: String,
    /// `CORS_ORIGINS`: origins, apart from the server's own, whose pages may use it; comma-separated.
    pub cors_origins: Vec<String>,
    /// `TRUSTED_PROXIES`: who is believed about where a request comes from (`X-Forwarded-For`).
    pub trusted_proxies: Vec<IpNet>,
    /// `GRAPHIQL`: `off` serves no such page.
    pub graphiql: Graphiql,
}

impl Http {
    /// Whether people reach the server from other machines, directly or through a proxy.
    pub fn is_public(&self) -> bool {
        !self.listen.ip().is_loopback() || !is_loopback(self.host())
    }

    /// Whether people reach the server by https.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The name in `PUBLIC_URL`.
    pub fn host(&self) -> &str {
        let host = self.public_url.split("://").nth(1).unwrap_or_default();
        match host.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => host,
        }
    }

    pub(super) fn from_env() -> Result<Self, BadValue> {
        let listen = read("LISTEN", "127.0.0.1:8080", "an address and a port, as in 127.0.0.1:8080", |text| {
            text.parse::<SocketAddr>().ok()
        })?;
        let public_url = match std::env::var("PUBLIC_URL") {
            Ok(_) => read("PUBLIC_URL", "", "a URL without a path, as in https://chat.example.org", as_origin)?,
            Err(_) if listen.ip().is_unspecified() || answers_to_localhost(listen.ip()) => {
                format!("http://localhost:{}", listen.port())
            }
            Err(_) => format!("http://{listen}"),
        };
        let cors_origins =
            read("CORS_ORIGINS", "", "origins as in https://app.example.org, comma-separated", |text| {
                listed(text).map(as_origin).collect()
            })?;
        let wanted = "addresses or networks as in 10.0.0.0/8, comma-separated";
        let trusted_proxies = optional("TRUSTED_PROXIES", wanted, |text| listed(text).map(as_network).collect())?;
        let trusted_proxies = trusted_proxies.unwrap_or_else(on_this_machine);
        Ok(Self { listen, public_url, cors_origins, trusted_proxies, graphiql: Graphiql::from_env()? })
    }
}

/// A proxy that stands on this machine, as most do that stand before one server.
pub(super) fn on_this_machine() -> Vec<IpNet> {
    [(IpAddr::from(Ipv4Addr::LOCALHOST), 8), (Ipv6Addr::LOCALHOST.into(), 128)]
        .map(|(address, bits)| IpNet::new_assert(address, bits).trunc())
        .into()
}

fn as_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Whether `localhost` leads here: 127.0.0.2 is loopback too, and nothing finds it by that name.
fn answers_to_localhost(address: IpAddr) -> bool {
    address == Ipv4Addr::LOCALHOST || address == Ipv6Addr::LOCALHOST
}

/// Scheme, host and port, as browsers send it in `Origin`.
fn as_origin(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    match uri.scheme_str() {
        Some(scheme @ ("http" | "https")) if is_bare => {
            Some(format!("{scheme}://{}", uri.authority()?.as_str().to_lowercase()))
        }
        _ => None,
    }
}
