//! A redirect target that stays on this site.

use std::fmt;
use std::str::FromStr;

use http::HeaderValue;

use crate::{Error, ErrorKind, Quoted};

/// A path on this site, with query and fragment if need be: the only thing a redirect takes.
///
/// # Security
///
/// Protects from open redirects: a browser that resolves a `LocalPath` against any page of this site ends on this site, also after a
/// proxy has decoded it once more. Does not say that the page exists or that the user may see it.
///
/// # Examples
///
/// ```
/// use haechi_core::{LocalPath, local};
///
/// assert!(LocalPath::parse("/posts/7?page=2").is_ok());
/// assert!(LocalPath::parse("//evil.example").is_err());
///
/// let name = "a/b?";
/// assert_eq!(local!("/users/{name}").as_str(), "/users/a%2Fb%3F");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LocalPath(String);

impl LocalPath {
    /// Reads what a client sent, as in `?next=/posts/7`.
    ///
    /// Characters that cannot stand in a `Location` field, such as spaces and letters outside ASCII, are percent-encoded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotLocal`] for whatever a browser or a proxy could take for another site.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match foreign(text) {
            Some(why) => Err(Error::new(
                ErrorKind::NotLocal,
                format!("{} is no path on this site: {why}", Quoted(text)),
            )),
            None => Ok(Self(encode_forbidden(text))),
        }
    }

    /// The start page, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self(String::from("/"))
    }

    /// Adds a name and a value to the query, both percent-encoded.
    #[must_use]
    pub fn with_query(self, name: &str, value: &str) -> Self {
        let (target, fragment) = self
            .0
            .split_once('#')
            .map_or((self.0.as_str(), None), |(target, fragment)| (target, Some(fragment)));
        let joint = if target.contains('?') { '&' } else { '?' };
        let mut text = format!("{target}{joint}{}={}", Encoded(name), Encoded(value));
        if let Some(fragment) = fragment {
            text.push('#');
            text.push_str(fragment);
        }
        Self(text)
    }

    /// Returns the text as it stands in a `Location` field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text without query and fragment.
    #[must_use]
    pub fn path(&self) -> &str {
        path_of(&self.0)
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for LocalPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for LocalPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl From<LocalPath> for HeaderValue {
    fn from(path: LocalPath) -> Self {
        Self::try_from(path.0).expect("a LocalPath holds visible ASCII only")
    }
}

/// Makes a [`LocalPath`] from a literal whose holes are filled with percent-encoded values.
///
/// `local!("/posts/{post}")` takes one variable by its name; several values are listed behind the literal. The literal is checked when it is
/// compiled. A value is encoded whole, so it can neither add a segment nor leave one: `/` becomes `%2F`, and what no path can carry (an empty
/// segment, `.`, `..`) is encoded twice, so that it names nothing rather than another page. A control character in the path makes the whole `/`.
///
/// # Examples
///
/// ```
/// use haechi_core::local;
///
/// let post = 7;
/// assert_eq!(local!("/posts").as_str(), "/posts");
/// assert_eq!(local!("/posts/{post}").as_str(), "/posts/7");
/// assert_eq!(local!("/posts/{post}/comments/{id}", post, id = "a b").as_str(), "/posts/7/comments/a%20b");
/// ```
///
/// ```compile_fail
/// # use haechi_core::local;
/// local!("https://example.org/");
/// ```
#[macro_export]
macro_rules! local {
    ($template:literal) => {{
        const { $crate::local_path_template($template, &[], true) };
        $crate::LocalPath::from_one_hole($template, ::std::format!($template))
    }};
    ($template:literal, $($name:ident $(= $value:expr)?),+ $(,)?) => {{
        const { $crate::local_path_template($template, &[$(::std::stringify!($name)),+], false) };
        $crate::LocalPath::from_filled(&::std::format!($template, $($name = $crate::local!(@value $name $(= $value)?)),+))
    }};
    (@value $name:ident) => { $crate::Encoded(&$name) };
    (@value $name:ident = $value:expr) => { $crate::Encoded(&$value) };
}

/// Writes a value into one segment of a path or one part of a query: everything but letters, digits, `-`, `.`, `_` and `~` is percent-encoded.
///
/// # Examples
///
/// ```
/// assert_eq!(haechi_core::Encoded("ü/?").to_string(), "%C3%BC%2F%3F");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Encoded<T>(pub T);

impl<T: fmt::Display> fmt::Display for Encoded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::fmt::Write as _;

        let value = self.0.to_string();
        // No segment can say these: a browser drops or resolves them, encoded once or not.
        let unsayable = matches!(value.as_str(), "" | "." | "..");
        if unsayable {
            return f.write_str(if value.is_empty() {
                "%2520"
            } else if value == "." {
                "%252E"
            } else {
                "%252E%252E"
            });
        }
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    f.write_char(char::from(byte))?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

#[doc(hidden)]
impl LocalPath {
    /// The text of a template with at most one hole, filled with the bare value: what stands between the literal's two ends is the value.
    #[must_use]
    pub fn from_one_hole(template: &'static str, filled: String) -> Self {
        match template.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?.1))) {
            None => Self(filled),
            Some((head, tail)) => Self::from_filled(&format!(
                "{head}{}{tail}",
                Encoded(&filled[head.len()..filled.len() - tail.len()])
            )),
        }
    }

    /// The text of a template whose values are encoded. The second reading can only fail for a literal that the macro should have refused.
    #[must_use]
    pub fn from_filled(filled: &str) -> Self {
        Self::parse(filled).unwrap_or_else(|_| Self::root())
    }
}

