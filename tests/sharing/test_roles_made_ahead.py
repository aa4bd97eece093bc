"""Roles that stand before their grants: how many, what they may, what a decision makes of them."""

from datetime import datetime

import pytest
from django.db import connection
from psycopg import sql

from apps.sharing import naming, provisioning, reconciliation
from apps.sharing import operations as sharing
from apps.sharing.models import Grant
from apps.sharing.provisioning.roles import make_owners
from apps.sharing.tasks import reserve_roles
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sharing import ROWS, Scene
from tests.sharing.conftest import Read


def _role(number: int) -> str:
    return naming.role_of_grant(provisioning.database(), number)


def _run(statement: str, *roles: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, roles)))


def _oid(role: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT oid FROM pg_roles WHERE rolname = %s", [role])
        found = cursor.fetchone()
    return int(found[0]) if found else 0


def _memberships() -> list[tuple[int, ...]]:
    """Those of this database's roles; other tests make theirs in the same server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.oid, m.roleid, m.member FROM pg_auth_members m"
            " JOIN pg_roles r ON r.oid IN (m.roleid, m.member)"
            " WHERE starts_with(r.rolname, %s) ORDER BY m.oid",
            [f"{provisioning.database()}_"],
        )
        return list(cursor.fetchall())


@pytest.fixture
def foundation(server: None) -> None:
    provisioning.persistently(provisioning.ensure_foundation)


@pytest.mark.usefixtures("server")
def test_a_portal_without_a_grant_needs_none() -> None:
    assert provisioning.reserve_roles(ahead=1) == 0


@pytest.mark.usefixtures("foundation")
class TestReserve:
    def test_the_roles_of_the_next_grants_and_of_all_systems_are_made_once(self) -> None:
        system = InformationSystemFactory()
        provisioning.reserve_roles(ahead=5, at_once=2)
        last = provisioning.last_number()
        assert all(provisioning.is_blank(_role(last + place)) for place in range(1, 6))
        assert not _oid(_role(last + 6))
        assert _oid(naming.role_of_system(provisioning.database(), system.pk))
        assert provisioning.reserve_roles(ahead=5) == 0
        assert provisioning.reserve_roles(ahead=6) == 1

    def test_the_worker_makes_them(self) -> None:
        reserve_roles(timestamp=0)
        assert provisioning.is_blank(_role(provisioning.last_number() + 100))

    def test_only_unused_ones_of_grants_to_come_outlive_a_reconciliation(self) -> None:
        provisioning.reserve_roles(ahead=3)
        last = provisioning.last_number()
        stray = _role(last + 2)
        _run("ALTER ROLE {0} LOGIN", stray)
        provisioning.persistently(lambda: make_owners([_role(last)]))
        assert [repair.subject for repair in reconciliation.reconcile()] == [_role(last), stray]
        assert list(reconciliation.reconcile()) == []
        assert all(provisioning.is_blank(_role(last + place)) for place in (1, 3))

    def test_a_grant_that_comes_during_a_reconciliation_keeps_its_role(
        self, landed_scene: Scene, now: datetime, read: Read
    ) -> None:
        provisioning.reserve_roles(ahead=1)
        stray = _role(provisioning.last_number())
        provisioning.persistently(lambda: make_owners([stray]))
        repairs = reconciliation.reconcile()
        assert next(repairs).subject == stray
        grant = stories.delivered(landed_scene, now, items={"name": ""}).grant
        assert list(repairs) == []
        assert read(grant, f"SELECT count(*) FROM share.g_{grant.pk}") == [(len(ROWS),)]

    @pytest.mark.parametrize("how", ["end", "expire"])
    def test_a_grant_that_still_waits_is_closed_though_its_role_stands(
        self, landed_scene: Scene, now: datetime, how: str
    ) -> None:
        provisioning.reserve_roles(ahead=1)
        grant = stories.grant_in("delivering", landed_scene, now)
        assert provisioning.is_blank(_role(grant.pk))
        if how == "end":
            sharing.end(grant=grant, actor=landed_scene.provider_head, at=now, reason="不再需要")
        else:
            sharing.expire(grant=grant, at=grant.expires_at)
        assert sharing.carry_out_due(now) == []
        assert not _oid(_role(grant.pk))


class TestProvisioning:
    def test_a_decision_takes_the_role_made_for_it_and_changes_no_membership(
        self, landed_scene: Scene, now: datetime, read: Read
    ) -> None:
        provisioning.persistently(provisioning.ensure_foundation)
        provisioning.reserve_roles(ahead=1)
        ahead, before = _oid(_role(provisioning.last_number() + 1)), _memberships()
        grant = stories.delivered(landed_scene, now, items={"name": ""}).grant
        assert (ahead, _memberships()) == (_oid(_role(grant.pk)), before)
        assert read(grant, f"SELECT count(*) FROM share.g_{grant.pk}") == [(len(ROWS),)]

    def test_a_grant_provisioned_again_keeps_its_role(
        self, landed_grant: Grant, read: Read
    ) -> None:
        role, before = _oid(_role(landed_grant.pk)), _memberships()
        provisioning.persistently(lambda: provisioning.provision(landed_grant))
        assert (role, _memberships()) == (_oid(_role(landed_grant.pk)), before)
        assert read(landed_grant, f"SELECT count(*) FROM share.g_{landed_grant.pk}") == [(3,)]

    @pytest.mark.parametrize(
        "statement",
        [
            "ALTER ROLE {0} LOGIN",
            "GRANT {0} TO {1} WITH INHERIT FALSE",
            "GRANT {1} TO {0}",
            "REVOKE {2} FROM {0}",
        ],
        ids=["may log in", "is taken by others", "belongs to others", "reads no masks"],
    )
    def test_a_role_that_is_not_as_it_was_made_is_made_anew(
        self, landed_grant: Grant, read: Read, statement: str
    ) -> None:
        role = _role(landed_grant.pk)
        other = naming.trial_role(provisioning.database())
        _run(statement, role, other, naming.readers_role(provisioning.database()))
        old = _oid(role)
        provisioning.persistently(lambda: provisioning.provision(landed_grant))
        assert _oid(role) not in (0, old)
        assert read(landed_grant, f"SELECT count(*) FROM share.g_{landed_grant.pk}") == [(3,)]
        assert list(reconciliation.reconcile()) == []
