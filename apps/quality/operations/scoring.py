"""Keep each day's scores, and set what the dimensions weigh."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import User
from apps.core import access
from apps.core.errors import InvalidInput, required_text
from apps.ledger import operations as ledger
from apps.quality.models import Dimension, DimensionWeights, QualityRun, Score

# Of each active rule the latest result counts; of one run, that of the table before that of the
# file. Rules that could not be evaluated are left out: an indicator of none has no score.
_COUNTED = """
WITH counted AS (
    SELECT DISTINCT ON (r.id) r.id, r.dataset_id, r.indicator, x.evaluated, x.failed, x.run_id
    FROM quality_qualityrule r
    JOIN quality_ruleresult x ON x.rule_id = r.id
    JOIN quality_qualityrun q ON q.id = x.run_id AND q.status = 'done'
    WHERE r.is_active AND (%(dataset)s::bigint IS NULL OR r.dataset_id = %(dataset)s)
    ORDER BY r.id, x.run_id DESC, x.basis DESC
)
INSERT INTO quality_score
    (dataset_id, department_id, indicator, "on", numerator, denominator, rule_count, run_id)
SELECT c.dataset_id, d.department_id, c.indicator, %(on)s, sum(c.evaluated - c.failed),
    sum(c.evaluated), count(*), max(c.run_id)
FROM counted c JOIN catalog_dataset d ON d.id = c.dataset_id
WHERE c.evaluated IS NOT NULL
GROUP BY c.dataset_id, d.department_id, c.indicator
"""


@transaction.atomic
def score_dataset(run: QualityRun, at: datetime) -> None:
    """Write the day's scores of the run's dataset anew."""
    on = timezone.localdate(at)
    Score.objects.filter(dataset=run.dataset_id, on=on).delete()
    _write(run.dataset_id, on)


@transaction.atomic
def record_scores(*, at: datetime) -> int:
    """Write the day's scores of every dataset that was ever checked; return how many lines.

    Called by the worker at the end of the day, so that every day has all; repeat-safe.
    """
    on = timezone.localdate(at)
    Score.objects.filter(on=on).delete()
    return _write(None, on)


def _write(dataset_id: int | None, on: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"dataset": dataset_id, "on": on})
        return int(cursor.rowcount)


@transaction.atomic
def set_weights(
    *, valid_from: date, weights: dict[str, Any], source: str, actor: User, at: datetime
) -> DimensionWeights:
    """Set what each dimension weighs from a day on; earlier days keep what they had.

    weights: by the dimension's number, 0–1, summing to 1.

    Source: GB/T 36344-2018 leaves them to the user; house rule
    Raises:
        NotAllowed: the actor is not the authority's officer.
        InvalidInput: one is missing or below 0, or they do not sum to 1; the day is over.
    """
    standing = access.require(actor, "set", DimensionWeights, at=at)
    source = required_text(source, _("请填写依据"), field="source")
    if valid_from < timezone.localdate(at):
        raise InvalidInput(_("生效日不能早于今天：以往的得分不改变"), field="valid_from")
    row = DimensionWeights.objects.filter(valid_from=valid_from).first()
    row = row or DimensionWeights(valid_from=valid_from)
    for dimension in Dimension:
        setattr(row, dimension.name.lower(), _weight(weights.get(dimension.value)))
    row.source, row.set_by, row.set_at = source, actor, at
    try:
        row.full_clean(validate_unique=False)
    except ValidationError as error:
        raise InvalidInput("；".join(error.messages), field="weights") from None
    remember(row, actor=actor, at=at, reason=source)
    row.save()
    ledger.record(standing, "quality.set_weights", row, at=at, details={"source": source})
    return row


def _weight(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise InvalidInput(_("权重须为 0 到 1 之间的数"), field="weights") from None
