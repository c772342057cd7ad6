"""A small Django site for the tests of the shared mode: its own tables, its own sign-in, one process."""

import json
import os
import sys
import time
from wsgiref.simple_server import WSGIRequestHandler, make_server

DATABASE = json.loads(os.environ["SITE_DATABASE"])
SETTINGS = json.loads(os.environ.get("SITE_SETTINGS", "{}"))

# As Django does for settings in a module: its stamps are of this local clock.
os.environ["TZ"] = SETTINGS.get("TIME_ZONE", "UTC")
time.tzset()

from django.conf import settings

# A user model of the site's own, by the name that Django knows it by.
MODEL = SETTINGS.get("AUTH_USER_MODEL", "auth.User")
if MODEL != "auth.User":
    sys.path.insert(0, os.environ["SITE_MODELS"])

settings.configure(
    **{
        "SECRET_KEY": os.environ["SITE_KEY"],
        "DEBUG": False,
        "ALLOWED_HOSTS": ["localhost"],
        "ROOT_URLCONF": __name__,
        "USE_TZ": True,
        "DATABASES": {"default": DATABASE},
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            *([MODEL.split(".")[0]] if MODEL != "auth.User" else []),
        ],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "MIDDLEWARE": [
            "django.middleware.common.CommonMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        "PASSWORD_HASHERS": [__name__ + ".Quick"],
        **SETTINGS,
    }
)
import django

django.setup()

from django.contrib import auth, messages
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    BCryptPasswordHasher,
    BCryptSHA256PasswordHasher,
    PBKDF2PasswordHasher,
    ScryptPasswordHasher,
)
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.tokens import default_token_generator
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode


User = auth.get_user_model()


class Quick(PBKDF2PasswordHasher):
    iterations = 20_000


class Argon2(Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 3, 1024, 2


class BCrypt(BCryptSHA256PasswordHasher):
    rounds = 5


class PlainBCrypt(BCryptPasswordHasher):
    rounds = 6


class Scrypt(ScryptPasswordHasher):
    work_factor, block_size, parallelism = 1024, 4, 2


class Gate:
    """Judges a sign-in and finds nobody, as the AxesStandaloneBackend of django-axes."""

    def authenticate(self, request, **credentials):
        return None


class Second(ModelBackend):
    pass


def whoami(request):
    user = request.user
    return JsonResponse(
        {
            "authenticated": user.is_authenticated,
            "username": user.get_username(),
            "permissions": sorted(user.get_all_permissions()) if user.is_authenticated else [],
            "session_keys": sorted(request.session.keys()),
        }
    )


def login(request):
    user = auth.authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse("no", status=401)
    auth.login(request, user, backend=request.POST.get("backend"))
    return HttpResponse("signed in")


def logout(request):
    auth.logout(request)
    return HttpResponse("signed out")


def password(request):
    request.user.set_password(request.POST["new"])
    request.user.save()
    auth.update_session_auth_hash(request, request.user)
    return HttpResponse("changed")


def column(request):
    return HttpResponse(User.objects.get_by_natural_key(request.GET["username"]).password)


def token(request):
    return JsonResponse({"csrftoken": get_token(request)})


def link(request):
    user = User.objects.get_by_natural_key(request.GET["username"])
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return HttpResponse(f"/reset/{uid}/{default_token_generator.make_token(user)}/")


def reset(request, uid, token):
    user = User.objects.get(pk=force_str(urlsafe_base64_decode(uid)))
    if not default_token_generator.check_token(user, token):
        raise Http404
    return HttpResponse(user.get_username())


def exotic(request):
    value = [float("nan"), float("inf"), "\ud800", 2**70, "zoë ☃ 😀", 1e22, {"a": None}]
    for _ in range(int(request.GET.get("deep", "0"))):
        value = [value]
    request.session["exotic"] = value + ["x" * int(request.GET.get("long", "0"))]
    return HttpResponse("kept")


def raw(request):
    return HttpResponse(json.dumps(dict(request.session.items()).get("exotic")))


def value(request):
    return HttpResponse(str(request.session.get(request.GET["name"])))


def message_add(request):
    text = request.GET["m"]
    if request.GET.get("safe"):
        from django.utils.safestring import mark_safe

        text = mark_safe(text)
    for _ in range(int(request.GET.get("times", "1"))):
        messages.add_message(request, int(request.GET["level"]), text, extra_tags=request.GET.get("tags", ""))
    return HttpResponse("added")


def message_list(request):
    found = messages.get_messages(request)
    return JsonResponse(
        {
            "messages": [
                {"level": m.level, "message": m.message, "tags": m.tags, "safe": hasattr(m.message, "__html__")}
                for m in found
            ]
        }
    )


def cookie_set(request):
    response = HttpResponse("set")
    response.set_signed_cookie(request.GET["name"], request.GET["value"], salt=request.GET.get("salt", ""))
    return response


def cookie_get(request):
    return HttpResponse(request.get_signed_cookie(request.GET["name"], "bad", salt=request.GET.get("salt", "")))


def expiry(request):
    request.session.set_expiry(json.loads(request.GET["seconds"]))
    return HttpResponse("set")


urlpatterns = [
    path("whoami", whoami),
    path("login", login),
    path("logout", logout),
    path("password", password),
    path("column", column),
    path("csrf-token", token),
    path("link", link),
    path("reset/<uid>/<token>/", reset),
    path("exotic", exotic),
    path("raw", raw),
    path("value", value),
    path("message-add", message_add),
    path("messages", message_list),
    path("cookie-set", cookie_set),
    path("cookie-get", cookie_get),
    path("expiry", expiry),
    path("post", lambda request: HttpResponse("posted " + request.method)),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


def main():
    call_command("migrate", verbosity=0)
    for name in "ada", "bob":
        names = (name,) if User.USERNAME_FIELD == "username" else ()
        User.objects.create_user(*names, name + "@example.org", "a long walk by the river")
    ada = User.objects.get(email="ada@example.org")
    ada.user_permissions.add(Permission.objects.get(codename="add_group"))
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
    print(server.server_port, django.get_version(), flush=True)
    # The test holds our standard input: where it ends, so do we.
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
