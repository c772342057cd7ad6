//! The cookies that a request carries.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// Iterates over names and values of all `Cookie` fields, in their order.
///
/// Names are compared exactly by the caller: `Session` is not `session`. Quotes around a value are taken off. Pairs without `=`, without a name,
/// or with bytes outside visible ASCII are left out, as no cookie of ours looks like that.
///
/// # Examples
///
/// ```
/// use http::HeaderMap;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("cookie", "a=1; b=\"2\"".parse()?);
/// let pairs: Vec<_> = haechi_core::cookies(&headers).collect();
/// assert_eq!(pairs, [("a", "1"), ("b", "2")]);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .map(HeaderValue::as_bytes)
        .flat_map(|field| field.split(|&byte| byte == b';'))
        .filter_map(pair)
}

fn pair(bytes: &[u8]) -> Option<(&str, &str)> {
    let text = str::from_utf8(bytes).ok()?.trim_matches([' ', '\t']);
    let (name, value) = text.split_once('=')?;
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let visible = |text: &str| text.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
    (!name.is_empty() && visible(name) && visible(unquoted)).then_some((name, unquoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_they_are_sent() {
        #[track_caller]
        fn check(fields: &[&[u8]], expected: &[(&str, &str)]) {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(COOKIE, HeaderValue::from_bytes(field).unwrap());
            }
            assert_eq!(cookies(&headers).collect::<Vec<_>>(), expected);
        }
        check(&[], &[]);
        check(&[b""], &[]);
        check(&[b"a=1"], &[("a", "1")]);
        check(&[b"a=1; b=2", b"c=3"], &[("a", "1"), ("b", "2"), ("c", "3")]);
        check(&[b"a=1;b=2;;; ;c=3;"], &[("a", "1"), ("b", "2"), ("c", "3")]);
        check(&[b"\ta=1\t; b=2 "], &[("a", "1"), ("b", "2")]);
        check(&[b"a=b=c"], &[("a", "b=c")]);
        check(&[b"a="], &[("a", "")]);
        check(&[b"a=\"b\""], &[("a", "b")]);
        check(&[b"a=\""], &[("a", "\"")]);
        check(&[b"a=\"b"], &[("a", "\"b")]);
        check(&[b"a"], &[]);
        check(&[b"=a"], &[]);
        check(&[b"=__Host-s=1"], &[]);
        check(&[b"a = 1"], &[]);
        check(&[b"a=x y"], &[]);
        check(&[b"a=\xff; b=2"], &[("b", "2")]);
        check(&["é=1; b=2".as_bytes()], &[("b", "2")]);
        check(&[b"A=1; a=2"], &[("A", "1"), ("a", "2")]);
    }
}
