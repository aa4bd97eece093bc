"""Sources registered by the real operation."""

from typing import Any

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.warehouse import operations as warehouse
from apps.warehouse.models import PullSource
from tests.factories.accounts import InformationSystemFactory
from tests.factories.warehouse import AT

FILE_TERMS: dict[str, Any] = {
    "name": "每日文件",
    "kind": "http",
    "mode": "snapshot",
    "every_minutes": 60,
    "daily_at": None,
}
TABLE_TERMS: dict[str, Any] = {
    "name": "业务库",
    "kind": "postgresql",
    "host": "127.0.0.1",
    "port": 5432,
    "database": "business",
    "table_name": "people",
    "username": "reader",
    "columns": {"identity_number": "id_no", "name": "full_name", "amount": "money"},
    "watermark_column": "changed_at",
    "mode": "upsert",
    "every_minutes": 10,
    "daily_at": None,
}


def registered(
    dataset: Dataset, actor: User, *, secret: str = "", started: bool = True, **terms: Any
) -> PullSource:
    """A source as its department registers it; a file's unless another kind is told."""
    base = FILE_TERMS if terms.get("kind", "http") == "http" else TABLE_TERMS
    source = warehouse.register_source(
        dataset=dataset,
        system=InformationSystemFactory(department=dataset.department),
        terms={**base, **terms},
        actor=actor,
        at=AT,
        secret=secret,
    )
    if started:
        warehouse.resume_source(source=source, actor=actor, at=AT)
    return source
