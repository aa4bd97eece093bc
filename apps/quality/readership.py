"""Who may read which record: asked here, answered by the sharing system, which lies above.

A doubt may be raised only about what the doubter is shown, and the record is looked up through the
very view of his grant. Sharing registers its reader when it is loaded; without one nobody reads.

Source: house rule (design §3.4)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A record as the reader is shown it.

    values: by column, written as the API writes them, None for no value. masked: the columns whose
    true value he does not see. grant_number: the grant that showed it.
    """

    row_id: int
    values: Mapping[str, Any]
    masked: frozenset[str]
    grant_number: int


class Reader(Protocol):
    """What quality must know of grants."""

    def datasets_read_by(self, actor: User, at: datetime) -> Sequence[int]:
        """Return the keys of the datasets of which the person or system may read something."""
        ...

    def read_row(
        self,
        *,
        actor: User,
        dataset: Dataset,
        at: datetime,
        row_id: int | None = None,
        key: Mapping[str, str] | None = None,
    ) -> ReadRow | None:
        """Read one record by `_id` or business key, recorded; None where no grant shows it.

        Raises:
            InvalidInput: the key cannot be compared under the grants, or a value has no such form.
        """
        ...

    def departments_reading(
        self, *, dataset: Dataset, item: str, row_id: int | None, at: datetime
    ) -> Sequence[int]:
        """Return the keys of the departments whose grants in force show the item of the record.

        An empty item means any; no record means any.
        """
        ...


class _Nobody:
    """The answer while no reader is registered."""

    def datasets_read_by(self, actor: User, at: datetime) -> Sequence[int]:
        return ()

    def read_row(
        self,
        *,
        actor: User,
        dataset: Dataset,
        at: datetime,
        row_id: int | None = None,
        key: Mapping[str, str] | None = None,
    ) -> ReadRow | None:
        return None

    def departments_reading(
        self, *, dataset: Dataset, item: str, row_id: int | None, at: datetime
    ) -> Sequence[int]:
        return ()


_reader: list[Reader] = [_Nobody()]


def register(reader: Reader) -> Reader:
    """Let this reader answer from now on; return the one that answered before."""
    before = _reader[0]
    _reader[0] = reader
    return before


def reader() -> Reader:
    return _reader[0]


def require_row(
    *,
    actor: User,
    dataset: Dataset,
    at: datetime,
    row_id: int | None = None,
    key: Mapping[str, str] | None = None,
) -> ReadRow:
    """Return the record as the actor is shown it.

    Raises:
        NotFound: no grant of his shows such a record.
    """
    row = reader().read_row(actor=actor, dataset=dataset, at=at, row_id=row_id, key=key)
    if row is None:
        raise NotFound(_("授权范围内没有这条记录"), code="row_not_found")
    return row
