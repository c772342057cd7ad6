//! The program that writes the section `[django]` from the settings of a real Django.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use haechi::Config;

use crate::django_site::{KEY, python};

#[test]
fn the_exporter_writes_a_section_that_says_what_the_site_is() {
    let Some(python) = python() else { return };
    let exporter = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/command/django/exporter.py");
    let setup = "
import sys, django
from django.conf import settings
settings.configure(SECRET_KEY=sys.argv[1], SECRET_KEY_FALLBACKS=['an \\\"older\\\" key'], TIME_ZONE='Asia/Seoul',
    SESSION_COOKIE_NAME='sid', SESSION_COOKIE_AGE=3600, SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True,
    SESSION_COOKIE_DOMAIN='.example.org', PASSWORD_RESET_TIMEOUT=600, CSRF_USE_SESSIONS=True,
    PASSWORD_HASHERS=['django.contrib.auth.hashers.Argon2PasswordHasher'],
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions'])
django.setup()
exec(open(sys.argv[2]).read())
";
    let output = Command::new(python).args(["-c", setup, KEY]).arg(exporter).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let config = Config::parse(&text, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let django = config.django.unwrap();
    assert_eq!(django.secret_key.expose(), KEY);
    assert_eq!(django.secret_key_fallbacks[0].expose(), "an \"older\" key");
    assert!(
        ["5.2.", "6.0.", "6.1."].iter().any(|line| django.version.starts_with(line)),
        "{}",
        django.version
    );
    assert_eq!((&*django.time_zone, &*django.password_hasher), ("Asia/Seoul", "argon2"));
    assert_eq!(django.session_cookie_name, "sid");
    assert_eq!(django.session_cookie_domain.as_deref(), Some(".example.org"));
    assert_eq!(django.session_cookie_age, Duration::from_secs(3_600));
    assert_eq!(django.password_reset_timeout, Duration::from_secs(600));
    assert!(django.csrf_use_sessions && django.cookie_secure == Some(true) && django.use_tz);
    assert_eq!(django.session_engine, "django.contrib.sessions.backends.db");
}
