"""One lock for all role and grant DDL, and patience with tables in use."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _
from psycopg import errors, sql

from apps.core.errors import Conflict
from apps.sharing.models import ProvisioningLock
from apps.sharing.provisioning.statements import run

LOCK_TIMEOUT: Final = "200ms"
OWN_LOCK_TIMEOUT: Final = "30s"
ATTEMPTS: Final = 8
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 2.0

ResultT = TypeVar("ResultT")


class TableBusy(Conflict):
    """The table was being read or written all the time; the task tries again later."""

    code = "table_busy"
    default_message = _("数据表正在被长时间读写，平台稍后自动重试")


def persistently(work: Callable[[], ResultT]) -> ResultT:
    """Run `work` in a transaction under the lock, again when a table was busy.

    Raises:
        TableBusy: it stayed busy through every attempt.
    """
    pause = FIRST_PAUSE_SECONDS
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                hold_lock()
                wait_at_most(LOCK_TIMEOUT)
                return work()
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable):
                raise
        if attempt < ATTEMPTS - 1:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    raise TableBusy


def hold_lock() -> None:
    """Take the one lock of all role and grant DDL, until the transaction ends.

    Taken again within `persistently`, it leaves the patience with tables as short as it is.

    Raises:
        TableBusy: somebody else kept it too long.
    """
    patience = _patience()
    wait_at_most(OWN_LOCK_TIMEOUT)
    ProvisioningLock.objects.bulk_create([ProvisioningLock()], ignore_conflicts=True)
    try:
        ProvisioningLock.objects.select_for_update().get()
    except OperationalError as error:
        if isinstance(error.__cause__, errors.LockNotAvailable):
            raise TableBusy from error
        raise
    if patience == LOCK_TIMEOUT:
        wait_at_most(LOCK_TIMEOUT)


def wait_at_most(timeout: str) -> None:
    """Limit how long the rest of this transaction waits for any lock."""
    run(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(timeout)))


def _patience() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (patience,) = cursor.fetchone()
    return str(patience)
