"""The platform itself is a user: it carries out what is due (expiry, delivery, reminders)."""

from datetime import UTC, datetime

from django.contrib.auth.hashers import make_password
from django.db import migrations

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def add_platform_user(apps, schema_editor):
    apps.get_model("accounts", "User").objects.get_or_create(
        username="huiliu",
        defaults={
            "name": "平台",
            "kind": "service",
            "password": make_password(None),
            "joined_at": FIRST_DAY,
        },
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_regions_departments_people")]

    operations = [migrations.RunPython(add_platform_user, migrations.RunPython.noop)]
