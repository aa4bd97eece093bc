"""The last steps of a change: may it come into force, how it does, and how it is given up."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import queries
from apps.catalog.contracts import draw_up_contract
from apps.catalog.lifecycle import CHANGE
from apps.catalog.models import (
    DataItem,
    Dataset,
    DatasetChange,
    DatasetStatus,
    DatasetVersion,
    RoundOutcome,
)
from apps.catalog.operations.indexing import refresh
from apps.catalog.operations.rounds import close_round
from apps.catalog.operations.writing import save, write_fields, write_items
from apps.catalog.proposals import Pointers, python_values
from apps.catalog.snapshots import snapshot_of
from apps.clocks import operations as clocks
from apps.core.errors import Conflict, InvalidInput
from apps.ledger import operations as ledger

IN_FORCE = (DatasetStatus.PUBLISHED, DatasetStatus.WITHDRAWAL_REQUESTED)


def require_publishable(change: DatasetChange, move: str, at: datetime) -> None:
    """Hold entry and change, and look for what keeps the change from coming into force.

    A wrong status is left for the move to refuse.

    Raises:
        Conflict: the entry is out of force, or has another version than the change builds on.
        InvalidInput: something is missing or wrong, or no table could follow.
    """
    dataset = Dataset.objects.select_for_update().get(pk=change.dataset_id)
    current = DatasetChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
    if current.status not in CHANGE.move(move).sources:
        return
    if dataset.status not in IN_FORCE:
        raise Conflict(_("目录已撤回，变更不再办理"), code="not_in_force")
    version = queries.current_version(dataset)
    number = version.number if version else 0
    if number != current.base_version:
        raise Conflict(
            _(
                "目录在修改期间已发布第 %(now)s 版，"
                "这次变更依据的是第 %(base)s 版；请按现行版本重新修改"
            )
            % {"now": number, "base": current.base_version},
            code="base_version_changed",
        )
    found = queries.remarks_on_change(current, on=timezone.localdate(at))
    errors = [remark for remark in found if remark.is_error]
    if errors:
        raise InvalidInput(
            _("还有 %(count)s 处须修改：%(first)s")
            % {"count": len(errors), "first": str(errors[0])},
            code="dataset_incomplete",
            errors=[str(error) for error in errors],
        )


def bring_into_force(change: DatasetChange, actor: User, at: datetime) -> Dataset:
    """Write the change into the entry and its items, and freeze the next version."""
    dataset: Dataset = Dataset.objects.select_for_update().get(pk=change.dataset_id)
    rows: list[dict[str, Any]] = change.items or []
    pointers = Pointers([(Dataset, change.fields), *((DataItem, row) for row in rows)])
    write_fields(dataset, python_values(Dataset, change.fields, pointers))
    if change.items is not None:
        written = [{"pk": row["pk"], **python_values(DataItem, row, pointers)} for row in rows]
        write_items(dataset, written, actor=actor, at=at, is_version=True)
    if "related" in change.fields:
        dataset.related.set(Dataset.objects.filter(code__in=change.fields["related"]))
    dataset.revision += 1
    dataset.updated_at = at
    number = change.base_version + 1
    reason = _("第 %(number)s 版：%(reason)s") % {"number": number, "reason": change.reason}
    save(dataset, actor=actor, at=at, reason=reason)
    DatasetVersion.objects.create(
        dataset=dataset,
        number=number,
        contract=draw_up_contract(dataset, on=timezone.localdate(at)).to_json(),
        snapshot=snapshot_of(dataset),
        published_at=at,
        published_by=actor,
    )
    refresh(dataset, at=at)
    return dataset


def give_up(
    change: DatasetChange, *, actor: User, at: datetime, reason: str, revision: int | None = None
) -> None:
    """End the change without effect; whoever calls has asked permission and writes the event."""
    words = reason.strip()
    CHANGE.apply(
        change,
        "abandon_change",
        actor=actor,
        at=at,
        reason=words,
        revision=revision,
        remark=words,
        decided_at=at,
    )
    close_round(change.dataset, change, RoundOutcome.ABANDONED, by=actor, at=at, reason=words)
    clocks.cancel(change, at=at)
    ledger.close_todos(change, at=at, by=actor)
