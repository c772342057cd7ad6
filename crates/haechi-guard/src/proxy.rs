//! Believes forwarding fields from named proxies and from nobody else.

use std::net::IpAddr;
use std::str::FromStr;

use haechi_core::{ClientIp, ClientIpSource, Denial, Error, ErrorKind, HostName, Quoted, Resolved, Scheme};
use http::header::{FORWARDED, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, StatusCode, Uri, Version};

/// The proxies in front of this site, by network.
///
/// # Security
///
/// A client that is no named proxy cannot choose its address, scheme or host: its `Forwarded` and `X-Forwarded-*` fields are taken out before
/// anything reads them. Behind named proxies the client is the rightmost address that is no named proxy, since whatever stands left of it was
/// told by that client. A named proxy has to overwrite or append to the fields; one that passes a client's own
/// `X-Forwarded-Proto` or `-Host` through lets that client choose them, so those two have to be set by the proxy.
///
/// # Examples
///
/// ```
/// use haechi_guard::Proxies;
///
/// let proxies = Proxies::new(["10.0.0.0/8", "2001:db8::1"])?;
/// # Ok::<(), haechi_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    networks: Vec<Network>,
    unix_socket: Trust,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Trust {
    #[default]
    Nobody,
    Peer,
}

/// A network in the form `address/prefix`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: u128,
    mask: u128,
}

impl Proxies {
    /// Names the proxies by address or network.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidNetwork`], also for a network of everybody.
    pub fn new<I>(networks: I) -> Result<Self, Error>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let networks =
            networks.into_iter().map(|network| network.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(Self { networks, unix_socket: Trust::Nobody })
    }

    /// Believes whoever can reach our Unix socket, which only its file's permissions decide.
    #[must_use]
    pub fn and_unix_socket(mut self) -> Self {
        self.unix_socket = Trust::Peer;
        self
    }

    /// Returns client, scheme and host of a request, and takes out of it every forwarding field that a stranger sent.
    ///
    /// # Errors
    ///
    /// A [`Denial`] for a named proxy whose fields cannot be read, or contradict each other: guessing would be believing somebody else.
    pub fn resolve(
        &self,
        (socket, scheme): (ClientIp, Scheme),
        parts: &mut Parts,
    ) -> Result<Resolved, Denial> {
        let host = host_of(&parts.headers, &parts.uri, parts.version);
        if !self.names(socket) {
            FIELDS.iter().for_each(|field| drop(parts.headers.remove(field)));
            return Ok(Resolved { client: socket, scheme, host });
        }
        let told = Told::read(&parts.headers)?;
        let client = self.client(socket, &told.hops)?;
        let host = match told.host {
            Some(text) => Some(HostName::parse(&text).map_err(|_| malformed("host", &text))?),
            None => host,
        };
        Ok(Resolved { client, scheme: told.scheme.unwrap_or(scheme), host })
    }

    fn names(&self, peer: ClientIp) -> bool {
        peer.address().map_or(self.unix_socket == Trust::Peer, |address| self.contains(address))
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Walks from our side to the first hop that is no named proxy.
    fn client(&self, socket: ClientIp, hops: &[String]) -> Result<ClientIp, Denial> {
        let mut client = socket;
        for hop in hops.iter().rev() {
            let address = hop_address(hop).ok_or_else(|| malformed("for", hop))?;
            client = ClientIp::new(address, ClientIpSource::Forwarded);
            if !self.contains(address) {
                break;
            }
        }
        Ok(client)
    }
}

impl Network {
    /// Tells whether an address is in the network; IPv4 addresses written as IPv6 count as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        bits(address) & self.mask == self.address
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid =
            |why| Error::new(ErrorKind::InvalidNetwork, format!("invalid network {}: {why}", Quoted(text)));
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr =
            address.parse().map_err(|_| invalid("write an address, or address/prefix as in 10.0.0.0/8"))?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = match prefix {
            None => width,
            Some(prefix) => prefix
                .parse::<u32>()
                .ok()
                .filter(|&length| length <= width)
                .ok_or_else(|| invalid("the prefix is too long"))?,
        };
        if length == 0 {
            return Err(invalid(
                "it holds everybody, so everybody could choose an address: name the proxies",
            ));
        }
        let mask = u128::MAX << (width - length);
        let address = bits(address);
        if address & mask != address {
            return Err(invalid("bits are set behind the prefix; write the network's first address"));
        }
        Ok(Self { address, mask })
    }
}

/// What a named proxy told, in the order of the hops.
#[derive(Debug, Default)]
struct Told {
    hops: Vec<String>,
    scheme: Option<Scheme>,
    host: Option<String>,
}