/// Checks the literal of [`local!`] when it is compiled.
///
/// # Panics
///
/// With the rule that the literal breaks; in a `const` that is an error of the compiler.
#[doc(hidden)]
pub const fn local_path_template(template: &str, names: &[&str], captured: bool) {
    let bytes = template.as_bytes();
    assert!(!bytes.is_empty() && bytes[0] == b'/', "a local path begins with `/`");
    let mut holes = 0;
    let mut at = 0;
    while at < bytes.len() {
        let next = if at + 1 < bytes.len() { bytes[at + 1] } else { 0 };
        match bytes[at] {
            b'/' => assert!(next != b'/', "a local path has no `//`"),
            b'%' => assert!(next != b'{', "a hole cannot stand right behind `%`"),
            b'{' => {
                let end = hole_end(bytes, at + 1);
                assert!(
                    captured || listed(bytes, at + 1, end, names),
                    "every hole of `local!` with a list needs its name in the list"
                );
                assert!(
                    end + 1 >= bytes.len() || bytes[end + 1] != b'{',
                    "two holes need something between them"
                );
                holes += 1;
                at = end;
            }
            b'}' => assert!(at == usize::MAX, "a closing brace without an opening one"),
            byte => assert!(
                byte > b' ' && byte < 0x7f && byte != b'\\',
                "a local path is visible ASCII without backslash"
            ),
        }
        at += 1;
    }
    assert!(
        !captured || holes <= 1,
        "name the values when there is more than one: local!(\"/a/{{x}}/{{y}}\", x, y)"
    );
}

/// Returns where the hole's `}` stands; the hole has to hold a plain name.
const fn hole_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while end < bytes.len() && bytes[end] != b'}' {
        let byte = bytes[end];
        assert!(
            byte.is_ascii_alphabetic() || byte == b'_' || (end > start && byte.is_ascii_digit()),
            "a hole holds a plain name: `{{post}}`"
        );
        end += 1;
    }
    assert!(end > start && end < bytes.len(), "a hole holds a plain name: `{{post}}`");
    end
}

const fn listed(bytes: &[u8], start: usize, end: usize, names: &[&str]) -> bool {
    let mut at = 0;
    while at < names.len() {
        let name = names[at].as_bytes();
        let mut same = 0;
        while same < name.len() && start + same < end && name[same] == bytes[start + same] {
            same += 1;
        }
        if same == name.len() && start + same == end {
            return true;
        }
        at += 1;
    }
    false
}

/// Says why a text could lead to another site, or `None`.
fn foreign(text: &str) -> Option<&'static str> {
    if text.len() > LONGEST {
        return Some("it is longer than 2048 bytes");
    }
    if !text.starts_with('/') {
        return Some("it has to begin with `/`");
    }
    // Browsers delete tab and newline anywhere in a URL.
    if text.contains(|character: char| character.is_ascii_control()) {
        return Some("it holds a control character");
    }
    // Decoded as often as a careless proxy or a second redirect might, and judged each time; in a query all of this is data.
    let mut path = path_of(text).as_bytes().to_vec();
    for _ in 0..=MOST_DECODINGS {
        if let Some(why) = leads_away(&path) {
            return Some(why);
        }
        let decoded = percent_decoded(&path);
        if decoded == path {
            return None;
        }
        path = decoded;
    }
    Some("it is percent-encoded many times over")
}

