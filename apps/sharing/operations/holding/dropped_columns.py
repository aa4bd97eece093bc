"""A column that its entry dropped is served on for a time, then taken out of the grants by itself.

The table tells: when it follows a version, whoever shows a column that goes is told, and told again
should it come back. Nothing is kept of it but what was told: how long it is served follows from the
versions and a policy. When the time is over the platform narrows the grant by that column. Rows
that are chosen by a dropped column stay chosen by its last values: another choice is a decision,
which the platform does not take, so the provider owes it; what would be shown under no item, or
could answer nothing, ends.

Source: 《政务数据共享条例》第十七条; house rule (issue 5: both versions for N days)
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.catalog import queries as catalog
from apps.core.contracts import Contract
from apps.core.errors import InvalidInput
from apps.ledger import operations as ledger
from apps.ledger.models import Todo
from apps.sharing import provisioning
from apps.sharing.leaving import (
    Leaving,
    grants_touched_by,
    grants_with_leaving_columns,
    leaving_columns,
    words_of_ending,
)
from apps.sharing.models import Credential, Grant, ServiceChange
from apps.sharing.operations import owed
from apps.sharing.operations.deciding.limits import refuse_unanswerable
from apps.sharing.operations.holding.grants import close_grant
from apps.sharing.operations.holding.narrow_grant import apply_narrowing
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.operations.serving.open_changes import void_open_change
from apps.sharing.queries.credentials import keepers_of
from apps.sharing.queries.service_changes import open_change
from apps.warehouse.models import DataTable

ADAPT: Final = "sharing.adapt_to_drop"
CHOOSE_ROWS: Final = "sharing.rows_without_column"


@contextmanager
def told(table: DataTable) -> Iterator[None]:
    """Tell those whose grants show a column that goes, or comes back, as the table follows."""
    before = _columns(table)
    yield
    after = _columns(table)
    at = timezone.now()
    for grant in grants_touched_by(table.dataset_id, before - after):
        announce_drop(grant=grant, names=before - after, at=at)
    for grant in grants_touched_by(table.dataset_id, after - before):
        announce_return(grant=grant, names=after - before, at=at)


def announce_drop(*, grant: Grant, names: Collection[str], at: datetime) -> None:
    """Say which columns of the grant go on which day, what carries on, and where to ask for it.

    Source: house rule (issue 5)
    """
    every = leaving_columns(grant)
    leaving = [each for each in every if each.column.name in names]
    if not leaving:
        return
    ledger.close_todos(grant, at=at, by=None, kind=ADAPT)
    ledger.close_todos(grant, at=at, by=None, kind=CHOOSE_ROWS)
    _keep_todos(grant, every, at=at)
    _tell(
        grant,
        _("授权 %(grant)s 的数据项停用：%(items)s") % {"grant": grant, "items": _labels(leaving)},
        "\n".join([*map(words_of, leaving), _where_to_ask(grant)]),
        at=at,
    )
    _record(grant, "sharing.announce_drop", {"columns": [_facts(each) for each in leaving]}, at)


def announce_return(*, grant: Grant, names: Collection[str], at: datetime) -> None:
    """Say that columns which were to go stay; what was owed for them is settled.

    Source: house rule (issue 5)
    """
    _settle_todos(grant, at)
    back = [each for each in catalog.contract_of(grant.dataset).columns if each.name in names]
    labels = "、".join(column.label for column in back)
    _tell(
        grant,
        _("授权 %(grant)s 的数据项恢复：%(items)s") % {"grant": grant, "items": labels},
        _(
            "目录重新列出了这些数据项，授权照旧提供，不必改动；停用期间没有更新的值随以后的入库更新。"
        ),
        at=at,
    )
    names_back = [column.name for column in back]
    _record(grant, "sharing.announce_return", {"columns": names_back}, at)


def withdraw_dropped(at: datetime) -> int:
    """Take out of the grants what was served long enough; return how many. Repeat-safe.

    To-dos about dropped columns are opened again where they were lost, and closed where nothing
    is dropped any more.

    Source: house rule (issue 5)
    """
    done, _problems = each_by_itself(grants_with_leaving_columns(), lambda each: _mind(each, at))
    open_ones = Todo.objects.filter(
        kind__in=(ADAPT, CHOOSE_ROWS), done_at=None, content_type__model="grant"
    )
    owing = Grant.objects.filter(pk__in=open_ones.values("object_id"))
    each_by_itself(owing.select_related("dataset"), lambda each: _settle_todos(each, at))
    return sum(done)


def words_of(leaving: Leaving) -> str:
    """Say what becomes of one column, for those who use it."""
    names = {"label": leaving.label, "column": leaving.column.name}
    rows = _("数据范围仍按停用前的值限定，新记录不在其内。") if leaving.is_condition else ""
    if not leaving.is_shown:
        return _("“%(label)s”（%(column)s）：目录已停用。") % names + rows
    shown = _("“%(label)s”（%(column)s）：%(words)s。此后由平台从授权中去掉。") % {
        **names,
        "words": words_of_ending(leaving.ending),
    }
    return shown + rows


def _columns(table: DataTable) -> set[str]:
    return {column.name for column in Contract.from_json(table.version.contract).columns}


def _mind(grant: Grant, at: datetime) -> bool:
    """Carry out what is due about the dropped columns of a grant; say whether anything was."""
    leaving = leaving_columns(grant)
    over = [each for each in leaving if each.is_shown and each.ending.ends_at <= at]
    if over:
        provisioning.persistently(lambda: _take_out(grant, over, at))
        return True
    _keep_todos(grant, leaving, at=at)
    return False


def _take_out(grant: Grant, over: Sequence[Leaving], at: datetime) -> None:
    gone = {each.column.name for each in over}
    kept = [column for column in grant.columns if column["name"] not in gone]
    platform = accounts.platform_user()
    reason = _("数据项“%(items)s”已由目录停用，保留期满") % {"items": _labels(over)}
    details: dict[str, Any] = {"reason": reason}
    if not _is_of_use(grant, kept):
        close_grant(grant, "end", actor=platform, at=at, reason=reason, revision=grant.revision)
        _record(grant, "sharing.end", details, at)
        return
    wanted = {
        "items": {column["name"]: column.get("mask") or "" for column in kept},
        "row_condition": None,
        "mode": None,
        "ends_on": None,
    }
    narrowed, changed = apply_narrowing(
        grant,
        wanted,
        {},
        actor=platform,
        at=at,
        reason=reason,
        revision=grant.revision,
        is_by_drop=True,
    )
    _void_outdated(narrowed, platform, at)
    _settle_todos(narrowed, at)
    details |= {"version": narrowed.version, "changed": changed}
    _record(narrowed, "sharing.narrow", details, at)


def _is_of_use(grant: Grant, kept: Sequence[dict[str, Any]]) -> bool:
    """Say whether anything can still be read, or verified, under these columns."""
    if not kept:
        return False
    try:
        refuse_unanswerable(grant.mode, kept, catalog.contract_of(grant.dataset))
    except InvalidInput:
        return False
    return True


def _void_outdated(grant: Grant, actor: User, at: datetime) -> None:
    """An announced narrowing names columns that are gone; a stop is carried out all the same."""
    change = open_change(grant)
    if change is not None and change.kind == ServiceChange.Kind.NARROW:
        void_open_change(grant, actor=actor, at=at, why=_("授权已因数据项停用而收窄"))


def _keep_todos(grant: Grant, leaving: Sequence[Leaving], *, at: datetime) -> None:
    """Let the consumer owe the change of its system, the provider another choice of rows."""
    shown = [each for each in leaving if each.is_shown]
    if shown:
        day = min(each.ending.last_day for each in shown)
        ledger.open_todo(
            grant,
            ADAPT,
            title=_("授权 %(grant)s 的“%(items)s”停用，调整系统或者申请变更授权")
            % {"grant": grant, "items": _labels(shown)},
            url=owed.page_of_grant(grant),
            department=grant.consumer,
            role="department_editor",
            at=at,
            due_on=day,
        )
    chosen_by = [each for each in leaving if each.is_condition]
    if chosen_by:
        ledger.open_todo(
            grant,
            CHOOSE_ROWS,
            title=_("授权 %(grant)s 的数据范围按已停用的“%(items)s”限定，须改办或者终止")
            % {"grant": grant, "items": _labels(chosen_by)},
            url=owed.page_of_grant(grant),
            department=grant.provider,
            role="department_approver",
            at=at,
            due_on=min(each.ending.last_day for each in chosen_by),
        )


def _settle_todos(grant: Grant, at: datetime) -> None:
    """Close what is owed for columns none of which is dropped any more."""
    leaving = leaving_columns(grant)
    if not any(each.is_shown for each in leaving):
        ledger.close_todos(grant, at=at, by=None, kind=ADAPT)
    if not any(each.is_condition for each in leaving):
        ledger.close_todos(grant, at=at, by=None, kind=CHOOSE_ROWS)


def _tell(grant: Grant, title: str, body: str, *, at: datetime) -> None:
    """Tell both departments and those who keep the credentials of the system."""
    people = {
        person
        for department in (grant.consumer, grant.provider)
        for person in owed.handlers_of(department)
    }
    credentials = Credential.objects.filter(system=grant.system_id, status__in=Credential.LIVE)
    people |= set(keepers_of(credentials))
    recipients = sorted((each for each in people if each.is_active), key=lambda each: each.pk)
    url = owed.page_of_grant(grant)
    ledger.notify(recipients, title=title, body=body, url=url, at=at, subject=grant)


def _where_to_ask(grant: Grant) -> str:
    return _("需要新的数据项的，在授权 %(grant)s 的页面上申请变更授权。") % {"grant": grant}


def _facts(leaving: Leaving) -> dict[str, str]:
    """What of it is written in the ledger and pushed to systems; no value of the data."""
    return {
        "name": leaving.column.name,
        "label": leaving.label,
        "last_day": leaving.ending.last_day.isoformat(),
        "replaced_by": leaving.ending.replaced_by,
    }


def _record(grant: Grant, verb: str, details: dict[str, Any], at: datetime) -> None:
    platform = accounts.platform_user()
    ledger.record(platform, verb, grant, at=at, department=grant.provider, details=details)


def _labels(leaving: Sequence[Leaving]) -> str:
    return "、".join(each.label for each in leaving)