impl Told {
    /// Reads `Forwarded` or the `X-Forwarded-*` fields; with both, somebody else's would be believed, so that is refused.
    fn read(headers: &HeaderMap) -> Result<Self, Denial> {
        let standard = headers.contains_key(FORWARDED);
        if standard && FIELDS.iter().any(|field| *field != FORWARDED && headers.contains_key(field)) {
            return Err(denied("two-kinds").detail("Forwarded and X-Forwarded-*"));
        }
        let told = if standard { Self::standard(headers)? } else { Self::customary(headers)? };
        if told.hops.len() > MOST_HOPS {
            return Err(denied("many-hops"));
        }
        Ok(told)
    }

    fn customary(headers: &HeaderMap) -> Result<Self, Denial> {
        let hops = elements(headers, &X_FORWARDED_FOR, ',')?;
        let scheme = match only(headers, &X_FORWARDED_PROTO)? {
            Some(text) => Some(scheme_of(&text)?),
            None => None,
        };
        Ok(Self { hops, scheme, host: only(headers, &X_FORWARDED_HOST)? })
    }

    /// RFC 7239: `for=…;proto=…;host=…` for each hop. Scheme and host are those of the last element, which our own proxy wrote.
    fn standard(headers: &HeaderMap) -> Result<Self, Denial> {
        let mut told = Self::default();
        for element in elements(headers, &FORWARDED, ',')? {
            (told.scheme, told.host) = (None, None);
            let mut hop = None;
            for pair in split_outside_quotes(&element, ';').ok_or_else(|| malformed("forwarded", &element))? {
                let (name, value) = pair.split_once('=').ok_or_else(|| malformed("forwarded", pair))?;
                let value = unquoted(value).ok_or_else(|| malformed("forwarded", pair))?;
                let seen_before = match name.to_ascii_lowercase().as_str() {
                    "for" => hop.replace(value).is_some(),
                    "proto" => told.scheme.replace(scheme_of(&value)?).is_some(),
                    "host" => told.host.replace(value).is_some(),
                    _ => false,
                };
                if seen_before {
                    return Err(malformed("forwarded", &element));
                }
            }
            told.hops.extend(hop);
        }
        Ok(told)
    }
}

/// Joins the fields of a name and splits them into trimmed elements, none of them empty.
fn elements(headers: &HeaderMap, name: &HeaderName, separator: char) -> Result<Vec<String>, Denial> {
    let mut elements = Vec::new();
    for field in headers.get_all(name) {
        let text = field.to_str().map_err(|_| denied("not-ascii"))?;
        let parts = split_outside_quotes(text, separator).ok_or_else(|| malformed("list", text))?;
        if parts.iter().any(|part| part.is_empty()) {
            return Err(malformed("list", text));
        }
        elements.extend(parts.into_iter().map(str::to_owned));
    }
    Ok(elements)
}

/// Reads a field that our proxy sets, which therefore has one value: of two, one is the client's.
fn only(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Denial> {
    let mut values = elements(headers, name, ',')?;
    match values.len() {
        0 | 1 => Ok(values.pop()),
        _ => Err(denied("two-values").detail(values.join(", "))),
    }
}

/// `None` for a quote that is not closed, and for a backslash: what it escapes stands in no address and in no host.
fn split_outside_quotes(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut quoted = false;
    let parts = text.split(|character| {
        quoted ^= character == '"';
        character == separator && !quoted
    });
    let parts = parts.map(|part| part.trim_matches([' ', '\t'])).collect();
    (!quoted && !text.contains('\\')).then_some(parts)
}

fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains('"') && !value.is_empty()).then(|| value.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    (!inner.contains('"')).then(|| inner.to_owned())
}