fn leads_away(path: &[u8]) -> Option<&'static str> {
    if path.iter().any(u8::is_ascii_control) {
        return Some("its path holds a control character");
    }
    if path.contains(&b'\\') {
        return Some("it holds a backslash, which browsers read as `/`");
    }
    // `/.//host` and `/a/..//host` become `//host` for whoever resolves the dots first.
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in path.split(|&byte| byte == b'/').skip(1) {
        match segment {
            b"." => {}
            b".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let names_a_host = segments.len() > 1 && segments[0].is_empty();
    names_a_host.then_some("a browser reads what follows `//` as the name of another site")
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let hex = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        let pair =
            if *first == b'%' { tail.first().and_then(hex).zip(tail.get(1).and_then(hex)) } else { None };
        match pair {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                rest = &tail[2..];
            }
            None => decoded.push(*first),
        }
    }
    decoded
}

/// Percent-encodes what RFC 3986 does not let stand in a reference; a `%` stays, since it is an encoding already.
fn encode_forbidden(text: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'`' | b'{' | b'|' | b'}' | b'^' | b'\\' | 0..=b' ' | 0x7f.. => {
                write!(encoded, "%{byte:02X}").expect("writing to a String cannot fail");
            }
            _ => encoded.push(char::from(byte)),
        }
    }
    encoded
}

fn path_of(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or(text)
}

