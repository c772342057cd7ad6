//! Finds the form token in the beginning of a body.

use std::borrow::Cow;

/// What the beginning of a body says about its form token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormToken {
    /// The token, as it was sent: 32 or 64 letters and digits, not compared with anything yet.
    Found(String),
    /// There is none, there are two, or it is not where it has to be.
    Missing,
    /// More of the body is needed.
    NeedMore,
}

/// How much of a body has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// The whole body.
    Whole,
    /// The beginning of a longer one.
    Partial,
}

/// Finds the field `csrf_token`, or Django's `csrfmiddlewaretoken`, in the beginning of a form body.
///
/// In an urlencoded body the field may stand anywhere, so the whole body is needed. In a multipart body it is the first part, as our templates write
/// it, so that an upload is refused before its files arrive. Of any other type a token cannot stand in the body.
///
/// # Security
///
/// A name or value that is encoded, doubled or of another form than a token is `Missing`: no parser behind this one reads a different token. The caller bounds
/// the bytes; a multipart token that has not ended after 1 KiB is `Missing`.
///
/// # Examples
///
/// ```
/// use haechi_guard::{FormToken, Prefix, form_token};
///
/// let token = "a".repeat(64);
/// let body = format!("csrf_token={token}&title=x");
/// assert_eq!(form_token("application/x-www-form-urlencoded", body.as_bytes(), Prefix::Whole), FormToken::Found(token));
/// ```
#[must_use]
pub fn form_token(content_type: &str, body: &[u8], prefix: Prefix) -> FormToken {
    let essence = content_type.split(';').next().unwrap_or(content_type).trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" if prefix == Prefix::Partial => FormToken::NeedMore,
        "application/x-www-form-urlencoded" => urlencoded(body),
        "multipart/form-data" => {
            boundary(content_type).map_or(FormToken::Missing, |boundary| multipart(&boundary, body, prefix))
        }
        _ => FormToken::Missing,
    }
}

fn urlencoded(body: &[u8]) -> FormToken {
    let mut found = None;
    for pair in body.split(|&byte| byte == b'&') {
        let end = pair.iter().position(|&byte| byte == b'=');
        let (name, value) = end.map_or((pair, &[][..]), |end| (&pair[..end], &pair[end + 1..]));
        if !is_field(&decoded(name)) {
            continue;
        }
        match (found.is_none(), token(value)) {
            (true, Some(token)) => found = Some(token),
            // Twice, or malformed: which one a handler would read cannot be known.
            _ => return FormToken::Missing,
        }
    }
    found.map_or(FormToken::Missing, FormToken::Found)
}

/// Decodes a name, so that `csrf%5Ftoken` counts as a second token; values have nothing to decode.
fn decoded(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'%') {
        return Cow::Borrowed(name);
    }
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, tail @ ..] = rest {
        let pair = match tail {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        rest = if pair.is_some() { &tail[2..] } else { tail };
        plain.push(pair.map_or(*first, |(high, low)| high << 4 | low));
    }
    Cow::Owned(plain)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// `--boundary CRLF`, the part's fields, an empty line, the token, `CRLF --boundary`.
fn multipart(boundary: &str, body: &[u8], prefix: Prefix) -> FormToken {
    let incomplete = match prefix {
        Prefix::Partial if body.len() < LONGEST_FIRST_PART => FormToken::NeedMore,
        _ => FormToken::Missing,
    };
    let delimiter = format!("--{boundary}\r\n");
    let Some(part) = body.strip_prefix(delimiter.as_bytes()) else {
        return if delimiter.as_bytes().starts_with(body) { incomplete } else { FormToken::Missing };
    };
    let Some(fields_end) = find(part, b"\r\n\r\n") else {
        return incomplete;
    };
    if fields_end > LONGEST_FIRST_PART || !names_the_token(&part[..fields_end]) {
        return FormToken::Missing;
    }
    let content = &part[fields_end + 4..];
    let Some(end) = find(content, b"\r\n") else {
        return if content.len() > LONGEST_TOKEN + 1 { FormToken::Missing } else { incomplete };
    };
    let closing = format!("--{boundary}");
    let after = &content[end + 2..];
    if after.len() < closing.len() && closing.as_bytes().starts_with(after) {
        return incomplete;
    }
    let token = after.starts_with(closing.as_bytes()).then(|| token(&content[..end])).flatten();
    token.map_or(FormToken::Missing, FormToken::Found)
}

/// Accepts what browsers write and nothing else: one `Content-Disposition`, no file name, no further field.
fn names_the_token(fields: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(fields) else {
        return false;
    };
    let Some((name, value)) = text.split_once(':') else {
        return false;
    };
    let field = value
        .trim_matches([' ', '\t'])
        .strip_prefix("form-data")
        .map(|rest| rest.trim_start_matches([';', ' ', '\t']));
    let quoted =
        field.and_then(|field| field.strip_prefix("name=\"")).and_then(|rest| rest.strip_suffix('"'));
    name.eq_ignore_ascii_case("content-disposition")
        && quoted.is_some_and(|quoted| is_field(quoted.as_bytes()))
}

/// Reads the boundary parameter (RFC 2046 §5.1.1); `None` when it is missing, doubled or of other characters.
fn boundary(content_type: &str) -> Option<String> {
    let mut found = None;
    for parameter in content_type.split(';').skip(1) {
        let Some((name, value)) = parameter.split_once('=') else {
            continue;
        };
        if !name.trim().eq_ignore_ascii_case("boundary") {
            continue;
        }
        let value = value.trim();
        let value = value.strip_prefix('"').map_or(Some(value), |rest| rest.strip_suffix('"'))?;
        let fits = (1..=70).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte));
        if !fits || found.replace(value.to_owned()).is_some() {
            return None;
        }
    }
    found
}