fn scheme_of(text: &str) -> Result<Scheme, Denial> {
    match text.to_ascii_lowercase().as_str() {
        "https" => Ok(Scheme::Https),
        "http" => Ok(Scheme::Http),
        _ => Err(malformed("proto", text)),
    }
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; `unknown` and `_hidden` are no addresses.
fn hop_address(hop: &str) -> Option<IpAddr> {
    if let Ok(address) = hop.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    HostName::parse(hop).ok()?.address().map(|address| address.to_canonical())
}

/// Returns the one host that field and target agree on.
pub(crate) fn host_of(headers: &HeaderMap, uri: &Uri, version: Version) -> Option<HostName> {
    let mut fields = headers.get_all(HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (None, _) => None,
        (Some(field), None) => Some(HostName::parse(field.to_str().ok()?).ok()?),
        (Some(_), Some(_)) => return None,
    };
    let target = match uri.authority() {
        None => None,
        Some(authority) => Some(HostName::parse(authority.as_str()).ok()?),
    };
    match (field, target) {
        (Some(field), None) => Some(field),
        // RFC 9113 §8.3.1: HTTP/2 has `:authority` instead; RFC 9112 §3.2 asks for the field even beside an absolute target.
        (None, Some(target)) if version >= Version::HTTP_2 => Some(target),
        (Some(field), Some(target)) => {
            let default = match uri.scheme_str() {
                Some("https") => Some(443),
                Some("http") => Some(80),
                _ => None,
            };
            let same = field.name() == target.name() && field.port().or(default) == target.port().or(default);
            same.then_some(field)
        }
        (None, _) => None,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn denied(reason: &'static str) -> Denial {
    Denial::new(StatusCode::BAD_REQUEST, "proxy", reason).close()
}

fn malformed(reason: &'static str, value: &str) -> Denial {
    denied(reason).detail(value)
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FIELDS: [HeaderName; 7] = [
    FORWARDED,
    X_FORWARDED_FOR,
    X_FORWARDED_PROTO,
    X_FORWARDED_HOST,
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-ssl"),
    HeaderName::from_static("x-real-ip"),
];
const MOST_HOPS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Row;

    const STRANGER: &str = "198.51.100.9";
    const PROXY: &str = "10.0.0.1";

    /// Shows `client scheme host`, or the denial's reason.
    #[track_caller]
    fn check(peer: &str, row: Row<'_>, expected: &str) {
        let proxies = Proxies::new(["10.0.0.0/8", "2001:db8:ffff::/48"]).unwrap();
        let mut parts = row.host("example.org").into_parts();
        let socket = ClientIp::from(peer.parse::<IpAddr>().unwrap());
        let seen = match proxies.resolve((socket, Scheme::Http), &mut parts) {
            Ok(Resolved { client, scheme, host }) => {
                format!("{client} {scheme} {}", host.map_or_else(|| "-".into(), |host| host.to_string()))
            }
            Err(denial) => format!("{} {}", denial.status().as_u16(), denial.reason()),
        };
        assert_eq!(seen, expected);
    }

    fn forwarded_for(value: &str) -> Row<'_> {
        Row::get("/").header("x-forwarded-for", value)
    }

    /// asvs_4_1_3, asvs_15_3_4.
    #[test]
    fn a_stranger_cannot_choose_its_address_scheme_or_host() {
        let forged = Row::get("/")
            .header("x-forwarded-for", "192.0.2.1")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "evil.test")
            .header("x-real-ip", "192.0.2.1")
            .header("forwarded", "for=192.0.2.1;proto=https;host=evil.test");
        check(STRANGER, forged.clone(), "198.51.100.9 http example.org");
        check(STRANGER, forwarded_for("rubbish, ,"), "198.51.100.9 http example.org");
        let mut parts = forged.host("example.org").into_parts();
        let socket = ClientIp::from(STRANGER.parse::<IpAddr>().unwrap());
        Proxies::default().resolve((socket, Scheme::Http), &mut parts).unwrap();
        let left: Vec<_> = parts.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["host"], "nothing forged is left for a handler to read");
    }

    #[test]
    fn the_client_is_the_rightmost_hop_that_is_no_proxy() {
        check(PROXY, Row::get("/"), "10.0.0.1 http example.org");
        check(PROXY, forwarded_for("192.0.2.1"), "192.0.2.1 http example.org");
        // The client itself wrote what stands left of its address.
        check(PROXY, forwarded_for("127.0.0.1, 10.9.9.9, 192.0.2.1"), "192.0.2.1 http example.org");
        check(PROXY, forwarded_for("192.0.2.1, 10.0.0.7"), "192.0.2.1 http example.org");
        check(PROXY, forwarded_for("rubbish, 192.0.2.1, 10.0.0.7"), "192.0.2.1 http example.org");
        check(PROXY, forwarded_for("10.0.0.3, 10.0.0.2"), "10.0.0.3 http example.org");
        check(
            PROXY,
            forwarded_for("192.0.2.1").header("x-forwarded-for", "192.0.2.2"),
            "192.0.2.2 http example.org",
        );
        check(PROXY, forwarded_for("192.0.2.1:5000"), "192.0.2.1 http example.org");
        check(PROXY, forwarded_for("2001:db8::1"), "2001:db8::1 http example.org");
        check(PROXY, forwarded_for("[2001:db8::1]:5000"), "2001:db8::1 http example.org");
        check(PROXY, forwarded_for("::ffff:192.0.2.1"), "192.0.2.1 http example.org");
        check("::ffff:10.0.0.1", forwarded_for("192.0.2.1"), "192.0.2.1 http example.org");
        check("2001:db8:ffff::5", forwarded_for("192.0.2.1"), "192.0.2.1 http example.org");
    }

    #[test]
    fn scheme_and_host_are_the_proxys() {
        let row = |name: &'static str, value| Row::get("/").header(name, value);
        check(PROXY, row("x-forwarded-proto", "https"), "10.0.0.1 https example.org");
        check(PROXY, row("x-forwarded-host", "board.example:8443"), "10.0.0.1 http board.example:8443");
        check(
            PROXY,
            row("forwarded", "for=192.0.2.1;proto=https;host=board.example"),
            "192.0.2.1 https board.example",
        );
        check(
            PROXY,
            row("forwarded", "For=\"[2001:db8::1]:80\" ; by=_x, for=10.0.0.2"),
            "2001:db8::1 http example.org",
        );
        check(PROXY, row("forwarded", "by=\"a,b;c\";for=192.0.2.1"), "192.0.2.1 http example.org");
        // What a client wrote before its proxy appended counts for nothing.
        check(
            PROXY,
            row("forwarded", "host=evil.test;proto=https, for=192.0.2.1;proto=http"),
            "192.0.2.1 http example.org",
        );
    }

    #[test]
    fn a_proxy_that_cannot_be_understood_is_refused() {
        let row = |name: &'static str, value| Row::get("/").header(name, value);
        check(PROXY, forwarded_for("unknown"), "400 for");
        check(PROXY, forwarded_for("192.0.2.1, rubbish"), "400 for");
        check(PROXY, forwarded_for("192.0.2.1,,10.0.0.2"), "400 list");
        check(PROXY, forwarded_for(""), "400 list");
        check(PROXY, row("x-forwarded-proto", "wss"), "400 proto");
        check(PROXY, row("x-forwarded-proto", "https, http"), "400 two-values");
        check(
            PROXY,
            row("x-forwarded-proto", "https").header("x-forwarded-proto", "https"),
            "400 two-values",
        );
        check(PROXY, row("x-forwarded-host", "a, b"), "400 two-values");
        check(PROXY, row("x-forwarded-host", "u@evil.test"), "400 host");
        check(PROXY, row("forwarded", "for"), "400 forwarded");
        check(PROXY, row("forwarded", "for="), "400 forwarded");
        check(PROXY, row("forwarded", "for=\"192.0.2.1"), "400 list");
        check(PROXY, row("forwarded", "for=\"192.0.2.1\\\""), "400 list");
        check(PROXY, row("forwarded", "by=\"\\\",for=192.0.2.1,by=\""), "400 list");
        check(PROXY, row("forwarded", "by=a\\b;for=192.0.2.1"), "400 list");
        check(PROXY, row("forwarded", "for=\"192.0.2\".1"), "400 forwarded");
        check(PROXY, row("forwarded", "for=\"192.0.2.1\"\"\""), "400 forwarded");
        check(PROXY, row("forwarded", "for=192.0.2.1;for=192.0.2.2"), "400 forwarded");
        check(PROXY, row("forwarded", "for=_hidden"), "400 for");
        check(
            PROXY,
            row("forwarded", "for=192.0.2.1").header("x-forwarded-for", "192.0.2.2"),
            "400 two-kinds",
        );
        check(PROXY, forwarded_for(&["10.0.0.2"; 20].join(",")), "10.0.0.2 http example.org");
        check(PROXY, forwarded_for(&["10.0.0.2"; 21].join(",")), "400 many-hops");
    }

    #[test]
    fn a_unix_socket_is_believed_only_when_named() {
        let mut parts = forwarded_for("192.0.2.1").host("a").into_parts();
        let socket = (ClientIp::unix_socket(), Scheme::Http);
        let named = Proxies::default().and_unix_socket().resolve(socket, &mut parts).unwrap();
        assert_eq!(named.client.to_string(), "192.0.2.1");
        let stranger = Proxies::default().resolve(socket, &mut parts).unwrap();
        assert_eq!(stranger.client, ClientIp::unix_socket());
    }

    #[test]
    fn networks_are_read_strictly() {
        for wrong in [
            "",
            "a",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.1/8",
            "0.0.0.0/0",
            "::/0",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "*",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        #[track_caller]
        fn holds(network: &str, address: &str, expected: bool) {
            assert_eq!(network.parse::<Network>().unwrap().contains(address.parse().unwrap()), expected);
        }
        holds("10.0.0.0/8", "10.255.0.1", true);
        holds("10.0.0.0/8", "11.0.0.1", false);
        holds("192.0.2.1", "192.0.2.1", true);
        holds("192.0.2.1", "192.0.2.2", false);
        holds("2001:db8::/32", "2001:db8:1::1", true);
        holds("2001:db8::/32", "2001:db9::1", false);
        holds("0.0.0.0/1", "::1", false);
    }
}
