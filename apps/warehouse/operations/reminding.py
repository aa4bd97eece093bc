"""Tell the source department when a dataset stays silent for longer than its update cycle."""

from datetime import datetime
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.ledger import operations as ledger
from apps.ledger.models import Todo
from apps.warehouse.freshness import is_late, with_deliveries

SILENT: Final = "warehouse.deliver"


@transaction.atomic
def remind_silent(*, at: datetime) -> int:
    """Open a to-do for each dataset that is late, and close those of datasets that no longer are.

    Return how many were opened. A period confirmed unchanged counts as delivered. Repeat-safe.

    Source: house rule (统计口径: 更新及时率)
    """
    late = with_deliveries(catalog.published()).filter(is_late(at)).exclude(delivered_at=None)
    open_todos = Todo.objects.filter(
        kind=SILENT, done_at=None, content_type=ContentType.objects.get_for_model(Dataset)
    )
    waiting = set(open_todos.values_list("object_id", flat=True))
    silent: dict[int, Any] = {row.pk: row for row in late.select_related("department")}
    open_todos.exclude(object_id__in=silent).update(done_at=at)
    for key, dataset in silent.items():
        if key not in waiting:
            _remind(dataset, at)
    return len(silent.keys() - waiting)


def _remind(dataset: Any, at: datetime) -> None:
    title = _("逾期未更新：%(name)s（更新周期%(cycle)s），提交数据或者确认无变化") % {
        "name": dataset.name,
        "cycle": dataset.get_update_cycle_display(),
    }
    ledger.open_todo(
        dataset,
        SILENT,
        title=title[:300],
        url=f"/work/tables/{dataset.dashed_code}/",
        department=dataset.department,
        role="department_editor",
        at=at,
    )
