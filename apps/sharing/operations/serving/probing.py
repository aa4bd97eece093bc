"""Look whether the registered services are there, and tell their departments when one is not."""

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.ledger import operations as ledger
from apps.sharing.gateway.forwarding import breaker
from apps.sharing.gateway.forwarding.refusals import ProviderFailed
from apps.sharing.models import Interface, InterfaceCall
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.operations.serving.interfaces import ask_test_case
from apps.sharing.queries.planned_stops import stopped_at

TODO: Final = "sharing.mend_interface"
KEPT: Final = timedelta(days=31)


def probe_interfaces(at: datetime) -> dict[str, int]:
    """Call every service that is open with its test case; forget old calls. Repeat-safe.

    One that rests is probed as well: an answer ends its rest. One in a planned stop is
    left alone. After five failures in a row its department is owed a to-do, which an answer closes.

    Source: house rule (issue 5: probed)
    """
    stopped = stopped_at("dataset", "dataset__department", at)
    active = Interface.objects.filter(status=Interface.Status.ACTIVE).exclude(stopped)
    is_open = [each for each in active.order_by("pk") if breaker.is_within_hours(each, at)]
    answered, problems = each_by_itself(is_open, lambda interface: _probe(interface, at))
    InterfaceCall.objects.filter(at__lt=at - KEPT).delete()
    return {"answered": sum(answered), "failed": len(is_open) - sum(answered), "odd": len(problems)}


def _probe(interface: Interface, at: datetime) -> bool:
    try:
        ask_test_case(interface, InterfaceCall.Kind.PROBE, timezone.now())
    except ProviderFailed as failure:
        interface.refresh_from_db()
        if interface.failures >= breaker.TOLERATED:
            _tell(interface, failure.words, at)
        return False
    ledger.close_todos(interface, at=at, by=None, kind=TODO)
    return True


def _tell(interface: Interface, words: str, at: datetime) -> None:
    ledger.open_todo(
        interface,
        TODO,
        title=_("代理接口连续失败：%(name)s（%(words)s）")
        % {"name": interface.name, "words": words[:100]},
        url=f"/work/registered-interfaces/{interface.pk}/",
        department=interface.dataset.department,
        role="department_editor",
        at=at,
        due_on=timezone.localdate(at + timedelta(days=1)),
    )
