"""The tables of my department: how fresh, how large; one table, its batches, and handing in."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from apps.accounts.models import Department
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.chips import Chip
from apps.core.contracts import Column, Contract
from apps.core.errors import DomainError, NotAllowed
from apps.core.paging import page_of
from apps.standards.checks import CHECKS
from apps.standards.types import DataType
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.forms import NoChangeForm, UploadForm
from apps.warehouse.freshness import Freshness, with_freshness
from apps.warehouse.models import Batch
from apps.warehouse.rejected_file import UTF8_MARK
from apps.warehouse.views import reshaping
from apps.warehouse.views.console import console_of
from apps.warehouse.views.reshaping import dataset_or_404

PAGE_ROWS = 50
BATCH_ROWS = 20
CONFIRMATIONS = 5
PART_BYTES = 8 << 20  # larger files go in parts


@dataclass(frozen=True)
class Line:
    """One table of the list with its latest batch."""

    dataset: Any
    batch: Batch | None
    freshness: str


@dataclass(frozen=True)
class ColumnLine:
    """One column of the contract in words."""

    column: Column
    type: str
    rules: list[str]
    is_key: bool


@login_required
def tables(request: HttpRequest) -> HttpResponse:
    """The datasets whose landing I may see, with freshness, rows and the latest batch."""
    user: Any = request.user
    at = timezone.now()
    query = request.GET
    places = queries.landing_places(user, at)
    found: Any = with_freshness(
        _narrowed(places, query.get("q", ""), query.get("department", "")), at
    )
    chosen = query.get("freshness", "")
    chips = _chips(found, chosen)
    if chosen in Freshness.values:
        found = found.filter(freshness=chosen)
    page = page_of(
        found.select_related("department", "data_table"),
        query,
        size=PAGE_ROWS,
        total=next(chip.count for chip in chips if chip.is_on),
    )
    latest = queries.last_batches(page.rows)
    context = {
        "page": page,
        "lines": [
            Line(row, latest.get(row.pk), str(Freshness(row.freshness).label)) for row in page.rows
        ],
        "chips": chips,
        "departments": _departments(places),
        "chosen_department": query.get("department", ""),
        "chosen_freshness": chosen,
        "is_filtered": any(query.get(name) for name in ("q", "freshness", "department")),
    }
    return render(request, "warehouse/tables.html", context)


@login_required
def table(request: HttpRequest, code: str) -> HttpResponse:
    """One dataset's table: contract, batches, and the form to hand a file in."""
    user: Any = request.user
    subject = dataset_or_404(request, code)
    may_land = access.allowed(user, "land", subject)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if not may_land:
            raise PermissionDenied
        answer = _handed_in(request, subject, form)
        if answer is not None:
            return answer
    contract = queries.contract_of(subject)
    batches = queries.batches_of(subject)
    in_force = catalog.published().filter(pk=subject.pk).exists()
    data_table = queries.table_of(subject)
    context = {
        "subject": subject,
        "table": data_table,
        **console_of(subject, data_table, timezone.now()),
        "freshness": Freshness(subject.freshness).label,
        "contract": contract,
        "columns": column_lines(contract) if contract else [],
        "page": page_of(batches, request.GET, size=BATCH_ROWS),
        "form": form if may_land and in_force else None,
        "uploads": queries.open_uploads_of(subject) if may_land else [],
        "part_bytes": PART_BYTES,
        "in_force": in_force,
        "confirmations": list(queries.confirmations_of(subject)[:CONFIRMATIONS]),
        "no_change_form": _no_change_form(user, subject) if in_force else None,
        "has_change": reshaping.has_news(subject),
        "dirty_limit": f"{contract.dirty_limit_ratio:.1%}" if contract else "",
    }
    return render(request, "warehouse/table.html", context)


