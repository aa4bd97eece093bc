"""What is asked about changes, versions and review rounds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import ProtectedError, QuerySet
from django.db.models.deletion import Collector
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.contracts import draw_up_contract, unfollowable
from apps.catalog.differences import Difference, differences
from apps.catalog.models import (
    OPEN_CHANGE,
    ChangeStatus,
    DataItem,
    Dataset,
    DatasetChange,
    DatasetVersion,
    ReviewRemark,
    ReviewRound,
)
from apps.catalog.proposals import fresh, proposed
from apps.catalog.snapshots import snapshot_of
from apps.catalog.validation import Remark, remarks_on
from apps.core import access
from apps.core.contracts import Contract


@dataclass(frozen=True)
class Proposal:
    """A change with all that a page says about it.

    entry: the entry as it would be, in memory. before, after: snapshots of both states.
    """

    change: DatasetChange
    entry: Dataset
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    found: list[Difference]


def open_change_of(dataset: Dataset) -> DatasetChange | None:
    """Return the change that is being prepared or reviewed, if there is one."""
    return DatasetChange.objects.filter(dataset=dataset, status__in=OPEN_CHANGE).first()


def changes_visible_to(actor: User) -> QuerySet[DatasetChange]:
    """Return the changes that the person may read about, latest first."""
    return access.rows(actor, "view", DatasetChange).select_related("dataset__department")


def proposal_of(change: DatasetChange) -> Proposal:
    """Set the entry as it would be beside the entry in force.

    Of a change that was published, both sides are what the versions kept.
    """
    if change.status == ChangeStatus.APPLIED:
        return _as_published(change)
    entry = proposed(change)
    before, after = snapshot_of(fresh(change.dataset_id)), snapshot_of(entry)
    return Proposal(change, entry, before, after, differences(before, after))


def _as_published(change: DatasetChange) -> Proposal:
    numbers = (change.base_version, change.applied_version or 0)
    versions = DatasetVersion.objects.filter(dataset=change.dataset_id, number__in=numbers)
    kept = {version.number: version.snapshot for version in versions}
    before, after = kept.get(numbers[0], {}), kept.get(numbers[1], {})
    return Proposal(change, change.dataset, before, after, differences(before, after))


def remarks_on_change(change: DatasetChange, *, on: date) -> list[Remark]:
    """Return what is wrong with a change: with the entry as it would be, and with getting there."""
    return remarks_on_proposal(proposed(change), change, on=on)


def remarks_on_proposal(entry: Dataset, change: DatasetChange, *, on: date) -> list[Remark]:
    """Return the same for an entry that was proposed already."""
    found = [*remarks_on(entry, on=on), *_obstacles(entry, change, on)]
    if not change.fields and change.items is None:
        found.append(Remark("error", "", _("没有任何改动")))
    return sorted(found, key=lambda remark: not remark.is_error)


def version_on(dataset: Dataset, day: date) -> DatasetVersion | None:
    """Return the version that was in force at the end of the day; None before the first.

    A day on or after the withdrawal has none either.
    """
    end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    if dataset.withdrawn_at is not None and dataset.withdrawn_at < end:
        return None
    return dataset.versions.filter(published_at__lt=end).order_by("-number").first()


def reasons_of_versions(dataset: Dataset) -> dict[int, DatasetChange]:
    """Return, by the number of the version that it became, each change that was published."""
    applied = DatasetChange.objects.filter(dataset=dataset, applied_version__isnull=False)
    return {change.applied_version: change for change in applied if change.applied_version}


def open_round(dataset: Dataset, change: DatasetChange | None = None) -> ReviewRound | None:
    """Return the round that is under way for the change, or for the first publication."""
    return rounds_of(dataset, change).filter(outcome="").first()


def rounds_of(dataset: Dataset, change: DatasetChange | None = None) -> QuerySet[ReviewRound]:
    """Return the rounds of a matter, latest first, with their remarks."""
    return (
        ReviewRound.objects.filter(dataset=dataset, change=change)
        .select_related("submitted_by", "decided_by")
        .prefetch_related("remarks__written_by")
        .order_by("-number")
    )


def unsettled(dataset: Dataset, change: DatasetChange | None = None) -> QuerySet[ReviewRemark]:
    """Return the remarks with which the matter was last returned and that nothing answers yet."""
    last = rounds_of(dataset, change).first()
    return ReviewRemark.objects.filter(round=last, round__outcome="returned", settled_at=None)


def is_mended(remark: ReviewRemark, last: ReviewRound, now: Mapping[str, Any]) -> bool:
    """Whether what a remark points to differs from what was submitted in its round."""
    if _pointed_to(last.snapshot, remark) != _pointed_to(now, remark):
        return True
    return remark.field == "assessments" and _assessed_since(last)


def _pointed_to(snapshot: Mapping[str, Any], remark: ReviewRemark) -> Any:
    """What the snapshot has where the remark points: a field, an item, or the whole."""
    place: Any = snapshot
    if remark.item:
        found = [each for each in snapshot["items"] if each["column_name"] == remark.item]
        if not found:
            return None
        place = found[0]
    return place.get(remark.field) if remark.field else place


def _assessed_since(last: ReviewRound) -> bool:
    since = last.decided_at
    return since is not None and last.dataset.assessments.filter(recorded_at__gt=since).exists()


def awaiting(actor: User) -> dict[str, QuerySet[Any]]:
    """Return what this person's review is awaited for: changes, first publications, withdrawals."""
    withdrawals = access.rows(actor, "withdraw", Dataset).filter(status="withdrawal_requested")
    changes = access.rows(actor, "send_back_change", DatasetChange)
    return {
        "changes": changes.select_related("dataset__department", "started_by"),
        "first": access.rows(actor, "send_back", Dataset).select_related("department"),
        "withdrawals": withdrawals.select_related("department"),
    }


