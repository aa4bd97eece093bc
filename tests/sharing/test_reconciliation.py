"""Grants are data: whatever is missing or was changed by hand is rebuilt, and said."""

from collections.abc import Callable
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import errors, sql

from apps.sharing import operations as sharing
from apps.sharing import provisioning, reconciliation
from apps.sharing.models import Grant
from tests.factories.sharing import Scene
from tests.sharing.conftest import Read


def _run(statement: str, *names: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _lose_role(grant: Grant) -> None:
    provisioning.persistently(lambda: provisioning.tear_down(grant))


def _grant_more(grant: Grant) -> None:
    role = provisioning.place_of(grant).role
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("GRANT SELECT (amount) ON {} TO {}").format(
                sql.Identifier(grant.table_schema, grant.table_name), sql.Identifier(role)
            )
        )


def _widen(grant: Grant) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("ALTER POLICY {} ON {} USING (true)").format(
                sql.Identifier(f"g_{grant.pk}"),
                sql.Identifier(grant.table_schema, grant.table_name),
            )
        )


def _drop_view(grant: Grant) -> None:
    _run("DROP VIEW {}.{}", "share", f"g_{grant.pk}__past")


def _revoke(grant: Grant) -> None:
    provisioning.persistently(lambda: provisioning.revoke(grant))


def _forget_reader(grant: Grant) -> None:
    place = provisioning.place_of(grant)
    _run("REVOKE {} FROM {}", place.reader, "huiliu_gateway")


@pytest.mark.parametrize(
    "damage", [_lose_role, _widen, _grant_more, _drop_view, _revoke, _forget_reader]
)
def test_it_rebuilds_what_was_damaged_and_says_so(
    landed_grant: Grant, read: Read, damage: Callable[[Grant], None]
) -> None:
    assert list(reconciliation.reconcile()) == []
    damage(landed_grant)
    (repair,) = reconciliation.reconcile()
    assert repair.subject == str(landed_grant)
    assert not repair.failed
    assert list(reconciliation.reconcile()) == []
    assert read(landed_grant, f"SELECT count(*) FROM share.g_{landed_grant.pk}") == [(3,)]


def test_a_suspended_grant_is_rebuilt_suspended(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    sharing.suspend(
        grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
    )
    assert list(reconciliation.reconcile()) == []
    provisioning.persistently(lambda: provisioning.allow(landed_grant))
    assert len(list(reconciliation.reconcile())) == 1
    with pytest.raises(errors.InsufficientPrivilege):
        read(landed_grant, f"SELECT * FROM share.g_{landed_grant.pk}")


def test_what_belongs_to_no_grant_is_removed(landed_grant: Grant) -> None:
    place = provisioning.place_of(landed_grant)
    Grant.objects.filter(pk=landed_grant.pk).update(status="expired")
    (repair,) = reconciliation.reconcile()
    assert repair.subject == place.role
    assert provisioning.state(place) == ""


def test_the_command_tells(landed_grant: Grant) -> None:
    told = StringIO()
    call_command("reconcile_grants", stdout=told)
    assert "一致" in told.getvalue()
    _drop_view(landed_grant)
    told = StringIO()
    call_command("reconcile_grants", stdout=told)
    assert str(landed_grant) in told.getvalue()
