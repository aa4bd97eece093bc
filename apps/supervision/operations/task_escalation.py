"""Tell the head, then the authority's leader, of returns that stay away."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.queries import approvers_of, members_with
from apps.clocks.queries import work_calendar
from apps.ledger import operations as ledger
from apps.supervision import queries
from apps.supervision.models import TaskReturn, WorkTask
from apps.supervision.queries.tasks import TELL_HEAD, TELL_LEADER, is_due_to_tell


@transaction.atomic
def escalate_due(*, at: datetime) -> int:
    """Tell whoever the policies name of every return that is late enough; each once.

    Called by the worker; it may come twice, what was told is marked in the row. Return how many
    returns were told of. Nobody's permission is asked: the platform does what the policy says.

    Source: house rule (policies task.tell_head and task.tell_leader, dated and changeable)
    """
    today, calendar = timezone.localdate(at), work_calendar()
    told = 0
    behind: dict[WorkTask, list[TaskReturn]] = defaultdict(list)
    late = TaskReturn.objects.select_for_update(of=("self",)).filter(queries.tasks.late(at))
    for row in late.select_related("task__department", "department").order_by("pk"):
        due_on = row.task.due_on
        assert due_on is not None  # the constraint says so of every issued task
        if row.head_told_at is None and is_due_to_tell(
            due_on, TELL_HEAD, today=today, calendar=calendar
        ):
            _tell_head(row, at)
            told += 1
        if row.leader_told_at is None and is_due_to_tell(
            due_on, TELL_LEADER, today=today, calendar=calendar
        ):
            behind[row.task].append(row)
    for task, rows in behind.items():
        _tell_leader(task, rows, at)
        told += len(rows)
    return told


def _tell_head(row: TaskReturn, at: datetime) -> None:
    ledger.notify(
        approvers_of(row.department),
        title=_("本部门逾期未报送：%(title)s") % {"title": row.task.title},
        body=_("截止日期 %(day)s 已过，当前状态：%(status)s。")
        % {"day": row.task.due_on, "status": row.get_status_display()},
        url=row.get_absolute_url(),
        at=at,
        subject=row,
    )
    TaskReturn.objects.filter(pk=row.pk).update(head_told_at=at)
    ledger.record(None, "supervision.tell_head", row, at=at, department=row.department)


def _tell_leader(task: WorkTask, rows: list[TaskReturn], at: datetime) -> None:
    """One notice for a task, naming the departments, not one for each of them."""
    names = "、".join(str(row.department) for row in rows)
    ledger.notify(
        members_with("authority_leader", task.department),
        title=_("%(count)s 个单位逾期未报送：%(title)s")
        % {"count": len(rows), "title": task.title},
        body=names,
        url=f"{task.get_absolute_url()}?status=late",
        at=at,
        subject=task,
    )
    TaskReturn.objects.filter(pk__in=[row.pk for row in rows]).update(leader_told_at=at)
    for row in rows:
        ledger.record(None, "supervision.tell_leader", row, at=at, department=row.department)