fn is_field(name: &[u8]) -> bool {
    name == b"csrf_token" || name == b"csrfmiddlewaretoken"
}

fn token(value: &[u8]) -> Option<String> {
    let fits = matches!(value.len(), 32 | LONGEST_TOKEN) && value.iter().all(u8::is_ascii_alphanumeric);
    fits.then(|| String::from_utf8_lossy(value).into_owned())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

const LONGEST_FIRST_PART: usize = 1024;
const LONGEST_TOKEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const URLENCODED: &str = "application/x-www-form-urlencoded";
    const MULTIPART: &str = "multipart/form-data; boundary=XX";
    const TOKEN: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01";

    /// `@` in a body stands for a token of 64 characters.
    #[track_caller]
    fn check(content_type: &str, body: &str, prefix: Prefix, expected: &str) {
        let body = body.replace('@', TOKEN);
        let seen = match form_token(content_type, body.as_bytes(), prefix) {
            FormToken::Found(token) => {
                assert!(token == TOKEN || token.len() == 32, "{token}");
                "found"
            }
            FormToken::Missing => "missing",
            FormToken::NeedMore => "more",
        };
        assert_eq!(seen, expected, "{body}");
    }

    #[test]
    fn an_urlencoded_body_holds_one_plain_token() {
        let whole = |body: &str, expected| check(URLENCODED, body, Prefix::Whole, expected);
        whole("csrf_token=@", "found");
        whole("title=a&csrf_token=@&body=b", "found");
        whole("csrfmiddlewaretoken=@", "found");
        whole(&format!("csrf_token={}", "a".repeat(32)), "found");
        whole("", "missing");
        whole("csrf_token", "missing");
        whole("csrf_token=", "missing");
        whole("title=csrf_token%3D@", "missing");
        whole("csrf_token=@&csrf_token=@", "missing");
        whole("csrf_token=@&csrfmiddlewaretoken=@", "missing");
        whole("csrf_token=@&csrf%5Ftoken=@", "missing");
        whole("csrf_token=@&csrf%6Diddlewaretoken=@", "missing");
        whole("csrf_token=@&csrf_token", "missing");
        whole("csrf_token=@x", "missing");
        whole("csrf_token=%41@", "missing");
        whole("csrf_token= @", "missing");
        whole("Csrf_Token=@", "missing");
        whole("csrf_token[]=@", "missing");
        whole("a;csrf_token=@", "missing");
        whole("csrf_token\0=@", "missing");
        whole("%&=%&%4=%zz&csrf_token=@", "found");
        check(URLENCODED, "csrf_token=@", Prefix::Partial, "more");
        check("Application/X-WWW-Form-Urlencoded ; charset=utf-8", "csrf_token=@", Prefix::Whole, "found");
    }

    #[test]
    fn in_a_multipart_body_the_token_comes_first() {
        let whole = |body: &str, expected| check(MULTIPART, body, Prefix::Whole, expected);
        let first = "--XX\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n@\r\n--XX";
        whole(first, "found");
        whole(&format!("{first}--\r\n"), "found");
        whole(
            &format!(
                "{first}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nx\r\n--XX--"
            ),
            "found",
        );
        check(MULTIPART, first, Prefix::Partial, "found");
        whole(&first.replace("csrf_token", "title"), "missing");
        whole(&first.replace("csrf_token\"", "csrf_token\"; filename=\"a\""), "missing");
        whole(&first.replace("name=\"csrf_token\"", "name=csrf_token"), "missing");
        whole(&first.replace("\r\n\r\n@", "\r\nContent-Type: text/plain\r\n\r\n@"), "missing");
        whole(&first.replace("@\r\n", "@\r\nmore\r\n"), "missing");
        whole(&first.replace("\r\n", "\n"), "missing");
        whole(&format!("preamble\r\n{first}"), "missing");
        whole(&format!("\r\n{first}"), "missing");
        whole(&first.replace('@', "@@"), "missing");
        whole(&first.replace("--XX", "--XY"), "missing");
        whole(&first.replace("data; ", &format!("data;{}", " ".repeat(2000))), "missing");
        whole("", "missing");
        whole("--XX--", "missing");
        // A second token in a later part is not read by this step; handlers drop the field before they see the form.
        whole(
            &format!("{first}\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\nx\r\n--XX--"),
            "found",
        );
    }

    #[test]
    fn a_beginning_asks_for_more_until_it_cannot_become_a_token() {
        let first = "--XX\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n@\r\n--XX"
            .replace('@', TOKEN);
        for length in 0..first.len() {
            check(MULTIPART, &first[..length].replace(TOKEN, "@"), Prefix::Partial, "more");
            check(MULTIPART, &first[..length].replace(TOKEN, "@"), Prefix::Whole, "missing");
        }
        check(MULTIPART, "--YY", Prefix::Partial, "missing");
        check(MULTIPART, &format!("--XX\r\n{}", "a".repeat(1100)), Prefix::Partial, "missing");
        check(
            MULTIPART,
            &format!("{}{}", &first[..first.len() - 70], "a".repeat(200)),
            Prefix::Partial,
            "missing",
        );
    }

    #[test]
    fn the_first_part_has_a_length_to_the_byte() {
        let padded = |length: usize| format!("--XX\r\n{}", "a".repeat(length - 6));
        check(MULTIPART, &padded(LONGEST_FIRST_PART - 1), Prefix::Partial, "more");
        check(MULTIPART, &padded(LONGEST_FIRST_PART), Prefix::Partial, "missing");
        let fields = |length: usize| {
            let (start, end) = ("Content-Disposition: form-data;", "name=\"csrf_token\"");
            let spaces = " ".repeat(length - start.len() - end.len());
            format!("--XX\r\n{start}{spaces}{end}\r\n\r\n@\r\n--XX")
        };
        check(MULTIPART, &fields(LONGEST_FIRST_PART), Prefix::Whole, "found");
        check(MULTIPART, &fields(LONGEST_FIRST_PART + 1), Prefix::Whole, "missing");
    }

    #[test]
    fn a_type_that_is_no_form_holds_no_token() {
        for content_type in [
            "",
            "text/plain",
            "application/json",
            "multipart/mixed; boundary=XX",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=XX; boundary=YY",
            "multipart/form-data; boundary=\"XX",
            "multipart/form-data; boundary=a b",
            "multipart/form-data, application/x-www-form-urlencoded",
        ] {
            check(content_type, "csrf_token=@", Prefix::Whole, "missing");
        }
        check(
            "multipart/form-data; Boundary=\"XX\"",
            "--XX\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n@\r\n--XX",
            Prefix::Whole,
            "found",
        );
    }

    #[test]
    fn a_boundary_is_read_once_and_as_rfc_2046_writes_it() {
        #[track_caller]
        fn row(parameters: &str, boundary: &str, expected: &str) {
            let part = "Content-Disposition: form-data; name=\"csrf_token\"\r\n\r\n@";
            let body = format!("--{boundary}\r\n{part}\r\n--{boundary}");
            check(&format!("multipart/form-data; {parameters}"), &body, Prefix::Whole, expected);
        }
        let (longest, longer) = ("b".repeat(70), "b".repeat(71));
        row(&format!("boundary={longest}"), &longest, "found");
        row(&format!("boundary={longer}"), &longer, "missing");
        row("boundary=aZ0'()+_,-./:=?", "aZ0'()+_,-./:=?", "found");
        row("boundary=\"XX\"", "XX", "found");
        row("boundary=\"XX", "XX", "missing");
        row("boundary=\"\"", "", "missing");
        for other in ["a b", "a@b", "a\"b", "é", "a\\b", "a*"] {
            row(&format!("boundary={other}"), other, "missing");
        }
        for read in ["XX", "YY"] {
            row("boundary=XX; boundary=YY", read, "missing");
        }
        row("charset=utf-8; Boundary=XX", "XX", "found");
        row("boundary", "XX", "missing");
    }

    /// A seeded walk over broken bodies: whatever comes, an answer and no panic.
    #[test]
    fn no_body_makes_it_panic() {
        let pieces = [
            "--XX",
            "\r\n",
            "Content-Disposition: form-data; name=\"csrf_token\"",
            "\r\n\r\n",
            TOKEN,
            "=",
            "&",
            "%",
            "csrf_token",
            "é",
            "\0",
            "\"",
        ];
        let mut state = 0x2545_f491_u64;
        for _ in 0..20_000 {
            let mut body = String::new();
            for _ in 0..8 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                body.push_str(pieces[usize::try_from(state % 12).unwrap()]);
            }
            for content_type in [URLENCODED, MULTIPART] {
                for prefix in [Prefix::Whole, Prefix::Partial] {
                    if let FormToken::Found(token) = form_token(content_type, body.as_bytes(), prefix) {
                        assert_eq!(token, TOKEN);
                    }
                }
            }
        }
    }
}
