"""Corrections in every status that lasts, on records that departments read under their grants.

Every step goes through the operation that the screens call, at a time in the past, so that clocks
run, some of them late.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import cycle
from time import sleep
from typing import Any, Final

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.console.demo.people import clerk_and_head
from apps.core.contracts import Column
from apps.quality import readership
from apps.quality.models import Correction
from apps.quality.operations import corrections
from apps.sharing.models import Grant
from apps.warehouse import operations as warehouse_operations
from apps.warehouse import queries as warehouse

ITEMS: Final = ("address", "registered_on", "person_name", "name", "status_name", "district_code")
"""What people doubt, where their grant shows it unmasked; the first that is there."""

MOST_ROWS: Final = 60
PATIENCE: Final = 50
SHIFT: Final = timedelta(days=10)


@dataclass(frozen=True)
class Case:
    """A doubt raised `days` ago and brought to a status. words: why; reason: what was answered."""

    until: str
    days: int
    words: str
    reason: str = ""
    scope: str = "value"


CASES: Final = (
    Case("raised", 1, "窗口核对申请人出示的证件，与平台不一致"),
    Case("raised", 16, "抄送函件已说明，至今未改"),
    Case("accepted", 4, "实地走访发现与平台登记不符"),
    Case("verifying", 6, "两次读取的值不同，疑有误"),
    Case("correcting", 7, "与纸质档案不一致", "核对档案，登记时录入有误"),
    Case("feedback", 9, "当事人提交更正申请", "已核对原始登记，予以更正"),
    Case("confirmed", 9, "与本部门业务系统中的值不同", "以登记档案为准，平台的值无误"),
    Case("contested", 12, "与公安机关出具的证明不一致", "档案与平台一致"),
    Case("closed", 14, "名称中有错别字", "核对无误，证件为曾用名"),
    Case("withdrawn", 5, "疑有误", "核对后确认是本部门看错"),
    Case("raised", 2, "同一对象有两条记录，其中一条应当注销", scope="row"),
    Case("accepted", 3, "缺少上个月的全部登记", scope="dataset"),
)


def load_corrections(*, at: datetime) -> int:
    """Play the cases once; return how many corrections there are."""
    if not Correction.objects.exists():
        grants = _grants(at)
        for case, grant in zip(CASES, cycle(grants), strict=False):
            _play(case, grant, at)
    return Correction.objects.count()


def _grants(at: datetime) -> list[Grant]:
    """The grants in force under which somebody could have doubted for some weeks."""
    found = Grant.objects.filter(
        status=Grant.Status.IN_FORCE, starts_at__lte=at - timedelta(days=20), expires_at__gt=at
    ).select_related("dataset__department", "consumer")
    return [grant for grant in found.order_by("pk") if _doubtful_item(grant) is not None]


def _doubtful_item(grant: Grant) -> Column | None:
    contract = warehouse.contract_of(grant.dataset)
    shown = {entry["name"] for entry in grant.columns if not entry.get("mask")}
    if contract is None or warehouse.table_of(grant.dataset) is None:
        return None
    for name in ITEMS:
        if name in shown and name not in contract.key:
            column = next((each for each in contract.columns if each.name == name), None)
            if column is not None and column.type in {"C", "D"}:
                return column
    return None


def _play(case: Case, grant: Grant, at: datetime) -> None:
    raiser, _raisers_head = clerk_and_head(grant.consumer)
    begun = at - timedelta(days=case.days)
    place = _place(case, grant, raiser, begun)
    if place is None:
        return
    correction = corrections.raise_correction(
        dataset=grant.dataset,
        actor=raiser,
        at=begun,
        description=case.words,
        evidence="见业务档案，可派员查阅",
        **place,
    )
    _handle(case, correction, raiser, begun)


def _place(case: Case, grant: Grant, raiser: User, at: datetime) -> dict[str, Any] | None:
    """Where the case doubts: the first record of the grant that nobody has doubted yet."""
    if case.scope == "dataset":
        return {}
    column = _doubtful_item(grant)
    assert column is not None  # only such grants were chosen
    taken = set(Correction.objects.filter(dataset=grant.dataset).values_list("row_id", flat=True))
    for row in _rows(grant.dataset, raiser, at, taken):
        if case.scope == "row":
            return {"row_id": row.row_id}
        claim = _claim(column, row.values.get(column.name))
        if claim is not None and column.name not in row.masked:
            return {"row_id": row.row_id, "item": column.name, "claimed_value": claim}
    return None


def _rows(
    dataset: Dataset, raiser: User, at: datetime, taken: set[int | None]
) -> Iterator[readership.ReadRow]:
    for row_id in range(1, MOST_ROWS):
        if row_id in taken:
            continue
        row = readership.reader().read_row(actor=raiser, dataset=dataset, at=at, row_id=row_id)
        if row is not None:
            yield row


def _claim(column: Column, seen: Any) -> str | None:
    """Another value that could stand there."""
    if column.codes is not None:
        return next((code for code in column.codes if code != seen), None)
    if column.type == "D":
        return (date.fromisoformat(seen) - SHIFT).isoformat() if seen else None
    if column.name.endswith("_code"):
        return "500103" if seen != "500103" else "500112"
    words = f"{seen or ''}".rstrip("号")
    return f"{words[: (column.length or 60) - 2]}1号" if column.name == "address" else "更正示例"


def _handle(case: Case, correction: Correction, raiser: User, begun: datetime) -> None:
    """Bring the correction to the status of the case, a day a step."""
    clerk, head = clerk_and_head(correction.handler)
    at = begun + timedelta(days=1)
    if case.until == "withdrawn":
        corrections.withdraw(correction=correction, actor=raiser, at=at, reason=case.reason)
        return
    if case.until == "raised":
        return
    corrections.accept(correction=correction, actor=clerk, at=at)
    if case.until == "accepted":
        return
    corrections.verify(correction=correction, actor=clerk, at=at + timedelta(days=1))
    if case.until == "verifying":
        return
    at += timedelta(days=3)
    if case.until in ("correcting", "feedback"):
        corrections.uphold(correction=correction, actor=head, at=at, reason=case.reason)
        _correct(case, correction, at)
        return
    corrections.confirm(correction=correction, actor=head, at=at, reason=case.reason)
    _settle(correction, at)
    _end(case, correction, raiser, at + timedelta(days=1))


def _correct(case: Case, correction: Correction, at: datetime) -> None:
    if case.until == "correcting":
        return
    owner, _owners_head = clerk_and_head(correction.dataset.department)
    corrections.hand_in(correction=correction, actor=owner, at=at)
    warehouse_operations.land_due(at=at)
    _settle(correction, at)


def _settle(correction: Correction, at: datetime) -> None:
    """Let the result be fed back; a worker that is running may be at it, too."""
    for _turn in range(PATIENCE):
        corrections.settle_due(at=at)
        correction.refresh_from_db()
        if correction.status == "feedback":
            return
        sleep(0.1)


def _end(case: Case, correction: Correction, raiser: User, at: datetime) -> None:
    if case.until == "closed":
        corrections.close(correction=correction, actor=raiser, at=at)
    if case.until == "contested":
        corrections.contest(
            correction=correction, actor=raiser, at=at, reason="证明原件可查，请重新核实"
        )
