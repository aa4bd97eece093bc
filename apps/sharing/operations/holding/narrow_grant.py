"""Terms of a grant in force are made narrower: a new version of the same grant, from the next read.

Wider terms are asked for by a request, which is decided anew (`new_versions`).
"""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date, datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import queries as catalog
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput, StaleRevision, required_text
from apps.core.jobs import wake
from apps.ledger import operations as ledger
from apps.sharing import provisioning, queries
from apps.sharing.models import Grant
from apps.sharing.operations import owed
from apps.sharing.operations.asking import return_flow_terms
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding.limits import (
    narrower_limits,
    narrower_mode,
    refuse_unanswerable,
)
from apps.sharing.operations.deciding.narrowing import narrowed_items, narrower_rows
from apps.sharing.operations.holding.dropping import drop_waiting
from apps.sharing.operations.holding.new_terms import derive_anew
from apps.sharing.operations.serving.open_changes import void_open_change
from apps.sharing.operations.versions import save_version

NARROWABLE: Final = ("in_force", "suspended")


@attempt("sharing.narrow", "grant")
def narrow(
    *,
    grant: Grant,
    actor: User,
    at: datetime,
    reason: str,
    items: Sequence[str] | Mapping[str, str] | None = None,
    row_condition: Sequence[dict[str, Any]] | None = None,
    mode: str | None = None,
    ends_on: date | None = None,
    revision: int | None = None,
    **limits: Any,
) -> Grant:
    """Narrow a grant: the system's next read is under the new version, old cursors are refused.

    What is not given stays as it is. items: columns to keep, or columns with their masks;
    row_condition: conditions that are added; mode: verification instead of reading; limits:
    `LIMIT_FIELDS`, only tighter.

    Source: 《政务数据共享条例》第二十五条; house rule (issue 5)
    Raises:
        InvalidInput: something is wider than it is, or nothing is narrower.
        IllegalMove: the grant is not delivered, or over.
        TableBusy: the table could not be had for a moment.
    """
    standing = access.require(actor, "narrow", grant, at=at)
    reason = required_text(reason, _("填写收窄的理由"), field="reason")
    wanted = {"items": items, "row_condition": row_condition, "mode": mode, "ends_on": ends_on}
    narrowed, changed = apply_narrowing(
        grant, wanted, limits, actor=actor, at=at, reason=reason, revision=revision
    )
    void_open_change(narrowed, actor=actor, at=at, why=_("授权已另行收窄"))
    details = {"reason": reason, "version": narrowed.version, "changed": changed}
    ledger.record(standing, "sharing.narrow", narrowed, at=at, details=details)
    return narrowed


def apply_narrowing(
    grant: Grant,
    wanted: Mapping[str, Any],
    limits: Mapping[str, Any],
    *,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
    is_by_drop: bool = False,
    decided_at: datetime | None = None,
) -> tuple[Grant, list[str]]:
    """Write the next version and derive from it; whoever calls asked permission and records it.

    What was agreed before and waits to take effect falls away, or it would undo the narrowing.

    is_by_drop: the entry dropped what is taken out, so that the provider adds no condition, and
    what waits says nothing against it. decided_at: when the narrowing was decided; now when None.

    Return the grant, and which of its fields changed.
    """

    taken: list[str] = []

    def work() -> tuple[Grant, list[str]]:
        why = _("当前状态为“%(status)s”，不能收窄")
        current = held_live(grant, revision, otherwise=why)
        before = queries.labelled_columns(current)
        changed = _write(current, wanted, limits, at=at, is_by_drop=is_by_drop)
        kept = {column["name"] for column in current.columns}
        taken[:] = [each["label"] for each in before if each["name"] not in kept]
        save_version(current, actor=actor, at=at, reason=reason)
        derive_anew(current, changed)
        if not is_by_drop:
            words = str(_("授权已收窄，须重新申请"))
            drop_waiting(current, words, signed_before=decided_at or at, at=at)
        return current, changed

    narrowed, changed = provisioning.persistently(work)
    wake("sharing.keep_exports")
    _tell(narrowed, reason, taken, at=at)
    return narrowed, changed


