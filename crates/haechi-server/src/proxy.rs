//! The PROXY protocol, versions 1 and 2: how a load balancer says whose connection it forwards.
//!
//! [`parse`] is a pure function on the bytes so far. [`read_header`] takes exactly the header off a socket, so that what
//! follows reaches TLS or the protocol untouched.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::AsyncReadExt;

use crate::socket::Socket;

/// What a complete header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: u8,
    /// Bytes that the header takes.
    pub(crate) length: usize,
    /// The client; `None` where the proxy speaks for itself (`LOCAL`) or does not know (`UNKNOWN`).
    pub(crate) client: Option<SocketAddr>,
}

/// Why bytes are not a PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("a named proxy sent no PROXY protocol header; is `send-proxy` switched on there?")]
    Missing,
    #[error("a PROXY protocol header is longer than allowed")]
    TooLong,
    #[error("a PROXY protocol header is malformed")]
    Malformed,
}

/// Reads a header at the beginning of the bytes; `None` while more are needed.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Header>, Broken> {
    if bytes.starts_with(SIGNATURE_V2) {
        return parse_v2(bytes);
    }
    if bytes.starts_with(SIGNATURE_V1) {
        return parse_v1(bytes);
    }
    if SIGNATURE_V2.starts_with(bytes) || SIGNATURE_V1.starts_with(bytes) {
        return Ok(None);
    }
    Err(Broken::Missing)
}

/// Reads a header off the socket, and not a byte more.
pub(crate) async fn read_header(socket: &mut Socket) -> io::Result<Header> {
    let mut header = Vec::new();
    let mut ahead = [0; LONGEST_V2];
    loop {
        let length = socket.peek(&mut ahead).await?;
        if length == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the proxy closed inside its header"));
        }
        let before = header.len();
        header.extend_from_slice(&ahead[..length]);
        let parsed = parse(&header).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        // Of an incomplete header every byte belongs to it; taking them off lets the next look wait for more.
        let end = parsed.as_ref().map_or(header.len(), |parsed| parsed.length);
        socket.read_exact(&mut ahead[..end - before]).await?;
        if let Some(parsed) = parsed {
            return Ok(parsed);
        }
    }
}

fn parse_v1(bytes: &[u8]) -> Result<Option<Header>, Broken> {
    let within = &bytes[..bytes.len().min(LONGEST_V1)];
    let Some(end) = within.iter().position(|byte| *byte == b'\n') else {
        return if bytes.len() >= LONGEST_V1 { Err(Broken::TooLong) } else { Ok(None) };
    };
    let line = within[..end].strip_suffix(b"\r").ok_or(Broken::Malformed)?;
    let line = std::str::from_utf8(line).map_err(|_| Broken::Malformed)?;
    let header = |client| Ok(Some(Header { version: 1, length: end + 1, client }));
    let mut words = line.split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        return header(None);
    }
    let (Some(source), Some(target), Some(port), Some(target_port), None) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Broken::Malformed);
    };
    let address = |text: &str| text.parse::<IpAddr>().map_err(|_| Broken::Malformed);
    let (source, target) = (address(source)?, address(target)?);
    let (port, _) = (number(port)?, number(target_port)?);
    match (family, source.is_ipv4(), target.is_ipv4()) {
        (Some("TCP4"), true, true) | (Some("TCP6"), false, false) => {
            header(Some(SocketAddr::new(source, port)))
        }
        _ => Err(Broken::Malformed),
    }
}

/// Reads a port as the protocol writes it: digits without leading zeros.
fn number(text: &str) -> Result<u16, Broken> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return Err(Broken::Malformed);
    }
    text.parse().map_err(|_| Broken::Malformed)
}

fn parse_v2(bytes: &[u8]) -> Result<Option<Header>, Broken> {
    let Some((fixed, rest)) = bytes.split_at_checked(FIXED_V2) else { return Ok(None) };
    let (command, family) = (fixed[12], fixed[13]);
    let payload = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if FIXED_V2 + payload > LONGEST_V2 {
        return Err(Broken::TooLong);
    }
    let local = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err(Broken::Malformed),
    };
    let Some(payload) = rest.get(..payload) else { return Ok(None) };
    let client = if local { None } else { source_v2(family, payload)? };
    Ok(Some(Header { version: 2, length: FIXED_V2 + payload.len(), client }))
}

/// Reads the source address; TLVs behind the addresses are skipped.
fn source_v2(family: u8, payload: &[u8]) -> Result<Option<SocketAddr>, Broken> {
    let addresses = |length: usize| payload.get(..length).ok_or(Broken::Malformed);
    match family {
        // A stream over IPv4: source, target, source port, target port.
        0x11 => {
            let block = addresses(12)?;
            let ip = Ipv4Addr::new(block[0], block[1], block[2], block[3]);
            Ok(Some(SocketAddr::from((ip, u16::from_be_bytes([block[8], block[9]])))))
        }
        0x21 => {
            let block = addresses(36)?;
            let ip: [u8; 16] = block[..16].try_into().map_err(|_| Broken::Malformed)?;
            Ok(Some(SocketAddr::from((Ipv6Addr::from(ip), u16::from_be_bytes([block[32], block[33]])))))
        }
        // A stream over a Unix socket: the proxy's client has no address that means something here.
        0x31 => addresses(216).map(|_| None),
        0x00 => Ok(None),
        // Datagrams do not arrive on a stream, and other families do not exist.
        _ => Err(Broken::Malformed),
    }
}

