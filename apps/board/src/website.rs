//! The link to somebody's website: `http` and `https`, and nothing that a browser would run.

use crate::field::Field;

/// Reads the address of a website; an empty field is none.
pub(crate) fn read(typed: &str) -> Field {
    let mut field = Field::optional(typed.trim(), LONGEST);
    if field.is_good() && !field.value.is_empty() && !is_website(&field.value) {
        field.error = "Write an address that begins with http:// or https://.";
    }
    field
}

/// An allow list: a scheme that only fetches, a host, and no letter that browsers drop or turn into another.
fn is_website(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else { return false };
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return false;
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // `https://bank.example@evil.example` shows one host and goes to another: no user information.
    let in_host = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | ':' | '[' | ']');
    let elsewhere = |letter: char| {
        !letter.is_whitespace() && !letter.is_control() && !matches!(letter, '\\' | '"' | '<' | '>' | '`')
    };
    host.starts_with(|letter: char| letter.is_alphanumeric() || letter == '[')
        && host.chars().all(in_host)
        && rest.chars().all(elsewhere)
}

const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(typed: &str, good: bool) {
        assert_eq!(read(typed).is_good(), good, "{typed:?}");
    }

    #[test]
    fn only_addresses_of_the_web_are_taken() {
        for good in [
            "",
            "https://example.org",
            " HTTP://example.org:8080/a?b=c&d#e ",
            "https://해치.example/길",
            "http://[::1]/",
        ] {
            check(good, true);
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            "javascript://example.org/%0aalert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:msgbox(1)",
            "//example.org",
            "/accounts/logout",
            "example.org",
            "https://",
            "https:///example.org",
            "https://bank.example@evil.example",
            "https://example.org\\@evil.example",
            "https://example.org/\" onmouseover=\"alert(1)",
            "https://example.org/<script>",
            "https://exa\u{202e}mple.org",
        ] {
            check(bad, false);
        }
        check(&format!("https://example.org/{}", "a".repeat(200)), false);
    }
}
