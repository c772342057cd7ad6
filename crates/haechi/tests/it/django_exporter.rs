//! The program that writes the section `[django]` from the settings of a real Django.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use haechi::Config;

use crate::django_site::{KEY, python};

/// Returns what the program prints for a site with `settings`, and what is read of it.
#[track_caller]
fn exported(settings: &str) -> Option<(String, haechi::config::Django)> {
    let python = python()?;
    let exporter = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/command/django/exporter.py");
    let program = format!(
        "
import sys, types, django
from django.conf import settings
settings.configure(**{{'SECRET_KEY': sys.argv[1],
    'INSTALLED_APPS': ['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions'], **dict({settings})}})
django.setup()
from django.contrib.auth.backends import BaseBackend, ModelBackend
site = sys.modules['site_of_test'] = types.ModuleType('site_of_test')
site.Gate = type('Gate', (), {{}})
site.Base = type('Base', (BaseBackend,), {{}})
from django.contrib.auth import hashers
site.Scrypt = type('Scrypt', (hashers.ScryptPasswordHasher,), {{'work_factor': 1024, 'block_size': 4, 'parallelism': 2}})
site.BCrypt = type('BCrypt', (hashers.BCryptSHA256PasswordHasher,), {{'rounds': 5}})
site.Pbkdf2 = type('Pbkdf2', (hashers.PBKDF2PasswordHasher,), {{'iterations': 20000}})
site.Own = type('Own', (ModelBackend,), {{}})
exec(open(sys.argv[2]).read())
"
    );
    let output = Command::new(python).args(["-c", &program, KEY]).arg(exporter).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let config = Config::parse(&text, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Some((text, config.django.unwrap()))
}

#[test]
fn the_exporter_writes_a_section_that_says_what_the_site_is() {
    let settings =
        "SECRET_KEY_FALLBACKS=['an \"older\" key'], TIME_ZONE='Asia/Seoul', SESSION_COOKIE_NAME='sid',
        SESSION_COOKIE_AGE=3600, SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True,
        SESSION_COOKIE_DOMAIN='.example.org', PASSWORD_RESET_TIMEOUT=600, DEFAULT_FROM_EMAIL='Site <site@example.org>',
        CSRF_TRUSTED_ORIGINS=['https://shop.example.org'], CSRF_USE_SESSIONS=True,
        PASSWORD_HASHERS=['django.contrib.auth.hashers.Argon2PasswordHasher']";
    let Some((text, django)) = exported(settings) else { return };
    assert!(text.contains("# trusted_origins = [\"https://shop.example.org\"]\n"), "{text}");
    assert!(text.contains("# mail_from = \"Site <site@example.org>\"\n"), "{text}");
    assert_eq!(django.secret_key.expose(), KEY);
    assert_eq!(django.secret_key_fallbacks[0].expose(), "an \"older\" key");
    assert!(
        ["5.2.", "6.0.", "6.1."].iter().any(|line| django.version.starts_with(line)),
        "{}",
        django.version
    );
    assert_eq!((&*django.time_zone, &*django.password_hasher), ("Asia/Seoul", "argon2"));
    let argon2 = (django.argon2_time_cost, django.argon2_memory_cost, django.argon2_parallelism);
    assert_eq!(argon2, (Some(2), Some(102_400), Some(8)));
    assert_eq!(django.session_cookie_name, "sid");
    assert_eq!(django.session_cookie_domain.as_deref(), Some(".example.org"));
    assert_eq!(django.session_cookie_age, Duration::from_secs(3_600));
    assert_eq!(django.password_reset_timeout, Duration::from_secs(600));
    assert!(django.csrf_use_sessions && django.cookie_secure == Some(true) && django.use_tz);
    assert_eq!(django.session_engine, "django.contrib.sessions.backends.db");
}

/// Django asks the backend that a session names for its user: one that only judges finds nobody.
#[test]
fn the_exporter_names_all_backends_and_one_that_finds_users() {
    #[track_caller]
    fn check(list: &[&str], expected: &str) {
        let Some((_, django)) = exported(&format!("AUTHENTICATION_BACKENDS={list:?}")) else { return };
        assert_eq!(
            (&*django.auth_backend, django.auth_backends.iter().map(|path| &**path).collect::<Vec<_>>()),
            (expected, list.to_vec())
        );
    }
    let model = "django.contrib.auth.backends.ModelBackend";
    check(&[model], model);
    check(&["site_of_test.Gate", model], model);
    check(&["site_of_test.Own", model], model);
    check(&["site_of_test.Gate", "site_of_test.Base", "site_of_test.Own"], "site_of_test.Own");
}

#[test]
fn the_exporter_names_the_parameters_of_the_preferred_hasher() {
    #[track_caller]
    fn check(class: &str, expected: &[&str]) {
        let Some((text, _)) = exported(&format!("PASSWORD_HASHERS=['site_of_test.{class}']")) else { return };
        for line in expected {
            assert!(text.lines().any(|printed| printed == *line), "{line}: {text}");
        }
    }
    check("Scrypt", &["scrypt_work_factor = 1024", "scrypt_block_size = 4", "scrypt_parallelism = 2"]);
    check("BCrypt", &["password_hasher = \"bcrypt_sha256\"", "bcrypt_rounds = 5"]);
    check("Pbkdf2", &["pbkdf2_iterations = 20000"]);
}

/// The key is bytes in some sites, and any text in a setting is what TOML reads again.
#[test]
fn the_exporter_writes_texts_that_are_read_as_they_are() {
    #[track_caller]
    fn check(key: &str, expected: &str) {
        let settings = format!("SECRET_KEY={key}, SECRET_KEY_FALLBACKS=[{key}]");
        let Some((_, django)) = exported(&settings) else { return };
        assert_eq!(django.secret_key.expose(), expected);
        assert_eq!(django.secret_key_fallbacks[0].expose(), expected);
    }
    check("b'a-key-in-bytes-9f1c03e87b6d4a52c0fe1893'", "a-key-in-bytes-9f1c03e87b6d4a52c0fe1893");
    check("'zo\\u00eb-\\U0001f600-key'.encode()", "zo\u{eb}-\u{1f600}-key");
    check("'\\U0001f600 \\u2603 \\x7f\\n\\x00\\t\"\\\\'", "\u{1f600} \u{2603} \u{7f}\n\0\t\"\\");
}

#[test]
fn the_exporter_names_a_time_zone_of_a_database_that_keeps_clocks() {
    #[track_caller]
    fn check(database: &str, expected: Option<&str>) {
        let Some((_, django)) = exported(&format!("DATABASES={{'default': {database}}}")) else { return };
        assert_eq!(django.database_time_zone.as_deref(), expected, "{database}");
    }
    check("{'ENGINE': 'django.db.backends.sqlite3'}", None);
    check("{'ENGINE': 'django.db.backends.sqlite3', 'TIME_ZONE': 'UTC'}", None);
    check("{'ENGINE': 'django.db.backends.sqlite3', 'TIME_ZONE': 'Asia/Seoul'}", Some("Asia/Seoul"));
    check("{'ENGINE': 'django.db.backends.postgresql', 'NAME': 'x', 'TIME_ZONE': 'Asia/Seoul'}", None);
}
