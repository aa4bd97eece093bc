"""What a supervisor of processes asks: is the process alive, and can it serve."""

from collections.abc import Callable

import psycopg
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core.errors import DomainError
from apps.sharing.gateway import pool


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process does; the database is not asked."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Say whether calls can be served: database, migrations, the data plane's login.

    Answers 200 or 503; says which part fails and never why in detail, for anybody may ask.
    """
    checks = {
        "database": _answers(_database),
        "migrations": _answers(_migrations),
        "gateway": _answers(_gateway),
    }
    is_ready = all(checks.values())
    return JsonResponse(
        {
            "status": "ok" if is_ready else "unavailable",
            "checks": {name: "ok" if fine else "failed" for name, fine in checks.items()},
        },
        status=200 if is_ready else 503,
    )


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _gateway() -> bool:
    with pool.connection() as lent:
        return lent.execute("SELECT 1").fetchone() == (1,)


def _answers(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (DatabaseError, psycopg.Error, DomainError):
        return False
