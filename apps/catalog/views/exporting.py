"""The catalogue as spreadsheets: exactly what the list shows, and the empty template."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import search
from apps.catalog.models import Dataset, SearchEntry
from apps.catalog.spreadsheets.answering import TYPES, spreadsheet_of
from apps.core import access
from apps.core.errors import InvalidInput


@login_required
def export_datasets(request: HttpRequest, form: str) -> HttpResponseBase:
    """The entries that the address's filters leave, as the template."""
    user: Any = request.user
    if form not in TYPES:
        raise Http404
    try:
        filters = search.Filters.read(request.GET.dict())
    except InvalidInput as error:
        raise Http404 from error
    found = search.Search(access.rows(user, "view", SearchEntry), filters).everything()
    entries = Dataset.objects.filter(pk__in=found.order_by().values("dataset"))
    if request.GET.get("mine"):
        entries = entries.filter(department=user.department_id)
    return spreadsheet_of(entries, form, f"{_('数据目录')}-{timezone.localdate():%Y%m%d}")


@login_required
def export_template(request: HttpRequest) -> HttpResponseBase:
    """The empty template with instructions and lists to choose from."""
    return spreadsheet_of(Dataset.objects.none(), "xlsx", _("数据目录模板"))
