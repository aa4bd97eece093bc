"""Register a source that the portal reads by itself, change it, try it, start and stop it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset
from apps.core import access, files, jobs, outbound, secrets
from apps.core.access import Standing
from apps.core.errors import Conflict, InvalidInput, required_text
from apps.ledger import operations as ledger
from apps.warehouse import queries
from apps.warehouse.lifecycle import PULL_SOURCE
from apps.warehouse.models import Batch, PullSource
from apps.warehouse.operations.receiving import check_terms
from apps.warehouse.pulling import databases, http, schedule
from apps.warehouse.pulling.source import login_of, query_of
from apps.warehouse.sync import reading

# What a person says of a source; the secret comes beside them.
TERMS: Final = (
    "name", "kind", "host", "port", "database", "table_schema", "table_name", "url", "username",
    "requires_tls", "columns", "watermark_column", "overlap", "mode", "every_minutes", "daily_at",
    "window_from", "window_to",
)  # fmt: skip
# Where it is: a secret goes to no other place than it was given for.
PLACE: Final = ("kind", "host", "port", "database", "url", "username")
# What is read there: another content begins at the beginning.
CONTENT: Final = (*PLACE, "table_schema", "table_name", "columns", "watermark_column", "mode")
MOST_SOURCES: Final = 20


@transaction.atomic
def register_source(
    *,
    dataset: Dataset,
    system: InformationSystem,
    terms: Mapping[str, Any],
    actor: User,
    at: datetime,
    secret: str = "",
) -> PullSource:
    """Register a source of a dataset; it stays paused until it is started.

    `terms`: see TERMS. Batches are handed in by the system's service user.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not edit for the providing department.
        InvalidInput: a term cannot be, or the address may not be connected to.
        Conflict: the name is taken, or there are too many.
    """
    standing = access.require(actor, "register_source", dataset, at=at)
    if PullSource.objects.filter(dataset=dataset).exclude(status="retired").count() >= MOST_SOURCES:
        raise Conflict(_("一项目录至多 %(count)s 个来源") % {"count": MOST_SOURCES})
    source = PullSource(
        dataset=dataset, system=system, created_by=actor, created_at=at, updated_at=at
    )
    _set(source, terms)
    _check(source)
    source.sealed_secret = secrets.seal(secret)
    _save(source, actor, at, _("登记"))
    _record(standing, "warehouse.register_source", source, at)
    return source


@transaction.atomic
def change_source(
    *,
    source: PullSource,
    terms: Mapping[str, Any],
    actor: User,
    at: datetime,
    secret: str = "",
    system: InformationSystem | None = None,
) -> PullSource:
    """Change a source; an empty secret keeps the one that is there, unless the place changed.

    What is read from the beginning when the table, its columns or the watermark changed.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not edit for the providing department.
        InvalidInput: a term cannot be, or the secret has to be given anew.
        Conflict: it is being read just now, or retired.
    """
    standing = access.require(actor, "change_source", source, at=at)
    source = PullSource.objects.select_for_update(of=("self",)).get(pk=source.pk)
    if source.status == PullSource.Status.RETIRED:
        raise Conflict(_("来源已停用，不能修改；登记一个新的"), code="source_retired")
    if queries.open_run(source) is not None:
        raise Conflict(_("正在读取这个来源，读完再改"), code="source_in_use")
    before = {name: getattr(source, name) for name in CONTENT}
    _set(source, terms)
    source.system = system or source.system
    _check(source)
    if secret:
        source.sealed_secret = secrets.seal(secret)
    elif source.sealed_secret and any(before[name] != getattr(source, name) for name in PLACE):
        raise InvalidInput(
            _("地址、库名或者用户名改了，口令要重新填写"), code="secret_needed", field="secret"
        )
    if any(before[name] != getattr(source, name) for name in CONTENT):
        source.checkpoint, source.etag, source.last_modified = None, "", ""
    if source.status == PullSource.Status.ACTIVE:
        source.next_run_at = schedule.next_opening(at, source.window_from, source.window_to)
    source.revision += 1
    source.updated_at = at
    _save(source, actor, at, _("修改"))
    _record(standing, "warehouse.change_source", source, at)
    return source


@transaction.atomic
def resume_source(*, source: PullSource, actor: User, at: datetime) -> PullSource:
    """Start a source: it is read as soon as its window allows, and then in its rhythm.

    Raises:
        NotAllowed, IllegalMove.
    """
    standing = access.require(actor, "resume", source, at=at)
    due = schedule.next_opening(at, source.window_from, source.window_to)
    PULL_SOURCE.apply(source, "resume", actor=actor, at=at, next_run_at=due, failures=0)
    _record(standing, "warehouse.resume_source", source, at)
    jobs.wake("warehouse.pull_due")
    return source


@transaction.atomic
def pause_source(*, source: PullSource, actor: User, at: datetime) -> PullSource:
    """Stop reading a source until it is started again; a reading that runs comes to its end.

    Raises:
        NotAllowed, IllegalMove.
    """
    standing = access.require(actor, "pause", source, at=at)
    PULL_SOURCE.apply(source, "pause", actor=actor, at=at, next_run_at=None)
    ledger.close_todos(source, at=at, by=actor)
    _record(standing, "warehouse.pause_source", source, at)
    return source


@transaction.atomic
def retire_source(*, source: PullSource, actor: User, at: datetime, reason: str) -> PullSource:
    """Give a source up for good; its secret is forgotten, its readings stay in evidence.

    Raises:
        NotAllowed, IllegalMove.
        InvalidInput: no reason.
    """
    standing = access.require(actor, "retire", source, at=at)
    reason = required_text(reason, _("请填写停用理由"), field="reason")
    PULL_SOURCE.apply(
        source, "retire", actor=actor, at=at, reason=reason, next_run_at=None, sealed_secret=""
    )
    ledger.close_todos(source, at=at, by=actor)
    _record(standing, "warehouse.retire_source", source, at, reason=reason)
    return source


@transaction.atomic
def run_source_now(*, source: PullSource, actor: User, at: datetime) -> PullSource:
    """Have a source read at once instead of at its time.

    Raises:
        NotAllowed: the actor does not edit for the providing department.
        Conflict: it is not started, is being read, or its department's window is closed.
    """
    standing = access.require(actor, "run_now", source, at=at)
    source = PullSource.objects.select_for_update(of=("self",)).get(pk=source.pk)
    if source.status != PullSource.Status.ACTIVE:
        raise Conflict(_("来源没有启用；先启用"), code="source_not_active")
    if queries.open_run(source) is not None:
        raise Conflict(_("正在读取这个来源"), code="source_in_use")
    if not schedule.is_open(at, source.window_from, source.window_to):
        raise Conflict(_("现在不在允许拉取的时段"), code="outside_window")
    PullSource.objects.filter(pk=source.pk).update(next_run_at=at)
    source.next_run_at = at
    _record(standing, "warehouse.run_source_now", source, at)
    jobs.wake("warehouse.pull_due")
    return source


def try_source(*, source: PullSource, actor: User, at: datetime) -> str:
    """Connect to a source and look whether what is to be read is there; nothing is read.

    Returns what was found, in words.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not edit for the providing department.
        InvalidInput, SourceFailed: it cannot be reached, or lacks what is to be read.
    """
    standing = access.require(actor, "try_source", source, at=at)
    words = _tried_file(source) if source.kind == "http" else _tried_table(source)
    _record(standing, "warehouse.try_source", source, at)
    return words


def _tried_file(source: PullSource) -> str:
    place = files.make_workplace(f"try-{source.pk}")
    try:
        found = http.fetch(
            http.Wanted(
                source.url,
                source.username,
                secrets.unseal(source.sealed_secret),
                limit_bytes=settings.HUILIU_PULL_BYTES,
            ),
            place / "file",
        )
    finally:
        files.clear_workplace(place)
    return str(
        _("连接成功：%(name)s，%(size)s 字节")
        % {"name": found.file_name, "size": f"{found.size_bytes:,}"}
    )


def _tried_table(source: PullSource) -> str:
    query = query_of(source)
    with databases.opened(login_of(source)) as engine:
        present = reading.columns_of(engine, query.table, query.schema)
        wanted = [column for _heading, column in query.columns] + [query.watermark]
        missing = [name for name in wanted if name and name not in present]
        if missing:
            raise InvalidInput(
                _("来源的表里没有列 %(names)s；有 %(present)s")
                % {"names": "、".join(missing), "present": "、".join(present)},
                code="source_columns_missing",
            )
        if not query.watermark:
            return str(_("连接成功，%(count)s 列都在；每次读取全表") % {"count": len(wanted) - 1})
        empty = reading.without_watermark(engine, query)
        left = reading.backlog(engine, query, source.checkpoint)
    return str(
        _("连接成功，%(count)s 列都在；待拉取 %(left)s 条，水位为空、不会拉取的 %(empty)s 条")
        % {"count": len(wanted), "left": f"{left:,}", "empty": f"{empty:,}"}
    )


def _set(source: PullSource, terms: Mapping[str, Any]) -> None:
    unknown = set(terms) - set(TERMS)
    if unknown:
        raise TypeError(f"no terms of a source: {unknown}")
    for name, value in terms.items():
        setattr(source, name, value.strip() if isinstance(value, str) else value)
    if source.kind == PullSource.Kind.HTTP:
        source.host, source.port, source.database, source.table_name = "", None, "", ""
        source.table_schema, source.watermark_column, source.columns = "", "", {}
    else:
        source.url = ""


def _check(source: PullSource) -> None:
    check_terms(source.dataset, source.mode, "", None)
    source.name = required_text(source.name, _("请填写来源名称"), field="name")
    if source.system.department_id != source.dataset.department_id:
        raise InvalidInput(_("来源系统须是提供部门自己的"), code="foreign_system", field="system")
    if (source.every_minutes is None) == (source.daily_at is None):
        raise InvalidInput(
            _("间隔和每日时刻填一个"), code="schedule_invalid", field="every_minutes"
        )
    if source.every_minutes is not None and not 1 <= source.every_minutes <= 10_080:
        raise InvalidInput(
            _("间隔为 1 至 10080 分钟"), code="schedule_invalid", field="every_minutes"
        )
    if (source.window_from is None) != (source.window_to is None):
        raise InvalidInput(
            _("允许时段的起止都填，或者都不填"), code="schedule_invalid", field="window_to"
        )
    if source.kind == PullSource.Kind.HTTP:
        http.require_address(source.url)
        outbound.checked(http.host_of(source.url), 443)
    else:
        _check_table(source)


def _check_table(source: PullSource) -> None:
    for name in ("host", "database", "table_name"):
        required_text(getattr(source, name), _("主机、库名、表名都要填写"), field=name)
    if not 1 <= (source.port or 0) <= 65_535:
        raise InvalidInput(_("端口为 1 至 65535"), field="port")
    if source.watermark_column and source.mode != Batch.Mode.UPSERT:
        raise InvalidInput(
            _("按水位增量拉取只能用更新方式：重读的记录不会重复入库"),
            code="mode_unfit",
            field="mode",
        )
    if not source.watermark_column and source.mode == Batch.Mode.APPEND:
        raise InvalidInput(
            _("没有水位列时每次读全表，用更新或者全量替换"), code="mode_unfit", field="mode"
        )
    _check_columns(source)
    outbound.checked(source.host, source.port or 0)


def _check_columns(source: PullSource) -> None:
    contract = queries.contract_of(source.dataset)
    assert contract is not None  # published: `check_terms` asked
    known = {column.name for column in contract.columns}
    needed = {column.name for column in contract.columns if column.required} | set(contract.key)
    chosen = {name: column for name, column in source.columns.items() if column}
    source.columns = chosen
    for words, names in (
        (_("目录里没有数据项 %(names)s"), set(chosen) - known),
        (_("主键和必填的数据项 %(names)s 没有对应的列"), needed - set(chosen)),
    ):
        if names:
            raise InvalidInput(
                words % {"names": "、".join(sorted(names))}, code="mapping_invalid", field="columns"
            )


def _save(source: PullSource, actor: User, at: datetime, reason: Any) -> None:
    source._history_user, source._history_date, source._change_reason = (  # type: ignore[attr-defined]
        actor,
        at,
        str(reason),
    )
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError as error:
        if "warehouse_pullsource_name_once" not in str(error):
            raise
        raise Conflict(
            _("这项目录已有叫“%(name)s”的来源") % {"name": source.name}, code="name_taken"
        ) from error


def _record(by: Standing, verb: str, source: PullSource, at: datetime, reason: str = "") -> None:
    ledger.record(
        by,
        verb,
        source,
        at=at,
        department=source.dataset.department,
        details={
            "dataset": source.dataset.code,
            "kind": source.kind,
            "place": source.place,
            "reason": reason,
        },
    )