def narrower_terms(
    grant: Grant,
    wanted: Mapping[str, Any],
    limits: Mapping[str, Any],
    *,
    at: datetime,
    is_by_drop: bool = False,
) -> dict[str, Any]:
    """Return the terms that the grant would have, as its fields; nothing is written.

    Raises:
        InvalidInput: wider, or the same, or terms under which nothing could be answered.
        Conflict: the grant sends a district its own rows.
    """
    if not is_by_drop:
        return_flow_terms.refuse_conditions(grant.request)
    contract = catalog.contract_of(grant.dataset)
    labelled = queries.labelled_columns(grant)
    terms = {
        "columns": [
            {"name": entry["name"], "mask": entry["mask"]}
            for entry in narrowed_items(labelled, wanted["items"])
        ],
        "row_condition": narrower_rows(contract, grant.row_condition, wanted["row_condition"]),
        "mode": narrower_mode(grant.mode, wanted["mode"]),
        "expires_at": _earlier(grant, wanted["ends_on"], at),
        **narrower_limits(grant, limits),
    }
    if all(value == getattr(grant, name) for name, value in terms.items()):
        raise InvalidInput(_("与现在的授权相同，没有收窄"), code="not_narrower")
    trial = copy(grant)
    for name, value in terms.items():
        setattr(trial, name, value)
    refuse_unanswerable(trial.mode, trial.columns, contract)
    provisioning.terms_of(trial)
    return terms


def held_live(grant: Grant, revision: int | None, *, otherwise: str | Promise) -> Grant:
    """Return a grant in use, its row held; otherwise: what is said of one that is not.

    Raises:
        StaleRevision, IllegalMove.
    """
    current = (
        Grant.objects.select_for_update(of=("self",))
        .select_related("dataset", "system", "consumer", "provider", "request")
        .get(pk=grant.pk)
    )
    if revision is not None and current.revision != revision:
        raise StaleRevision
    if current.status not in NARROWABLE:
        raise IllegalMove(otherwise % {"status": current.get_status_display()})
    return current


def _write(
    grant: Grant,
    wanted: Mapping[str, Any],
    limits: Mapping[str, Any],
    *,
    at: datetime,
    is_by_drop: bool,
) -> list[str]:
    """Write the narrower terms on the grant and return which fields changed.

    Raises:
        InvalidInput: wider, or the same.
    """
    terms = narrower_terms(grant, wanted, limits, at=at, is_by_drop=is_by_drop)
    changed = sorted(name for name, value in terms.items() if value != getattr(grant, name))
    for name in changed:
        setattr(grant, name, terms[name])
    grant.version += 1
    grant.revision += 1
    grant.updated_at = at
    return changed


def _earlier(grant: Grant, ends_on: date | None, at: datetime) -> datetime:
    if ends_on is None:
        return grant.expires_at
    _first, expires_at = queries.days_as_instants(ends_on, ends_on, at)
    if expires_at > grant.expires_at:
        raise InvalidInput(
            _("截止日期不能晚于授权现在的截止日期"), code="wider_than_asked", field="ends_on"
        )
    if expires_at <= max(at, grant.starts_at):
        raise InvalidInput(_("截止日期已过；立即停止的，终止授权"), field="ends_on")
    return expires_at


def _tell(grant: Grant, reason: str, taken: Sequence[str], *, at: datetime) -> None:
    title = _("授权 %(grant)s 已收窄，现为第 %(version)s 版") % {
        "grant": grant,
        "version": grant.version,
    }
    words = [reason.strip()]
    if taken:
        words.append(_("不再提供：%(items)s") % {"items": "、".join(taken)})
    owed.tell_about_grant(grant, title, "；".join(map(str, filter(None, words))), at=at)
