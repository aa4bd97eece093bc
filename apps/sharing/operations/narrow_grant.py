"""Terms of a grant in force are made narrower: a new version of the same grant, from the next read.

Wider terms are asked for by a request, which is decided anew.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

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
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.limits import narrower_limits, narrower_mode, refuse_unanswerable
from apps.sharing.operations.narrowing import narrowed_items, narrower_rows
from apps.sharing.operations.versions import save_version

NARROWABLE: Final = ("in_force", "suspended")
# What roles, policies and views are derived from; the rest is kept by the application.
DERIVED_FROM: Final = frozenset({"columns", "row_condition", "mode", "expires_at"})


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

    def work() -> tuple[Grant, list[str]]:
        current = _locked(grant, revision)
        changed = _write(current, wanted, limits, at=at)
        save_version(current, actor=actor, at=at, reason=reason)
        if DERIVED_FROM & set(changed):
            _derive_anew(current)
        return current, changed

    narrowed, changed = provisioning.persistently(work)
    wake("sharing.keep_exports")
    _tell(narrowed, reason, at=at)
    details = {"reason": reason, "version": narrowed.version, "changed": changed}
    ledger.record(standing, "sharing.narrow", narrowed, at=at, details=details)
    return narrowed


def _locked(grant: Grant, revision: int | None) -> Grant:
    current = (
        Grant.objects.select_for_update(of=("self",))
        .select_related("dataset", "system", "consumer", "provider", "request")
        .get(pk=grant.pk)
    )
    if revision is not None and current.revision != revision:
        raise StaleRevision
    if current.status not in NARROWABLE:
        raise IllegalMove(
            _("当前状态为“%(status)s”，不能收窄") % {"status": current.get_status_display()}
        )
    return current


def _write(
    grant: Grant, wanted: Mapping[str, Any], limits: Mapping[str, Any], *, at: datetime
) -> list[str]:
    """Write the narrower terms on the grant and return which fields changed.

    Raises:
        InvalidInput: wider, or the same.
    """
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
    changed = sorted(name for name, value in terms.items() if value != getattr(grant, name))
    if not changed:
        raise InvalidInput(_("与现在的授权相同，没有收窄"), code="not_narrower")
    for name in changed:
        setattr(grant, name, terms[name])
    refuse_unanswerable(grant.mode, grant.columns, contract)
    provisioning.terms_of(grant)
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


def _derive_anew(grant: Grant) -> None:
    provisioning.provision(grant)
    provisioning.close_copies(grant)  # until they are of the new terms
    if grant.status == Grant.Status.SUSPENDED:
        provisioning.revoke(grant)


def _tell(grant: Grant, reason: str, *, at: datetime) -> None:
    title = _("授权 %(grant)s 已收窄，现为第 %(version)s 版") % {
        "grant": grant,
        "version": grant.version,
    }
    owed.tell_about_grant(grant, title, reason, at=at)
