"""The platform keeps watch: warns before the end, ends what is over, stops what nobody uses.

The calls themselves look at the moment of expiry, so that nothing hangs on this coming in time.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.ledger import operations as ledger
from apps.sharing.gateway.oauth import UNUSED_DAYS
from apps.sharing.models import Credential
from apps.sharing.operations import owed
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.operations.serving.credentials.ending import end_credential
from apps.sharing.queries.credentials import keepers_of

WARNED_BEFORE_DAYS: Final = (30, 7, 1)


def keep_credentials(at: datetime) -> int:
    """End and warn, a credential at a time, repeat-safe; return how many were touched."""
    live = Credential.objects.filter(status__in=Credential.LIVE).order_by("pk")
    far = at + timedelta(days=max(WARNED_BEFORE_DAYS) + 1)
    unused_since = at - timedelta(days=UNUSED_DAYS)
    due = live.filter(expires_at__lte=far) | live.filter(application__updated__lte=unused_since)
    kept, _problems = each_by_itself(due, lambda credential: _keep(credential.pk, at))
    return sum(kept)


@transaction.atomic
def _keep(key: int, at: datetime) -> int:
    credential = (
        Credential.objects.select_for_update(of=("self",))
        .select_related("system", "application")
        .filter(pk=key, status__in=Credential.LIVE)
        .first()
    )
    if credential is None:
        return 0
    if credential.expires_at <= at:
        return _end(credential, "expire", "sharing.expire_credential", at)
    last_use = credential.application.updated if credential.application else None
    if last_use is not None and last_use <= at - timedelta(days=UNUSED_DAYS):
        return _end(credential, "disable_unused", "sharing.disable_unused_credential", at)
    return _warn(credential, at)


def _end(credential: Credential, move: str, verb: str, at: datetime) -> int:
    platform = accounts.platform_user()
    end_credential(credential, move, actor=platform, at=at)
    _tell(credential, str(_("调用凭证 %(credential)s %(status)s")), at)
    _record(credential, verb, at)
    return 1


def _warn(credential: Credential, at: datetime) -> int:
    """Say once for each of the days before the end; of those missed, the nearest only."""
    if credential.status != Credential.Status.ACTIVE:
        return 0
    last_day = timezone.localdate(credential.expires_at - timedelta(microseconds=1))
    left = (last_day - timezone.localdate(at)).days
    due = [days for days in WARNED_BEFORE_DAYS if left <= days]
    told = credential.warned_days
    if not due or (told is not None and told <= min(due)):
        return 0
    Credential.objects.filter(pk=credential.pk).update(warned_days=min(due))
    if credential.replacements.filter(status=Credential.Status.ACTIVE).exists():
        return 0  # its end was chosen when it was replaced
    words = str(_("调用凭证 %(credential)s 还有 %(left)s 天到期（%(day)s）"))
    _tell(credential, words, at, left=left, day=last_day)
    _record(credential, "sharing.warn_credential", at)
    return 1


def _tell(credential: Credential, title: str, at: datetime, **more: object) -> None:
    names = {"credential": credential, "status": credential.get_status_display(), **more}
    ledger.notify(
        keepers_of(Credential.objects.filter(pk=credential.pk)),
        title=title % names,
        body=_("“%(system)s”，%(environment)s。需要继续调用的，更换或者重新签发。")
        % {
            "system": credential.system,
            "environment": credential.get_environment_display(),
        },
        url=owed.page_of_credential(credential),
        at=at,
        subject=credential,
    )


def _record(credential: Credential, verb: str, at: datetime) -> None:
    ledger.record(
        accounts.platform_user(),
        verb,
        credential.system,
        at=at,
        department=credential.system.department,
        details={"credential": credential.pk},
    )
