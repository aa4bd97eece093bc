"""Where the operations of accounts report what was done.

The ledger lies above accounts and may not be imported here; it registers its recorder when it
starts, and then writes each event in the operation's own transaction.

Source: house rule (design §3.7)
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# How each act is told; the moves of a lifecycle are told by their labels.
PHRASES: Final[Mapping[str, str | Promise]] = {
    "accounts.register_department": _("登记部门"),
    "accounts.change_department": _("更正部门信息"),
    "accounts.name_sharing_office": _("指定共享工作机构"),
    "accounts.succeed": _("办理机构改革"),
    "accounts.register_user": _("登记用户"),
    "accounts.register_supplier": _("登记供应商人员"),
    "accounts.change_user": _("更正用户信息"),
    "accounts.move_user": _("调动用户"),
    "accounts.issue_password": _("重置密码"),
    "accounts.hand_over": _("移交未办结事项"),
    "accounts.disable_user": _("停用账号"),
    "accounts.enable_user": _("启用账号"),
    "accounts.assign_role": _("授予角色"),
    "accounts.revoke_role": _("收回角色"),
    "accounts.delegate": _("委托代办"),
    "accounts.revoke_delegation": _("收回代办委托"),
    "accounts.register_system": _("登记信息系统"),
    "accounts.change_system": _("更正信息系统"),
}


class Recorder(Protocol):
    def __call__(
        self,
        by: Any,
        verb: str,
        subject: Any,
        *,
        at: datetime,
        details: dict[str, Any] | None = None,
        department: Any = None,
    ) -> Any: ...


_recorders: list[Recorder] = []


def register(recorder: Recorder) -> None:
    """Have every later act reported to `recorder`; registering it again changes nothing."""
    if recorder not in _recorders:
        _recorders.append(recorder)


def record(
    by: Any,
    verb: str,
    subject: Any,
    *,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    department: Any = None,
) -> None:
    """Report one act, inside the transaction that makes it true."""
    for recorder in _recorders:
        recorder(by, verb, subject, at=at, details=dict(details or {}), department=department)
