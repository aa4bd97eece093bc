"""The consumer's half-yearly word on its use: asked for when the half-year is over, then filed.

Source: 《政务数据共享条例》第二十五条; house rule (issue 5)
"""

from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.errors import IllegalMove, required_text
from apps.ledger import operations as ledger
from apps.sharing.models import Grant, UsageReport
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.queries import usage_reports
from apps.sharing.queries.figures import figures_in_period

CLOCK: Final = "usage.report"
OVER: Final = (Grant.Status.ENDED, Grant.Status.EXPIRED)


def ask_usage_reports(at: datetime) -> int:
    """Ask for the reports of the half-year that is over, and remind of late ones. Repeat-safe.

    Return how many were asked for.
    """
    first_day, last_day = usage_reports.half_year_before(timezone.localdate(at))
    unasked = usage_reports.grants_without_report(first_day, last_day)
    asked, _left = each_by_itself(unasked, lambda grant: _ask(grant, first_day, last_day, at))
    late = usage_reports.late(at).filter(reminded_at=None)
    each_by_itself(late, lambda report: _remind(report, at))
    return sum(asked)


@attempt("sharing.file_usage_report", "report")
def file_usage_report(
    *,
    report: UsageReport,
    actor: User,
    at: datetime,
    scenario: str,
    effect: str,
    storage: str,
    disposal: str = "",
) -> UsageReport:
    """File what a grant was used for in a half-year; late is better than never.

    Raises:
        NotAllowed: the actor does not work for the consumer.
        InvalidInput: a part is missing; of a grant that is over, how the data were disposed of.
        IllegalMove: it was filed before.
    """
    standing = access.require(actor, "file", report, at=at)
    written: dict[str, Any] = {
        "scenario": required_text(scenario, _("填写使用场景"), field="scenario"),
        "effect": required_text(effect, _("填写使用成效"), field="effect"),
        "storage": required_text(storage, _("填写存放位置；不留存的，写明"), field="storage"),
        "disposal": disposal.strip(),
    }
    if report.grant.status in OVER:
        required_text(disposal, _("授权已结束，填写数据的处置情况"), field="disposal")
    written["figures"] = figures_in_period(report)
    filed = UsageReport.objects.filter(pk=report.pk, filed_at=None)
    if not filed.update(filed_at=at, filed_by=actor, **written):
        raise IllegalMove(_("已经登记过"))
    report.refresh_from_db()
    clocks.stop(report, CLOCK, at=at)
    ledger.close_todos(report, at=at, by=actor)
    details = {"period": str(report.first_day)}
    ledger.record(standing, "sharing.file_usage_report", report.grant, at=at, details=details)
    return report


@transaction.atomic
def _ask(grant: Grant, first_day: date, last_day: date, at: datetime) -> int:
    # Whoever looks at the same time waits here, and then finds the row.
    Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
    if UsageReport.objects.filter(grant=grant, first_day=first_day).exists():
        return 0
    report = UsageReport.objects.create(
        grant=grant,
        first_day=first_day,
        last_day=last_day,
        due_on=timezone.localdate(at),
        opened_at=at,
    )
    clock = clocks.start(report, CLOCK, department=grant.consumer, at=at)
    UsageReport.objects.filter(pk=report.pk).update(due_on=clock.due_on)
    ledger.open_todo(
        report,
        "sharing.file_usage_report",
        title=_("登记授权 %(grant)s 的使用情况") % {"grant": grant},
        url=owed.usage_report_page(report),
        department=grant.consumer,
        role="department_editor",
        at=at,
        due_on=clock.due_on,
    )
    platform = accounts.platform_user()
    details = {"period": str(first_day)}
    ledger.record(
        platform,
        "sharing.ask_usage_report",
        grant,
        at=at,
        department=grant.consumer,
        details=details,
    )
    return 1


@transaction.atomic
def _remind(report: UsageReport, at: datetime) -> None:
    unfiled = UsageReport.objects.filter(pk=report.pk, filed_at=None, reminded_at=None)
    if not unfiled.update(reminded_at=at):
        return  # it was filed, or somebody else's run reminded
    ledger.notify(
        owed.handlers_of(report.grant.consumer),
        title=_("使用情况逾期未登记：%(grant)s") % {"grant": report.grant},
        body=_("“%(dataset)s”，截止日期 %(day)s 已过。")
        % {"dataset": report.grant.dataset, "day": report.due_on},
        url=owed.usage_report_page(report),
        at=at,
        subject=report.grant,
    )
    platform = accounts.platform_user()
    ledger.record(
        platform,
        "sharing.remind_usage_report",
        report.grant,
        at=at,
        department=report.grant.consumer,
    )
