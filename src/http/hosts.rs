//! Who may speak to this server, judged by what a browser cannot forge: `Host`, and `Origin` where there is one.

use std::collections::HashSet;
use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use ipnet::IpNet;

use crate::config;
use crate::context::Origin;

/// Headers that only a proxy adds.
const FORWARDING: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// The names by which this server is reached, and the pages that may use it.
pub struct Hosts {
    listen: IpAddr,
    public: Option<Authority>,
    origins: HashSet<String>,
    proxies: Vec<IpNet>,
}

impl Hosts {
    pub fn new(config: &config::Http) -> Self {
        let public = config.public_url.parse::<Uri>().ok().and_then(|url| url.authority().cloned());
        let origins = config.cors_origins.iter().chain([&config.public_url]).cloned().collect();
        Self { listen: config.listen.ip(), public, origins, proxies: config.trusted_proxies.clone() }
    }

    /// Whether a request is meant for this server. A page whose name is rebound to our address sends its own name here:
    /// to it we are another server. An address cannot be rebound.
    pub fn is_ours(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(host) = host(headers) else { return false };
        // A request to a proxy names the host in its first line, too.
        self.knows(host.host()) && uri.host().is_none_or(|named| self.knows(named))
    }

    fn knows(&self, name: &str) -> bool {
        let is_public = self.public.as_ref().is_some_and(|public| public.host().eq_ignore_ascii_case(name));
        let is_listen = as_ip(name).is_some_and(|ip| self.listen.is_unspecified() || ip == self.listen);
        is_public || is_listen || is_loopback(name)
    }

    /// Whether a page of this origin may use the server: its own pages, those configured, and on a developer's machine
    /// whatever runs there.
    pub fn allows(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        self.origins.contains(&origin.to_lowercase())
            || host(headers).is_some_and(|host| host == authority)
            || (self.listen.is_loopback() && scheme == "http" && is_loopback(authority.host()))
    }

    /// From where a request of this peer comes. Only proxies that are configured are believed: anybody can say that they
    /// forward for somebody else, and would be nobody's to limit.
    pub fn origin_of(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let peer = peer.to_canonical();
        let is_forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
        let is_local =
            peer.is_loopback() && !is_forwarded && host(headers).is_some_and(|host| is_loopback(host.host()));
        let is_proxy = |address: &IpAddr| self.proxies.iter().any(|proxies| proxies.contains(address));
        let mut client = peer;
        let mut before = forwarded(headers);
        while is_proxy(&client)
            && let Some(address) = before.next()
        {
            client = address;
        }
        Origin { address: Some(client), is_local }
    }
}

/// Who stands before whom, from the last proxy to the first: each has added the address that it saw. What cannot be read
/// ends it, as nobody knows who wrote the rest.
fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = IpAddr> {
    let values = headers.get_all("x-forwarded-for").iter().rev().filter_map(|value| value.to_str().ok());
    let addresses = values.flat_map(|value| value.rsplit(',')).map(|address| as_ip(address.trim()));
    addresses.map_while(|address| address.map(|address| address.to_canonical()))
}

/// The one `Host`.
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut all = headers.get_all(header::HOST).iter();
    let host = all.next()?.to_str().ok()?.parse().ok();
    host.filter(|_| all.next().is_none())
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]")
}

