"""Which runs wait, and what they found."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery

from apps.catalog.models import Dataset
from apps.quality.inspecting import Answered
from apps.quality.models import TIMED_KINDS, Basis, QualityRule, QualityRun, RuleResult
from apps.warehouse.models import Batch

LEASE = timedelta(minutes=2)


def due(at: datetime) -> QuerySet[QualityRun]:
    """Return the runs to make, oldest first: waiting, or left by a worker that died.

    One of a dataset waits until the one before it is over.
    """
    waiting = Q(status=QualityRun.Status.WAITING)
    left = Q(status=QualityRun.Status.RUNNING, heartbeat_at__lt=at - LEASE)
    earlier = QualityRun.objects.filter(
        dataset=OuterRef("dataset"), pk__lt=OuterRef("pk"), status__in=("waiting", "running")
    )
    return QualityRun.objects.filter(waiting | left).exclude(Exists(earlier)).order_by("pk")


def batches_without_run() -> QuerySet[Batch]:
    """Return the batches that landed and were not looked at, oldest first.

    Of a dataset that no run has looked at yet, the last batch alone.
    """
    of_dataset = QualityRun.objects.filter(dataset=OuterRef("dataset"), batch__isnull=False)
    last_seen = of_dataset.order_by("-batch_id").values("batch_id")[:1]
    landed = Batch.objects.filter(status=Batch.Status.LANDED)
    later = landed.filter(dataset=OuterRef("dataset"), pk__gt=OuterRef("pk"))
    never_seen = ~Exists(of_dataset) & ~Exists(later)
    return landed.filter(Q(pk__gt=Subquery(last_seen)) | never_seen).order_by("pk")


def datasets_with_timed_rules() -> QuerySet[Dataset]:
    """Return the datasets whose score may change overnight though no row does."""
    timed = QualityRule.objects.filter(dataset=OuterRef("pk"), is_active=True, kind__in=TIMED_KINDS)
    found: QuerySet[Dataset] = Dataset.objects.filter(Exists(timed)).order_by("pk")
    return found


def runs_of(dataset: Dataset) -> QuerySet[QualityRun]:
    """Return the dataset's runs, latest first."""
    return (
        QualityRun.objects.filter(dataset=dataset)
        .select_related("batch", "asked_by")
        .order_by("-pk")
    )


def last_done(dataset: Dataset) -> QualityRun | None:
    return runs_of(dataset).filter(status=QualityRun.Status.DONE).first()


def results_of(run: QualityRun) -> QuerySet[RuleResult]:
    """Return what a run found, worst share first, what cannot be evaluated last."""
    return (
        RuleResult.objects.filter(run=run)
        .select_related("rule")
        .annotate(share=F("failed") * 1.0 / F("evaluated"))
        .order_by(F("share").desc(nulls_last=True), "rule_id", "basis")
    )


def answered_before(rules: Sequence[QualityRule]) -> dict[int, Answered]:
    """Return what the present version of each rule answered of the table, by rule.

    Only the last answer counts, and only if it was one: else every row is looked at again.
    """
    latest = (
        RuleResult.objects.filter(
            rule__in=[rule.pk for rule in rules], basis=Basis.LANDED, run__status="done"
        )
        .order_by("rule_id", "-run_id")
        .distinct("rule_id")
        .values_list("rule_id", "rule_version", "run__horizon", "evaluated", "fingerprint")
    )
    versions = {rule.pk: rule.version for rule in rules}
    return {
        rule: Answered(horizon, evaluated, fingerprint)
        for rule, version, horizon, evaluated, fingerprint in latest
        if version == versions[rule] and evaluated is not None and horizon is not None
    }


def runs_to_profile() -> QuerySet[QualityRun]:
    """Return the last finished run of each dataset whose table changed since it was profiled."""
    done = QualityRun.objects.filter(status="done", horizon__isnull=False)
    latest = done.order_by("dataset_id", "-pk").distinct("dataset_id").values("pk")
    profiled = done.filter(profiled_at__isnull=False, dataset=OuterRef("dataset"))
    seen = profiled.values("dataset").annotate(to=Max("horizon")).values("to")
    unseen: QuerySet[QualityRun] = done.annotate(seen=Subquery(seen)).filter(
        Q(seen=None) | Q(horizon__gt=F("seen")), pk__in=latest, profiled_at=None
    )
    return unseen.order_by("pk")
