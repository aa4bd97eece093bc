"""The worker makes files: takes one into a free place, writes it, and says what became of it.

A worker may die anywhere. What it wrote lies in a workplace of its own that the next attempt
clears; the row stays `running`, its heartbeat stops, and the file is begun anew under another
revision. A file is ready when it is whole under its name, and not before.
"""

import errno
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import files, outgoing
from apps.core.errors import DomainError, IllegalMove, NotAllowed, StaleRevision
from apps.core.files import StorageFull
from apps.core.heartbeat import Heartbeat
from apps.sharing import queries
from apps.sharing.gateway import from_within
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.files.asking import kept_query
from apps.sharing.gateway.files.columns import columns_of
from apps.sharing.gateway.files.handing_out import stored_name
from apps.sharing.gateway.files.making import (
    DiscardedError,
    Order,
    OvertakenError,
    Standing,
    make_file,
)
from apps.sharing.gateway.files.writers import Whole
from apps.sharing.gateway.refusals import ResyncRequired
from apps.sharing.gateway.shapes import shape_as_landed
from apps.sharing.lifecycle import EXPORT
from apps.sharing.models import Export
from apps.sharing.operations.serving.exports import (
    give_back_counted,
    stop_export,
    tell_result,
    why_not_any_more,
)

MOST_ATTEMPTS: Final = 3
VOID: Final = (NotAllowed, ResyncRequired)  # the grant, system, credential or person is no more

logger = logging.getLogger(__name__)


def make_exports(*, at: datetime) -> int:
    """Make whatever waits, one after the other, while there is a place; return how many.

    Source: house rule (issue 5: a thousand parallel exports)
    """
    made = 0
    while (export := _take(timezone.now() if made else at)) is not None:
        made += 1
        try:
            make_export(export=export)
        except Exception:
            # One file's trouble must not keep the others waiting; it is taken again later.
            logger.exception("export %s", export.pk)
    return made


def make_export(*, export: Export) -> Export:
    """Make one file that this worker has taken, and return its row with what became of it."""
    if export.attempts > MOST_ATTEMPTS:
        reason = DomainError(
            _("生成多次中断，已停止；联系运维人员，或者重新导出"), code="attempts_exhausted"
        )
        return _fail(export, reason)
    workplace = files.make_workplace(f"export-{export.pk}")
    try:
        with Heartbeat(export, status=Export.Status.RUNNING):
            call = _admitted(export)
            path = workplace / "file"
            whole = make_file(_order(export, call), path, go_on=_checkpoint(export, call))
            outgoing.put(path, stored_name(export))
            return _finish(export, call, whole)
    except (OvertakenError, DiscardedError, IllegalMove, StaleRevision):
        return _left(export)
    except VOID as refusal:
        return _end(export, partial(stop_export, export=export, refusal=refusal, at=timezone.now()))
    except DomainError as error:
        return _end(export, partial(_fail, export, error))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _end(export, partial(_fail, export, StorageFull()))
    finally:
        files.clear_workplace(workplace)


def _take(at: datetime) -> Export | None:
    """Take the next due export into a free place; None when there is none of either."""
    for export in queries.exports_to_make(at)[:10]:
        held = Export.objects.filter(slot__isnull=False).exclude(pk=export.pk)
        taken = set(held.values_list("slot", flat=True))
        for slot in sorted(set(range(settings.EXPORTS_AT_ONCE)) - taken):
            try:
                with transaction.atomic():
                    return _begin(export, slot, at)
            except IntegrityError:
                continue  # another worker has the place
            except (IllegalMove, StaleRevision):
                break  # another worker has the export
    return None


def _begin(export: Export, slot: int, at: datetime) -> Export:
    left, now = stored_name(export), max(at, timezone.now())
    begun = EXPORT.apply(
        export,
        "begin",
        actor=None,
        at=at,
        revision=export.revision,
        slot=slot,
        attempts=F("attempts") + 1,
        started_at=now,
        heartbeat_at=now,
        rows=0,
        progress_ratio=0.0,
    )
    transaction.on_commit(lambda: outgoing.remove(left))  # of an attempt that died
    return begun


def _admitted(export: Export) -> Call:
    """Admit the call that reads; its horizon and whether it has marks hold for the whole file."""
    grant, now = export.grant, timezone.now()
    call = from_within.call_of(
        grant,
        at=now,
        user=export.asked_by,
        client_address=export.client_address,
        during_stops=True,
    )
    from_within.require_allowed_address(grant, export.client_address)
    refusal = why_not_any_more(export, call, at=now)
    if refusal is not None:
        raise refusal
    if call.grant_version != export.grant_version:
        raise ResyncRequired(version=call.grant_version)
    return call


def _order(export: Export, call: Call) -> Order:
    query = kept_query(export, shape_as_landed(call))
    columns = columns_of(query, with_marks=call.has_marks)
    Export.objects.filter(pk=export.pk, revision=export.revision).update(
        columns=columns, horizon=call.horizon or 0
    )
    export.columns, export.horizon = columns, call.horizon or 0
    facts = queries.facts_of(export)
    return Order(call, query, export.format, export.pk, facts, export.counted_rows)


def _checkpoint(export: Export, call: Call) -> Callable[[Standing], None]:
    """Return what is asked after each chunk: write how far it is, and look whether it may go on."""

    def go_on(standing: Standing) -> None:
        now = timezone.now()
        held = Export.objects.filter(
            pk=export.pk, revision=export.revision, status=Export.Status.RUNNING
        ).update(
            rows=standing.rows,
            counted_rows=standing.counted_rows,
            progress_ratio=standing.ratio,
            heartbeat_at=now,
        )
        if not held:
            is_running = Export.objects.filter(pk=export.pk, status="running").exists()
            raise OvertakenError if is_running else DiscardedError
        refusal = why_not_any_more(export, call, at=now)
        if refusal is not None:
            raise refusal

    return go_on


@transaction.atomic
def _finish(export: Export, call: Call, whole: Whole) -> Export:
    now = timezone.now()
    refusal = why_not_any_more(export, call, at=now)
    if refusal is not None:
        raise refusal
    kept_until = min(now + timedelta(days=settings.EXPORT_DAYS), call.expires_at)
    EXPORT.apply(
        export,
        "finish",
        actor=None,
        at=now,
        revision=export.revision,
        slot=None,
        size_bytes=whole.size_bytes,
        sha256=whole.sha256,
        progress_ratio=1.0,
        finished_at=now,
        expires_at=kept_until,
    )
    tell_result(export, "sharing.finish_export", at=now)
    return export


@transaction.atomic
def _fail(export: Export, error: DomainError) -> Export:
    now = timezone.now()
    give_back_counted(export, at=now)
    EXPORT.apply(
        export,
        "fail",
        actor=None,
        at=now,
        revision=export.revision,
        slot=None,
        counted_rows=0,
        finished_at=now,
        message_code=error.code,
        message=str(error)[:300],
    )
    tell_result(export, "sharing.fail_export", at=now)
    return export


def _end(export: Export, move: Callable[[], Export]) -> Export:
    """Move the row to its end; whoever overtook this worker has moved it already."""
    outgoing.remove(stored_name(export))
    try:
        return move()
    except (IllegalMove, StaleRevision):
        return _left(export)


def _left(export: Export) -> Export:
    """Leave the row to whoever has it now, or threw it away."""
    outgoing.remove(stored_name(export))
    export.refresh_from_db()
    return export
