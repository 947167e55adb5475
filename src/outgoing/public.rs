//! Which addresses are public: those that the whole internet reaches.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{Ipv4Net, Ipv6Net};

/// Whether an address is one that everybody reaches. What only might be is none.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|block| block.contains(&address)),
        // A network without IPv4 reaches it by addresses that hold one.
        IpAddr::V6(address) if NAT64.contains(&address) => is_public(IpAddr::V4(last_bits(address))),
        IpAddr::V6(address) => GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|block| block.contains(&address)),
    }
}

/// What of IPv4 is not globally reachable: <https://www.iana.org/assignments/iana-ipv4-special-registry>, without the few
/// addresses within these blocks that are; and multicast.
static SPECIAL_V4: LazyLock<[Ipv4Net; 16]> = LazyLock::new(|| {
    [
        "0.0.0.0/8",       // this network
        "10.0.0.0/8",      // private
        "100.64.0.0/10",   // shared by a provider's customers
        "127.0.0.0/8",     // loopback
        "169.254.0.0/16",  // link-local; clouds keep secrets here
        "172.16.0.0/12",   // private
        "192.0.0.0/24",    // protocols of the IETF
        "192.0.2.0/24",    // documentation
        "192.88.99.0/24",  // 6to4 relays, given up
        "192.168.0.0/16",  // private
        "198.18.0.0/15",   // benchmarks
        "198.51.100.0/24", // documentation
        "203.0.113.0/24",  // documentation
        "224.0.0.0/4",     // multicast
        "240.0.0.0/4",     // reserved
        "255.255.255.255/32",
    ]
    .map(|block| block.parse().expect("a block as it is written"))
});

/// What IPv6 gives to hosts. Loopback, link-local, unique-local, mapped IPv4 and multicast are outside of it.
static GLOBAL_V6: LazyLock<Ipv6Net> = LazyLock::new(|| "2000::/3".parse().expect("a block as it is written"));

/// What of that is not globally reachable: <https://www.iana.org/assignments/iana-ipv6-special-registry>, likewise.
static SPECIAL_V6: LazyLock<[Ipv6Net; 4]> = LazyLock::new(|| {
    [
        "2001::/23",     // protocols of the IETF; Teredo, which holds IPv4
        "2001:db8::/32", // documentation
        "2002::/16",     // 6to4, which holds IPv4
        "3fff::/20",     // documentation
    ]
    .map(|block| block.parse().expect("a block as it is written"))
});

/// IPv4 as networks of IPv6 alone reach it (RFC 6052).
static NAT64: LazyLock<Ipv6Net> = LazyLock::new(|| "64:ff9b::/96".parse().expect("a block as it is written"));

fn last_bits(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_begin_and_end_where_the_registries_say() {
        for (address, expected) in [
            ("0.255.255.255", false),
            ("1.1.1.1", true),
            ("9.255.255.255", true),
            ("10.0.0.0", false),
            ("10.255.255.255", false),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("127.255.255.255", false),
            ("169.254.169.254", false),
            ("172.15.255.255", true),
            ("172.16.0.0", false),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("192.0.0.170", false),
            ("192.0.2.1", false),
            ("192.168.255.255", false),
            ("198.19.255.255", false),
            ("198.20.0.0", true),
            ("203.0.113.255", false),
            ("223.255.255.255", true),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:8.8.8.8", false),
            ("::8.8.8.8", false),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::169.254.169.254", false),
            ("64:ff9b:1::8.8.8.8", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:1ff:ffff::1", false),
            ("2001:200::1", true),
            ("2001:db8::1", false),
            ("2002:808:808::1", false),
            ("2606:4700:4700::1111", true),
            ("3ffe::1", true),
            ("3fff:fff::1", false),
            ("4000::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fd12:3456:789a::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }
}
