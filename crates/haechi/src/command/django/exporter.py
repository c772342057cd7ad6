# Prints the section [django] of haechi.toml from the settings of this site. It holds the SECRET_KEY: write it to a
# file that only the site may read.
#   python manage.py shell -v 0 < exporter.py > django.toml
import json
import django
from django.conf import settings
from django.contrib.auth import load_backend
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import get_hasher
from django.db import connection
from django.utils.module_loading import import_string


def quoted(value):
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise SystemExit("a SECRET_KEY that is no text (UTF-8) cannot be shared: change it, and keep it in SECRET_KEY_FALLBACKS")
    # ASCII alone, whatever the encoding of the terminal; TOML knows no surrogates, which JSON would write.
    text = json.dumps(str(value), ensure_ascii=False)
    return "".join(c if " " <= c < "\x7f" else f"\\U{ord(c):08x}" for c in text)


def line(name, value):
    if value is None:
        return
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int):
        text = str(value)
    elif isinstance(value, (list, tuple)):
        text = f"[{', '.join(quoted(item) for item in value)}]"
    else:
        text = quoted(value)
    print(f"{name} = {text}")


def age(name, seconds):
    print(f'{name} = "{int(seconds)}s"')


def finds_users(path):
    method = getattr(type(load_backend(path)), "get_user", None)
    return method is not None and method is not BaseBackend.get_user


hasher = get_hasher("default")
backends = list(settings.AUTHENTICATION_BACKENDS)
# In whose name people sign in on the other site: Django asks this backend for the user, and some only judge.
usual_backend = "django.contrib.auth.backends.ModelBackend"
backend = usual_backend if usual_backend in backends else next(filter(finds_users, backends), None)
usual = {(5, 2): 1_000_000, (6, 0): 1_200_000, (6, 1): 1_500_000}.get(django.VERSION[:2])
iterations = getattr(hasher, "iterations", None)
secure = {bool(settings.SESSION_COOKIE_SECURE), bool(settings.CSRF_COOKIE_SECURE)}
storage = settings.MESSAGE_STORAGE

print("# These two stand above the sections: reset links are sent from here as well, and without `mail` they go to the log.")
print(f"# mail_from = {quoted(settings.DEFAULT_FROM_EMAIL)}")
print('# mail = "smtp://user:password@host:587"')
print()
print("[django]")
line("secret_key", settings.SECRET_KEY)
line("secret_key_fallbacks", list(settings.SECRET_KEY_FALLBACKS))
line("version", ".".join(str(part) for part in django.VERSION[:3]))
line("time_zone", settings.TIME_ZONE)
# PostgreSQL keeps moments; a database without them has the clock of this zone in its tables.
if connection.vendor != "postgresql" and connection.settings_dict["TIME_ZONE"] not in (None, "UTC"):
    line("database_time_zone", connection.settings_dict["TIME_ZONE"])
line("use_tz", settings.USE_TZ)
line("session_engine", settings.SESSION_ENGINE)
line("session_serializer", settings.SESSION_SERIALIZER)
line("signing_backend", settings.SIGNING_BACKEND)
line("auth_backend", backend)
line("auth_backends", backends)
if backend is None:
    print("# no entry of AUTHENTICATION_BACKENDS finds a user (get_user): nobody who signs in here is known there")
line("password_hasher", hasher.algorithm)
if hasher.algorithm.startswith("pbkdf2") and iterations != usual:
    line("pbkdf2_iterations", iterations)
parameters = {
    "argon2": ["time_cost", "memory_cost", "parallelism"],
    "bcrypt_sha256": ["rounds"],
    "bcrypt": ["rounds"],
    "scrypt": ["work_factor", "block_size", "parallelism"],
}
for parameter in parameters.get(hasher.algorithm, []):
    line(f"{hasher.algorithm.split('_')[0]}_{parameter}", getattr(hasher, parameter))
if hasher.salt_entropy > 131:
    print("# the hasher wants longer salts than haechi's (131 bits): each site would rewrite the other's hashes")
age("password_reset_timeout", settings.PASSWORD_RESET_TIMEOUT)
line("signed_cookie_legacy", getattr(settings, "SIGNED_COOKIE_LEGACY_SALT_FALLBACK", None))
line("message_storage", storage)
if secure == {True}:
    line("cookie_secure", True)
line("session_cookie_name", settings.SESSION_COOKIE_NAME)
line("session_cookie_domain", settings.SESSION_COOKIE_DOMAIN)
line("session_cookie_path", settings.SESSION_COOKIE_PATH)
line("session_cookie_samesite", settings.SESSION_COOKIE_SAMESITE or "None")
age("session_cookie_age", settings.SESSION_COOKIE_AGE)
line("session_expire_at_browser_close", settings.SESSION_EXPIRE_AT_BROWSER_CLOSE)
line("session_save_every_request", settings.SESSION_SAVE_EVERY_REQUEST)
line("csrf_use_sessions", settings.CSRF_USE_SESSIONS)
line("csrf_cookie_name", settings.CSRF_COOKIE_NAME)
line("csrf_cookie_domain", settings.CSRF_COOKIE_DOMAIN)
line("csrf_cookie_path", settings.CSRF_COOKIE_PATH)
line("csrf_cookie_samesite", settings.CSRF_COOKIE_SAMESITE or "None")
age("csrf_cookie_age", settings.CSRF_COOKIE_AGE or 31449600)
line("csrf_cookie_httponly", settings.CSRF_COOKIE_HTTPONLY)
if settings.CSRF_TRUSTED_ORIGINS:
    print("# CSRF_TRUSTED_ORIGINS: name those that send forms to this site in trusted_origins, above the sections, without wildcards")
    print(f"# trusted_origins = [{', '.join(quoted(origin) for origin in settings.CSRF_TRUSTED_ORIGINS)}]")
if settings.AUTH_USER_MODEL != "auth.User":
    print(f"# AUTH_USER_MODEL is {settings.AUTH_USER_MODEL}: name its table in the application with App::users")
if settings.CSRF_HEADER_NAME != "HTTP_X_CSRFTOKEN":
    print(f"# CSRF_HEADER_NAME is {settings.CSRF_HEADER_NAME}: haechi reads X-CSRFToken and X-CSRF-Token")
if import_string(settings.SESSION_ENGINE + ".SessionStore").__name__ != "SessionStore":
    print("# the session store has a name of its own, which salts its signatures: haechi cannot read it")