def _obstacles(entry: Dataset, change: DatasetChange, on: date) -> list[Remark]:
    items: Sequence[DataItem] = list(entry.items.all())
    if change.items is None and "key_items" not in change.fields:
        return []
    present = {item.pk: item for item in DataItem.objects.filter(dataset=change.dataset_id)}
    return [
        *_renamed(items, present),
        *_in_use(items, present),
        *_unfollowable(entry, items, on),
    ]


def rename_refused(old: str, new: str) -> str | Promise:
    """The words for a column that cannot have another name."""
    return _("列名不能由 %(old)s 改为 %(new)s：数据表中已有这一列") % {"old": old, "new": new}


def removal_noted(name: str) -> str | Promise:
    """The words for an item that somebody uses, when it is to go."""
    return _(
        "数据项“%(item)s”已有共享申请使用；移除后，现有授权在保留期内仍提供原有的值，期满由平台收窄"
    ) % {"item": name}


def _renamed(items: Sequence[DataItem], present: Mapping[int, DataItem]) -> list[Remark]:
    return [
        Remark(
            "error",
            "column_name",
            rename_refused(present[item.pk].column_name, item.column_name),
            item.name,
        )
        for item in items
        if item.pk in present and present[item.pk].column_name != item.column_name
    ]


def _in_use(items: Sequence[DataItem], present: Mapping[int, DataItem]) -> list[Remark]:
    """Items that are to go although somebody's request names them."""
    staying = {item.pk for item in items}
    used = items_in_use([pk for pk in present if pk not in staying])
    return [Remark("warning", "items", removal_noted(present[pk].name)) for pk in sorted(used)]


def items_in_use(keys: Collection[int]) -> frozenset[int]:
    """Return those of the items that somebody's request names."""
    items = list(DataItem.objects.filter(pk__in=keys)) if keys else []
    if not items or not _are_protected(items):
        return frozenset()
    return frozenset(item.pk for item in items if _are_protected([item]))


def _are_protected(items: Sequence[DataItem]) -> bool:
    try:
        Collector(using="default").collect(items)
    except ProtectedError:
        return True
    return False


def proposed_contract(dataset: Dataset, *, on: date) -> Contract | None:
    """Return the contract that the entry's open change amounts to; None without one, or a sound
    key."""
    change = open_change_of(dataset)
    if change is None:
        return None
    try:
        return draw_up_contract(proposed(change), on=on)
    except ValueError:
        return None


def _unfollowable(entry: Dataset, items: Sequence[DataItem], on: date) -> list[Remark]:
    try:
        wanted = draw_up_contract(entry, on=on)
    except ValueError:  # the key or a column is wrong, which validation says already
        return []
    versions = DatasetVersion.objects.filter(dataset=entry).order_by("number")
    earlier = [Contract.from_json(each) for each in versions.values_list("contract", flat=True)]
    names = {item.column_name: item.name for item in items}
    return [
        Remark("error", "data_type" if column else "key_items", words, names.get(column, ""))
        for column, words in unfollowable(earlier, wanted)
    ]
