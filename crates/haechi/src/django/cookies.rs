//! The cookies that both sites set, with the attributes of the Django site.

use haechi_core::{SameSite, SecureCookie};

use super::CsrfPlace;
use crate::config::Django;

pub(super) fn session(settings: &Django, secure: bool) -> Result<SecureCookie, String> {
    let cookie = named(&settings.session_cookie_name, secure, "session_cookie_name")?;
    let path = &settings.session_cookie_path;
    let cookie = placed(cookie, settings.session_cookie_domain.as_deref(), path, "session_cookie")?;
    Ok(cookie.same_site(same_site(&settings.session_cookie_samesite, "session_cookie_samesite")?))
}

/// Django gives its cookie of messages the attributes of the session cookie, but for the path.
pub(super) fn messages(settings: &Django, secure: bool) -> Result<SecureCookie, String> {
    let cookie = named("messages", secure, "messages")?;
    let cookie = placed(cookie, settings.session_cookie_domain.as_deref(), "/", "session_cookie")?;
    Ok(cookie.same_site(same_site(&settings.session_cookie_samesite, "session_cookie_samesite")?))
}

pub(super) fn csrf(settings: &Django, secure: bool) -> Result<CsrfPlace, String> {
    if settings.csrf_use_sessions {
        return Ok(CsrfPlace::Session);
    }
    let cookie = named(&settings.csrf_cookie_name, secure, "csrf_cookie_name")?;
    let path = &settings.csrf_cookie_path;
    let cookie = placed(cookie, settings.csrf_cookie_domain.as_deref(), path, "csrf_cookie")?;
    let cookie = cookie.same_site(same_site(&settings.csrf_cookie_samesite, "csrf_cookie_samesite")?);
    let cookie = cookie.max_age(Some(settings.csrf_cookie_age));
    let readable = !settings.csrf_cookie_httponly;
    Ok(CsrfPlace::Cookie(if readable { cookie.readable_by_scripts() } else { cookie }))
}

fn named(name: &str, secure: bool, setting: &str) -> Result<SecureCookie, String> {
    let lower = name.to_ascii_lowercase();
    if let Some(prefix) =
        ["__Host-", "__Secure-"].into_iter().find(|prefix| lower.starts_with(&prefix.to_ascii_lowercase()))
    {
        // Browsers compare the prefix without regard to case, and Django without any rule.
        if !name.starts_with(prefix) || !secure {
            return Err(format!(
                "{setting} is \"{name}\": a browser takes a cookie of that prefix with Secure alone, and here it is written \
                 {prefix}; serve both sites over TLS with cookie_secure = true, or change the name on the Django site"
            ));
        }
    }
    let cookie = match name.strip_prefix("__Host-") {
        Some(bare) if secure => SecureCookie::new(bare),
        _ => SecureCookie::shared_with_django(name),
    };
    let cookie = cookie.map_err(|error| format!("{setting}: {error}"))?;
    Ok(if secure { cookie } else { cookie.on_loopback() })
}

fn placed(
    cookie: SecureCookie,
    domain: Option<&str>,
    path: &str,
    setting: &str,
) -> Result<SecureCookie, String> {
    let cookie = match domain {
        Some(domain) => cookie.domain(domain).map_err(|error| format!("{setting}_domain: {error}"))?,
        None => cookie,
    };
    cookie.path(path).map_err(|error| format!("{setting}_path: {error}"))
}

fn same_site(text: &str, setting: &str) -> Result<SameSite, String> {
    match text {
        "Lax" => Ok(SameSite::Lax),
        "Strict" => Ok(SameSite::Strict),
        _ => Err(format!(
            "{setting} is \"{text}\", and haechi sets \"Lax\" and \"Strict\" alone: any other cookie goes along with what \
             another site makes a browser send"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, secure: bool, expected: Option<&str>) {
        let cookie = named(name, secure, "session_cookie_name");
        assert_eq!(cookie.as_ref().ok().map(SecureCookie::name), expected, "{name}: {cookie:?}");
        let secured = cookie.map(|cookie| cookie.set("v").unwrap().to_str().unwrap().contains("; Secure;"));
        match secured {
            Ok(secured) => assert_eq!(secured, secure, "{name}"),
            Err(text) => assert!(text.starts_with("session_cookie_name"), "{text}"),
        }
    }

    #[test]
    fn a_cookie_has_the_name_that_django_gave_it_or_none() {
        check("sid", true, Some("sid"));
        check("sid", false, Some("sid"));
        check("__Host-sid", true, Some("__Host-sid"));
        check("__Secure-sid", true, Some("__Secure-sid"));
        for (name, secure) in
            [("__Host-sid", false), ("__Secure-sid", false), ("__secure-sid", true), ("__HOST-sid", true)]
        {
            check(name, secure, None);
        }
        check("a b", true, None);
    }
}
