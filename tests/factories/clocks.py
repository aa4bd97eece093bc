"""The real policies, from the reference fixture, and small calendars."""

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from apps.clocks.models import ClockPolicy

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "reference" / "clocks_policies.json"


@cache
def policy_rows() -> list[dict[str, Any]]:
    return [row["fields"] for row in json.loads(FIXTURE.read_text())]


def install_policies() -> None:
    """Put the policies of the reference fixture into the test's database."""
    ClockPolicy.objects.bulk_create(
        [
            ClockPolicy(**{**row, "valid_from": date.fromisoformat(row["valid_from"])})
            for row in policy_rows()
        ],
        ignore_conflicts=True,
    )
