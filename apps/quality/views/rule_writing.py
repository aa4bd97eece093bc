"""Add a rule, change it, try it out, stop and restore it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.contracts import Column, Contract
from apps.core.errors import DomainError, NotAllowed
from apps.quality import operations as quality
from apps.quality.forms import ADDABLE, RetireForm, RuleForm
from apps.quality.models import QualityRule, RuleKind
from apps.quality.operations.trying import Trial, try_rule
from apps.quality.views.dataset import dataset_or_404
from apps.quality.views.rules import rule_or_404
from apps.quality.wording import KIND_HELP
from apps.standards.models import CodeList
from apps.warehouse import queries as warehouse


@dataclass(frozen=True)
class KindChoice:
    kind: str
    label: str | Promise
    about: str | Promise
    example: str | Promise


@login_required
def new(request: HttpRequest, code: str) -> HttpResponse:
    """Choose a kind, then fill in what it asks."""
    user: Any = request.user
    subject = dataset_or_404(request, code)
    if not access.allowed(user, "add_quality_rule", subject):
        raise PermissionDenied
    contract = warehouse.contract_of(subject)
    kind = request.GET.get("kind", "")
    if contract is None or kind not in ADDABLE:
        context = {"subject": subject, "kinds": kind_choices(), "has_contract": contract}
        return render(request, "quality/rule_kinds.html", context)
    form = _form(request, kind, subject, contract)
    return _answer(request, form, subject, kind, None)


@login_required
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an added rule; its version counts up."""
    user: Any = request.user
    rule = rule_or_404(request, pk)
    if not access.allowed(user, "change", rule):
        raise PermissionDenied
    contract = warehouse.contract_of(rule.dataset)
    if contract is None:
        raise Http404
    form = _form(request, rule.kind, rule.dataset, contract, rule=rule)
    return _answer(request, form, rule.dataset, rule.kind, rule)


@login_required
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why, and stop asking the rule."""
    user: Any = request.user
    rule = rule_or_404(request, pk)
    if not access.allowed(user, "retire", rule):
        raise PermissionDenied
    form = RetireForm(request.POST or None, initial={"version": rule.version})
    if request.method == "POST" and form.is_valid():
        try:
            quality.retire_rule(rule=rule, actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已停用规则“%(name)s”") % {"name": rule.name})
            return redirect("quality:rule", rule.pk)
    return render(request, "quality/rule_retire.html", {"subject": rule, "form": form})


@login_required
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    rule = rule_or_404(request, pk)
    try:
        quality.restore_rule(rule=rule, actor=user, at=timezone.now())
    except NotAllowed as error:
        raise PermissionDenied from error
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已重新启用规则“%(name)s”") % {"name": rule.name})
    return redirect("quality:rule", rule.pk)


def kind_choices() -> list[KindChoice]:
    labels = dict(RuleKind.choices)
    return [KindChoice(kind, labels[kind], *KIND_HELP[kind]) for kind in ADDABLE]


def _answer(
    request: HttpRequest, form: RuleForm, subject: Dataset, kind: str, rule: QualityRule | None
) -> HttpResponse:
    """Show the form; on POST try the rule out or keep it, and everything typed on a refusal."""
    trial: Trial | None = None
    asks_only = "add_line" in request.POST or "choose" in request.POST
    if request.method == "POST" and not asks_only and form.is_valid():
        try:
            if "try" in request.POST:
                trial = _tried(request, form, subject, kind, rule)
            else:
                kept = _kept(request, form, subject, kind, rule)
                messages.success(request, _("已保存规则“%(name)s”") % {"name": kept.name})
                return redirect("quality:rule", kept.pk)
        except NotAllowed as error:
            raise PermissionDenied from error
        except DomainError as error:
            field = error.details.get("field")
            form.add_error(field if field in form.fields else None, str(error))
    context = {
        "subject": subject,
        "rule": rule,
        "form": form,
        "choice": KindChoice(kind, dict(RuleKind.choices)[kind], *KIND_HELP[kind]),
        "trial": trial,
        "may_try": kind not in (RuleKind.FRESHNESS, RuleKind.POPULATION),
        "asks_only": asks_only,
    }
    return render(request, "quality/rule_form.html", context)


def _kept(
    request: HttpRequest, form: RuleForm, subject: Dataset, kind: str, rule: QualityRule | None
) -> QualityRule:
    user: Any = request.user
    at = timezone.now()
    if rule is None:
        return quality.add_rule(dataset=subject, kind=kind, actor=user, at=at, **form.given())
    return quality.change_rule(
        rule=rule,
        actor=user,
        at=at,
        reason=form.cleaned_data.get("reason", ""),
        version=form.cleaned_data.get("version"),
        **form.given(),
    )


def _tried(
    request: HttpRequest, form: RuleForm, subject: Dataset, kind: str, rule: QualityRule | None
) -> Trial:
    user: Any = request.user
    return try_rule(
        dataset=subject, kind=kind, rule=rule, actor=user, at=timezone.now(), **form.given()
    )


def _form(
    request: HttpRequest,
    kind: str,
    subject: Dataset,
    contract: Contract,
    *,
    rule: QualityRule | None = None,
) -> RuleForm:
    posted = request.POST if request.method == "POST" else None
    stored = rule.parameters if rule else {}
    chosen = (posted.get("dataset", "") if posted else "") or stored.get("dataset", "")
    return RuleForm(
        posted,
        kind=kind,
        contract=contract,
        codes=_code_lists() if kind in (RuleKind.CODE_LIST, RuleKind.REFERENCE_IN_TIME) else (),
        others=_others(request.user, subject) if kind == RuleKind.CROSS_TABLE else (),
        theirs=_columns_of(request.user, subject, chosen),
        stored=stored,
        is_change=rule is not None,
        initial=_initial(rule) if rule else None,
    )


def _initial(rule: QualityRule) -> dict[str, Any]:
    told = dict(rule.parameters)
    if "codes" in told:
        told["codes"] = "\n".join(told["codes"])
    return {
        **told,
        "name": rule.name,
        "column": rule.columns[0] if rule.columns else "",
        "columns": rule.columns,
        "indicator": rule.indicator,
        "severity": rule.severity,
        "version": rule.version,
    }


def _code_lists() -> list[tuple[str, str]]:
    return [(one.code, f"{one.name}（{one.code}）") for one in CodeList.objects.order_by("code")]


def _comparable(user: Any, subject: Dataset) -> Any:
    """The datasets a rule may look into: every landed one for the authority, else one's own."""
    found = catalog.published().filter(data_table__isnull=False).exclude(pk=subject.pk)
    return found if user.holds("authority_officer") else found.filter(department=user.department_id)


def _others(user: Any, subject: Dataset) -> list[tuple[str, str]]:
    rows = _comparable(user, subject).select_related("department").order_by("code")
    return [(one.code, f"{one.name}（{one.department}）") for one in rows]


def _columns_of(user: Any, subject: Dataset, code: str) -> tuple[Column, ...]:
    if not code:
        return ()
    other = _comparable(user, subject).filter(code=code).first()
    contract = warehouse.contract_of(other) if other is not None else None
    return contract.columns if contract is not None else ()
