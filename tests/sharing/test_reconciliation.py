"""Grants are data: whatever is missing or was changed by hand is rebuilt, and said."""

from collections.abc import Callable
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from psycopg import errors, sql

from apps.sharing import naming, provisioning, reconciliation
from apps.sharing import operations as sharing
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


def _let_reader_log_in(grant: Grant) -> None:
    _run("ALTER ROLE {} LOGIN", provisioning.place_of(grant).reader)


def _let_gateway_inherit(grant: Grant) -> None:
    _run("GRANT {} TO huiliu_gateway WITH INHERIT TRUE", provisioning.place_of(grant).reader)


def _let_others_take_it(grant: Grant) -> None:
    _run("GRANT {} TO {} WITH INHERIT FALSE", provisioning.place_of(grant).role, _other())


def _open_table(grant: Grant) -> None:
    _run("ALTER TABLE {}.{} DISABLE ROW LEVEL SECURITY", grant.table_schema, grant.table_name)


def _show_all_rows(grant: Grant) -> None:
    _run("CREATE POLICY everything ON {}.{} USING (true)", grant.table_schema, grant.table_name)


def _show_readers_the_past(grant: Grant) -> None:
    place = provisioning.place_of(grant)
    _run(
        "CREATE POLICY everything ON {}.{} FOR SELECT TO {} USING (true)",
        place.schema,
        place.table_names[1],
        place.readers,
    )


def _show_everybody(grant: Grant) -> None:
    _as_owner(grant, "GRANT SELECT ON share.{} TO PUBLIC", f"g_{grant.pk}")


def _show_others_a_column(grant: Grant) -> None:
    _as_owner(grant, "GRANT SELECT (name) ON share.{} TO {}", f"g_{grant.pk}", _other())


def _as_owner(grant: Grant, statement: str, *names: str) -> None:
    with transaction.atomic():
        _run("SET LOCAL ROLE {}", provisioning.place_of(grant).role)
        _run(statement, *names)


def _other() -> str:
    return naming.trial_role(provisioning.database())


@pytest.mark.parametrize(
    "damage",
    [
        _lose_role,
        _widen,
        _grant_more,
        _drop_view,
        _revoke,
        _forget_reader,
        _let_reader_log_in,
        _let_gateway_inherit,
        _let_others_take_it,
        _open_table,
        _show_all_rows,
        _show_readers_the_past,
        _show_everybody,
        _show_others_a_column,
    ],
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


@pytest.mark.parametrize("suffix", ["", "__past"])
def test_a_suspended_grant_of_which_one_view_is_open_is_closed(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read, suffix: str
) -> None:
    sharing.suspend(
        grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
    )
    view, reader = f"g_{landed_grant.pk}{suffix}", provisioning.place_of(landed_grant).reader
    _as_owner(landed_grant, "GRANT SELECT ON share.{} TO {}", view, reader)
    assert len(list(reconciliation.reconcile())) == 1
    with pytest.raises(errors.InsufficientPrivilege):
        read(landed_grant, f"SELECT * FROM share.{view}")


def test_a_suspension_takes_the_views_from_everybody(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    _show_everybody(landed_grant)
    sharing.suspend(
        grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
    )
    with pytest.raises(errors.InsufficientPrivilege):
        read(landed_grant, f"SELECT * FROM share.g_{landed_grant.pk}")


def test_what_it_cannot_mend_it_says_each_time(landed_grant: Grant) -> None:
    _run("GRANT {} TO {}", _other(), provisioning.place_of(landed_grant).reader)
    for _time in range(2):
        (repair,) = reconciliation.reconcile()
        assert (repair.subject, repair.failed) == (str(landed_grant), True)


def test_a_login_that_is_open_in_the_server_alone_is_shut(landed_grant: Grant) -> None:
    """The database was restored; the roles are newer."""
    system, password = landed_grant.system_id, "of-a-later-day"
    provisioning.persistently(lambda: provisioning.open_login(system, password))
    (repair,) = reconciliation.reconcile()
    assert repair.subject == naming.role_of_login(provisioning.database(), system)
    assert list(reconciliation.reconcile()) == []


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