fn as_ip(name: &str) -> Option<IpAddr> {
    name.trim_matches(['[', ']']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listen: &str, public_url: &str) -> Hosts {
        Hosts::new(&config::Http {
            listen: listen.parse().unwrap(),
            public_url: public_url.into(),
            cors_origins: vec!["https://app.example.org".into()],
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
            graphiql: config::Graphiql::Off,
        })
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn is_ours(hosts: &Hosts, host: &str) -> bool {
        hosts.is_ours(&Uri::from_static("/graphql"), &headers(&[("host", host)]))
    }

    #[test]
    fn a_name_that_was_rebound_to_our_address_is_not_ours() {
        let local = hosts("127.0.0.1:8080", "http://localhost:8080");
        for ours in ["localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"] {
            assert!(is_ours(&local, ours), "{ours}");
        }
        for not_ours in ["evil.example:8080", "localhost.evil.example", "10.0.0.1", "", "a@localhost@b"] {
            assert!(!is_ours(&local, not_ours), "{not_ours}");
        }
        let public = hosts("0.0.0.0:80", "https://chat.example.org");
        for ours in ["chat.example.org", "chat.example.org:8443", "10.0.0.1", "[fd00::1]:80", "localhost"] {
            assert!(is_ours(&public, ours), "{ours}");
        }
        assert!(!is_ours(&public, "example.org"));
    }

    #[test]
    fn a_name_in_the_first_line_counts_too() {
        let local = hosts("127.0.0.1:8080", "http://localhost:8080");
        let localhost = headers(&[("host", "localhost")]);
        assert!(!local.is_ours(&Uri::from_static("http://evil.example/graphql"), &localhost));
        assert!(local.is_ours(&Uri::from_static("http://localhost/graphql"), &localhost));
    }

    #[test]
    fn foreign_pages_are_kept_out() {
        let local = hosts("127.0.0.1:8080", "http://localhost:8080");
        let public = hosts("0.0.0.0:80", "https://chat.example.org");
        let own = headers(&[("host", "192.168.0.5:80")]);
        let allows = |hosts: &Hosts, origin: &str| hosts.allows(&origin.parse().unwrap(), &own);
        for allowed in ["https://app.example.org", "http://localhost:3000", "http://127.0.0.1:5173"] {
            assert!(allows(&local, allowed), "{allowed}");
        }
        for allowed in ["https://app.example.org", "https://chat.example.org", "http://192.168.0.5:80"] {
            assert!(allows(&public, allowed), "{allowed}");
        }
        for foreign in ["null", "http://evil.example", "http://localhost:3000", "http://chat.example.org"] {
            assert!(!allows(&public, foreign), "{foreign}");
        }
    }

    #[test]
    fn only_what_certainly_comes_from_this_machine_is_local() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let hosts = hosts("127.0.0.1:8080", "http://localhost:8080");
        let local =
            |peer: &str, pairs: &[(&'static str, &str)]| hosts.origin_of(peer.parse().unwrap(), &headers(pairs));
        assert!(local("127.0.0.1", &[("host", "localhost:8080")]).is_local);
        assert!(local("::1", &[("host", "[::1]:8080")]).is_local);
        assert!(!local("10.0.0.1", &[("host", "localhost")]).is_local);
        assert!(!local("127.0.0.1", &[("host", "chat.example.org")]).is_local);
        let proxied = local("127.0.0.1", &[("host", "localhost"), ("x-forwarded-for", "9.9.9.9, 10.0.0.9")]);
        assert!(!proxied.is_local);
        assert_eq!(proxied.address, "9.9.9.9".parse().ok(), "through two proxies");
        // What stands before that is whatever the client says.
        let lying = local("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, 9.9.9.9"), ("x-forwarded-for", "10.0.0.2")]);
        assert_eq!(lying.address, "9.9.9.9".parse().ok());
        // And nobody else is believed.
        let lying = local("9.9.9.9", &[("host", "localhost"), ("x-forwarded-for", "1.1.1.1")]);
        assert_eq!(lying.address, "9.9.9.9".parse().ok());
        let nonsense = local("127.0.0.1", &[("x-forwarded-for", "1.1.1.1, nonsense")]);
        assert_eq!(nonsense.address, Some(loopback));
        let v6 = local("127.0.0.1", &[("x-forwarded-for", "[2001:db8::1]")]);
        assert_eq!(v6.address, "2001:db8::1".parse().ok());
        assert_eq!(local("::ffff:127.0.0.1", &[("host", "localhost")]).address, Some(loopback));
    }
}