const SIGNATURE_V1: &[u8] = b"PROXY ";
const SIGNATURE_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const LONGEST_V1: usize = 107;
const FIXED_V2: usize = 16;
/// What a proxy may tell us in all. The largest use of TLVs known is a client certificate's name, far below.
const LONGEST_V2: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
        let mut header = SIGNATURE_V2.to_vec();
        header.extend([command, family]);
        header.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        header.extend(payload);
        header
    }

    const V4: &[u8] = &[203, 0, 113, 7, 192, 0, 2, 1, 0x30, 0x39, 0, 80];

    fn v6() -> Vec<u8> {
        let mut block = "2001:db8::7".parse::<Ipv6Addr>().unwrap().octets().to_vec();
        block.extend("::1".parse::<Ipv6Addr>().unwrap().octets());
        block.extend([0x30, 0x39, 0, 80]);
        block
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<Option<(usize, Option<&str>)>, Broken>) {
        let expected = expected.map(|header| {
            header
                .map(|(length, client)| (length, client.map(|client| client.parse::<SocketAddr>().unwrap())))
        });
        let parsed = parse(bytes).map(|header| header.map(|header| (header.length, header.client)));
        assert_eq!(parsed, expected, "{}", bytes.escape_ascii());
    }

    #[test]
    fn version_1_names_the_client() {
        let client = |client| Ok(Some(client));
        check(b"PROXY TCP4 203.0.113.7 192.0.2.1 12345 80\r\nGET /", client((43, Some("203.0.113.7:12345"))));
        check(b"PROXY TCP6 2001:db8::7 ::1 12345 80\r\n", client((37, Some("[2001:db8::7]:12345"))));
        check(b"PROXY UNKNOWN\r\n", client((15, None)));
        check(b"PROXY UNKNOWN ff:f::1 x 1 2\r\n", client((29, None)));
        check(
            b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
            client((56, Some("255.255.255.255:65535"))),
        );
    }

    #[test]
    fn a_header_in_pieces_waits_for_the_rest() {
        for header in [
            b"PROXY TCP4 203.0.113.7 192.0.2.1 12345 80\r\n".to_vec(),
            v2(0x21, 0x11, V4),
            v2(0x21, 0x21, &v6()),
        ] {
            for cut in 0..header.len() {
                check(&header[..cut], Ok(None));
            }
            assert!(parse(&header).unwrap().is_some());
        }
    }

    #[test]
    fn a_broken_version_1_header_is_refused() {
        let longest = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 93], b"\r\n"].concat();
        check(&longest, Err(Broken::TooLong));
        check(&longest[2..], Err(Broken::Missing));
        for line in [
            "PROXY TCP4 203.0.113.7 192.0.2.1 12345 80\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 12345\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 12345 80 9\r\n",
            "PROXY TCP4 203.0.113.7  192.0.2.1 12345 80\r\n",
            "PROXY TCP4 2001:db8::7 ::1 12345 80\r\n",
            "PROXY TCP6 203.0.113.7 192.0.2.1 12345 80\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 65536 80\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 -1 80\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 +1 80\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 012 80\r\n",
            "PROXY TCP4 203.0.113.007 192.0.2.1 12 80\r\n",
            "PROXY TCP5 203.0.113.7 192.0.2.1 12345 80\r\n",
            "PROXY \r\n",
        ] {
            check(line.as_bytes(), Err(Broken::Malformed));
        }
    }

    #[test]
    fn the_longest_version_1_line_has_107_bytes() {
        let line = |length: usize| format!("PROXY UNKNOWN {}\r\n", "x".repeat(length - 16)).into_bytes();
        check(&line(107), Ok(Some((107, None))));
        check(&line(108), Err(Broken::TooLong));
        check(&[b"PROXY ".as_slice(), &[b'x'; 200]].concat(), Err(Broken::TooLong));
    }

    #[test]
    fn version_2_names_the_client() {
        let with_tlv = [V4, &[4, 0, 2, 1, 1]].concat();
        check(&v2(0x21, 0x11, V4), Ok(Some((28, Some("203.0.113.7:12345")))));
        check(&v2(0x21, 0x11, &with_tlv), Ok(Some((33, Some("203.0.113.7:12345")))));
        check(&v2(0x21, 0x21, &v6()), Ok(Some((52, Some("[2001:db8::7]:12345")))));
        check(&v2(0x21, 0x31, &[0; 216]), Ok(Some((232, None))));
        check(&v2(0x21, 0x00, b""), Ok(Some((16, None))));
        check(&v2(0x20, 0x00, b""), Ok(Some((16, None))));
        check(&v2(0x20, 0x11, V4), Ok(Some((28, None))));
    }

    #[test]
    fn a_broken_version_2_header_is_refused() {
        check(&v2(0x21, 0x11, &V4[..11]), Err(Broken::Malformed));
        check(&v2(0x21, 0x21, &v6()[..35]), Err(Broken::Malformed));
        check(&v2(0x21, 0x31, &[0; 215]), Err(Broken::Malformed));
        check(&v2(0x21, 0x12, V4), Err(Broken::Malformed));
        check(&v2(0x21, 0x41, V4), Err(Broken::Malformed));
        check(&v2(0x22, 0x11, V4), Err(Broken::Malformed));
        check(&v2(0x11, 0x11, V4), Err(Broken::Malformed));
        check(&v2(0x21, 0x11, &[0; 2033]), Err(Broken::TooLong));
    }

    #[test]
    fn what_is_no_header_is_missing() {
        check(b"GET / HTTP/1.1\r\n", Err(Broken::Missing));
        check(b"proxy TCP4 ", Err(Broken::Missing));
        check(b"\x16\x03\x01", Err(Broken::Missing));
        check(b"\r\n\r\n\0\r\nQUIT\r", Err(Broken::Missing));
    }
}
