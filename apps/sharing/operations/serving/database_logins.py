"""Database exchange: the operator opens a login on a grant; it closes with the last such grant.

What the login reads is granted and revoked with each grant, so that a suspension acts on its next
read. It is not recorded read by read: the database's own log tells of its sessions. A grant with a
quota is therefore not read by it, nor one with other networks than those for which the operator
lets the login in: one login serves several grants, and pg_hba.conf knows the login only.

Source: 《政务数据共享条例》第二十二条（数据库交换）; house rule (design §4)
"""

import secrets
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.core.errors import Conflict
from apps.ledger import operations as ledger
from apps.sharing import naming, provisioning
from apps.sharing.lifecycle import DATABASE_LOGIN
from apps.sharing.models import DatabaseLogin, Grant
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.operations.versions import save_version
from apps.sharing.queries import database_logins as queries

TODO = "sharing.open_login"


class OpenedLogin(NamedTuple):
    """What the system connects with; the password can never be read again."""

    role: str
    password: str


@attempt("sharing.open_login", "grant")
def open_login(*, grant: Grant, actor: User, at: datetime) -> OpenedLogin:
    """Let the system of a grant log in to the database; the password is returned this once.

    Raises:
        NotAllowed: the actor is not the system administrator, or the grant is in another way.
        Conflict: it is not in force, has a quota that a login would pass by, or is open already.
    """
    standing = access.require(actor, "open_login", grant, at=at)
    provisioning.hold_lock()
    grant = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
    if grant.status != Grant.Status.IN_FORCE:
        raise Conflict(_("授权生效后才能开通数据库登录"), code="grant_not_in_force")
    if not provisioning.suits_login(grant, grant.allowed_addresses):
        raise Conflict(
            _("授权订有次数或条数的限额，数据库登录不能计数；由提供部门去掉限额，或者改用服务接口"),
            code="quota_in_the_way",
        )
    _require_in_service(grant.system)
    login = _login_of(grant.system, at)
    password = secrets.token_urlsafe(24)
    DATABASE_LOGIN.apply(
        login,
        "open",
        actor=actor,
        at=at,
        opened_at=at,
        opened_by=actor,
        password_set_at=at,
        closed_at=None,
        closed_by=None,
        close_reason="",
        networks=grant.allowed_addresses,
    )
    provisioning.open_login(grant.system_id, password)
    for exchange in queries.exchanges_of(grant.system_id):
        ledger.close_todos(exchange, at=at, by=actor, kind=TODO)
    _tell(login, _("“%(system)s”的数据库登录已开通"), _("口令由系统管理员交给使用部门。"), at)
    ledger.record(standing, "sharing.open_login", grant, at=at)
    return OpenedLogin(naming.role_of_login(provisioning.database(), grant.system_id), password)


@attempt("sharing.renew_login", "login")
def renew_login(*, login: DatabaseLogin, actor: User, at: datetime) -> OpenedLogin:
    """Give the login another password; sessions that stand go on, the old password opens none.

    Raises:
        Conflict: it is closed.
    """
    standing = access.require(actor, "renew", login, at=at)
    provisioning.hold_lock()
    login = DatabaseLogin.objects.select_for_update(of=("self",)).get(pk=login.pk)
    if login.status != DatabaseLogin.Status.OPEN:
        raise Conflict(_("数据库登录已关闭，先开通"), code="login_closed")
    password = secrets.token_urlsafe(24)
    login.password_set_at = login.updated_at = at
    save_version(login, actor=actor, at=at, reason=_("更换口令"))
    provisioning.open_login(login.system_id, password)
    ledger.record(standing, "sharing.renew_login", login.system, at=at)
    return OpenedLogin(naming.role_of_login(provisioning.database(), login.system_id), password)


@attempt("sharing.close_login", "login")
def close_login(
    *,
    login: DatabaseLogin,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> DatabaseLogin:
    """Shut the login and end its sessions at once.

    Raises:
        NotAllowed: the actor is neither an administrator nor the head of the consumer.
        IllegalMove: it is closed.
    """
    standing = access.require(actor, "close", login, at=at)
    provisioning.hold_lock()
    _close(login, actor=actor, at=at, reason=reason, revision=revision)
    details = {"reason": reason.strip()}
    ledger.record(standing, "sharing.close_login", login.system, at=at, details=details)
    return login


def close_login_without_grants(grant: Grant, *, actor: User, at: datetime) -> None:
    """Shut the login of a grant's system when this was its last database exchange.

    Call under the lock, after the grant is over.
    """
    login = DatabaseLogin.objects.filter(system=grant.system_id, status="open").first()
    if login is not None and not queries.exchanges_of(grant.system_id).exists():
        reason = str(_("最后一项数据库交换的授权 %(grant)s 已结束") % {"grant": grant})
        _close(login, actor=actor, at=at, reason=reason)


def ask_for_login(grant: Grant, *, at: datetime) -> None:
    """Put the opening on the operator's desk, when a database exchange is delivered."""
    if DatabaseLogin.objects.filter(system=grant.system_id, status="open").exists():
        return
    ledger.open_todo(
        grant,
        TODO,
        title=_("为“%(system)s”开通数据库登录") % {"system": grant.system},
        url=owed.login_page_of(grant),
        department=accounts.authority(),
        role="system_admin",
        at=at,
    )


def watch_logins(at: datetime) -> int:
    """Shut the logins of systems that are out of service, end sessions that go on too long."""
    idle = queries.logins_out_of_service()
    closed, _problems = each_by_itself(idle, lambda login: _close_out_of_service(login, at))
    return len(closed) + provisioning.end_overdue()


@transaction.atomic
def _close_out_of_service(login: DatabaseLogin, at: datetime) -> None:
    platform = accounts.platform_user()
    provisioning.hold_lock()
    if not queries.logins_out_of_service().filter(pk=login.pk).exists():
        return  # an exchange was delivered meanwhile
    reason = str(_("信息系统已停用，或者没有数据库交换的授权"))
    _close(login, actor=platform, at=at, reason=reason)
    ledger.record(
        platform,
        "sharing.close_login",
        login.system,
        at=at,
        department=login.system.department,
        details={"reason": reason},
    )


def _close(
    login: DatabaseLogin,
    *,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> None:
    DATABASE_LOGIN.apply(
        login,
        "close",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        closed_at=at,
        closed_by=actor,
        close_reason=reason.strip()[:300],
    )
    provisioning.close_login(login.system_id)
    _tell(login, _("“%(system)s”的数据库登录已关闭"), reason.strip(), at)


def _login_of(system: InformationSystem, at: datetime) -> DatabaseLogin:
    login, _made = DatabaseLogin.objects.get_or_create(
        system=system, defaults={"created_at": at, "updated_at": at}
    )
    return login


def _require_in_service(system: InformationSystem) -> None:
    if not system.is_in_service():
        raise Conflict(_("信息系统已停用，不能开通数据库登录"), code="system_retired")


def _tell(login: DatabaseLogin, title: object, body: object, at: datetime) -> None:
    ledger.notify(
        owed.handlers_of(login.system.department),
        title=str(title) % {"system": login.system},
        body=str(body),
        url=f"/work/systems/{login.system_id}/",
        at=at,
        subject=login.system,
    )
