"""Who uses a dataset, and how much, for those who keep it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.urls import reverse

from apps.sharing.leaving import grants_touched_by, last_day_from
from apps.sharing.queries.lists import grants_in_force
from apps.warehouse.uses import USED_DAYS, Bound, Use

# Of a stream the rows are told when it closes; one that is still open has sent none yet.
_USED = """
SELECT record.grant_id, max(record.opened_at), count(*),
       sum(coalesce(record.rows, closed.rows, 0))
FROM ledger_accessrecord AS record
LEFT JOIN ledger_accessclose AS closed
  ON closed.record_id = record.id AND record.rows IS NULL AND closed.opened_at >= %(since)s
WHERE record.dataset_id = %(dataset)s AND record.opened_at >= %(since)s
  AND record.opened_at <= %(at)s AND record.kind <> 'preview'
GROUP BY record.grant_id
"""


def uses_of_dataset(dataset_id: int, at: datetime) -> Sequence[Use]:
    """Return the grants in force on a dataset with calls and rows of the last days, busiest first.

    Source: 《政务数据共享条例》第二十五条
    """
    grants = list(
        grants_in_force(at).filter(dataset=dataset_id).select_related("consumer", "system")
    )
    if not grants:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _USED, {"dataset": dataset_id, "since": at - timedelta(days=USED_DAYS), "at": at}
        )
        used = {grant: (last, calls, int(rows)) for grant, last, calls, rows in cursor.fetchall()}
    uses = []
    for grant in grants:
        last, calls, rows = used.get(grant.pk, (None, 0, 0))
        uses.append(
            Use(
                department=str(grant.consumer),
                system=str(grant.system),
                mode=str(grant.get_mode_display()),
                expires_at=grant.expires_at,
                last_call_at=last,
                calls=calls,
                rows=rows,
                url=reverse("sharing:grant", args=[grant.pk]),
            )
        )
    return sorted(uses, key=lambda use: (-use.calls, use.department, use.system))


def bound_by_columns(dataset_id: int, columns: Collection[str], at: datetime) -> Sequence[Bound]:
    """Return the open grants that show one of the columns or choose rows by it, and until when.

    Source: house rule (issue 5: both versions for N days)
    """
    until = last_day_from(at)
    wanted = set(columns)
    bound = []
    for grant in grants_touched_by(dataset_id, wanted):
        shown = [str(each["name"]) for each in grant.columns if each["name"] in wanted]
        rows = {str(each.get("item")) for each in grant.row_condition} & wanted
        bound.append(
            Bound(
                right=str(grant),
                department=str(grant.consumer),
                system=str(grant.system),
                columns="、".join([*shown, *sorted(rows - set(shown))]),
                chooses_rows=bool(rows),
                until=until,
                url=reverse("sharing:grant", args=[grant.pk]),
            )
        )
    return bound
