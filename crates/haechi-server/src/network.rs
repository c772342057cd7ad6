//! A network of IP addresses, as written in configuration: `10.0.0.0/8`, `2001:db8::/32`, `127.0.0.1`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An IP address and the length of the prefix that all addresses of the network share.
///
/// IPv4-mapped IPv6 addresses count as IPv4 everywhere, so that one client cannot be two.
///
/// # Examples
///
/// ```
/// use haechi_server::Network;
///
/// let private: Network = "10.0.0.0/8".parse()?;
/// assert!(private.contains("10.1.2.3".parse().unwrap()));
/// assert!(private.contains("::ffff:10.1.2.3".parse().unwrap()));
/// assert!(!private.contains("11.0.0.1".parse().unwrap()));
/// # Ok::<(), haechi_server::ParseNetworkError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Returns the network that counts as one client: the address itself (IPv4), or its /64 (IPv6), which is
    /// what one customer of a provider holds at the least.
    pub fn of_client(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { 64 };
        Self { address: masked(address, prefix), prefix }
    }

    /// Returns whether the address lies in this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why| ParseNetworkError { text: text.to_owned(), why };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr =
            address.parse().map_err(|_| wrong("the part before the / is not an IP address"))?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|prefix| *prefix <= longest && digits.bytes().all(|digit| digit.is_ascii_digit()))
                .ok_or_else(|| wrong("the prefix length is a number up to 32 (IPv4) or 128 (IPv6)"))?,
            None => longest,
        };
        if masked(address, prefix) != address {
            return Err(wrong("the address has bits set beyond its prefix; did you mean a longer prefix?"));
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A network that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid network {text:?}: {why}; write \"10.0.0.0/8\", \"2001:db8::/32\" or a single address")]
pub struct ParseNetworkError {
    text: String,
    why: &'static str,
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(network: &str, address: &str, expected: bool) {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), expected, "{address} in {network}");
    }

    #[test]
    fn an_address_is_in_the_networks_that_share_its_prefix() {
        check("10.0.0.0/8", "10.255.255.255", true);
        check("10.0.0.0/8", "11.0.0.0", false);
        check("10.0.0.0/8", "::ffff:10.0.0.1", true);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("2001:db8::/32", "2001:db8:ffff::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("::1", "::1", true);
        check("::/0", "10.0.0.1", false);
    }

    #[track_caller]
    fn check_client(one: &str, other: &str, same: bool) {
        let of = |address: &str| Network::of_client(address.parse().unwrap());
        assert_eq!(of(one) == of(other), same, "{one} and {other}");
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_64() {
        check_client("203.0.113.1", "203.0.113.1", true);
        check_client("203.0.113.1", "203.0.113.2", false);
        check_client("203.0.113.1", "::ffff:203.0.113.1", true);
        check_client("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true);
        check_client("2001:db8::1", "2001:db8:0:1::1", false);
    }

    #[track_caller]
    fn check_refused(text: &str, why: &str) {
        let error = text.parse::<Network>().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn what_is_not_a_network_is_refused_with_the_reason() {
        check_refused("10.0.0.1/8", "beyond its prefix");
        check_refused("10.0.0.0/33", "up to 32");
        check_refused("10.0.0.0/", "up to 32");
        check_refused("10.0.0.0/+8", "up to 32");
        check_refused("::/129", "128 (IPv6)");
        check_refused("localhost", "not an IP address");
        check_refused("", "not an IP address");
    }
}
