//! What strangers name.

use url::{Host, Url};

use super::public::is_public;
use crate::config::Hosts;

/// The port of https.
pub(super) const HTTPS: u16 = 443;

/// An address that a stranger named: https at its usual port, unless the host is exempt, for nobody in particular.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrangersUrl(Url);

impl StrangersUrl {
    pub(super) fn parse(text: &str, exempt: &Hosts) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let host = url.host()?;
        let port = url.port_or_known_default()?;
        let may_be = exempt.contains(&host.to_string(), port)
            || port == HTTPS
                && match host {
                    Host::Domain(_) => true,
                    Host::Ipv4(address) => is_public(address.into()),
                    Host::Ipv6(address) => is_public(address.into()),
                };
        let is_bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        (url.scheme() == "https" && is_bare && may_be).then_some(Self(url))
    }

    /// As it is asked, in the one form that all spellings have.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port, as browsers write it.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The name of the host.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_could_be_a_public_service_is_taken() {
        let exempt: Hosts = [("push.lan".to_owned(), 8443), ("10.0.0.7".to_owned(), 443)].into_iter().collect();
        for (text, expected) in [
            ("https://push.example.org/send/abc", true),
            ("https://push.example.org:443/send/abc", true),
            ("https://PUSH.example.org/send/abc?a=b", true),
            ("https://push.lan:8443/abc", true),
            ("https://10.0.0.7/abc", true),
            ("https://9.9.9.9/abc", true),
            ("https://[2620:fe::fe]/abc", true),
            ("http://push.example.org/send/abc", false),
            ("https://push.example.org:8443/send/abc", false),
            ("https://push.lan:8444/abc", false),
            ("https://user@push.example.org/send/abc", false),
            ("https://:secret@push.example.org/send/abc", false),
            ("https://push.example.org/send/abc#there", false),
            ("https://127.0.0.1/abc", false),
            ("https://2130706433/abc", false),
            ("https://0x7f.1/abc", false),
            ("https://[::1]/abc", false),
            ("https://10.0.0.8/abc", false),
            ("//push.example.org/abc", false),
            ("push.example.org", false),
            ("file:///etc/passwd", false),
            ("gopher://push.example.org:443/abc", false),
            ("https://", false),
            ("", false),
        ] {
            assert_eq!(StrangersUrl::parse(text, &exempt).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn all_spellings_of_one_address_are_one() {
        let parse = |text| StrangersUrl::parse(text, &Hosts::default()).unwrap();
        assert_eq!(parse("https://Push.Example.org:443/a/../b"), parse("https://push.example.org/b"));
        assert_eq!(parse("https://push.example.org:443/b").origin(), "https://push.example.org");
    }
}
