"""The rounds of a review: what was submitted, what reviewers said about it, what became of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import queries
from apps.catalog.differences import label_of
from apps.catalog.models import Dataset, DatasetChange, ReviewRemark, ReviewRound, RoundOutcome
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, required_text
from apps.ledger import operations as ledger


def begin_round(
    dataset: Dataset,
    change: DatasetChange | None,
    snapshot: Mapping[str, Any],
    *,
    by: User,
    at: datetime,
) -> ReviewRound:
    """Keep what was submitted; remarks of the round before are settled where their field changed.

    Called by the use cases that submit; they have asked permission and write the event.
    """
    last = queries.rounds_of(dataset, change).first()
    if last is not None:
        _settle_changed(last, snapshot, at)
    return ReviewRound.objects.create(
        dataset=dataset,
        change=change,
        number=last.number + 1 if last else 1,
        snapshot=snapshot,
        submitted_by=by,
        submitted_at=at,
    )


def close_round(
    dataset: Dataset,
    change: DatasetChange | None,
    outcome: RoundOutcome,
    *,
    by: User,
    at: datetime,
    reason: str = "",
) -> None:
    """Write how the round ended; a matter submitted before rounds were kept has none."""
    ReviewRound.objects.filter(dataset=dataset, change=change, outcome="").update(
        outcome=outcome, decided_by=by, decided_at=at, reason=reason.strip()
    )


@transaction.atomic
def write_remark(
    *,
    review_round: ReviewRound,
    actor: User,
    at: datetime,
    text: str,
    field: str = "",
    item: str = "",
) -> ReviewRemark:
    """Say what is to be mended at a field of the entry, or of one item; "" is the whole.

    Source: house rule (逐项审核意见)
    Raises:
        NotAllowed: it is not the actor's turn to review.
        InvalidInput: no words, or no such field or item in what was submitted.
    """
    standing = access.require(actor, "remark", review_round, at=at)
    text = required_text(text, _("请填写审核意见"), field="text")
    if len(text) > 500:
        raise InvalidInput(_("审核意见不超过 500 个字"), field="text")
    columns = {each["column_name"] for each in review_round.snapshot["items"]}
    if item and item not in columns:
        raise InvalidInput(_("提交的内容中没有列 %(column)s") % {"column": item}, field="item")
    if field and not label_of(field, is_item=bool(item)):
        raise InvalidInput(_("没有字段“%(names)s”") % {"names": field}, field="field")
    remark = ReviewRemark.objects.create(
        round=review_round, field=field, item=item, text=text, written_by=actor, written_at=at
    )
    ledger.record(
        standing, "catalog.write_remark", _matter(review_round), at=at, details={"reason": text}
    )
    return remark


@transaction.atomic
def erase_remark(*, remark: ReviewRemark, actor: User, at: datetime) -> None:
    """Take a remark back before the matter is returned.

    Raises:
        NotAllowed: it is not the actor's turn to review.
    """
    standing = access.require(actor, "remark", remark.round, at=at)
    details = {"reason": remark.text}
    ledger.record(standing, "catalog.erase_remark", _matter(remark.round), at=at, details=details)
    remark.delete()


@transaction.atomic
def settle_remark(*, remark: ReviewRemark, actor: User, at: datetime, answer: str) -> ReviewRemark:
    """Answer a remark without changing its field: why it stays as it is.

    Source: house rule (逐项审核意见)
    Raises:
        NotAllowed: the actor does not edit the entry, or it was not returned.
        InvalidInput: no answer.
        Conflict: it is settled already.
    """
    standing = access.require(actor, "settle", remark.round, at=at)
    answer = required_text(answer, _("请填写答复"), field="answer")
    if len(answer) > 500:
        raise InvalidInput(_("答复不超过 500 个字"), field="answer")
    settled = ReviewRemark.objects.filter(pk=remark.pk, settled_at=None)
    if not settled.update(answer=answer, settled_at=at):
        raise Conflict(_("这条意见已经办结"))
    ledger.record(
        standing, "catalog.settle_remark", _matter(remark.round), at=at, details={"reason": answer}
    )
    remark.refresh_from_db()
    return remark


def _matter(review_round: ReviewRound) -> Dataset | DatasetChange:
    return review_round.change or review_round.dataset


def _settle_changed(last: ReviewRound, snapshot: Mapping[str, Any], at: datetime) -> None:
    changed = [
        remark.pk
        for remark in last.remarks.all()
        if remark.settled_at is None and queries.is_mended(remark, last, snapshot)
    ]
    ReviewRemark.objects.filter(pk__in=changed).update(settled_at=at)