const LONGEST: usize = 2048;
const MOST_DECODINGS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_site_pass() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(LocalPath::parse(text).unwrap().as_str(), expected);
        }
        check("/", "/");
        check("/posts/7?page=2#c3", "/posts/7?page=2#c3");
        check("/a/../b", "/a/../b");
        check("/search?q=https://example.org//x", "/search?q=https://example.org//x");
        check("/login?next=%2Fposts%2F7", "/login?next=%2Fposts%2F7");
        check("/tags/c%2B%2B", "/tags/c%2B%2B");
        check("/100%", "/100%");
        check("/글/é b", "/%EA%B8%80/%C3%A9%20b");
        check("/a\"<>`{}|^", "/a%22%3C%3E%60%7B%7D%7C%5E");
        // A fullwidth solidus is a letter of the path, not a slash, for every browser.
        check("/／evil.example", "/%EF%BC%8Fevil.example");
        // Double slashes that do not begin the path stay inside it.
        check("/a//b", "/a//b");
        check("/@evil.example", "/@evil.example");
        check("/:80", "/:80");
        check("/;//evil.example", "/;//evil.example");
    }

    /// asvs_3_7_2. Each is read as a URL of another site by a browser, or by one after a proxy or a second redirect decoded it.
    #[test]
    fn what_leads_to_another_site_is_refused() {
        for text in FOREIGN {
            let error = LocalPath::parse(text).map(|path| path.to_string()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotLocal, "{text:?}");
        }
        assert!(LocalPath::parse(&format!("/{}", "a".repeat(2047))).is_ok());
        assert!(LocalPath::parse(&format!("/{}", "a".repeat(2048))).is_err());
    }

    /// asvs_1_2_2: values are encoded whole.
    #[test]
    fn a_value_can_neither_add_nor_leave_a_segment() {
        #[track_caller]
        fn check(value: &str, expected: &str) {
            assert_eq!(local!("/u/{value}/edit").as_str(), expected);
            assert_eq!(local!("/u/{value}/edit", value).as_str(), expected);
            assert_eq!(local!("/u/{v}/edit", v = value).as_str(), expected);
        }
        check("zoe", "/u/zoe/edit");
        check("a-b_c.d~e", "/u/a-b_c.d~e/edit");
        check("../admin", "/u/..%2Fadmin/edit");
        check("..", "/u/%252E%252E/edit");
        check(".", "/u/%252E/edit");
        check("", "/u/%2520/edit");
        check("a/b?c#d", "/u/a%2Fb%3Fc%23d/edit");
        check("%2e%2e", "/u/%252e%252e/edit");
        check("\r\nSet-Cookie: x", "/");
        check("/edit", "/u/%2Fedit/edit");
        check("한글", "/u/%ED%95%9C%EA%B8%80/edit");
        check("{value}", "/u/%7Bvalue%7D/edit");
    }

    #[test]
    fn a_value_right_behind_the_first_slash_cannot_name_a_site() {
        for value in ["/evil.example", "\\evil.example", "//evil.example", "", ".", "/"] {
            let path = local!("/{value}");
            assert!(
                LocalPath::parse(path.as_str()).is_ok() && !path.as_str()[1..].starts_with(['/', '\\']),
                "{path}"
            );
            let two = local!("/{a}/{b}", a = value, b = "evil.example");
            assert!(
                LocalPath::parse(two.as_str()).is_ok() && !two.as_str()[1..].starts_with(['/', '\\']),
                "{two}"
            );
        }
    }

    #[test]
    fn literals_and_queries() {
        let (a, b) = (1, "x&y=1");
        assert_eq!(local!("/").as_str(), "/");
        assert_eq!(local!("/s?q={b}").as_str(), "/s?q=x%26y%3D1");
        assert_eq!(local!("/s?q={v}", v = "a\r\nb\\//").as_str(), "/s?q=a%0D%0Ab%5C%2F%2F");
        assert_eq!(local!("/s/{a}?q={b}", a, b,).as_str(), "/s/1?q=x%26y%3D1");
        assert_eq!(local!("/login").with_query("next", "/a?b=c#d").as_str(), "/login?next=%2Fa%3Fb%3Dc%23d");
        assert_eq!(local!("/a?b=1#f").with_query("c", "ü").as_str(), "/a?b=1&c=%C3%BC#f");
        assert_eq!(LocalPath::parse("/a/b?c#d").unwrap().path(), "/a/b");
        assert_eq!(HeaderValue::from(local!("/a")), "/a");
        assert_eq!((local!("/a").to_string().as_str(), local!("/a").as_ref()), ("/a", "/a"));
    }

    #[test]
    fn a_literal_is_checked() {
        #[track_caller]
        fn check(template: &'static str, names: &'static [&'static str], captured: bool) {
            assert!(std::panic::catch_unwind(|| local_path_template(template, names, captured)).is_err());
        }
        for template in [
            "", "a", "//a", "/a//b", "/\\a", "/a b", "/é", "/{}", "/{0}", "/{a:?}", "/{{a}}", "/{a", "/a}",
            "/{a}{b}", "/%{a}", "/{a}/{b}",
        ] {
            check(template, &[], true);
        }
        check("/{a}", &["b"], false);
        check("/{a}", &["ab"], false);
        check("/{ab}", &["a"], false);
        local_path_template("/{a}/{b}?c={a}", &["a", "b"], false);
        local_path_template("/{ab}", &["a", "abc", "ab"], false);
    }

    const FOREIGN: &[&str] = &[
        "",
        " ",
        " /",
        "\t/",
        "\n//evil.example",
        "posts",
        "evil.example",
        "?next=/",
        "#",
        ".",
        "..",
        "./a",
        "../a",
        "https://evil.example",
        "HTTPS:evil.example",
        "http:/evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "mailto:a@b",
        "blob:x",
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "//evil.example/%2f..",
        "/\\evil.example",
        "\\/evil.example",
        "\\\\evil.example",
        "/\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r/evil.example",
        "/\r\n/evil.example",
        "/\0/evil.example",
        "/\x0b/evil.example",
        "/a\r\nSet-Cookie: x=1",
        "/\x7f",
        "/a\\b",
        "/%09/evil.example",
        "/%0a/evil.example",
        "/%0d%0aLocation:%20//evil.example",
        "/%00/evil.example",
        "/%2F/evil.example",
        "/%2f%2fevil.example",
        "/%2Fevil.example",
        "/%5Cevil.example",
        "/%5c/evil.example",
        "/%255cevil.example",
        "/%252Fevil.example",
        "/%25252Fevil.example",
        "/%252525252525252Fevil.example",
        "/.//evil.example",
        "/./\\evil.example",
        "/..//evil.example",
        "/a/..//evil.example",
        "/%2e//evil.example",
        "/%2e%2e//evil.example",
        "/a/%2E%2e//evil.example",
        "/././/evil.example",
        "/.%2F/evil.example",
        "//",
        "///",
        "//@evil.example",
        "//evil.example@ours.example",
        "//[::1]/",
        "//ours.example:80@evil.example",
        "\u{feff}//evil.example",
        "\u{a0}//evil.example",
        "〱//evil.example",
        "／／evil.example",
    ];
}
