//! `PUSH_HOSTS`, `PROVIDER_HOSTS`, `EXTRA_CA_FILE`.

use std::collections::HashSet;
use std::sync::Arc;

use axum::http::Uri;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::OAuth;
use super::variable::{BadValue, listed, read};

/// What the server asks of other hosts.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// `PUSH_HOSTS`: hosts that people may name though they are not on the public internet, or not at port 443.
    pub exempt: Hosts,
    /// `PROVIDER_HOSTS`: hosts that a provider of `oauth` may name though they are not. Where it is itself need not be said.
    pub provider_hosts: Hosts,
    /// `EXTRA_CA_FILE`: a file of certificates, as PEM, of authorities trusted besides the machine's own.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Some hosts, each at a port.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Arc<HashSet<(String, u16)>>);

impl Requests {
    pub(super) fn from_env(oauth: &OAuth) -> Result<Self, BadValue> {
        let hosts = |text: &str| listed(text).map(as_host).collect::<Option<Vec<_>>>();
        let exempt = read("PUSH_HOSTS", "", "hosts as in push.lan:8443, comma-separated", hosts)?;
        let provider_hosts = read("PROVIDER_HOSTS", "", "hosts as in id.lan:8443, comma-separated", hosts)?;
        // Whoever configures a provider has said where it is.
        let own = oauth.providers.iter().filter_map(|provider| host_of(&provider.issuer));
        let provider_hosts = provider_hosts.into_iter().chain(own).collect();
        let authorities = read("EXTRA_CA_FILE", "", "a file of certificates, as PEM", |text| match text {
            "" => Some(Vec::new()),
            path => {
                let found = CertificateDer::pem_file_iter(path).ok()?.collect::<Result<Vec<_>, _>>().ok();
                found.filter(|certificates| !certificates.is_empty())
            }
        })?;
        Ok(Self { exempt: exempt.into_iter().collect(), provider_hosts, authorities })
    }
}

impl Hosts {
    pub fn contains(&self, host: &str, port: u16) -> bool {
        !self.0.is_empty() && self.0.contains(&(bare(host), port))
    }
}

impl FromIterator<(String, u16)> for Hosts {
    fn from_iter<T: IntoIterator<Item = (String, u16)>>(hosts: T) -> Self {
        Self(Arc::new(hosts.into_iter().map(|(host, port)| (bare(&host), port)).collect()))
    }
}

/// A host as it is compared: without the brackets that an IPv6 address has in a URL.
fn bare(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_lowercase()
}

/// A host, at 443 unless it says another port.
fn as_host(text: &str) -> Option<(String, u16)> {
    let uri: Uri = format!("https://{text}").parse().ok()?;
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('@');
    is_bare.then(|| Some((uri.host()?.to_owned(), uri.port_u16().unwrap_or(443)))).flatten()
}

/// Host and port of an https URL.
fn host_of(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    Some((uri.host()?.to_owned(), uri.port_u16().unwrap_or(443)))
}
