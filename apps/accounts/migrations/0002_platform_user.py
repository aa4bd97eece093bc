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
    # The packages' own migrations come first, while there are few models: each of their changes to
    # what points at a user makes Django build every model anew that points there, too.
    dependencies = [
        ("accounts", "0001_regions_departments_people"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("axes", "0010_accessattemptexpiration"),
        (
            "guardian",
            "0003_remove_groupobjectpermission_guardian_gr_content_ae6aec_idx_and_more",
        ),
        ("mfa", "0003_authenticator_type_uniq"),
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [migrations.RunPython(add_platform_user, migrations.RunPython.noop)]
