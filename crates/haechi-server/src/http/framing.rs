//! Where requests begin and end on an HTTP/1 connection, read beside hyper.
//!
//! hyper's parser is good but forgiving, and a service sees only what is left of the head: a `Content-Length` beside
//! a `Transfer-Encoding` is gone, two equal lengths have become one, a bare LF has become a line end. Two programs that
//! read such bytes differently are a request smuggling. [`Framing`] watches the bytes on their way to hyper, changes none,
//! and remembers the first request that is not exactly what RFC 9112 asks for; the gate then refuses that request.

/// An observer of the bytes of one connection.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    /// The beginning of a line whose end has not come yet.
    carry: Vec<u8>,
    head: Head,
    head_bytes: usize,
    /// Heads that are complete.
    heads: u64,
    broken: Option<Broken>,
}

/// The first request that is not well formed; nothing behind it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    /// Which request of the connection, from 1.
    pub(super) request: u64,
    /// Whether its head is complete, so that it is the body that broke.
    pub(super) in_body: bool,
    pub(super) reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    RequestLine,
    Field,
    Sized(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    Lost,
}

#[derive(Debug, Default)]
struct Head {
    length: Option<u64>,
    chunked: bool,
}

impl Framing {
    pub(super) fn new(head_bytes: usize) -> Self {
        Self {
            state: State::Idle,
            carry: Vec::new(),
            head: Head::default(),
            head_bytes,
            heads: 0,
            broken: None,
        }
    }

    /// Watches bytes that hyper is about to read.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Lost => return,
                State::Sized(left) => self.skip(bytes, left, State::Sized, State::Idle),
                State::Chunk(left) => self.skip(bytes, left, State::Chunk, State::ChunkEnd),
                State::Idle => {
                    self.state = State::RequestLine;
                    bytes
                }
                State::RequestLine | State::Field | State::ChunkSize | State::ChunkEnd | State::Trailer => {
                    self.take_line(bytes)
                }
            };
        }
    }

    /// Returns whether a head has begun and not ended, or the place in the bytes is lost.
    pub(super) fn in_head(&self) -> bool {
        matches!(self.state, State::RequestLine | State::Field | State::Lost)
    }

    /// Returns whether the last request has ended and the next has not begun.
    pub(super) fn is_between(&self) -> bool {
        self.state == State::Idle
    }

    /// Returns the request that is not well formed.
    pub(super) fn broken(&self) -> Option<Broken> {
        self.broken
    }

    /// Stops watching: what follows is not HTTP.
    pub(super) fn stop(&mut self) {
        self.state = State::Lost;
        self.carry = Vec::new();
    }

    fn skip<'a>(&mut self, bytes: &'a [u8], left: u64, more: fn(u64) -> State, done: State) -> &'a [u8] {
        let here = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if here < left {
            self.state = more(left - here);
            return &[];
        }
        self.state = done;
        let used = usize::try_from(left).unwrap_or(bytes.len());
        &bytes[used..]
    }

    fn take_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let most = match self.state {
            State::ChunkSize | State::ChunkEnd => CHUNK_LINE,
            _ => self.head_bytes,
        };
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let piece = &bytes[..end.map_or(bytes.len(), |end| end + 1)];
        if self.carry.len() + piece.len() > most {
            self.lose("a line is too long");
        } else if end.is_none() {
            self.carry.extend_from_slice(piece);
        } else if self.carry.is_empty() {
            self.line(piece);
        } else {
            let mut line = std::mem::take(&mut self.carry);
            line.extend_from_slice(piece);
            self.line(&line);
        }
        &bytes[piece.len()..]
    }

    fn line(&mut self, line: &[u8]) {
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return self.lose("a line ends without a carriage return");
        };
        match self.state {
            State::RequestLine if line.is_empty() => {}
            State::RequestLine if line.contains(&b'#') => self.lose("the target has a fragment"),
            State::RequestLine => {
                self.head = Head::default();
                self.state = State::Field;
            }
            State::Field if line.is_empty() => self.end_head(),
            State::Field => {
                if let Err(reason) = self.head.field(line) {
                    self.lose(reason);
                }
            }
            State::ChunkSize => match chunk_size(line) {
                Ok(0) => self.state = State::Trailer,
                Ok(size) => self.state = State::Chunk(size),
                Err(reason) => self.lose(reason),
            },
            State::ChunkEnd if line.is_empty() => self.state = State::ChunkSize,
            State::ChunkEnd => self.lose("a chunk is longer than its size"),
            State::Trailer if line.is_empty() => self.state = State::Idle,
            State::Trailer | State::Idle | State::Sized(_) | State::Chunk(_) | State::Lost => {}
        }
    }

    fn end_head(&mut self) {
        self.state = match self.head {
            Head { length: Some(_), chunked: true } => {
                return self.lose("both Content-Length and Transfer-Encoding");
            }
            Head { chunked: true, .. } => State::ChunkSize,
            Head { length: Some(length @ 1..), .. } => State::Sized(length),
            Head { .. } => State::Idle,
        };
        self.heads += 1;
    }

    fn lose(&mut self, reason: &'static str) {
        let in_body = !matches!(self.state, State::RequestLine | State::Field);
        let request = if in_body { self.heads } else { self.heads + 1 };
        self.broken = Some(Broken { request, in_body, reason });
        self.stop();
    }
}

