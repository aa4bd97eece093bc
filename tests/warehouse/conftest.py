"""A dataset about persons, its provider, and files kept in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.catalog.models import Dataset
from apps.warehouse import queries
from tests.factories.warehouse import published


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.HUILIU_HOME = tmp_path / "home"
    return tmp_path / "home"


@pytest.fixture
def dataset(provider_department: Any) -> Dataset:
    return published(department=provider_department)


Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def rows() -> Rows:
    """Read a dataset's table as its owner: chosen columns, by `_id` or by the first of them."""

    def read(dataset: Dataset, *names: str, past: bool = False, order: str = "_id") -> Any:
        table = queries.table_of(dataset)
        assert table is not None
        name = table.past_name if past else table.name
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT {", ".join(names)} FROM "{table.schema}"."{name}" ORDER BY {order}'
            )
            return cursor.fetchall()

    return read
