//! Single settings of a Django site, each read or refused with its reason.

use haechi_core::{KeyRing, SecretKey};
use haechi_session::MessageStorage;
use jiff::tz::TimeZone;

use super::Engine;
use crate::config;

/// Reads the keys. A key that could be guessed is refused in production; see [`warnings`] for the others.
pub(super) fn keys(settings: &config::Django, development: bool) -> Result<KeyRing, String> {
    let read = |text: &str, name: &str| {
        let key = SecretKey::shared_with_django(text).map_err(|error| format!("{name}: {error}"))?;
        if !development && (text.chars().count() < SHORTEST_KEY || distinct(text) < LEAST_DISTINCT) {
            return Err(format!(
                "{name} could be guessed, and whoever guesses it signs in as anyone on both sites: make another on the \
                 Django site (get_random_secret_key) and keep this one in SECRET_KEY_FALLBACKS for no longer than \
                 its sessions need"
            ));
        }
        Ok(key)
    };
    let first = KeyRing::new(read(settings.secret_key.expose(), "secret_key")?);
    settings
        .secret_key_fallbacks
        .iter()
        .try_fold(first, |ring, text| Ok(ring.with_fallback(read(text.expose(), "secret_key_fallbacks")?)))
}

/// What Django's own `check --deploy` would warn of (W009, W025).
pub(super) fn warnings(settings: &config::Django) -> Vec<String> {
    let weak = |text: &str| text.len() < 50 || distinct(text) < 5 || text.starts_with("django-insecure-");
    let mut warnings = Vec::new();
    if weak(settings.secret_key.expose()) {
        warnings.push(
            "the SECRET_KEY of the Django site is short, or one that startproject wrote into a file: Django warns of it \
             as well (security.W009); change it there, and keep the old one in SECRET_KEY_FALLBACKS meanwhile"
                .to_owned(),
        );
    }
    let in_cookies = engine(&settings.session_engine) == Ok(Engine::SignedCookies);
    if in_cookies && settings.auth_backends.iter().any(|path| *path != settings.auth_backend) {
        warnings.push(format!(
            "sessions in signed cookies are shared in the name of {} alone: who signed in there through another of \
             auth_backends is nobody here; the engine `db` shares all of them",
            settings.auth_backend
        ));
    }
    if settings.secret_key_fallbacks.iter().any(|key| weak(key.expose())) {
        warnings.push("a key of SECRET_KEY_FALLBACKS is weak (security.W025): take it out soon".to_owned());
    }
    warnings
}

fn distinct(text: &str) -> usize {
    let mut seen: Vec<char> = text.chars().collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

pub(super) fn engine(text: &str) -> Result<Engine, String> {
    let bare = text.strip_prefix("django.contrib.sessions.backends.").unwrap_or(text);
    let why = match bare {
        "db" => return Ok(Engine::Database),
        "signed_cookies" => return Ok(Engine::SignedCookies),
        "cached_db" => "its cache still answers for a session that was ended here",
        "cache" => "its sessions stand in a cache of Django's own, in a form that only Python reads",
        "file" => "its sessions stand in files of that machine, which this site neither sees nor ends",
        _ => "a session engine of one's own may sign and store sessions in any way",
    };
    Err(format!(
        "session_engine is \"{text}\": {why}; set SESSION_ENGINE = \"django.contrib.sessions.backends.db\" on the Django \
         site (people sign in once more), or \"…signed_cookies\""
    ))
}

pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        format!("time_zone is \"{name}\", which is no time zone; copy TIME_ZONE, as in \"America/New_York\"")
    })
}

pub(super) fn message_storage(text: &str) -> Result<MessageStorage, String> {
    match text {
        "fallback" | "django.contrib.messages.storage.fallback.FallbackStorage" => {
            Ok(MessageStorage::Fallback)
        }
        "cookie" | "django.contrib.messages.storage.cookie.CookieStorage" => Ok(MessageStorage::Cookie),
        "session" | "django.contrib.messages.storage.session.SessionStorage" => Ok(MessageStorage::Session),
        _ => Err(format!(
            "message_storage is \"{text}\", and haechi reads fallback, cookie and session: a storage of one's own may keep \
             messages in any way"
        )),
    }
}

/// Refuses formats of which there is no telling how they are read.
pub(super) fn formats(settings: &config::Django) -> Result<(), String> {
    if settings.session_serializer != "django.contrib.sessions.serializers.JSONSerializer" {
        return Err(format!(
            "session_serializer is \"{}\": only Python can read what it writes, and reading pickles of others runs their \
             code; set SESSION_SERIALIZER to django.contrib.sessions.serializers.JSONSerializer",
            settings.session_serializer
        ));
    }
    if settings.signing_backend != "django.core.signing.TimestampSigner" {
        return Err(format!(
            "signing_backend is \"{}\": haechi verifies what django.core.signing.TimestampSigner signs, and cannot know \
             what another one does; take SIGNING_BACKEND out of the settings",
            settings.signing_backend
        ));
    }
    if !settings.use_tz {
        return Err("use_tz is false: the times in the tables are then of a local clock, and an hour of each year stands \
             there twice; set USE_TZ = True on the Django site"
            .to_owned());
    }
    if let Some(zone) = settings.database_time_zone.as_deref().filter(|zone| *zone != "UTC") {
        return Err(format!(
            "database_time_zone is \"{zone}\": the times in its tables are of that zone's clock, and would be read hours off, \
             sessions that ended among them; take TIME_ZONE out of DATABASES[\"default\"] on the Django site and convert \
             the rows"
        ));
    }
    Ok(())
}

/// Reads the paths of `AUTHENTICATION_BACKENDS`.
pub(super) fn backends(settings: &config::Django) -> Result<(), String> {
    let own = &settings.auth_backend;
    let dotted = |path: &&String| path.contains('.') && path.split('.').all(|part| !part.is_empty());
    let all = std::iter::once(own).chain(&settings.auth_backends);
    if let Some(path) = all.into_iter().find(|path| !dotted(path)) {
        return Err(format!(
            "auth_backend is \"{path}\", and must be a dotted path that AUTHENTICATION_BACKENDS lists: Django takes a \
             visitor of any other for nobody"
        ));
    }
    if !settings.auth_backends.is_empty() && !settings.auth_backends.contains(own) {
        return Err(format!(
            "auth_backend is \"{own}\", which auth_backends does not list: Django would take who signs in here for nobody; \
             name one of the list that can find a user (get_user)"
        ));
    }
    Ok(())
}

/// A key of fewer characters can be tried out against one signed cookie.
const SHORTEST_KEY: usize = 20;
const LEAST_DISTINCT: usize = 5;
