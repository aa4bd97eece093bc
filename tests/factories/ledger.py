"""Access records as the data plane writes them, and to-dos opened by the real operation."""

from datetime import UTC, datetime
from typing import Any

from apps.ledger import operations as ledger
from apps.ledger.access_sql import record_parameters
from apps.ledger.models import Todo

AT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)


def access_values(**values: Any) -> dict[str, Any]:
    """The columns of a page of three rows under a grant."""
    page: dict[str, Any] = {
        "opened_at": AT,
        "grant_id": 12,
        "grant_version": 1,
        "system_id": 9,
        "dataset_id": 31,
        "table": "pool_7.t31",
        "kind": "page",
        "query": {"fields": ["name"], "filters": [["code", "eq"]]},
        "horizon": 4,
        "rows": 3,
        "bytes": 512,
        "first_id": 1,
        "last_id": 3,
        "purpose": "低保资格核查",
        "client_address": "10.1.2.3",
    }
    return page | values


def access_parameters(**values: Any) -> dict[str, Any]:
    """The same as parameters of `access_sql.PAGE` and `OPEN`."""
    return record_parameters(**access_values(**values))


def open_todo(subject: Any, **values: Any) -> Todo:
    """Something the subject's department has to decide."""
    given: dict[str, Any] = {
        "kind": "review",
        "title": "审核共享申请 SQ-2026-000123",
        "url": "/work/requests/123/",
        "department": subject,
        "role": "department_editor",
        "at": AT,
    }
    given |= values
    return ledger.open_todo(subject, given.pop("kind"), **given)
