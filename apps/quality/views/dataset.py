"""One dataset: its scores, rules, runs, failing rows, orders, and what its columns look like."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import DomainError, NotAllowed
from apps.quality import operations as quality
from apps.quality.models import (
    ColumnProfile,
    Finding,
    QualityRule,
    QualityRun,
    RuleResult,
    Score,
    WorkOrder,
)
from apps.quality.queries import profiles, rules, runs, scores, screens
from apps.quality.queries.rules import RuleState
from apps.quality.views.overview import dimension_lines, trend_chart, trend_rows
from apps.quality.wording import in_words, labels_of
from apps.warehouse import queries as warehouse

RUNS_SHOWN: Final = 8
ORDERS_SHOWN: Final = 10
FINDINGS_SHOWN: Final = 10
VALUES: Final = 5
MARKS: Final = 12


@dataclass(frozen=True)
class RuleLine:
    """One rule with its latest results, in words."""

    rule: QualityRule
    words: str
    state: RuleState
    failing_rows: int = 0
    order: WorkOrder | None = None

    @property
    def is_quiet(self) -> bool:
        """A rule of the contract that everything satisfies."""
        counted = self.state.counted
        satisfied = counted is not None and not counted.failed and not counted.not_evaluable
        return self.rule.origin == "contract" and satisfied and self.state.failed == 0


@dataclass(frozen=True)
class Bar:
    """A value or shape with its count, and its share of the longest bar (0–1)."""

    words: str
    count: int
    ratio: float


@dataclass(frozen=True)
class ColumnLine:
    """One column as it is drawn."""

    profile: ColumnProfile
    values: list[Bar] = field(default_factory=list)
    shapes: list[Bar] = field(default_factory=list)

    @property
    def filled_ratio(self) -> float | None:
        return self.profile.filled / self.profile.rows if self.profile.rows else None

    @property
    def empty(self) -> int:
        return self.profile.rows - self.profile.filled


@login_required
def dataset(request: HttpRequest, code: str) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    on = timezone.localdate(at)
    subject = dataset_or_404(request, code)
    whole = scores.standing_of_dataset(subject, on)
    trend = screens.trend_of(Score.objects.filter(dataset=subject), on)
    reads_rows = access.rows(user, "view", Finding, at=at).filter(dataset=subject)
    may_read = access.rows(user, "view", ColumnProfile, at=at).filter(run__dataset=subject)
    orders = access.rows(user, "view", WorkOrder, at=at).filter(dataset=subject)
    columns = profiles.profile_of(subject) if may_read.exists() else []
    is_provider = is_own_data(user, subject)
    lines = rule_lines(subject)
    context = {
        "subject": subject,
        "table": warehouse.table_of(subject),
        "whole": whole,
        "dimensions": dimension_lines(whole) if whole else [],
        "trend": trend_chart(trend),
        "trend_rows": trend_rows(trend),
        "lines": [line for line in lines if not line.is_quiet],
        "quiet_lines": [line for line in lines if line.is_quiet],
        "rules_count": len(lines),
        "rules_url": f"{reverse('quality:rules')}?dataset={subject.dashed_code}&indicator=",
        "retired": QualityRule.objects.filter(dataset=subject, is_active=False).count(),
        "runs": list(runs.runs_of(subject)[:RUNS_SHOWN]),
        "orders": list(orders.select_related("rule", "department")[:ORDERS_SHOWN]),
        "findings": list(
            reads_rows.filter(status__in=("open", "disputed")).select_related("rule")[
                :FINDINGS_SHOWN
            ]
        ),
        "columns": [column_line(one) for one in columns],
        "profiled_at": columns[0].run.profiled_at if columns else None,
        "is_provider": is_provider,
        "marks": range(MARKS),
        "seen_at": at,
        "can_check": access.allowed(user, "check_quality", subject),
        "can_add": access.allowed(user, "add_quality_rule", subject),
    }
    return render(request, "quality/dataset.html", context)


@login_required
@require_POST
def check(request: HttpRequest, code: str) -> HttpResponse:
    """Have the dataset checked now."""
    user: Any = request.user
    subject = dataset_or_404(request, code)
    try:
        run = quality.ask_run(dataset=subject, actor=user, at=timezone.now())
    except NotAllowed as error:
        raise PermissionDenied from error
    except DomainError as error:
        messages.error(request, str(error))
    else:
        words = _("已安排检查 %(run)s，完成后刷新本页查看结果") % {"run": run}
        messages.success(request, words)
    return redirect("quality:dataset", subject.dashed_code)


@login_required
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run and what each rule found in it."""
    found = (
        access.rows(request.user, "view", QualityRun)
        .select_related("dataset__department", "batch", "asked_by")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    labels = labels_of(found.dataset)
    results: Sequence[RuleResult] = list(runs.results_of(found))
    context = {
        "subject": found,
        "lines": [(one, in_words(one.rule, labels)) for one in results],
    }
    return render(request, "quality/run.html", context)


def dataset_or_404(request: HttpRequest, code: str) -> Dataset:
    """Return the dataset when the person may see its quality; nobody learns of others."""
    found = (
        access.rows(request.user, "view_quality", Dataset)
        .select_related("department")
        .filter(code=code.replace("-", "/"))
        .first()
    )
    if found is None:
        raise Http404
    return found


def is_own_data(user: Any, subject: Dataset) -> bool:
    """Whether the rows behind the counts are this person's to read."""
    from_here = subject.department_id == user.department_id
    return bool(from_here and user.holds("department_editor", "department_approver"))


def rule_lines(subject: Dataset) -> list[RuleLine]:
    """Return the active rules with how each stands, what fails most first."""
    states = rules.rule_states(subject)
    known = [state.rule for state in states]
    failing = screens.open_findings_by_rule(known)
    orders = screens.live_orders_by_rule(known)
    labels = labels_of(subject)
    names = dataset_names(known)
    lines = [
        RuleLine(
            state.rule,
            in_words(state.rule, labels, datasets=names),
            state,
            failing.get(state.rule.pk, 0),
            orders.get(state.rule.pk),
        )
        for state in states
    ]
    return sorted(lines, key=lambda line: (-line.state.failed, line.rule.indicator, line.rule.pk))


def dataset_names(known: Sequence[QualityRule]) -> dict[str, str]:
    """Return code → name of the datasets that rules about other tables speak of."""
    codes = {rule.parameters["dataset"] for rule in known if rule.parameters.get("dataset")}
    if not codes:
        return {}
    return dict(Dataset.objects.filter(code__in=codes).values_list("code", "name"))


def column_line(profile: ColumnProfile) -> ColumnLine:
    return ColumnLine(
        profile,
        _bars([(str(one["value"]), int(one["count"])) for one in profile.top_values[:VALUES]]),
        _bars([(str(one["shape"]), int(one["count"])) for one in profile.patterns[:VALUES]]),
    )


def _bars(pairs: Sequence[tuple[str, int]]) -> list[Bar]:
    most = max((count for _words, count in pairs), default=0)
    return [Bar(words, count, count / most if most else 0.0) for words, count in pairs]
