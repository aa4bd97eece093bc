"""The rules: filtered list; one rule with its results, versions and what may be done with it."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import access
from apps.core.chips import Chip
from apps.core.paging import page_of
from apps.ledger import queries as ledger
from apps.quality.models import Finding, Indicator, QualityRule, RuleKind, WorkOrder
from apps.quality.queries import rules, screens
from apps.quality.queries.rules import RuleState
from apps.quality.views.dataset import dataset_names, is_own_data
from apps.quality.views.history import history_of
from apps.quality.wording import MEANINGS, in_words, indicator_label, labels_of

PAGE_ROWS: Final = 50
STATES: Final[dict[str, str | Promise]] = {"active": _("启用"), "retired": _("停用")}
FILTERS: Final = (
    "q",
    "kind",
    "indicator",
    "origin",
    "state",
    "result",
    "dataset",
    "department",
)
RESULTS: Final[dict[str, str | Promise]] = {"ordered": _("整改中")}


@dataclass(frozen=True)
class RuleRow:
    """One rule of the list with its latest results and its live order."""

    rule: QualityRule
    words: str
    state: RuleState
    order: WorkOrder | None


@dataclass(frozen=True)
class Button:
    label: str | Promise
    url: str
    tone: str = "neutral"
    is_done_at_once: bool = False


@login_required
def list_rules(request: HttpRequest) -> HttpResponse:
    """The rules of the datasets whose quality I may see."""
    user: Any = request.user
    at = timezone.now()
    query = request.GET
    visible = access.rows(user, "view", QualityRule, at=at)
    base = _searched(screens.narrowed(visible, query), query)
    found = _chosen(base, query)
    page = page_of(found.select_related("dataset__department", "owner"), query, size=PAGE_ROWS)
    departments = list(screens.departments_seen(user, at))
    context = {
        "page": page,
        "rows": rule_rows(page.rows),
        "state_chips": _state_chips(base, query),
        "origin_chips": _chips(base, query, "origin", QualityRule.Origin.choices),
        "kinds": _chips(base, query, "kind", RuleKind.choices),
        "indicators": _chips(
            base, query, "indicator", [(code, indicator_label(code)) for code in Indicator.values]
        ),
        "ordered": base.filter(_ordered()).distinct().count(),
        "departments": departments if len(departments) > 1 else [],
        "hidden_filters": [
            (name, query[name])
            for name in ("state", "origin", "result", "dataset", "store")
            if query.get(name)
        ],
        "is_filtered": any(query.get(name) for name in FILTERS),
        "shows_department": len(departments) > 1,
    }
    return render(request, "quality/rules.html", context)


@login_required
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """What the rule asks, what it found, who may change it, and how it came to be so."""
    user: Any = request.user
    subject = rule_or_404(request, pk)
    labels = labels_of(subject.dataset)
    names = dataset_names([subject])
    (state,) = rules.states_of([subject])
    open_rows = access.rows(user, "view", Finding).filter(
        rule=subject, status__in=("open", "disputed")
    )
    context = {
        "subject": subject,
        "words": in_words(subject, labels, datasets=names),
        "meaning": MEANINGS[subject.indicator],
        "indicator": indicator_label(subject.indicator),
        "columns": [(name, labels.get(name, name)) for name in subject.columns],
        "state": state,
        "results": screens.results_of_rule(subject),
        "orders": access.rows(user, "view", WorkOrder).filter(rule=subject)[:10],
        "open_rows": open_rows.count(),
        "is_provider": is_own_data(user, subject.dataset),
        "buttons": buttons(user, subject),
        "trail": ledger.trail(subject),
        "history": history_of(subject.history, labels=labels),
    }
    return render(request, "quality/rule.html", context)


def rule_or_404(request: HttpRequest, pk: int) -> QualityRule:
    found = (
        access.rows(request.user, "view", QualityRule)
        .select_related("dataset__department", "owner", "made_by")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def buttons(user: Any, subject: QualityRule) -> list[Button]:
    """Return what this person may do with the rule now; nothing for the contract's."""
    if not subject.is_active:
        if access.allowed(user, "restore", subject):
            url = reverse("quality:rule-restore", args=[subject.pk])
            return [Button(_("重新启用"), url, "primary", is_done_at_once=True)]
        return []
    found = []
    if access.allowed(user, "change", subject):
        found.append(Button(_("修改"), reverse("quality:rule-edit", args=[subject.pk]), "primary"))
    if access.allowed(user, "retire", subject):
        found.append(Button(_("停用"), reverse("quality:rule-retire", args=[subject.pk]), "danger"))
    return found


def rule_rows(known: list[QualityRule]) -> list[RuleRow]:
    """Return the rules of a page in words, in a constant number of statements."""
    orders = screens.live_orders_by_rule(known)
    labels = screens.labels_by_dataset({one.dataset_id for one in known})
    names = dataset_names(known)
    return [
        RuleRow(
            state.rule,
            in_words(state.rule, labels.get(state.rule.dataset_id, {}), datasets=names),
            state,
            orders.get(state.rule.pk),
        )
        for state in rules.states_of(known)
    ]


def _searched(rows: QuerySet[QualityRule], query: QueryDict) -> QuerySet[QualityRule]:
    words = query.get("q", "").strip()
    if not words:
        return rows
    return rows.filter(
        Q(name__icontains=words)
        | Q(dataset__name__icontains=words)
        | Q(dataset__code__icontains=words)
    )


def _chosen(
    rows: QuerySet[QualityRule], query: QueryDict, *, but: str = ""
) -> QuerySet[QualityRule]:
    """Apply every choice except the one named, whose own counts are being shown."""
    for name in ("kind", "indicator", "origin"):
        if name != but and query.get(name):
            rows = rows.filter(**{name: query[name]})
    if but != "state" and query.get("state", "active") in STATES:
        rows = rows.filter(is_active=query.get("state", "active") == "active")
    if but != "result" and query.get("result") == "ordered":
        rows = rows.filter(_ordered()).distinct()
    return rows


def _ordered() -> Q:
    live = WorkOrder.objects.filter(status__in=("open", "in_mending", "contested"))
    return Q(pk__in=live.values("rule"))


def _chips(rows: QuerySet[QualityRule], query: QueryDict, name: str, choices: Any) -> list[Chip]:
    counts = dict(_chosen(rows, query, but=name).order_by().values_list(name).annotate(Count("pk")))
    chosen = query.get(name, "")
    return [
        Chip(value, label, counts.get(value, 0), chosen == value)
        for value, label in choices
        if counts.get(value) or chosen == value
    ]


def _state_chips(rows: QuerySet[QualityRule], query: QueryDict) -> list[Chip]:
    found = _chosen(rows, query, but="state")
    counts = dict(found.order_by().values_list("is_active").annotate(Count("pk", distinct=True)))
    chosen = query.get("state", "active")
    return [
        Chip(value, label, counts.get(value == "active", 0), chosen == value)
        for value, label in STATES.items()
    ]
