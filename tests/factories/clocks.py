"""The real policies, from the reference fixture, and small calendars."""

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery

from apps.clocks.models import ClockPolicy

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "reference" / "clocks_policies.json"


@cache
def policy_rows() -> list[dict[str, Any]]:
    return [row["fields"] for row in json.loads(FIXTURE.read_text())]


def install_policies() -> None:
    """Put the policies of the reference fixture into the test's database."""
    with connection.cursor() as cursor:
        cursor.execute(_insertion())


@cache
def _insertion() -> str:
    """The statement with its values in it; thousands of tests need it."""
    policies: list[Model] = [
        ClockPolicy(**{**row, "valid_from": date.fromisoformat(row["valid_from"])})
        for row in policy_rows()
    ]
    query = InsertQuery(ClockPolicy, on_conflict=OnConflict.IGNORE)
    fields = [field for field in ClockPolicy._meta.concrete_fields if not field.primary_key]
    query.insert_values(fields, policies)
    [(statement, values)] = query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        return str(cursor.mogrify(statement, values))
