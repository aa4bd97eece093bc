"""Who owes the next step of a service change, and who is told how it stands."""

from datetime import date, datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import Department, User
from apps.clocks import operations as clocks
from apps.core import access
from apps.ledger import operations as ledger
from apps.sharing.models import ServiceChange
from apps.sharing.operations import owed
from apps.sharing.queries.service_changes import FILE_CHANGE

FILING_OWED: Final = "sharing.file_change"


def hand_to_authority(change: ServiceChange, *, by: User, at: datetime) -> None:
    """Let the authority file it or decide on the objection, within its own clock."""
    authority = accounts.authority()
    clock = clocks.start(change, FILE_CHANGE, department=authority, at=at)
    ledger.close_todos(change, at=at, by=by)
    title = (
        _("决定有异议的服务变更：授权 %(grant)s")
        if change.status == ServiceChange.Status.OBJECTED
        else _("备案服务变更：授权 %(grant)s")
    )
    ask(change, FILING_OWED, title, authority, "authority_officer", clock.due_on, at)


def ask(
    change: ServiceChange,
    kind: str,
    title: Any,
    department: Department,
    role: str,
    due_on: date,
    at: datetime,
) -> None:
    ledger.open_todo(
        change,
        kind,
        title=title % {"grant": change.grant},
        url=owed.change_page(change),
        department=department,
        role=role,
        at=at,
        due_on=due_on,
    )


def tell(change: ServiceChange, words: str, *, at: datetime) -> None:
    """Tell both departments and the authority how the change stands."""
    title = _("授权 %(grant)s 的服务变更（%(kind)s）：%(status)s") % {
        "grant": change.grant,
        "kind": change.get_kind_display(),
        "status": change.get_status_display(),
    }
    owed.tell_about_grant(change.grant, title, words.strip(), at=at)


def record(
    standing: access.Standing, verb: str, change: ServiceChange, words: str, *, at: datetime
) -> None:
    details = {"change": str(change)}
    if words.strip():
        details["reason"] = words.strip()
    ledger.record(standing, verb, change.grant, at=at, details=details)
