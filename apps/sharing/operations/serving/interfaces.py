"""Register a provider's service for data that never lands here; try, start and stop it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access, conditions, secrets
from apps.core.access import Standing
from apps.core.conditions import Condition
from apps.core.contracts import Contract
from apps.core.errors import (
    Conflict,
    DomainError,
    InvalidInput,
    StaleRevision,
    required_text,
)
from apps.ledger import operations as ledger
from apps.sharing.gateway.filters import OPERATORS
from apps.sharing.gateway.forwarding import asking, paging, reading, serving
from apps.sharing.gateway.forwarding.paging import FIRST, Place
from apps.sharing.lifecycle import INTERFACE
from apps.sharing.models import Interface, InterfaceCall
from apps.sharing.models.interfaces import MOST_PAGE_ROWS
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.versions import save_version
from apps.sharing.queries.interfaces import obstacle_to_registering

# What a person says of an interface; the secret comes beside them.
TERMS: Final = (
    "name", "reason", "url", "method", "sign", "username", "header_name", "parameters",
    "rows_path", "items", "test_query", "timeout_seconds", "hours_from", "hours_to",
    "paging", "page_parameter", "size_parameter", "first_page", "page_rows",
)  # fmt: skip
# Where it is: a secret goes to no other place than it was given for.
PLACE: Final = ("url", "sign", "username", "header_name")
MOST_PARAMETERS: Final = 30


@attempt("sharing.register_interface", "dataset")
def register_interface(
    *, dataset: Dataset, terms: Mapping[str, Any], actor: User, at: datetime, secret: str = ""
) -> Interface:
    """Register the service of a dataset; it is not called until it was tried and started.

    Source: domain §2; house rule (issue 5)
    Raises:
        NotAllowed: the actor does not edit for the providing department.
        InvalidInput: a term cannot be, or the address may not be connected to.
        Conflict: rows landed already, or the dataset has an interface.
    """
    standing = access.require(actor, "register_interface", dataset, at=at)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    obstacle = obstacle_to_registering(dataset)
    if obstacle is not None:
        raise obstacle
    interface = Interface(dataset=dataset, created_by=actor, created_at=at, updated_at=at)
    _set(interface, terms)
    _check(interface)
    _check_secret(interface, secret)
    interface.sealed_secret = secrets.seal(secret) if interface.needs_secret else ""
    save_version(interface, actor=actor, at=at, reason=_("登记"), insert=True)
    _record(standing, "sharing.register_interface", interface, at)
    return interface


@attempt("sharing.change_interface", "interface")
def change_interface(
    *,
    interface: Interface,
    terms: Mapping[str, Any],
    actor: User,
    at: datetime,
    secret: str = "",
    revision: int | None = None,
) -> Interface:
    """Change an interface; it stops until it was tried and started again.

    An empty secret keeps the one that is there, unless the place changed; where none is needed
    any more it is forgotten.

    Source: house rule (issue 5)
    Raises:
        NotAllowed: the actor does not edit for the providing department.
        InvalidInput: a term cannot be, or the secret has to be given anew.
        Conflict: it was retired.
        StaleRevision: somebody changed it after the page was opened.
    """
    standing = access.require(actor, "change_interface", interface, at=at)
    interface = _held(interface)
    if revision is not None and revision != interface.revision:
        raise StaleRevision
    if interface.status == Interface.Status.RETIRED:
        raise Conflict(_("接口已停用，不能修改；登记一个新的"), code="interface_retired")
    if interface.status == Interface.Status.ACTIVE:
        INTERFACE.apply(interface, "pause", actor=actor, at=at, active_since=None)
    before = {name: getattr(interface, name) for name in PLACE}
    _set(interface, terms)
    _check(interface)
    moved = any(before[name] != getattr(interface, name) for name in PLACE)
    if not interface.needs_secret:
        interface.sealed_secret = ""
    elif secret:
        interface.sealed_secret = secrets.seal(secret)
    elif interface.sealed_secret and moved:
        raise InvalidInput(
            _("地址或者鉴权方式改了，密钥要重新填写"), code="secret_needed", field="secret"
        )
    _check_secret(interface, secret or interface.sealed_secret)
    interface.tested_at, interface.failures, interface.rests_until = None, 0, None
    interface.revision += 1
    interface.updated_at = at
    save_version(interface, actor=actor, at=at, reason=_("修改"))
    _record(standing, "sharing.change_interface", interface, at)
    return interface


def try_interface(*, interface: Interface, actor: User, at: datetime) -> str:
    """Call the service with its test case; once that brings a record it may be started.

    Returns what was found, in words; no value is shown.

    Source: house rule (issue 5)
    Raises:
        NotAllowed: the actor does not edit for the providing department.
        Conflict: it was retired.
        ProviderFailed: it did not answer, or not so as to be of use.
        InvalidInput: it answered no record; not a whole page, or the same one twice.
    """
    standing = access.require(actor, "try_interface", interface, at=at)
    if interface.status == Interface.Status.RETIRED:
        raise Conflict(_("接口已停用"), code="interface_retired")
    try:
        answered = ask_test_case(interface, InterfaceCall.Kind.TRY, at)
        paging_words = _tried_paging(interface, answered, at)
    except DomainError as error:
        ledger.record_refusal(
            actor, "sharing.try_interface", interface, at=at, code=error.code, message=str(error)
        )
        raise
    if not answered.rows:
        raise InvalidInput(_("测试用例没有取得记录，换一个有结果的"), code="nothing_answered")
    with transaction.atomic():
        current = Interface.objects.filter(pk=interface.pk, revision=interface.revision)
        current.exclude(status=Interface.Status.RETIRED).update(tested_at=at, failures=0,
                                                                rests_until=None)  # fmt: skip
        _record(standing, "sharing.try_interface", interface, at)
    words = _("试调用通过：%(rows)s 条，用时 %(ms)s 毫秒；第一条有值的数据项：%(items)s") % {
        "rows": len(answered.rows),
        "ms": answered.duration_ms,
        "items": "、".join(n for n, value in answered.rows[0].items() if value is not None),
    }
    return f"{words}{paging_words}"


def _tried_paging(interface: Interface, first: serving.Answered, at: datetime) -> str:
    """Look whether the second page is another one than the first; return what was found, in words.

    A service that answers fewer than is said would seem to end with its first page.

    Raises:
        InvalidInput: the first is not full, or the second the same.
        ProviderFailed: it did not answer, or not so as to be of use.
    """
    if not interface.is_paged or not first.rows:
        return ""
    rows = paging.rows_of_a_page(interface)
    if len(first.rows) < rows:
        raise InvalidInput(
            _(
                "测试用例只取得 %(given)s 条，不足一页（%(rows)s 条），翻页试不到；"
                "换一个，或者减少每页条数"
            )
            % {"given": len(first.rows), "rows": rows},
            code="paging_untested",
        )
    second = ask_test_case(interface, InterfaceCall.Kind.TRY, at, place=Place(rows))
    if second.rows == first.rows:
        raise InvalidInput(_("第二页与第一页相同，接口没有按翻页的参数回答"), code="paging_ignored")
    return str(_("；第二页 %(rows)s 条") % {"rows": len(second.rows)})


@attempt("sharing.resume_interface", "interface")
def resume_interface(*, interface: Interface, actor: User, at: datetime) -> Interface:
    """Start forwarding to the service.

    Source: house rule (issue 5)
    Raises:
        NotAllowed, IllegalMove.
        Conflict: its test case did not pass since it was changed.
    """
    standing = access.require(actor, "resume", interface, at=at)
    interface = _held(interface)
    if interface.tested_at is None:
        raise Conflict(_("先试调用，通过后启用"), code="interface_untested")
    INTERFACE.apply(interface, "resume", actor=actor, at=at, active_since=at, failures=0)
    _record(standing, "sharing.resume_interface", interface, at)
    return interface


@attempt("sharing.pause_interface", "interface")
def pause_interface(*, interface: Interface, actor: User, at: datetime) -> Interface:
    """Stop forwarding until it is started again; the next call is told so.

    Raises:
        NotAllowed, IllegalMove.
    """
    standing = access.require(actor, "pause", interface, at=at)
    INTERFACE.apply(interface, "pause", actor=actor, at=at, active_since=None)
    ledger.close_todos(interface, at=at, by=actor)
    _record(standing, "sharing.pause_interface", interface, at)
    return interface


@attempt("sharing.retire_interface", "interface")
def retire_interface(*, interface: Interface, actor: User, at: datetime, reason: str) -> Interface:
    """Give an interface up for good; its secret is forgotten.

    Raises:
        NotAllowed, IllegalMove.
        InvalidInput: no reason.
    """
    standing = access.require(actor, "retire", interface, at=at)
    reason = required_text(reason, _("请填写停用理由"), field="reason")
    INTERFACE.apply(
        interface, "retire", actor=actor, at=at, reason=reason, active_since=None, sealed_secret=""
    )
    ledger.close_todos(interface, at=at, by=actor)
    _record(standing, "sharing.retire_interface", interface, at, reason=reason)
    return interface


def ask_test_case(
    interface: Interface, kind: str, at: datetime, *, place: Place = FIRST
) -> serving.Answered:
    """Call the service with its test case and write down how that went.

    place: which of its pages, where it has some.

    Raises:
        ProviderFailed: it did not answer, or not so as to be of use.
    """
    contract = catalog.contract_of(interface.dataset)
    asked = conditions_of_test_case(interface.test_query, contract)
    sent = reading.parameters_of(interface, asked)
    sent |= paging.parameters_at(interface, place)
    answered = serving.ask(interface, sent, kind=kind, contract=contract, at=at)
    serving.log(interface, kind, at, answered.duration_ms, rows=len(answered.rows))
    return answered


def conditions_of_test_case(text: str, contract: Contract) -> tuple[Condition, ...]:
    """Return the filters of a test case, written as in an address.

    Raises:
        InvalidInput: one names no item, or its value is none.
    """
    known = {column.name: column for column in contract.columns}
    found = []
    for name, value in parse_qsl(text, keep_blank_values=True):
        item, _separator, suffix = name.partition("__")
        if item not in known or suffix not in OPERATORS:
            raise InvalidInput(
                _("测试用例里没有筛选条件“%(name)s”") % {"name": name[:80]}, field="test_query"
            )
        try:
            found.append(conditions.parse_one(known[item], OPERATORS[suffix], value))
        except InvalidInput as error:
            raise InvalidInput(str(error), field="test_query") from error
    return tuple(found)


def _held(interface: Interface) -> Interface:
    return Interface.objects.select_for_update(of=("self",)).get(pk=interface.pk)


def _set(interface: Interface, terms: Mapping[str, Any]) -> None:
    unknown = set(terms) - set(TERMS)
    if unknown:
        raise TypeError(f"no terms of an interface: {unknown}")
    for name, value in terms.items():
        setattr(interface, name, value.strip() if isinstance(value, str) else value)


def _check(interface: Interface) -> None:
    contract = catalog.contract_of(interface.dataset)
    interface.name = required_text(interface.name, _("请填写接口名称"), field="name")
    interface.reason = required_text(interface.reason, _("请填写数据不落地的理由"), field="reason")
    asking.require_address(interface.url)
    if (interface.hours_from is None) != (interface.hours_to is None):
        raise InvalidInput(_("服务时间的起止都填，或者都不填"), field="hours_to")
    _check_items(interface, contract)
    _check_parameters(interface, contract)
    _check_paging(interface)
    reading.parameters_of(interface, conditions_of_test_case(interface.test_query, contract))


def _check_items(interface: Interface, contract: Contract) -> None:
    known = {column.name for column in contract.columns}
    interface.items = {name: path for name, path in interface.items.items() if path}
    unknown = set(interface.items) - known
    if unknown or not interface.items:
        raise InvalidInput(
            _("至少写出一个数据项在回答中的位置，数据项须是目录里的"), code="mapping_invalid",
            field="items",
        )  # fmt: skip


def _check_parameters(interface: Interface, contract: Contract) -> None:
    known = {column.name: column for column in contract.columns}
    names = [each["name"] for each in interface.parameters]
    if len(names) > MOST_PARAMETERS or len(set(names)) != len(names) or not all(names):
        raise InvalidInput(_("参数名称不能为空、不能重复"), field="parameters")
    for each in interface.parameters:
        if each["item"] and (
            each["item"] not in known or each["operator"] not in OPERATORS.values()
        ):
            raise InvalidInput(
                _("参数“%(name)s”对应的数据项或者条件不对") % {"name": each["name"]},
                field="parameters",
            )


def _check_paging(interface: Interface) -> None:
    """Check how the service pages; what a service without pages does not need is emptied."""
    if interface.paging not in Interface.Paging.values:
        raise InvalidInput(_("选择翻页的方式"), field="paging")
    if interface.paging != Interface.Paging.PAGE:
        interface.first_page = 1
    if not interface.is_paged:
        interface.page_parameter = interface.size_parameter = ""
        interface.page_rows = None
        return
    required_text(interface.page_parameter, _("填写页码或者条数的参数名"), field="page_parameter")
    if interface.page_rows is None or not 1 <= interface.page_rows <= MOST_PAGE_ROWS:
        raise InvalidInput(
            _("每页条数须为 1 至 %(most)s") % {"most": MOST_PAGE_ROWS}, field="page_rows"
        )
    if interface.first_page not in (0, 1):
        raise InvalidInput(_("首页的页码是 0 或者 1"), field="first_page")
    own = [name for name in (interface.page_parameter, interface.size_parameter) if name]
    named = {each["name"] for each in interface.parameters}
    if len(set(own)) != len(own) or named & set(own):
        raise InvalidInput(_("翻页的参数不能与别的参数同名"), field="page_parameter")


def _check_secret(interface: Interface, secret: str) -> None:
    if not interface.needs_secret:
        return
    required_text(secret, _("这种鉴权方式须填写密钥"), field="secret")
    if not secret.isascii() or not secret.isprintable():
        raise InvalidInput(_("密钥只能是可见的英文字符"), field="secret")
    if interface.sign == Interface.Sign.HEADER:
        name = required_text(interface.header_name, _("请填写请求头名称"), field="header_name")
        if not (name.isascii() and name.replace("-", "").isalnum()):
            raise InvalidInput(_("请求头名称由英文字母、数字和连字符组成"), field="header_name")
    if interface.sign == Interface.Sign.BASIC:
        required_text(interface.username, _("请填写用户名"), field="username")


def _record(by: Standing, verb: str, interface: Interface, at: datetime, reason: str = "") -> None:
    ledger.record(
        by,
        verb,
        interface,
        at=at,
        department=interface.dataset.department,
        details={"dataset": interface.dataset.code, "url": interface.url, "reason": reason},
    )
