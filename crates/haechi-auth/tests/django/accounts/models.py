"""A custom user model as teams write it: a UUID key, the e-mail address to sign in with, no names."""

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class People(BaseUserManager):
    def create_user(self, email, password):
        person = self.model(email=self.normalize_email(email))
        person.set_password(password)
        person.save()
        return person


class Person(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(db_column="enabled", default=True)
    language = models.CharField(max_length=8, default="en")
    points = models.IntegerField(default=0)
    joined = models.DateTimeField(auto_now_add=True)

    objects = People()
    USERNAME_FIELD = "email"
