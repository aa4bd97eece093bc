"""An agreed renewal or change becomes the next version of the grant that the system has.

The grant keeps its number, its roles, its counters and the system's copy; the request stays bound
to the version that was made of it. From the next read on the new terms hold, and marks of earlier
versions are refused, as after a narrowing.

Source: 《政务数据共享条例》第二十五条; house rule (issue 5: every change is a new version)
"""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.catalog import queries as catalog
from apps.core.errors import Conflict, InvalidInput
from apps.core.jobs import wake
from apps.sharing import provisioning, queries
from apps.sharing.leaving import named_columns
from apps.sharing.models import Decision, Grant, SharingRequest, limits_of
from apps.sharing.operations.holding.delivered import announce, mark_delivered
from apps.sharing.operations.holding.dropping import drop_agreed
from apps.sharing.operations.holding.letting_go import settle_open_questions
from apps.sharing.operations.holding.new_terms import derive_anew
from apps.sharing.operations.versions import save_version


def agreed_terms(request: SharingRequest, decision: Decision) -> dict[str, Any]:
    """Return what was signed as the fields of a grant, but for its days."""
    return {
        "purpose": request.scenario,
        "columns": [{"name": item["name"], "mask": item["mask"]} for item in decision.items],
        "row_condition": decision.row_condition,
        **limits_of(decision),
    }


def refuse_dropped_columns(grant: Grant, decision: Decision) -> None:
    """Refuse to give a grant anew what its entry dropped; what it has it keeps for its time.

    Raises:
        InvalidInput: `unknown_item`, with the column.
    """
    named = named_columns(decision.items, decision.row_condition)
    held = named_columns(grant.columns, grant.row_condition)
    listed = {column.name for column in catalog.contract_of(grant.dataset).columns}
    for name in sorted(named - held - listed):
        raise InvalidInput(
            _("目录已停用数据项“%(item)s”，不再新提供") % {"item": name},
            code="unknown_item",
            field="items",
            item=name,
        )


def wait_for(grant: Grant, request: SharingRequest) -> None:
    """Let the agreed request become the grant's next version when its first day has come.

    Raises:
        Conflict: another one waits already.
    """
    rows = SharingRequest.objects.filter(pk=request.pk)
    try:
        with transaction.atomic():
            rows.update(grant=grant, grant_version=None)
    except IntegrityError as error:
        raise Conflict(
            _("授权 %(grant)s 已有同意的变更待生效") % {"grant": grant}, code="already_delivering"
        ) from error
    request.grant, request.grant_version = grant, None


def write_waiting_version(grant: Grant, *, at: datetime) -> Grant:
    """Write what waits for the grant as its next version. Repeat-safe; the grant is held.

    What names a column that the entry dropped meanwhile, and the grant has not, is dropped.

    Raises:
        TableBusy: the table could not be had for a moment; the task comes again.
    """
    waiting = (
        queries.versions_to_write(at).filter(grant=grant).select_related("dataset__department")
    )
    request = waiting.first()
    if request is None:
        return grant
    decision = queries.latest_decision(request)
    assert decision is not None  # the request was agreed
    assert decision.signed_at is not None
    try:
        refuse_dropped_columns(grant, decision)
    except InvalidInput as refusal:  # no later day gives what the entry dropped
        drop_agreed(request, str(refusal), at=at)
        return grant
    changed = _write(grant, request, decision, at=at)
    derive_anew(grant, changed)
    mark_delivered(request, at=at, grant_version=grant.version)
    settle_open_questions(grant, asked_before=decision.signed_at, at=at)
    wake("sharing.keep_exports")
    announce(grant, at=at)
    return grant


def _write(grant: Grant, request: SharingRequest, decision: Decision, *, at: datetime) -> set[str]:
    """Write the terms that were signed on the grant and return which fields changed."""
    _first, expires_at = queries.days_as_instants(decision.starts_on, decision.ends_on, at)
    terms = {**agreed_terms(request, decision), "expires_at": expires_at}
    changed = {name for name, value in terms.items() if value != getattr(grant, name)}
    for name in changed:
        setattr(grant, name, terms[name])
    grant.request = request
    grant.version += 1
    grant.revision += 1
    grant.renewed_at = grant.updated_at = at
    grant.problem = ""
    provisioning.terms_of(grant)
    save_version(grant, actor=decision.signed_by, at=at, reason=decision.reason or _("同意申请"))
    return changed
