"""What a request asks for beside what its system has of the entry already."""

from types import SimpleNamespace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.sharing import queries
from apps.sharing.models import Grant, SharingRequest, limits_of
from apps.sharing.views.beside import Version, side_by_side, terms_of_grant


def against_grant(subject: SharingRequest) -> dict[str, Any] | None:
    """Set the grant that the request would change or replace beside what is asked."""
    if subject.status in queries.CLOSED:
        return None
    live = Grant.objects.filter(
        system=subject.system, dataset=subject.dataset, status__in=("in_force", "suspended")
    )
    grant = live.exclude(request=subject).select_related("dataset").first()
    if grant is None:
        return None
    asked = terms_asked(subject)
    versions = [
        Version(
            str(grant), _("第 %(version)s 版") % {"version": grant.version}, terms_of_grant(grant)
        ),
        Version(_("申请"), "", asked),
    ]
    return {
        "grant": grant,
        "is_continued": queries.continued_by(subject, asked.mode, timezone.now()) is not None,
        "purpose": grant.purpose if grant.purpose.strip() != subject.scenario.strip() else "",
        "beside": side_by_side(subject.dataset, versions),
    }


def terms_asked(subject: SharingRequest) -> Any:
    """Return what is asked: as it was sent, or as it is written while it is with its author."""
    asked = queries.asked_terms(subject)
    if asked is not None and subject.status != "supplement":
        return asked
    rows = subject.requested_items.select_related("item")
    return SimpleNamespace(
        items=queries.written_items(rows),
        row_condition=subject.row_condition,
        mode=subject.mode,
        starts_on=subject.starts_on,
        ends_on=subject.ends_on,
        **limits_of(subject),
    )
