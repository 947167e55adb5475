//! Where connections to hosts that strangers name come from.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tower::{Service, service_fn};

use super::public::is_public;
use super::stranger::HTTPS;
use crate::config::Hosts;

/// How long one of several addresses may take before the next one is tried.
const ONE_ADDRESS: Duration = Duration::from_secs(3);

/// Lets through what is on the public internet, and those hosts that are exempt.
pub(super) fn of(
    exempt: Hosts,
) -> impl Service<Uri, Response = TokioIo<TcpStream>, Error = io::Error, Future: Send> + Clone + Send + Sync + 'static {
    service_fn(move |to: Uri| {
        let exempt = exempt.clone();
        async move { connect(&to, &exempt).await.map(TokioIo::new) }
    })
}

async fn connect(to: &Uri, exempt: &Hosts) -> io::Result<TcpStream> {
    let host = to.host().ok_or_else(forbidden)?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = to.port_u16().unwrap_or(HTTPS);
    // Once: a name that leads elsewhere the next time it is asked for leads nowhere here. Numbers in all spellings, as
    // 0x7f.1 or 2130706433, come out as the addresses that they are.
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    if !exempt.contains(host, port) {
        look(&addresses, port)?;
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        match tokio::time::timeout(ONE_ADDRESS, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// A host one of whose addresses is not public is refused as a whole: there is no honest reason for it.
fn look(addresses: &[SocketAddr], port: u16) -> io::Result<()> {
    let may = port == HTTPS && addresses.iter().all(|address| is_public(address.ip()));
    may.then_some(()).ok_or_else(forbidden)
}

fn forbidden() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "not on the public internet")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn reached(to: &str, exempt: &[(&str, u16)]) -> io::Result<TcpStream> {
        let exempt = exempt.iter().map(|&(host, port)| (host.to_owned(), port)).collect();
        connect(&to.parse().unwrap(), &exempt).await
    }

    #[tokio::test]
    async fn what_is_not_public_is_refused_however_it_is_spelled() {
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "0",
            "10.0.0.1",
            "169.254.169.254",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::127.0.0.1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fd00::1]",
        ] {
            let error = reached(&format!("https://{host}/"), &[]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{host}: {error}");
        }
        // Where it leads anywhere: not every resolver knows it with the dot.
        assert!(reached("https://localhost./", &[]).await.is_err());
    }

    #[test]
    fn one_private_address_among_public_ones_is_enough_to_refuse() {
        let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), HTTPS);
        assert!(look(&[at("9.9.9.9"), at("2620:fe::fe")], HTTPS).is_ok());
        assert!(look(&[at("9.9.9.9"), at("192.168.0.1")], HTTPS).is_err());
        assert!(look(&[at("9.9.9.9"), at("::ffff:9.9.9.9")], HTTPS).is_err());
        assert!(look(&[at("9.9.9.9")], 5432).is_err());
    }

    #[tokio::test]
    async fn an_exempt_host_is_exempt_at_its_port_alone() {
        let there = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = there.local_addr().unwrap().port();
        let to = format!("https://127.0.0.1:{port}/");
        assert!(reached(&to, &[("127.0.0.1", port)]).await.is_ok());
        for exempt in [("127.0.0.1", port - 1), ("127.0.0.2", port), ("localhost", port)] {
            let error = reached(&to, &[exempt]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{exempt:?}");
        }
    }
}