impl Head {
    fn field(&mut self, line: &[u8]) -> Result<(), &'static str> {
        match line[0] {
            b' ' | b'\t' => Err("a field is folded over two lines"),
            b'c' | b'C' => match value_of(line, b"content-length") {
                None => Ok(()),
                Some(_) if self.length.is_some() => Err("two Content-Length fields"),
                Some(value) => {
                    self.length = Some(length_of(value)?);
                    Ok(())
                }
            },
            b't' | b'T' => match value_of(line, b"transfer-encoding") {
                None => Ok(()),
                Some(_) if self.chunked => Err("two Transfer-Encoding fields"),
                Some(value) if value.eq_ignore_ascii_case(b"chunked") => {
                    self.chunked = true;
                    Ok(())
                }
                Some(_) => Err("a Transfer-Encoding other than chunked"),
            },
            _ => Ok(()),
        }
    }
}

/// Returns the value of a field line if it is the named field, spaces around it taken off.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (begins, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    begins.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn length_of(value: &[u8]) -> Result<u64, &'static str> {
    const WRONG: &str = "a Content-Length that is not a number";
    if !value.iter().all(u8::is_ascii_digit) {
        return Err(WRONG);
    }
    str::from_utf8(value).ok().and_then(|value| value.parse().ok()).ok_or(WRONG)
}

fn chunk_size(line: &[u8]) -> Result<u64, &'static str> {
    if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err("a control character in a chunk line");
    }
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if !(1..=CHUNK_DIGITS).contains(&digits) {
        return Err("a chunk size that is not a number of 1 to 16 digits");
    }
    if !matches!(line.get(digits), None | Some(b';' | b' ' | b'\t')) {
        return Err("a chunk size with something other than an extension behind it");
    }
    let text = str::from_utf8(&line[..digits]).map_err(|_| "a chunk size that is not text")?;
    u64::from_str_radix(text, 16).map_err(|_| "a chunk size out of range")
}

/// A chunk line with its extensions, which nobody uses: longer ones are a flood.
const CHUNK_LINE: usize = 256;
const CHUNK_DIGITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the bytes whole and one by one: where a read ends must make no difference.
    #[track_caller]
    fn check(bytes: &str, expected: Result<u64, (u64, bool)>) {
        let mut whole = Framing::new(1024);
        whole.feed(bytes.as_bytes());
        let mut single = Framing::new(1024);
        for byte in bytes.as_bytes() {
            single.feed(std::slice::from_ref(byte));
        }
        for framing in [whole, single] {
            let found = match framing.broken() {
                Some(broken) => Err((broken.request, broken.in_body)),
                None => Ok(framing.heads),
            };
            assert_eq!(found, expected, "{bytes:?}: {:?}", framing.broken());
        }
    }

    #[test]
    fn well_formed_requests_are_counted() {
        check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Ok(1));
        check("\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", Ok(2));
        check("POST / HTTP/1.1\r\ncontent-LENGTH: \t 3 \r\n\r\nabcGET / HTTP/1.1\r\n\r\n", Ok(2));
        check("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n", Ok(2));
        check(
            "POST / HTTP/1.1\r\nTransfer-Encoding: CHUNKED\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            Ok(2),
        );
        check("POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\nGET / HTTP/1.1\n\n", Ok(1));
        check("GET / HTTP/1.1\r\nContent-Lengthy: x\r\nTransfer-Encodings: x\r\n\r\n", Ok(1));
    }

    /// asvs_4_2_1, asvs_1_5_3: shown by these rows.
    #[test]
    fn heads_that_two_programs_could_read_differently_are_broken() {
        for fields in [
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: 3\r\nContent-Length: 4",
            "Content-Length: 3, 3",
            "Content-Length: +3",
            "Content-Length:",
            "Content-Length: 0x3",
            "Content-Length: 18446744073709551616",
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 3",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: xchunked",
            "X: a\r\n folded",
            "X: a\nY: b",
        ] {
            check(&format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n"), Err((1, false)));
            check(&format!("GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\n{fields}\r\n\r\n"), Err((2, false)));
        }
        check("GET / HTTP/1.1\n\n", Err((1, false)));
        check("GET /#a HTTP/1.1\r\n\r\n", Err((1, false)));
        check(&format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1024)), Err((1, false)));
    }

    #[test]
    fn chunks_that_two_programs_could_read_differently_are_broken() {
        for chunks in [
            "3\nabc\r\n0\r\n\r\n",
            "3\r\nabc\n0\r\n\r\n",
            "3\r\nabcd\r\n0\r\n\r\n",
            "x\r\nabc\r\n",
            "\r\nabc\r\n",
            "-3\r\nabc\r\n",
            "0x3\r\nabc\r\n0\r\n\r\n",
            "3;a=\0\r\nabc\r\n0\r\n\r\n",
            "00000000000000003\r\nabc\r\n0\r\n\r\n",
            "10000000000000000\r\nabc\r\n0\r\n\r\n",
        ] {
            check(&format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"), Err((1, true)));
        }
        let flood = format!("3;{}\r\nabc\r\n", "x".repeat(300));
        check(&format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{flood}"), Err((1, true)));
    }
}
