"""The table under a grant changes: the grant reads on, through views made in the same moment."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset, DatasetVersion
from apps.core.contracts import Column, Contract
from apps.core.errors import Conflict
from apps.sharing import operations as sharing
from apps.sharing import provisioning
from apps.sharing.models import Grant
from apps.sharing.reconciliation import reconcile
from apps.warehouse import physical
from tests import stories
from tests.factories.sharing import Scene
from tests.sharing.conftest import Read


def publish(dataset: Dataset, at: datetime, *columns: Column) -> None:
    current = catalog.current_version(dataset)
    assert current is not None
    contract = replace(Contract.from_json(current.contract), columns=columns)
    DatasetVersion.objects.create(
        dataset=dataset,
        number=current.number + 1,
        contract=contract.to_json(),
        snapshot={},
        published_at=at,
    )


def columns_of(dataset: Dataset, **changes: dict[str, Any]) -> tuple[Column, ...]:
    return tuple(
        replace(each, **changes.get(each.name, {})) for each in catalog.contract_of(dataset).columns
    )


def test_a_grant_reads_on_when_a_column_is_widened(
    landed_grant: Grant, landed_scene: Scene, read: Read, now: datetime
) -> None:
    statement = f"SELECT name, registered_on FROM share.g_{landed_grant.pk} ORDER BY _id"
    before = read(landed_grant, statement)
    dataset = landed_scene.dataset
    publish(dataset, now, *columns_of(dataset, registered_on={"type": "T"}))
    physical.ensure_table(dataset)
    after = read(landed_grant, statement)
    assert [row[0] for row in after] == [row[0] for row in before]
    assert [row[1].date() for row in after] == [row[1] for row in before]
    past = read(landed_grant, f"SELECT count(*) FROM share.g_{landed_grant.pk}__past")
    assert past == [(0,)]
    assert list(reconcile()) == []


def test_a_suspended_grant_stays_suspended(
    landed_grant: Grant, landed_scene: Scene, now: datetime
) -> None:
    sharing.suspend(grant=landed_grant, actor=landed_scene.authority, at=now, reason="核查")
    dataset = landed_scene.dataset
    publish(dataset, now, *columns_of(dataset, registered_on={"type": "T"}))
    physical.ensure_table(dataset)
    assert provisioning.is_read_by(provisioning.place_of(landed_grant), ())
    assert list(reconcile()) == []


def test_a_table_does_not_follow_when_a_grant_cannot(
    landed_scene: Scene, read: Read, now: datetime
) -> None:
    dataset = landed_scene.dataset
    grant = stories.delivered(
        landed_scene,
        now,
        items={"name": ""},
        row_condition=[{"item": "division_code", "operator": "is_null", "value": True}],
    ).grant
    statement = f"SELECT * FROM share.g_{grant.pk} ORDER BY _id"
    before = read(grant, statement)
    publish(
        dataset,
        now,
        *(
            replace(each, type="T") if each.name == "registered_on" else each
            for each in columns_of(dataset)
            if each.name != "division_code"
        ),
    )
    with pytest.raises(Conflict) as refused:
        physical.ensure_table(dataset)
    assert refused.value.code == "grant_cannot_follow"
    assert str(grant) in str(refused.value)
    assert read(grant, statement) == before
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attname = 'registered_on'",
            [f"{grant.table_schema}.{grant.table_name}"],
        )
        assert cursor.fetchone() == ("date",)
