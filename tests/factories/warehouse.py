"""Datasets with a contract of their own, and files handed in and landed by the real operations."""

import io
from datetime import UTC, datetime
from typing import Any

from apps.accounts.models import User
from apps.catalog.models import DataItem, Dataset, DatasetVersion
from apps.core.contracts import Column, Contract
from apps.standards.normalisers import normalisers_for
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch
from tests.factories.catalog import LONG_AGO, DatasetFactory

AT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)


def column(name: str, label: str, kind: str = "C", **facts: Any) -> Column:
    """A column with the normalisers that its type and check bring."""
    facts.setdefault("normalise", normalisers_for(kind, facts.get("check", "")))
    return Column(name, label, kind, **facts)


PERSON_COLUMNS = (
    column("identity_number", "身份证号", length=18, check="identity_number", required=True),
    column("name", "姓名", length=10, required=True, headings=("名字",)),
    column("born_on", "出生日期", "D"),
    column("mobile", "手机号", check="mobile"),
    column("amount", "金额", "Y", length=10, scale=2, minimum="0"),
    column("grade", "等级", codes=("甲", "乙", "丙")),
)
# Invented persons with valid check digits.
IDENTITIES = (
    "500103199001011232",
    "500103199001021238",
    "500103199001031233",
    "500103199001041239",
    "500103199001051234",
    "500103199001061248",
)


def published(
    *columns: Column,
    key: tuple[str, ...] = (),
    dirty_limit_ratio: float = 1.0,
    dirty_limit_rows: int | None = None,
    dirty_limit_action: str = "stop",
    **fields: Any,
) -> Dataset:
    """A published dataset whose contract has these columns (persons unless told)."""
    dataset: Dataset = DatasetFactory(
        items=(), key_items=[], status="published", published_at=LONG_AGO, **fields
    )
    publish_contract(
        dataset,
        *columns,
        key=key,
        dirty_limit_ratio=dirty_limit_ratio,
        dirty_limit_rows=dirty_limit_rows,
        dirty_limit_action=dirty_limit_action,
    )
    return dataset


def publish_contract(
    dataset: Dataset, *columns: Column, key: tuple[str, ...] = (), **limits: Any
) -> DatasetVersion:
    """Publish another version with these columns."""
    chosen = columns or PERSON_COLUMNS
    contract = Contract(
        dataset_id=dataset.pk,
        code=dataset.code,
        columns=chosen,
        key=key or (chosen[0].name,),
        **{"dirty_limit_ratio": 1.0, **limits},
    )
    number = 1 + dataset.versions.count()
    return DatasetVersion.objects.create(
        dataset=dataset, number=number, contract=contract.to_json(), snapshot={}, published_at=AT
    )


def with_items(dataset: Dataset, **facts: dict[str, Any]) -> None:
    """The entry's items behind the persons' contract, with more facts of some by column."""
    for place, one in enumerate(PERSON_COLUMNS, 1):
        DataItem.objects.create(
            dataset=dataset,
            position=place,
            column_name=one.name,
            name=one.label,
            data_type=one.type,
            **{"value_check": one.check, **facts.get(one.name, {})},
        )


def received(
    dataset: Dataset,
    content: bytes | str,
    *,
    actor: User,
    mode: str = "upsert",
    file_name: str = "数据.csv",
    **facts: Any,
) -> Batch:
    """A file handed in; nothing landed yet."""
    raw = content.encode() if isinstance(content, str) else content
    return warehouse.receive(
        dataset=dataset,
        file=io.BytesIO(raw),
        file_name=file_name,
        mode=mode,
        actor=actor,
        at=AT,
        **facts,
    )


def landed(dataset: Dataset, content: bytes | str, *, actor: User, **facts: Any) -> Batch:
    """A file handed in and worked off, whatever its outcome."""
    return warehouse.land(batch_id=received(dataset, content, actor=actor, **facts).pk, at=AT)


def balance(batch: Batch) -> dict[str, int]:
    """The counters that are not zero."""
    names = ("landed", "changed", "unchanged", "duplicate", "rejected", "deleted")
    counted = {name: getattr(batch, name) for name in names}
    return {name: value for name, value in counted.items() if value}
