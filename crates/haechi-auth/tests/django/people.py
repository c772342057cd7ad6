"""One command of a Django site whose AUTH_USER_MODEL is accounts.Person: people.py ENGINE NAME SCHEMA COMMAND …"""

import sys
from pathlib import Path

import django
from django.conf import settings

engine, name, schema, command, *arguments = sys.argv[1:]
sys.path.insert(0, str(Path(__file__).parent))
database = {"ENGINE": f"django.db.backends.{engine}", "NAME": name}
if engine == "postgresql":
    host, port, user, name = name.split()
    database |= {"HOST": host, "PORT": port, "USER": user, "NAME": name}
    database["OPTIONS"] = {"options": f"-c search_path={schema}"}
settings.configure(
    SECRET_KEY="oracle-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "accounts"],
    AUTH_USER_MODEL="accounts.Person",
    DATABASES={"default": database},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import authenticate, get_user_model  # noqa: E402
from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402
from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.contrib.auth.tokens import default_token_generator  # noqa: E402
from django.core.management import call_command  # noqa: E402

# What is looked at here is not the work.
PBKDF2PasswordHasher.iterations = 1000
people = get_user_model().objects


def permission(codename):
    return Permission.objects.get(content_type__app_label="accounts", codename=codename)


def migrate():
    call_command("migrate", verbosity=0)


def makemigrations():
    call_command("makemigrations", "accounts")


def create(email, password):
    person = people.create_user(email, password)
    person.user_permissions.add(permission("add_person"))
    group, _ = Group.objects.get_or_create(name="editors")
    group.permissions.add(permission("change_person"))
    person.groups.add(group)
    print(person.pk)


def sign_in(email, password):
    person = authenticate(email=email, password=password)
    print(person and person.pk)


def show(email):
    person = people.get(email=email)
    print(person.pk, person.language, person.points, person.is_active, person.last_login is not None, person.joined.year)


def rights(email):
    print(*sorted(people.get(email=email).get_all_permissions()))


def token(email):
    print(default_token_generator.make_token(people.get(email=email)))


def check_token(email, token):
    print(default_token_generator.check_token(people.get(email=email), token))


def disable(email):
    people.filter(email=email).update(is_active=False)


globals()[command](*arguments)
