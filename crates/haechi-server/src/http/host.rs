//! The strict reading of `Host` and `:authority`.

use std::net::Ipv6Addr;

/// Returns the host of an authority, without its port; `None` if it is not one.
///
/// RFC 3986 allows much more in a registered name (`!`, `;`, percent-encoded bytes); no DNS name has it, and links made
/// from such a `Host` are how cache and reset-mail poisoning begin.
pub(super) fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (&authority[..address.len() + 2], port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(end);
            is_name(host).then_some((host, port))?
        }
    };
    is_port(port).then_some(host)
}

fn is_name(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=253).contains(&host.len())
        && host.bytes().all(allowed)
        && !host.starts_with('.')
        && !host.contains("..")
}

fn is_port(port: &str) -> bool {
    match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(authority: &str, expected: Option<&str>) {
        assert_eq!(host_of(authority), expected, "{authority:?}");
    }

    #[test]
    fn hosts_are_names_and_addresses_with_a_port_or_none() {
        check("example.org", Some("example.org"));
        check("Example.ORG:8080", Some("Example.ORG"));
        check("example.org.", Some("example.org."));
        check("my_app-1.local", Some("my_app-1.local"));
        check("127.0.0.1:65535", Some("127.0.0.1"));
        check("[::1]", Some("[::1]"));
        check("[2001:db8::1]:443", Some("[2001:db8::1]"));
    }

    #[test]
    fn everything_else_is_no_host() {
        for authority in [
            "",
            ":80",
            "a b",
            "u@h",
            "u:p@h",
            "a,b",
            "a;b",
            "[::1",
            "::1",
            "[]",
            "[::1]x",
            "[::1]:",
            "[::1]:x",
            "[v1.x]",
            "[fe80::1%25eth0]",
            "h:abc",
            "h:",
            "h:65536",
            "h:-1",
            "h:+1",
            "h:80:80",
            "<script>",
            "h/",
            "h/x",
            "h?x",
            "h#x",
            "h%41",
            "h\\x",
            "h'",
            "h\"",
            ".",
            ".h",
            "h..x",
            "hé",
            "*",
        ] {
            check(authority, None);
        }
        check(&"a".repeat(254), None);
    }
}
