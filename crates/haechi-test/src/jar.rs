//! The cookies of one browser.

use std::collections::BTreeMap;

/// The cookies of one browser, kept by the rules that matter to a single site.
///
/// A `Secure` cookie is taken and sent over https only; a `__Host-` cookie that breaks its promise is dropped.
#[derive(Debug, Clone, Default)]
pub struct Jar {
    cookies: BTreeMap<String, String>,
}

impl Jar {
    /// Returns a cookie's value.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Plants a cookie, as an attacker on a sibling host could.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cookies.clear();
    }

    /// Returns the `Cookie` header, or `None` for an empty jar.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Takes one `Set-Cookie`.
    pub fn take(&mut self, line: &str, https: bool) {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
        let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
        let domain = attributes.iter().any(|attribute| attribute.starts_with("domain="));
        if has("secure") && !https
            || name.starts_with("__Host-") && (!has("secure") || !has("path=/") || domain)
        {
            return;
        }
        if has("max-age=0") {
            self.cookies.remove(name);
        } else {
            self.plant(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, https: bool, expected: Option<&str>) {
        let mut jar = Jar::default();
        jar.plant("old", "1");
        jar.take(line, https);
        let name = line.split('=').next().unwrap();
        assert_eq!(jar.find(name), expected, "{line}");
    }

    #[test]
    fn a_cookie_is_kept_as_a_browser_keeps_it() {
        check("a=1", false, Some("1"));
        check("a=1; Secure", true, Some("1"));
        check("a=1; Secure", false, None);
        check("__Host-a=1; Secure; Path=/", true, Some("1"));
        check("__Host-a=1; Path=/", true, None);
        check("__Host-a=1; Secure; Path=/x", true, None);
        check("__Host-a=1; Secure; Path=/; Domain=example.org", true, None);
        check("old=2; Max-Age=0", false, None);
    }
}
