"""What reviewers say about single fields, how editors answer, and what changed since last time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.differences import (
    ENTRY_FIELDS,
    Difference,
    differences,
    item_names,
    label_of,
)
from apps.catalog.models import Dataset, DatasetChange, ReviewRemark, ReviewRound
from apps.catalog.proposals import fresh, proposed
from apps.catalog.snapshots import ITEM_FIELDS, snapshot_of
from apps.core import access
from apps.core.errors import DomainError


@dataclass(frozen=True)
class RemarkLine:
    """A remark with the words for where it points, and what the viewer may do about it."""

    remark: ReviewRemark
    place: str
    can_erase: bool = False
    can_settle: bool = False
    is_mended: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.remark.item, self.remark.field


@dataclass(frozen=True)
class DifferenceLine:
    """One difference with what reviewers say at it."""

    difference: Difference
    remarks: list[RemarkLine]


@dataclass(frozen=True)
class RoundLine:
    """A round with its remarks in words."""

    round: ReviewRound
    remarks: list[RemarkLine]

    @property
    def words(self) -> str:
        """What was said beyond the remarks, which the reason of a return repeats one a line."""
        lines = self.round.reason.splitlines()
        texts = [line.remark.text for line in self.remarks]
        repeats = len(lines) == len(texts) and all(map(str.endswith, lines, texts))
        return "" if repeats else self.round.reason


def review_of(user: Any, dataset: Dataset, change: DatasetChange | None = None) -> dict[str, Any]:
    """Return what a page shows of a review: rounds, remarks, what changed since the last."""
    rounds = list(queries.rounds_of(dataset, change))
    if not rounds:
        return {"rounds": []}
    mine = ReviewRound.objects.filter(pk__in=[each.pk for each in rounds])
    allowed = {
        action: set(access.rows(user, action, mine).values_list("pk", flat=True))
        for action in ("remark", "settle")
    }
    is_due = rounds[0].outcome == "returned" and rounds[0].pk in allowed["settle"]
    now = snapshot_of(proposed(change) if change else fresh(dataset.pk)) if is_due else None
    lines = [_round_line(each, allowed, now if each is rounds[0] else None) for each in rounds]
    latest = lines[0]
    former = next((line for line in lines[1:] if line.round.outcome == "returned"), None)
    is_open = latest.round.outcome == ""
    since: list[Difference] = []
    if is_open and former is not None:
        since = differences(former.round.snapshot, latest.round.snapshot)
    can_remark = latest.round.pk in allowed["remark"]
    return {
        "rounds": lines,
        "open_round": latest.round if is_open else None,
        "latest": latest,
        "former": former if is_open else None,
        "since": lines_of(since, [*latest.remarks, *(former.remarks if former else ())]),
        "can_remark": can_remark,
        "places": places_of(latest.round.snapshot) if can_remark else [],
    }


def lines_of(found: Sequence[Difference], remarks: Sequence[RemarkLine]) -> list[DifferenceLine]:
    """Set each difference beside the remarks that point to it, at a whole item or inside it."""
    return [
        DifferenceLine(each, [line for line in remarks if _points_to(line, each)]) for each in found
    ]


def _points_to(line: RemarkLine, found: Difference) -> bool:
    if found.kind == "changed":
        return line.key == (found.item, found.field)
    return line.remark.item == found.item


def places_of(snapshot: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return where a remark may point, as a grouped choice: the entry, then each of its items."""
    entry = [(":", _("整条目录"))]
    names = ["items", "assessments", *(name for name in ENTRY_FIELDS if name in snapshot)]
    entry += [(f":{name}", label_of(name)) for name in names]
    groups = [(_("目录"), entry)]
    for item in snapshot.get("items", ()):
        column = item["column_name"]
        fields = [(f"{column}:", _("整项"))]
        fields += [(f"{column}:{name}", label_of(name, is_item=True)) for name in ITEM_FIELDS]
        groups.append((_("数据项“%(item)s”") % {"item": item["name"]}, fields))
    return groups


def prefilled(lines: Sequence[RemarkLine]) -> str:
    """Return the remarks of a round as the words of a return, one a line."""
    return "\n".join(
        f"{number}. {line.place}：{line.remark.text}" for number, line in enumerate(lines, 1)
    )


def _round_line(
    found: ReviewRound, allowed: dict[str, set[int]], now: Mapping[str, Any] | None
) -> RoundLine:
    """`now`: the matter as it stands, where it is this round's remarks that are to be settled."""
    names = item_names(found.snapshot)
    can_erase = found.pk in allowed["remark"]
    return RoundLine(
        found,
        [
            RemarkLine(
                each,
                _place(each, names),
                can_erase,
                now is not None and each.settled_at is None,
                now is not None and queries.is_mended(each, found, now),
            )
            for each in found.remarks.all()
        ],
    )


def _place(remark: ReviewRemark, names: Mapping[str, str]) -> str:
    label = label_of(remark.field, is_item=bool(remark.item)) if remark.field else ""
    if remark.item:
        item = names.get(remark.item, remark.item)
        return _("数据项“%(item)s”") % {"item": item} + (f" · {label}" if label else "")
    return label or _("整条目录")


@login_required
@require_POST
def write_remark(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what a reviewer says at a field; `place` is "<column>:<field>"."""
    user: Any = request.user
    found = get_object_or_404(access.rows(user, "view", ReviewRound), pk=pk)
    item, _colon, field = request.POST.get("place", "").partition(":")
    try:
        catalog.write_remark(
            review_round=found,
            actor=user,
            at=timezone.now(),
            text=request.POST.get("text", ""),
            field=field,
            item=item,
        )
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已记下这条意见，退回时一并送达"))
    return redirect(_back(found))


@login_required
@require_POST
def erase_remark(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    found = _remark_or_404(user, pk)
    try:
        catalog.erase_remark(remark=found, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已删去这条意见"))
    return redirect(_back(found.round))


@login_required
@require_POST
def settle_remark(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    found = _remark_or_404(user, pk)
    try:
        catalog.settle_remark(
            remark=found, actor=user, at=timezone.now(), answer=request.POST.get("answer", "")
        )
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已答复这条意见"))
    return redirect(_back(found.round))


def _remark_or_404(user: Any, pk: int) -> ReviewRemark:
    visible = access.rows(user, "view", ReviewRound)
    found: ReviewRemark = get_object_or_404(
        ReviewRemark.objects.select_related("round__dataset", "round__change"),
        pk=pk,
        round__in=visible,
    )
    return found


def _back(found: ReviewRound) -> str:
    matter = found.change or found.dataset
    return f"{matter.get_absolute_url()}#review"
