//! The name a site is called by: a host and perhaps a port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::{Error, ErrorKind, Quoted};

/// A host as it stands in a `Host` field: a name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
///
/// Narrower than RFC 3986, which lets nearly any byte through: letters, digits, `-` and `.` as browsers send them. Lower-cased, so that
/// equal hosts are equal values.
///
/// # Examples
///
/// ```
/// use haechi_core::HostName;
///
/// let host = HostName::parse("Example.org:8443")?;
/// assert_eq!((host.name(), host.port()), ("example.org", Some(8443)));
/// assert!(HostName::parse("user@example.org").is_err());
/// # Ok::<(), haechi_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName {
    name: Box<str>,
    port: Option<u16>,
}

impl HostName {
    /// Reads `name`, `name:port`, `192.0.2.1:port` or `[2001:db8::1]:port`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidHost`], with what does not fit.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid =
            |why: &str| Error::new(ErrorKind::InvalidHost, format!("invalid host {}: {why}", Quoted(text)));
        let (name, port) = split_port(text).map_err(invalid)?;
        let port = port.map(parse_port).transpose().map_err(invalid)?;
        let name = match name.strip_prefix('[') {
            Some(rest) => ipv6(rest),
            None => registered_name(name),
        };
        Ok(Self { name: name.map_err(invalid)?, port })
    }

    /// Returns the host without its port, in lower case; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the port, if one was named.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns the same host with another port or none.
    #[must_use]
    pub fn with_port(self, port: Option<u16>) -> Self {
        Self { port, ..self }
    }

    /// Returns the address, if the host is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.name.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => self.name.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        }
    }

    /// Tells whether the host can only be this machine: `localhost`, a name under it, `127.0.0.0/8` or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        &*self.name == "localhost"
            || self.name.ends_with(".localhost")
            || self.address().is_some_and(|address| address.is_loopback())
    }
}

impl FromStr for HostName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

type Why = &'static str;

/// Splits at the colon of the port, which for an IPv6 address is the one behind the bracket.
fn split_port(text: &str) -> Result<(&str, Option<&str>), Why> {
    if let Some(rest) = text.strip_prefix('[') {
        let close = rest.find(']').ok_or("the bracket of the IPv6 address is not closed")? + 2;
        return match &text[close..] {
            "" => Ok((text, None)),
            port => match port.strip_prefix(':') {
                Some(port) => Ok((&text[..close], Some(port))),
                None => Err("only a port may follow the bracket"),
            },
        };
    }
    Ok(match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    })
}

fn parse_port(port: &str) -> Result<u16, Why> {
    let digits = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = if digits { port.parse().ok() } else { None };
    port.ok_or("the port has to be a number from 0 to 65535")
}

fn ipv6(rest: &str) -> Result<Box<str>, Why> {
    let inner = rest.strip_suffix(']').ok_or("the bracket of the IPv6 address is not closed")?;
    let address: Ipv6Addr = inner.parse().map_err(|_| "what stands in brackets is not an IPv6 address")?;
    // Written anew: `[0:0::1]` and `[::1]` are one host.
    Ok(format!("[{address}]").into_boxed_str())
}

fn registered_name(name: &str) -> Result<Box<str>, Why> {
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.len() > 253 {
        return Err("a name has at most 253 characters");
    }
    for label in name.split('.') {
        if label.is_empty() || label.len() > 63 {
            return Err("each part between dots has 1 to 63 characters");
        }
        if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err("only letters, digits, `-`, `.` and a port may stand in it");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("no part may begin or end with `-`");
        }
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    // Browsers read `127.1`, `0x7f.0.0.1` and `2130706433` as addresses: what ends in a number is four of them or nothing.
    let numeric =
        last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
    if numeric && name.parse::<Ipv4Addr>().is_err() {
        return Err("what ends in a number has to be an IPv4 address of four numbers");
    }
    Ok(name.to_ascii_lowercase().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_browsers_send_them() {
        #[track_caller]
        fn check(text: &str, name: &str, port: Option<u16>) {
            let host = HostName::parse(text).unwrap();
            assert_eq!((host.name(), host.port()), (name, port));
        }
        check("example.org", "example.org", None);
        check("EXAMPLE.Org:80", "example.org", Some(80));
        check("localhost:8888", "localhost", Some(8888));
        check("xn--9t4b11yi5a.example", "xn--9t4b11yi5a.example", None);
        check("a-b.example:0", "a-b.example", Some(0));
        check("example.org:65535", "example.org", Some(65535));
        check("127.0.0.1:1", "127.0.0.1", Some(1));
        check("[::1]", "[::1]", None);
        check("[0:0:0:0:0:0:0:1]:443", "[::1]", Some(443));
        check("[2001:DB8::1]", "[2001:db8::1]", None);
        check("1e100.net", "1e100.net", None);
        check("4chan.example", "4chan.example", None);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in NO_HOSTS {
            let error = HostName::parse(text).map(|host| host.to_string()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidHost, "{text}");
        }
        assert!(HostName::parse(&format!("{}.org", "a".repeat(63))).is_ok());
        assert!(HostName::parse(&format!("{}.org", "a".repeat(64))).is_err());
        assert!(HostName::parse(&format!("{}a", "a.".repeat(126))).is_ok(), "253 characters");
        assert!(HostName::parse(&format!("{}aa", "a.".repeat(126))).is_err());
        assert!(HostName::parse(&"9".repeat(100_000)).unwrap_err().to_string().len() < 250);
    }

    #[test]
    fn loopback_is_only_this_machine() {
        for (text, expected) in [
            ("localhost", true),
            ("LOCALHOST:80", true),
            ("board.localhost:8888", true),
            ("127.0.0.1", true),
            ("127.9.9.9:1", true),
            ("[::1]:8888", true),
            ("localhost.example.org", false),
            ("notlocalhost", false),
            ("127.0.0.1.example.org", false),
            ("[::2]", false),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
        ] {
            assert_eq!(HostName::parse(text).unwrap().is_loopback(), expected, "{text}");
        }
    }

    #[test]
    fn a_refusal_teaches() {
        assert_eq!(
            HostName::parse("user@example.org\r\n").unwrap_err().to_string(),
            r#"invalid host "user@example.org\r\n": only letters, digits, `-`, `.` and a port may stand in it"#
        );
    }

    const NO_HOSTS: &[&str] = &[
        "",
        " ",
        "a b",
        "u@h",
        "u:p@h",
        "a,b",
        "[::1",
        "::1",
        "[]",
        "[::1]x",
        "[::1]:",
        "[127.0.0.1]",
        "[::1%25eth0]",
        "[v1.x]",
        "h:abc",
        "h:",
        "h:-1",
        "h:+1",
        "h:65536",
        "h:000080",
        "h:80:80",
        ":80",
        "<script>",
        "a/b",
        "a\\b",
        "a?b",
        "a#b",
        "a%2eb",
        "a_b",
        "a..b",
        ".a",
        "a.",
        "-a.org",
        "a-.org",
        "a\tb",
        "a\nb",
        "a\0",
        "é.org",
        "例え.jp",
        "127.1",
        "0x7f.1",
        "2130706433",
        "1.2.3.4.5",
        "256.0.0.1",
        "01.2.3.4",
        "example.0x10",
        "http://h",
        "*",
        "*.h",
        "$(id)",
        "'",
        "a;b",
        "a|b",
    ];
}
