"""Reach a status of a correction by real operations, never by assigning it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from apps.accounts.models import Department, User
from apps.catalog.models import Dataset
from apps.quality import readership
from apps.quality.models import Correction
from apps.quality.operations import corrections
from apps.quality.queries import records
from apps.quality.readership import ReadRow
from apps.warehouse import operations as warehouse_operations
from apps.warehouse import queries as warehouse
from tests.factories.clocks import install_policies
from tests.factories.warehouse import IDENTITIES, landed, published

REASON: Final = "理由写在这里"
WRONG: Final = "1990-01-02"
RIGHT: Final = "1991-01-02"
HEADER: Final = "identity_number,name,born_on,mobile,amount,grade"
FILE: Final = "\n".join(
    [
        HEADER,
        f"{IDENTITIES[0]},张三,{WRONG},13800000001,1200.50,甲",
        f"{IDENTITIES[1]},李四,1990-02-03,13800000002,800.00,乙",
        f"{IDENTITIES[2]},王五,,,,丙",
        "",
    ]
)


@dataclass
class Readers:
    """Another reader than sharing's, for tests of quality alone: whole departments read tables."""

    departments: list[Department]
    masked: frozenset[str] = frozenset({"mobile"})
    also_told: list[Department] = field(default_factory=list)

    def datasets_read_by(self, actor: User, at: datetime) -> Sequence[int]:
        if actor.department not in self.departments:
            return []
        return list(Dataset.objects.filter(data_table__isnull=False).values_list("pk", flat=True))

    def read_row(
        self,
        *,
        actor: User,
        dataset: Dataset,
        at: datetime,
        row_id: int | None = None,
        key: Mapping[str, str] | None = None,
    ) -> ReadRow | None:
        table, contract = warehouse.table_of(dataset), warehouse.contract_of(dataset)
        if actor.department not in self.departments or table is None or contract is None:
            return None
        row = (
            records.standing_row(table, row_id)
            if row_id is not None
            else records.row_by_key(table, contract, key or {})
        )
        if row is None:
            return None
        shown = {name: "***" if name in self.masked else row.values[name] for name in row.values}
        return ReadRow(row.row_id, shown, self.masked, grant_number=7)

    def departments_reading(
        self, *, dataset: Dataset, item: str, row_id: int | None, at: datetime
    ) -> Sequence[int]:
        return [each.pk for each in [*self.departments, *self.also_told]]


@dataclass(frozen=True)
class Doubt:
    """Who brings a correction through, and the table with the wrong value in its first record."""

    editor: Any
    head: Any
    provider: Any
    provider_head: Any
    officer: Any
    dataset: Dataset
    readers: Readers

    def land(self, content: str, mode: str = "upsert") -> Any:
        """Hand in and land a file of the provider's."""
        return landed(self.dataset, content, actor=self.provider, mode=mode)

    def value(self, name: str = "born_on", row_id: int = 1) -> str | None:
        table = warehouse.table_of(self.dataset)
        assert table is not None
        row = records.standing_row(table, row_id)
        return row.values[name] if row else None


@contextmanager
def made_doubt(
    consumer: Any, consumer_head: Any, provider: Any, provider_head: Any, authority: Any
) -> Iterator[Doubt]:
    install_policies()
    dataset = published(department=provider.department)
    readers = Readers([consumer.department])
    before = readership.register(readers)
    doubt = Doubt(consumer, consumer_head, provider, provider_head, authority, dataset, readers)
    doubt.land(FILE)
    try:
        yield doubt
    finally:
        readership.register(before)


def raised(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    given: dict[str, Any] = {"row_id": 1, "item": "born_on", "claimed_value": RIGHT, **more}
    return corrections.raise_correction(dataset=doubt.dataset, actor=doubt.editor, at=at, **given)


def accepted(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    return corrections.accept(correction=raised(doubt, at, **more), actor=doubt.provider, at=at)


def verifying(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    return corrections.verify(correction=accepted(doubt, at, **more), actor=doubt.provider, at=at)


def correcting(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    return corrections.uphold(
        correction=verifying(doubt, at, **more), actor=doubt.provider_head, at=at, reason=REASON
    )


def handed_in(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    """Upheld, and the one-row batch landed; nobody has looked yet."""
    correction = corrections.hand_in(
        correction=correcting(doubt, at, **more), actor=doubt.provider, at=at
    )
    assert correction.batch_id is not None
    warehouse_operations.land(batch_id=correction.batch_id, at=at)
    return correction


def corrected(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    correction = handed_in(doubt, at, **more)
    corrections.settle_due(at=at)
    correction.refresh_from_db()
    return correction


def confirmed_right(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    return corrections.confirm(
        correction=verifying(doubt, at, **more), actor=doubt.provider_head, at=at, reason=REASON
    )


def feedback(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    correction = confirmed_right(doubt, at, **more)
    corrections.settle_due(at=at)
    correction.refresh_from_db()
    return correction


def contested(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    return corrections.contest(
        correction=feedback(doubt, at, **more), actor=doubt.editor, at=at, reason=REASON
    )


def closed(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    return corrections.close(correction=feedback(doubt, at, **more), actor=doubt.editor, at=at)


def withdrawn(doubt: Doubt, at: datetime, **more: Any) -> Correction:
    return corrections.withdraw(
        correction=raised(doubt, at, **more), actor=doubt.editor, at=at, reason=REASON
    )


STORIES: Final[dict[str, Callable[..., Correction]]] = {
    "raised": raised,
    "accepted": accepted,
    "verifying": verifying,
    "correcting": correcting,
    "handed_in": handed_in,
    "corrected": corrected,
    "confirmed_right": confirmed_right,
    "feedback": feedback,
    "contested": contested,
    "closed": closed,
    "withdrawn": withdrawn,
}
LATER: Final = timedelta(days=8)