@login_required
@require_POST
def no_change(request: HttpRequest, code: str) -> HttpResponse:
    """Confirm that nothing changed in the period of the form."""
    user: Any = request.user
    subject = dataset_or_404(request, code)
    form = NoChangeForm(request.POST)
    if form.is_valid():
        try:
            warehouse.confirm_no_change(
                dataset=subject, actor=user, at=timezone.now(), **form.cleaned_data
            )
        except NotAllowed as error:
            raise PermissionDenied from error
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("已确认，这个期间按已更新计"))
    else:
        messages.error(request, _("填写期间的起止日期，如 2026-11-01"))
    return redirect("warehouse:table", subject.dashed_code)


@login_required
def template(request: HttpRequest, code: str) -> HttpResponse:
    """An empty file with the headings of the contract, to be filled in."""
    contract = queries.contract_of(dataset_or_404(request, code))
    if contract is None:
        raise Http404
    heading = ",".join(column.label for column in contract.columns)
    response = HttpResponse(f"{UTF8_MARK}{heading}\r\n", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{code}.csv"'
    return response


def column_lines(contract: Contract) -> list[ColumnLine]:
    """Return the columns in order, each with type and rules in words."""
    return [
        ColumnLine(column, _type(column), _rules(column), column.name in contract.key)
        for column in contract.columns
    ]


def _handed_in(
    request: HttpRequest, subject: Dataset, form: UploadForm
) -> HttpResponseRedirect | None:
    """Queue the file and go to its batch; None when the form has to be shown again."""
    user: Any = request.user
    if not form.is_valid():
        return None
    file = form.cleaned_data["file"]
    try:
        batch = warehouse.receive(
            dataset=subject,
            file=file,
            file_name=file.name,
            mode=form.cleaned_data["mode"],
            actor=user,
            at=timezone.now(),
            declared=form.cleaned_data["declared"],
            encoding=form.cleaned_data["encoding"],
        )
    except DomainError as error:
        field = error.details.get("field")
        form.add_error(field if field in form.fields else None, str(error))
        return None
    return redirect("warehouse:batch", batch.pk)


def _no_change_form(user: Any, subject: Dataset) -> NoChangeForm | None:
    """The form to confirm the days since the last delivery; None where there is nothing to."""
    if not access.allowed(user, "confirm_no_change", subject):
        return None
    today = timezone.localdate()
    begin = queries.unconfirmed_from(subject, today)
    if begin is None:
        return None
    return NoChangeForm(initial={"period_from": begin, "period_to": today})


def _narrowed(places: QuerySet[Dataset], words: str, department: str) -> QuerySet[Dataset]:
    if words := words.strip():
        places = places.filter(Q(name__icontains=words) | Q(code__icontains=words))
    return places.filter(department__code=department) if department else places


def _chips(found: QuerySet[Any], chosen: str) -> list[Chip]:
    counts = dict(found.order_by().values_list("freshness").annotate(Count("pk")))
    known = chosen in Freshness.values
    return [
        Chip("", _("全部"), sum(counts.values()), not known),
        *(
            Chip(value, label, counts.get(value, 0), chosen == value)
            for value, label in Freshness.choices
        ),
    ]


def _departments(places: QuerySet[Dataset]) -> list[Department]:
    """The departments to choose from; none for somebody who sees but one."""
    found = list(
        Department.objects.filter(pk__in=places.order_by().values("department")).order_by("code")
    )
    return found if len(found) > 1 else []


def _type(column: Column) -> str:
    label = str(DataType(column.type).label)
    if not column.length:
        return label
    size = f"{column.length},{column.scale}" if column.scale is not None else f"{column.length}"
    return f"{label}（{size}）"


def _rules(column: Column) -> list[str]:
    words: list[str] = []
    if column.check in CHECKS:
        words.append(str(CHECKS[column.check].label))
    if column.codes is not None:
        words.append(str(_("代码集，共 %(count)s 个值") % {"count": len(column.codes)}))
    if column.pattern:
        words.append(str(_("格式 %(pattern)s") % {"pattern": column.pattern}))
    if column.minimum is not None:
        words.append(str(_("不小于 %(bound)s") % {"bound": column.minimum}))
    if column.maximum is not None:
        words.append(str(_("不大于 %(bound)s") % {"bound": column.maximum}))
    return words
