"""System checks of the installation as a whole."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from apps.console.demo.people import cast_accounts


@register(Tags.database)
def no_demonstration_in_production(
    databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Refuse the demonstration accounts, whose password everybody knows, outside demo settings.

    Source: house rule
    """
    if settings.HUILIU_DEMO or settings.DEBUG or not databases:
        return []
    if not demonstration_accounts():
        return []
    return [
        Error(
            "正式环境的数据库中有演示账号（口令公开）。",
            hint="正式环境须使用另一个数据库；演示数据不得留用。",
            id="console.E001",
        )
    ]


def demonstration_accounts() -> int:
    """How many of the accounts with the known password exist in the database."""
    from apps.accounts.models import User

    names = [username for username, _ in cast_accounts()]
    try:
        return User.objects.filter(username__in=names).count()
    except DatabaseError:
        return 0  # not migrated yet: nobody is there
